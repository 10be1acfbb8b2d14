"""How far two right computations of the same number may be apart: every tolerance of core, each with its reason.

Two ways to a number round differently, and which way is taken depends on the processor, the number of threads and the shape of a
block. So nothing that went two ways is compared by ``==``, and what is allowed follows from three things, never from a machine:

* the **coarsest number format** that took part. eps is its spacing at 1, and one rounding moves a number by up to eps / 2 of its
  size. A model in half precision keeps parts of itself in float32 (T5), so the format of one tensor does not tell: see `coarsest`
  and `computed_in`.
* the **size** of what was rounded: for a softmax the spread of its scores, for logits the largest of them.
* the **length of the sums** that lead there. The roundings of n additions are as often up as down and grow like √n (Higham,
  Accuracy and Stability of Numerical Algorithms, 2002, section 2.8: a random walk). Products of half-precision matrices are summed
  up in float32 and rounded once, however long they are.

What went through many layers twice has no such bound, since each layer may magnify what it is given: it keeps half of its digits, √eps.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Final

import torch
from torch import Tensor, nn

_LEAST_SPREAD: Final = 4.0
"""Scores a little apart are made of larger numbers: the products of a query and a key cancel where they are summed up."""
_MOST: Final = 0.25
"""A wrong head, mask or scale is off by more than this somewhere, so no check of weights may allow more."""
_HALF_ROUNDINGS: Final = 4
"""Of a half-precision number on its way to a score: the state, its query or key, that turned or normed, the score."""
_READINGS: Final = 8
"""Sums, one after the other, from the residual stream to a logit: norm, projection, head, scale, soft cap, with room."""
_PARALLEL: Final = 1e-3


# ---------------------------------------------------------------- number formats
def coarsest(formats: Iterable[torch.dtype]) -> torch.dtype:
    """The format with the fewest digits: what took part in it, all of the result is right to no more.

    Formats of fewer than 16 bits hold packed weights, which are unpacked before anything is computed: they count as float16.
    """
    computed = {dtype if dtype.is_floating_point and dtype.itemsize >= 2 else torch.float16 for dtype in formats}
    return max(computed, key=lambda dtype: torch.finfo(dtype).eps)


def computed_in(module: nn.Module) -> torch.dtype:
    """The coarsest format that a model's parameters have; float32 at least, in which records are computed."""
    return coarsest({torch.float32, *(parameter.dtype for parameter in module.parameters())})


def longest_sum(module: nn.Module) -> int:
    """How many products a row of the model's widest matrix sums up; 1 or more."""
    return max((parameter.shape[-1] for parameter in module.parameters() if parameter.dim() > 1), default=1)


def sums_of_layers(module: nn.Module, n_layers: int) -> int:
    """How many products lead to what is computed behind so many layers: each adds the roundings of its sums to the stream.

    `longest_sum` times the number of layers, so that the tolerances, which go with √length, grow with √n_layers. Seen: a tiny T5's
    third decoder layer, behind an encoder of two, 8.3e-6 from eager where one layer alone explains 5.5e-6 and five 1.2e-5; both
    are nearer to float64 than to each other.
    """
    return longest_sum(module) * max(1, n_layers)


def rounding(dtype: torch.dtype, length: int = 1) -> float:
    """How far two right sums of `length` products may be apart, for the size of their terms: √length · eps.

    Of half-precision formats 4 eps at any length: they are summed up in float32, and rounded at four places before a score.
    """
    eps = torch.finfo(dtype).eps
    return eps * (math.sqrt(length) if torch.finfo(dtype).bits > 16 else _HALF_ROUNDINGS)


def half_digits(dtype: torch.dtype) -> float:
    """√eps: what many layers made twice is right to half its digits. 3e-4 in float32, 0.03 in float16, 0.09 in bfloat16."""
    return math.sqrt(torch.finfo(dtype).eps)


# ---------------------------------------------------------------- attention weights
def softmax_tolerance(spread: float, dtype: torch.dtype, length: int) -> float:
    """How far two right computations of the same softmax may be apart.

    A score is a sum, so it is off by up to about √length · eps / 2 of its size in each of the two ways; a softmax passes on at
    most half of an error in its inputs; the largest of very many cells is a few times the usual error. Together: √length · eps
    times the spread of the scores, the distance from the largest to the smallest of a row, which does not change if all of them
    are shifted. Never less than for scores 4 apart, since queries and keys are larger than what is left of their product; never
    more than 0.25.

    float32, width 64: 3.8e-6 up to a spread of 4. Seen: 2.3e-6 (LayoutLM, on a processor with AMX, a spread of 3), 1.3e-5 where
    3.7e-5 are allowed (LongcatFlash). RXNMapper's trained ALBERT, whose scores are up to 77 apart, is up to 8e-6 from float64.

    Parameters
    ----------
    spread : float
        0 or more; see `spread_of`.
    dtype : torch.dtype
        The coarsest that took part.
    length : int
        Of the longest sum on the way: `longest_sum` of a model, or d_head where queries and keys are the same in both.

    Returns
    -------
    float
        At most 0.25, for probabilities.
    """
    return min(_MOST, rounding(dtype, length) * max(spread, _LEAST_SPREAD))


def spread_of(weights: Tensor) -> float:
    """The largest distance of two scores in a row, read from its weights: log(largest / smallest), hidden keys left out."""
    smallest = weights.masked_fill(weights == 0, 1.0).amin(dim=-1)
    largest = weights.amax(dim=-1)
    return float((largest / smallest).nan_to_num(1.0).clamp(min=1.0).log().max())


def are_weights(weights: Tensor) -> bool:
    """Whether all lie between 0 and 1, but for a rounding of bfloat16, which they may come from; not so for NaN."""
    room = torch.finfo(torch.bfloat16).eps
    return bool(((weights >= -room) & (weights <= 1 + room)).all())


