"""PooledMatrix: a matrix at any size, without ever losing its largest cells.

When several cells fall on one pixel, the pixel shows the largest of them (or the one furthest from 0, of a lens that says so). A nearest neighbour or a mean would hide thin
diagonals and single strong weights, which are what one looks for. Values are pooled, not colours: scales and colours can
then change without looking at the cells again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

from headscope.core.vocabulary import FloatArray

Numbers = TypeVar("Numbers", bound=np.generic)
Stronger = Callable[[Any, Any], Any]
"""Of each two numbers the one that a pixel shows."""


class PooledMatrix:
    """Values, and halved copies of them as they are needed.

    Parameters
    ----------
    values : float32, (n_rows, n_columns)
        No NaN; -inf where there is nothing.
    covers : QRectF, optional
        The cells that `values` are a picture of, if they are not the cells themselves.
    pixel : str
        As a `Lens` says: the "largest" of those under a pixel, or the one "furthest" from 0.
    """

    def __init__(
        self, values: FloatArray, covers: QRectF | None = None, pixel: Literal["largest", "furthest"] = "largest"
    ) -> None:
        self._stronger: Stronger = further if pixel == "furthest" else np.maximum
        self.covers = covers or QRectF(0, 0, values.shape[1], values.shape[0])
        self._levels: dict[tuple[int, int], FloatArray] = {(0, 0): values}
        self.shape: tuple[int, int] = (values.shape[0], values.shape[1])
        self._kept: tuple[object, FloatArray] | None = None

    def pixels(self, view: QRectF, width: float, height: float) -> tuple[FloatArray, QRectF]:
        """At least the cells in `view`, for a place of `width` × `height` pixels.

        Returns
        -------
        float32, (height, width)
            One number a cell, or as many as the place has pixels where cells are smaller.
        QRectF
            The cells they cover.
        """
        across, down = self.shape[1] / self.covers.width(), self.shape[0] / self.covers.height()
        left, top = self.covers.left(), self.covers.top()
        view = QRectF((view.left() - left) * across, (view.top() - top) * down, view.width() * across, view.height() * down)
        pixels, inside = self._pixels(view, width, height)
        covered = QRectF(
            left + inside.left() / across, top + inside.top() / down, inside.width() / across, inside.height() / down
        )
        return pixels, covered

    def _pixels(self, view: QRectF, width: float, height: float) -> tuple[FloatArray, QRectF]:
        """As `pixels`, in numbers of `values`."""
        halvings = _halvings(view.height() / max(1.0, height)), _halvings(view.width() / max(1.0, width))
        level = self._level(*halvings)
        rows, columns = 2 ** halvings[0], 2 ** halvings[1]
        first_row, first_column = max(0, int(view.top() // rows)), max(0, int(view.left() // columns))
        last_row = min(level.shape[0], int(-(-view.bottom() // rows)))
        last_column = min(level.shape[1], int(-(-view.right() // columns)))
        covered = QRectF(
            first_column * columns, first_row * rows, (last_column - first_column) * columns, (last_row - first_row) * rows
        )
        # No more pixels than the place has, or the painter, who takes the nearest, would leave some out.
        most_rows = int(max(1.0, height * covered.height() / view.height()))
        most_columns = int(max(1.0, width * covered.width() / view.width()))
        key = (halvings, covered.getRect(), most_rows, most_columns)
        if self._kept is None or self._kept[0] != key:
            block = level[first_row:last_row, first_column:last_column]
            block = resized(block, min(most_rows, block.shape[0]), 0, self._stronger)
            block = resized(block, min(most_columns, block.shape[1]), 1, self._stronger)
            self._kept = key, block
        return self._kept[1], covered

    def cells(self, rows: range, columns: range) -> FloatArray:
        """The values of a block."""
        return self._levels[0, 0][rows.start : rows.stop, columns.start : columns.stop]

    def _level(self, row_halvings: int, column_halvings: int) -> FloatArray:
        key = (row_halvings, column_halvings)
        if key not in self._levels:
            if column_halvings:
                self._levels[key] = _halved(self._level(row_halvings, column_halvings - 1), 1, self._stronger)
            else:
                self._levels[key] = _halved(self._level(row_halvings - 1, 0), 0, self._stronger)
        return self._levels[key]


def further(one: Any, other: Any) -> Any:
    """Of each two numbers the one that is further from 0; -inf is none."""
    return np.where(_distance(other) > _distance(one), other, one)


def _distance(values: Any) -> Any:
    return np.where(np.isneginf(values), np.float32(-1), np.abs(values))


def resized(values: npt.NDArray[Numbers], size: int, axis: int, stronger: Stronger = np.maximum) -> npt.NDArray[Numbers]:
    """`values` with `size` pixels along `axis`: the strongest of those that fall together, so that no line is lost."""
    count = values.shape[axis]
    if size == count:
        return values
    first, after = np.arange(size) * count // size, np.arange(1, size + 1) * count // size
    out: npt.NDArray[Numbers] = np.take(values, first, axis=axis)
    for more in range(1, int((after - first).max(initial=0))):
        others = np.take(values, np.minimum(first + more, after - 1), axis=axis)
        if stronger is np.maximum:
            np.maximum(out, others, out=out)
        else:
            out = stronger(out, others)
    return out


def _halvings(cells_per_pixel: float) -> int:
    return max(0, int(np.floor(np.log2(max(1.0, cells_per_pixel)))))


def _halved(level: FloatArray, axis: int, stronger: Stronger) -> FloatArray:
    """The stronger of each two rows, or columns."""
    count = level.shape[axis]
    if axis == 0:
        even: FloatArray = stronger(level[0 : count - 1 : 2], level[1::2])
        last = level[count - 1 :]
    else:
        even = stronger(level[:, 0 : count - 1 : 2], level[:, 1::2])
        last = level[:, count - 1 :]
    return np.concatenate((even, last), axis) if count % 2 else even
