"""Engine: has requests carried out. Errors pass through it; who called turns them into messages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch

from headscope.core.engine import cells, heads, predictions, probe, registry, runs, tokens
from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.job import Job, Stream
from headscope.core.memory import out_of_memory_reported
from headscope.core.models.catalogue import catalogue
from headscope.core.models.catalogue_entries import Catalogue
from headscope.core.models.hub.placement.devices import devices, dtypes
from headscope.core.models.load import load_model
from headscope.core.requests.models import CatalogueRequest, LoadRequest
from headscope.core.requests.request import AnyModelRequest, AnyRequest

if TYPE_CHECKING:
    from headscope.core.model import Model

ANSWERING = (cells, heads, predictions, probe, runs, tokens)
"""Where the functions are that carry requests out; what is loaded is this file's."""


class Engine:
    """Owns the loaded model: `handle` is called by one thread, and nothing else touches the model.

    `handle_record` works on records alone, so another thread may call it on an engine of its own.
    """

    def __init__(self) -> None:
        self._model: Model | None = None

    def handle(self, request: AnyModelRequest, job: Job, stream: Stream) -> object:
        """Carry out what needs the model and answer what the request's docstring promises; steps on the way go to `stream`.

        Raises
        ------
        HeadscopeError
            The loaded model is still there afterwards.
        Cancelled
        """
        match request:
            case LoadRequest():
                return self._load(request, job)
            case CatalogueRequest():
                return Catalogue(catalogue(), tuple(devices()), tuple(dtypes()))
        if self._model is None:
            raise HeadscopeError("no_model")
        return registry.of_model[type(request)](self._model, request, job, stream)

    def handle_record(self, request: AnyRequest, job: Job, stream: Stream) -> object:
        """Compute something from a record and answer what the request's docstring promises.

        Raises
        ------
        HeadscopeError
            ``unknown_kind``, ``no_such_head``, ``no_such_position``, ``layer_not_kept``, ``no_scores``, ``not_enough_memory``,
            ``out_of_memory``.
        Cancelled
        """
        record: Any = request
        with out_of_memory_reported(torch.device(record.record.device.split(",")[0])):
            return registry.of_records[type(request)](request, job, stream)

    def _load(self, request: LoadRequest, job: Job) -> ModelInfo:
        """The old model goes only when the new one is there: a load that fails leaves everything as it was."""
        old = self._model
        try:
            new = request.model or _read(request, job)
        except HeadscopeError as error:
            crowded = error.code in {"model_too_large", "out_of_memory"}
            if old is None or old.place.type == "cpu" or not (crowded and old.is_movable):
                raise
            with _set_aside(old):
                new = _read(request, job)
        self._model = new
        if old is not None:
            old.release()
        del old
        _release_memory()
        return new.info


# ---------------------------------------------------------------- memory
def _read(request: LoadRequest, job: Job) -> Model:
    return load_model(request.source, device=request.device, dtype=request.dtype, job=job)


@contextmanager
def _set_aside(model: Model) -> Iterator[None]:
    """Make room on the model's device by keeping it in the computer's memory; it comes back if the block fails."""
    home = model.place
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
