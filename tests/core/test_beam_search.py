"""Beam search: transformers' own beams, each with the attention of one pass over it."""

from itertools import pairwise

import pytest
import torch

from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.options import BeamSearch
from headscope.core.predict.beam_search import beam_search
from headscope.core.predict.results import BeamStep
from tests import allowed
from tests.generating import PROMPT, difference_from_one_pass, model_of, written_by_transformers

FAMILIES = ("gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "bloom", "t5", "bart")
SETTINGS = (BeamSearch(3), BeamSearch(4, length_penalty=0.0, early_stopping=True), BeamSearch(2, length_penalty=-1.0))


def search(family: str, beams: BeamSearch, n: int = 9, **options: object) -> list[BeamStep]:
    return list(beam_search(model_of(family), PROMPT, beams=beams, max_new_tokens=n, **options))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_winner_is_transformers_own_and_its_record_that_of_one_pass(family: str) -> None:
    for beams in SETTINGS:
        winner = search(family, beams)[-1].best
        options = {"num_beams": beams.n_beams, "length_penalty": beams.length_penalty, "early_stopping": beams.early_stopping}
        assert [step.token.id for step in winner.steps] == written_by_transformers(family, max_new_tokens=9, **options)
        assert difference_from_one_pass(model_of(family), winner.steps[-1].record) <= 1


def test_with_a_repetition_penalty_and_ends_on_the_way_it_is_still_transformers() -> None:
    model = model_of("llama-grouped")
    ends = model.tokenizer.end_ids
    common = search("llama-grouped", BeamSearch(3), n=4)[-1].best.steps[2].token.id
    model.tokenizer.end_ids = frozenset({common})  # so that beams end at different lengths
    try:
        for penalty in (0.5, 1.0, 3.0):
            winner = search("llama-grouped", BeamSearch(3, length_penalty=penalty), n=8, repetition_penalty=1.4)[-1].best
            options = {"num_beams": 3, "length_penalty": penalty, "repetition_penalty": 1.4, "eos_token_id": common}
            expected = written_by_transformers("llama-grouped", max_new_tokens=8, **options)
            assert [step.token.id for step in winner.steps] == expected
    finally:
        model.tokenizer.end_ids = ends


@pytest.mark.parametrize("family", ["mistral-sliding", "bart", "bloom", "toy:tales"])
def test_every_beam_of_every_step_shows_its_own_attention(family: str) -> None:
    model = model_of(family)
    for step in beam_search(model, PROMPT, beams=BeamSearch(3), max_new_tokens=6):
        assert len(step.beams) == (3 if step.index < 5 else 0)
        for beam in step.beams:
            assert difference_from_one_pass(model, beam.steps[-1].record) <= 1


def test_beams_are_sorted_sum_up_their_tokens_and_go_on_from_their_parents() -> None:
    steps = search("llama-grouped", BeamSearch(4), n=6)
    assert [step.index for step in steps] == list(range(6))
    for step in steps:
        scores = [beam.log_probability for beam in step.beams]
        assert scores == sorted(scores, reverse=True)
        for beam in (*step.beams, *step.finished):
            product = torch.tensor([each.probability for each in beam.steps]).log().sum()
            assert beam.log_probability == pytest.approx(float(product), abs=allowed.of_logits(float(product)))
            assert beam.score == pytest.approx(beam.log_probability / len(beam.steps))
    for before, after in pairwise(steps):
        for beam in after.beams:
            assert beam.steps[:-1] == before.beams[beam.parent].steps
    assert any(beam.parent != place for step in steps[1:] for place, beam in enumerate(step.beams))


def test_one_beam_is_greedy() -> None:
    model = model_of("gpt2")
    greedy = [step.token.id for step in model.generate(PROMPT, max_new_tokens=7)]
    assert [step.token.id for step in search("gpt2", BeamSearch(1), n=7)[-1].best.steps] == greedy


def test_what_is_kept_of_the_beams_grows_with_the_text_and_not_with_its_square() -> None:
    model = model_of("gpt2")
    half, whole = (search_bytes(list(beam_search(model, PROMPT, beams=BeamSearch(3), max_new_tokens=n)), n) for n in (12, 24))
    assert whole <= 2.5 * half


def search_bytes(steps: list[BeamStep], n: int) -> int:
    """All memory that the records of all beams of all steps keep."""
    kept = {}
    for step in steps:
        for beam in (*step.beams, *step.finished):
            for layer in beam.steps[-1].record._layers["decoder"]:
                kept |= {tensor.untyped_storage().data_ptr(): tensor.untyped_storage().nbytes() for tensor in layer.tensors}
    assert len(steps) == n
    return sum(kept.values())


def test_a_stop_string_finishes_a_beam() -> None:
    written = search("llama-grouped", BeamSearch(2), n=8)[-1].best.text[len(PROMPT) :]
    stop = written[3]
    for beam in search("llama-grouped", BeamSearch(2), n=8, stop=(stop,))[-1].finished:
        assert beam.text.endswith(stop) or len(beam.steps) == 8
        assert stop not in beam.text[len(PROMPT) : -1]


def test_it_can_be_cancelled_and_refuses_what_is_no_search() -> None:
    cancel = Cancel()
    steps = beam_search(model_of("gpt2"), PROMPT, beams=BeamSearch(2), job=Job(cancel=cancel))
    next(steps)
    cancel.set()
    with pytest.raises(Cancelled):
        next(steps)
    with pytest.raises(HeadscopeError, match="n_beams"):
        beam_search(model_of("gpt2"), PROMPT, beams=BeamSearch(0))
    with pytest.raises(HeadscopeError, match="cannot generate"):
        beam_search(model_of("toy:grammar"), PROMPT, beams=BeamSearch(2))
