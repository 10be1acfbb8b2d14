"""Carries out what is asked about cells, rows and parts of one head's map."""

from __future__ import annotations

import numpy as np

from headscope.core.analyse.records.arithmetic import arithmetic
from headscope.core.analyse.records.arithmetic_numbers import Arithmetic
from headscope.core.attention.ranks import shares_below
from headscope.core.engine.registry import answers
from headscope.core.job import Job, Stream
from headscope.core.requests.cells import (
    ArithmeticRequest,
    Part,
    PartRequest,
    RankRequest,
    Ranks,
    Row,
    RowRequest,
    Sums,
    SumsRequest,
)
from headscope.core.vocabulary import FloatArray

_ROWS = 256
"""Computed between two looks at whether they are still wanted."""


@answers(PartRequest)
def part(request: PartRequest, job: Job, _: Stream) -> Part:
    record, (layer, head), kind = request.record, request.head, request.kind
    how = {name: getattr(request, name) for name in ("height", "width", "rows", "keys", "by_row")}
    return Part(request, record.pooled(layer, head, kind, **how, job=job))


@answers(RowRequest)
def row(request: RowRequest, _job: Job, _stream: Stream) -> Row:
    rows = slice(request.query, request.query + 1)
    return Row(request, request.record.attention_weights(*request.head, request.kind, rows)[0])


@answers(ArithmeticRequest)
def arithmetic_of(request: ArithmeticRequest, job: Job, _: Stream) -> Arithmetic:
    cell = request.layer, request.head, request.query, request.key
    return arithmetic(request.record, request.kind, *cell, job)


@answers(RankRequest)
def ranks(request: RankRequest, job: Job, _: Stream) -> Ranks:
    record, head, kind = request.record, request.head, request.kind
    if record.is_large(kind):
        return Ranks(request, record.rank_table(*head, kind, job))
    return Ranks(request, shares_below(record.attention_weights(*head, kind)))


@answers(SumsRequest)
def sums(request: SumsRequest, job: Job, _: Stream) -> Sums:
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
