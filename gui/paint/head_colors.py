"""Colours for many heads: the designed ones first, then others as far from all before them as there are, seen by the eye.

Distances are those of Oklab (Björn Ottosson, 2020), in which equal steps look equal; of colours that a screen can show only those
are taken that stand out from the ground.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
import numpy.typing as npt

MOST_COLORS = 32
"""So many heads have a colour of their own."""
_LIGHTNESS = {False: (0.36, 0.66), True: (0.58, 0.92)}  # of colours on light ground, on dark ground
_STEPS = 13
_CHROMA = np.linspace(0.03, 0.27, 9)
_HUES = np.radians(np.arange(0, 360, 6))
_TO_LMS = np.array([[0.4122214708, 0.5363325363, 0.0514459929], [0.2119034982, 0.6806995451, 0.1073969566],
                    [0.0883024619, 0.2817188376, 0.6299787005]])  # fmt: skip
_TO_LAB = np.array([[0.2104542553, 0.7936177850, -0.0040720468], [1.9779984951, -2.4285922050, 0.4505937099],
                    [0.0259040371, 0.7827717662, -0.8086757660]])  # fmt: skip

Colors = npt.NDArray[np.float64]


def oklab(colors: Sequence[str]) -> Colors:
    """(n, 3): lightness, green to red, blue to yellow of ``#RRGGBB``."""
    srgb = np.array([[int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)] for color in colors])
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return np.asarray(np.cbrt(linear @ _TO_LMS.T) @ _TO_LAB.T)


@cache
def more_colors(first: tuple[str, ...], *, dark: bool) -> tuple[str, ...]:
    """`first` and others, `MOST_COLORS` in all, as ``#RRGGBB``."""
    names = _candidates(*_LIGHTNESS[dark])
    places, chosen = oklab(names), list(first)
    nearest = np.min([np.linalg.norm(places - place, axis=1) for place in oklab(first)], axis=0)
    while len(chosen) < MOST_COLORS:
        best = int(np.argmax(nearest))
        chosen.append(names[best])
        nearest = np.minimum(nearest, np.linalg.norm(places - places[best], axis=1))
    return tuple(chosen)


def _candidates(darkest: float, lightest: float) -> list[str]:
    """Colours of all hues that a screen can show."""
    grid = np.meshgrid(np.linspace(darkest, lightest, _STEPS), _CHROMA, _HUES, indexing="ij")
    lightness, chroma, hue = (side.ravel() for side in grid)
    lab = np.stack([lightness, chroma * np.cos(hue), chroma * np.sin(hue)], axis=1)
    linear = (lab @ np.linalg.inv(_TO_LAB).T) ** 3 @ np.linalg.inv(_TO_LMS).T
    linear = linear[((linear >= 0) & (linear <= 1)).all(axis=1)]
    srgb = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return [f"#{r:02X}{g:02X}{b:02X}" for r, g, b in np.round(255 * srgb).astype(int).tolist()]
