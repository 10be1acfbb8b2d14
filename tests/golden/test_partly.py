"""Models of which a part has no maps: what is there is shown, the rest is explained; the whole way from a folder to the record."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from headscope.core import Model, load_model
from headscope.core.errors import HeadscopeError
from headscope.core.forward.verify import verify
from tests import allowed
from tests.golden.every_family import every_family
from tests.golden.families import built
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

FAMILIES = {family.name: family for family in every_family()}


def loaded(folder: Path, name: str) -> Model:
    """A model of this class, with a tokenizer of letters or word pieces."""
    family = FAMILIES[name]
    write = {"next token": write_decoder, "text to text": write_encoder_decoder}.get(family.purpose, write_masked)
    built(family).save_pretrained(write(folder))
    return load_model(str(folder), device="cpu", dtype="float32")


@pytest.mark.parametrize(
    "name", ["LEDForConditionalGeneration", "LongT5ForConditionalGeneration", "PegasusXForConditionalGeneration"]
)
def test_an_encoder_that_attends_in_bands_is_left_out_and_said_so(tmp_path: Path, name: str) -> None:
    model = loaded(tmp_path, name)
    assert set(model.info.layers) == {"decoder", "cross"}
    assert model.info.note == (
        "Its encoder attention cannot be shown. It attends in bands around each token, so there is no tokens × tokens map."
    )
    record = model.capture("cats", target="dogs")
    assert record.kinds == ("decoder", "cross")
    assert record.layer_weights(0, "cross").sum(-1) == pytest.approx(1, abs=allowed.of_sums())
    assert verify(model, "cats", target="dogs").passed
    with pytest.raises(HeadscopeError, match="no encoder attention"):
        record.attention_weights(0, 0, "encoder")


@pytest.mark.parametrize(
    ("name", "n_shown"), [("JambaForCausalLM", 1), ("RecurrentGemmaForCausalLM", 1), ("Qwen3NextForCausalLM", 1)]
)
def test_a_hybrid_shows_the_layers_that_attend(tmp_path: Path, name: str, n_shown: int) -> None:
    model = loaded(tmp_path, name)
    assert model.info.layers == {"decoder": (n_shown, 4)}
    assert model.info.note.startswith(f"{n_shown} of its 3 layers attend and are shown;")
    assert verify(model, "cats").passed


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("MambaForCausalLM", "Its layers are state-space layers, which have no attention weights."),
        ("RwkvForCausalLM", "Its layers are recurrent and have no attention weights."),
        ("LongformerForMaskedLM", "It attends in bands around each token, so there is no tokens × tokens map."),
        ("FunnelForMaskedLM", "Its later layers attend among pooled tokens, so there is no tokens × tokens map."),
        (
            "ReformerForMaskedLM",
            "It attends within chunks of tokens chosen by a hash, so there is no tokens × tokens map.",
        ),
        ("FNetForMaskedLM", "It mixes tokens by Fourier transforms, which have no weights."),
    ],
)
def test_a_model_without_maps_is_refused_in_a_sentence_that_says_why(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(HeadscopeError) as refused:
        loaded(tmp_path, name)
    assert refused.value.code == "no_attention"
    assert refused.value.message.endswith(f" has no attention weights to show. {reason}")


def test_layers_that_do_not_say_that_they_look_both_ways_do(tmp_path: Path) -> None:
    """LayoutLM's: transformers takes a layer that says nothing for a decoder's."""
    model = loaded(tmp_path, "LayoutLMForMaskedLM")
    record = model.capture("the cat sat on a mat")
    assert record.kinds == ("encoder",)
    assert np.triu(record.layer_weights(0, "encoder"), 1).max() > 0.05
    assert verify(model, "the cat sat on a mat").passed


def test_a_squeezebert_shows_weights_and_not_the_scores_it_returns(tmp_path: Path) -> None:
    record = loaded(tmp_path, "SqueezeBertForMaskedLM").capture("the cat sat on a mat")
    assert record.layer_weights(1, "encoder").sum(-1) == pytest.approx(1, abs=allowed.of_sums())
