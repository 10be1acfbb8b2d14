"""Commands: every action in one table. Menus, tool bar and the list of shortcuts read it; nothing else makes a QAction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QCoreApplication, QObject, Slot
from PySide6.QtGui import QAction, QKeySequence

from headscope.gui.messages import QT_TRANSLATE_NOOP
from headscope.gui.state import ExplorerState

if TYPE_CHECKING:
    from headscope.gui.main_window import MainWindow


_ENABLING = frozenset({"model", "weights", "head", "busy"})
"""Values of the state that the rules below look at; the mouse changes others at each move."""


def _always(_: ExplorerState) -> bool:
    return True


def _has_model(state: ExplorerState) -> bool:
    return state.model is not None


def _can_generate(state: ExplorerState) -> bool:
    return state.model is not None and bool(state.model.abilities & {"generate", "fill_mask"})


def _has_picture(state: ExplorerState) -> bool:
    return state.shown is not None


def _is_busy(state: ExplorerState) -> bool:
    return state.busy is not None


def _step(window: MainWindow, layers: int, heads: int) -> None:
    """Look at a neighbouring head; the edges of the grid hold."""
    state = window.state
    if state.record is None:
        return
    layer, head = window.explorer.head
    layer = min(max(layer + layers, 0), state.record.n_layers(state.kind) - 1)
    head = min(max(head + heads, 0), state.record.n_heads(state.kind) - 1)
    window.explorer.select_head((layer, head))


@dataclass(frozen=True, slots=True)
class Command:
    """An action.

    Attributes
    ----------
    id : str
    menu : str
        The menu it stands in; an id of `MENUS`.
    title : str
        English; the context of its translation is "commands".
    keys : str
        Shortcuts, separated by a blank; may be empty.
    do : callable
    enabled : callable
        Whether it can be done now.
    separated : bool
        Whether a line stands above it.
    """

    id: str
    menu: str
    title: str
    keys: str
    do: Callable[[MainWindow], None]
    enabled: Callable[[ExplorerState], bool] = _always
    separated: bool = False

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("commands", self.title)


MENUS: Final = {
    "file": QT_TRANSLATE_NOOP("commands", "&File"),
    "run": QT_TRANSLATE_NOOP("commands", "&Run"),
    "heads": QT_TRANSLATE_NOOP("commands", "&Heads"),
    "view": QT_TRANSLATE_NOOP("commands", "&View"),
    "examples": QT_TRANSLATE_NOOP("commands", "E&xamples"),
    "help": QT_TRANSLATE_NOOP("commands", "&Help"),
}

COMMANDS: Final = (
    Command("open_name", "file", QT_TRANSLATE_NOOP("commands", "Choose a model…"), "Ctrl+M", lambda w: w.picker.ask_name()),
    Command(
        "open_folder", "file", QT_TRANSLATE_NOOP("commands", "Open model folder…"), "Ctrl+O", lambda w: w.picker.ask_folder()
    ),
    Command(
        "open_gguf", "file", QT_TRANSLATE_NOOP("commands", "Open GGUF file…"), "Ctrl+Shift+O", lambda w: w.picker.ask_gguf()
    ),
    Command(
        "refresh", "file", QT_TRANSLATE_NOOP("commands", "Look for models again"), "", lambda w: w.explorer.refresh_catalogue()
    ),
    Command(
        "export", "file", QT_TRANSLATE_NOOP("commands", "Export…"), "Ctrl+E", lambda w: w.export(), _has_picture, separated=True
    ),
    Command("quit", "file", QT_TRANSLATE_NOOP("commands", "Quit"), "Ctrl+Q", lambda w: w.close_soon(), separated=True),
    Command("run", "run", QT_TRANSLATE_NOOP("commands", "Run"), "Ctrl+Return F5", lambda w: w.explorer.run(), _has_model),
    Command("generate", "run", QT_TRANSLATE_NOOP("commands", "Generate"), "Ctrl+G", lambda w: w.generate(), _can_generate),
    Command("stop", "run", QT_TRANSLATE_NOOP("commands", "Stop"), "Esc", lambda w: w.explorer.stop(), _is_busy),
    Command(
        "edit_text", "run", QT_TRANSLATE_NOOP("commands", "Edit the text"), "Ctrl+T", lambda w: w.edit_text(), separated=True
    ),
    Command(
        "next_head", "heads", QT_TRANSLATE_NOOP("commands", "Next head"), "Alt+Right", lambda w: _step(w, 0, 1), _has_picture
    ),
    Command(
        "previous_head",
        "heads",
        QT_TRANSLATE_NOOP("commands", "Previous head"),
        "Alt+Left",
        lambda w: _step(w, 0, -1),
        _has_picture,
    ),
    Command(
        "next_layer", "heads", QT_TRANSLATE_NOOP("commands", "Next layer"), "Alt+Down", lambda w: _step(w, 1, 0), _has_picture
    ),
    Command(
        "previous_layer",
        "heads",
        QT_TRANSLATE_NOOP("commands", "Previous layer"),
        "Alt+Up",
        lambda w: _step(w, -1, 0),
        _has_picture,
    ),
    Command(
        "reset_layout", "view", QT_TRANSLATE_NOOP("commands", "Reset layout"), "", lambda w: w.reset_layout(), separated=True
    ),
    Command("shortcuts", "help", QT_TRANSLATE_NOOP("commands", "Shortcuts"), "F1", lambda w: w.show_shortcuts()),
    Command("about", "help", QT_TRANSLATE_NOOP("commands", "About Headscope"), "", lambda w: w.show_about()),
)


class Commands(QObject):
    """The actions of one window, enabled as the state allows."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._state = window.state
        self._actions: dict[str, QAction] = {}
        for command in COMMANDS:
            action = QAction(command.words, window)
            action.setObjectName(command.id)
            action.setShortcuts([QKeySequence(keys) for keys in command.keys.split()])
            action.triggered.connect(partial(self._do, command, window))
            window.addAction(action)
            self._actions[command.id] = action
        self._state.changed.connect(self._refresh)
        self._refresh(_ENABLING)

    def action(self, id_: str) -> QAction:
        """The action of a command."""
        return self._actions[id_]

    @staticmethod
    def menu_title(id_: str) -> str:
        """The title of a menu in the user's language."""
        return QCoreApplication.translate("commands", MENUS[id_])

    def _do(self, command: Command, window: MainWindow, _checked: bool = False) -> None:
        command.do(window)

    @Slot(frozenset)
    def _refresh(self, names: frozenset[str]) -> None:
        for command in COMMANDS if names & _ENABLING else ():
            self._actions[command.id].setEnabled(command.enabled(self._state))
