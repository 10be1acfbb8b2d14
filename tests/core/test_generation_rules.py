"""A model's own generation settings: what is written is what transformers' `generate` writes with them, token by token."""

from __future__ import annotations

import copy
import json
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers as hf
from transformers import GenerationConfig

from headscope.core import wrap_model
from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.model import Model
from headscope.core.models.hub import generation_settings as settings_reader
from headscope.core.models.hub.generation_settings import classified, generation_settings
from headscope.core.models.load import load_model
from headscope.core.options import RULES, BeamSearch, Rule, Sampling
from headscope.core.predict.live_filters import LiveFilters
from headscope.core.predict.results import BeamStep, FilterStage, GenerationStep
from headscope.core.predict.sampling import said, stages_of
from headscope.core.requests.models import LoadRequest
from headscope.core.requests.runs import GenerateRequest
from tests import allowed
from tests.generating import PROMPT, folder_of
from tests.tiny_models import letters_tokenizer, write_decoder

N_NEW = 6
LETTERS = 99
RULE_VALUES: dict[str, list[Any]] = {
    "sequence_bias": [[[[20], -9.0], [[30, 31], 4.0]], [[[40], 3.0]]],
    "encoder_repetition_penalty": [1.5, 0.5],
    "repetition_penalty": [1.3, 0.8],
    "no_repeat_ngram_size": [1, 2, 3],
    "encoder_no_repeat_ngram_size": [1, 2],
    "bad_words_ids": [[[20], [80], [98], [2]], [[84, 84], [70, 71]]],
    "min_length": [4, 20],
    "min_new_tokens": [3, 30],
    "forced_bos_token_id": [5, 60],
    "forced_eos_token_id": [2],
    "remove_invalid_values": [True],
    "exponential_decay_length_penalty": [[2, 1.5], [0, 3.0]],
    "suppress_tokens": [[20, 30, 80, 98], list(range(40, 99))],
    "begin_suppress_tokens": [[20, 80, 98]],
    "renormalize_logits": [True],
}
TOGETHER: list[dict[str, Any]] = [
    {"forced_bos_token_id": 60, "forced_eos_token_id": 2, "no_repeat_ngram_size": 2, "min_length": 5, "length_penalty": 2.0},
    {"forced_bos_token_id": 5, "begin_suppress_tokens": [20, 80, 98], "suppress_tokens": [6, 84], "repetition_penalty": 1.2},
    {"bad_words_ids": [[84]], "sequence_bias": [[[30], 2.0]], "encoder_repetition_penalty": 1.3, "repetition_penalty": 0.9}
    | {"renormalize_logits": True, "remove_invalid_values": True},
    {"exponential_decay_length_penalty": [1, 2.0], "min_new_tokens": 4, "encoder_no_repeat_ngram_size": 1},
    {"early_stopping": "never", "length_penalty": 1.5, "no_repeat_ngram_size": 1},
    {"early_stopping": True, "length_penalty": -1.0, "exponential_decay_length_penalty": [0, 1.2], "eos_token_id": [2, 30, 84]},
]
SMALL = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "vocab_size": LETTERS,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 2,
}
"""An encoder-decoder of BART's kin."""


