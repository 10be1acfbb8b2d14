"""Options at and beyond their ends: an answer or one clear sentence, never a crash."""

from __future__ import annotations

import pytest

from headscope.core import load_model
from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.keep import Keep
from headscope.core.requests.models import LoadRequest
from headscope.core.requests.runs import FillRequest

TEXT = "once upon a time"


@pytest.fixture(scope="module")
def tales():
    return load_model("toy:tales", device="cpu")


@pytest.mark.parametrize(
    "options", [{"temperature": 1e-320}, {"temperature": 5.0, "top_k": 10**12, "top_p": 1e-300, "min_p": 1.0}]
)
def test_the_sharpest_choice_is_the_greedy_one(tales, options):
    greedy = [step.token.id for step in tales.generate(TEXT, max_new_tokens=4)]
    assert [step.token.id for step in tales.generate(TEXT, max_new_tokens=4, **options)] == greedy


@pytest.mark.parametrize(
    "options",
    [
        {"seed": 2**64},
        {"seed": -(2**63) - 1},
        {"repetition_penalty": 1e-320},
        {"stop": "the"},  # a string in the place of a list would stop at any of its letters
        {"n_candidates": -1},
    ],
)
def test_an_option_that_means_nothing_is_refused(tales, options):
    with pytest.raises(HeadscopeError) as error:
        list(tales.generate(TEXT, max_new_tokens=2, **options))
    assert error.value.code == "bad_option"


@pytest.mark.parametrize("penalty", [1e9, -1e9, float("nan"), float("inf")])
def test_a_length_penalty_that_scores_nothing_is_refused(tales, penalty):
    with pytest.raises(HeadscopeError, match="length_penalty"):
        tales.beam_search(TEXT, n_beams=2, length_penalty=penalty)


def test_more_beams_than_words_follow_what_there_is(tales):
    *_, last = tales.beam_search(TEXT, n_beams=10_000, max_new_tokens=2)
    assert len(last.best.steps) == 2


def test_a_stop_text_of_blanks_ends_at_a_blank(tales):
    *_, last = tales.generate("once", max_new_tokens=9, stop=["\n\n", " "])
    assert last.text == "once "


def test_a_fork_without_a_token_is_refused_and_a_fork_of_a_fork_goes_on(tales):
    first, second, *_ = tales.generate(TEXT, max_new_tokens=3)
    branch = list(second.fork(first.token.id, max_new_tokens=2))
    (twig,) = branch[1].fork(second.token.id, max_new_tokens=1)
    assert twig.text.startswith(branch[0].text)
    assert twig.token.id == second.token.id
    with pytest.raises(HeadscopeError, match="max_new_tokens must be 1 or more"):
        list(second.fork(1, max_new_tokens=0))


def test_gibbs_sampling_refuses_what_it_cannot_do():
    engine = Engine()
    engine.handle(LoadRequest("toy:grammar", device="cpu"), Job(), lambda _: None)
    for wrong in ({"sweeps": 0}, {"seed": 2**80}, {"top_k": -1}):
        with pytest.raises(HeadscopeError) as error:
            engine.handle(FillRequest("the cat [MASK] .", strategy="gibbs", **wrong), Job(), lambda _: None)
        assert error.value.code == "bad_option"


@pytest.mark.parametrize("layers", [(), (99,), (-1, 0)])
def test_layers_that_are_not_there_cannot_be_kept(tales, layers):
    with pytest.raises(HeadscopeError, match="layers must be some of 0 to"):
        tales.capture(TEXT, keep=Keep(layers=layers))
