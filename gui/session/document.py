"""Document: all that the user chose, as one value. Undo keeps it before and after each change."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Final, get_type_hints

from headscope.core.attention.head_map import Pooling
from headscope.core.attention.lens import Lens
from headscope.core.forward.model_info import ModelInfo
from headscope.core.text.tokens import Units
from headscope.core.vocabulary import Head, Kind
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.session.plain_values import from_plain, to_plain
from headscope.gui.session.selection import Cell, Marks, Pairing
from headscope.gui.session.session import Session
from headscope.gui.session.source import Source
from headscope.gui.session.view_settings import Views, ViewSettings
from headscope.gui.session.views_of_session import SHARED

TEXTS: Final = ("text", "text_pair", "target")
LOOKS: Final = ("kind", "head", "heads", "units", "lens", "source", "step")
"""These need weights: they come back a moment later than they are asked for."""
PLACES: Final = ("pinned", "marks")
"""These are positions in the units of the picture: they come back when it has."""
PLAIN: Final = ("head_order", *SHARED, "views")
_OTHERWISE: Final = ("model", "views")
"""These are no plain values."""


@dataclass(frozen=True, slots=True)
class Document:
    """What can be undone, at one moment. A model is known by what opened it: `load` finds it again."""

    VERSION: ClassVar[int] = 1

    model: ModelInfo | None
    text: str
    text_pair: str
    target: str
    kind: Kind
    head: Head
    heads: tuple[Head, ...]
    units: Units
    source: Source
    step: int | None
    pinned: Cell
    marks: Marks
    lens: Lens
    pairing: Pairing
    pooling: Pooling
    head_order: HeadOrder
    views: Views

    @classmethod
    def of(cls, state: Session) -> Document:
        """As it is now."""
        return cls(**{item.name: getattr(state, item.name) for item in fields(cls)})

    @property
    def texts(self) -> tuple[str, str, str]:
        """What the model is given to read."""
        return self.text, self.text_pair, self.target

    def to_json(self) -> dict[str, Any]:
        """For `from_json`; of the model what opens it."""
        values = {item.name: to_plain(getattr(self, item.name)) for item in fields(self) if item.name not in _OTHERWISE}
        source = None if self.model is None else self.model.source
        return {"version": self.VERSION, "model": source, **values, "views": self.views.to_json()}

    @classmethod
    def from_json(cls, kept: object, kinds: Iterable[type[ViewSettings]], model: ModelInfo | None = None) -> Document | None:
        """What was kept, with the model as whoever opened it knows it; None if it is damaged or of another version.

        `kinds`: of the settings of all views that there are.
        """
        if not isinstance(kept, dict) or kept.get("version") != cls.VERSION:
            return None
        hints = get_type_hints(cls)
        names = [item.name for item in fields(cls) if item.name not in _OTHERWISE]
        try:
            values = {name: from_plain(hints[name], kept.get(name)) for name in names}
        except ValueError:
            return None
        return cls(model=model, views=Views.from_json(kept.get("views"), kinds), **values)

    def differs_in(self, other: Document) -> tuple[str, ...]:
        """The names of the values that another document has otherwise."""
        return tuple(item.name for item in fields(self) if getattr(self, item.name) != getattr(other, item.name))


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that the user did: what it is called (an id of `CHANGES`), and the document before and after it."""

    name: str
    before: Document
    after: Document
