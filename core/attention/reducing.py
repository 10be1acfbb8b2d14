"""Maxima and sums of runs of neighbouring cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor

from headscope.core.view_jobs import Pooling


def reduced(weights: Tensor, bounds: Sequence[int], dim: int, how: Pooling) -> Tensor:
    """The maximum or the sum of the runs between neighbouring `bounds` along a dimension; no run is empty."""
    sizes = [after - before for before, after in pairwise(bounds)]
    longest = max(sizes)
    if longest == 1:
        return weights.narrow(dim, bounds[0], len(sizes))
    if len(sizes) <= longest:
        runs = [_over(weights.narrow(dim, at, size), dim, how) for at, size in zip(bounds, sizes, strict=False)]
        return torch.stack(runs, dim)
    if min(sizes) == longest:
        whole = weights.narrow(dim, bounds[0], longest * len(sizes))
        return _over(whole.reshape(*whole.shape[:dim], len(sizes), longest, *whole.shape[dim + 1 :]), dim + 1, how)
    return _stepwise(weights, torch.tensor(bounds, device=weights.device), longest, dim, how)


def _over(weights: Tensor, dim: int, how: Pooling) -> Tensor:
    return weights.amax(dim) if how == "max" else weights.sum(dim)


def _stepwise(weights: Tensor, bounds: Tensor, longest: int, dim: int, how: Pooling) -> Tensor:
    """The first cell of each of many short runs, then the second of each, and so on."""
    starts, last = bounds[:-1], bounds[1:] - 1
    total = weights.index_select(dim, starts)
    for step in range(1, longest):
        cells = weights.index_select(dim, torch.minimum(starts + step, last))
        if how == "max":
            torch.maximum(total, cells, out=total)
        else:
            there = starts + step <= last
            total += cells * (there[:, None] if dim == 1 else there)
    return total
