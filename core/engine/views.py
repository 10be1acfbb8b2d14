"""What the view lane computes from records that exist: heads, rows, parts of large maps, thumbnails."""

from __future__ import annotations

import numpy as np
import torch

from headscope.core.analyse.records.arithmetic import arithmetic
from headscope.core.analyse.records.head_metrics import head_metrics, unmeasured
from headscope.core.analyse.records.head_types import HeadMetrics
from headscope.core.analyse.records.rollout import rollout_to
from headscope.core.analyse.records.rows_and_columns import looks
from headscope.core.attention.head_map import HeadMap
from headscope.core.engine.cells import heatmap_answer
from headscope.core.job import Job, Stream
from headscope.core.memory import check_room, out_of_memory_said
from headscope.core.requests.cells import ArithmeticRequest, Part, PartRequest, RankRequest, Row, RowRequest, SumsRequest
from headscope.core.requests.heads import (
    HeadWeights,
    MetricsRequest,
    Thumbnails,
    ThumbnailsRequest,
    ViewRequest,
    WeightsRequest,
)
from headscope.core.requests.tokens import Looks, LooksRequest, RolledOut, RolloutRequest, StepRows, StepRowsRequest
from headscope.core.vocabulary import Head

_SCREEN = torch.device("cpu")
"""Where pictures are made, wherever the record is."""
_SIDE = 1024
"""Pixels along a side of the picture of a large head."""
_COPIES = 2
"""Of a head's weights: the numbers, and what the screen makes of them."""


def view(request: ViewRequest, job: Job, stream: Stream) -> object:
    """Compute a picture from a record and answer what the request's docstring promises.

    Raises
    ------
    HeadscopeError
        ``unknown_kind``, ``no_such_head``, ``no_such_position``, ``layer_not_kept``, ``no_scores``, ``not_enough_memory``,
        ``out_of_memory``.
    Cancelled
    """
    with out_of_memory_said(torch.device(request.record.device.split(",")[0])):
        match request:
            case WeightsRequest():
                return _weights(request, job, stream)
            case PartRequest():
                return _part(request, job)
            case RowRequest(record, kind, head, query):
                return Row(request, record.attention_weights(*head, kind, slice(query, query + 1))[0])
            case StepRowsRequest(record, kind, layer, query):
                return StepRows(request, record.layer_weights(layer, kind, slice(query, query + 1))[:, 0])
            case LooksRequest(record, kind, heads, positions, side):
                return Looks(request, looks(record, kind, heads, positions, side, job))
            case RolloutRequest(record, kind, query):
                return RolledOut(request, rollout_to(record, kind, query, job=job))
            case ArithmeticRequest(record, kind, layer, head, query, key):
                return arithmetic(record, kind, layer, head, query, key, job)
            case ThumbnailsRequest():
                return _thumbnails(request, job, stream)
            case MetricsRequest():
                return _measure(request, job, stream)
            case RankRequest() | SumsRequest():
                return heatmap_answer(request, job)


def _weights(request: WeightsRequest, job: Job, stream: Stream) -> HeadWeights:
    record, kind = request.record, request.kind
    if record.is_large(kind):
        return _overviews(request, job, stream)
    axis = record.axis(kind)
    needed = 4 * len(request.heads) * len(axis.queries) * len(axis.keys)
    check_room("not_enough_memory", _COPIES * needed, _SCREEN)
    weights: dict[Head, HeadMap] = {}
    for head in request.heads:
        job.cancel.check()
        weights[head] = record.attention_weights(*head, kind)
    return HeadWeights(record, kind, weights)


def _overviews(request: WeightsRequest, job: Job, stream: Stream) -> HeadWeights:
    """The first pictures of all heads are streamed before any of them is computed whole."""
    record, kind = request.record, request.kind
    on_the_way = {head: record.overview(*head, kind, _SIDE, job) for head in request.heads}
    maps: dict[Head, HeadMap] = {head: next(overviews) for head, overviews in on_the_way.items()}
    stream(HeadWeights(record, kind, dict(maps)))
    for head, overviews in on_the_way.items():
        maps[head] = next(overviews, maps[head])  # the first was the exact one where nothing came before it
    return HeadWeights(record, kind, maps)


def _part(request: PartRequest, job: Job) -> Part:
    record, (layer, head), kind = request.record, request.head, request.kind
    how = {name: getattr(request, name) for name in ("height", "width", "rows", "keys", "by_row")}
    return Part(request, record.pooled(layer, head, kind, **how, job=job))


def _thumbnails(request: ThumbnailsRequest, job: Job, stream: Stream) -> Thumbnails:
    record, kind, size, how = request.record, request.kind, request.size, request.how
    axis, n_layers = record.axis(kind), record.n_layers(kind)
    shape = (n_layers, record.n_heads(kind), min(size, len(axis.queries)), min(size, len(axis.keys)))
    done = Thumbnails(record, kind, np.full(shape, np.nan, dtype=np.float32), how)
    for layer, pictures in record.thumbnails(kind, size, job, layers=request.layers, how=how):
        so_far = done.pictures.copy()  # what was streamed is looked at in another thread
        so_far[layer] = np.where(np.isnan(pictures), np.float32(-np.inf), pictures)
        done = Thumbnails(record, kind, so_far, how)
        stream(done)
    return done


def _measure(request: MetricsRequest, job: Job, stream: Stream) -> HeadMetrics:
    record, kind, size = request.record.of_weights, request.kind, request.size
    answer = unmeasured(record, kind, size)
    for answer in head_metrics(record, kind, layers=request.layers, size=size, job=job):
        stream(answer)
    return answer
