"""What is found inside trained models: SmolLM2 comes to Paris late, by a few heads; a reaction's mask is read at the last layer."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from headscope.core.analyse.attribution.direct_logit import direct_logit_attribution
from headscope.core.analyse.attribution.gradient_attention import gradient_attention
from headscope.core.analyse.attribution.integrated_gradients import integrated_gradients
from headscope.core.analyse.attribution.value_weighted import value_weighted_attention
from headscope.core.analyse.records.rollout import attention_rollout
from headscope.core.errors import HeadscopeError
from headscope.core.predict.logit_lens import logit_lens
from tests import allowed

PROMPT = "The capital of France is"


def own_logits(model, text):
    return model.forward(model.inputs(model.encode(text)[0])).logits[0]


def masked(reaction: str) -> str:
    """A reaction with a symbol of its product hidden."""
    start, product = reaction.split(">>")
    return f"{start}>>[MASK]{product[1:]}"


# ---------------------------------------------------------------- SmolLM2
def test_the_lens_sees_paris_come_up_in_the_last_layers(language_model) -> None:
    layers = list(logit_lens(language_model, PROMPT, top_k=5))
    assert [layer.layer for layer in layers] == list(range(-1, 30))
    logits = own_logits(language_model, PROMPT)
    own = logits.softmax(-1).topk(5)
    assert (layers[-1].ids == own.indices.numpy()).all()
    assert allowed.difference(layers[-1].probabilities, own.values) <= allowed.of_probabilities(logits, language_model)
    (paris,) = {int(layers[-1].ids[-1, 0])}
    assert language_model.tokenizer.candidate(paris)[0] == " Paris"
    best = [int(layer.ids[-1, 0]) == paris for layer in layers]
    assert best.index(True) >= 28  # after layer 27 at the earliest


def test_the_head_whose_removal_costs_paris_most_is_the_one_that_adds_most_to_it(language_model) -> None:
    """Layer 23, head 4 (FINDINGS: removing it takes 1.70 off the log-probability)."""
    found = direct_logit_attribution(language_model, PROMPT)
    own = own_logits(language_model, PROMPT)[-1]
    assert found.target.token == int(own.argmax())
    rounding = allowed.of_logits(own, language_model)
    assert found.logit == pytest.approx(float(own.max()), abs=rounding)
    assert abs(found.remainder) <= rounding
    heads = found.heads("decoder")
    assert heads.shape == (30, 9)
    assert np.unravel_index(heads.argmax(), heads.shape) == (23, 4)
    for position, token in ((0, None), (2, 1000), (4, 40_000)):
        assert abs(direct_logit_attribution(language_model, PROMPT, position=position, token=token).remainder) <= rounding


def test_attributions_of_a_layer_of_a_language_model_add_up(language_model) -> None:
    (found,) = integrated_gradients(language_model, PROMPT, layers=[("decoder", 23)], measure="logit")
    assert found.value - found.value_without > 3
    assert abs(found.incompleteness) <= 0.01  # as asked for
    assert found.attributions.sum(axis=(1, 2)).argmax() == 4
    gradient = gradient_attention(language_model, PROMPT)
    assert gradient.target.token == found.target.token
    assert gradient.attributions["decoder"].shape == (30, 9, 5, 5)


def test_the_first_token_is_looked_at_most_and_gives_least(language_model) -> None:
    """A sink: large weights of small values (Gu et al. 2024)."""
    text = "Paris is the capital of France and Berlin is the capital of Germany."
    found = value_weighted_attention(language_model, text)
    weights = np.stack([found.record.layer_weights(layer, "decoder") for layer in range(3, 30)])
    norms = found.value_norms["decoder"][3:]
    assert weights[:, :, 1:, 0].mean() > 0.4
    assert np.median(norms[:, :, 0] / norms[:, :, 1:].mean(-1)) < 0.5
    assert attention_rollout(found.record).weights[-1].sum(-1) == pytest.approx(1, abs=30 * allowed.of_sums())  # layers


# ---------------------------------------------------------------- ALBERT
def test_a_reaction_is_read_by_the_albert_after_its_last_call(reaction_model, reactions) -> None:
    text = masked(reactions[0])
    (mask,) = reaction_model.encode(text)[0].axis.masks
    *_, before, last = logit_lens(reaction_model, text, top_k=3)
    logits = own_logits(reaction_model, text)
    own = logits.softmax(-1).topk(3)
    assert (last.layer, before.layer) == (11, 10)
    assert (last.ids == own.indices.numpy()).all()
    assert allowed.difference(last.probabilities, own.values) <= allowed.of_probabilities(logits, reaction_model)
    assert last.probabilities[mask, 0] > 0.9
    with pytest.raises(HeadscopeError) as captured:
        direct_logit_attribution(reaction_model, text)
    assert captured.value.code == "analysis_undefined"


def test_values_of_an_albert_are_those_of_each_call(reaction_model, reactions) -> None:
    """One module for twelve layers: each call has values of its own, and all share a projection."""
    found = value_weighted_attention(reaction_model, reactions[0])
    norms = found.value_norms["encoder"]
    assert norms.shape[:2] == (12, 8)
    assert len({float(layer.sum()) for layer in norms}) == 12
    gradients = gradient_attention(reaction_model, masked(reactions[0]), measure="log_probability")
    assert np.isfinite(gradients.attributions["encoder"]).all()
    assert all(weights.grad is None for weights in reaction_model.module.parameters())
    assert not torch.is_inference_mode_enabled()
