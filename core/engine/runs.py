"""Carries out runs of a model: a pass over a text, a generation, a filling of masks."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from headscope.core.attention.intervention import Intervention
from headscope.core.engine.registry import answers_with_model
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job, Stream
from headscope.core.model import Model
from headscope.core.options import BeamSearch
from headscope.core.predict.beam_search import beam_search
from headscope.core.predict.fill_iteratively import fill_iteratively
from headscope.core.predict.generate import generate
from headscope.core.predict.gibbs import fill_by_gibbs
from headscope.core.predict.results import BeamStep, GenerationStep
from headscope.core.requests.runs import CaptureRequest, FillRequest, ForkRequest, GenerateRequest
from headscope.core.run import Run
from headscope.core.text.prompt import Prompt


@answers_with_model(CaptureRequest)
def capture(model: Model, request: CaptureRequest, job: Job, _: Stream) -> Run:
    options: dict[str, Any] = {"top_k": request.top_k, "intervention": request.intervention, "keep": request.keep}
    return model.run(request.text, request.text_pair, request.target, languages=request.languages, job=job, **options)


@answers_with_model(GenerateRequest)
def generation(model: Model, request: GenerateRequest, job: Job, stream: Stream) -> Run:
    started, own, prompt = time.perf_counter(), model.info.generation, Prompt(request.text)
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
        found = beam_search(model, request.text, beams=beams, repetition_penalty=penalty, **options)
        return _written(model, _winner(found, stream), stream, started, prompt)
    steps = generate(model, request.text, sampling=request.sampling, intervention=request.intervention, **options)
    sampling = request.sampling or own.sampling
    seed = sampling.seed if sampling.temperature else None
    return _written(model, steps, stream, started, prompt, edits=request.intervention or Intervention(), seed=seed)


@answers_with_model(ForkRequest)
def fork(model: Model, request: ForkRequest, job: Job, stream: Stream) -> Run:
    started, record = time.perf_counter(), request.step.record
    model.check_is_of(record)
    branch = request.step.fork(request.token_id, max_new_tokens=request.max_new_tokens, job=job)
    source = record.axis("encoder").queries.text if "cross" in record.kinds else ""
    return _written(model, branch, stream, started, Prompt(source))


@answers_with_model(FillRequest)
def filling(model: Model, request: FillRequest, job: Job, stream: Stream) -> Run:
    started = time.perf_counter()
    text, pair, strategy = request.text, request.text_pair, request.strategy
    if strategy == "gibbs":
        steps = fill_by_gibbs(
            model,
            text,
            pair,
            sweeps=request.sweeps,
            temperature=request.temperature,
            seed=request.seed,
            top_k=request.top_k,
            job=job,
        )
    else:
        steps = fill_iteratively(model, text, pair, strategy=strategy, top_k=request.top_k, job=job)
    for step in steps:  # there is always one
        stream(step)
    result = model.run(step.text, step.text_pair, top_k=request.top_k, job=job)
    seed = request.seed if strategy == "gibbs" else None
    return replace(result, seed=seed, seconds=time.perf_counter() - started)


def _written(
    model: Model, steps: Iterable[GenerationStep], stream: Stream, started: float, prompt: Prompt, **values: Any
) -> Run:
    info = model.info
    for step in steps:  # there is always one
        stream(step)
    field = "target" if info.family == "encoder-decoder" else "text"
    seconds = time.perf_counter() - started
    return Run(info, replace(prompt, **{field: step.text}), step.record, (step.prediction,), seconds=seconds, **values)


def _winner(found: Iterable[BeamStep], stream: Stream) -> tuple[GenerationStep, ...]:
    for step in found:  # there is always one
        stream(step)
    return step.best.steps
