"""What people hand to the public face: it works, or ends in one sentence with a code, and never in a traceback of ours."""

import inspect
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from transformers import AutoTokenizer

from headscope.core import SCORES, BeamSearch, Keep, Paste, Replace, Sampling, Target, Uniform, analyse, load_model, wrap_model
from headscope.core.analyse.causal.effects import effects
from headscope.core.analyse.causal.sweeps import Question, ablate_heads
from headscope.core.attention.intervention import Cut, Intervention, Scale
from headscope.core.errors import HeadscopeError
from headscope.core.predict.logit_lens import logit_lens
from tests import allowed
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
    "scores of no pixels": lambda record: record.through(SCORES).pooled(0, 0, height=0, width=4),
    "a lens by its name": lambda record: record.through("scores"),
    "scores of no rows": lambda record: record.attention_scores(0, 0, rows=slice(5, 5)),
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
    whole = record.attention_weights(1, 2)
    np.testing.assert_allclose(record.attention_weights(1, 2, rows=rows), whole[2:5], atol=allowed.of_blocks(whole))


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


# ---------------------------------------------------------------- what annotations say
MISFITS = [
    True, -1, 10**30, 1.5, float("nan"), float("inf"), "", "x", "\ud800", b"x", [None], [[1]], {"a": 1}, {1}, object(), int, 1j,
    np.int64(-1), np.float32(1), np.array([]), np.array([1.0, np.nan]), np.datetime64("2020-01-01"),
    torch.tensor([]), torch.tensor(1.5), torch.zeros(2, 3), range(5, 0, -1), slice(0, 0), lambda: 1,
]  # fmt: skip


def first_of(answer: object) -> None:
    if isinstance(answer, Iterator):
        next(answer, None)


def each_misfit(function, **good: object) -> list[tuple[str, object, BaseException]]:
    """What is raised that is no error of ours, for a wrong value in the place of one argument after another."""
    found = []
    for name in inspect.signature(function).parameters.keys() - {"options"}:
        for value in MISFITS:
            try:
                first_of(function(**{**good, name: value}))
            except HeadscopeError as error:
                if error.code == "unexpected" or len(str(error)) > 300:
                    found.append((name, value, error))
            except BaseException as error:
                found.append((name, value, error))
    return found


@pytest.mark.parametrize("name", sorted({*analyse.__all__, "logit_lens"} - {"Question", "changes"}))
def test_an_analysis_takes_what_its_annotations_say_and_refuses_the_rest(name, model, record) -> None:
    function = getattr(analyse, name, logit_lens)
    values = {"model": model, "text": TEXT, "record": record, "question": Question(TEXT), "other": TEXT}
    values |= {"intervention": Scale(layer=0, head=0), "layer": 0, "head": 0}
    good = {each: values[each] for each in inspect.signature(function).parameters if each in values}
    first_of(function(**good))
    assert each_misfit(function, **good) == []


@pytest.mark.parametrize("kind", [Scale, Replace, Cut, Uniform, Paste, Keep])
def test_an_edit_of_the_wrong_types_is_refused(kind, model) -> None:
    needed = {Replace: {"output": np.zeros(16)}, Cut: {"keys": (1,)}, Paste: {"pattern": np.eye(3)}}.get(kind, {})

    def used(**values: object) -> None:
        made = kind(**values)
        model.capture(TEXT, **{"keep" if kind is Keep else "intervention": made})

    used.__signature__ = inspect.signature(kind)
    assert each_misfit(used, **needed) == []


@pytest.mark.parametrize(
    "name", ["generate", "beam_search", "capture", "run", "fill_mask", "capture_batch", "encode", "next_sentence"]
)
def test_a_model_takes_what_its_annotations_say_and_refuses_the_rest(name, model) -> None:
    values = {"text": TEXT, "texts": [TEXT], "text_pair": "the cat"}
    of = load_model("toy:tales") if name in ("generate", "beam_search") else model
    function = getattr(of, name)
    needed = inspect.signature(function).parameters
    good = {each: values[each] for each, parameter in needed.items() if parameter.default is parameter.empty and each in values}
    assert each_misfit(function, **good) == []


def test_a_model_is_not_loaded_nor_wrapped_from_what_names_none() -> None:
    assert each_misfit(load_model, source="toy:grammar") == []
    assert each_misfit(wrap_model, module=None, tokenizer=None) == []


def test_numbers_of_numpy_and_torch_are_taken_as_numbers(model, record) -> None:
    tales = load_model("toy:tales")
    numbers = {"temperature": np.float32(0.5), "top_k": np.int64(5), "top_p": torch.tensor(0.875), "seed": np.int64(3)}
    ours = [step.token for step in tales.generate("once upon a time", max_new_tokens=np.int16(4), **numbers)]
    theirs = [
        step.token
        for step in tales.generate("once upon a time", max_new_tokens=4, temperature=0.5, top_k=5, top_p=0.875, seed=3)
    ]
    assert ours == theirs
    edits = [Scale(layer=np.int64(1), head=torch.tensor(3)), Cut(queries=np.array([6]), keys=[np.int32(2)])]
    same = [Scale(layer=1, head=3), Cut(queries=(6,), keys=(2,))]
    assert model.run(TEXT, intervention=edits).predictions == model.run(TEXT, intervention=same).predictions
    (one,) = analyse.attention_flow(record, queries=np.array([6])).flows
    (other,) = analyse.attention_flow(record, queries=[6]).flows
    assert np.array_equal(one, other)


def test_the_settings_of_the_public_face_are_taken_as_they_are() -> None:
    tales, text = load_model("toy:tales"), "once upon a time"
    drawn = Sampling(temperature=1.0, top_k=20, seed=5)
    expected = [step.token for step in tales.generate(text, max_new_tokens=6, temperature=1.0, top_k=20, seed=5)]
    assert [step.token for step in tales.generate(text, max_new_tokens=6, sampling=drawn)] == expected
    assert [step.token for step in tales.generate(text, max_new_tokens=6, sampling=Sampling(1.0, 20), seed=5)] == expected
    *_, last = tales.beam_search(text, max_new_tokens=4, beams=BeamSearch(3, length_penalty=2.0))
    *_, same = tales.beam_search(text, max_new_tokens=4, n_beams=3, length_penalty=2.0)
    assert last.best.text == same.best.text
    assert len(last.beams) == len(same.beams)


def test_what_is_meant_is_said() -> None:
    with pytest.raises(HeadscopeError, match="model must be a model, as load_model returns it, not 'toy:grammar'"):
        analyse.value_weighted_attention("toy:grammar", TEXT)
    with pytest.raises(HeadscopeError, match="queries must be a list, each of it a whole number or None, not 3"):
        Scale(layer=0, head=0, queries=3)
    with pytest.raises(HeadscopeError, match=r"position must be a whole number or None, not 1\.5"):
        Target(position=1.5)
    with pytest.raises(HeadscopeError, match="early_stopping must be True or False or never, not 'soon'"):
        BeamSearch(early_stopping="soon")
