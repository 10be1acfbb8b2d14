"""What people hand to the public face: it works, or ends in one sentence with a code, and never in a traceback of ours."""

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from headscope.core import load_model
from headscope.core.analyse.causal.effects import effects
from headscope.core.analyse.causal.sweeps import Question, ablate_heads
from headscope.core.attention.intervention import Cut, Intervention, Scale
from headscope.core.errors import HeadscopeError
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

TEXT = "the keys of the cabinet [MASK] rusty ."


@pytest.fixture(scope="module")
def model():
    return load_model("toy:grammar")


@pytest.fixture(scope="module")
def record(model):
    return model.capture(TEXT)


RECORD = {
    "a query behind the text": lambda record: record.cell(0, 0, 99, 0),
    "a key before the text": lambda record: record.cell(0, 0, 0, -1),
    "a query that is no number": lambda record: record.cell(0, 0, "1", 0),
    "a layer that is not there": lambda record: record.attention_weights(9, 0),
    "a head before the first": lambda record: record.attention_weights(0, -1),
    "half a layer": lambda record: record.attention_weights(0.5, 0),
    "a flag for a head": lambda record: record.attention_weights(0, True),
    "no layer": lambda record: record.attention_weights(None, 0),
    "a kind that is not there": lambda record: record.attention_weights(0, 0, "cross"),
    "a kind that is no name": lambda record: record.attention_weights(0, 0, ["encoder"]),
    "every second row": lambda record: record.attention_weights(0, 0, rows=slice(0, 9, 2)),
    "no rows": lambda record: record.attention_weights(0, 0, rows=slice(5, 5)),
    "rows that are a number": lambda record: record.layer_weights(0, "encoder", rows=3),
    "rows of letters": lambda record: record.attention_weights(0, 0, rows=slice("a", "b")),
    "no height": lambda record: record.pooled(0, 0, height=0, width=4),
    "a negative width": lambda record: record.pooled(0, 0, height=4, width=-1),
    "half a height": lambda record: record.pooled(0, 0, height=4.5, width=4),
    "rows backwards": lambda record: record.pooled(0, 0, height=4, width=4, rows=range(5, 0, -1)),
    "rows behind the text": lambda record: record.pooled(0, 0, height=4, width=4, rows=range(5, 99)),
    "keys before the text": lambda record: record.pooled(0, 0, height=4, width=4, keys=range(-2, 3)),
    "a median": lambda record: record.pooled(0, 0, height=4, width=4, how="median"),
    "scores of no pixels": lambda record: record.attention_scores(0, 0, height=0),
    "scores of rows behind the text": lambda record: record.attention_scores(0, 0, rows=range(99)),
    "small pictures of no size": lambda record: list(record.thumbnails("encoder", 0)),
}


@pytest.mark.parametrize("ask", RECORD.values(), ids=RECORD)
def test_a_record_refuses_what_is_not_there(ask, record) -> None:
    with pytest.raises(HeadscopeError) as refusal:
        ask(record)
    assert refusal.value.code in {"no_such_position", "no_such_head", "unknown_kind", "bad_option"}
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize("number", [np.int64(1), torch.tensor(1)], ids=repr)
def test_numbers_of_numpy_and_torch_are_numbers(number, record) -> None:
    assert record.cell(number, number, number, number) == record.cell(1, 1, 1, 1)


@pytest.mark.parametrize("rows", [slice(2, 5), slice(-8, 5), slice(2, 5, 1), range(2, 5), slice(2, -5)], ids=repr)
def test_parts_as_lists_take_them(rows, record) -> None:
    assert np.array_equal(record.attention_weights(1, 2, rows=rows), record.attention_weights(1, 2)[2:5])


MODEL = {
    "no text": lambda model: model.capture(None),
    "a number": lambda model: model.capture(5),
    "bytes": lambda model: model.capture(b"the cat"),
    "a text that is empty": lambda model: model.capture("   "),
    "no ids": lambda model: model.capture([]),
    "ids that are words": lambda model: model.capture(["the", "cat"]),
    "half an id": lambda model: model.capture([1.5]),
    "an id that is not there": lambda model: model.capture([10**6]),
    "a negative id": lambda model: model.capture([-1]),
    "ids and a pair": lambda model: model.capture([1, 2], "the cat"),
    "a pair of ids": lambda model: model.capture("the cat", [1, 2]),
    "an edit that is a word": lambda model: model.capture(TEXT, intervention="Scale"),
    "edits that are words": lambda model: model.capture(TEXT, intervention=["Scale"]),
    "an edit of half a head": lambda model: model.capture(TEXT, intervention=Scale(layer=0, head=1.5)),
    "an edit of a word": lambda model: model.capture(TEXT, intervention=Cut(keys=("cat",))),
    "an edit of a kind that is no name": lambda model: model.capture(TEXT, intervention=Scale(kind=5)),
    "no candidates": lambda model: model.fill_mask(TEXT, top_k=0),
    "half a candidate": lambda model: model.fill_mask(TEXT, top_k=1.5),
    "no predictions": lambda model: model.run(TEXT, top_k=0),
}


