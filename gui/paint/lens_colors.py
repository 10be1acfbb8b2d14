"""LensColors: the numbers of a lens as colours, where a picture has one scale: thumbnails, rows and columns of heads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PySide6.QtGui import QColor

from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.color_maps import Palette32, color_table, palette32
from headscope.gui.paint.pooled import Stronger
from headscope.gui.paint.scale_line import Scale, number_text
from headscope.gui.paint.theme import Theme

Bytes = npt.NDArray[np.uint8]
_ZERO = 128
"""Which of 256 colours is that of 0, where they diverge; 0 is that of cells without a number."""


@dataclass(frozen=True, slots=True)
class LensColors:
    """A linear scale of 256 colours: from 0, or of signed numbers as far below 0 as above.

    Attributes
    ----------
    lens : Lens
    largest : float
        What has the strongest colour.
    """

    lens: Lens = WEIGHTS
    largest: float = 1.0

    @property
    def _first(self) -> int:
        return int(self.lens.is_signed or self.lens.hides)

    def levels(self, values: FloatArray) -> Bytes:
        """Which of the colours each number has; what is none (NaN, -inf) has the first."""
        first, steps = self._first, 255 - self._first
        largest = np.float32(self.largest or 1.0)
        scaled = (
            values * (np.float32(steps / 2) / largest) + np.float32(steps / 2)
            if self.lens.is_signed
            else values * (steps / largest)
        )
        known = np.isfinite(scaled)
        found = np.clip(np.where(known, scaled, 0) + np.float32(0.5), 0, steps).astype(np.uint8) + np.uint8(first)
        return np.where(known, found, np.uint8(0))

    @property
    def stronger(self) -> Stronger:
        """Of each two levels the one that a pixel shows."""
        return _further if self.lens.pixel == "furthest" else np.maximum

    def palette(self, theme: Theme) -> Palette32:
        """The colours, 0xAARRGGBB."""
        if self.lens.is_share:
            return theme.ramp32()
        return palette32("plain", theme, diverging=self.lens.is_signed, hides=self.lens.hides)

    def scale(self, theme: Theme) -> Scale:
        """What the colours mean."""
        table = theme.ramp if self.lens.is_share else color_table("plain", theme, diverging=self.lens.is_signed)
        colors = [QColor(*(int(part) for part in color)) for color in table[self._first :: 51 - self._first]]
        largest = number_text(self.largest, 4 if self.lens.is_share else 2)
        return Scale(colors, largest, f"-{largest}" if self.lens.is_signed else "0")


def largest_in(values: FloatArray, lens: Lens) -> float:
    """The number that is furthest from 0; of weights the largest."""
    known = values[np.isfinite(values)]
    return float((known if lens.is_share else np.abs(known)).max(initial=0.0))


def _further(one: Any, other: Any) -> Any:
    return np.where(_distance(other) > _distance(one), other, one)


def _distance(levels: Bytes) -> npt.NDArray[np.int16]:
    """Of colours from that of 0; what has no number is nearest."""
    return np.where(levels == 0, np.int16(-1), np.abs(levels.astype(np.int16) - _ZERO))
