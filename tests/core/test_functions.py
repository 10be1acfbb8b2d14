"""The textbook's attention: right where common tutorials are wrong, and equal to torch's own."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from headscope.core.attention.textbook import (
    additive_attention,
    attention_weights,
    causal_mask,
    dot_product_attention,
    merge_heads,
    multi_head_attention,
    multiplicative_attention,
    padding_mask,
    scaled_dot_product_attention,
    split_heads,
)
from tests import allowed


@pytest.fixture
def noise():
    generator = torch.Generator().manual_seed(0)
    return lambda *shape: torch.randn(*shape, generator=generator)


def test_worked_by_hand():
    query, key = torch.tensor([[2.0, 0.0]]), torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    value = torch.tensor([[10.0], [20.0]])
    share = math.e**2 / (math.e**2 + 1)  # the scores are 2 and 0
    output, weights = dot_product_attention(query, key, value)
    assert weights.tolist() == [pytest.approx([share, 1 - share], abs=allowed.of_sums(2))]
    assert output.item() == pytest.approx(10 * share + 20 * (1 - share), abs=allowed.of_sums(2, 20))


def assert_same(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    """But for the order in which sums of up to 64 numbers were taken."""
    assert allowed.difference(ours.detach(), theirs.detach()) <= allowed.of_sums(
        64, max(1.0, float(theirs.detach().abs().max()))
    )


# ---------------------------------------------------------------- what tutorials get wrong
def test_mistake_softmax_over_the_queries(noise):
    query, key, value = noise(5, 8), noise(7, 8), noise(7, 8)
    ours = scaled_dot_product_attention(query, key, value).weights
    mistaken = torch.softmax(query @ key.T / math.sqrt(8), dim=0)
    assert not torch.allclose(ours, mistaken, atol=0.05)
    assert_same(ours.sum(-1), torch.ones(5))
    assert (mistaken.sum(-1) - 1).abs().min() > 0.01


def test_mistake_no_scale(noise):
    d_key = 64
    query, key, value = noise(100, d_key), noise(100, d_key), noise(100, d_key)
    ours = scaled_dot_product_attention(query, key, value)
    mistaken = dot_product_attention(query, key, value)
    assert_same(ours.output, F.scaled_dot_product_attention(query[None], key[None], value[None])[0])
    assert not torch.allclose(ours.output, mistaken.output, atol=0.1)
    # What the paper warns of: unscaled, one key takes nearly everything.
    assert mistaken.weights.max(-1).values.mean() > 0.7
    assert ours.weights.max(-1).values.mean() < 0.2
    # The two definitions agree once the scale is put in by hand.
    assert_same(dot_product_attention(query / math.sqrt(d_key), key, value).weights, ours.weights)


def test_mistake_heads_put_together_without_transposing_back(noise):
    n, n_heads, d_model = 5, 4, 16
    hidden = noise(2, n, d_model)
    heads = split_heads(hidden, n_heads)
    mistaken = heads.reshape(2, n, d_model)
    assert heads.shape == (2, n_heads, n, d_model // n_heads)
    assert torch.equal(merge_heads(heads), hidden)  # there and back changes nothing
    assert not torch.allclose(mistaken, hidden)
    # Head 1 of token 3 is the second quarter of token 3's vector.
    assert torch.equal(heads[:, 1, 3], hidden[:, 3, 4:8])
    changed = hidden.clone()
    changed[:, 0] += 1
    assert torch.equal(merge_heads(split_heads(changed, n_heads))[:, 1:], hidden[:, 1:])  # token 0 stays token 0


def test_mistake_mask_as_a_positional_argument(noise):
    query, key, value, mask = noise(3, 4), noise(3, 4), noise(3, 4), causal_mask(3)
    weight = noise(4, 4)
    with pytest.raises(TypeError):
        attention_weights(query @ key.T, mask)
    with pytest.raises(TypeError):
        dot_product_attention(query, key, value, mask)
    with pytest.raises(TypeError):
        scaled_dot_product_attention(query, key, value, mask)
    with pytest.raises(TypeError):
        multiplicative_attention(query, key, value, weight, mask)
    with pytest.raises(TypeError):
        additive_attention(query, key, value, weight, weight, weight[0], mask)
    with pytest.raises(TypeError):
        multi_head_attention(query, key, value, *[nn.Identity()] * 4, mask, n_heads=2)


# ---------------------------------------------------------------- against independent implementations
@pytest.mark.parametrize("masked", [None, "causal", "padding"])
def test_scaled_dot_product_is_torchs(noise, masked):
    query, key, value = noise(2, 3, 6, 8), noise(2, 3, 6, 8), noise(2, 3, 6, 8)
    mask = {
        None: None,
        "causal": causal_mask(6),
        "padding": padding_mask(torch.tensor([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]])),
    }[masked]
    ours = scaled_dot_product_attention(query, key, value, mask=mask).output
    assert_same(ours, F.scaled_dot_product_attention(query, key, value, mask))
    if masked == "causal":
        assert_same(ours, F.scaled_dot_product_attention(query, key, value, is_causal=True))


def test_multi_head_is_torchs(noise):
    theirs = nn.MultiheadAttention(embed_dim=16, num_heads=4, batch_first=True).eval()
    projections = [nn.Linear(16, 16) for _ in range(3)]
    with torch.no_grad():
        for number, linear in enumerate(projections):
            linear.weight.copy_(theirs.in_proj_weight[16 * number : 16 * (number + 1)])
            linear.bias.copy_(noise(16))
        theirs.in_proj_bias.copy_(torch.cat([linear.bias for linear in projections]))
    hidden, source = noise(2, 5, 16), noise(2, 7, 16)
    is_token = torch.tensor([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 0, 0]])
    ours = multi_head_attention(hidden, source, source, *projections, theirs.out_proj, n_heads=4, mask=padding_mask(is_token))
    output, weights = theirs(hidden, source, source, key_padding_mask=is_token == 0, average_attn_weights=False)
    assert_same(ours.weights, weights)
    assert_same(ours.output, output)


def test_additive_is_bahdanaus_formula_pair_by_pair(noise):
    query, key, value = noise(3, 4), noise(5, 6), noise(5, 2)
    weight_query, weight_key, weight_score = noise(7, 4), noise(7, 6), noise(7)
    scores = torch.stack(
        [torch.stack([weight_score @ torch.tanh(weight_query @ q + weight_key @ k) for k in key]) for q in query]
    )
    ours = additive_attention(query, key, value, weight_query, weight_key, weight_score)
    assert_same(ours.weights, scores.exp() / scores.exp().sum(1, keepdim=True))
    assert_same(ours.output, ours.weights @ value)


def test_multiplicative_is_the_dot_product_of_projected_queries(noise):
    query, key, value, weight = noise(2, 3, 4), noise(2, 5, 6), noise(2, 5, 6), noise(4, 6)
    ours = multiplicative_attention(query, key, value, weight)
    assert_same(ours.output, dot_product_attention(query @ weight, key, value).output)


# ---------------------------------------------------------------- masks
def test_causal_mask_hides_the_future():
    assert causal_mask(3).int().tolist() == [[1, 0, 0], [1, 1, 0], [1, 1, 1]]
    assert causal_mask(2, 4).int().tolist() == [[1, 1, 1, 0], [1, 1, 1, 1]]  # two keys were cached before


def test_padding_gets_no_weight_and_does_not_matter(noise):
    query, key, value = noise(1, 1, 4, 8), noise(1, 1, 6, 8), noise(1, 1, 6, 8)
    mask = padding_mask(torch.tensor([[1, 1, 1, 1, 0, 0]]))
    ours = scaled_dot_product_attention(query, key, value, mask=mask)
    alone = scaled_dot_product_attention(query, key[:, :, :4], value[:, :, :4])
    assert not ours.weights[..., 4:].any()
    assert_same(ours.output, alone.output)


def test_a_query_that_may_look_at_nothing_looks_at_nothing(noise):
    mask = torch.tensor([[True, True], [False, False]])
    output, weights = scaled_dot_product_attention(noise(2, 4), noise(2, 4), noise(2, 4), mask=mask)
    assert weights[1].tolist() == [0, 0]
    assert output[1].tolist() == [0, 0, 0, 0]
    assert weights[0].sum() == pytest.approx(1, abs=allowed.of_sums(2))


def test_numbers_that_are_not_numbers_stay_visible(noise):
    scores = noise(2, 3)
    scores[0, 1] = math.nan
    assert attention_weights(scores, mask=torch.ones(2, 3, dtype=torch.bool))[0].isnan().all()
