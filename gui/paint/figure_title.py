"""The title of a figure, above everything, the same in all of them."""

from __future__ import annotations

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QPainter

from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.labels import broken, elided
from headscope.gui.paint.theme import TEXT_SIZE, Theme
from headscope.gui.paint.write import CENTER, write

_LINE = 18.0
_BOLD = QFont.Weight.DemiBold


def title_lines(options: FigureOptions, width: float) -> list[str]:
    """The title, broken between words into lines of at most `width` units."""
    return broken(options.title, TEXT_SIZE, width, _BOLD)


def title_height(options: FigureOptions, width: float) -> float:
    """What the title takes above a figure of `width`."""
    return len(title_lines(options, width)) * _LINE


def paint_title(painter: QPainter, area: QRectF, theme: Theme, options: FigureOptions) -> QRectF:
    """Write it at the top of `area`; what is left of that."""
    painter.setPen(theme.color("text"))
    for number, line in enumerate(title_lines(options, area.width())):
        box = QRectF(area.left(), area.top() + number * _LINE, area.width(), _LINE - 2)
        write(painter, box, elided(line, TEXT_SIZE, _BOLD, area.width()), TEXT_SIZE, _BOLD, side=CENTER)
    return area.adjusted(0, title_height(options, area.width()), 0, 0)
