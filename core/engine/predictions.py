"""Carries out what is asked about predictions."""

from __future__ import annotations

from collections.abc import Iterator

from headscope.core.analyse.causal.sweeps import Question, Sweep, ablate_heads, cut_edges, forbid_keys, patch
from headscope.core.errors import HeadscopeError
from headscope.core.forward.base import BaseModel
from headscope.core.job import Job
from headscope.core.requests.predictions import SweepRequest


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
