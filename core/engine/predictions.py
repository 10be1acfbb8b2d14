"""Carries out what is asked about predictions; it changes no picture."""

from __future__ import annotations

from collections.abc import Iterator

from headscope.core.analyse.attribution.results import Attribution
from headscope.core.analyse.attribution.token_attribution import token_attribution
from headscope.core.analyse.causal.sweeps import Question, Sweep, ablate_heads, cut_edges, forbid_keys, patch
from headscope.core.engine.registry import answers_with_model
from headscope.core.errors import HeadscopeError
from headscope.core.forward.base import BaseModel
from headscope.core.job import Job, Stream
from headscope.core.model import Model
from headscope.core.predict.logit_lens import labelled_lens
from headscope.core.predict.logit_lens_layer import LogitLensLayer
from headscope.core.predict.reader import inputs_of
from headscope.core.predict.results import Surprisal
from headscope.core.predict.surprisal import surprisal_of
from headscope.core.requests.predictions import AttributionRequest, LogitLensRequest, SurprisalRequest, SweepRequest


@answers_with_model(SweepRequest)
def last_of_sweep(model: Model, request: SweepRequest, job: Job, stream: Stream) -> Sweep:
    for part in sweep(model, request, job):  # there is always one
        stream(part)
    return part


def sweep(model: BaseModel, request: SweepRequest, job: Job) -> Iterator[Sweep]:
    """What a request asks for."""
    question = Question(
        request.text, request.text_pair, request.target, request.token, request.position, request.label, request.span
    )
    match request.what:
        case "heads":
            return ablate_heads(model, question, request.kind, mean_of=request.mean_of, job=job)
        case "edges":
            return cut_edges(model, question, request.layer, request.head, request.kind, job=job)
        case "keys":
            return forbid_keys(model, question, request.kind, job=job)
        case "patches":
            other = {"other_pair": request.other_pair, "other_target": request.other_target}
            return patch(model, question, request.other, request.kind, **other, by=request.by, job=job)
        case _:  # from callers whose types nobody checks
            raise HeadscopeError("bad_option", option="what", value=request.what, expected="heads, edges, keys or patches")


@answers_with_model(LogitLensRequest)
def logit_lens(model: Model, request: LogitLensRequest, job: Job, stream: Stream) -> LogitLensLayer:
    model.check_is_of(request.record)
    for layer in labelled_lens(
        model, request.record, positions=request.positions, top_k=request.top_k, follow=request.follow, job=job
    ):  # there is always one
        stream(layer)
    return layer


@answers_with_model(SurprisalRequest)
def surprisal(model: Model, request: SurprisalRequest, job: Job, _: Stream) -> Surprisal:
    model.check_is_of(request.record)
    return surprisal_of(model, inputs_of(request.record), job)


@answers_with_model(AttributionRequest)
def attribution(model: Model, request: AttributionRequest, job: Job, _: Stream) -> Attribution:
    model.check_is_of(request.record)
    return token_attribution(model, request.record, request.target, job)
