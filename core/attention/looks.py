"""Rows and columns of many heads: what tokens look at, and who looks at them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Cancel, FloatArray, Job
from headscope.core.token_jobs import Looks, LooksRequest

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_BLOCK_BYTES: Final = 8 << 20
"""Weights that are there at one time: a column needs every row."""


def looks(request: LooksRequest, job: Job | None = None) -> Looks:
    """The rows of some queries, or the columns of some keys, summed, of each head.

    Parameters
    ----------
    request : LooksRequest
    job : Job, optional
        Its cancel is looked at for each row, and for each block of a column's.

    Returns
    -------
    Looks
        Of one position exactly the weights of `AttentionRecord.attention_weights`.

    Raises
    ------
    HeadscopeError
        ``unknown_kind``, ``no_such_head``, ``layer_not_kept``, ``no_such_position``.
    Cancelled
    """
    axes = request.record.axis(request.kind)
    own, other = (axes.queries, axes.keys) if request.side == "query" else (axes.keys, axes.queries)
    for position in request.positions:
        if not 0 <= position < len(own):
            raise HeadscopeError("no_such_position", position=position, last=len(own) - 1)
    sums = np.zeros((len(request.heads), len(other)), np.float32)
    add = _add_rows if request.side == "query" else _add_columns
    at = 0
    for layer, of_layer in groupby(request.heads, key=lambda head: head[0]):
        heads = [head for _, head in of_layer]
        add(request, layer, heads, sums[at : at + len(heads)], (job or Job()).cancel)
        at += len(heads)
    return Looks(request, sums)


def _add_rows(request: LooksRequest, layer: int, heads: list[int], sums: FloatArray, cancel: Cancel) -> None:
    for query in request.positions:
        cancel.check()
        for at, rows in _of_heads(request, layer, heads, slice(query, query + 1)):
            sums[at] += rows[..., 0, :]


def _add_columns(request: LooksRequest, layer: int, heads: list[int], sums: FloatArray, cancel: Cancel) -> None:
    n_queries, keys = sums.shape[1], list(request.positions)
    at_once = max(1, _BLOCK_BYTES // (4 * len(heads) * len(request.record.axis(request.kind).keys)))
    for start in range(0, n_queries, at_once):
        cancel.check()
        block = slice(start, min(start + at_once, n_queries))
        for at, rows in _of_heads(request, layer, heads, block):
            sums[at, block] += rows[..., keys].sum(axis=-1)


def _of_heads(request: LooksRequest, layer: int, heads: list[int], rows: slice) -> Iterator[tuple[slice | int, FloatArray]]:
    """All heads of a layer together, which costs little more than one, or those that are asked for one by one."""
    record: AttentionRecord = request.record
    if heads == list(range(record.n_heads(request.kind))):
        yield slice(None), record.layer_weights(layer, request.kind, rows)
        return
    for at, head in enumerate(heads):
        yield at, record.attention_weights(layer, head, request.kind, rows)
