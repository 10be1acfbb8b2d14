"""Languages by name: the source is encoded and the answer begins as with transformers' tokenizers told the same."""

from __future__ import annotations

import copy
from functools import cache
from typing import Any

import pytest
import torch
import transformers as hf

from headscope.core import load_model, wrap_model
from headscope.core.errors import HeadscopeError
from headscope.core.model import Model
from headscope.core.options import Languages
from headscope.core.predict.languages import named_languages
from tests.make_tokenizer import make_tokenizer

SIZES: dict[str, Any] = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "max_position_embeddings": 64,
    "scale_embedding": False,
}
CLASSES = {
    "mbart": (hf.MBartTokenizer, "MBart", "fr_XX", "de_DE"),
    "mbart50": (hf.MBart50Tokenizer, "MBart", "fr_XX", "de_DE"),
    "nllb": (hf.NllbTokenizer, "M2M100", "fra_Latn", "eng_Latn"),
    "m2m_100": (hf.M2M100Tokenizer, "M2M100", "fr", "de"),
    "plbart": (hf.PLBartTokenizer, "PLBart", "__python__", "__java__"),
}
TEXT = "the cat is happiness"


@cache
def pair_of(name: str) -> tuple[hf.PreTrainedModel, Any]:
    """A tiny model and a tokenizer of its class, as transformers has them."""
    kind, model, *_ = CLASSES[name]
    tokenizer = make_tokenizer(kind)
    torch.manual_seed(0)
    languages = getattr(tokenizer, "lang_code_to_id", {}).values()  # M2M100's are not in its vocabulary
    size = max(*tokenizer.get_vocab().values(), *languages) + 1
    config = getattr(hf, f"{model}Config")(**SIZES, vocab_size=size, pad_token_id=1, decoder_start_token_id=2)
    module = getattr(hf, f"{model}ForConditionalGeneration")(config).eval()
    for weights in module.parameters():
        if weights.dim() > 1:
            weights.data.normal_(std=0.3)
    return module, tokenizer


def opened(module: hf.PreTrainedModel, tokenizer: Any) -> Model:
    """By us, a copy."""
    return wrap_model(copy.deepcopy(module), tokenizer)


@pytest.mark.parametrize("name", CLASSES)
def test_source_and_answer_are_those_of_transformers(name: str) -> None:
    module, tokenizer = pair_of(name)
    *_, source, target = CLASSES[name]
    with opened(module, tokenizer) as model:
        choice = model.info.languages
        assert choice.has_source
        assert {source, target} <= {each.code for each in choice.languages}
        before = model.encode(TEXT)[0].ids
        for code in (source, target):
            outside = make_tokenizer(CLASSES[name][0])
            outside.src_lang = code
            assert list(model.encode(TEXT, languages=Languages(source=code))[0].ids) == outside(TEXT).input_ids
        assert model.encode(TEXT)[0].ids == before, "the tokenizer is as it was"

        outside = make_tokenizer(CLASSES[name][0])
        outside.src_lang = source
        ids = outside(TEXT, return_tensors="pt")
        first = outside.convert_tokens_to_ids(getattr(outside, "lang_code_to_token", {}).get(target, target))
        expected = module.generate(**ids, forced_bos_token_id=first, max_new_tokens=6, do_sample=False)[0, 1:].tolist()
        steps = list(model.generate(TEXT, source_language=source, target_language=target, max_new_tokens=6))
        assert [step.token.id for step in steps] == expected
        assert steps[0].token.id == first
        assert [stage.name for stage in steps[0].filters] == ["model", "forced_bos_token_id"]
        *_, last = model.beam_search(TEXT, source_language=source, target_language=target, n_beams=2, max_new_tokens=6)
        told = {"num_beams": 2, "do_sample": False, "max_new_tokens": 6}
        assert [step.token.id for step in last.best.steps] == module.generate(**ids, forced_bos_token_id=first, **told)[
            0, 1:
        ].tolist()


