"""HeadLevels: the thumbnails of heads as numbers of a colour ramp, in the size they were last drawn in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.lens_colors import LensColors, largest_in
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
        What the lens shows; NaN where there is nothing yet, -inf where it has no number.
    each_to_its_maximum : bool
        Scale each to its own largest number instead of to 1, or to the largest of all.
    lens : Lens
    """

    def __init__(
        self, shape: tuple[int, int], pictures: FloatArray | None, *, each_to_its_maximum: bool, lens: Lens = WEIGHTS
    ) -> None:
        self.pictures = pictures
        self.scale = LensColors(lens)
        self.known: npt.NDArray[np.bool_] = np.zeros(shape, bool)
        self._levels: Bytes = np.zeros((*shape, 1, 1), np.uint8)
        if pictures is not None:
            self.known = ~np.isnan(pictures[:, :, 0, 0])
            if not lens.is_share:
                self.scale = LensColors(lens, largest_in(pictures, lens))
            self._levels = _levels(pictures, each_to_its_maximum, self.scale)
        self._sized: tuple[int, Bytes] = (0, self._levels)

    def colors(self, layers: Indices, heads: Indices, side: int, theme: Theme) -> Uints:
        """uint32 0xAARRGGBB (n, side, side): some of the pictures; a calm colour where there is nothing yet."""
        if self._sized[0] != side:
            self._sized = side, self._resized(self._resized(self._levels, side, 2), side, 3)
        colors = np.take(self.scale.palette(theme), self._sized[1][layers, heads])
        colors[~self.known[layers, heads]] = theme.color("soft").rgb()
        return colors

    def one(self, place: tuple[int, int], side: int, theme: Theme) -> Uints:
        """uint32 (side, side): one picture in a size of its own."""
        levels = self._resized(self._resized(self._levels[place], side, 0), side, 1)
        return np.take(self.scale.palette(theme), levels)

    def _resized(self, levels: Bytes, side: int, axis: int) -> Bytes:
        return resized(levels, side, axis, self.scale.stronger)


def _levels(pictures: FloatArray, each_to_its_maximum: bool, scale: LensColors) -> Bytes:
    """Numbers as 0 to 255; NaN becomes 0."""
    if not scale.lens.is_share:
        if not each_to_its_maximum:
            return scale.levels(pictures)
        most = np.where(np.isfinite(pictures), np.abs(pictures), 0).max(axis=(2, 3), keepdims=True)
        return LensColors(scale.lens).levels(pictures / np.maximum(most, np.finfo(np.float32).tiny))
    weights = np.where(np.isnan(pictures), np.float32(0), pictures)
    if each_to_its_maximum:
        weights /= np.maximum(weights.max(axis=(2, 3), keepdims=True), np.finfo(np.float32).tiny)
    weights *= 255
    weights += 0.5
    return np.minimum(weights, 255).astype(np.uint8)
