"""What a pass needs is known before it runs; what would fit instead is offered, in order, and does fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from headscope.core import load_model
from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import HeadscopeError
from headscope.core.forward import budget
from headscope.core.forward.budget import check_pass, estimate, offers
from headscope.core.keep import KEEP_ALL, Keep
from headscope.core.model import Model
from headscope.core.numerics import rounding

SENTENCE = "the keys near the cabinet [MASK] rusty ."
STORY = "once upon a time a brave mouse named Mia lived in a castle . " * 9


@pytest.fixture(scope="module")
def grammar() -> Model:
    return load_model("toy:grammar", device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def tales() -> Model:
    return load_model("toy:tales", device="cpu", dtype="float32")


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch):
    """Says how much memory is free, for there is no small computer at hand."""

    def set_free(device: int, host: int | None = None) -> None:
        monkeypatch.setattr(budget, "free_memory", lambda place: device if host is None or place.type != "cpu" else host)

    return set_free


class Elsewhere:
    """A model as if it were on an accelerator: nothing is run on it."""

    def __init__(self, model: Model) -> None:
        self.info, self.module = replace(model.info, device="cuda:0"), model.module
        self.widths = model.widths
        self.place = torch.device("cuda:0")


def lengths_of(model: Model, n: int):
    return dict.fromkeys(model.info.layers, (n, n))


def test_the_estimate_of_the_record_is_what_the_record_takes(tales: Model, grammar: Model) -> None:
    for model, text in ((tales, STORY), (grammar, SENTENCE)):
        record = model.capture(text)
        n = len(record.axis(record.kinds[0]).queries)
        found = estimate(model, lengths_of(model, n), KEEP_ALL, for_screen=False).record
        assert found == pytest.approx(record.nbytes, rel=0.1)
        half = model.capture(text, keep=Keep(half=True))
        found = estimate(model, lengths_of(model, n), Keep(half=True), for_screen=False).record
        assert found == pytest.approx(half.nbytes, rel=0.1)
        found = estimate(model, lengths_of(model, n), KEEP_ALL).record
        assert found == pytest.approx(model.run(text).record.nbytes, rel=0.1), "with the values"


def test_a_pass_that_fits_is_run(tales: Model, free) -> None:
    source, _ = tales.encode(STORY)
    needed = estimate(tales, lengths_of(tales, len(source.ids)), KEEP_ALL, for_screen=False).needed
    free(needed)
    tales.observe(source)
    with pytest.raises(HeadscopeError):
        check_pass(tales, source, None, KEEP_ALL)  # the screen needs room for pictures too
    free(needed - 1)
    with pytest.raises(HeadscopeError) as captured:
        tales.observe(source)
    assert captured.value.code == "not_enough_memory"
    assert str(captured.value.offers[0]) in str(captured.value), "the command line names them"


def test_offers_come_in_order_and_fit(tales: Model, free) -> None:
    source, _ = tales.encode(STORY)
    lengths = lengths_of(tales, len(source.ids))
    everything = estimate(tales, lengths, KEEP_ALL)
    free(everything.needed - everything.record // 4)
    found = list(offers(tales, source, None, KEEP_ALL))
    assert [str(offer) for offer in found[:2]] == ["keep the record in half precision", "keep only 2 layers"]
    assert all(estimate(tales, lengths, offer.keep).fits for offer in found[:2])
    (shorter,) = found[2:]
    assert STORY.startswith(shorter.text)
    again, _ = tales.encode(shorter.text)
    assert len(again.ids) == shorter.n_tokens < len(source.ids)
    check_pass(tales, again, None, KEEP_ALL)
    assert not estimate(tales, lengths_of(tales, shorter.n_tokens + 1), KEEP_ALL).fits, "the longest that fits"


def test_what_costs_nothing_comes_first_on_an_accelerator(tales: Model, free) -> None:
    elsewhere, (source, _) = Elsewhere(tales), tales.encode(STORY)
    free(2**40, host=2**40)
    everything = estimate(elsewhere, lengths_of(tales, len(source.ids)), KEEP_ALL)
    free(everything.forward + 1, host=2**40)
    found = list(offers(elsewhere, source, None, KEEP_ALL))
    assert found[0].keep == Keep("host")
    assert found[1].keep == Keep("host", half=True)
    assert estimate(elsewhere, lengths_of(tales, len(source.ids)), found[0].keep).fits


def test_where_nothing_helps_nothing_is_offered(tales: Model, free) -> None:
    source, _ = tales.encode("once upon a time")
    free(0)
    with pytest.raises(HeadscopeError) as captured:
        tales.capture("once upon a time")
    assert captured.value.offers == ()
    assert captured.value.remedy == "Shorten the text."
    assert len(source.ids) > 0


# ---------------------------------------------------------------- keeping less
def test_a_record_in_half_precision_is_half_as_large_and_right_to_three_digits(tales: Model) -> None:
    whole, half = tales.capture(STORY), tales.capture(STORY, keep=Keep(half=True))
    assert half.nbytes == whole.nbytes / 2
    assert (half.dtype, half.kept.half, whole.dtype) == ("float16", True, "float32")
    difference = np.abs(half.layer_weights(1, "decoder") - whole.layer_weights(1, "decoder")).max()
    assert 0 < difference < 5e-3


def test_numbers_too_large_for_float16_are_kept_as_bfloat16() -> None:
    from headscope.core.attention.kept.keeping import kept
    from headscope.core.attention.kept.layer import LazyLayer
    from headscope.core.attention.kept.visibility import Visibility

    query = torch.tensor([[[[1e5], [1.0]]]])
    layer = kept(LazyLayer(query, query / 1e5, 1.0, (Visibility(range(2), range(2)),)), 0, Keep(half=True))
    assert layer.query.dtype == torch.bfloat16
    assert layer.weights(range(2), batch=0, head=0).isfinite().all()


def test_only_some_layers_are_kept_and_the_others_say_so(tales: Model) -> None:
    whole, some = tales.capture(STORY), tales.capture(STORY, keep=Keep(layers=(0, 2)))
    assert some.kept_layers("decoder") == (0, 2)
    assert some.n_layers("decoder") == 3
    assert some.nbytes < whole.nbytes
    np.testing.assert_array_equal(some.attention_weights(2, 1), whole.attention_weights(2, 1))
    for ask in (
        lambda: some.attention_weights(1, 0),
        lambda: some.layer_weights(1, "decoder"),
        lambda: some.pooled(1, 0, height=4, width=4),
        lambda: next(some.overview(1, 0, "decoder")),
    ):
        with pytest.raises(HeadscopeError) as captured:
            ask()
        assert (
            str(captured.value)
            == "The attention of layer 1 was not kept. Choose one of the layers 0, 2, or run again and keep this one."
        )
    assert [layer for layer, _ in some.thumbnails("decoder")] == [0, 2]


def test_a_model_of_its_own_kind_keeps_less_of_its_matrices_too() -> None:
    from tests.golden.families import FAMILIES, built

    (family,) = (family for family in FAMILIES if family.name == "bloom")
    model = built(family)
    from headscope.core.attention.capture.fallback import recorder_for
    from headscope.core.models.hub import attention

    assert attention.install(model) == "fallback"
    recorder = recorder_for(model, "fallback", keep=Keep(half=True, layers=(1,)))
    with torch.inference_mode(), recorder.recording():
        model(input_ids=torch.zeros((1, 5), dtype=torch.long))
    (layers,) = recorder.layers.values()
    assert layers[0].tensors == ()
    assert layers[1].tensors[0].dtype == torch.float16
    assert layers[1].weights(range(5), batch=0, head=0).sum(-1) == pytest.approx(np.ones((1, 5)), abs=rounding(torch.float16))


def test_memory_that_runs_out_in_a_pass_is_said_and_model_and_record_stay_usable(tales: Model) -> None:
    before = tales.capture(STORY)

    def greedy(*_: object) -> None:
        torch.empty(2**60)

    hook = next(iter(tales.module.children())).register_forward_hook(greedy)
    with pytest.raises(HeadscopeError) as captured:
        tales.capture(STORY)
    hook.remove()
    assert captured.value.code == "out_of_memory"
    again = tales.capture(STORY)
    assert isinstance(again, AttentionRecord)
    np.testing.assert_array_equal(again.attention_weights(2, 3), before.attention_weights(2, 3))


def test_what_is_kept_of_a_token_is_what_the_layers_have(originals: Path) -> None:
    """Of grouped queries, of heads that are not d_model wide together, and of two stacks of different sizes."""
    for name in ("bert", "gpt2", "t5"):
        model = load_model(originals / name, device="cpu")
        recorder = recorder_for(model.module, model.info.backend)
        with recorder.recording():
            model.forward(model.inputs(*model.encode("the cat sat", target="the cat" if name == "t5" else None)))
        for kind, layers in recorder.layers.items():
            queries = sum(layer.query[0, :, 0].numel() for layer in layers) / len(layers)
            keys = sum(layer.key[0, :, 0].numel() for layer in layers) / len(layers)
            assert model.widths[kind] == (queries, keys)
