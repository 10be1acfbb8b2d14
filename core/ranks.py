"""Ranks of many values, quickly enough for a screen."""

from __future__ import annotations

import numpy as np

from headscope.core.jobs import FloatArray

_STEPS = 255
"""As many as there are colours."""


def shares_below(values: FloatArray) -> FloatArray:
    """The share of values that are smaller, in steps of 1/255: float32 like `values`, 0 to 1; NaN stays NaN and counts for nothing.

    Equal values have equal shares, and a larger value never has a smaller share.
    """
    known = np.sort(values[~np.isnan(values)])
    if not known.size:
        return values
    edges = known[np.arange(_STEPS + 1) * (known.size - 1) // _STEPS]
    shares = np.searchsorted(edges, values.ravel()).reshape(values.shape).astype(np.float32) / _STEPS
    shares[np.isnan(values)] = np.nan
    return np.minimum(shares, 1)


def rank(values: FloatArray, value: float) -> tuple[int, int]:
    """The place of a value among all, 1 for the largest, and how many there are: exact; equals share the best place."""
    return 1 + int(np.count_nonzero(values > value)), int(np.count_nonzero(~np.isnan(values)))
