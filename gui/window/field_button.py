"""FieldButton: a button that opens a menu and shows, beside its quiet name, what is chosen."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPalette
from PySide6.QtWidgets import QMenu, QStyle, QStyleOptionToolButton, QToolButton, QWidget

from headscope.gui.paint.theme import SMALL_SIZE, scaled, text_font
from headscope.gui.widgets.colors import colors_of
from headscope.gui.widgets.plain import plain

_MARGIN, _GAP, _ARROW = 12, 8, 12


class FieldButton(QToolButton):
    """``Model  toy:grammar ▾``.

    Parameters
    ----------
    name : str
        What is chosen here.
    width : int
        Pixels; a longer value is elided in the middle.
    """

    def __init__(self, name: str, width: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name = name
        self._value = ""
        self._width = width
        self.setAccessibleName(name)
        self.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMenu(QMenu(self))

    def set_value(self, value: str, hint: str = "") -> None:
        """Show what is chosen; `hint` is its tool tip."""
        self._value = value
        self.setToolTip(plain(hint))
        self.setAccessibleDescription(value)
        self.update()

    @property
    def value(self) -> str:
        """What is chosen, as shown."""
        return self._value

    def sizeHint(self) -> QSize:
        return QSize(scaled(self._width), scaled(30))

    def minimumSizeHint(self) -> QSize:
        return QSize(min(self._width, 120), scaled(30))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        self.style().drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)
        area = self.rect().adjusted(_MARGIN, 0, -_MARGIN, 0)
        colors = colors_of(self)
        muted, strong = colors.color(QPalette.ColorRole.PlaceholderText), colors.color(QPalette.ColorRole.ButtonText)
        small, font = text_font(SMALL_SIZE + 1), text_font()
        used = QFontMetrics(small).horizontalAdvance(self._name) + _GAP
        painter.setFont(small)
        painter.setPen(muted)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._name)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, "▾")
        room = QRect(area.left() + used, area.top(), area.width() - used - _ARROW, area.height())
        painter.setFont(font)
        painter.setPen(strong if self.isEnabled() else muted)
        text = QFontMetrics(font).elidedText(self._value, Qt.TextElideMode.ElideMiddle, room.width())
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