@cache
def module_of(family: str) -> hf.PreTrainedModel:
    """A tiny model with sharp random weights; "encoder-decoder" is of two BERTs, and says nowhere how to begin or to end."""
    torch.manual_seed(1)
    kin = {"mbart": "MBart", "m2m100": "M2M100", "pegasus": "Pegasus", "marian": "Marian"}
    if family in kin:
        config = getattr(hf, f"{kin[family]}Config")(**SMALL)
        name = "MarianMTModel" if family == "marian" else f"{kin[family]}ForConditionalGeneration"
        module = getattr(hf, name)(config)
    elif family == "encoder-decoder":
        sizes = {"vocab_size": LETTERS, "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
        bert = hf.BertConfig(**sizes, intermediate_size=48, max_position_embeddings=64)
        module = hf.EncoderDecoderModel(hf.EncoderDecoderConfig.from_encoder_decoder_configs(bert, bert))
        module.generation_config.update(decoder_start_token_id=1, eos_token_id=2, pad_token_id=0)
    else:
        kind = hf.AutoModelForSeq2SeqLM if family in ("t5", "bart") else hf.AutoModelForCausalLM
        return kind.from_pretrained(folder_of(family), attn_implementation="eager").eval()
    for weights in module.parameters():
        if weights.dim() > 1:
            weights.data.normal_(std=0.3)
    return module.eval()


def with_settings(module: hf.PreTrainedModel, settings: dict[str, Any]) -> GenerationConfig:
    """A copy of a model's generation settings with others."""
    config = copy.deepcopy(module.generation_config)
    for name, value in settings.items():
        setattr(config, name, value)
    return config


def opened(module: hf.PreTrainedModel, settings: dict[str, Any]) -> Model:
    """By us, a copy with other generation settings."""
    ours = copy.deepcopy(module)
    ours.generation_config = with_settings(module, settings)
    return wrap_model(ours, letters_tokenizer(encoder_decoder=bool(module.config.is_encoder_decoder)))


def written_by_transformers(
    module: hf.PreTrainedModel, ids: tuple[int, ...], settings: dict[str, Any], **options: Any
) -> list[int]:
    source = torch.tensor([ids])
    config = with_settings(module, settings | {"do_sample": False, "max_length": None})
    before, module.generation_config = module.generation_config, config
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = module.generate(source, attention_mask=torch.ones_like(source), max_new_tokens=N_NEW, **options)
    finally:
        module.generation_config = before
    return answer[0, 1 if module.config.is_encoder_decoder else len(ids) :].tolist()


def assert_written(family: str, settings: dict[str, Any]) -> None:
    module = module_of(family)
    with opened(module, settings) as model:
        assert model.info.generation.unsupported == ()
        ids = model.encode(PROMPT)[0].ids
        greedy = [step.token.id for step in model.generate(PROMPT, max_new_tokens=N_NEW)]
        assert greedy == written_by_transformers(module, ids, settings, num_beams=1), settings
        *_, last = model.beam_search(PROMPT, n_beams=3, max_new_tokens=N_NEW)
        beams = [step.token.id for step in last.best.steps]
        assert beams == written_by_transformers(module, ids, settings, num_beams=3), settings


@pytest.mark.parametrize("family", ["gpt2", "marian"])
def test_with_each_rule_it_writes_what_transformers_writes(family: str) -> None:
    for name, values in RULE_VALUES.items():
        for value in values if family == "gpt2" else values[:1]:
            assert_written(family, {name: value})


@pytest.mark.parametrize("family", ["gpt2", "llama-grouped", "t5", "bart", "mbart", "m2m100", "pegasus", "encoder-decoder"])
def test_with_several_rules_it_writes_what_transformers_writes(family: str) -> None:
    for settings in TOGETHER if family in ("gpt2", "bart", "m2m100", "encoder-decoder") else TOGETHER[::2]:
        assert_written(family, settings)


@pytest.mark.parametrize("family", ["gpt2", "bart"])
def test_the_filters_of_each_step_lead_to_the_scores_that_transformers_chooses_by(family: str) -> None:
    module = module_of(family)
    for settings in (*TOGETHER, {"repetition_penalty": 1.4, "no_repeat_ngram_size": 2, "bad_words_ids": [[84], [30, 31]]}):
        with opened(module, settings) as model:
            source = torch.tensor([model.encode(PROMPT)[0].ids])
            mask = torch.ones_like(source)
            told = {"max_new_tokens": N_NEW, "num_beams": 1, "do_sample": False, "pad_token_id": 0}
            outside = copy.copy(module)
            outside.generation_config = with_settings(module, settings)
            answer = outside.generate(source, attention_mask=mask, return_dict_in_generate=True, output_scores=True, **told)
            for step, scores in zip(model.generate(PROMPT, max_new_tokens=N_NEW), answer.scores, strict=True):
                expected = scores[0].double().softmax(-1)
                found = torch.tensor(step.filters[-1].probabilities)
                wanted, rounding = expected[[each.id for each in step.candidates]], allowed.of_probabilities(scores, model)
                torch.testing.assert_close(found.double(), wanted, atol=rounding, rtol=0)
                assert step.filters[-1].n_kept == int((expected > 0).sum())


@pytest.mark.parametrize("name", ["typical_p", "epsilon_cutoff", "eta_cutoff", "top_h"])
@pytest.mark.parametrize("value", [0.05, 0.4, 0.9])
def test_rules_that_cut_leave_what_transformers_leaves(name: str, value: float) -> None:
    module = module_of("gpt2")
    settings = {"do_sample": True, "temperature": 3.0, "top_k": 30, "top_p": 0.98, "min_p": 0.001, name: value}
    with opened(module, settings) as model:
        assert [rule.name for rule in model.info.generation.rules] == [name]
        ids = torch.tensor([model.encode(PROMPT)[0].ids])
        outside = copy.copy(module)
        outside.generation_config = with_settings(module, settings)
        told = {"max_new_tokens": 1, "return_dict_in_generate": True, "output_scores": True, "pad_token_id": 0}
        scores = outside.generate(ids, attention_mask=torch.ones_like(ids), **told).scores[0][0].double()
        expected, rounding = scores.softmax(-1), allowed.of_probabilities(scores, model)
        step = next(model.generate(PROMPT))
        assert step.filters[-1].n_kept == int((expected > 0).sum())
        found = torch.tensor(step.filters[-1].probabilities, dtype=torch.float64)
        torch.testing.assert_close(found, expected[[each.id for each in step.candidates]], atol=rounding, rtol=0)


def test_filters_in_the_window_follow_the_rules_of_each_step_also_when_one_is_switched() -> None:
    settings = TOGETHER[0] | {"bad_words_ids": [[84]], "typical_p": 0.8, "repetition_penalty": 1.3}
    with opened(module_of("bart"), settings | {"do_sample": True, "temperature": 2.0}) as model:
        rules, sampling = model.info.generation.rules, model.info.generation.sampling
        for off in ("", "forced_bos_token_id", "bad_words_ids", "typical_p"):
            on = tuple(rule for rule in rules if rule.name != off)
            for step in model.generate(PROMPT, max_new_tokens=4, rules=on):
                read = [token.id for token in step.record.axis("decoder").queries.tokens]
                live = LiveFilters(step.prediction.logits, read, step.prediction.effects)
                ids = [each.id for each in step.candidates]
                assert_same_stages(live.filtered(sampling, ids, frozenset({off})).stages, step.filters)
                moved = replace(sampling, repetition_penalty=1.9, temperature=0.7)
                expected = stages_of(torch.from_numpy(step.prediction.logits), moved, read, step.prediction.effects)
                assert_same_stages(live.filtered(moved, ids).stages, said(expected, ids))


def assert_same_stages(one: Sequence[FilterStage], other: Sequence[FilterStage]) -> None:
    assert [(stage.name, stage.n_kept) for stage in one] == [(stage.name, stage.n_kept) for stage in other]
    for mine, theirs in zip(one, other, strict=True):
        assert mine.probabilities == pytest.approx(theirs.probabilities, abs=allowed.of_doubles())
        assert mine.mass == pytest.approx(theirs.mass, abs=allowed.of_doubles())


def test_rules_can_be_left_out_one_by_one_and_others_given() -> None:
    module = module_of("gpt2")
    settings = {"no_repeat_ngram_size": 1, "suppress_tokens": [20, 30, 80, 98]}
    with opened(module, settings) as model:
        ids = model.encode(PROMPT)[0].ids

        def written(**options: Any) -> list[int]:
            return [step.token.id for step in model.generate(PROMPT, max_new_tokens=N_NEW, **options)]

        assert written(rules=()) == written_by_transformers(module, ids, {})
        without = written(without_rules=["suppress_tokens"])
        assert without == written_by_transformers(module, ids, {"no_repeat_ngram_size": 1})
        assert written(rules=[Rule("min_length", 40)]) == written_by_transformers(module, ids, {"min_length": 40})
        with pytest.raises(HeadscopeError) as refusal:
            model.generate(PROMPT, without_rules=["min_length"])
        assert "no_repeat_ngram_size" in refusal.value.message
        with pytest.raises(HeadscopeError, match="no_repeat_ngram_size"):
            next(model.generate(PROMPT, rules=[Rule("no_repeat_ngram_size", "x")]))
        everything = [Rule("suppress_tokens", tuple(range(LETTERS)))]
        for steps in (model.generate(PROMPT, rules=everything), model.beam_search(PROMPT, rules=everything)):
            with pytest.raises(HeadscopeError) as refusal:
                next(steps)
            assert refusal.value.code == "no_token_left"


# ---------------------------------------------------------------- reading the settings
def test_every_field_of_transformers_settings_is_used_harmless_or_named() -> None:
    module = module_of("gpt2")
    fields = {*GenerationConfig().to_dict(), "field_of_a_newer_release"}
    odd = {name: "surprise" for name in fields if classified(name) == "named"}
    harmless = {name: "surprise" for name in fields if classified(name) == "harmless"}
    known = {**_fields_of("_STARTS"), **_fields_of("_HARMLESS"), **_fields_of("_NEUTRAL"), **dict.fromkeys(RULES)}
    assert fields - known.keys() <= {"field_of_a_newer_release", "continuous_batching_config"}, (
        "transformers 5.23 has no others"
    )
    values = GenerationConfig().to_dict() | odd | harmless
    settings = generation_settings(values, n_vocabulary=LETTERS, end_ids=frozenset({2}), named=str, is_encoder_decoder=False)
    assert {each.partition(":")[0] for each in settings.unsupported} == odd.keys()
    assert "field_of_a_newer_release: surprise" in settings.unsupported
    assert opened(module, {}).info.generation.unsupported == ()
    assert opened(module, {"field_of_a_newer_release": 3}).info.generation.unsupported == ("field_of_a_newer_release: 3",)


@pytest.mark.parametrize("made_from_a_configuration", [True, False])
def test_keys_that_transformers_does_not_know_are_named_whatever_the_file_was_made_from(
    tmp_path: Path, made_from_a_configuration: bool
) -> None:
    """transformers forgets them where the file says so, as most files do."""
    folder = tmp_path / "gpt2"
    shutil.copytree(folder_of("gpt2"), folder)
    file = folder / "generation_config.json"
    content = {**json.loads(file.read_text()), "_from_model_config": made_from_a_configuration}
    file.write_text(json.dumps(content | {"forced_decoder_ids": [[1, 20]], "my_rule": 3}))
    unsupported = load_model(str(folder), device="cpu", dtype="float32").info.generation.unsupported
    assert {"forced_decoder_ids: [[1, 20]]", "my_rule: 3"} <= set(unsupported)


def _fields_of(table: str) -> dict[str, None]:
    return dict.fromkeys(getattr(settings_reader, table))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("no_repeat_ngram_size", "two"),
        ("suppress_tokens", "abc"),
        ("forced_bos_token_id", 10**6),
        ("forced_eos_token_id", -4),
        ("bad_words_ids", [3]),
        ("bad_words_ids", [[10**6]]),
        ("sequence_bias", {"a": 1}),
        ("exponential_decay_length_penalty", 3),
        ("min_length", -1),
        ("encoder_repetition_penalty", 0),
        ("typical_p", 7),
        ("temperature", float("nan")),
        ("temperature", -1),
        ("top_p", 3.0),
        ("num_beams", "many"),
        ("num_beams", 10**9),
        ("length_penalty", 1e9),
        ("stop_strings", [3]),
        ("stop_strings", 3),
        ("eos_token_id", "x"),
        ("decoder_start_token_id", [None]),
        ("do_sample", "perhaps"),
    ],
)
def test_a_value_that_cannot_be_is_named_and_left_out(name: str, value: Any) -> None:
    values = GenerationConfig().to_dict() | {"do_sample": True, name: value}
    settings = generation_settings(values, n_vocabulary=LETTERS, end_ids=frozenset({2}), named=str, is_encoder_decoder=True)
    (line,) = settings.unsupported
    assert line.startswith(f"{name}: ")
    assert settings.rules == ()
    assert settings.sampling == (Sampling() if name == "do_sample" else Sampling(temperature=1.0, top_k=50))
    assert (settings.beams, settings.stop) == (BeamSearch(), ())


