"""Engine: carries out the requests of the background lanes. Errors pass through it; the lane turns them into notices."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import torch

from headscope.core.analyse.attribution.token_attribution import token_attribution
from headscope.core.analyse.causal.sweeps import Sweep
from headscope.core.attention.intervention import Intervention
from headscope.core.engine.predictions import sweep
from headscope.core.engine.views import view
from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.job import Job, Stream
from headscope.core.models.catalogue import catalogue
from headscope.core.models.catalogue_entries import Catalogue
from headscope.core.models.hub.placement.devices import devices, dtypes
from headscope.core.models.load import load_model
from headscope.core.options import BeamSearch
from headscope.core.predict.beam_search import beam_search
from headscope.core.predict.fill_iteratively import fill_iteratively
from headscope.core.predict.generate import generate
from headscope.core.predict.gibbs import fill_by_gibbs
from headscope.core.predict.lens_layer import LensLayer
from headscope.core.predict.logit_lens import labelled_lens
from headscope.core.predict.reader import read_by
from headscope.core.predict.results import BeamStep, GenerationStep
from headscope.core.predict.surprisal import surprisal_of
from headscope.core.requests.heads import ViewRequest
from headscope.core.requests.models import CatalogueRequest, LoadRequest
from headscope.core.requests.predictions import AttributionRequest, LensRequest, SurprisalRequest, SweepRequest
from headscope.core.requests.runs import CaptureRequest, FillRequest, ForkRequest, GenerateRequest, ModelRequest
from headscope.core.run import Run
from headscope.core.text.prompt import Prompt

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.model import Model


class Engine:
    """Owns the loaded model; the model lane calls `handle` and nothing else touches the model.

    `handle_view` works on records alone, so another lane may call it on an engine of its own.
    """

    def __init__(self) -> None:
        self._model: Model | None = None

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
            case CaptureRequest(text, text_pair, target):
                options: dict[str, Any] = {"top_k": request.top_k, "intervention": request.intervention, "keep": request.keep}
                return self._loaded.run(text, text_pair, target, languages=request.languages, job=job, **options)
            case GenerateRequest():
                return self._generate(request, job, stream)
            case ForkRequest(step, token_id, max_new_tokens):
                self._check_is_of_model(step.record)
                branch = step.fork(token_id, max_new_tokens=max_new_tokens, job=job)
                source = step.record.axis("encoder").queries.text if "cross" in step.record.kinds else ""
                return self._written(branch, stream, Prompt(source))
            case FillRequest():
                return self._fill(request, job, stream)
            case SweepRequest():
                return self._sweep(request, job, stream)
            case LensRequest(record):
                self._check_is_of_model(record)
                return self._lens(request, job, stream)
            case SurprisalRequest(record):
                self._check_is_of_model(record)
                return surprisal_of(self._loaded, read_by(record), job)
            case AttributionRequest(record):
                self._check_is_of_model(record)
                return token_attribution(self._loaded, record, request.target, job)
            case CatalogueRequest():
                return _catalogue()

    @property
    def _loaded(self) -> Model:
        if self._model is None:
            raise HeadscopeError("no_model")
        return self._model

    def _check_is_of_model(self, record: AttentionRecord) -> None:
        """Tokens of one model are numbers without meaning to another."""
        if not record.is_of(self._loaded.module):
            raise HeadscopeError("record_of_another_model", model=self._loaded.info.name)

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

    def _sweep(self, request: SweepRequest, job: Job, stream: Stream) -> Sweep:
        for part in sweep(self._loaded, request, job):  # there is always one
            stream(part)
        return part

    def _lens(self, request: LensRequest, job: Job, stream: Stream) -> LensLayer:
        for layer in labelled_lens(
            self._loaded, request.record, positions=request.positions, top_k=request.top_k, follow=request.follow, job=job
        ):  # there is always one
            stream(layer)
        return layer

    def _generate(self, request: GenerateRequest, job: Job, stream: Stream) -> Run:
        own = self._loaded.info.generation
        prompt = Prompt(request.text)
        beams = request.beams or (own.beams if request.sampling is None else BeamSearch())
        if beams.n_beams > 1 and request.intervention:
            raise HeadscopeError("bad_option", option="n_beams", value=beams.n_beams, expected="1 while heads are changed")
        options: dict[str, Any] = {
            "max_new_tokens": request.max_new_tokens,
            "top_k": request.top_k,
            "stop": request.stop,
            "rules": request.rules,
            "languages": request.languages,
            "chat": request.chat,
            "system": request.system,
            "job": job,
        }
        if beams.n_beams > 1:
            penalty = None if request.sampling is None else request.sampling.repetition_penalty
            found = beam_search(self._loaded, request.text, beams=beams, repetition_penalty=penalty, **options)
            return self._written(_winner(found, stream), stream, prompt)
        steps = generate(self._loaded, request.text, sampling=request.sampling, intervention=request.intervention, **options)
        sampling = request.sampling or own.sampling
        seed = sampling.seed if sampling.temperature else None
        return self._written(steps, stream, prompt, edits=request.intervention or Intervention(), seed=seed)

    def _written(self, steps: Iterable[GenerationStep], stream: Stream, prompt: Prompt, **values: Any) -> Run:
        started, info = time.perf_counter(), self._loaded.info
        for step in steps:  # there is always one
            stream(step)
        field = "target" if info.family == "encoder-decoder" else "text"
        seconds = time.perf_counter() - started
        return Run(info, replace(prompt, **{field: step.text}), step.record, (step.prediction,), seconds=seconds, **values)

    def _fill(self, request: FillRequest, job: Job, stream: Stream) -> Run:
        started = time.perf_counter()
        text, pair, strategy = request.text, request.text_pair, request.strategy
        if strategy == "gibbs":
            filling = fill_by_gibbs(
                self._loaded,
                text,
                pair,
                sweeps=request.sweeps,
                temperature=request.temperature,
                seed=request.seed,
                top_k=request.top_k,
                job=job,
            )
        else:
            filling = fill_iteratively(self._loaded, text, pair, strategy=strategy, top_k=request.top_k, job=job)
        for step in filling:  # there is always one
            stream(step)
        result = self._loaded.run(step.text, step.text_pair, top_k=request.top_k, job=job)
        seed = request.seed if strategy == "gibbs" else None
        return replace(result, seed=seed, seconds=time.perf_counter() - started)

    # ---------------------------------------------------------------- the view lane
    def handle_view(self, request: ViewRequest, job: Job, stream: Stream) -> object:
        """See `headscope.core.engine.views.view`."""
        return view(request, job, stream)


def _winner(found: Iterable[BeamStep], stream: Stream) -> tuple[GenerationStep, ...]:
    for step in found:  # there is always one
        stream(step)
    return step.best.steps


def _catalogue() -> Catalogue:
    return Catalogue(catalogue(), tuple(devices()), tuple(dtypes()))


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
