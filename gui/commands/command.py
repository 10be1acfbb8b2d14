"""Command: something the user can do, with its words, keys and rules. The tables beside this file are made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication

from headscope.gui.context import Context
from headscope.gui.session.session import Session


def always(_: Session) -> bool:
    """At any time."""
    return True


def has_model(state: Session) -> bool:
    """When a model is open."""
    return state.model is not None


def has_picture(state: Session) -> bool:
    """When attention is on the screen, and the run that it is of is there."""
    return state.shown is not None and not state.kept


@dataclass(frozen=True, slots=True)
class Command:
    """An action.

    Attributes
    ----------
    id : str
    menu : str
        The menu it stands in; an id of `MENUS`.
    title : str
        English.
    keys : str
        Shortcuts, separated by a blank; may be empty.
    help : str
        What it does, in one English sentence: its tool tip.
    do : callable
    enabled : callable
        Whether it can be done now.
    checked : callable, optional
        Whether it is what holds now: it gets a check mark then.
    separated : bool
        Whether a line stands above it.
    context : str
        Of the translations of its words, if they are another table's.
    words_now : callable, optional
        The title in the user's language as things are now, where it changes.
    """

    id: str
    menu: str
    title: str
    keys: str
    help: str
    do: Callable[[Context], None]
    enabled: Callable[[Session], bool] = always
    checked: Callable[[Context], bool] | None = None
    separated: bool = False
    context: str = "commands"
    words_now: Callable[[Session], str] | None = None

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate(self.context, self.title)

    @property
    def hint(self) -> str:
        """The help in the user's language."""
        return QCoreApplication.translate(self.context, self.help)


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu's English title, and the menu it stands in; "" for the menu bar."""

    title: str
    parent: str = ""

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("commands", self.title)