def test_where_fields_start_is_what_the_settings_say() -> None:
    values = {"do_sample": True, "temperature": 0.6, "top_p": 0.001, "top_k": 20, "min_p": 0.05, "repetition_penalty": 1.05}
    with opened(module_of("gpt2"), values | {"stop_strings": ["END", "."], "max_new_tokens": 77}) as model:
        own = model.info.generation
        assert own.sampling == Sampling(0.6, top_k=20, top_p=0.001, min_p=0.05, repetition_penalty=1.05)
        assert (own.stop, own.new_tokens(5)) == (("END", "."), 77)
        assert next(model.generate(PROMPT)).filters != next(model.generate(PROMPT, temperature=0)).filters
    with opened(module_of("gpt2"), values | {"do_sample": False, "max_length": 30}) as model:
        assert model.info.generation.sampling.temperature == 0
        assert len(list(model.generate(PROMPT, rules=(), stop=()))) <= 30 - len(model.encode(PROMPT)[0].ids)
    with opened(
        module_of("bart"), {"num_beams": 5, "length_penalty": 2.0, "early_stopping": "never", "max_length": 12}
    ) as model:
        assert model.info.generation.beams == BeamSearch(5, 2.0, "never")
        assert model.info.generation.new_tokens(1) == 11
        with opened(module_of("bart"), {"num_beams": 5, "do_sample": True}) as drawing:
            assert drawing.info.generation.unsupported[0].startswith("do_sample")


