"""TypeLegend: what the colours of head types mean, in words, and how many heads there are of each; a click filters."""

from __future__ import annotations

from collections.abc import Set
from functools import partial

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPixmap
from PySide6.QtWidgets import QToolButton, QWidget

from headscope.core.analyse.records.head_types import HEAD_TYPES, HeadType
from headscope.gui.paint.theme import SMALL_SIZE, text_font
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.wrapping_layout import WrappingLayout

_SWATCH = 8


class TypeLegend(QWidget):
    """Buttons in as many lines as they need.

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

    def set_type(self, type_: HeadType, words: str, meaning: str, color: QColor, count: int) -> None:
        """Tell of a type; one that no head is of is not shown, unless heads are filtered by it."""
        button = self.buttons[type_]
        button.setFont(text_font(SMALL_SIZE))
        button.setText(f" {words} {count}")
        button.setToolTip(plain(meaning))
        button.setIcon(_swatch(color))
        button.setVisible(count > 0 or button.isChecked())

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
