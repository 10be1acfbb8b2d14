"""Choosing the next token from a row of logits, filter by filter, so that each one's effect can be shown.

Order and definitions are those of transformers' `generate`; `core.predict.options.ORDER` has it. A model's own rules stand among
the filters (`core.predict.rules`).

References
----------
Keskar et al., CTRL, 2019, section 4.1 (repetition penalty; for negative logits as transformers does it).
Fan et al., Hierarchical Neural Story Generation, 2018 (top-k).
Holtzman et al., The Curious Case of Neural Text Degeneration, 2020 (top-p, "nucleus").
Nguyen et al., Turning Up the Heat: Min-p Sampling, 2024 (min-p).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import torch
from torch import Tensor

from headscope.core.errors import HeadscopeError
from headscope.core.options import ORDER, Sampling
from headscope.core.predict.results import FilterStage
from headscope.core.predict.rule_effects import RuleEffect, in_order, penalty
from headscope.core.vocabulary import Filter

Stages = dict[Filter, Tensor]
"""The distribution over the vocabulary after each filter that is on, in order; the first is the model's own. float64, on the CPU."""


def check(sampling: Sampling) -> None:
    """Raise ``bad_option`` for values that describe no distribution."""
    infinity = float("inf")
    limits = (
        ("temperature", sampling.temperature, 0 <= sampling.temperature < infinity, "0 or more"),
        ("top_k", sampling.top_k, sampling.top_k >= 0, "0 or more"),
        ("top_p", sampling.top_p, 0 < sampling.top_p <= 1, "above 0 and at most 1"),
        ("min_p", sampling.min_p, 0 <= sampling.min_p <= 1, "from 0 to 1"),
        (
            "repetition_penalty",
            sampling.repetition_penalty,
            1e-6 <= sampling.repetition_penalty <= 1e6,
            "above 0, and below 1e6",
        ),
        ("seed", sampling.seed, -(2**63) <= sampling.seed < 2**64, "a number of 64 bits"),
    )
    for option, value, valid, expected in limits:
        if not valid:
            raise HeadscopeError("bad_option", option=option, value=value, expected=expected)


def stages_of(logits: Tensor, sampling: Sampling, written: Sequence[int] = (), effects: Sequence[RuleEffect] = ()) -> Stages:
    """What each filter makes of the model's distribution.

    Penalties, rules and the temperature change logits; top-k, top-p, min-p and their kin cut probabilities and renormalise them.

    Parameters
    ----------
    logits : Tensor, (vocabulary,)
    sampling : Sampling
        At temperature 0 nothing is drawn: nothing that only drawing needs is applied.
    written : sequence of int
        Ids of the text so far (of an encoder-decoder: the decoder's), for the penalty.
    effects : sequence of RuleEffect
        Of the model's rules at this place.

    Returns
    -------
    dict of Filter to Tensor, float64, (vocabulary,)
        Each sums to 1; 0 where a filter has removed a token. Filters that are off, and rules that change nothing here, are left out.

    Raises
    ------
    HeadscopeError
        ``no_token_left`` if the rules strike out every token.
    """
    logits = logits.detach().cpu().double()
    stages: Stages = {"model": logits.softmax(dim=-1)}
    for effect in in_order([*effects, *_penalties(sampling, written, len(logits))]):
        logits = torch.from_numpy(effect.applied(logits.numpy()))
        if not bool(logits.isfinite().any()):
            raise HeadscopeError("no_token_left", rule=effect.rule)
        probabilities = logits.softmax(dim=-1)
        if effect.moves or not torch.equal(probabilities > 0, last_of(stages) > 0):
            stages[effect.rule] = probabilities
    if sampling.temperature == 0:
        return stages
    if sampling.temperature != 1:
        # From the largest one down: the smallest temperatures would make it infinite.
        stages["temperature"] = ((logits - logits.max()) / sampling.temperature).softmax(dim=-1)
    cuts: list[tuple[Filter, Callable[[Tensor], Tensor]]] = [
        (effect.rule, partial(_cut_by, effect)) for effect in effects if effect.how == "cut"
    ]
    if sampling.top_k > 0:
        cuts.append(("top_k", lambda probabilities: keep_top_k(probabilities, sampling.top_k)))
    if sampling.top_p < 1:
        cuts.append(("top_p", lambda probabilities: keep_top_p(probabilities, sampling.top_p)))
    if sampling.min_p > 0:
        cuts.append(("min_p", lambda probabilities: keep_min_p(probabilities, sampling.min_p)))
    for name, cut in sorted(cuts, key=lambda cut: ORDER.index(cut[0])):
        stages[name] = cut(last_of(stages))
    return stages


