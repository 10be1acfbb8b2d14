"""Maxima and sums of runs of neighbouring cells."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.attention.head_map import Pooling


def reduced(weights: Tensor, bounds: Sequence[int], dim: int, how: Pooling) -> Tensor:
    """The maximum or the sum of the runs between neighbouring `bounds` along a dimension; no run is empty."""
    sizes = [after - before for before, after in pairwise(bounds)]
    longest = max(sizes)
    if longest == 1:
        return weights.narrow(dim, bounds[0], len(sizes))
    if len(sizes) <= longest:
        runs = [_over(weights.narrow(dim, at, size), dim, how) for at, size in zip(bounds, sizes, strict=False)]
        return torch.stack(runs, dim)
    shortest = min(sizes[:-1])  # the last is cut off where a block ends
    if how == "max" and dim == weights.dim() - 1 and longest <= 2 * shortest:
        return _in_windows(weights, bounds, shortest)
    if min(sizes) == longest:
        whole = weights.narrow(dim, bounds[0], longest * len(sizes))
        return _over(whole.reshape(*whole.shape[:dim], len(sizes), longest, *whole.shape[dim + 1 :]), dim + 1, how)
    return _stepwise(weights, torch.tensor(bounds, device=weights.device), longest, dim, how)


def _over(weights: Tensor, dim: int, how: Pooling) -> Tensor:
    return weights.amax(dim) if how == "max" else weights.sum(dim)


def _in_windows(weights: Tensor, bounds: Sequence[int], size: int) -> Tensor:
    """Maxima along the last dimension of runs of `size` to twice as many cells: the larger of their first and last `size`."""
    n_runs = len(bounds) - 1 if bounds[-1] - bounds[-2] >= size else len(bounds) - 2
    end = bounds[n_runs]
    if end - bounds[0] == n_runs * size:
        maxima = F.max_pool1d(weights[..., bounds[0] : end], size)
    else:
        windows = F.max_pool1d(weights[..., :end], size, stride=1)
        edges = torch.tensor(bounds[: n_runs + 1], device=weights.device)
        maxima = windows.index_select(-1, edges[:-1])
        torch.maximum(maxima, windows.index_select(-1, edges[1:] - size), out=maxima)
    if n_runs == len(bounds) - 1:
        return maxima
    return torch.cat((maxima, weights[..., end : bounds[-1]].amax(-1, keepdim=True)), -1)


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
