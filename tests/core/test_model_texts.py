"""What a model is given beside the ids: types of tokens, a decoder's side, and how much of a text; against transformers' own."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from headscope.core import Model, wrap_model
from headscope.core.models.hub.positions import most_tokens
from tests.golden.every_family import every_family
from tests.golden.families import VOCABULARY, built
from tests.make_tokenizer import make_tokenizer

FAMILIES = {family.name: family for family in every_family()}
TEXT, TARGET = "the cat is the goal of life", "the goal is happiness ."


def opened(name: str) -> Model:
    module = built(FAMILIES[name])
    return wrap_model(module, make_tokenizer(module.config))


# ---------------------------------------------------------------- a decoder's side
TRANSLATORS = [
    "BartForConditionalGeneration",
    "BlenderbotForConditionalGeneration",
    "LEDForConditionalGeneration",
    "LongT5ForConditionalGeneration",
    "MBartForConditionalGeneration",
    "MT5ForConditionalGeneration",
    "MvpForConditionalGeneration",
    "NllbMoeForConditionalGeneration",
    "PegasusForConditionalGeneration",
    "SwitchTransformersForConditionalGeneration",
    "T5ForConditionalGeneration",
    "T5GemmaForConditionalGeneration",
]


@pytest.mark.parametrize("name", TRANSLATORS)
def test_a_decoder_reads_what_it_reads_in_training(name: str) -> None:
    """What its decoder is given for ``model(input_ids, labels=...)``."""
    module = built(FAMILIES[name])
    if getattr(module.config, "decoder_start_token_id", None) is None and module.config.model_type != "mbart":
        module.config.decoder_start_token_id = 0  # as in T5's own files
    tokenizer = make_tokenizer(module.config)
    model = wrap_model(module, tokenizer)
    read: list[list[int]] = []

    def keep(_module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        read.append((kwargs["input_ids"] if "input_ids" in kwargs else args[0])[0].tolist())

    labels = torch.tensor([tokenizer(text_target=TARGET)["input_ids"]])
    with module.get_decoder().register_forward_pre_hook(keep, with_kwargs=True), torch.inference_mode():
        module(input_ids=torch.tensor([tokenizer(TEXT)["input_ids"]]), labels=labels)
    source, target = model.encode(TEXT, target=TARGET)
    assert target is not None
    assert list(source.ids) == tokenizer(TEXT)["input_ids"]
    closed = labels[0, -1] not in tokenizer(TARGET, add_special_tokens=False)["input_ids"]
    assert list(target.ids) == read[0] + ([] if closed else labels[0, -1:].tolist())  # we read all that is written
    written = [TARGET[token.start : token.end] for token in target.axis.tokens if not token.special]
    assert "".join(written).replace(" ", "") == TARGET.replace(" ", "")


# ---------------------------------------------------------------- types of tokens
@pytest.mark.parametrize(
    ("name", "types"),
    [
        ("XLNetLMHeadModel", {0, 1, 2}),
        ("BertForMaskedLM", {0, 1}),
        ("AlbertForMaskedLM", {0, 1}),
        ("DebertaV2ForMaskedLM", {0, 1}),
        ("RemBertForMaskedLM", {0, 1}),
    ],
)
def test_types_of_tokens_are_those_of_the_tokenizers_own_template(name: str, types: set[int]) -> None:
    """Also where transformers' call leaves them out unless it is asked for them, as for XLNet."""
    model = opened(name)
    tokenizer = make_tokenizer(model.module.config)
    wanted = tokenizer(TEXT, TARGET, return_token_type_ids=True, return_tensors="pt")
    source, _ = model.encode(TEXT, TARGET)
    inputs = model.inputs(source)
    assert torch.equal(inputs["input_ids"], wanted["input_ids"])
    if model.module.config.to_dict().get("type_vocab_size", 2) > 0:
        assert torch.equal(inputs["token_type_ids"], wanted["token_type_ids"])
        assert set(inputs["token_type_ids"][0].tolist()) == types
    else:
        assert "token_type_ids" not in inputs