def _penalties(sampling: Sampling, written: Sequence[int], n_vocabulary: int) -> list[RuleEffect]:
    if sampling.repetition_penalty == 1:
        return []
    return [penalty("repetition_penalty", written, sampling.repetition_penalty, n_vocabulary)]


def _cut_by(effect: RuleEffect, probabilities: Tensor) -> Tensor:
    return _renormalised(probabilities, torch.from_numpy(effect.kept(probabilities.numpy())))


def distribution(logits: Tensor, sampling: Sampling, written: Sequence[int] = ()) -> Tensor:
    """The distribution that the next token is drawn from; parameters as `stages_of`.

    Returns
    -------
    Tensor, float64, (vocabulary,)
        Sums to 1. Temperature 0 gives probability 1 to the most probable token (the first one among equals).
    """
    probabilities = last_of(stages_of(logits, sampling, written))
    if sampling.temperature == 0:
        return torch.zeros_like(probabilities).index_fill_(0, probabilities.argmax(), 1.0)
    return probabilities


def last_of(stages: Stages) -> Tensor:
    """The distribution after all filters."""
    return next(reversed(stages.values()))


# ---------------------------------------------------------------- the filters
def keep_top_k(probabilities: Tensor, k: int) -> Tensor:
    """The `k` most probable tokens and those that equal the last of them, renormalised."""
    least = probabilities.topk(min(k, len(probabilities))).values[-1]
    return _renormalised(probabilities, probabilities >= least)


def keep_top_p(probabilities: Tensor, p: float) -> Tensor:
    """The smallest set of most probable tokens whose mass is at least `p`, renormalised; never empty.

    Cutting the logits instead, before the softmax, keeps another set: mass is a property of probabilities.
    """
    values, ids = probabilities.sort(descending=True, stable=True)
    mass_before = values.cumsum(dim=-1) - values
    return _renormalised(probabilities, torch.zeros_like(ids, dtype=torch.bool).index_copy_(0, ids, mass_before < p))


def keep_min_p(probabilities: Tensor, p: float) -> Tensor:
    """The tokens that are at least `p` times as probable as the most probable one, renormalised."""
    return _renormalised(probabilities, probabilities >= p * probabilities.max())


def _renormalised(probabilities: Tensor, kept: Tensor) -> Tensor:
    left = probabilities.where(kept, 0.0)
    return left / left.sum()


# ---------------------------------------------------------------- what the screen shows of it, and the choice
def said(stages: Mapping[Filter, Tensor], ids: Sequence[int]) -> tuple[FilterStage, ...]:
    """The stages in numbers, with the probabilities of the tokens `ids`."""
    shown = torch.tensor(ids, dtype=torch.long)
    told, before = [], stages["model"]
    for name, probabilities in stages.items():
        kept = probabilities > 0
        mass = float(before[kept].sum())
        told.append(FilterStage(name, int(kept.sum()), min(mass, 1.0), tuple(probabilities[shown].tolist())))
        before = probabilities
    return tuple(told)


def generator_of(sampling: Sampling) -> torch.Generator:
    """The source of chance for one generation; on the CPU, so that a seed means the same on every device."""
    return torch.Generator(device="cpu").manual_seed(sampling.seed)


def choose(stages: Stages, sampling: Sampling, generator: torch.Generator) -> tuple[int, float]:
    """Take the most probable token at temperature 0, else draw one.

    Parameters
    ----------
    stages : Stages
        From `stages_of` with the same `sampling`.
    generator : torch.Generator
        From `generator_of`; greedy choices leave it alone.

    Returns
    -------
    int
        The token's id.
    float
        Its probability in the distribution after all filters; 1 at temperature 0.
    """
    probabilities = last_of(stages)
    if sampling.temperature == 0:
        return int(probabilities.argmax()), 1.0
    drawn = int(torch.multinomial(probabilities, 1, generator=generator))
    return drawn, float(probabilities[drawn])
