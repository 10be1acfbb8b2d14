"""Colour maps of the heatmap: each rises evenly in lightness and can be told apart by colour-blind eyes.

Maps of signed numbers diverge from a neutral colour at 0. Where cells are hidden from their queries, index 0 is a colour for them.
"""

from __future__ import annotations

from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from headscope.gui.paint.theme import Palette, Theme, theme_of

COLOR_MAPS: Final = ("plain", "viridis", "cividis", "grey")
"""The theme's own hue, two that are known from papers, and one for print."""
Palette32 = npt.NDArray[np.uint32]

_SEQUENCES: Final = {
    "viridis": "440154 470d60 48186a 482374 472d7b 453781 424086 3e4989 3b528b 375b8d 33638d 2f6b8e 2c728e 297a8e 26828e 23898e 21918c 1f978b 1f9f88 21a685 27ad81 31b57b 3dbc74 4cc26c 5cc863 6ece58 81d34d 95d840 aadc32 c0df25 d5e21a eae51a fde725",
    "cividis": "00204d 00265a 002c69 00306f 06366e 1f3c6d 2d426c 38486b 414d6b 4a536b 52596c 595f6d 61646f 686a71 6f7073 767676 7d7c78 848179 8b8779 938e78 9b9477 a39a76 aca174 b4a872 bcaf6f c5b56c cebc68 d7c463 e0cb5e e9d358 f2da50 fbe248 ffea46",
}
"""van der Walt and Smith 2015; Nuñez, Anderton and Renslow 2018: every eighth colour."""
_GREYS: Final = {False: "fafafa 111111", True: "1b1f26 f5f5f5"}
_HIDDEN: Final = {False: "d6dae1", True: "14171c"}
_HIDDEN_WEIGHT: Final = {
    ("plain", False): "dcdad6", ("plain", True): "3b424e", ("viridis", True): "3b424e", ("cividis", True): "3b424e",
    ("grey", False): "ecdcb4", ("grey", True): "54432e",
}  # fmt: skip
"""In maps of weights, where the other is too near to one of their colours."""
_DIVERGING: Final = {
    # strongly negative, negative, zero, positive, strongly positive
    ("plain", False): "7f3b08 e08214 f4f5f7 4393c3 053061",
    ("plain", True): "ffd9a0 c9761d 2c3442 3f8fd0 c6e6ff",
    ("viridis", False): "40004b 9970ab f4f5f7 5aae61 00441b",
    ("viridis", True): "e7c9f5 9364ad 2c3442 4fa85a cdf5c4",
    ("cividis", False): "5a4a00 b39b3a f4f5f7 6b83b5 14306b",
    ("cividis", True): "fff0a8 a8923a 2c3442 5f7fc4 cfdcff",
}


def color_table(name: str, theme: Theme, *, diverging: bool = False, hides: bool = False) -> Palette:
    """The colours of a map, (256, 3) uint8, weakest first.

    If it `hides` cells, as every diverging one does, index 0 is their colour, and the weakest is at 1; zero of a diverging one is at 128.
    """
    return _table(name, theme.dark, diverging, hides)


def palette32(name: str, theme: Theme, *, diverging: bool = False, hides: bool = False) -> Palette32:
    """`color_table` as opaque 0xAARRGGBB values."""
    r, g, b = color_table(name, theme, diverging=diverging, hides=hides).astype(np.uint32).T
    return np.asarray(0xFF000000 | (r << 16) | (g << 8) | b, dtype=np.uint32)


@cache
def _table(name: str, dark: bool, diverging: bool, hides: bool) -> Palette:
    if diverging:
        signed = _between(_DIVERGING.get((name, dark), _GREYS[dark]), 255)
        return np.vstack([_between(_HIDDEN[dark], 1), signed])
    if hides:
        weights = _table(name, dark, False, False)[np.rint(np.linspace(0, 255, 255)).astype(int)]
        return np.vstack([_between(_HIDDEN_WEIGHT.get((name, dark), _HIDDEN[dark]), 1), weights])
    if name == "plain":
        return theme_of(dark).ramp
    return _between(_SEQUENCES.get(name, _GREYS[dark]), 256)


def _between(stops: str, count: int) -> Palette:
    """`count` colours through evenly spaced ones."""
    colors = np.array([list(bytes.fromhex(stop)) for stop in stops.split()], np.float64)
    at, places = np.linspace(0, 1, count), np.linspace(0, 1, len(colors))
    found: Palette = np.rint(np.stack([np.interp(at, places, channel) for channel in colors.T], axis=1)).astype(np.uint8)
    return found
