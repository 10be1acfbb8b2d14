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
        return QSize(max(min(self._width, 120), scaled(100)), scaled(30))

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.text = ""
        self.style().drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option, painter, self)
        area = self.rect().adjusted(_MARGIN, 0, -_MARGIN, 0)
        colors = colors_of(self)
        muted, strong = colors.color(QPalette.ColorRole.PlaceholderText), colors.color(QPalette.ColorRole.ButtonText)
        room, text = self._fitted()
        painter.setFont(text_font(SMALL_SIZE + 1))
        painter.setPen(muted)
        if room.left() > area.left():
            painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self._name)
        painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, "▾")
        painter.setFont(text_font())
        painter.setPen(strong if self.isEnabled() else muted)
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    @property
    def elided(self) -> str:
        """What is seen of the value."""
        return self._fitted()[1]

    def _fitted(self) -> tuple[QRect, str]:
        """Where the value stands, and what of it: in the place of the name too, if it needs that more."""
        area = self.rect().adjusted(_MARGIN, 0, -_MARGIN - _ARROW, 0)
        metrics, used = QFontMetrics(text_font()), QFontMetrics(text_font(SMALL_SIZE + 1)).horizontalAdvance(self._name) + _GAP
        room = area.adjusted(used, 0, 0, 0)
        if self._value and metrics.horizontalAdvance(self._value) > room.width():
            room = area  # the tool tip and readers know the name
        return room, metrics.elidedText(self._value, Qt.TextElideMode.ElideMiddle, room.width())
