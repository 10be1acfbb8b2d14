"""Commands that set something in a view: a choice among values of a field of its settings, or a switch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from headscope.gui.commands.command import Command
from headscope.gui.context import Context
from headscope.gui.session.view_settings import ViewSettings


def choice(kind: type[ViewSettings], menu: str, title: str, help_: str, **values: Any) -> Command:
    """Sets these fields, and shows the view; its id is ``view_field_value`` of the first."""
    field, value = next(iter(values.items()))
    return Command(
        f"{kind.VIEW}_{field}_{value}",
        menu,
        title,
        "",
        help_,
        lambda c: _set(c, kind, values),
        checked=lambda c: getattr(c.session.view(kind), field) == value,
    )


def switch(kind: type[ViewSettings], field: str, menu: str, title: str, help_: str, *, separated: bool = False) -> Command:
    """Turns a field on and off, and shows the view; its id is ``view_field``."""
    return Command(
        f"{kind.VIEW}_{field}",
        menu,
        title,
        "",
        help_,
        lambda c: _set(c, kind, {field: not getattr(c.session.view(kind), field)}),
        checked=lambda c: bool(getattr(c.session.view(kind), field)),
        separated=separated,
    )


def _set(context: Context, kind: type[ViewSettings], values: dict[str, Any]) -> None:
    session = context.session
    session.update(views=session.views.having(replace(session.view(kind), **values)))
    if not context.window.is_view_seen(kind.VIEW):
        context.window.bring_view(kind.VIEW)
