"""A head's map as a picture: plain numbers, ready to be painted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from headscope.core.vocabulary import FloatArray

IntArray = npt.NDArray[np.int32]
Pooling = Literal["max", "mean"]
"""What a pixel that covers several cells shows; of lenses that say so the maximum is what is furthest from 0."""
FAINTEST: Final = 0.5 / 255
"""A weight under this changes no pixel: a softmax row has at most 510 others."""
Strong = tuple[IntArray, IntArray, FloatArray]
"""Queries, keys and weights, row by row."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadOverview:
    """What is shown of a head whose matrix is too large to be sent whole: its weights, or what a lens shows of it.

    Attributes
    ----------
    shape : (n_queries, n_keys)
    picture : float32, (height, width)
        Each pixel the maximum of the cells it covers; NaN where a lens has no number for any of them.
    row_picture : float32, (height, width)
        The same of cells divided by the largest of their row; of signed numbers as `picture`.
    received : float32, (n_keys,)
        Mean weight that each key receives.
    given : float32, (n_queries,)
        What each query's weights sum to.
    strong : Strong
        Every weight of at least `FAINTEST`; through another lens the numbers that are furthest from 0. None if not `exact`.
    exact : bool
        False: of some rows alone, while the others are computed.
    faintest : float
        All that are further from 0 are among `strong`, or, of weights, as far.
    """

    shape: tuple[int, int]
    picture: FloatArray
    row_picture: FloatArray
    received: FloatArray
    given: FloatArray
    strong: Strong
    exact: bool
    faintest: float = FAINTEST

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return sum(array.nbytes for array in (self.picture, self.row_picture, self.received, self.given, *self.strong))

    def row(self, query: int) -> FloatArray:
        """(n_keys,), what is not among `strong` as 0."""
        queries, keys, weights = self.strong
        found = slice(*np.searchsorted(queries, (query, query + 1)))
        row = np.zeros(self.shape[1], np.float32)
        row[keys[found]] = weights[found]
        return row

    def column(self, key: int) -> FloatArray:
        """(n_queries,), what is not among `strong` as 0."""
        queries, keys, weights = self.strong
        found = keys == key
        column = np.zeros(self.shape[0], np.float32)
        column[queries[found]] = weights[found]
        return column


HeadMap = FloatArray | HeadOverview
"""The weights (n_queries, n_keys) of a head, or what stands for them."""


Side = Literal["query", "key"]
