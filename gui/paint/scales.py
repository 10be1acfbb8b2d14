"""How numbers become places on the colour bar: linear, logarithmic, each row to its own maximum, by rank.

All of them are monotone, so that the maximum of the cells under a pixel stays the one that is shown.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from PySide6.QtCore import QCoreApplication

from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.attention.ranks import RESOLUTION
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.lens_words import largest_of, lens_name

ScaleName = Literal["linear", "log", "row", "rank"]
_DECADES = 4
"""Of a logarithmic bar."""


_BELOW: Final = 1e-3
"""What is less than this share of the lowest number of a logarithmic bar is at the same place below it."""


@dataclass(frozen=True, slots=True)
class Look:
    """How a heatmap is coloured.

    Attributes
    ----------
    scale : ScaleName
        "row": each row to its own maximum; "rank": by the share of the head's cells with smaller values.
    stretched : bool
        The bar ends at the head's largest weight instead of at 1; numbers that have no such end do so always.
    ends : (low, high)
        Where on the bar the first and the last colour are, from 0 to 1.
    color_map : str
        One of `COLOR_MAPS`.
    """

    scale: ScaleName = "linear"
    stretched: bool = False
    ends: tuple[float, float] = (0.0, 1.0)
    color_map: str = "plain"


LINEAR: Final = Look()
"""In proportion to the weight, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Bar:
    """What stands at the ends of the colour bar: places on it are from 0 to 1."""

    scale: ScaleName
    low: float
    high: float
    lens: Lens = WEIGHTS
    counted: bool = False
    """Ranks were counted in bins: values that are about equal count as equal."""

    def places(self, values: FloatArray) -> FloatArray:
        """Where `values` (shares with "row" and "rank") stand; below 0 and above 1 what the bar does not reach."""
        if self.scale == "log":
            least = np.float32(
                self.low * _BELOW
            )  # 0 lies below the bar, as all small weights do; only hidden cells have no place
            decades: FloatArray = np.log(np.maximum(values, least) * np.float32(1 / self.low))
            decades[np.isneginf(values)] = -np.inf
            return decades * np.float32(1 / math.log(self.high / self.low))
        if self.low == 0:
            return values * np.float32(1 / self.high) if self.high != 1 else values
        return (values - np.float32(self.low)) * np.float32(1 / (self.high - self.low))

    def value_at(self, place: float) -> float:
        """What stands at a place."""
        if self.scale == "log":
            return float(self.low * (self.high / self.low) ** place)
        return self.low + place * (self.high - self.low)

    def words_at(self, place: float) -> str:
        """`value_at` as it is written beside the bar."""
        value = self.value_at(place)
        if self.scale in ("row", "rank"):
            return f"{100 * value:.0f}%"
        if self.scale == "log":
            return f"{'≤ ' if place <= 0 else ''}{value:.2g}"
        if self.lens.is_signed:
            return f"{value:+.2f}" if value else "0"
        return f"{value:.{2 if self.high >= 0.1 else 4}f}"

    @property
    def ticks(self) -> tuple[float, ...]:
        """Places that are worth a number."""
        return (0.0, 0.25, 0.5, 0.75, 1.0)

    def words(self, *, stretched: bool) -> str:
        """Under the bar: what its numbers are, in short lines."""
        translate = QCoreApplication.translate
        if self.scale == "row":
            return translate("Heatmap", "of each row's\nmaximum")
        if self.scale == "rank":
            words = translate("Heatmap", "rank: share of\ncells below")
            within = translate("Heatmap", "(to {share:.2f}%)").format(share=100 * RESOLUTION)
            return f"{words}\n{within}" if self.counted else words
        lines = [] if self.lens.is_share else [lens_name(self.lens)]
        if self.scale == "log":
            lines.append(translate("Heatmap", "logarithmic"))
        if stretched and self.lens.is_share:
            lines.append(translate("Heatmap", "this head's\nmaximum"))
        return "\n".join(lines)


def written(value: float) -> str:
    """A number of a cell or of a bar: four decimals, or three digits of what is smaller."""
    return f"{value:.4f}" if value == 0 or abs(value) >= 0.001 else f"{value:.2e}"


def bar_of(look: Look, largest: float, lens: Lens = WEIGHTS, *, counted: bool = False) -> Bar:
    """The bar for cells whose largest absolute value is `largest`; of signed numbers it is the same on both sides of 0."""
    if look.scale in ("row", "rank"):
        return Bar(look.scale, 0.0, 1.0, lens, counted)
    if lens.is_signed:
        return Bar("linear", -(largest or 1.0), largest or 1.0, lens)
    high = (largest or 1.0) if look.stretched else largest_of(lens, largest)
    return Bar(look.scale, high * 10.0**-_DECADES if look.scale == "log" else 0.0, high, lens)


def indices(places: FloatArray, ends: tuple[float, float], first: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """Places as colours `first` to 255 with the ends moved there; what is not a number, and -inf, is 0."""
    low, high = ends
    if (low, high) != (0.0, 1.0):
        places = (places - np.float32(low)) * np.float32(1 / max(high - low, 1e-6))
    scaled = places * np.float32(255 - first)
    np.rint(scaled, out=scaled)
    np.clip(scaled, 0, 255 - first, out=scaled)
    if not first:
        return scaled.astype(np.uint8)
    found = (scaled + first).astype(np.uint8)
    found[~np.isfinite(places)] = 0
    return found
