"""What the screen shows of a head whose matrix would be too large to keep: a picture, the strong weights, what each key receives."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

import numpy as np
import torch
from torch import Tensor

from headscope.core.attention.head_map import FAINTEST, HeadOverview, Strong
from headscope.core.attention.kept.layer import Layer
from headscope.core.attention.maps.pooling import PooledPicture, edges, relative_to_rows
from headscope.core.job import Cancel

LARGE_CELLS: Final = 1 << 21
"""Maps of more cells than this (1,448 × 1,448) are not sent to the screen as a whole: in a frame the GUI thread can pool no more."""
_MOST_STRONG: Final = 1 << 17
"""Numbers through another lens than weights that are kept one by one; more lines than that nobody can see."""
_SAMPLED_ROWS: Final = 384
"""Of a first picture: as many as are computed while nobody notices a wait."""


@torch.inference_mode()
def overview(layer: Layer, *, batch: int, head: int, size: int, cancel: Cancel) -> HeadOverview:
    """One pass over all the weights of a head, a block of rows at a time.

    Parameters
    ----------
    size : int
        Pixels along a side that the picture may have.

    Raises
    ------
    Cancelled
        Between two blocks.
    """
    return _overview(layer, layer.shape[1], batch=batch, head=head, size=size, cancel=cancel)


@torch.inference_mode()
def first_overview(layer: Layer, *, batch: int, head: int, size: int, cancel: Cancel) -> HeadOverview | None:
    """An overview at once, of rows that are spread evenly over the text and shown in the place of those between them.

    Returns
    -------
    HeadOverview or None
        Not `exact`, and without its strong weights; None where the rows cannot be had alone.
    """
    n_queries = layer.shape[1]
    bounds = edges(n_queries, min(_SAMPLED_ROWS, n_queries))
    sample = layer.thinned([(start + stop) // 2 for start, stop in pairwise(bounds)])
    return None if sample is None else _overview(sample, n_queries, batch=batch, head=head, size=size, cancel=cancel)


def _overview(layer: Layer, n_queries: int, *, batch: int, head: int, size: int, cancel: Cancel) -> HeadOverview:
    _, n_rows, n_keys = layer.shape
    exact, lens = n_rows == n_queries, layer.seen_through
    rows, keys = range(n_rows), range(n_keys)
    picture, row_picture = (PooledPicture(rows, keys, min(size, n_rows), min(size, n_keys), "max", lens=lens) for _ in range(2))
    received, given = np.zeros(n_keys, np.float64), np.zeros(n_rows, np.float32)
    strong = _StrongWeights() if lens.is_share else _Furthest()
    for block in layer.row_blocks(rows=rows, head=head):
        cancel.check()
        weights = layer.weights(block, batch=batch, head=head)
        picture.add(block, weights)
        if not lens.is_signed:
            row_picture.add(block, relative_to_rows(weights))
        summed = weights[0].where(weights[0] > -math.inf, 0) if lens.hides else weights[0]
        given[block.start : block.stop] = summed.sum(-1).cpu().numpy()
        received[: weights.shape[-1]] += summed.sum(0).cpu().numpy()
        if exact:
            strong.add(weights[0], block.start)
    whole = picture.finished()[0]
    return HeadOverview(
        shape=(n_queries, n_keys),
        picture=whole,
        row_picture=whole if lens.is_signed else row_picture.finished()[0],
        received=(received / n_rows).astype(np.float32),
        given=given if exact else np.repeat(given, np.diff(edges(n_queries, n_rows))),
        strong=strong.found(),
        exact=exact,
        faintest=strong.faintest,
    )


class _StrongWeights:
    """All weights that change a pixel."""

    faintest = FAINTEST

    def __init__(self) -> None:
        self._parts: list[Strong] = []

    def add(self, weights: Tensor, first_row: int) -> None:
        self._parts.append(_strong(weights, first_row))

    def found(self) -> Strong:
        return _joined(self._parts)


class _Furthest:
    """The numbers that are furthest from 0, so many."""

    def __init__(self) -> None:
        self.faintest = 0.0
        self._found = _joined([])

    def add(self, values: Tensor, first_row: int) -> None:
        query, key = ((values.abs() > self.faintest) & (values > -math.inf)).nonzero(as_tuple=True)
        found = values[query, key]
        if len(found) > _MOST_STRONG:  # of one block there may be very many
            kept = found.abs().topk(_MOST_STRONG).indices.sort().values
            self.faintest = max(self.faintest, float(found[kept].abs().min()))
            query, key, found = query[kept], key[kept], found[kept]
        part = (query + first_row).int().cpu().numpy(), key.int().cpu().numpy(), found.cpu().numpy()
        self._found = _joined([self._found, part])
        if len(self._found[2]) > 2 * _MOST_STRONG:
            self._drop()

    def found(self) -> Strong:
        if len(self._found[2]) > _MOST_STRONG:
            self._drop()
        return self._found

    def _drop(self) -> None:
        far = np.abs(self._found[2])
        kept = np.sort(np.argpartition(far, -_MOST_STRONG)[-_MOST_STRONG:])
        query, key, value = self._found
        self._found = query[kept], key[kept], value[kept]
        self.faintest = max(self.faintest, float(far[kept].min()))


def _strong(weights: Tensor, first_row: int) -> Strong:
    if weights.device.type == "cpu":  # where numpy finds them in a third of the time
        cells = weights.numpy()
        queries, keys = np.divmod(np.flatnonzero(cells >= FAINTEST), cells.shape[1])
        return (queries + first_row).astype(np.int32), keys.astype(np.int32), cells[queries, keys]
    query, key = (weights >= FAINTEST).nonzero(as_tuple=True)
    found = weights[query, key]
    return (query + first_row).int().cpu().numpy(), key.int().cpu().numpy(), found.cpu().numpy()


def _joined(parts: list[Strong]) -> Strong:
    if not parts:
        return np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
    query, key, weight = (np.concatenate(column) for column in zip(*parts, strict=True))
    return query, key, weight
