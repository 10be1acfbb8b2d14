"""Carries out what is asked of a record about single tokens."""

from __future__ import annotations

from headscope.core.analyse.records.rollout import rollout_to
from headscope.core.analyse.records.rows_and_columns import looks
from headscope.core.engine.registry import answers
from headscope.core.job import Job, Stream
from headscope.core.requests.tokens import (
    RolledOut,
    RolloutRequest,
    StepRows,
    StepRowsRequest,
    TokenWeights,
    TokenWeightsRequest,
)


@answers(TokenWeightsRequest)
def looks_of(request: TokenWeightsRequest, job: Job, _: Stream) -> TokenWeights:
    return TokenWeights(request, looks(request.record, request.kind, request.heads, request.positions, request.side, job))


@answers(RolloutRequest)
def rollout(request: RolloutRequest, job: Job, _: Stream) -> RolledOut:
    return RolledOut(request, rollout_to(request.record, request.kind, request.query, job=job))


@answers(StepRowsRequest)
def step_rows(request: StepRowsRequest, _job: Job, _stream: Stream) -> StepRows:
    rows = slice(request.query, request.query + 1)
    return StepRows(request, request.record.layer_weights(request.layer, request.kind, rows)[:, 0])
