"""Carries out what is asked about whole heads of a record: their weights, thumbnails of all, and what is measured of all."""

from __future__ import annotations

import numpy as np
import torch

from headscope.core.analyse.records.head_metrics import head_metrics, unmeasured
from headscope.core.analyse.records.head_types import HeadMetrics
from headscope.core.attention.head_map import HeadMap
from headscope.core.engine.registry import answers
from headscope.core.job import Job, Stream
from headscope.core.memory import check_room
from headscope.core.requests.heads import HeadWeights, MetricsRequest, Thumbnails, ThumbnailsRequest, WeightsRequest
from headscope.core.vocabulary import Head

_SCREEN = torch.device("cpu")
"""Where pictures are made, wherever the record is."""
_SIDE = 1024
"""Pixels along a side of the picture of a large head."""
_COPIES = 2
"""Of a head's weights: the numbers, and what the screen makes of them."""


@answers(WeightsRequest)
def weights(request: WeightsRequest, job: Job, stream: Stream) -> HeadWeights:
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


@answers(ThumbnailsRequest)
def thumbnails(request: ThumbnailsRequest, job: Job, stream: Stream) -> Thumbnails:
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


@answers(MetricsRequest)
def metrics(request: MetricsRequest, job: Job, stream: Stream) -> HeadMetrics:
    record, kind, size = request.record.of_weights, request.kind, request.size
    answer = unmeasured(record, kind, size)
    for answer in head_metrics(record, kind, layers=request.layers, size=size, job=job):
        stream(answer)
    return answer
