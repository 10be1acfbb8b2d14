"""Rows and columns of many heads: what tokens attend to, and what attends to them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np

from headscope.core.attention.head_map import Side
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Job
from headscope.core.vocabulary import FloatArray, Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_BLOCK_BYTES: Final = 8 << 20
"""Weights that are there at one time: a column needs every row."""


def looks(
    record: AttentionRecord, kind: Kind, heads: Sequence[Head], positions: Sequence[int], side: Side, job: Job | None = None
) -> FloatArray:
    """The rows of some queries, or the columns of some keys, summed, of each head.

    Parameters
    ----------
    record : AttentionRecord
    kind : Kind
    heads : sequence of (layer, head)
    positions : sequence of int
        Summed over.
    side : Side
        What `positions` are: of queries, what they look at; of keys, who looks at them (all rows are computed, block by block).
    job : Job, optional
        Its cancel is looked at for each row, and for each block of a column's.

    Returns
    -------
    float32, (n_heads, n_keys) of queries, (n_heads, n_queries) of keys
        In the order of `heads`. Of one position exactly the numbers of `AttentionRecord.attention_weights`; of several, cells
        without a number count as 0, and where none has one it is NaN.

    Raises
    ------
    HeadscopeError
        ``unknown_kind``, ``no_such_head``, ``layer_not_kept``, ``no_such_position``.
    Cancelled
    """
    axes = record.axis(kind)
    own, other = (axes.queries, axes.keys) if side == "query" else (axes.keys, axes.queries)
    for position in positions:
        if not 0 <= position < len(own):
            raise HeadscopeError("no_such_position", position=position, last=len(own) - 1)
    sums = np.full((len(heads), len(other)), np.nan if positions else 0, np.float32)
    add = _add_rows if side == "query" else _add_columns
    at = 0
    for layer, of_layer in groupby(heads, key=lambda head: head[0]):
        of_it = [head for _, head in of_layer]
        add(_Layer(record, kind, layer, of_it), positions, sums[at : at + len(of_it)], (job or Job()).cancel)
        at += len(of_it)
    return sums


@dataclass(frozen=True, slots=True)
class _Layer:
    """Some heads of one layer."""

    record: AttentionRecord
    kind: Kind
    layer: int
    heads: list[int]


def _add_rows(layer: _Layer, positions: Sequence[int], sums: FloatArray, cancel: Cancel) -> None:
    for query in positions:
        cancel.check()
        for at, rows in _of_heads(layer, slice(query, query + 1)):
            sums[at] = _added(sums[at], rows[..., 0, :])


def _add_columns(layer: _Layer, positions: Sequence[int], sums: FloatArray, cancel: Cancel) -> None:
    n_queries, keys = sums.shape[1], list(positions)
    at_once = max(1, _BLOCK_BYTES // (4 * len(layer.heads) * len(layer.record.axis(layer.kind).keys)))
    for start in range(0, n_queries, at_once):
        cancel.check()
        block = slice(start, min(start + at_once, n_queries))
        for at, rows in _of_heads(layer, block):
            for key in keys:
                sums[at, block] = _added(sums[at, block], rows[..., key])


def _added(total: FloatArray, more: FloatArray) -> FloatArray:
    """The sum, where NaN is no number."""
    return np.where(np.isnan(total), more, total + np.where(np.isnan(more), np.float32(0), more))


def _of_heads(of: _Layer, rows: slice) -> Iterator[tuple[slice | int, FloatArray]]:
    """All heads of a layer together, which costs little more than one, or those that are asked for one by one."""
    record, heads = of.record, of.heads
    if heads == list(range(record.n_heads(of.kind))):
        yield slice(None), record.layer_weights(of.layer, of.kind, rows)
        return
    for at, head in enumerate(heads):
        yield at, record.attention_weights(of.layer, head, of.kind, rows)
