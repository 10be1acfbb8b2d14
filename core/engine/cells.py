"""Carries out what the heatmap asks of a record besides cells."""

from __future__ import annotations

import numpy as np

from headscope.core.attention.ranks import shares_below
from headscope.core.job import Job
from headscope.core.requests.cells import HeatmapRequest, RankRequest, Ranks, Sums, SumsRequest
from headscope.core.vocabulary import FloatArray

_ROWS = 256
"""Computed between two looks at whether they are still wanted."""


def heatmap_answer(request: HeatmapRequest, job: Job) -> object:
    """What the request's docstring promises.

    Raises
    ------
    HeadscopeError
        ``unknown_kind``, ``no_such_head``, ``layer_not_kept``, ``no_scores``.
    Cancelled
    """
    match request:
        case RankRequest(record, kind, head) if record.is_large(kind):
            return Ranks(request, record.rank_table(*head, kind, job))
        case RankRequest(record, kind, head):
            return Ranks(request, shares_below(record.attention_weights(*head, kind)))
        case SumsRequest():
            return Sums(request, _received(request), _given(request, job))


def _received(request: SumsRequest) -> FloatArray | None:
    if not request.queries:
        return None
    record, (layer, head), kind = request.record, request.head, request.kind
    total = np.zeros(len(record.axis(kind).keys), np.float64)
    for query in request.queries:
        total += record.attention_weights(layer, head, kind, slice(query, query + 1))[0]
    return total.astype(np.float32)


def _given(request: SumsRequest, job: Job) -> FloatArray | None:
    if not request.keys:
        return None
    record, (layer, head), kind = request.record, request.head, request.kind
    n_queries, keys = len(record.axis(kind).queries), list(request.keys)
    given = np.zeros(n_queries, np.float32)
    for start in range(0, n_queries, _ROWS):
        job.cancel.check()
        rows = slice(start, min(start + _ROWS, n_queries))
        given[rows] = record.attention_weights(layer, head, kind, rows)[:, keys].sum(axis=1)
    return given
