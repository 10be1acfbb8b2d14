"""Gradients of attention weights against autograd through the model's own eager attention, and against small steps."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import PreTrainedModel
from transformers.models.gpt2 import modeling_gpt2

from headscope.core.analyse.attribution.gradient_attention import gradient_attention
from headscope.core.analyse.attribution.integrated_gradients import integrated_gradients
from headscope.core.attention.intervention import Intervention, Paste, Scale
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.model import Model
from headscope.core.models.load import load_model
from tests import allowed
from tests.looked_into import opened

TEXT = "the cat sat"
NAMES = (
    "bert", "albert", "gpt2", "llama-grouped", "mistral-sliding", "t5", "bart", "gemma2-softcap", "gpt-oss-sinks", "gptj",
    "bloom", "falcon",
)  # fmt: skip


def texts_of(model: Model) -> tuple[str, None, str | None]:
    text = "the [MASK] sat" if model.info.family == "encoder" else TEXT
    return text, None, "a mat" if model.info.family == "encoder-decoder" else None


@contextmanager
def eager(model: Model) -> Iterator[None]:
    configs = [part.config for part in model.module.modules() if isinstance(part, PreTrainedModel)]
    before = [config._attn_implementation for config in configs]
    for config in configs:
        config._attn_implementation = "eager"
    yield
    for config, name in zip(configs, before, strict=True):
        config._attn_implementation = name


def own_products(model: Model, position: int, token: int) -> dict[str, list[np.ndarray]]:
    """A ⊙ ∂logit/∂A by autograd through the matrices that the model's own eager attention makes.

    Without cross-attention: the matrices that transformers returns of it are not the ones it went on with.
    """
    with eager(model), torch.enable_grad():
        inputs = model.inputs(*model.encode(*texts_of(model)))
        output = model.module(**inputs, output_attentions=True, use_cache=False)
    products = {}
    for name in ("attentions", "encoder_attentions", "decoder_attentions"):
        if matrices := getattr(output, name, None):
            gradients = torch.autograd.grad(output.logits[0, position, token], matrices, retain_graph=True)
            kind = name.split("_")[0] if "_" in name else next(iter(model.info.layers))
            products[kind] = [(a * g)[0].detach().numpy() for a, g in zip(matrices, gradients, strict=True)]
    return products


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return opened("gpt2", tmp_path_factory.mktemp("gpt2"))


# ---------------------------------------------------------------- gradient × attention
@pytest.mark.parametrize("name", NAMES)
def test_products_are_those_of_the_models_own_eager_attention(name: str, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    found = gradient_attention(model, *texts_of(model), token=7)
    own = own_products(model, found.target.position, 7)
    assert set(found.attributions) == set(model.info.layers)
    assert set(own) == set(found.attributions) - {"cross"}
    for kind, layers in own.items():
        assert found.attributions[kind].shape == (len(layers), *layers[0].shape)
        size = max(np.abs(layer).max() for layer in layers)
        assert size > 0
        assert np.abs(found.attributions[kind] - np.stack(layers)).max() <= allowed.of_logits(size)


@pytest.mark.parametrize("kind", ["decoder", "cross", "encoder"])
@pytest.mark.parametrize("measure", ["logit", "log_probability", "probability"])
def test_a_gradient_is_what_a_small_step_changes(kind: str, measure: str, tmp_path: Path) -> None:
    """Weights pasted back with one cell a little larger, or smaller."""
    model = opened("t5-gated", tmp_path)
    model.module.double()
    encoded = model.encode(*texts_of(model))
    found = gradient_attention(model, *texts_of(model), token=7, position=2, measure=measure)
    weights = model.observe(*encoded)[0].attention_weights(1, 2, kind)

    def value(pattern: np.ndarray) -> float:
        intervention = Intervention((Paste(kind=kind, layer=1, head=2, pattern=pattern),))
        logits = model.observe(*encoded, intervention=intervention)[1].logits[0, 2]
        scale = {"logit": logits, "log_probability": logits.log_softmax(-1), "probability": logits.softmax(-1)}
        return float(scale[measure][7])

    assert found.value == pytest.approx(value(weights), abs=allowed.of_logits(found.value))  # the pattern is of float32
    query, key = np.unravel_index(np.abs(found.attributions[kind][1, 2]).argmax(), weights.shape)
    step = np.zeros_like(weights)
    step[query, key] = 1e-3 * weights[query, key]
    slope = (value(weights + step) - value(weights - step)) / (2 * 1e-3)  # of the weight's own size: already the product
    assert found.attributions[kind][1, 2, query, key] == pytest.approx(slope, rel=1e-2)


def test_the_positive_part_is_the_same_with_zeros_below(gpt2: Model) -> None:
    signed = gradient_attention(gpt2, TEXT).attributions["decoder"]
    positive = gradient_attention(gpt2, TEXT, positive=True).attributions["decoder"]
    assert signed.min() < 0 < signed.max()
    assert np.array_equal(positive, np.maximum(signed, 0))


def test_the_toy_looks_at_its_subject_for_the_sake_of_its_verb() -> None:
    model = load_model("toy:grammar", device="cpu", dtype="float32")
    text = "the keys of the cabinet [MASK] rusty ."
    found = gradient_attention(model, text, measure="probability")
    axis = model.encode(text)[0].axis
    assert found.target.position == axis.masks[0]
    _, _, query, key = np.unravel_index(found.attributions["encoder"].argmax(), found.attributions["encoder"].shape)
    assert axis.labels[query] == "[MASK]"
    assert axis.labels[key] == "keys"


def test_the_model_is_as_it_was_before(gpt2: Model) -> None:
    trained = [weights.requires_grad for weights in gpt2.module.parameters()]
    gradient_attention(gpt2, TEXT)
    assert [weights.requires_grad for weights in gpt2.module.parameters()] == trained
    assert all(weights.grad is None for weights in gpt2.module.parameters())


# ---------------------------------------------------------------- integrated gradients
@contextmanager
def scaled(layer: int, factor: float) -> Iterator[list[torch.Tensor]]:
    """GPT-2's own eager attention with one layer's matrix scaled, which is kept as part of the graph."""
    kept: list[torch.Tensor] = []
    original = modeling_gpt2.eager_attention_forward

    def attend(module: torch.nn.Module, query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, mask, **options):
        output, weights = original(module, query, key, value, mask, **options)
        if module.layer_idx != layer:
            return output, weights
        kept.append((weights * factor).detach().requires_grad_())
        return (kept[0] @ value).transpose(1, 2), weights

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(modeling_gpt2, "eager_attention_forward", attend)
        yield kept


def test_attributions_are_the_sum_of_the_papers_equation(gpt2: Model) -> None:
    """A ⊙ (1/m) Σ ∂F(α A)/∂A at evenly spaced α, with many of them; at the middle of each step, where it converges faster."""
    (found,) = integrated_gradients(gpt2, TEXT, layers=[("decoder", 1)], token=7, steps=30, tolerance=math.inf)
    inputs = gpt2.inputs(gpt2.encode(TEXT)[0])
    n_steps, total = 100, 0.0
    for step in range(n_steps):
        with eager(gpt2), torch.enable_grad(), scaled(1, (step + 0.5) / n_steps) as kept:
            logit = gpt2.module(**inputs).logits[0, -1, 7]
        total = total + torch.autograd.grad(logit, kept[0])[0][0] / n_steps
    with eager(gpt2), torch.inference_mode():
        weights = gpt2.module(**inputs, output_attentions=True).attentions[1][0]
    expected = (weights * total).numpy()
    assert np.abs(expected).max() > 0.01
    assert np.abs(found.attributions - expected).max() <= 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("name", ["gpt2", "bert", "llama-grouped", "bart", "gptj"])
def test_attributions_of_a_layer_sum_to_what_its_attention_changes(name: str, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    encoded = model.encode(*texts_of(model))
    seen = []
    for found in integrated_gradients(model, *texts_of(model)):
        seen.append((found.kind, found.layer))
        logits = [
            model.observe(*encoded, intervention=intervention)[1].logits[0, found.target.position, found.target.token]
            for intervention in (None, Intervention((Scale(kind=found.kind, layer=found.layer, factor=0.0),)))
        ]
        assert (found.value, found.value_without) == pytest.approx(
            tuple(map(float, logits)), abs=allowed.of_logits(torch.stack(logits))
        )
        assert abs(found.incompleteness) <= 0.011
    assert seen == [(kind, layer) for kind, (n_layers, _) in model.info.layers.items() for layer in range(n_layers)]


def test_more_steps_are_more_exact(tmp_path: Path) -> None:
    model = opened("llama-grouped", tmp_path)
    errors = [
        max(abs(found.incompleteness) for found in integrated_gradients(model, TEXT, token=7, steps=steps, tolerance=math.inf))
        for steps in (2, 8, 60)
    ]
    assert errors[0] > 3 * errors[1] > 9 * errors[2]
    assert errors[2] <= 1e-4


def test_a_way_that_is_not_smooth_is_halved_until_it_adds_up(tmp_path: Path) -> None:
    """T5 does not scale its scores: a random one jumps where a softmax behind the layer changes its mind."""
    model = opened("t5-gated", tmp_path)
    where = {"layers": [("encoder", 1)], "target": "a mat", "token": 7}
    (straight,) = integrated_gradients(model, TEXT, **where, tolerance=math.inf)
    (halved,) = integrated_gradients(model, TEXT, **where)
    (stopped,) = integrated_gradients(model, TEXT, **where, steps=10, most_steps=10)
    assert abs(straight.incompleteness) > 1
    assert abs(halved.incompleteness) <= 0.01
    assert allowed.difference(stopped.attributions, straight.attributions) <= allowed.of_logits(straight.attributions)


def test_steps_side_by_side_are_those_one_by_one(gpt2: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    (together,) = integrated_gradients(gpt2, TEXT, layers=[("decoder", 0)], steps=7)
    monkeypatch.setattr("headscope.core.analyse.attribution.integrated_gradients._TOKENS_AT_ONCE", 1)
    (alone,) = integrated_gradients(gpt2, TEXT, layers=[("decoder", 0)], steps=7)
    assert allowed.difference(together.attributions, alone.attributions) <= allowed.of_logits(alone.attributions)


# ---------------------------------------------------------------- errors
def test_what_is_asked_for_must_be_there(gpt2: Model) -> None:
    for ask, options, code in (
        (gradient_attention, {"position": 99}, "no_such_position"),
        (gradient_attention, {"token": -1}, "bad_option"),
        (gradient_attention, {"measure": "odds"}, "bad_option"),
        (integrated_gradients, {"steps": 0}, "bad_option"),
        (integrated_gradients, {"steps": 10, "most_steps": 9}, "bad_option"),
        (integrated_gradients, {"layers": [("cross", 0)]}, "unknown_kind"),
        (integrated_gradients, {"layers": [("decoder", 3)]}, "no_such_head"),
    ):
        with pytest.raises(HeadscopeError) as captured:
            ask(gpt2, TEXT, **options)
        assert captured.value.code == code


@pytest.mark.parametrize("ask", [gradient_attention, lambda *args, **options: list(integrated_gradients(*args, **options))])
def test_a_cancelled_job_stops(gpt2: Model, ask) -> None:
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        ask(gpt2, TEXT, job=Job(cancel=cancel))


def test_a_cancelled_job_stops_between_two_layers(gpt2: Model) -> None:
    cancel = Cancel()
    layers = integrated_gradients(gpt2, TEXT, steps=2, job=Job(cancel=cancel))
    assert next(layers).layer == 0
    cancel.set()
    with pytest.raises(Cancelled):
        next(layers)
