"""What a model writes is what transformers' `generate` writes with it, also where the model reads in a way of its own meanwhile."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from headscope.core import wrap_model
from headscope.core.errors import HeadscopeError
from tests import allowed
from tests.golden.every_family import every_family
from tests.golden.families import built
from tests.make_tokenizer import make_tokenizer

FAMILIES = {family.name: family for family in every_family()}
FROM_PADDING = ["RobertaForCausalLM", "CamembertForCausalLM", "Data2VecTextForCausalLM", "XmodForCausalLM"]
"""They number a text from their padding id on, and `generate` numbers it from 0."""
OTHERS = ["OpenAIGPTLMHeadModel", "CTRLLMHeadModel", "BertGenerationDecoder", "OPTForCausalLM", "GPT2LMHeadModel"]
APPENDING = ["XLMWithLMHeadModel", "FlaubertWithLMHeadModel", "XLNetLMHeadModel"]
"""They write by reading a mask, or an empty place, behind the text."""
TEXT = "the cat is life"


def both(name: str) -> tuple[Any, Any, dict[str, torch.Tensor]]:
    module = built(FAMILIES[name])
    tokenizer = make_tokenizer(module.config)
    ids = tokenizer(TEXT, return_tensors="pt")["input_ids"]
    return module, tokenizer, {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


@pytest.mark.parametrize("name", [*FROM_PADDING, *OTHERS])
def test_greedy_text_and_beams_are_those_of_generate(name: str) -> None:
    module, tokenizer, inputs = both(name)
    n = inputs["input_ids"].shape[1]
    options = {"max_new_tokens": 8, "do_sample": False, "pad_token_id": 0}
    greedy = module.generate(**inputs, **options)[0, n:].tolist()
    beams = module.generate(**inputs, **options, num_beams=3)[0, n:].tolist()
    with wrap_model(module, tokenizer) as model:
        assert [step.token.id for step in model.generate(TEXT, max_new_tokens=8, temperature=0)] == greedy
        *_, last = model.beam_search(TEXT, n_beams=3, max_new_tokens=8)
        assert [step.token.id for step in last.best.steps] == beams


@pytest.mark.parametrize("name", ["NllbMoeForConditionalGeneration", "ProphetNetForConditionalGeneration", "MarianMTModel"])
def test_an_answer_is_that_of_generate(name: str) -> None:
    """The first two read of an encoder's output by names, not by numbers."""
    module, tokenizer, inputs = both(name)
    with wrap_model(module, tokenizer) as model:
        greedy = [step.token.id for step in model.generate(TEXT, max_new_tokens=6, temperature=0)]
        *_, last = model.beam_search(TEXT, n_beams=3, max_new_tokens=6)
        start = model.start_id
    options = {"max_new_tokens": 6, "do_sample": False, "decoder_start_token_id": start}
    assert module.generate(**inputs, **options)[0, 1:].tolist() == greedy
    beams = module.generate(**inputs, **options, num_beams=3)[0, 1:].tolist()
    assert [step.token.id for step in last.best.steps] == beams[: len(last.best.steps)]


@pytest.mark.parametrize("name", FROM_PADDING[:2])
def test_what_differs_is_said(name: str) -> None:
    module, tokenizer, _ = both(name)
    with wrap_model(module, tokenizer) as model:
        assert "positions" in model.info.note


@pytest.mark.parametrize(("name", "why"), [*((name, "an extra token") for name in APPENDING), ("CpmAntForCausalLM", "again")])
def test_a_model_that_reads_otherwise_to_write_says_so_and_does_not_generate(name: str, why: str) -> None:
    module, tokenizer, _ = both(name)
    module.config.mask_token_id = tokenizer.mask_token_id
    with wrap_model(module, tokenizer) as model:
        assert why in model.info.note
        with pytest.raises(HeadscopeError) as raised:
            model.generate(TEXT)
        assert raised.value.code == "writes_in_its_own_way"
        assert ("fill_mask" in model.info.abilities) == (name in APPENDING[:2])


def test_a_configuration_that_differs_by_layer_is_estimated() -> None:
    module, tokenizer, _ = both("NeoMMEForMaskedLM")
    with wrap_model(module, tokenizer) as model:
        assert model.run(TEXT).record.kinds == ("encoder",)


@pytest.mark.parametrize("name", APPENDING[:2])
def test_it_fills_masks_as_a_plain_pass_does(name: str) -> None:
    module, tokenizer, _ = both(name)
    module.config.mask_token_id = tokenizer.mask_token_id  # as in their own checkpoints
    ids = tokenizer(f"the {tokenizer.mask_token} is life", return_tensors="pt")["input_ids"]
    at = ids[0].tolist().index(tokenizer.mask_token_id)
    with torch.inference_mode():
        logits = module(ids).logits[0, at]
    expected = logits.softmax(-1)
    with wrap_model(module, tokenizer) as model:
        (prediction,) = model.fill_mask("the [MASK] is life", top_k=3)
    assert [each.id for each in prediction.candidates] == expected.topk(3).indices.tolist()
    for each in prediction.candidates:
        assert each.probability == pytest.approx(float(expected[each.id]), abs=allowed.of_probabilities(logits))