@pytest.mark.parametrize("as_generation_config", [True, False])
@pytest.mark.parametrize("family", ["gpt2", "bart"])
def test_a_folder_writes_what_its_own_settings_say_wherever_they_stand(
    tmp_path: Path, family: str, as_generation_config: bool
) -> None:
    folder = tmp_path / family
    shutil.copytree(folder_of(family), folder)
    settings = {"no_repeat_ngram_size": 2, "min_length": 6, "num_beams": 3, "length_penalty": 0.5, "max_length": 20}
    settings |= {"bad_words_ids": [[84]]} | ({"forced_bos_token_id": 60} if family == "bart" else {"repetition_penalty": 1.2})
    name = "generation_config.json" if as_generation_config else "config.json"
    if not as_generation_config:  # as folders of years ago
        (folder / "generation_config.json").unlink()
    content = json.loads((folder / name).read_text()) | settings | {"task_specific_params": {"summary": {"num_beams": 9}}}
    (folder / name).write_text(json.dumps(content))
    kind = hf.AutoModelForSeq2SeqLM if family == "bart" else hf.AutoModelForCausalLM
    outside = kind.from_pretrained(folder, attn_implementation="eager").eval()
    model = load_model(str(folder), device="cpu", dtype="float32")
    source = torch.tensor([model.encode(PROMPT)[0].ids])
    expected = outside.generate(source, attention_mask=torch.ones_like(source), pad_token_id=0)[0].tolist()

    engine = Engine()
    engine.handle(LoadRequest(str(folder), device="cpu", dtype="float32"), Job(), lambda _: None)
    steps: list[object] = []
    engine.handle(GenerateRequest(PROMPT), Job(), steps.append)
    written = [step.token.id for step in steps if isinstance(step, GenerationStep)]
    assert written == expected[1 if family == "bart" else source.shape[1] :]
    assert any(isinstance(step, BeamStep) for step in steps)


