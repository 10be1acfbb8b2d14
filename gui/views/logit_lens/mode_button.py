"""ModeButton: what the cells of the logit lens show, and which token is followed."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QMenu, QToolButton, QWidget

from headscope.gui.views.logit_lens.settings import Shows
from headscope.gui.widgets.plain import plain


class ModeButton(QToolButton):
    """A button with a menu.

    Attributes
    ----------
    modes : dict of str to QAction
    final : QAction
        Follow what the last layer predicts.

    Signals
    -------
    chosen(str)
        One of the modes.
    """

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words: dict[Shows, tuple[str, str]] = {
            "probability": (self.tr("Probability"), self.tr("The most probable token, coloured by its probability")),
            "entropy": (
                self.tr("Entropy"),
                self.tr("The most probable token, coloured by entropy: the stronger, the less certain"),
            ),
            "token": (self.tr("One token"), self.tr("Probability and rank of one token through the layers")),
        }
        self.setObjectName("flat")
        self.setToolTip(self.tr("What cells show"))
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(self)
        menu.setToolTipsVisible(True)
        self.setMenu(menu)
        group = QActionGroup(self)
        self.modes: dict[Shows, QAction] = {}
        for mode, (name, hint) in words.items():
            self.modes[mode] = action = menu.addAction(name)
            action.triggered.connect(partial(self._choose, mode))
            action.setToolTip(plain(hint))
            action.setCheckable(True)
            group.addAction(action)
        menu.addSeparator()
        self.final = menu.addAction(self.tr("Follow final predictions"))
        self.final.setToolTip(self.tr("Follow, at each position, the token most probable after the last layer"))

    def _choose(self, mode: Shows, _checked: bool = False) -> None:
        self.chosen.emit(mode)
