"""How all views of a session show what they show: the settings of each, and those that several have in common."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Any, Final

from headscope.core.attention.head_map import Pooling
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.session.plain_values import from_plain, to_plain
from headscope.gui.session.selection import Pairing
from headscope.gui.session.session import Session
from headscope.gui.session.view_settings import Views, ViewSettings


@dataclass(frozen=True, slots=True)
class _Shared:
    """By their names in the session, with their defaults."""

    pairing: Pairing = "all"
    pooling: Pooling = "max"


SHARED: Final = tuple(item.name for item in fields(_Shared))
"""Names in the session of settings that several views have in common, or that what acts has to know."""


def default_views() -> dict[str, Any]:
    """Values for the session: all views as they were made, the order of heads among them."""
    return {"head_order": HeadOrder(), **_values(Views(), _Shared())}


def has_default_views(state: Session) -> bool:
    """Whether all views are as they were made."""
    return all(getattr(state, name) == value for name, value in default_views().items())


def views_to_json(state: Session) -> dict[str, Any]:
    """For `views_from_json`; without the order of heads, which is about a text and ends with it."""
    return {"views": state.views.to_json(), **{name: to_plain(getattr(state, name)) for name in SHARED}}


def views_from_json(kept: object, kinds: Iterable[type[ViewSettings]]) -> dict[str, Any]:
    """Values for the session; the default wherever what was kept is not understood.

    `kinds`: of the settings of all views that there are.
    """
    if not isinstance(kept, dict):
        return _values(Views(), _Shared())
    try:
        shared = from_plain(_Shared, kept)
    except ValueError:
        shared = _Shared()
    return _values(Views.from_json(kept.get("views"), kinds), shared)


def _values(views: Views, shared: _Shared) -> dict[str, Any]:
    return {"views": views, **{name: getattr(shared, name) for name in SHARED}}