def rows_exceed_one(weights: Tensor) -> bool:
    """Whether any row sums to more than 1 by more than its weights' roundings in bfloat16, which they may come from.

    Each weight is off by half an eps of its size at most, and so is their sum. Dropout divides what it leaves by 1 − p and shows.
    """
    return bool((weights.detach().float().sum(-1) > 1 + torch.finfo(torch.bfloat16).eps).any())


def same_maps(one: Tensor, other: Tensor) -> bool:
    """Whether two maps of a few keys are of the same attention: no further apart than 0.02, on average over their cells.

    This tells ways to compute apart and not roundings. A wrong mask, scale or order moves a weight of 8 keys, 1/8 on average, by
    about as much as itself; rounding in bfloat16 moves it by some 2⁻⁸, and by more in few cells alone. NaN counts as 0: a model
    of broken weights says so when it runs.
    """
    if one.shape != other.shape:
        return False
    difference = one.float().cpu().nan_to_num() - other.float().cpu().nan_to_num()
    return float(difference.abs().mean()) <= 0.02


# ---------------------------------------------------------------- scores
def same_scores(one: Tensor, other: Tensor, dtype: torch.dtype, length: int) -> bool:
    """Whether scores are the same dot products, `length` long, of queries and keys in `dtype`; -inf in the same places."""
    finite = other.isfinite()
    if not torch.equal(one.isfinite(), finite):
        return False
    one, other = one.masked_fill(~finite, 0.0), other.masked_fill(~finite, 0.0)
    return _within(one, other, logit_tolerance(dtype, length))


def same_scale(one: float, other: float) -> bool:
    """Whether a number of a model's settings is meant to be `other`: it may have been computed in float32."""
    return math.isclose(one, other, rel_tol=4 * torch.finfo(torch.float32).eps)


def same_factors(one: Sequence[float], other: Sequence[float]) -> bool:
    """Whether factors of rotary frequencies are meant to be those of one formula, 1 / ((1 − s) / f + s), with s in float32.

    Where s is small, a rounding of it moves the factor by as many times as the largest factor f says.
    """
    allowed = 8 * max(one, default=1.0) * torch.finfo(torch.float32).eps
    return len(one) == len(other) and all(math.isclose(a, b, rel_tol=allowed) for a, b in zip(one, other, strict=True))


def is_rotation(matrix: Tensor) -> bool:
    """Whether R, made of unit vectors, is orthogonal but for a factor: its cosines and sines may be rounded to bfloat16.

    Each of the two products of a column is then off by up to 2⁻⁸, and so is their sum of squares by up to 2⁻⁷.
    """
    scales = matrix.square().sum(dim=0)
    if not bool((scales > 0).all()):
        return False
    off = matrix.T @ matrix / scales - torch.eye(len(matrix), dtype=matrix.dtype)
    return float(off.abs().max()) <= 2 * torch.finfo(torch.bfloat16).eps


# ---------------------------------------------------------------- the residual stream and logits
def logit_tolerance(dtype: torch.dtype, length: int) -> float:
    """How far logits that are read twice from the same stream may be apart, for the size of the largest: eight sums' rounding."""
    return _READINGS * rounding(dtype, length)


def difference_tolerance(size: float, dtype: torch.dtype) -> float:
    """How far the difference of two logits may be from what was summed up on the way from one to the other.

    Each end is rounded by up to eps / 2 of its size, and so, on the whole, are the sum's terms: 2 eps.
    """
    return 2 * torch.finfo(dtype).eps * size


def same_logits(one: Tensor, other: Tensor, dtype: torch.dtype, length: int) -> bool:
    """Whether logits were read from the same stream by the same head; those below 1 count as if they were 1."""
    return _within(one, other, logit_tolerance(dtype, length), least=1.0)


def stream_tolerance(change: float, size: float, dtype: torch.dtype) -> float:
    """How far the parts of a layer's change may be from the change: half the digits of it, and the stream's own rounding.

    The stream is `size` large and is rounded before the layer, twice inside and after it, so that a change that is small beside
    it is known to no more than a few of its eps.
    """
    return half_digits(dtype) * change + 2 * _HALF_ROUNDINGS * torch.finfo(dtype).eps * size


def same_vector(one: Tensor, other: Tensor, dtype: torch.dtype) -> bool:
    """Whether two ways lead to the same vector: half the digits of its largest number."""
    return _within(one, other, half_digits(dtype))


def same_direction(one: Tensor, other: Tensor) -> bool:
    """Whether two gradients differ by a factor alone: the cosine of their angle is over 0.999, which bfloat16 keeps far within."""
    return float(torch.cosine_similarity(one, other, dim=0)) >= 1 - _PARALLEL


# ---------------------------------------------------------------- passes with and without a change
def same_after_edit(one: Tensor, other: Tensor, dtype: torch.dtype) -> bool:
    """Whether a pass in which each head's own numbers were put in the place of themselves gave the same.

    Of transformers' classes, those that edits reach are up to 2e-6, 6e-3 and 0.04 off (float32, float16, bfloat16; allowed are
    3e-4, 0.03 and 0.09), those that compute more than attention 0.13 and more.
    """
    return _within(one, other, half_digits(dtype))


def same_when_branched(joined: Tensor, apart: Tensor, dtype: torch.dtype) -> bool:
    """Whether copies that join a pass in the middle gave what they give when they are there from its start."""
    return _within(joined, apart, half_digits(dtype))


def _within(one: Tensor, other: Tensor, relative: float, least: float = 0.0) -> bool:
    """Not so for NaN."""
    if not other.numel():
        return True
    size = max(least, float(other.abs().max()))
    return float((one.float() - other.float()).abs().max()) <= relative * size
