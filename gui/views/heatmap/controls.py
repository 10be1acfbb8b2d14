"""HeatmapControls: in what scale and which colours a heatmap is shown, and whether before or after the softmax."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from headscope.core.attention.ranks import RESOLUTION
from headscope.gui.paint.scales import Look
from headscope.gui.widgets.plain import plain


class HeatmapControls(QWidget):
    """Two menus and a switch.

    Signals
    -------
    chosen
        Scale, stretching or colours: see `look`.
    """

    chosen = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scales = {
            "linear": (self.tr("Linear"), self.tr("Colour is proportional to the weight.")),
            "log": (self.tr("Logarithmic"), self.tr("Four powers of ten; the colour bar shows which.")),
            "row": (self.tr("Row by row"), self.tr("Each row spans the whole colour range.")),
            "rank": (self.tr("Rank in the head"), self.tr("Colour is the share of the head's cells with smaller values.")),
        }
        self.colors = {
            "plain": (self.tr("One hue"), self.tr("The theme's own; scores are blue above 0 and orange below.")),
            "viridis": (self.tr("Viridis"), self.tr("Purple to yellow; scores are green above 0 and purple below.")),
            "cividis": (self.tr("Cividis"), self.tr("Blue to yellow; scores are blue above 0 and yellow below.")),
            "grey": (self.tr("Grey"), self.tr("For print.")),
        }
        self.scale, self.scale_actions = self._menu(self.scales)
        self.color, self.color_actions = self._menu(self.colors)
        self.to_maximum = self._stretching()
        self.scores = QToolButton()
        self.scores.setObjectName("flat")
        self.scores.setCheckable(True)
        self.scores.setText(self.tr("Scores"))
        self.scores.setToolTip(self.tr("Scores before the softmax (scaled q·k and what is added to it) instead of weights"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for button in (self.scale, self.color, self.scores):
            row.addWidget(button)
        self._name()

    def _menu(self, choices: dict[str, tuple[str, str]]) -> tuple[QToolButton, dict[str, QAction]]:
        button = QToolButton()
        button.setObjectName("flat")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        actions: dict[str, QAction] = {}
        for name, (words, hint) in choices.items():
            action = menu.addAction(words)
            action.setToolTip(plain(hint))
            action.setCheckable(True)
            action.setChecked(not actions)
            group.addAction(action)
            actions[name] = action
        group.triggered.connect(self._choose)
        button.setMenu(menu)
        return button, actions

    def _stretching(self) -> QAction:
        menu = self.scale.menu()
        menu.addSeparator()
        action = menu.addAction(self.tr("Scale to this head's maximum"))
        action.setToolTip(self.tr("End the colours at this head's largest weight instead of at 1; values are unchanged"))
        action.setCheckable(True)
        action.toggled.connect(self._choose)
        return action

    @property
    def look(self) -> Look:
        """What is chosen, with the bar's ends at home."""
        return Look(_checked(self.scale_actions), self.to_maximum.isChecked(), color_map=_checked(self.color_actions))  # type: ignore[arg-type]

    def set_color_map(self, name: str) -> None:
        """Show which colours are chosen."""
        if name in self.color_actions and not self.color_actions[name].isChecked():
            self.color_actions[name].setChecked(True)
            self._name()

    def allow(self, *, whole: bool, scores: bool) -> None:
        """Which scales can be had, not all of scores, and what is not exact of a head that is not here as a whole."""
        reasons = {
            "log": self.tr("Scores may be negative, so they have no logarithm.") if scores else "",
            "row": self.tr("Scores may be negative, so rows cannot be scaled to a maximum.") if scores else "",
        }
        for name, reason in reasons.items():
            self.scale_actions[name].setEnabled(not reason)
            self.scale_actions[name].setToolTip(plain(reason or self.scales[name][1]))
            if reason and self.scale_actions[name].isChecked():
                self.scale_actions["linear"].setChecked(True)
        rank, counted = (
            self.scales["rank"][1],
            self.tr("In a head this large, values less than {share:.2f} % apart count as equal."),
        )
        self.scale_actions["rank"].setToolTip(plain(rank if whole else f"{rank}\n{counted.format(share=100 * RESOLUTION)}"))
        self.to_maximum.setEnabled(not scores)
        self._name()

    def _choose(self) -> None:
        self._name()
        self.chosen.emit()

    def _name(self) -> None:
        words, short = (
            self.scales[_checked(self.scale_actions)][0],
            {"log": self.tr("Log"), "row": self.tr("Rows"), "rank": self.tr("Rank")},
        )
        self.scale.setText(f"{short.get(_checked(self.scale_actions), words)} ▾")
        self.scale.setToolTip(plain(self.tr("Scale: {words}").format(words=words)))
        self.scale.setAccessibleName(self.tr("Scale: {words}").format(words=words))
        words = self.colors[_checked(self.color_actions)][0]
        self.color.setText(f"{words} ▾")
        self.color.setToolTip(plain(self.tr("Colours: {words}").format(words=words)))
        self.color.setAccessibleName(self.tr("Colours: {words}").format(words=words))


def _checked(actions: dict[str, QAction]) -> str:
    return next(name for name, action in actions.items() if action.isChecked())
