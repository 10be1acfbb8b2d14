"""What one run shows minus what another does, against the two asked one by one."""

from __future__ import annotations

import numpy as np
import pytest

from headscope.core import load_model
from headscope.core.attention.lens import DIFFERENCE, SCORES, WEIGHTS
from headscope.core.attention.maps import overview
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import HeadscopeError
from headscope.core.model import Model
from headscope.core.text.tokens import Units

A, B = "the keys of the cabinet are rusty .", "the key of the cabinets is rusty ."
LONG_A, LONG_B = "once there was a dog . the dog had a bone .", "once there was a cat . the cat had a fish ."


@pytest.fixture(scope="module")
def model() -> Model:
    return load_model("toy:grammar")


@pytest.fixture(scope="module")
def decoder() -> Model:
    return load_model("toy:tales")


@pytest.fixture(scope="module")
def pair(model: Model) -> tuple[AttentionRecord, AttentionRecord]:
    return model.capture(B), model.capture(A)


def test_each_cell_is_the_difference_of_two_weights(pair) -> None:
    newest, reference = pair
    difference = newest.minus(reference)
    assert difference.lens == DIFFERENCE and difference.of_weights is newest
    for layer in range(2):
        for head in range(4):
            expected = newest.attention_weights(layer, head) - reference.attention_weights(layer, head)
            np.testing.assert_array_equal(difference.attention_weights(layer, head), expected)
            assert np.abs(expected).max() > 0.01
    assert difference.cell(1, 3, 6, 2) == pytest.approx(newest.cell(1, 3, 6, 2) - reference.cell(1, 3, 6, 2))
    assert difference.axis("encoder") == newest.axis("encoder")


def test_a_run_minus_itself_is_0(pair) -> None:
    newest, _ = pair
    assert not newest.minus(newest).layer_weights(1, "encoder").any()


def test_of_scores_what_either_hides_has_no_number(decoder: Model) -> None:
    newest, reference = (decoder.capture(text).through(SCORES) for text in (LONG_B, LONG_A))
    difference = newest.minus(reference)
    expected = newest.attention_weights(0, 1) - reference.attention_weights(0, 1)
    np.testing.assert_array_equal(difference.attention_weights(0, 1), expected)
    assert np.isnan(expected[0, 1]) and not np.isnan(expected[1, 0])


def test_in_words_the_words_weights_are_subtracted(pair) -> None:
    newest, reference = (record.in_units(Units(of="words", special="renormalised")) for record in pair)
    expected = newest.attention_weights(0, 2) - reference.attention_weights(0, 2)
    np.testing.assert_array_equal(newest.minus(reference).attention_weights(0, 2), expected)


def test_a_pixel_of_several_cells_is_the_one_furthest_from_0(pair) -> None:
    newest, reference = pair
    difference = newest.minus(reference)
    whole = difference.attention_weights(1, 3)
    pixels = difference.pooled(1, 3, height=2, width=2)
    n_queries, n_keys = whole.shape
    for row, column in np.ndindex(2, 2):
        cells = whole[
            row * n_queries // 2 : (row + 1) * n_queries // 2, column * n_keys // 2 : (column + 1) * n_keys // 2
        ].ravel()
        assert pixels[row, column] == cells[np.abs(cells).argmax()]
    ((_, first), *_) = difference.thumbnails("encoder", size=4)
    assert first.min() < 0 < first.max()


def test_a_large_head_has_an_overview_of_the_difference(decoder: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overview, "LARGE_CELLS", 10)
    difference = decoder.capture(LONG_B).minus(decoder.capture(LONG_A))
    *_, last = difference.overview(0, 1, "decoder", size=5)
    whole = difference.attention_weights(0, 1)
    np.testing.assert_array_equal(last.picture, difference.pooled(0, 1, height=5, width=5))
    assert np.abs(last.picture).max() == np.abs(whole).max()


def test_runs_that_do_not_fit_are_refused_in_a_sentence(model: Model, pair, decoder: Model) -> None:
    newest, reference = pair
    for other in (model.capture("she barks"), decoder.capture(LONG_A), reference.through(SCORES)):
        with pytest.raises(HeadscopeError) as refused:
            newest.minus(other)
        assert refused.value.code == "no_difference"
    with pytest.raises(HeadscopeError) as refused:
        newest.minus("the keys")
    assert refused.value.code == "bad_option"
    assert newest.lens == WEIGHTS
