"""TypeLegend: what the colours of head types mean, in words, and how many heads there are of each; a click filters."""

from __future__ import annotations

from collections.abc import Set
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap, QResizeEvent
from PySide6.QtWidgets import QToolButton, QWidget

from headscope.core.analyse.records.head_types import HEAD_TYPES, HeadType
from headscope.gui.paint.theme import SMALL_SIZE, scaled, text_font, type_style
from headscope.gui.widgets.plain import Label, plain
from headscope.gui.widgets.wrapping_layout import WrappingLayout

_SWATCH = 8
_ROOMY = 300
"""Pixels from which on there is room for long words; in less they would take the pictures' height."""


class TypeLegend(QWidget):
    """Buttons in as many lines as they need; where there is room with what a head is over to be of a type.

    Signals
    -------
    toggled(HeadType)
    """

    toggled = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Head types"))
        layout = WrappingLayout(self)
        self.buttons: dict[HeadType, QToolButton] = {}
        self._words: dict[HeadType, tuple[str, str]] = {}  # short and long
        self._told: dict[HeadType, tuple[object, ...]] = {}  # of each, as it is shown
        for type_ in HEAD_TYPES:
            button = QToolButton(self)
            button.setObjectName("flat")
            button.setProperty("tight", True)
            button.setCheckable(True)
            button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
            button.setIconSize(QSize(_SWATCH, _SWATCH))
            button.clicked.connect(partial(self.toggled.emit, type_))
            button.hide()
            layout.addWidget(button)
            self.buttons[type_] = button
        self.note = Label(parent=self)
        self.note.setObjectName("muted")
        self.note.setContentsMargins(6, 4, 0, 4)  # as the buttons have it
        self.note.hide()
        layout.addWidget(self.note)

    def set_note(self, words: str, hint: str) -> None:
        """What else the marks show, behind the types."""
        self.note.setFont(text_font(SMALL_SIZE))
        self.note.setText(words)
        self.note.setToolTip(plain(hint))
        self.note.setVisible(bool(words))

    def set_type(self, type_: HeadType, words: str, rule: str, meaning: str, color: QColor, count: str, n_heads: int) -> None:
        """Tell of a type, what heads are over to be of it, and how many are; one that none of `n_heads` is of is not shown, unless
        heads are filtered by it.
        """
        button = self.buttons[type_]
        told = words, rule, meaning, color.rgba(), count, n_heads, button.isChecked(), self._is_roomy, type_style()
        if self._told.get(type_) == told:
            return
        self._told[type_] = told
        button.setFont(text_font(SMALL_SIZE))
        self._words[type_] = f" {words} · {count}", f" {words} {rule} · {count}" if rule else f" {words} · {count}"
        button.setText(self._words[type_][self._is_roomy])
        button.setToolTip(plain(meaning))
        button.setIcon(_swatch(color))
        button.setVisible(n_heads > 0 or button.isChecked())

    @property
    def _is_roomy(self) -> bool:
        return self.width() >= scaled(_ROOMY)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for type_, words in self._words.items():
            self.buttons[type_].setText(words[self._is_roomy])

    def set_chosen(self, types: Set[HeadType]) -> None:
        """Which types are let through; empty: all."""
        for type_, button in self.buttons.items():
            button.setChecked(type_ in types)


def _swatch(color: QColor) -> QIcon:
    pixmap = QPixmap(2 * _SWATCH, 2 * _SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.fillRect(pixmap.rect(), color)
    painter.end()
    return QIcon(pixmap)
