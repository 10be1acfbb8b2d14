"""What the view lane computes from records that exist: heads, rows, parts of large maps, thumbnails."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from headscope.core.analyse.arithmetic import arithmetic
from headscope.core.analyse.head_metrics import measure
from headscope.core.analyse.rollout import rollout_to
from headscope.core.arithmetic_jobs import ArithmeticRequest
from headscope.core.attention.looks import looks
from headscope.core.heatmap_answers import heatmap_answer
from headscope.core.heatmap_jobs import RankRequest, SumsRequest
from headscope.core.jobs import Head, Job
from headscope.core.metrics_jobs import MetricsRequest
from headscope.core.models.device import check_room, out_of_memory_said
from headscope.core.token_jobs import LooksRequest, RolledOut, RolloutRequest
from headscope.core.view_jobs import (
    HeadMap,
    HeadWeights,
    Part,
    PartRequest,
    Row,
    RowRequest,
    StepRows,
    StepRowsRequest,
    Thumbnails,
    ThumbnailsRequest,
    ViewRequest,
    WeightsRequest,
)

Stream = Callable[[object], None]
_SCREEN = torch.device("cpu")
"""Where pictures are made, wherever the record is."""
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
            case RowRequest(record, kind, head, query, "scores"):
                return Row(request, record.attention_scores(*head, kind, rows=range(query, query + 1))[0])
            case RowRequest(record, kind, head, query):
                return Row(request, record.attention_weights(*head, kind, slice(query, query + 1))[0])
            case StepRowsRequest(record, kind, layer, query):
                return StepRows(request, record.layer_weights(layer, kind, slice(query, query + 1))[:, 0])
            case LooksRequest():
                return looks(request, job)
            case RolloutRequest(record, kind, query):
                return RolledOut(request, rollout_to(record, kind, query, job=job))
            case ArithmeticRequest():
                return arithmetic(request, job)
            case ThumbnailsRequest():
                return _thumbnails(request, job, stream)
            case MetricsRequest():
                return measure(request, job, stream)
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
    on_the_way = {head: record.overview(*head, kind, job=job) for head in request.heads}
    maps: dict[Head, HeadMap] = {head: next(overviews) for head, overviews in on_the_way.items()}
    stream(HeadWeights(record, kind, dict(maps)))
    for head, overviews in on_the_way.items():
        maps[head] = next(overviews, maps[head])  # the first was the exact one where nothing came before it
    return HeadWeights(record, kind, maps)


def _part(request: PartRequest, job: Job) -> Part:
    record, (layer, head), kind = request.record, request.head, request.kind
    height, width, rows, keys = request.height, request.width, request.rows, request.keys
    if request.lens == "scores":
        picture = record.attention_scores(layer, head, kind, rows=rows, keys=keys, height=height, width=width, job=job)
        return Part(request, picture, before_edits=record.sets_weights(layer, head, kind))
    by_row = request.by_row
    return Part(
        request, record.pooled(layer, head, kind, height=height, width=width, rows=rows, keys=keys, by_row=by_row, job=job)
    )


def _thumbnails(request: ThumbnailsRequest, job: Job, stream: Stream) -> Thumbnails:
    record, kind, size, how = request.record, request.kind, request.size, request.how
    axis, n_layers = record.axis(kind), record.n_layers(kind)
    shape = (n_layers, record.n_heads(kind), min(size, len(axis.queries)), min(size, len(axis.keys)))
    done = Thumbnails(record, kind, np.full(shape, np.nan, dtype=np.float32), how)
    for layer, pictures in record.thumbnails(kind, size, job, layers=request.layers, how=how):
        so_far = done.pictures.copy()  # what was streamed is looked at in another thread
        so_far[layer] = pictures
        done = Thumbnails(record, kind, so_far, how)
        stream(done)
    return done
