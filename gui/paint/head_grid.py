"""HeadGridPicture: a small picture of every head, layers down, heads across, all in one image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QImage, QPainter, QPen

from headscope.core.jobs import FloatArray, Head
from headscope.gui.paint.pooled import Bytes, resized
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, text_font

LEAST_CELL, MOST_CELL = 14.0, 96.0
"""Pixels a head's picture may be wide."""
_ROOMY = 28.0  # pictures from here on have wider gaps
_TOP = 20.0  # the heads' numbers


@dataclass(frozen=True, slots=True)
class GridLayout:
    """Where everything lies.

    Attributes
    ----------
    area : QRectF
        What can be seen.
    corner : QPointF
        Upper left corner of head (0, 0); above and left of `area` when scrolled.
    side, gap : float
        Width and height of a head's picture; from one to the next.
    cells : QRectF
        The part of `area` where heads are: the rest is numbers.
    n_layers, n_heads : int
    """

    area: QRectF
    corner: QPointF
    side: float
    gap: float
    cells: QRectF
    n_layers: int
    n_heads: int

    @property
    def step(self) -> float:
        """From one head to the next."""
        return self.side + self.gap

    @property
    def width(self) -> float:
        """Of the whole grid, numbers included."""
        return self.cells.left() - self.area.left() + self.n_heads * self.step + GRID

    @property
    def height(self) -> float:
        """Of the whole grid, numbers included."""
        return self.cells.top() - self.area.top() + self.n_layers * self.step + GRID

    def box(self, head: Head) -> QRectF:
        """The box of a head's picture."""
        return QRectF(self.corner.x() + head[1] * self.step, self.corner.y() + head[0] * self.step, self.side, self.side)

    def head_at(self, point: QPointF) -> Head | None:
        """The head at `point` (a gap belongs to the head before it), or None."""
        if not self.cells.contains(point):
            return None
        layer = int((point.y() - self.corner.y()) // self.step)
        head = int((point.x() - self.corner.x()) // self.step)
        return (layer, head) if 0 <= layer < self.n_layers and 0 <= head < self.n_heads else None


class HeadGridPicture:
    """Thumbnails of all heads.

    Parameters
    ----------
    n_layers, n_heads : int
    thumbnails : float32 (n_layers, n_heads, height, width), optional
        Weights from 0 to 1; NaN where there is nothing yet.
    each_to_its_maximum : bool
        Scale each head to its own largest weight instead of to 1.
    """

    def __init__(
        self, n_layers: int, n_heads: int, thumbnails: FloatArray | None = None, *, each_to_its_maximum: bool = False
    ) -> None:
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.known: npt.NDArray[np.bool_] = np.zeros((n_layers, n_heads), bool)
        self._levels: Bytes = np.zeros((n_layers, n_heads, 1, 1), np.uint8)
        if thumbnails is not None:
            self.known = ~np.isnan(thumbnails[:, :, 0, 0])
            self._levels = _levels(thumbnails, each_to_its_maximum)
        self._atlas: tuple[tuple[int, int, bool], QImage] | None = None

    def layout(self, area: QRectF, scroll: QPointF | None = None) -> GridLayout:
        """Lay out as large as fits into `area`, no smaller than `LEAST_CELL`; scrolled by so many pixels."""
        digits = QFontMetricsF(text_font(SMALL_SIZE)).horizontalAdvance(str(max(0, self.n_layers - 1)))
        cells = area.adjusted(ceil(digits) + 4 * GRID, _TOP, 0, 0)
        across, down = (cells.width() - GRID) // max(1, self.n_heads), (cells.height() - GRID) // max(1, self.n_layers)
        step = min(across, down)
        if step < LEAST_CELL:  # it has to be scrolled anyway: large enough to be read
            step = min(max(across, down), _ROOMY)
        gap = float(GRID if step >= _ROOMY + GRID else GRID // 2)
        side = min(max(step - gap, LEAST_CELL), MOST_CELL)
        corner = cells.topLeft() - (scroll or QPointF())
        return GridLayout(area, corner, side, gap, cells, self.n_layers, self.n_heads)

    # ---------------------------------------------------------------- drawing
    def paint(
        self,
        painter: QPainter,
        layout: GridLayout,
        theme: Theme,
        *,
        selected: Head | None = None,
        colors: Mapping[Head, int] | None = None,
        hover: Head | None = None,
        cursor: Head | None = None,
    ) -> None:
        """Draw the grid.

        Parameters
        ----------
        selected : (layer, head), optional
            Has a thick frame and its numbers set off.
        colors : mapping of (layer, head) to int, optional
            Which of the theme's head colours frames each head that is looked at.
        hover, cursor : (layer, head), optional
            Under the mouse; where the keyboard is.
        """
        painter.fillRect(layout.area, theme.color("panel"))
        self._paint_numbers(painter, layout, theme, selected, hover)
        painter.save()
        painter.setClipRect(layout.cells.adjusted(-GRID, -GRID, 0, 0))
        self._paint_atlas(painter, layout, theme)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if hover is not None:
            _frame(painter, layout.box(hover), QPen(theme.color("muted"), 1))
        for head, number in (colors or {}).items():
            _frame(painter, layout.box(head), QPen(theme.head_color(number), 3 if head == selected else 2))
        if cursor is not None:
            _frame(painter, layout.box(cursor).adjusted(-3, -3, 3, 3), QPen(theme.color("text"), 1))
        painter.restore()

    def _paint_atlas(self, painter: QPainter, layout: GridLayout, theme: Theme) -> None:
        ratio = painter.device().devicePixelRatioF()
        image = self.atlas(round(layout.side * ratio), round(layout.gap * ratio), theme)
        size = QSizeF(layout.step * self.n_heads, layout.step * self.n_layers)
        painter.drawImage(QRectF(layout.corner - QPointF(1, 1) / ratio, size), image)

    def _paint_numbers(
        self, painter: QPainter, layout: GridLayout, theme: Theme, selected: Head | None, hover: Head | None
    ) -> None:
        plain, strong = text_font(SMALL_SIZE), text_font(SMALL_SIZE, QFont.Weight.DemiBold)
        painter.save()
        for axis, count in ((0, self.n_layers), (1, self.n_heads)):
            painter.setClipRect(_numbers_strip(layout, axis))
            for i in range(count):
                marked = selected is not None and selected[axis] == i
                pointed = hover is not None and hover[axis] == i
                painter.setFont(strong if marked else plain)
                painter.setPen(theme.color("accent" if marked else "text" if pointed else "muted"))
                painter.drawText(_number_box(layout, axis, i), Qt.AlignmentFlag.AlignCenter, str(i))
        painter.restore()

    def atlas(self, side: int, gap: int, theme: Theme) -> QImage:
        """All heads in one image, `side` pixels each, each in a thin frame; made once for each size and look."""
        wanted = (side, gap, theme.dark)
        if self._atlas is None or self._atlas[0] != wanted:
            self._atlas = (wanted, self._make_atlas(side, gap, theme))
        return self._atlas[1]

    def _make_atlas(self, side: int, gap: int, theme: Theme) -> QImage:
        step = side + gap
        pixels = np.full((self.n_layers, step, self.n_heads, step), theme.color("panel").rgb(), np.uint32)
        pixels[:, : side + 2, :, : side + 2] = theme.color("line").rgb()
        levels = resized(resized(self._levels, side, 2), side, 3)
        colors = np.take(theme.ramp32(), levels)
        colors[~self.known] = theme.color("soft").rgb()
        pixels[:, 1 : side + 1, :, 1 : side + 1] = colors.transpose(0, 2, 1, 3)
        height, width = self.n_layers * step, self.n_heads * step
        return QImage(pixels.data, width, height, 4 * width, QImage.Format.Format_RGB32).copy()  # the array goes away

    def one(self, head: Head, side: int, theme: Theme) -> QImage | None:
        """One head as large as wanted, or None where there is nothing yet."""
        if not self.known[head]:
            return None
        alone = HeadGridPicture(1, 1)
        alone.known = self.known[head][None, None]
        alone._levels = self._levels[head][None, None]
        return alone.atlas(side, 2, theme).copy(1, 1, side, side)


def _levels(thumbnails: FloatArray, each_to_its_maximum: bool) -> Bytes:
    """Weights as 0 to 255; NaN becomes 0."""
    weights = np.where(np.isnan(thumbnails), np.float32(0), thumbnails)
    if each_to_its_maximum:
        weights /= np.maximum(weights.max(axis=(2, 3), keepdims=True), np.finfo(np.float32).tiny)
    weights *= 255
    weights += 0.5
    return np.minimum(weights, 255).astype(np.uint8)


def _frame(painter: QPainter, box: QRectF, pen: QPen) -> None:
    """A frame around a picture, none of whose pixels it covers."""
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    painter.setPen(pen)
    outside = pen.widthF() / 2
    painter.drawRoundedRect(box.adjusted(-outside, -outside, outside, outside), 2, 2)


def _numbers_strip(layout: GridLayout, axis: int) -> QRectF:
    """Where the layers' (axis 0) or the heads' (axis 1) numbers stand, which do not scroll away."""
    area, cells = layout.area, layout.cells
    if axis == 0:
        return QRectF(area.left(), cells.top(), cells.left() - area.left(), cells.height())
    return QRectF(cells.left() - GRID, area.top(), cells.width() + GRID, cells.top() - area.top())


def _number_box(layout: GridLayout, axis: int, number: int) -> QRectF:
    strip = _numbers_strip(layout, axis)
    if axis == 0:
        return QRectF(strip.left(), layout.corner.y() + number * layout.step, strip.width() - GRID, layout.side)
    return QRectF(layout.corner.x() + number * layout.step - layout.gap / 2, strip.top(), layout.step, strip.height() - GRID)