@pytest.mark.parametrize("ask", MODEL.values(), ids=MODEL)
def test_a_model_refuses_what_it_cannot_read(ask, model) -> None:
    with pytest.raises(HeadscopeError) as refusal:
        ask(model)
    assert refusal.value.code in {"bad_option", "empty_text", "no_such_id", "unknown_kind", "no_such_head", "no_such_position"}
    assert len(str(refusal.value)) < 300


@pytest.mark.parametrize(
    "given", [Scale(layer=1, head=3), [Scale(layer=1, head=3)], Intervention((Scale(layer=1, head=3),))], ids=str
)
def test_an_edit_alone_is_an_intervention(given, model) -> None:
    expected = model.run(TEXT, intervention=Intervention((Scale(layer=1, head=3),))).predictions
    assert model.run(TEXT, intervention=given).predictions == expected
    assert model.run(TEXT).predictions != expected
    (effect,) = effects(model, TEXT, given)
    assert effect.tokens[0].after < effect.tokens[0].before
    (record,) = model.capture_batch([TEXT], intervention=given)
    assert record.n_layers("encoder") == 2


def test_a_token_is_named_as_it_stands_in_the_text(model) -> None:
    *_, by_name = ablate_heads(model, Question("the cat [MASK] .", token="purrs"))
    *_, by_id = ablate_heads(model, Question("the cat [MASK] .", token=by_name.target.token))
    assert by_name.label == "purrs"
    np.testing.assert_array_equal(by_name.probabilities, by_id.probabilities)
    (effect,) = effects(model, "the cat [MASK] .", Scale(layer=1, head=3), tokens=("purrs", "barks"))
    assert [token.label for token in effect.tokens] == ["purrs", "barks"]


@pytest.mark.parametrize("token", ["blorg", "purrs the", "", 1.5, 10**6, -1])
def test_what_is_not_one_token_is_refused(token, model) -> None:
    with pytest.raises(HeadscopeError) as refusal:
        list(ablate_heads(model, Question("the cat [MASK] .", token=token)))
    assert refusal.value.code in {"not_one_token", "bad_option"}


def as_inputs(tokenizer, text: str) -> dict[str, object]:
    inputs = tokenizer(text, return_tensors="pt")
    ids = inputs["input_ids"]
    forms = {"mapping": inputs, "tensor": ids, "row": ids[0], "list": ids[0].tolist(), "rows": ids.tolist()}
    return forms | {"numpy": ids.numpy(), "tuple": tuple(ids[0].tolist())}


@pytest.mark.parametrize("write", [write_masked, write_decoder, write_encoder_decoder])
def test_token_ids_are_read_as_the_text_that_they_stand_for(write, tmp_path) -> None:
    model = load_model(write(tmp_path / "model"))
    text = "the cat sat ." if write is write_masked else "abc"
    expected = model.capture(text)
    kind = expected.kinds[0]
    for given in as_inputs(AutoTokenizer.from_pretrained(tmp_path / "model"), text).values():
        record = model.capture(given)
        assert record.axis(kind).queries.labels == expected.axis(kind).queries.labels
        assert [t.special for t in record.axis(kind).queries.tokens] == [t.special for t in expected.axis(kind).queries.tokens]
        assert np.array_equal(record.layer_weights(1, kind), expected.layer_weights(1, kind))


def test_ids_of_a_mask_are_predicted(model) -> None:
    ids = model.encode(TEXT)[0].ids
    assert model.fill_mask(ids) == model.fill_mask(TEXT)
    assert model.run(torch.tensor([ids])).predictions == model.run(TEXT).predictions


def test_ids_of_a_target(tmp_path) -> None:
    model = load_model(write_encoder_decoder(tmp_path / "model"))
    _, target = model.encode("abc", target="de")
    expected, record = model.capture("abc", target="de"), model.capture("abc", target=target.ids)
    for kind in ("decoder", "cross"):
        assert np.array_equal(record.layer_weights(1, kind), expected.layer_weights(1, kind))


def test_more_ids_than_fit_are_cut_and_said(model) -> None:
    most = model.info.max_tokens
    axis = model.capture([model.encode("the")[0].ids[1]] * (most + 5)).axis("encoder").queries
    assert (len(axis), axis.dropped) == (most, 5)
