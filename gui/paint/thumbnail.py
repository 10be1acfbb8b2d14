"""HeadLevels: the thumbnails of heads as numbers of a colour ramp, in the size they were last drawn in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.pooled import resized
from headscope.gui.paint.theme import Theme

Bytes = npt.NDArray[np.uint8]
Uints = npt.NDArray[np.uint32]
Indices = npt.NDArray[np.int_]


class HeadLevels:
    """Pictures of heads as numbers of a colour ramp.

    Parameters
    ----------
    shape : (n_layers, n_heads)
    pictures : float32 (n_layers, n_heads, height, width) or None
        Weights from 0 to 1; NaN where there is nothing yet.
    each_to_its_maximum : bool
        Scale each to its own largest weight instead of to 1.
    """

    def __init__(self, shape: tuple[int, int], pictures: FloatArray | None, *, each_to_its_maximum: bool) -> None:
        self.pictures = pictures
        self.known: npt.NDArray[np.bool_] = np.zeros(shape, bool)
        self._levels: Bytes = np.zeros((*shape, 1, 1), np.uint8)
        if pictures is not None:
            self.known = ~np.isnan(pictures[:, :, 0, 0])
            self._levels = _levels(pictures, each_to_its_maximum)
        self._sized: tuple[int, Bytes] = (0, self._levels)

    def colors(self, layers: Indices, heads: Indices, side: int, theme: Theme) -> Uints:
        """uint32 0xAARRGGBB (n, side, side): some of the pictures; a calm colour where there is nothing yet."""
        if self._sized[0] != side:
            self._sized = side, resized(resized(self._levels, side, 2), side, 3)
        colors = np.take(theme.ramp32(), self._sized[1][layers, heads])
        colors[~self.known[layers, heads]] = theme.color("soft").rgb()
        return colors

    def one(self, place: tuple[int, int], side: int, theme: Theme) -> Uints:
        """uint32 (side, side): one picture in a size of its own."""
        levels = resized(resized(self._levels[place], side, 0), side, 1)
        return np.take(theme.ramp32(), levels)


def _levels(pictures: FloatArray, each_to_its_maximum: bool) -> Bytes:
    """Weights as 0 to 255; NaN becomes 0."""
    weights = np.where(np.isnan(pictures), np.float32(0), pictures)
    if each_to_its_maximum:
        weights /= np.maximum(weights.max(axis=(2, 3), keepdims=True), np.finfo(np.float32).tiny)
    weights *= 255
    weights += 0.5
    return np.minimum(weights, 255).astype(np.uint8)
