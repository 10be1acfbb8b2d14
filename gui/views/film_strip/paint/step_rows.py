"""StepRowsPicture: what each head of a layer looked at when a token was chosen: a row for each head, a column for each key."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPainter, QPen

from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.labels import elided, stride, text_width
from headscope.gui.paint.lens_colors import LensColors, largest_in
from headscope.gui.paint.lens_words import largest_of, short_number
from headscope.gui.paint.pooled import Stronger, further, resized
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, scaled, text_font

_NUMBERS = 6.0 * GRID
"""Left, for the heads' numbers."""
_STRONGEST, _LEAST_FOR_STRONGEST = 34.0 * GRID, 80.0 * GRID
"""Right, for each head's strongest key; only in pictures that are wide enough."""
_AXIS = 4.0 * GRID
_LEAST_FOR_AXIS = 18.0 * GRID
_READABLE = 3.0 * GRID
"""Pixels a row must be high to have words."""
_MOST_ROW = 6.0 * GRID
_LABEL_ROOM = 12.0 * GRID


class StepRowsPicture:
    """Rows of one step.

    Parameters
    ----------
    weights : float32, (n_heads, n_keys)
        What the lens shows; NaN where it has no number.
    keys : TokenAxis
    lens : Lens
    """

    def __init__(self, weights: FloatArray, keys: TokenAxis, lens: Lens = WEIGHTS) -> None:
        self.weights = weights
        self.keys = keys
        self.lens = lens
        self.labels = keys.labels
        self._known = np.where(np.isnan(weights), np.float32(-np.inf), weights)
        self._colors = LensColors(lens, largest_of(lens, largest_in(weights, lens)))
        self._stronger: Stronger = further if lens.pixel == "furthest" else np.maximum
        self._order = np.abs(np.nan_to_num(weights)) if lens.pixel == "furthest" else self._known
        self._strongest = self._order.argmax(axis=1) if weights.shape[1] else np.zeros(len(weights), int)

    @property
    def n_heads(self) -> int:
        return len(self.weights)

    def cells(self, area: QRectF) -> QRectF:
        """Where the weights lie in `area`."""
        right = scaled(_STRONGEST) if area.width() >= scaled(_LEAST_FOR_STRONGEST) else 0.0
        bottom = scaled(_AXIS) if area.height() >= scaled(_LEAST_FOR_AXIS) else 0.0
        height = min(area.height() - bottom, self.n_heads * scaled(_MOST_ROW))
        return QRectF(
            area.left() + scaled(_NUMBERS), area.top(), max(1.0, area.width() - scaled(_NUMBERS) - right), max(1.0, height)
        )

    def cell_at(self, area: QRectF, point: QPointF) -> tuple[int, int | None] | None:
        """The head at `point`, and the key if it is among the weights; of keys that share a pixel the one most looked at."""
        cells = self.cells(area)
        if not (cells.top() <= point.y() < cells.bottom() and area.left() <= point.x() < area.right()):
            return None
        head = min(int((point.y() - cells.top()) / cells.height() * self.n_heads), self.n_heads - 1)
        if point.x() < cells.left():
            return head, None
        if point.x() >= cells.right():
            return head, int(self._strongest[head])
        n_keys = self.weights.shape[1]
        starts = np.append(_starts(n_keys, cells.width()), n_keys)
        pixel = min(int((point.x() - cells.left()) / cells.width() * (len(starts) - 1)), len(starts) - 2)
        first, after = int(starts[pixel]), int(starts[pixel + 1])
        return head, first + int(self._order[head, first:after].argmax())

    def words(self, head: int, key: int) -> str:
        """A number as it is written here."""
        value = float(self.weights[head, key])
        return readable_probability(value) if self.lens.is_share else short_number(value, self.lens)

    def paint(self, painter: QPainter, area: QRectF, theme: Theme, *, head: int, key: int | None) -> None:
        """Paint into `area`; `head` is the one that is looked at, `key` the one in focus."""
        cells, n_keys = self.cells(area), self.weights.shape[1]
        across, down = cells.width() / n_keys, cells.height() / self.n_heads
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        self._paint_weights(painter, cells, theme)
        if down >= 2 * GRID:
            painter.setPen(QPen(theme.color("panel"), 1))
            painter.drawLines(
                [QPointF(x, cells.top() + row * down) for row in range(1, self.n_heads) for x in (cells.left(), cells.right())]
            )
        self._paint_words(painter, area, cells, theme, head)
        if area.height() > cells.height() + scaled(_AXIS) - 1 and area.height() >= scaled(_LEAST_FOR_AXIS):
            self._paint_axis(painter, cells, theme, key)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if key is not None and key < n_keys:
            painter.setPen(QPen(theme.color("accent"), 1))
            painter.drawRect(QRectF(cells.left() + key * across, cells.top(), max(2.0, across), cells.height()))
        if 0 <= head < self.n_heads:
            painter.setPen(QPen(theme.color("query"), 1.5))
            painter.drawRect(
                QRectF(cells.left(), cells.top() + head * down, cells.width(), down).adjusted(0.5, 0.5, -0.5, -0.5)
            )

    def _paint_weights(self, painter: QPainter, cells: QRectF, theme: Theme) -> None:
        """A pixel that several weights fall on shows the largest of them."""
        down, across = len(_starts(self.n_heads, cells.height())), len(_starts(self.weights.shape[1], cells.width()))
        pooled = resized(resized(self._known, down, 0, self._stronger), across, 1, self._stronger)
        pixels = np.take(self._colors.palette(theme), self._colors.levels(pooled))
        height, width = pixels.shape
        painter.drawImage(cells, QImage(pixels.data, width, height, width * 4, QImage.Format.Format_RGB32))

    def _paint_words(self, painter: QPainter, area: QRectF, cells: QRectF, theme: Theme, looked: int) -> None:
        """Each head's number, and at the right the key it looked at most, with the weight."""
        down = cells.height() / self.n_heads
        middle, every = Qt.AlignmentFlag.AlignVCenter, stride(down, scaled(_READABLE))
        for head in range(0, self.n_heads, every):
            weight = QFont.Weight.DemiBold if head == looked else QFont.Weight.Normal
            painter.setFont(text_font(SMALL_SIZE, weight, tabular=True))
            painter.setPen(theme.color("query" if head == looked else "muted"))
            line = QRectF(area.left(), cells.top() + head * down, scaled(_NUMBERS) - GRID, max(down, scaled(_READABLE)))
            painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, str(head))
            if cells.right() + GRID > area.right() or every > 1:
                continue
            key = int(self._strongest[head])
            number = self.words(head, key)
            line = QRectF(cells.right() + 2 * GRID, line.top(), scaled(_STRONGEST) - 3 * GRID, line.height())
            painter.setPen(theme.color("muted"))
            painter.drawText(line, middle | Qt.AlignmentFlag.AlignRight, number)
            painter.setPen(theme.color("text"))
            room = line.width() - text_width("<0.000 ", SMALL_SIZE)
            painter.drawText(line, middle | Qt.AlignmentFlag.AlignLeft, elided(self.labels[key], SMALL_SIZE, weight, room))

    def _paint_axis(self, painter: QPainter, cells: QRectF, theme: Theme, focus: int | None) -> None:
        """As many of the keys as there is room for, under their columns."""
        n_keys = self.weights.shape[1]
        across = cells.width() / n_keys
        every = stride(across, scaled(_LABEL_ROOM))
        for key in range(0, n_keys, every):
            room = every * across - GRID
            painter.setFont(text_font(SMALL_SIZE))
            painter.setPen(theme.color("accent" if key == focus else "muted"))
            shown = elided(self.labels[key], SMALL_SIZE, QFont.Weight.Normal, room)
            line = QRectF(cells.left() + key * across, cells.bottom(), room, scaled(_AXIS))
            if line.left() + text_width(shown, SMALL_SIZE) <= cells.right() + 1:
                painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


def _starts(count: int, pixels: float) -> npt.NDArray[np.intp]:
    """The first of the cells that fall on each pixel; a pixel for each cell where there is room."""
    n_pixels = min(count, max(1, int(pixels)))
    return np.arange(n_pixels) * count // n_pixels
