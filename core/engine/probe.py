"""Carries out what is asked of heads on a probe."""

from __future__ import annotations

from headscope.core.analyse.probing import head_probe
from headscope.core.analyse.records.head_types import HeadProbe
from headscope.core.engine.registry import answers_with_model
from headscope.core.job import Job, Stream
from headscope.core.model import Model
from headscope.core.requests.probe import ProbeRequest


@answers_with_model(ProbeRequest)
def probe(model: Model, request: ProbeRequest, job: Job, _: Stream) -> HeadProbe:
    return head_probe(model, length=request.length, repeats=request.repeats, seed=request.seed, job=job)
