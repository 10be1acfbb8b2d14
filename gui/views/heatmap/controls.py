"""HeatmapControls: what of a head is shown, in what scale and in which colours."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QCoreApplication, Signal, Slot
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QToolButton, QWidget

from headscope.core.attention.lens import LENSES, WEIGHTS, Lens
from headscope.core.attention.ranks import RESOLUTION
from headscope.gui.paint.lens_words import lens_help, lens_name
from headscope.gui.views.heatmap.settings import HeatmapSettings
from headscope.gui.widgets.plain import plain


class HeatmapControls(QWidget):
    """Three menus. They ask for settings and show what they are given.

    Signals
    -------
    chosen(str, object)
        The user wants another value of this field of `HeatmapSettings`.
    lens_chosen(Lens)
        The user wants to see other numbers.
    """

    chosen = Signal(str, object)
    lens_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.scales = {
            "linear": (self.tr("Linear"), self.tr("Colour is proportional to the weight.")),
            "log": (self.tr("Logarithmic"), self.tr("Four powers of ten; the colour bar shows which.")),
            "row": (self.tr("Row by row"), self.tr("Each row spans the whole colour range.")),
            "rank": (self.tr("Rank in the head"), self.tr("Colour is the share of the head's cells with smaller values.")),
        }
        self.colors = {
            "plain": (self.tr("One hue"), self.tr("The theme's own; signed numbers are blue above 0 and orange below.")),
            "viridis": (self.tr("Viridis"), self.tr("Purple to yellow; signed numbers are green above 0 and purple below.")),
            "cividis": (self.tr("Cividis"), self.tr("Blue to yellow; signed numbers are blue above 0 and yellow below.")),
            "grey": (self.tr("Grey"), self.tr("For print.")),
        }
        self.scale, self.scale_actions = self._menu("scale", self.scales)
        self.color, self.color_actions = self._menu("color_map", self.colors)
        self.to_maximum = self._stretching()
        self._lens = WEIGHTS
        self.lens, self.lens_actions = self._lens_menu()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for button in (self.lens, self.scale, self.color):
            row.addWidget(button)
        self.show_settings(HeatmapSettings(), WEIGHTS)

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

    def _lens_menu(self) -> tuple[QToolButton, dict[str, QAction]]:
        button = QToolButton()
        button.setObjectName("flat")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        menu, actions = QMenu(button), {}
        menu.setToolTipsVisible(True)
        for lens in LENSES.values():
            action = menu.addAction(QCoreApplication.translate("lenses", lens.title), partial(self._choose_lens, lens))
            action.setToolTip(plain(lens_help(lens)))
            action.setCheckable(True)
            actions[lens.id] = action
        button.setMenu(menu)
        return button, actions

    def _choose_lens(self, lens: Lens) -> None:
        self._show_lens(self._lens)  # the check follows what is shown: there may be no such numbers
        self.lens_chosen.emit(lens)

    def _show_lens(self, lens: Lens) -> None:
        self._lens = lens
        for id_, action in self.lens_actions.items():
            action.setChecked(id_ == lens.id)
        words, name = self.tr("Numbers: {name}"), lens_name(lens)
        self.lens.setText(f"{name[:1].upper()}{name[1:]} ▾")
        self.lens.setToolTip(plain(lens_help(lens)))
        self.lens.setAccessibleName(words.format(name=name))

    def _stretching(self) -> QAction:
        menu = self.scale.menu()
        menu.addSeparator()
        action = menu.addAction(self.tr("Scale to this head's maximum"))
        action.setToolTip(self.tr("End the colours at this head's largest weight instead of at 1; values are unchanged"))
        action.setCheckable(True)
        action.triggered.connect(self._stretch)
        return action

    def show_settings(self, settings: HeatmapSettings, lens: Lens) -> None:
        """Show what is chosen, and what of it these numbers can have."""
        reasons = {
            "log": self.tr("These numbers may be negative, so they have no logarithm.") if lens.is_signed else "",
            "row": self.tr("These numbers may be negative, so rows cannot be scaled to a maximum.") if lens.is_signed else "",
        }
        for name, reason in reasons.items():
            self.scale_actions[name].setEnabled(not reason)
            self.scale_actions[name].setToolTip(plain(reason or self.scales[name][1]))
        self.to_maximum.setEnabled(lens.is_share)
        scale = settings.look(lens).scale
        self.scale_actions[scale].setChecked(True)
        self.color_actions[settings.color_map].setChecked(True)
        self.to_maximum.setChecked(settings.stretched)
        self._show_lens(lens)
        self._name(scale, settings.color_map)

    def tell_of(self, *, whole: bool) -> None:
        """Say what is not exact of a head that is not here as a whole."""
        rank, counted = (
            self.scales["rank"][1],
            self.tr("In a head this large, values less than {share:.2f}% apart count as equal."),
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
