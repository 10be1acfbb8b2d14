"""PooledMatrix: a matrix as an image that never loses a bright cell, at any size.

When several cells fall on one pixel, the pixel shows the largest of them. A nearest neighbour or a mean would hide thin
diagonals and single strong weights, which are what one looks for.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage

from headscope.core.jobs import FloatArray

Bytes = npt.NDArray[np.uint8]
_BLOCK_ROWS = 32  # what is quantised at a time stays in the cache


class PooledMatrix:
    """Weights as indices 0 to 255 of a colour ramp, and halved copies of them as they are needed.

    Parameters
    ----------
    weights : float32, (n_rows, n_columns)
    largest : float
        The weight that gets the ramp's last colour.
    covers : QRectF, optional
        The cells that `weights` are a picture of, if they are not the cells themselves.
    """

    def __init__(self, weights: FloatArray, largest: float = 1.0, covers: QRectF | None = None) -> None:
        self.covers = covers or QRectF(0, 0, weights.shape[1], weights.shape[0])
        self._levels: dict[tuple[int, int], Bytes] = {(0, 0): _quantised(weights, largest)}
        self.shape: tuple[int, int] = (weights.shape[0], weights.shape[1])
        self._kept: tuple[object, QImage, npt.NDArray[np.uint32]] | None = None

    def image(self, view: QRectF, width: float, height: float, ramp32: npt.NDArray[np.uint32]) -> tuple[QImage, QRectF]:
        """An image of at least the cells in `view`, for a place of `width` × `height` pixels.

        Returns
        -------
        QImage
            One pixel a cell, or as many pixels as the place has where cells are smaller.
        QRectF
            The cells it covers.
        """
        across, down = self.shape[1] / self.covers.width(), self.shape[0] / self.covers.height()
        left, top = self.covers.left(), self.covers.top()
        view = QRectF((view.left() - left) * across, (view.top() - top) * down, view.width() * across, view.height() * down)
        image, inside = self._image(view, width, height, ramp32)
        covered = QRectF(
            left + inside.left() / across, top + inside.top() / down, inside.width() / across, inside.height() / down
        )
        return image, covered

    def _image(self, view: QRectF, width: float, height: float, ramp32: npt.NDArray[np.uint32]) -> tuple[QImage, QRectF]:
        """As `image`, in numbers of `weights`."""
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
        key = (halvings, covered.getRect(), most_rows, most_columns, ramp32.tobytes())
        if self._kept is None or self._kept[0] != key:
            block = level[first_row:last_row, first_column:last_column]
            block = resized(resized(block, min(most_rows, block.shape[0]), 0), min(most_columns, block.shape[1]), 1)
            pixels = np.take(ramp32, block, mode="clip")
            image = QImage(pixels.data, pixels.shape[1], pixels.shape[0], pixels.shape[1] * 4, QImage.Format.Format_RGB32)
            self._kept = key, image, pixels  # the image only borrows the array
        return self._kept[1], covered

    def indices(self, rows: range, columns: range) -> Bytes:
        """Ramp indices of a block of cells."""
        return self._levels[0, 0][rows.start : rows.stop, columns.start : columns.stop]

    def _level(self, row_halvings: int, column_halvings: int) -> Bytes:
        key = (row_halvings, column_halvings)
        if key not in self._levels:
            if row_halvings:
                self._levels[key] = _halved(self._level(row_halvings - 1, column_halvings))
            else:
                self._levels[key] = _halved(self._level(0, column_halvings - 1).T).T
        return self._levels[key]


def resized(levels: Bytes, size: int, axis: int) -> Bytes:
    """`levels` with `size` pixels along `axis`: repeated, or the largest of those that fall together: no line is lost."""
    count = levels.shape[axis]
    first, after = np.arange(size) * count // size, np.arange(1, size + 1) * count // size
    out: Bytes = np.take(levels, first, axis=axis)
    for more in range(1, int((after - first).max(initial=0))):
        np.maximum(out, np.take(levels, np.minimum(first + more, after - 1), axis=axis), out=out)
    return out


def _halvings(cells_per_pixel: float) -> int:
    return max(0, int(np.floor(np.log2(max(1.0, cells_per_pixel)))))


def _quantised(weights: FloatArray, largest: float) -> Bytes:
    out = np.empty(weights.shape, np.uint8)
    factor = np.float32(255 / largest if largest > 0 else 0)
    for start in range(0, len(weights), _BLOCK_ROWS):
        block = weights[start : start + _BLOCK_ROWS] * factor
        np.clip(np.rint(block, out=block), 0, 255, out=block)
        out[start : start + _BLOCK_ROWS] = block
    return out


def _halved(level: Bytes) -> Bytes:
    """The larger of each two rows."""
    if level.shape[0] % 2:
        level = np.pad(level, ((0, 1), (0, 0)))
    return np.maximum(level[0::2], level[1::2])
