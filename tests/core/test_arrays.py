"""Attention from elsewhere becomes a record: arrays of any of the usual shapes, and what transformers returns."""

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.attention.arrays import record_of
from headscope.core.errors import HeadscopeError

TOKENS = ["[CLS]", "the", "cat", "##s", "[SEP]"]


def softmax(*shape: int) -> np.ndarray:
    scores = np.exp(np.random.default_rng(0).normal(size=shape))
    return scores / scores.sum(-1, keepdims=True)


@pytest.mark.parametrize("n_axes", [2, 3, 4])
def test_arrays_with_and_without_layers_and_heads(n_axes: int) -> None:
    whole = softmax(3, 2, 5, 5)
    given = {4: whole, 3: whole[0], 2: whole[0, 0]}[n_axes]
    record = record_of(given, TOKENS)
    assert record.kinds == ("encoder",)
    assert record.tier == "given"
    assert (record.n_layers("encoder"), record.n_heads("encoder")) == {4: (3, 2), 3: (1, 2), 2: (1, 1)}[n_axes]
    last = record.n_layers("encoder") - 1, record.n_heads("encoder") - 1
    np.testing.assert_allclose(record.attention_weights(*last), whole[last], rtol=1e-6)
    assert record.axis("encoder").queries.labels == tuple(TOKENS)


def test_what_a_transformers_model_returns() -> None:
    config = hf.GPT2Config(vocab_size=20, n_positions=16, n_embd=8, n_layer=2, n_head=2, attn_implementation="eager")
    model = hf.GPT2Model(config).eval()
    with torch.inference_mode():
        attentions = model(torch.arange(10).reshape(2, 5), output_attentions=True).attentions
    record = record_of(attentions, ["a", "b", "c", "d", "e"])
    assert record.kinds == ("decoder",)
    for layer, expected in enumerate(attentions):
        np.testing.assert_array_equal(record.layer_weights(layer, "decoder"), expected[0].numpy())


def test_keys_of_their_own_are_cross_attention() -> None:
    record = record_of(softmax(1, 2, 5, 3), TOKENS, ["a", "b", "c"])
    assert record.kinds == ("cross",)
    assert record.axis("cross").keys.labels == ("a", "b", "c")
    assert record.attention_weights(0, 1).shape == (5, 3)


@pytest.mark.parametrize(
    ("attentions", "says"),
    [
        (softmax(1, 2, 4, 4), "4 × 4 weights do not fit 5 queries and 5 keys"),
        (softmax(5, 5) * 3, "between 0 and 1"),
        (np.full((5, 5), np.nan), "between 0 and 1"),
        (np.zeros(5), "1 axes"),
        ([softmax(1, 2, 5, 5), softmax(1, 3, 5, 5)], "same number of heads"),
        ([], "same number of heads"),
        ("words", "could not convert"),
    ],
)
def test_what_is_no_attention_is_said_so(attentions: object, says: str) -> None:
    with pytest.raises(HeadscopeError) as caught:
        record_of(attentions, TOKENS)
    assert caught.value.code == "not_attention"
    assert says in str(caught.value)
