"""Ranks of many values, quickly enough for a screen: of those that are here as a whole, and of those that are only seen in passing."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from headscope.core.vocabulary import FloatArray

_STEPS = 255
"""As many as there are colours."""
DROPPED_BITS: Final = 12
"""Of a float32's 32: the others number the bins of a `RankTable`."""
BINS: Final = 1 << (32 - DROPPED_BITS)
RESOLUTION: Final = 2.0 ** (DROPPED_BITS - 23)
"""Values of a bin differ by less than this share of them: 0.05 %."""


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


@dataclass(frozen=True, slots=True, eq=False)
class RankTable:
    """Ranks among values that are too many to be kept: they were counted in bins, in the order of their size.

    Values of one bin, which differ by less than `RESOLUTION`, count as equal.

    Attributes
    ----------
    below : int64, (BINS + 1,)
        How many values are in the bins before each; the last is how many there are.
    """

    below: npt.NDArray[np.int64]
    _shares: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        shares = (self.below[:-1] / max(1, self.count)).astype(np.float32)
        least, most = _bins(np.array([-np.inf, np.inf], np.float32))
        shares[:least] = shares[most + 1 :] = np.nan  # behind what is infinite lies what is no number
        shares[least] = -np.inf
        object.__setattr__(self, "_shares", shares)

    @classmethod
    def of_counts(cls, counts: npt.NDArray[np.int64]) -> RankTable:
        """From how many values there are in each bin: int64 (BINS,)."""
        return cls(np.concatenate(([0], np.cumsum(counts))))

    @property
    def count(self) -> int:
        """How many values were counted."""
        return int(self.below[-1])

    def shares(self, values: FloatArray) -> FloatArray:
        """The share of all that are in smaller bins: float32 like `values`, 0 to 1; NaN and -inf stay."""
        shares: FloatArray = self._shares[_bins(values)]
        return shares

    def rank(self, value: float) -> tuple[int, int]:
        """The best and the worst place that a value may have among all, 1 for the largest."""
        bin_ = int(_bins(np.array([value], np.float32))[0])
        best = self.count - int(self.below[bin_ + 1]) + 1
        return best, max(best, self.count - int(self.below[bin_]))


def _bins(values: FloatArray) -> npt.NDArray[np.int32]:
    """The bin of each value. The bits of a float32 are in the order of its size; of negative ones in the opposite order."""
    bits = (values + np.float32(0)).view(np.int32)  # -0 becomes 0
    return ((bits ^ ((bits >> 31) & 0x7FFFFFFF)) >> DROPPED_BITS) + BINS // 2