@pytest.mark.parametrize("name", ["mbart50", "nllb", "m2m_100"])
def test_a_decoder_s_text_has_the_language_s_token_that_it_is_trained_with(name: str) -> None:
    module, tokenizer = pair_of(name)
    *_, source, target = CLASSES[name]
    with opened(module, tokenizer) as model:
        read = model.encode(TEXT, target="the goal", languages=Languages(source, target))[1]
        outside = make_tokenizer(CLASSES[name][0])
        outside.src_lang, outside.tgt_lang = source, target
        labels = outside(text_target="the goal", return_tensors="pt").input_ids
        assert read is not None
        assert list(read.ids) == [2, *labels[0, :-1].tolist()]


def test_a_setting_for_the_first_token_is_a_language_too() -> None:
    module, tokenizer = pair_of("mbart50")
    ours = copy.deepcopy(module)
    ours.generation_config.forced_bos_token_id = tokenizer.lang_code_to_id["ro_RO"]
    with wrap_model(ours, tokenizer) as model:
        assert (model.info.languages.source, model.info.languages.target) == ("en_XX", "ro_RO")
        assert model.info.generation.rules[0].words == ("ro_RO",)
        assert next(model.generate(TEXT)).token.text == "ro_RO"
        assert next(model.generate(TEXT, target_language="French")).token.text == "fr_XX"
        assert next(model.generate(TEXT, rules=())).token.text != "ro_RO"


def test_marian_is_told_by_a_word_before_the_text() -> None:
    tokenizer = make_tokenizer("marian")
    torch.manual_seed(0)
    size = max(tokenizer.get_vocab().values()) + 1
    module = hf.MarianMTModel(hf.MarianConfig(**SIZES, vocab_size=size, pad_token_id=1, decoder_start_token_id=1)).eval()
    with opened(module, tokenizer) as model:
        assert [(each.code, each.name) for each in model.info.languages.languages] == [(">>fra<<", "French")]
        source = model.encode(TEXT, languages=Languages(target=">>fra<<"))[0]
        assert list(source.ids) == tokenizer(f">>fra<< {TEXT}").input_ids
        assert source.axis.text == TEXT
        words = [TEXT[token.start : token.end] for token in source.axis.tokens if not token.special]
        assert "".join(words) == TEXT.replace(" ", "")
        written = [step.token.id for step in model.generate(TEXT, target_language="French", max_new_tokens=5)]
        ids = torch.tensor([source.ids])
        expected = module.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=5, do_sample=False)
        assert written == expected[0, 1:].tolist()
        with pytest.raises(HeadscopeError) as refusal:
            model.generate(TEXT, source_language="French")
        assert refusal.value.code == "no_source_language"


def test_names_are_readable_and_unknown_codes_stay() -> None:
    names = {
        each.code: each.name
        for each in named_languages(["en_XX", "fra_Latn", "__java__", ">>deu<<", "zho_Hans", "zho_Hant", "qqq"])
    }
    assert names == {
        "en_XX": "English",
        "fra_Latn": "French",
        "__java__": "Java",
        ">>deu<<": "German",
        "zho_Hans": "Chinese (zho_Hans)",
        "zho_Hant": "Chinese (zho_Hant)",
        "qqq": "qqq",
    }


def test_languages_that_are_not_there_are_refused_in_a_sentence() -> None:
    with wrap_model(*pair_of("mbart50")) as model:
        assert model.languages("french", "DE_de") == Languages("fr_XX", "de_DE")
        assert model.languages("fr") == Languages("fr_XX")
        with pytest.raises(HeadscopeError) as refusal:
            model.generate(TEXT, target_language="Klingon")
        assert refusal.value.code == "unknown_language"
        with pytest.raises(HeadscopeError) as refusal:
            model.encode(TEXT, languages=Languages("tlh"))
        assert refusal.value.code == "unknown_language"
    toy = load_model("toy:tales")
    for ask in (lambda: toy.generate(TEXT, target_language="French"), lambda: toy.encode(TEXT, languages=Languages("fr"))):
        with pytest.raises(HeadscopeError) as refusal:
            ask()
        assert refusal.value.code == "no_languages"