def test_words_are_no_types_of_tokens() -> None:
    """GPT-2 would add the embedding of the word number 0 to each token."""
    for name in ("GPT2LMHeadModel", "OpenAIGPTLMHeadModel", "CTRLLMHeadModel"):
        model = wrap_model(built(FAMILIES[name]), make_tokenizer("gpt2"))
        assert "token_type_ids" not in model.inputs(model.encode(TEXT)[0])


# ---------------------------------------------------------------- how long a text may be
def reads(module: Any, n_read: int, n_written: int = 5) -> bool:
    """Whether the model takes a text of so many tokens."""
    inputs = {"input_ids": torch.randint(5, VOCABULARY, (1, n_read)), "attention_mask": torch.ones(1, n_read, dtype=torch.long)}
    if module.config.is_encoder_decoder:
        inputs["decoder_input_ids"] = torch.randint(5, VOCABULARY, (1, n_written))
    try:
        with torch.inference_mode():
            module(**inputs)
    except (IndexError, RuntimeError, ValueError):
        return False
    return True


TABLES = [
    "AlbertForMaskedLM",
    "BartForCausalLM",
    "BertForMaskedLM",
    "BertGenerationDecoder",
    "BioGptForCausalLM",
    "CTRLLMHeadModel",
    "CodeGenForCausalLM",
    "GPT2LMHeadModel",
    "GPTJForCausalLM",
    "IBertForMaskedLM",
    "LayoutLMForMaskedLM",
    "LiltModel",
    "LongformerForMaskedLM",
    "MarkupLMModel",
    "MptForCausalLM",
    "MraForMaskedLM",
    "NystromformerForMaskedLM",
    "OPTForCausalLM",
    "OpenAIGPTLMHeadModel",
    "ProphetNetForCausalLM",
    "ReformerForMaskedLM",
    "RoFormerForMaskedLM",
    "RobertaForMaskedLM",
    "XLMModel",
    "YosoForMaskedLM",
]
WITHOUT = [
    "BloomForCausalLM",
    "FunnelForMaskedLM",
    "JambaForCausalLM",
    "LongT5ForConditionalGeneration",
    "MT5EncoderModel",
    "PegasusXForConditionalGeneration",
    "T5ForConditionalGeneration",
    "UMT5ForConditionalGeneration",
    "XLNetLMHeadModel",
]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_of_positions_is_used_to_its_last_row(name: str) -> None:
    module = FAMILIES[name].model().eval()
    most, _ = most_tokens(module)
    assert most is not None
    assert reads(module, most)
    assert not reads(module, most + 1)


@pytest.mark.parametrize("name", WITHOUT)
def test_a_model_without_positions_reads_any_length(name: str) -> None:
    module = FAMILIES[name].model().eval()
    assert most_tokens(module) == (None, None)
    assert reads(module, 200, 200)


@pytest.mark.parametrize("name", ["BartForConditionalGeneration", "MarianMTModel", "PegasusForConditionalGeneration"])
def test_a_decoder_has_a_limit_of_its_own(name: str) -> None:
    module = FAMILIES[name].model().eval()
    read, written = most_tokens(module)
    assert read is not None
    assert written is not None
    assert reads(module, read, written)
    assert not reads(module, read, written + 1)
    assert not reads(module, read + 1, written)


def test_a_led_reads_more_than_it_writes() -> None:
    assert most_tokens(FAMILIES["LEDForConditionalGeneration"].model()) == (1100, 64)


def test_t5_reads_a_text_of_1802_tokens_whole() -> None:
    """Its configuration carries `n_positions`, its tokenizer a longest text, and neither means anything."""
    module = FAMILIES["T5ForConditionalGeneration"].model().eval()
    tokenizer = make_tokenizer("t5", model_max_length=512)
    model = wrap_model(module, tokenizer)
    source, target = model.encode("the " * 1801, target="the " * 700)
    assert target is not None
    assert (len(source.ids), source.axis.dropped) == (1802, 0)
    assert (len(target.ids), target.axis.dropped) == (701, 0)
