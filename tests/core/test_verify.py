"""The check finds right captures right, wrong ones wrong, and says where."""

import json
import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
import torch

from headscope.core.attention.capture.recorder import active_recorder
from headscope.core.errors import HeadscopeError
from headscope.core.forward.verify import verify
from headscope.core.models.load import load_model
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

SENTENCE = "the keys near the cabinet [MASK] rusty ."
STORY = "once upon a time a brave king named Tom lived in a castle ."


@contextmanager
def tampered(module: torch.nn.Module, change: Callable[[torch.Tensor], None]) -> Iterator[None]:
    """Of `module`'s output the capture sees something else than the model's own eager attention."""

    def hook(_module: torch.nn.Module, _args: object, output: torch.Tensor) -> torch.Tensor:
        if active_recorder() is None:
            return output
        other = output.clone()
        change(other)
        return other

    handle = module.register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def with_architecture(folder: Path, name: str) -> Path:
    """The same model as another class of transformers."""
    rewrite(folder / "config.json", architectures=[name])
    return folder


def rewrite(file: Path, **changes: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | changes), encoding="utf-8")


@pytest.mark.parametrize(
    ("source", "texts"),
    [
        ("toy:grammar", (SENTENCE,)),
        ("toy:grammar", ("Tom lost the red kite .", "he looked for the kite .")),
        ("toy:tales", (STORY,)),
        ("toy:tales", ("once",)),
    ],
)
def test_the_toys_are_exact(source: str, texts: tuple[str, ...]) -> None:
    report = verify(load_model(source, device="cpu", dtype="float32"), *texts)
    assert report.passed
    assert report.dtype == "float32"
    (kind,) = report.kinds
    assert kind.kind == ("encoder" if source == "toy:grammar" else "decoder")
    assert kind.difference == report.largest_difference <= kind.tolerance < 1e-4
    assert report.probability_difference <= report.probability_tolerance < 1e-3
    assert "largest difference" in str(report)
    assert "NOT" not in str(report)
    assert json.loads(json.dumps(asdict(report)))["kinds"][0]["tolerance"] == kind.tolerance


@pytest.mark.parametrize("family", ["t5", "bart"])
def test_an_encoder_decoder_is_compared_in_all_three_kinds(tmp_path: Path, family: str) -> None:
    model = load_model(str(write_encoder_decoder(tmp_path, family)), device="cpu", dtype="float32")
    report = verify(model, "the cat sat", target="on a mat")
    assert [kind.kind for kind in report.kinds] == ["encoder", "decoder", "cross"]
    assert report.passed
    assert report.largest_difference == max(kind.difference for kind in report.kinds)


