"""ViewSettings: how a view shows what it shows, as values that are undone, kept for the next start, and carried by files of a session."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Self, TypeVar, get_type_hints

from headscope.gui.session.plain_values import from_plain, to_plain

T = TypeVar("T")
S = TypeVar("S", bound="ViewSettings")


def setting(default: T, *, sound: Callable[[T], bool] | None = None, slides: bool = False) -> T:
    """A field of settings: which of its values are sound, and whether it goes through many on its way to one (a slider)."""
    made: T = field(default=default, metadata={"sound": sound, "slides": slides})
    return made


def within(least: float, most: float) -> Callable[[float], bool]:
    """A number that is sound from `least` to `most`."""
    return lambda number: least <= number <= most


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """Base of the settings of a view, and those of a view that has none: each field has a default and a plain value.

    Attributes
    ----------
    VIEW : str
        The view's id.
    VERSION : int
        Another number where a field has come to mean something else: what was kept before is not understood any more.
    """

    VIEW: ClassVar[str] = ""
    VERSION: ClassVar[int] = 1

    def to_json(self) -> dict[str, Any]:
        """For `from_json`."""
        return {"version": self.VERSION, **to_plain(self)}

    @classmethod
    def from_json(cls, kept: object) -> Self:
        """What was kept; the default for each value that is missing, damaged or not sound, and for all of another version."""
        default, values = cls(), {}
        if not isinstance(kept, dict) or kept.get("version") != cls.VERSION:
            return default
        hints = get_type_hints(cls)
        for item in fields(cls):
            try:
                value = from_plain(hints[item.name], kept.get(item.name))
            except ValueError:
                continue
            sound = item.metadata.get("sound")
            if sound is None or sound(value):
                values[item.name] = value
        return replace(default, **values)

    def slid(self, before: ViewSettings) -> bool:
        """Whether nothing differs from `before` but fields that slide."""
        changed = [item for item in fields(self) if getattr(self, item.name) != getattr(before, item.name)]
        return all(item.metadata.get("slides", False) for item in changed)


@dataclass(frozen=True, slots=True)
class Views:
    """The settings of all views.

    Attributes
    ----------
    changed : tuple of ViewSettings
        Those that are not as they were made, in the order of their views' ids.
    """

    changed: tuple[ViewSettings, ...] = ()

    def of(self, kind: type[S]) -> S:
        """Those of the view that has settings of this kind."""
        return next((found for found in self.changed if isinstance(found, kind)), None) or kind()

    def having(self, settings: ViewSettings) -> Views:
        """With these in the place of the view's."""
        others = [other for other in self.changed if other.VIEW != settings.VIEW]
        changed = others if settings == type(settings)() else [*others, settings]
        return Views(tuple(sorted(changed, key=lambda each: each.VIEW)))

    def differs_in(self, other: Views) -> tuple[ViewSettings, ...]:
        """Those that another has otherwise."""
        kinds = {type(each): None for each in (*self.changed, *other.changed)}
        return tuple(self.of(kind) for kind in kinds if self.of(kind) != other.of(kind))

    def to_json(self) -> dict[str, Any]:
        """For `from_json`: id of the view → settings."""
        return {each.VIEW: each.to_json() for each in self.changed}

    @classmethod
    def from_json(cls, kept: object, kinds: Iterable[type[ViewSettings]]) -> Views:
        """What was kept of views whose settings are of these kinds; the default wherever it is not understood."""
        views = cls()
        for kind in kinds:
            if kind.VIEW and isinstance(kept, dict):
                views = views.having(kind.from_json(kept.get(kind.VIEW)))
        return views
