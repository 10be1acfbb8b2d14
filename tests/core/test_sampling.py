"""The distribution that a token is drawn from, and the drawing."""

import math

import pytest
import torch

from headscope.core.errors import HeadscopeError
from headscope.core.options import Sampling
from headscope.core.predict.rule_effects import penalty
from headscope.core.predict.sampling import (
    check,
    choose,
    distribution,
    generator_of,
    keep_top_k,
    keep_top_p,
    said,
    stages_of,
)
from tests import allowed

# Probabilities that floats hold exactly, in no order: 1/2, 1/4, 1/8, 1/16, 1/16.
PROBABILITIES = torch.tensor([0.125, 0.5, 0.0625, 0.25, 0.0625], dtype=torch.float64)
LOGITS = PROBABILITIES.log() + 3.0  # a shift changes nothing


def assert_close(actual: torch.Tensor, expected: list[float]) -> None:
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), atol=allowed.of_doubles(), rtol=0)


def test_temperature_one_without_filters_is_the_softmax() -> None:
    assert_close(distribution(LOGITS, Sampling(temperature=1.0)), PROBABILITIES.tolist())


def test_temperature_divides_the_logits() -> None:
    squared = PROBABILITIES**2
    assert_close(distribution(LOGITS, Sampling(temperature=0.5)), (squared / squared.sum()).tolist())


def test_temperature_zero_is_greedy_and_takes_the_first_of_equals() -> None:
    assert_close(distribution(torch.tensor([1.0, 2.0, 2.0]), Sampling(temperature=0.0)), [0, 1, 0])


def test_top_k_keeps_the_k_most_probable_and_renormalises() -> None:
    assert_close(distribution(LOGITS, Sampling(temperature=1.0, top_k=2)), [0, 2 / 3, 0, 1 / 3, 0])


def test_top_k_larger_than_the_vocabulary_keeps_all() -> None:
    assert_close(distribution(LOGITS, Sampling(temperature=1.0, top_k=99)), PROBABILITIES.tolist())


@pytest.mark.parametrize(
    ("top_p", "kept"),
    [(0.3, 1), (0.5, 1), (0.5001, 2), (0.75, 2), (0.8, 3), (0.875, 3), (0.9, 4), (0.99, 5)],
)
def test_top_p_keeps_the_smallest_set_whose_mass_reaches_p(top_p: float, kept: int) -> None:
    result = keep_top_p(PROBABILITIES, top_p)
    most_probable = PROBABILITIES.sort(descending=True, stable=True)
    expected = torch.zeros(5, dtype=torch.float64)
    expected[most_probable.indices[:kept]] = most_probable.values[:kept] / most_probable.values[:kept].sum()
    torch.testing.assert_close(result, expected, atol=allowed.of_doubles(), rtol=0)
    assert PROBABILITIES[result > 0].sum() >= top_p


def test_top_p_works_on_what_temperature_and_top_k_left() -> None:
    # top-k 3 renormalises 1/2, 1/4, 1/8 to 4/7, 2/7, 1/7; 6/7 = 0.857 is the smallest mass that reaches 0.85,
    # while without renormalising, 1/2 + 1/4 + 1/8 = 0.875 would be needed.
    assert_close(distribution(LOGITS, Sampling(temperature=1.0, top_k=3, top_p=0.85)), [0, 2 / 3, 0, 1 / 3, 0])


def test_top_k_keeps_the_equals_of_the_last_one_as_transformers_does() -> None:
    assert_close(keep_top_k(PROBABILITIES, 4), PROBABILITIES.tolist())


def test_min_p_keeps_what_is_at_least_so_many_times_as_probable_as_the_best() -> None:
    assert_close(distribution(LOGITS, Sampling(temperature=1.0, min_p=0.25)), [1 / 7, 4 / 7, 0, 2 / 7, 0])


def test_the_repetition_penalty_moves_written_tokens_down_whatever_their_sign() -> None:
    logits = torch.tensor([2.0, -2.0, 3.0, 0.0])
    effect = penalty("repetition_penalty", [0, 1, 1, 9], 2.0, len(logits))
    assert effect.applied(logits.numpy()).tolist() == [1.0, -4.0, 3.0, 0.0]
    assert distribution(logits, Sampling(repetition_penalty=2.0), [2]).tolist() == [1, 0, 0, 0]


