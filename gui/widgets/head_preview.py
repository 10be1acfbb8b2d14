"""HeadPreview: a head's name, larger picture and numbers, beside the grid, where it covers none of its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, scaled, text_font, theme_of

SIDE = 160
"""Pixels of the picture."""
_WIDTH = SIDE + 40
_LINE = 24
_SMALL_LINE = 16


@dataclass(frozen=True)
class HeadDetails:
    """What is told of a head.

    Attributes
    ----------
    title : str
        What kind of head it is; empty if that is not known.
    color : QColor or None
        Of that kind.
    lines : sequence of (name, value)
        What was measured of it.
    """

    title: str = ""
    color: QColor | None = None
    lines: Sequence[tuple[str, str]] = ()


class HeadPreview(QWidget):
    """A head's name, larger picture and numbers."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.name = ""
        self.details = HeadDetails()
        self._picture: QImage | None = None
        self._theme = theme_of(dark=False)

    def show_head(self, name: str, details: HeadDetails, picture: QImage | None, theme: Theme, beside: QRect) -> None:
        """Show a head right of `beside` (global pixels), or left of it where the screen ends, as high as its upper edge."""
        self.name, self.details, self._picture, self._theme = name, details, picture, theme
        height = scaled(_LINE) * (2 if details.title else 1) + (SIDE + 2 * GRID if picture is not None else 0)
        self.resize(scaled(_WIDTH) + 4 * GRID, height + len(details.lines) * scaled(_SMALL_LINE) + 3 * GRID)
        room = self.screen().availableGeometry()
        x = beside.right() + 2 * GRID
        if x + self.width() > room.right():
            x = beside.left() - 2 * GRID - self.width()
        self.move(x, max(room.top(), min(beside.top(), room.bottom() - self.height())))
        self.show()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("panel"))
        painter.setPen(self._theme.color("line"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.setPen(self._theme.color("text"))
        painter.setFont(text_font())
        line = QRect(2 * GRID, GRID, scaled(_WIDTH), scaled(_LINE))
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.name)
        if self.details.title:
            line.translate(0, scaled(_LINE))
            self._paint_title(painter, line)
        bottom = line.bottom() + 1 + GRID
        if self._picture is not None:
            painter.drawImage(QRect(2 * GRID + (scaled(_WIDTH) - SIDE) // 2, bottom, SIDE, SIDE), self._picture)
            bottom += SIDE + GRID
        self._paint_lines(painter, bottom)

    def _paint_title(self, painter: QPainter, line: QRect) -> None:
        if self.details.color is not None:
            side = 2 * GRID
            painter.fillRect(QRect(line.left(), line.center().y() - side // 2 + 1, side, side), self.details.color)
            line = line.adjusted(3 * GRID, 0, 0, 0)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.details.title)

    def _paint_lines(self, painter: QPainter, top: int) -> None:
        painter.setFont(text_font(SMALL_SIZE, tabular=True))
        for number, (name, value) in enumerate(self.details.lines):
            line = QRect(2 * GRID, top + number * scaled(_SMALL_LINE), scaled(_WIDTH), scaled(_SMALL_LINE))
            painter.setPen(self._theme.color("muted"))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, name)
            painter.setPen(self._theme.color("text"))
            painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, value)
