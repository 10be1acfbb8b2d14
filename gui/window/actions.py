"""Actions: every command in one table, and its QAction in this window. Nothing else makes a QAction with keys."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import Final

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from headscope.gui.commands.command import Command, has_picture
from headscope.gui.commands.edit import EDIT
from headscope.gui.commands.files import FILE
from headscope.gui.commands.heads import HEADS
from headscope.gui.commands.help import HELP
from headscope.gui.commands.menus import MENUS
from headscope.gui.commands.run import RUN
from headscope.gui.commands.screen import LOOKS, SCREEN
from headscope.gui.commands.units import UNITS
from headscope.gui.context import Context
from headscope.gui.view_spec import ViewSpec
from headscope.gui.widgets.plain import plain
from headscope.gui.window.layouts import LAYOUTS, Layout
from headscope.gui.window.views import VIEWS
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _view(spec: ViewSpec) -> Command:
    return Command(
        f"view_{spec.id}",
        "views",
        spec.title,
        spec.keys,
        spec.help,
        lambda c: c.window.toggle_view(spec.id),
        checked=lambda c: c.window.is_view_open(spec.id),
        context="views",
    )


def _reference_view(view: ViewSpec) -> Command:
    name = view.reference_id
    return Command(
        f"view_{name}",
        "views",
        view.reference_title,
        "",
        QT_TRANSLATE_NOOP(
            "views", "The same for the reference A: the run before the last edit of the text, or the run that was kept."
        ),
        lambda c: c.window.toggle_view(name),
        checked=lambda c: c.window.is_view_open(name),
        context="views",
    )


def _layout(number: int, layout: Layout) -> Command:
    return Command(
        f"layout_{layout.id}",
        "layout",
        layout.title,
        f"Ctrl+{number}",
        layout.help,
        lambda c: c.window.choose_layout(layout.id),
        checked=lambda c: c.window.layout_id == layout.id,
        context="layouts",
    )


# fmt: off
LAYOUT: Final = (
    *(_layout(number, layout) for number, layout in enumerate(LAYOUTS, start=1)),
    Command("reset_layout", "layout", QT_TRANSLATE_NOOP("commands", "Reset layout"), "",
            QT_TRANSLATE_NOOP("commands", "Restore the layout's own arrangement of views."),
            lambda c: c.window.reset_layout(), separated=True),
)
# fmt: on
_OF_VIEWS = (command for spec in VIEWS for command in spec.commands)
_OF_REFERENCE = tuple(view for view in VIEWS if view.of_reference is not None)
_ALL = (
    *FILE,
    *EDIT,
    *RUN,
    *HEADS,
    *_OF_VIEWS,
    *map(_view, VIEWS),
    *map(_reference_view, _OF_REFERENCE),
    *LAYOUT,
    *UNITS,
    *LOOKS,
    *SCREEN,
    *HELP,
)
_ORDER = tuple(MENUS)


def ordered(commands: Iterable[Command]) -> tuple[Command, ...]:
    """Menu by menu."""
    return tuple(sorted(commands, key=lambda command: _ORDER.index(command.menu)))


COMMANDS: Final = ordered(_ALL)
"""Menu by menu."""

_FOLLOWING_THE_MOUSE = frozenset({"hover", "row", "part", "thumbnails"})
"""Values of the state that no rule looks at; they change at each move of the mouse."""

_OF_HISTORY = frozenset({"undoable", "redoable", "undo_of", "redo_of"})
_OF_CHOICE = frozenset({"head", "heads", "weights"})
"""Another head of the same picture: only rules in `HEADS` look at which."""
_RESET: Final = tuple(command for command in SCREEN if command.id == "reset_views")
_OF_SETTINGS: Final = {f"views.{spec.id}": (*spec.commands, *_RESET) for spec in VIEWS}
"""What a view's own commands say of its settings; a slider that is dragged changes them at each step."""
_WRITING_MILLISECONDS: Final = 100
"""How often the actions follow a model that writes: its steps change what is possible, but not so fast that anybody could ask."""


class Actions(QObject):
    """The actions of one window, enabled and checked as the state allows.

    Signals
    -------
    refreshed
        Some may have become possible, impossible, or what holds now.
    """

    refreshed = Signal()

    def __init__(self, context: Context, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._actions: dict[str, QAction] = {}
        self._had_picture = self._was_busy = False
        self._soon = QTimer(self, singleShot=True, interval=_WRITING_MILLISECONDS)
        self._soon.timeout.connect(self.refresh)
        for command in COMMANDS:
            action = QAction(command.words, parent)
            action.setObjectName(command.id)
            action.setToolTip(plain(command.hint))
            action.setStatusTip(command.hint)
            action.setShortcuts([QKeySequence(keys) for keys in command.keys.split()])
            action.setCheckable(command.checked is not None)
            action.triggered.connect(partial(self._do, command))
            parent.addAction(action)
            self._actions[command.id] = action
        context.session.changed.connect(self._on_changed)

    def action(self, id_: str) -> QAction:
        """The action of a command."""
        return self._actions[id_]

    @Slot()
    def refresh(self, commands: tuple[Command, ...] = COMMANDS) -> None:
        """Enable and check the actions as things are now."""
        for command in commands:
            action = self._actions[command.id]
            action.setEnabled(command.enabled(self._context.session))
            if command.words_now is not None:
                action.setText(command.words_now(self._context.session))
            if command.checked is not None:
                action.setChecked(command.checked(self._context))
        self.refreshed.emit()

    def _do(self, command: Command, _checked: bool = False) -> None:
        command.do(self._context)
        if command.checked is not None:
            self.refresh()  # Qt has toggled the mark by itself

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        session = self._context.session
        had_picture, self._had_picture = self._had_picture, has_picture(session)
        was_busy, self._was_busy = self._was_busy, session.busy is not None
        if was_busy and self._was_busy and self._had_picture == had_picture:
            if names - _FOLLOWING_THE_MOUSE - {"busy"} and not self._soon.isActive():
                self._soon.start()
        elif names <= _OF_HISTORY:  # after every choice of a head
            self.refresh(tuple(command for command in EDIT if command.id in ("undo", "redo")))
        elif names <= _OF_CHOICE and self._had_picture == had_picture:
            self.refresh(HEADS)
        elif "views" in names and len(names) == 2:
            self.refresh(next(_OF_SETTINGS[name] for name in names if name != "views"))
        elif names - _FOLLOWING_THE_MOUSE:
            self.refresh()