def test_an_encoder_decoder_begins_and_ends_as_its_settings_say() -> None:
    module = module_of("encoder-decoder")
    for starts, expected in (
        ({"decoder_start_token_id": 5, "bos_token_id": 6}, 5),
        ({"decoder_start_token_id": [7]}, 7),
        ({"decoder_start_token_id": None, "bos_token_id": 6}, 6),
    ):
        with opened(module, starts) as model:
            assert model.encode(PROMPT)[1].ids == (expected,)
            assert_written("encoder-decoder", {"decoder_start_token_id": expected, "eos_token_id": [2, 93]})
    with opened(module, {"decoder_start_token_id": None, "eos_token_id": None}) as model:
        assert model.tokenizer.end_ids == frozenset(), "nothing ends a text, as with transformers"
        assert len(list(model.generate(PROMPT, max_new_tokens=5))) == 5
    bert = word_piece_bert()
    with wrap_model(*bert) as model:
        assert model.encode("the cat")[1].axis.tokens[0].text == "[CLS]", "not [PAD]"


def word_piece_bert() -> tuple[hf.PreTrainedModel, hf.PreTrainedTokenizerBase]:
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "the", "cat"]
    sizes = {"vocab_size": len(words), "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    bert = hf.BertConfig(**sizes, intermediate_size=48, max_position_embeddings=64)
    config = hf.EncoderDecoderConfig.from_encoder_decoder_configs(bert, bert)
    return hf.EncoderDecoderModel(config), hf.BertTokenizer(vocab={word: index for index, word in enumerate(words)})


def test_a_setting_that_is_left_out_is_named_in_a_short_line_whatever_it_is_called(tmp_path) -> None:
    folder = write_decoder(tmp_path / "model")
    (folder / "generation_config.json").write_text(json.dumps({"\x1b[31m\u202e" + "k" * 10_000: "\x1b]0;x\x07" + "v" * 10_000}))
    (named,) = load_model(str(folder)).info.generation.unsupported
    assert named.isprintable()
    assert named.startswith("�[31m�kkk")
    assert len(named) < 300
