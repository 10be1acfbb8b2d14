"""Scores before the softmax are what the model's own eager attention gives to its softmax; ranks and sums are those of the matrix."""

import numpy as np
import pytest
import torch

from headscope.core import load_model
from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.intervention import Cut, Intervention, Paste, Scale, Uniform
from headscope.core.attention.kept.softmax_input import SOFTMAXES
from headscope.core.attention.lens import SCORES, WEIGHTS
from headscope.core.attention.ranks import rank, shares_below
from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.models.hub.attention import eager_pass, install
from headscope.core.requests.cells import PartRequest, RankRequest, RowRequest, SumsRequest
from headscope.core.text.tokens import Units
from tests import allowed
from tests.golden.families import FAMILIES, axis, built, inputs_of

view = Engine().handle_record

SCORED = [family for family in FAMILIES if family.backend != "fallback"]


def ignore(_: object) -> None:
    pass


class EverySoftmax(torch.overrides.TorchFunctionMode):
    """What every softmax over four dimensions was given, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs: list[torch.Tensor] = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        if func in SOFTMAXES and args[0].dim() == 4:
            self.inputs.append(args[0].detach().float().clone())
        return func(*args, **(kwargs or {}))


def record_and_eager(family):
    """The second of two texts as a record, and what its eager attention gives to its softmaxes, layer by layer."""
    model, inputs = built(family), inputs_of(family, 21)
    backend = install(model)
    recorder = recorder_for(model, backend)
    with torch.inference_mode(), recorder.recording():
        model(**inputs)
    axes = {kind: (axis(layers[0].shape[1]), axis(layers[0].shape[2])) for kind, layers in recorder.layers.items()}
    with torch.inference_mode(), EverySoftmax() as tap:
        eager_pass(model, inputs)
    return recorder.record(axes, backend=backend, batch=1), [scores[1] for scores in tap.inputs]


@pytest.mark.parametrize("family", SCORED, ids=str)
def test_scores_are_what_the_models_own_attention_gives_to_its_softmax(family) -> None:
    record, eager = record_and_eager(family)
    order = [("encoder", layer) for layer in range(record.n_layers("encoder"))] if "encoder" in record.kinds else []
    for layer in range(record.n_layers("decoder") if "decoder" in record.kinds else 0):
        order += [("decoder", layer), ("cross", layer)] if "cross" in record.kinds else [("decoder", layer)]
    assert len(order) == len(eager)
    for (kind, layer), expected in zip(order, eager, strict=True):
        for head in range(record.n_heads(kind)):
            scores, weights = record.attention_scores(layer, head, kind), record.attention_weights(layer, head, kind)
            seen = ~np.isnan(scores)
            assert (weights[~seen] == 0).all()
            theirs = expected[head, :, : scores.shape[1]].numpy()
            shift = 0.0
            if family.name == "gpt-oss-sinks":  # it takes the row's largest away first
                shift = np.where(seen, scores - theirs, -np.inf).max(axis=1, keepdims=True)
            assert np.abs(np.where(seen, scores - theirs - shift, 0)).max() <= allowed.of_logits(scores)
            assert (theirs[~seen] < -1e4).all()


@pytest.mark.parametrize("family", [family for family in SCORED if "sinks" not in family.name], ids=str)
def test_the_softmax_of_the_scores_is_the_weights(family) -> None:
    record, _ = record_and_eager(family)
    for kind in record.kinds:
        scores = np.nan_to_num(record.attention_scores(1, 3, kind), nan=-np.inf)
        weights = torch.softmax(torch.tensor(scores), -1).numpy()
        assert np.abs(weights - record.attention_weights(1, 3, kind)).max() <= allowed.of_sums()


@pytest.fixture(scope="module")
def tale():
    return load_model("toy:tales", device="cpu").capture("once upon a time a brave mouse named Mia lived in a castle .")


def test_parts_and_rows_of_scores_are_those_of_the_whole(tale) -> None:
    whole = tale.attention_scores(1, 2)
    n = len(whole)
    scored = tale.through(SCORES)
    part = view(PartRequest(scored, "decoder", (1, 2), range(2, 9), range(1, 6), 7, 5), Job(), ignore).picture
    np.testing.assert_allclose(part, whole[2:9, 1:6], atol=allowed.of_logits(whole))
    row = view(RowRequest(scored, "decoder", (1, 2), 4), Job(), ignore).values
    np.testing.assert_allclose(row, whole[4], atol=allowed.of_logits(whole))
    assert np.isnan(row[5:]).all()
    small = view(PartRequest(scored, "decoder", (1, 2), range(n), range(n), 3, 4), Job(), ignore).picture
    rows, columns = ([i * n // pixels for i in range(pixels + 1)] for pixels in (3, 4))
    for (i, j), pixel in np.ndenumerate(small):
        block = whole[rows[i] : rows[i + 1], columns[j] : columns[j + 1]]
        if np.isnan(block).all():
            assert np.isnan(pixel)
        else:
            assert pixel == pytest.approx(np.nanmax(block), abs=allowed.of_logits(whole))


def test_scores_without_special_tokens_are_the_others_and_words_have_none() -> None:
    record = load_model("toy:grammar", device="cpu").capture("the keys near the cabinet [MASK] rusty .")
    hidden = record.in_units(Units(special="renormalised"))
    inside = record.attention_scores(1, 2)[1:-1, 1:-1]
    np.testing.assert_allclose(hidden.attention_scores(1, 2), inside, atol=allowed.of_logits(inside))
    sentences = record.in_units(Units("sentences"))
    with pytest.raises(HeadscopeError) as told:
        sentences.attention_scores(1, 2)
    assert told.value.code == "no_scores"


def test_given_weights_have_no_scores() -> None:
    with pytest.raises(HeadscopeError) as told:
        record_of(np.eye(3, dtype=np.float32)[None], ["a", "b", "c"]).attention_scores(0, 0)
    assert told.value.code == "no_scores"
    assert "Only the weights are known" in str(told.value)


def test_ranks_are_the_share_of_smaller_values_in_255_steps(tale) -> None:
    values = np.random.default_rng(0).normal(size=(60, 70)).astype(np.float32)
    values[values < -0.5] = -0.5  # many that are equal
    values[3, 4] = np.nan
    shares = shares_below(values)
    known = values[~np.isnan(values)]
    assert np.isnan(shares[3, 4])
    for value, share in zip(known[::37], shares[~np.isnan(values)][::37], strict=True):
        assert abs(share - (known < value).mean()) <= 1 / 255 + 1 / known.size
        assert rank(values, value) == (1 + int((known > value).sum()), known.size)
    assert shares_below(np.zeros((2, 2), np.float32)).max() == 0
    for record, cells in ((tale, tale.attention_weights(1, 2)), (tale.through(SCORES), tale.attention_scores(1, 2))):
        np.testing.assert_array_equal(view(RankRequest(record, "decoder", (1, 2)), Job(), ignore).found, shares_below(cells))


def test_sums_over_chosen_rows_and_columns(tale) -> None:
    weights = tale.attention_weights(0, 1)
    sums = view(SumsRequest(tale, "decoder", (0, 1), (3, 7), (0, 2, 5)), Job(), ignore)
    np.testing.assert_allclose(sums.received, weights[[3, 7]].sum(0), atol=allowed.of_sums())
    np.testing.assert_allclose(sums.given, weights[:, [0, 2, 5]].sum(1), atol=allowed.of_sums())
    nothing = view(SumsRequest(tale, "decoder", (0, 1), (), ()), Job(), ignore)
    assert (nothing.received, nothing.given) == (None, None)


# ---------------------------------------------------------------- of runs that were changed
TEXT = "the keys near the cabinet [MASK] rusty ."
EDGE = {"layer": 1, "head": 2, "queries": (6,)}


def changed(*edits):
    """The same text, with edits."""
    return load_model("toy:grammar", device="cpu").capture(TEXT, intervention=Intervention(edits))


def softmax_of_scores(record) -> np.ndarray:
    scores = np.nan_to_num(record.attention_scores(1, 2), nan=-np.inf)
    return torch.softmax(torch.tensor(scores), -1).numpy()


@pytest.mark.parametrize(
    "edit",
    [Scale(layer=0, head=1), Uniform(layer=0), Scale(layer=1, head=2), Cut(**EDGE, keys=(2, 3))],
    ids=["output before", "weights before", "own output", "cut"],
)
def test_scores_are_those_of_the_edited_run_where_they_tell_its_weights(edit) -> None:
    record, plain = changed(edit), changed()
    np.testing.assert_allclose(softmax_of_scores(record), record.attention_weights(1, 2), atol=allowed.of_sums())
    assert not record.sets_weights(1, 2, "encoder")
    hidden = np.isnan(record.attention_scores(1, 2))
    assert (np.argwhere(hidden) == ([[6, 2], [6, 3]] if isinstance(edit, Cut) else np.empty((0, 2)))).all()
    if edit.layer == 0:
        assert np.abs(record.attention_scores(1, 2) - plain.attention_scores(1, 2)).max() > 0.01, "queries and keys are others"


@pytest.mark.parametrize("edit", [Uniform(**EDGE), Paste(**EDGE, pattern=np.eye(10))], ids=["uniform", "paste"])
def test_where_weights_were_set_scores_are_from_before_and_it_is_said_so(edit) -> None:
    record, plain = changed(edit, Cut(**EDGE, keys=(2,))), changed()
    scores, before = record.attention_scores(1, 2), plain.attention_scores(1, 2)
    assert np.isnan(scores[6, 2])
    np.testing.assert_allclose(np.where(np.isnan(scores), before, scores), before, atol=allowed.of_logits(before))
    assert np.abs(softmax_of_scores(record) - record.attention_weights(1, 2))[6].max() > 0.1
    for head, lens, said in (((1, 2), SCORES, True), ((1, 2), WEIGHTS, False), ((1, 3), SCORES, False)):
        for read in (record, record.in_units(Units(special="hidden"))):
            assert read.through(lens).is_before_edits(*head, "encoder") is said
