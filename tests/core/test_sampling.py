"""The distribution that a token is drawn from, and the drawing."""

import math

import pytest
import torch

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Sampling
from headscope.core.predict.sampling import check, choose, distribution, generator_of, keep_top_p

# Probabilities that floats hold exactly, in no order: 1/2, 1/4, 1/8, 1/16, 1/16.
PROBABILITIES = torch.tensor([0.125, 0.5, 0.0625, 0.25, 0.0625], dtype=torch.float64)
LOGITS = PROBABILITIES.log() + 3.0  # a shift changes nothing


def assert_close(actual: torch.Tensor, expected: list[float]) -> None:
    torch.testing.assert_close(actual, torch.tensor(expected, dtype=torch.float64), atol=1e-12, rtol=0)


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
    torch.testing.assert_close(result, expected, atol=1e-12, rtol=0)
    assert PROBABILITIES[result > 0].sum() >= top_p


def test_top_p_works_on_what_temperature_and_top_k_left() -> None:
    # top-k 3 renormalises 1/2, 1/4, 1/8 to 4/7, 2/7, 1/7; 6/7 = 0.857 is the smallest mass that reaches 0.85,
    # while without renormalising, 1/2 + 1/4 + 1/8 = 0.875 would be needed.
    assert_close(distribution(LOGITS, Sampling(temperature=1.0, top_k=3, top_p=0.85)), [0, 2 / 3, 0, 1 / 3, 0])


def test_top_p_agrees_with_transformers() -> None:
    warpers = pytest.importorskip("transformers")
    logits = torch.randn(1, 1000, generator=torch.Generator().manual_seed(0)) * 3
    for top_k, top_p, temperature in ((0, 0.9, 1.0), (50, 0.8, 0.7), (5, 0.95, 1.5)):
        expected = logits / temperature
        if top_k:
            expected = warpers.TopKLogitsWarper(top_k)(None, expected)
        expected = warpers.TopPLogitsWarper(top_p)(None, expected)[0].double().softmax(-1)
        actual = distribution(logits[0], Sampling(temperature, top_k, top_p))
        torch.testing.assert_close(actual, expected, atol=1e-6, rtol=0)


def test_drawing_follows_the_distribution() -> None:
    sampling = Sampling(temperature=1.0, top_k=3, seed=7)
    generator = generator_of(sampling)
    n = 4000
    drawn = [choose(LOGITS, sampling, generator) for _ in range(n)]
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
        return [choose(LOGITS, sampling, generator)[0] for _ in range(30)]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_greedy_is_certain_of_its_choice() -> None:
    sampling = Sampling(top_k=2, top_p=0.5)
    assert choose(LOGITS, sampling, generator_of(sampling)) == (1, 1.0)


@pytest.mark.parametrize(
    "sampling",
    [Sampling(temperature=-1.0), Sampling(temperature=math.nan), Sampling(top_k=-1), Sampling(top_p=0.0), Sampling(top_p=1.1)],
)
def test_values_that_describe_no_distribution_are_refused(sampling: Sampling) -> None:
    with pytest.raises(HeadscopeError) as caught:
        check(sampling)
    assert caught.value.code == "bad_option"
