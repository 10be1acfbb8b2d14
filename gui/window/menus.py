"""Menus: the menu bar, made of the table of commands, and the menus that follow the model and what was run lately."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication, QObject, Slot
from PySide6.QtWidgets import QMainWindow, QMenu

from headscope.core.models.examples import examples_for
from headscope.gui.commands.menus import MENUS
from headscope.gui.context import Context
from headscope.gui.widgets.plain import plain
from headscope.gui.window.actions import COMMANDS, Actions

_LONGEST, _LONGEST_EXAMPLE = 72, 48
"""Characters of a text in a menu, and of one that says beside it what it shows."""


class Menus(QObject):
    """Builds the menus of a window.

    Attributes
    ----------
    examples, layouts, recent : QMenu
        Those that the tool bar shows as well.
    """

    def __init__(self, context: Context, actions: Actions, window: QMainWindow) -> None:
        super().__init__(window)
        self._context = context
        self._actions = actions
        self._window = window
        self._all = {id_: QMenu(menu.words, window) for id_, menu in MENUS.items()}
        self.examples, self.layouts = self._all["examples"], self._all["layout"]
        self.recent = QMenu(self.tr("Recent texts"), window)
        for menu in (*self._all.values(), self.recent):
            menu.setToolTipsVisible(True)

    def build(self) -> None:
        """Fill the menu bar."""
        window = self._window
        for id_, menu in MENUS.items():
            if menu.parent:
                self._all[menu.parent].addMenu(self._all[id_])
            else:
                window.menuBar().addMenu(self._all[id_])
        for command in COMMANDS:
            menu_now = self._all[command.menu]
            if command.separated and not menu_now.isEmpty():
                menu_now.addSeparator()
            menu_now.addAction(self._actions.action(command.id))
            if command.id == "open_text":
                menu_now.addMenu(self.recent)
        self._context.recent.changed.connect(self.fill_recent)
        self.fill_recent()

    def of(self, id_: str) -> QMenu:
        """The menu of `MENUS` with this id."""
        return self._all[id_]

    @Slot()
    def fill_recent(self) -> None:
        """The texts that were run lately."""
        self.recent.clear()
        for text in self._context.recent.texts:
            self.recent.addAction(_short(text.words), partial(self._context.window.use_text, text)).setToolTip(
                plain(text.words[:500])
            )
        self.recent.setEnabled(not self.recent.isEmpty())

    def fill_examples(self) -> None:
        """The examples for the model that is open, then the recent texts."""
        self.examples.clear()
        model = self._context.session.model
        for example in examples_for(model) if model is not None else ():
            words = example.text if example.pair is None else f"{example.text} | {example.pair}"
            note = QCoreApplication.translate("examples", example.note).replace("&", "&&")
            beside = f"\t{note}" if note else ""  # where other entries have their keys
            action = self.examples.addAction(
                _short(words, _LONGEST_EXAMPLE) + beside, partial(self._context.explorer.use_example, example)
            )
            action.setToolTip(plain(words))
        self.examples.addSeparator()
        self.examples.addMenu(self.recent)
        self.examples.setEnabled(model is not None)


def _short(words: str, most: int = _LONGEST) -> str:
    words = words if len(words) <= most else f"{words[:most]}…"
    return words.replace("&", "&&")
