"""Numbers along the tokens of a text, against plain computations: looks, surprisal, rollout of a row, attribution."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.analyse.attribution.gradient_attention import gradient_attention
from headscope.core.analyse.attribution.token_attribution import token_attribution
from headscope.core.analyse.records import rows_and_columns as looks_file
from headscope.core.analyse.records.rollout import attention_rollout, rollout_to
from headscope.core.analyse.records.rows_and_columns import looks
from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.predict import surprisal as surprisal_file
from headscope.core.predict.surprisal import surprisal
from headscope.core.requests.models import LoadRequest
from headscope.core.requests.predictions import SurprisalRequest
from headscope.core.requests.tokens import RolloutRequest, TokenWeightsRequest
from tests import allowed
from tests.looked_into import opened
from tests.tiny_models import write_masked

SENTENCE = "the keys of the cabinet [MASK] rusty ."
TALE = "once upon a time there was a dog . the dog was happy ."


@pytest.fixture(scope="module")
def grammar() -> Model:
    return load_model("toy:grammar")


@pytest.fixture(scope="module")
def tales() -> Model:
    return load_model("toy:tales")


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return opened("t5", tmp_path_factory.mktemp("t5"))


def cancelled() -> Job:
    cancel = Cancel()
    cancel.set()
    return Job(cancel=cancel)


# ---------------------------------------------------------------- rows and columns of heads
@pytest.mark.parametrize("heads", [((1, 0), (1, 1), (1, 2), (1, 3)), ((0, 1), (1, 3), (0, 2))])
def test_rows_and_columns_of_heads_are_the_weights_themselves(grammar: Model, heads, monkeypatch) -> None:
    monkeypatch.setattr(looks_file, "_BLOCK_BYTES", 300)  # several blocks
    record = grammar.capture(SENTENCE)
    whole = np.stack([record.attention_weights(*head, "encoder") for head in heads])
    row = looks(record, "encoder", heads, (6,), "query")
    np.testing.assert_allclose(row, whole[:, 6], atol=allowed.of_sums())
    column = looks(record, "encoder", heads, (6,), "key")
    np.testing.assert_allclose(column, whole[:, :, 6], atol=allowed.of_sums())
    several = looks(record, "encoder", heads, (2, 5), "key")
    np.testing.assert_allclose(several, whole[:, :, 2] + whole[:, :, 5], atol=allowed.of_sums())


def test_of_one_token_the_row_is_the_records(grammar: Model) -> None:
    record = grammar.capture(SENTENCE)
    heads = tuple((1, head) for head in range(4))
    answer = Engine().handle_record(TokenWeightsRequest(record, "encoder", heads, (6,), "query"), Job(), lambda part: None)
    assert allowed.difference(answer.weights, record.layer_weights(1, "encoder", slice(6, 7))[:, 0]) <= allowed.of_sums()


def test_across_the_sides_have_their_own_lengths(t5: Model) -> None:
    record = t5.capture("the cat sat on a mat", target="a dog")
    n_queries, n_keys = (len(axis) for axis in record.axis("cross"))
    assert n_queries != n_keys
    for side, n in (("query", n_keys), ("key", n_queries)):
        assert looks(record, "cross", ((0, 0),), (1,), side).shape == (1, n)
    with pytest.raises(HeadscopeError) as error:
        looks(record, "cross", ((0, 0),), (n_queries,), "query")
    assert error.value.code == "no_such_position"


@pytest.mark.parametrize("side", ["query", "key"])
def test_looks_can_be_cancelled(grammar: Model, side) -> None:
    with pytest.raises(Cancelled):
        looks(grammar.capture(SENTENCE), "encoder", ((0, 0),), (1,), side, cancelled())


# ---------------------------------------------------------------- surprisal
def bits_of(logits: torch.Tensor, token: int) -> float:
    return -float(logits.double().log_softmax(-1)[token]) / math.log(2)


def test_a_decoders_surprisal_is_that_of_a_whole_pass(tales: Model, monkeypatch) -> None:
    monkeypatch.setattr(surprisal_file, "_LOGIT_BYTES", 4 * 8 * 219)  # a few positions at a time
    source, _ = tales.encode(TALE)
    logits = tales.forward(tales.inputs(source)).logits[0]
    found = surprisal(tales, TALE)
    assert found.ids == source.ids
    assert not found.pseudo
    assert math.isnan(found.bits[0])
    for at, (_, token) in enumerate(pairwise(source.ids)):
        assert found.bits[at + 1] == pytest.approx(bits_of(logits[at], token), abs=allowed.of_logits(logits))


def test_of_an_encoder_decoder_the_target_is_read(t5: Model) -> None:
    source, target = t5.encode("the cat sat on a mat", None, "a dog ran")
    logits = t5.forward(t5.inputs(source, target)).logits[0]
    found = surprisal(t5, "the cat sat on a mat", None, "a dog ran")
    assert found.ids == target.ids
    expected = [bits_of(logits[at], token) for at, token in enumerate(target.ids[1:])]
    np.testing.assert_allclose(found.bits[1:], expected, atol=allowed.of_logits(logits))


@pytest.mark.parametrize("name", ["gpt2", "gemma2-softcap", "opt-post-norm"])
def test_what_a_family_does_after_its_layers_is_done(name: str, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    source, _ = model.encode("the cat sat on a mat")
    logits = model.forward(model.inputs(source)).logits[0]
    expected = [bits_of(logits[at], token) for at, token in enumerate(source.ids[1:])]
    np.testing.assert_allclose(surprisal(model, "the cat sat on a mat").bits[1:], expected, atol=allowed.of_logits(logits))


def test_a_masked_model_masks_each_token_in_turn(grammar: Model) -> None:
    source, _ = grammar.encode(SENTENCE, "the cats sleep .")
    found = surprisal(grammar, SENTENCE, "the cats sleep .")
    assert found.pseudo
    for at, token in enumerate(source.axis.tokens):
        if token.special or token.masked:
            assert math.isnan(found.bits[at])
            continue
        inputs = grammar.inputs(source)
        inputs["input_ids"][0, at] = grammar.tokenizer.mask_id
        logits = grammar.forward(inputs).logits[0, at]
        assert found.bits[at] == pytest.approx(bits_of(logits, token.id), abs=allowed.of_logits(logits))


def test_too_long_a_text_is_refused_in_a_sentence(grammar: Model, monkeypatch) -> None:
    monkeypatch.setattr(surprisal_file, "MOST_MASKED", 3)
    with pytest.raises(HeadscopeError, match="Shorten the text to 3 tokens") as error:
        surprisal(grammar, SENTENCE)
    assert error.value.code == "too_many_to_mask"


def test_a_model_without_words_to_predict_has_no_surprisal(tmp_path: Path) -> None:
    write_masked(tmp_path)
    hf.BertModel.from_pretrained(tmp_path).save_pretrained(tmp_path)
    with pytest.raises(HeadscopeError) as error:
        surprisal(load_model(str(tmp_path)), "the cat")
    assert error.value.code == "cannot_predict"


def test_surprisal_tells_how_far_it_is_and_can_be_cancelled(grammar: Model) -> None:
    told = []
    engine = Engine()
    engine.handle(LoadRequest("toy:grammar", model=grammar), Job(), lambda part: None)
    answer = engine.handle(SurprisalRequest(grammar.capture(SENTENCE)), Job(told.append), lambda part: None)
    assert answer.pseudo
    assert told[0].fraction == 0
    with pytest.raises(Cancelled):
        surprisal(grammar, SENTENCE, job=cancelled())


# ---------------------------------------------------------------- attribution
def test_a_row_of_the_rollout_is_that_of_the_whole(grammar: Model) -> None:
    record = grammar.capture(SENTENCE)
    whole = attention_rollout(record, "encoder").weights[-1]
    answer = Engine().handle_record(RolloutRequest(record, "encoder", 6), Job(), lambda part: None)
    np.testing.assert_allclose(answer.shares, whole[6], atol=allowed.of_sums())
    assert answer.shares.sum() == pytest.approx(1, abs=allowed.of_sums())
    with pytest.raises(HeadscopeError) as error:
        rollout_to(record, "encoder", 99)
    assert error.value.code == "no_such_position"


def test_attribution_sums_layers_heads_and_queries(grammar: Model) -> None:
    whole = gradient_attention(grammar, SENTENCE, positive=True)
    found = token_attribution(grammar, grammar.capture(SENTENCE))
    np.testing.assert_allclose(found.source, whole.attributions["encoder"].sum(axis=(0, 1, 2)), atol=allowed.of_sums())
    assert found.predicted == whole.target
    assert found.source.max() > 0


def test_across_a_source_token_is_looked_at_by_both_stacks(t5: Model) -> None:
    text = "the cat sat on a mat"
    whole = gradient_attention(t5, text, target="a dog", positive=True).attributions
    found = token_attribution(t5, t5.capture(text, target="a dog"))
    totals = {kind: maps.sum(axis=(0, 1, 2)) for kind, maps in whole.items()}
    np.testing.assert_allclose(
        found.source, totals["encoder"] + totals["cross"], rtol=allowed.of_sums(), atol=allowed.of_sums()
    )
    np.testing.assert_allclose(found.target, totals["decoder"], rtol=allowed.of_sums(), atol=allowed.of_sums())
    assert len(found.target_ids) == len(found.target)
