"""ViewSpec: what a view is. Desk, menus, palette, the sheet of shortcuts and the export read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication
from PySide6.QtWidgets import QWidget

from headscope.core.vocabulary import FloatArray, Head, Kind
from headscope.gui.commands.command import Command
from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.session.view_settings import ViewSettings

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What a figure is drawn of where there is no window: some heads of a record.

    Attributes
    ----------
    record : AttentionRecord
        In the units that are wanted.
    kind : Kind
    heads : tuple of (layer, head)
        At least one; a figure of one head is of the first.
    """

    record: AttentionRecord
    kind: Kind
    heads: tuple[Head, ...]

    @property
    def weights(self) -> dict[Head, FloatArray]:
        """Of each head, (n_queries, n_keys)."""
        return {head: self.record.attention_weights(*head, self.kind) for head in self.heads}


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """A figure that a view can make.

    Attributes
    ----------
    id : str
    title : str
        English; its context is "views".
    make : callable
        The figure, given the view's panel, as that shows it; None while there is nothing to show.
    of_record : callable, optional
        The figure of a record alone; for the command line and Python. None: it needs what only a run in the window has.
    obeys : frozenset of str
        Which of the options it has a meaning for, beside size, type, title, ground and dots (see `FigureOptions`); "heads" if it
        shows several, "transparent" if it can be without a ground.
    zoomed : callable, optional
        The part of a map that the panel shows, as two ranges; None if that is all of it.
    """

    id: str
    title: str
    make: Callable[[Any], Figure | None]
    of_record: Callable[[Subject], Figure] | None = None
    obeys: frozenset[str] = frozenset()
    zoomed: Callable[[Any], tuple[range, range] | None] | None = None

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
    settings : type of ViewSettings
        What can be set in it; the base if nothing can.
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
    settings: type[ViewSettings] = ViewSettings
    commands: tuple[Command, ...] = ()
    gestures: tuple[Gesture, ...] = ()
    figures: tuple[FigureSpec, ...] = ()

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("views", self.title)
