"""PaintedFigure: a picture of a view as a figure, with a line that says what it is, and its colour scale."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QFont, QPaintEngine, QPainter

from headscope.gui.paint.figure import FigureOptions, good_size
from headscope.gui.paint.figure_title import paint_title, title_height
from headscope.gui.paint.labels import broken
from headscope.gui.paint.scale_line import LINE_HEIGHT, Scale, paint_scale_line
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme
from headscope.gui.paint.write import write

_LINE = 15.0
_VECTOR_DOTS = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class PaintedFigure:
    """A figure that is drawn by a function.

    Attributes
    ----------
    about : str
    natural : float
        How wide it is where there is a choice, in design units.
    height : callable
        What it needs at a width.
    draw : callable
        Draws it, given a painter, the width, the height and a theme; the picture begins at the painter's origin.
    heading : str
        A line above it, with the axis titles: what is shown, as the view's title says.
    scale : callable, optional
        What the colours mean, in a theme.
    """

    about: str
    natural: float
    height: Callable[[float], float]
    draw: Callable[[QPainter, float, float, Theme], Any]
    heading: str = ""
    scale: Callable[[Theme], Scale | None] | None = None

    @property
    def title(self) -> str:
        """As a `Figure`."""
        return self.about

    def size(self, options: FigureOptions) -> QSizeF:
        """As a `Figure`."""
        width = self.natural if options.width is None else options.width
        around = title_height(options, width) + len(self._headings(options, width)) * _LINE + self._below(options)
        return good_size(options, width, around + self.height(width))

    def paint_figure(self, painter: QPainter, area: QRectF, theme: Theme, options: FigureOptions, *, vector: bool) -> None:
        """As a `Figure`."""
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        area = paint_title(painter, area, theme, options)
        painter.setPen(theme.color("muted"))
        for line in self._headings(options, area.width()):
            write(
                painter,
                QRectF(area.left() + GRID, area.top(), area.width() - GRID, _LINE),
                line,
                SMALL_SIZE,
                QFont.Weight.Normal,
            )
            area.setTop(area.top() + _LINE)
        below = self._below(options)
        painter.save()
        painter.translate(area.topLeft())
        self.draw(painter, area.width(), area.height() - below, theme)
        painter.restore()
        if below and self.scale is not None:
            room = QRectF(area.left(), area.bottom() - below, area.width(), below)
            paint_scale_line(painter, room, theme, self.scale(theme))

    def _headings(self, options: FigureOptions, width: float) -> list[str]:
        return broken(self.heading, SMALL_SIZE, width) if options.axis_titles else []

    def _below(self, options: FigureOptions) -> float:
        return float(LINE_HEIGHT) if options.color_bar and self.scale is not None else 0.0


def bands(count: int, each: float, width: float) -> Iterator[range]:
    """What of a row of `count` things, `each` so wide, is drawn under one another where only `width` is there."""
    most = max(1, int(width // each))
    for first in range(0, count, most):
        yield range(first, min(first + most, count))


def n_bands(count: int, each: float, width: float) -> int:
    """How many `bands` there are."""
    return len(list(bands(count, each, width)))


def dots_of(painter: QPainter) -> float:
    """How many dots an image should have for a unit: those of the device, and of a file without dots enough to look sharp."""
    if painter.paintEngine().type() == QPaintEngine.Type.Raster:
        return max(1.0, painter.deviceTransform().m11())
    return _VECTOR_DOTS