# ---------------------------------------------------------------- against transformers' own filters
FILTERS = {
    "repetition_penalty": lambda hf: hf.RepetitionPenaltyLogitsProcessor(1.3),
    "temperature": lambda hf: hf.TemperatureLogitsWarper(0.7),
    "top_k": lambda hf: hf.TopKLogitsWarper(40),
    "top_p": lambda hf: hf.TopPLogitsWarper(0.9),
    "min_p": lambda hf: hf.MinPLogitsWarper(0.02),
}
ALL = {"repetition_penalty": 1.3, "temperature": 0.7, "top_k": 40, "top_p": 0.9, "min_p": 0.02}


@pytest.mark.parametrize("names", [*((name,) for name in ALL), tuple(ALL), ("temperature", "top_p"), ("top_k", "min_p")])
def test_each_stage_keeps_what_transformers_keeps_with_the_same_probabilities(names: tuple[str, ...]) -> None:
    hf = pytest.importorskip("transformers")
    generator = torch.Generator().manual_seed(0)
    for scale in (0.5, 3.0, 8.0):
        logits = torch.randn(1, 1000, generator=generator) * scale
        written = torch.randint(0, 1000, (1, 50), generator=generator)
        sampling = Sampling(**({"temperature": 1.0} | {name: ALL[name] for name in names}))
        stages = stages_of(logits[0], sampling, written[0].tolist())
        assert list(stages) == ["model", *names]
        expected = logits.double()
        for name in names:
            expected = FILTERS[name](hf)(written, expected)
            assert torch.equal(stages[name] > 0, torch.isfinite(expected[0]))
            torch.testing.assert_close(stages[name], expected[0].softmax(-1), atol=allowed.of_doubles(), rtol=0)


def test_what_each_filter_did_is_said_in_numbers() -> None:
    sampling = Sampling(temperature=0.5, top_k=3, top_p=0.9, min_p=0.1)
    stages = stages_of(LOGITS, sampling)
    told = said(stages, [1, 2])
    assert [stage.name for stage in told] == ["model", "temperature", "top_k", "top_p", "min_p"]
    assert [stage.n_kept for stage in told] == [5, 5, 3, 2, 2]
    squares = 0.5**2 + 0.25**2 + 0.125**2 + 2 * 0.0625**2
    assert told[2].mass == pytest.approx((0.5**2 + 0.25**2 + 0.125**2) / squares)
    assert told[3].mass == pytest.approx(20 / 21)
    assert told[0].probabilities == pytest.approx((0.5, 0.0625))
    assert told[3].probabilities == pytest.approx((0.8, 0.0))
    assert [stage.mass for stage in (told[0], told[1], told[4])] == pytest.approx([1, 1, 1])


def test_drawing_follows_the_distribution() -> None:
    sampling = Sampling(temperature=1.0, top_k=3, seed=7)
    generator = generator_of(sampling)
    n = 4000
    stages = stages_of(LOGITS, sampling)
    drawn = [choose(stages, sampling, generator) for _ in range(n)]
    expected = distribution(LOGITS, sampling)
    for token, probability in set(drawn):
        share = sum(other == token for other, _ in drawn) / n
        assert probability == pytest.approx(float(expected[token]))
        assert abs(share - probability) < 4 * math.sqrt(probability * (1 - probability) / n)
    assert {token for token, _ in drawn} == {0, 1, 3}


def test_the_same_seed_draws_the_same_and_another_does_not() -> None:
    def draw(seed: int) -> list[int]:
        sampling = Sampling(temperature=1.0, seed=seed)
        generator = generator_of(sampling)
        return [choose(stages_of(LOGITS, sampling), sampling, generator)[0] for _ in range(30)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_greedy_is_certain_of_its_choice() -> None:
    sampling = Sampling(top_k=2, top_p=0.5)
    assert choose(stages_of(LOGITS, sampling), sampling, generator_of(sampling)) == (1, 1.0)


@pytest.mark.parametrize(
    "sampling",
    [
        Sampling(temperature=-1.0),
        Sampling(temperature=math.nan),
        Sampling(top_k=-1),
        Sampling(top_p=0.0),
        Sampling(top_p=1.1),
        Sampling(min_p=-0.1),
        Sampling(min_p=1.5),
        Sampling(repetition_penalty=0.0),
        Sampling(repetition_penalty=math.inf),
    ],
)
def test_values_that_describe_no_distribution_are_refused(sampling: Sampling) -> None:
    with pytest.raises(HeadscopeError) as captured:
        check(sampling)
    assert captured.value.code == "bad_option"
