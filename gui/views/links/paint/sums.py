"""Rows and columns of a head, summed over several tokens; what has no number counts as 0."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from headscope.core.attention.head_map import HeadMap, HeadOverview
from headscope.core.vocabulary import FloatArray


def row_sum(weights: HeadMap, queries: Sequence[int]) -> FloatArray:
    """What some queries give each key."""
    if isinstance(weights, HeadOverview):
        return np.asarray(np.sum([weights.row(query) for query in queries], axis=0))
    return np.asarray(np.nan_to_num(weights[list(queries)]).sum(axis=0))


def column_sum(weights: HeadMap, keys: Sequence[int]) -> FloatArray:
    """What each query gives some keys."""
    if isinstance(weights, HeadOverview):
        return np.asarray(np.sum([weights.column(key) for key in keys], axis=0))
    return np.asarray(np.nan_to_num(weights[:, list(keys)]).sum(axis=1))
