"""Several texts in one pass attend as each does alone."""

from __future__ import annotations

import numpy as np
import pytest

from headscope.core import load_model
from headscope.core.attention.intervention import Intervention, Scale
from headscope.core.errors import HeadscopeError
from tests import allowed
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

TEXTS = ["a cat sat on the mat .", "the cat", "on a mat"]


@pytest.fixture(
    scope="module", params=["bert", "gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "gptj", "t5", "toys"]
)
def model(request, tmp_path_factory):
    family = request.param
    if family == "toys":
        return load_model("toy:grammar", device="cpu")
    folder = tmp_path_factory.mktemp(family)
    if family == "bert":
        return load_model(write_masked(folder), device="cpu", dtype="float32")
    write = write_encoder_decoder if family == "t5" else write_decoder
    return load_model(write(folder, family), device="cpu", dtype="float32")


def test_each_text_of_a_batch_attends_as_it_does_alone(model):
    targets = ["so it", "is", "as it is"] if model.info.family == "encoder-decoder" else [None] * 3
    records = model.capture_batch(TEXTS, targets=targets)
    assert len(records) == 3
    for text, target, record in zip(TEXTS, targets, records, strict=True):
        alone = model.capture(text, None, target)
        assert record.kinds == alone.kinds
        for kind in record.kinds:
            n_queries, n_keys = (len(side) for side in alone.axis(kind))
            queries = record.axis(kind).queries
            assert queries.tokens[:n_queries] == alone.axis(kind).queries.tokens
            assert all(token.special for token in queries.tokens[n_queries:])
            for layer in range(record.n_layers(kind)):
                weights = record.layer_weights(layer, kind)[:, :n_queries]
                assert np.abs(weights[..., :n_keys] - alone.layer_weights(layer, kind)).max() <= allowed.of_weights(
                    alone.layer_weights(layer, kind), model
                )
                assert not weights[..., n_keys:].any()
    assert len(records[0].axis(records[0].kinds[0]).queries) == len(records[1].axis(records[1].kinds[0]).queries)


def test_an_edit_may_name_one_text_of_the_batch(model):
    if model.info.family == "encoder-decoder":
        pytest.skip("the same as the others")
    plain = model.capture_batch(TEXTS)
    edited = model.capture_batch(TEXTS, intervention=Intervention((Scale(layer=0, batch=1),)))
    kind = plain[0].kinds[0]
    changed = [
        float(np.abs(one.layer_weights(1, kind) - other.layer_weights(1, kind)).max())
        for one, other in zip(plain, edited, strict=True)
    ]
    assert changed[1] > 1e-3
    assert max(changed[0], changed[2]) <= allowed.of_sums()


def test_a_batch_of_nothing_is_refused(model):
    with pytest.raises(HeadscopeError) as error:
        model.capture_batch([])
    assert error.value.code == "empty_text"


def test_pairs_are_padded_like_texts():
    grammar = load_model("toy:grammar", device="cpu")
    (first, second) = grammar.capture_batch(["the dog barks .", "the cat"], pairs=["it is loud .", None])
    assert {token.segment for token in first.axis("encoder").queries.tokens} == {0, 1}
    alone = grammar.capture("the dog barks .", "it is loud .")
    n = len(alone.axis("encoder").queries)
    assert np.abs(first.layer_weights(1, "encoder")[:, :n, :n] - alone.layer_weights(1, "encoder")).max() <= allowed.of_sums()
    assert len(second.axis("encoder").queries) == n
