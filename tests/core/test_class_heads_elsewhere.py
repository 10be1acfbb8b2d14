"""Heads for classes in models that read in a way of their own: each says what plain transformers says of its tokenizer's inputs."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.errors import HeadscopeError
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.models.verify_outside import verify_outside
from headscope.core.numerics import half_digits
from tests.classifying import write
from tests.golden.every_family import EXCEPTIONS
from tests.golden.shrink import tiny_config
from tests.make_tokenizer import write_tokenizer

ALIKE = half_digits(torch.float32)
TEXT, PAIR = "the cat is of life.", "the goal of play is happiness."


def written(folder: Path, name: str, *, decoder: bool = False, **settings: Any) -> Path:
    """A tiny model of the class, with its own kind of tokenizer."""
    kind = getattr(hf, name)
    exceptions = EXCEPTIONS.get(kind.config_class.model_type, {})
    config = tiny_config(kind.config_class, decoder=decoder, exceptions={**exceptions, **settings})
    torch.manual_seed(0)
    model = kind(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.copy_(torch.randn(parameter.shape) * 1.2 / parameter[0].numel() ** 0.5)
    model.save_pretrained(folder)
    write_tokenizer(config, folder)
    return folder


def opened(folder: Path) -> Model:
    return load_model(str(folder), device="cpu", dtype="float32")


def plain(folder: Path, name: str, text: str, pair: str | None = None) -> torch.Tensor:
    """The logits of what the tokenizer returns for a text, all of it."""
    model = getattr(hf, name).from_pretrained(folder, attn_implementation="eager").eval()
    given = hf.AutoTokenizer.from_pretrained(folder)(text, pair, return_tensors="pt", return_token_type_ids=True)
    accepted = inspect.signature(model.forward).parameters
    with torch.inference_mode():
        return model(**{key: value for key, value in given.items() if key in accepted}).logits[0]


@pytest.mark.parametrize("pair", [None, PAIR])
@pytest.mark.parametrize(
    "name", ["RoCBertForSequenceClassification", "BioGptForSequenceClassification", "Zamba2ForSequenceClassification"]
)
def test_a_class_is_what_transformers_says_of_all_that_the_tokenizer_returns(
    tmp_path: Path, name: str, pair: str | None
) -> None:
    """RoCBert also reads how characters look and sound; BioGPT and Zamba 2 take `logits_to_keep`, and then look among too few rows."""
    model = opened(written(tmp_path, name, num_labels=3))
    (prediction,) = model.run(TEXT, pair).predictions
    np.testing.assert_allclose(prediction.logits, plain(tmp_path, name, TEXT, pair), atol=ALIKE, rtol=ALIKE)
    assert model.capture(TEXT, pair).kinds


def test_shapes_and_sounds_of_masked_words_are_theirs_also_to_eager(tmp_path: Path) -> None:
    name, text = "RoCBertForMaskedLM", "the [MASK] is of life"
    folder = written(tmp_path, name)
    model = opened(folder)
    (prediction,) = model.fill_mask(text, top_k=3)
    logits = plain(folder, name, text)[prediction.position]
    assert [each.id for each in prediction.candidates] == logits.topk(3).indices.tolist()
    kept = model.inputs(*model.encode(text))
    with torch.inference_mode():
        without = model.module(**kept).logits[0, prediction.position]
    assert (without - logits).abs().max() > 0.1  # they matter
    ours, eager = model.capture(text).attention_weights(1, 2), model.eager_attentions(kept)["encoder"][1][0, 2]
    np.testing.assert_allclose(ours, eager, atol=ALIKE)
    assert verify_outside(str(folder), text, device="cpu").passed


def test_the_tags_of_t5gemma_are_those_of_the_decoder_that_reads_the_text_again(tmp_path: Path) -> None:
    name = "T5GemmaForTokenClassification"
    model = opened(written(tmp_path, name, num_labels=3))
    found = model.run(TEXT).predictions
    own = plain(tmp_path, name, TEXT)
    assert len(found) == sum(not token.special for token in model.encode(TEXT)[0].axis.tokens)
    for each in found:
        np.testing.assert_allclose(each.logits, own[each.position], atol=ALIKE, rtol=ALIKE)


def test_ids_without_the_end_that_a_class_is_read_at_are_refused(tmp_path: Path) -> None:
    model = opened(write(tmp_path, "BartForSequenceClassification", num_labels=3))
    assert model.capture([20, 21, 3]).kinds
    with pytest.raises(HeadscopeError) as raised:
        model.capture([20, 21, 22])
    assert raised.value.code == "no_end_token"


@pytest.mark.parametrize(
    ("name", "code"),
    [("LongformerForQuestionAnswering", "no_attention"), ("T5ForQuestionAnswering", "architecture_unsupported")],
)
def test_what_cannot_run_on_a_text_alone_says_so(tmp_path: Path, name: str, code: str) -> None:
    """Longformer's looks for its separators before it looks at anything; this T5's configuration does not say where to begin."""
    with pytest.raises(HeadscopeError) as raised:
        opened(written(tmp_path, name))
    assert raised.value.code == code


def test_a_text_has_no_places_on_a_page_and_the_outsider_says_of_no_word_that_it_is_another(tmp_path: Path) -> None:
    """MarkupLM's offsets begin anew with each word, also where each word is one token; its tokenizer makes up a place for each."""
    folder = written(tmp_path, "MarkupLMModel")
    assert "without positions on a page" in opened(folder).info.note
    report = verify_outside(str(folder), "the cat is of life", device="cpu")
    assert report.passed
    assert any("text of each token" in left for left in report.not_compared)
