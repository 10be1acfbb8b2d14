"""Commands: every action in one table. Menus, tool bar, palette and the list of shortcuts read it; nothing else makes a QAction with keys."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence

from headscope.gui.commands.command import Command, Menu, has_picture
from headscope.gui.commands.looking import HEADS, PAIRING, READING
from headscope.gui.commands.ordering import ORDERING
from headscope.gui.commands.screen import COLORS, HELP, LAYOUT, LOOKS, SCREEN, VIEWS
from headscope.gui.commands.work import EDIT, FILE, RUN
from headscope.gui.widgets.plain import plain
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

if TYPE_CHECKING:
    from headscope.gui.window.main_window import MainWindow

__all__ = ["COMMANDS", "MENUS", "Command", "Commands", "Menu"]

_FOLLOWING_THE_MOUSE = frozenset({"hover", "row", "part", "thumbnails"})
"""Values of the state that no rule looks at; they change at each move of the mouse."""

_OF_HISTORY = frozenset({"undoable", "redoable"})
_OF_CHOICE = frozenset({"head", "heads", "weights"})
"""Another head of the same picture: only rules in `HEADS` look at which."""

MENUS: Final = {
    "file": Menu(QT_TRANSLATE_NOOP("commands", "&File")),
    "edit": Menu(QT_TRANSLATE_NOOP("commands", "&Edit")),
    "run": Menu(QT_TRANSLATE_NOOP("commands", "&Run")),
    "heads": Menu(QT_TRANSLATE_NOOP("commands", "He&ads")),
    "sorting": Menu(QT_TRANSLATE_NOOP("commands", "Sort by"), "heads"),
    "head_types": Menu(QT_TRANSLATE_NOOP("commands", "Show only"), "heads"),
    "view": Menu(QT_TRANSLATE_NOOP("commands", "&View")),
    "views": Menu(QT_TRANSLATE_NOOP("commands", "Views"), "view"),
    "layout": Menu(QT_TRANSLATE_NOOP("commands", "Layout"), "view"),
    "reading": Menu(QT_TRANSLATE_NOOP("commands", "Tokens and words"), "view"),
    "pairing": Menu(QT_TRANSLATE_NOOP("commands", "Sentence pairs"), "view"),
    "colors": Menu(QT_TRANSLATE_NOOP("commands", "Colour map"), "view"),
    "appearance": Menu(QT_TRANSLATE_NOOP("commands", "Appearance"), "view"),
    "examples": Menu(QT_TRANSLATE_NOOP("commands", "E&xamples")),
    "help": Menu(QT_TRANSLATE_NOOP("commands", "&Help")),
}
"""In the order of the menu bar; a menu inside another comes before the other's own commands."""

COMMANDS: Final = (*FILE, *EDIT, *RUN, *HEADS, *ORDERING, *VIEWS, *LAYOUT, *READING, *PAIRING, *COLORS, *LOOKS, *SCREEN, *HELP)


class Commands(QObject):
    """The actions of one window, enabled and checked as the state allows.

    Signals
    -------
    refreshed
        Some may have become possible, impossible, or what holds now.
    """

    refreshed = Signal()

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._actions: dict[str, QAction] = {}
        self._had_picture = False
        for command in COMMANDS:
            action = QAction(command.words, window)
            action.setObjectName(command.id)
            action.setToolTip(plain(command.hint))
            action.setStatusTip(command.hint)
            action.setShortcuts([QKeySequence(keys) for keys in command.keys.split()])
            action.setCheckable(command.checked is not None)
            action.triggered.connect(partial(self._do, command))
            window.addAction(action)
            self._actions[command.id] = action
        window.state.changed.connect(self._on_changed)

    def action(self, id_: str) -> QAction:
        """The action of a command."""
        return self._actions[id_]

    @Slot()
    def refresh(self, commands: tuple[Command, ...] = COMMANDS) -> None:
        """Enable and check the actions as things are now."""
        for command in commands:
            action = self._actions[command.id]
            action.setEnabled(command.enabled(self._window.state))
            if command.checked is not None:
                action.setChecked(command.checked(self._window))
        self.refreshed.emit()

    def _do(self, command: Command, _checked: bool = False) -> None:
        command.do(self._window)
        if command.checked is not None:
            self.refresh()  # Qt has toggled the mark by itself

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        had_picture, self._had_picture = self._had_picture, has_picture(self._window.state)
        if names <= _OF_HISTORY:  # after every choice of a head
            self.refresh(tuple(command for command in EDIT if command.id in ("undo", "redo")))
        elif names <= _OF_CHOICE and self._had_picture == had_picture:
            self.refresh(HEADS)
        elif names - _FOLLOWING_THE_MOUSE:
            self.refresh()