@pytest.mark.parametrize("family", ["gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "bloom"])
def test_every_way_of_catching_is_checked(tmp_path: Path, family: str) -> None:
    report = verify(load_model(str(write_decoder(tmp_path, family)), device="cpu", dtype="float32"), "the cat sat on a mat")
    assert report.passed
    assert all(kind.tolerance < 1e-4 for kind in report.kinds)
    assert report.probability_difference is not None


@pytest.mark.parametrize("architecture", ["BertModel", "BertForPreTraining"])
def test_models_without_a_head_and_with_two(tmp_path: Path, architecture: str) -> None:
    folder = with_architecture(write_masked(tmp_path), architecture)
    report = verify(load_model(str(folder), device="cpu", dtype="float32"), "the cat sat", "on a mat")
    assert report.passed
    assert (report.probability_difference is None) == (architecture == "BertModel")
    assert ("predicted" in str(report)) == (architecture != "BertModel")


def test_a_single_token_tells_no_kind_and_is_compared_all_the_same(tmp_path: Path) -> None:
    rewrite(with_architecture(write_decoder(tmp_path, "gpt2"), "GPT2Model") / "tokenizer.json", post_processor=None)
    model = load_model(str(tmp_path), device="cpu", dtype="float32")
    assert len(model.encode("a")[0].ids) == 1
    report = verify(model, "a")
    assert report.passed
    assert [kind.kind for kind in report.kinds] == ["decoder"]


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_coarser_numbers_are_allowed_more(dtype: str) -> None:
    report = verify(load_model("toy:grammar", device="cpu", dtype=dtype), SENTENCE)
    assert report.dtype == dtype
    assert report.passed
    assert 1e-4 < report.largest_difference < report.kinds[0].tolerance <= 0.25
    assert dtype in str(report)


def test_a_key_that_is_caught_wrong_is_found_where_it_is() -> None:
    model = load_model("toy:grammar", device="cpu", dtype="float32")
    d_head = model.module.config.d_model // model.module.config.n_heads

    def change(keys: torch.Tensor) -> None:
        keys[:, 3, 2 * d_head : 3 * d_head] += 1.0  # the key of token 3 in head 2

    with tampered(model.module.encoder.blocks[1].attention.key, change):
        report = verify(model, SENTENCE)
    (kind,) = report.kinds
    assert not report.passed
    assert not kind.passed
    assert kind.difference == report.largest_difference > 0.01
    assert (kind.layer, kind.head, kind.key) == (1, 2, 3)
    right, wrong = (
        model.eager_attentions(model.inputs(model.encode(SENTENCE)[0]))["encoder"][1][0, 2].numpy(),
        captured_with(model, change)[2],
    )
    assert abs(right - wrong).max() == abs(right - wrong)[kind.query, 3] == pytest.approx(kind.difference, abs=kind.tolerance)
    assert "layer 1, head 2" in str(report)
    assert "NOT within the tolerance" in str(report)
    assert verify(model, SENTENCE).passed


def captured_with(model, change: Callable[[torch.Tensor], None]):
    with tampered(model.module.encoder.blocks[1].attention.key, change):
        return model.capture(SENTENCE).layer_weights(1, "encoder")


def test_an_error_in_one_head_of_a_decoders_first_layer_is_found() -> None:
    model = load_model("toy:tales", device="cpu", dtype="float32")
    with tampered(model.module.decoder.blocks[0].attention.query, lambda queries: queries[..., :24].mul_(1.001)):
        report = verify(model, STORY)
    assert not report.passed
    assert report.largest_difference < 0.01  # nobody would see it


def test_a_prediction_that_differs_is_found_even_if_the_attention_is_right() -> None:
    model = load_model("toy:grammar", device="cpu", dtype="float32")
    with tampered(model.module.vocabulary, lambda logits: logits[..., 7].add_(5.0)):
        report = verify(model, SENTENCE)
    assert report.kinds[0].passed
    assert report.probability_difference > report.probability_tolerance
    assert not report.passed


def test_numbers_that_are_none_never_pass(tmp_path: Path) -> None:
    """In a model without a head, whose prediction cannot tell."""
    model = load_model(str(with_architecture(write_masked(tmp_path), "BertModel")), device="cpu", dtype="float32")

    def change(keys: torch.Tensor) -> None:
        keys[:, 2, 16:32] = math.nan  # token 2, head 1

    with tampered(model.module.encoder.layer[0].attention.self.key, change):
        report = verify(model, "the cat sat")
    assert not report.passed
    assert math.isnan(report.largest_difference)
    assert (report.kinds[0].layer, report.kinds[0].head) == (0, 1)


def test_without_room_for_eager_matrices_they_are_not_made(monkeypatch: pytest.MonkeyPatch) -> None:
    """1.3 MB hold a captured pass over 128 tokens, which takes 1.1 MB, but not the matrices of 12 heads."""
    model = load_model("toy:tales", device="cpu", dtype="float32")
    text = " ".join([STORY] * 10)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=1_300_000))
    assert model.capture(text).n_layers("decoder") == 3
    with pytest.raises(HeadscopeError) as captured:
        verify(model, text)
    assert captured.value.code == "not_enough_memory"


def test_no_text_is_said_so() -> None:
    with pytest.raises(HeadscopeError) as captured:
        verify(load_model("toy:grammar", device="cpu"), "  ")
    assert captured.value.code == "empty_text"
