"""Engine: carries out the requests of the background lanes. Errors pass through it; the lane turns them into notices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import (
    CaptureRequest,
    Catalogue,
    CatalogueRequest,
    FillRequest,
    GenerateRequest,
    HeadWeights,
    Job,
    LoadRequest,
    ModelInfo,
    ModelRequest,
    Prediction,
    RunResult,
    Thumbnails,
    ThumbnailsRequest,
    ViewRequest,
    WeightsRequest,
)
from headscope.core.models.catalogue import catalogue
from headscope.core.models.device import check_room, devices, dtypes, out_of_memory_said
from headscope.core.models.load import load_model
from headscope.core.predict.fill_iteratively import fill_iteratively
from headscope.core.predict.generate import generate

if TYPE_CHECKING:
    from headscope.core.models.loaded import LoadedModel

Stream = Callable[[object], None]
_SCREEN = torch.device("cpu")
"""Where pictures are made, wherever the record is."""
_COPIES = 2
"""Of a head's weights: the numbers, and what the screen makes of them."""


class Engine:
    """Owns the loaded model; the model lane calls `handle` and nothing else touches the model.

    `handle_view` works on records alone, so another lane may call it on an engine of its own.
    """

    def __init__(self) -> None:
        self._model: LoadedModel | None = None

    # ---------------------------------------------------------------- the model lane
    def handle(self, request: ModelRequest, job: Job, stream: Stream) -> object:
        """Carry out a request and answer what its docstring promises; steps on the way go to `stream`.

        Raises
        ------
        HeadscopeError
            The loaded model is still there afterwards.
        Cancelled
        """
        match request:
            case LoadRequest():
                return self._load(request, job)
            case CaptureRequest(text, text_pair, target, top_k):
                return self._loaded.run(text, text_pair, target, top_k=top_k, job=job)
            case GenerateRequest():
                return self._generate(request, job, stream)
            case FillRequest():
                return self._fill(request, job, stream)
            case CatalogueRequest():
                return Catalogue(tuple(catalogue()), tuple(devices()), tuple(dtypes()))

    @property
    def _loaded(self) -> LoadedModel:
        if self._model is None:
            raise HeadscopeError("no_model")
        return self._model

    def _load(self, request: LoadRequest, job: Job) -> ModelInfo:
        """The old model goes only when the new one is there: a load that fails leaves everything as it was."""
        old = self._model
        try:
            new = _read(request, job)
        except HeadscopeError as error:
            crowded = error.code in {"model_too_large", "out_of_memory"}
            if old is None or old.info.device == "cpu" or not crowded:
                raise
            with _set_aside(old):
                new = _read(request, job)
        self._model = new
        _release_memory()
        return new.info

    def _generate(self, request: GenerateRequest, job: Job, stream: Stream) -> RunResult:
        started = time.perf_counter()
        steps = generate(
            self._loaded,
            request.text,
            max_new_tokens=request.max_new_tokens,
            sampling=request.sampling,
            top_k=request.top_k,
            job=job,
        )
        for step in steps:  # there is always one
            stream(step)
        read = len(step.record.axis("decoder").queries)
        predictions = (Prediction(read, step.candidates),)
        return RunResult(step.record, step.text, predictions, None, time.perf_counter() - started)

    def _fill(self, request: FillRequest, job: Job, stream: Stream) -> RunResult:
        started = time.perf_counter()
        filling = fill_iteratively(
            self._loaded, request.text, request.text_pair, strategy=request.strategy, top_k=request.top_k, job=job
        )
        for step in filling:  # there is always one
            stream(step)
        result = self._loaded.run(step.text, step.text_pair, top_k=request.top_k, job=job)
        return replace(result, seconds=time.perf_counter() - started)

    # ---------------------------------------------------------------- the view lane
    def handle_view(self, request: ViewRequest, job: Job, stream: Stream) -> object:
        """Compute a picture from a record and answer what the request's docstring promises.

        Raises
        ------
        HeadscopeError
            ``unknown_kind``, ``no_such_head``, ``not_enough_memory``, ``out_of_memory``.
        Cancelled
        """
        with out_of_memory_said(_SCREEN):
            match request:
                case WeightsRequest():
                    return _weights(request, job)
                case ThumbnailsRequest():
                    return _thumbnails(request, job, stream)


def _weights(request: WeightsRequest, job: Job) -> HeadWeights:
    axis = request.record.axis(request.kind)
    needed = 4 * len(request.heads) * len(axis.queries) * len(axis.keys)
    check_room("not_enough_memory", _COPIES * needed, _SCREEN)
    weights = {}
    for head in request.heads:
        job.cancel.check()
        weights[head] = request.record.attention_weights(*head, request.kind)
    return HeadWeights(request.record, request.kind, weights)


def _thumbnails(request: ThumbnailsRequest, job: Job, stream: Stream) -> Thumbnails:
    record, kind, size = request.record, request.kind, request.size
    axis, n_layers = record.axis(kind), record.n_layers(kind)
    shape = (n_layers, record.n_heads(kind), min(size, len(axis.queries)), min(size, len(axis.keys)))
    done = Thumbnails(record, kind, np.full(shape, np.nan, dtype=np.float32))
    for layer, pictures in record.thumbnails(kind, size, job, request.first_layer):
        so_far = done.pictures.copy()  # what was streamed is looked at in another thread
        so_far[layer] = pictures
        done = Thumbnails(record, kind, so_far)
        stream(done)
    return done


# ---------------------------------------------------------------- memory
def _read(request: LoadRequest, job: Job) -> LoadedModel:
    return load_model(request.source, device=request.device, dtype=request.dtype, job=job)


@contextmanager
def _set_aside(model: LoadedModel) -> Iterator[None]:
    """Make room on the model's device by keeping it in the computer's memory; it comes back if the block fails."""
    home = torch.device(model.info.device)
    model.module.to("cpu")
    _release_memory()
    try:
        yield
    except BaseException:
        model.module.to(home)
        raise


def _release_memory() -> None:
    """Give back what is free in torch's own pool, so that it counts as free."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
