"""HeatmapControls: in what scale and which colours a heatmap is shown, and whether before or after the softmax."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from headscope.core.attention.ranks import RESOLUTION
from headscope.gui.views.heatmap.settings import HeatmapSettings
from headscope.gui.widgets.plain import plain


class HeatmapControls(QWidget):
    """Two menus and a switch. They ask for settings and show what they are given.

    Signals
    -------
    chosen(str, object)
        The user wants another value of this field of `HeatmapSettings`.
    """

    chosen = Signal(str, object)

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
        self.scale, self.scale_actions = self._menu("scale", self.scales)
        self.color, self.color_actions = self._menu("color_map", self.colors)
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
        self.show_settings(HeatmapSettings(), of_scores=False)

    def _menu(self, field: str, choices: dict[str, tuple[str, str]]) -> tuple[QToolButton, dict[str, QAction]]:
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
            action.triggered.connect(partial(self._choose, field, name))
            group.addAction(action)
            actions[name] = action
        button.setMenu(menu)
        return button, actions

    def _stretching(self) -> QAction:
        menu = self.scale.menu()
        menu.addSeparator()
        action = menu.addAction(self.tr("Scale to this head's maximum"))
        action.setToolTip(self.tr("End the colours at this head's largest weight instead of at 1; values are unchanged"))
        action.setCheckable(True)
        action.triggered.connect(self._stretch)
        return action

    def show_settings(self, settings: HeatmapSettings, *, of_scores: bool) -> None:
        """Show what is chosen, and what of it these numbers can have."""
        reasons = {
            "log": self.tr("Scores may be negative, so they have no logarithm.") if of_scores else "",
            "row": self.tr("Scores may be negative, so rows cannot be scaled to a maximum.") if of_scores else "",
        }
        for name, reason in reasons.items():
            self.scale_actions[name].setEnabled(not reason)
            self.scale_actions[name].setToolTip(plain(reason or self.scales[name][1]))
        self.to_maximum.setEnabled(not of_scores)
        scale = settings.look("", of_scores=of_scores).scale
        self.scale_actions[scale].setChecked(True)
        self.color_actions[settings.color_map].setChecked(True)
        self.to_maximum.setChecked(settings.stretched)
        with QSignalBlocker(self.scores):
            self.scores.setChecked(of_scores)
        self._name(scale, settings.color_map)

    def tell_of(self, *, whole: bool) -> None:
        """Say what is not exact of a head that is not here as a whole."""
        rank, counted = (
            self.scales["rank"][1],
            self.tr("In a head this large, values less than {share:.2f} % apart count as equal."),
        )
        self.scale_actions["rank"].setToolTip(plain(rank if whole else f"{rank}\n{counted.format(share=100 * RESOLUTION)}"))

    def _choose(self, field: str, name: str, _checked: bool = False) -> None:
        self.chosen.emit(field, name)

    @Slot(bool)
    def _stretch(self, stretched: bool) -> None:
        self.chosen.emit("stretched", stretched)

    def _name(self, scale: str, color_map: str) -> None:
        words = self.scales[scale][0]
        short = {"log": self.tr("Log"), "row": self.tr("Rows"), "rank": self.tr("Rank")}
        self.scale.setText(f"{short.get(scale, words)} ▾")
        self.scale.setToolTip(plain(self.tr("Scale: {words}").format(words=words)))
        self.scale.setAccessibleName(self.tr("Scale: {words}").format(words=words))
        words = self.colors[color_map][0]
        self.color.setText(f"{words} ▾")
        self.color.setToolTip(plain(self.tr("Colours: {words}").format(words=words)))
        self.color.setAccessibleName(self.tr("Colours: {words}").format(words=words))
