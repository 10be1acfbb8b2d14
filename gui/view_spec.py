"""ViewSpec: what a view is. Desk, menus, palette, the sheet of shortcuts and the export read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from headscope.gui.commands.command import Command
from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """A figure that a view's panel can make.

    Attributes
    ----------
    id : str
    title : str
        English; its context is "views".
    make : callable
        The figure, given the view's panel, as that shows it; None while there is nothing to show.
    """

    id: str
    title: str
    make: Callable[[Any], Figure | None]

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("views", self.title)


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """A view.

    Attributes
    ----------
    id : str
        The name of its folder.
    title, help : str
        English; their context is "views".
    keys : str
        The shortcut that opens and closes it.
    create : callable
        Its panel; it imports what it needs when it is called.
    commands : tuple of Command
        In the order of their menus.
    gestures : tuple of Gesture
        What mouse and keys do in it.
    figures : tuple of FigureSpec
    """

    id: str
    title: str
    help: str
    keys: str
    create: Callable[[Context], QWidget]
    commands: tuple[Command, ...] = ()
    gestures: tuple[Gesture, ...] = ()
    figures: tuple[FigureSpec, ...] = ()

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("views", self.title)
