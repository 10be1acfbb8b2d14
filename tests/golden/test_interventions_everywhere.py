"""Edits reach every attention layer of every family that transformers can build, or are refused."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
import transformers as hf
from transformers.utils import logging as hf_logging

from headscope.core.attention.fallback import recorder_for
from headscope.core.attention.interface import install
from headscope.core.attention.reach import reaches
from headscope.core.errors import HeadscopeError
from headscope.core.intervention import Intervention, Scale
from tests.golden.every_family import every_family
from tests.golden.families import Family, built, inputs_of
from tests.golden.measure import form_of


def one_of_each_model() -> list[Family]:
    """Of the classes of a model, the last in the table: mostly the one with the most stacks."""
    return list({getattr(hf, family.name).__module__: family for family in every_family()}.values())


UNREACHED = {
    "CpmAntForCausalLM",
    "DiffLlamaForCausalLM",
    "GraniteMoeSWAForCausalLM",
    "GraniteSWAForCausalLM",
    "Inkling2ForCausalLM",
    "LEDForConditionalGeneration",
    "LiltModel",
    "NystromformerModel",
    "ProphetNetForConditionalGeneration",
    "SqueezeBertModel",
    "T5Gemma2ForConditionalGeneration",
}
"""Classes whose maps are shown but cannot be edited: what they do between weights and outputs is not attention alone."""


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """What transformers and torch warn of is theirs."""
    before = hf_logging.get_verbosity()
    hf_logging.set_verbosity(hf_logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
    hf_logging.set_verbosity(before)


@pytest.mark.parametrize("family", one_of_each_model(), ids=str)
def test_edits_reach_every_layer_or_are_refused(family: Family) -> None:
    model = built(family)
    try:
        tier = install(model)
    except HeadscopeError:
        pytest.skip("it has no attention weights")
    assert reaches(model, tier, model.device) == (family.name not in UNREACHED)
    if family.name in UNREACHED:
        return
    inputs = inputs_of(replace(family, form=form_of(model, family)), 12)

    def run(*edits: Scale):
        recorder = recorder_for(model, tier, intervention=Intervention(edits), keep_outputs=True)
        with torch.inference_mode(), recorder.recording():
            output = model(**inputs)
        return output[0], recorder

    plain, recorder = run()
    for kind in recorder.outputs:
        without, edited = run(Scale(head=1, kind=kind))
        assert not any(output[:, :, 1].any() for output in edited.outputs[kind])
        assert all(output[:, :, 0].any() for output in edited.outputs[kind])
        assert not torch.equal(without, plain)
