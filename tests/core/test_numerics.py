"""What is allowed between two right computations: wide enough for every way to compute, too narrow for a wrong one."""

from __future__ import annotations

import math

import pytest
import torch

from headscope.core import numerics

WIDTH = 64
HALF = [torch.float16, torch.bfloat16]
FORMATS = [torch.float32, *HALF]


def two_ways(dtype: torch.dtype, n_keys: int, factor: float) -> tuple[torch.Tensor, torch.Tensor]:
    """The same attention in float64, and with queries, keys and scores rounded to a format."""
    generator = torch.Generator().manual_seed(n_keys)
    states, query, key = (torch.randn(n, WIDTH, generator=generator, dtype=torch.float64) for n in (n_keys, WIDTH, WIDTH))

    def weights(number: torch.dtype) -> torch.Tensor:
        q, k = (states.to(number) @ matrix.to(number) / 8 for matrix in (query, key))
        return (factor * (q @ k.T) / 8).softmax(-1).double()

    return weights(dtype), weights(torch.float64)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
@pytest.mark.parametrize("factor", [0.3, 1.0, 4.0])
@pytest.mark.parametrize("n_keys", [2, 40, 400])
def test_a_softmax_is_within_its_tolerance_and_a_shifted_one_is_not(dtype: torch.dtype, factor: float, n_keys: int) -> None:
    ours, exact = two_ways(dtype, n_keys, factor)
    allowed = numerics.softmax_tolerance(numerics.spread_of(exact), dtype, WIDTH)
    assert (ours - exact).abs().max() <= allowed <= 0.25
    if dtype == torch.float32:
        assert (exact.roll(1, -1) - exact).abs().max() > 100 * allowed


def test_a_tolerance_grows_with_the_spread_the_length_of_the_sums_and_the_coarseness() -> None:
    assert numerics.softmax_tolerance(70.0, torch.float32, 64) == pytest.approx(70 * 8 * 2**-23)
    assert numerics.softmax_tolerance(0.0, torch.float32, 64) == numerics.softmax_tolerance(4.0, torch.float32, 64) < 4e-6
    assert numerics.softmax_tolerance(9.0, torch.float32, 256) == 2 * numerics.softmax_tolerance(9.0, torch.float32, 64)
    in_each = [numerics.softmax_tolerance(1.0, dtype, 64) for dtype in FORMATS]
    assert in_each == sorted(in_each)
    assert numerics.softmax_tolerance(1e9, torch.bfloat16, 64) == numerics.softmax_tolerance(1e9, torch.float32, 64) == 0.25


@pytest.mark.parametrize("half", HALF, ids=str)
def test_the_coarsest_format_counts(half: torch.dtype) -> None:
    assert numerics.coarsest([torch.float32, half]) == half
    assert numerics.coarsest([torch.float32, torch.int8]) == numerics.coarsest([torch.float8_e4m3fn]) == torch.float16
    mixed = torch.nn.Sequential(torch.nn.Linear(3, 5).to(half), torch.nn.LayerNorm(5))
    assert numerics.computed_in(mixed) == half
    assert numerics.longest_sum(mixed) == 3
    assert numerics.computed_in(torch.nn.Identity()) == torch.float32


def test_weights_lie_between_0_and_1() -> None:
    fine = torch.tensor([0.0, 0.4, 1.0])
    assert numerics.are_weights(fine) and numerics.are_weights(fine.bfloat16() * torch.tensor(1.004).bfloat16())
    for wrong in (-0.02, 1.02, math.nan, math.inf, -math.inf):
        assert not numerics.are_weights(torch.tensor([0.3, wrong]))


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_scores_are_the_same_but_for_rounding(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    q, k = (torch.randn(12, 16, generator=generator).to(dtype) for _ in range(2))
    exact, rounded = (3 * q.float()) @ k.float().T, ((3 * q) @ k.T).float()
    hidden = torch.ones(12, 12, dtype=torch.bool).triu(1)
    exact, rounded = (scores.masked_fill(hidden, -math.inf) for scores in (exact, rounded))
    assert numerics.same_scores(exact, rounded, dtype, 16)
    assert not numerics.same_scores(exact, 20 * (rounded / 20).tanh(), dtype, 16), "a soft cap"
    assert not numerics.same_scores(exact, rounded.masked_fill(hidden, 0.0), dtype, 16), "other keys are hidden"
    assert not numerics.same_scores(exact, rounded * math.nan, dtype, 16)


@pytest.mark.parametrize("dtype", FORMATS, ids=str)
def test_what_an_edit_or_a_branch_must_not_change_may_change_by_half_its_digits(dtype: torch.dtype) -> None:
    logits = torch.linspace(-9, 9, 40)
    for same in (numerics.same_after_edit, numerics.same_when_branched, numerics.same_vector):
        assert same(logits + 0.5 * numerics.half_digits(dtype), logits, dtype)
        assert not same(logits.flip(0), logits, dtype)
        assert not same(logits * math.nan, logits, dtype)
        assert not same(logits, logits * math.nan, dtype)
    assert numerics.same_logits(logits * (1 + torch.finfo(dtype).eps), logits, dtype, WIDTH)
    assert not numerics.same_logits(logits * 1.3, logits, dtype, WIDTH)


def test_a_rotation_rounded_to_bfloat16_is_one_and_a_projection_is_none() -> None:
    angle = torch.tensor(0.7).double()
    turn = torch.stack([torch.stack([angle.cos(), -angle.sin()]), torch.stack([angle.sin(), angle.cos()])])
    for factor in (1.0, 0.1, 3.0):
        assert numerics.is_rotation(factor * turn.bfloat16().double())
    assert not numerics.is_rotation(turn * torch.tensor([1.0, 0.0]).double())
    assert not numerics.is_rotation(turn + 0.1)
