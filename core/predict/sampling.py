"""Choosing the next token from a row of logits: greedy, temperature, top-k, top-p.

References
----------
Fan et al., Hierarchical Neural Story Generation, 2018 (top-k).
Holtzman et al., The Curious Case of Neural Text Degeneration, 2020 (top-p, "nucleus").
"""

from __future__ import annotations

import torch
from torch import Tensor

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Sampling


def check(sampling: Sampling) -> None:
    """Raise ``bad_option`` for values that describe no distribution."""
    limits = (
        ("temperature", sampling.temperature, 0 <= sampling.temperature < float("inf"), "0 or more"),
        ("top_k", sampling.top_k, sampling.top_k >= 0, "0 or more"),
        ("top_p", sampling.top_p, 0 < sampling.top_p <= 1, "above 0 and at most 1"),
    )
    for option, value, valid, expected in limits:
        if not valid:
            raise HeadscopeError("bad_option", option=option, value=value, expected=expected)


def distribution(logits: Tensor, sampling: Sampling) -> Tensor:
    """The distribution that the next token is drawn from.

    Temperature divides the logits, then comes the softmax; top-k and top-p work on probabilities and renormalise.

    Parameters
    ----------
    logits : Tensor, (vocabulary,)
    sampling : Sampling

    Returns
    -------
    Tensor, float64, (vocabulary,)
        Sums to 1. Temperature 0 gives probability 1 to the most probable token (the first one among equals).
    """
    logits = logits.double()
    if sampling.temperature == 0:
        return torch.zeros_like(logits).index_fill_(0, logits.argmax(), 1.0)
    probabilities = (logits / sampling.temperature).softmax(dim=-1)
    if sampling.top_k:
        probabilities = keep_top_k(probabilities, sampling.top_k)
    if sampling.top_p < 1:
        probabilities = keep_top_p(probabilities, sampling.top_p)
    return probabilities


def keep_top_k(probabilities: Tensor, k: int) -> Tensor:
    """The `k` most probable tokens, renormalised; exactly `k` of them, also among equals."""
    values, ids = probabilities.topk(min(k, len(probabilities)))
    return _renormalised(probabilities, ids, values)


def keep_top_p(probabilities: Tensor, p: float) -> Tensor:
    """The smallest set of most probable tokens whose mass is at least `p`, renormalised; never empty.

    Cutting the logits instead, before the softmax, keeps another set: mass is a property of probabilities.
    """
    values, ids = probabilities.sort(descending=True, stable=True)
    mass_before = values.cumsum(dim=-1) - values
    kept = mass_before < p
    return _renormalised(probabilities, ids[kept], values[kept])


def _renormalised(probabilities: Tensor, ids: Tensor, values: Tensor) -> Tensor:
    return torch.zeros_like(probabilities).index_copy_(0, ids, values / values.sum())


def generator_of(sampling: Sampling) -> torch.Generator:
    """The source of chance for one generation; on the CPU, so that a seed means the same on every device."""
    return torch.Generator(device="cpu").manual_seed(sampling.seed)


def choose(logits: Tensor, sampling: Sampling, generator: torch.Generator) -> tuple[int, float]:
    """Draw a token.

    Parameters
    ----------
    logits : Tensor, (vocabulary,)
    sampling : Sampling
    generator : torch.Generator
        From `generator_of`; greedy choices leave it alone.

    Returns
    -------
    int
        The token's id.
    float
        Its probability in `distribution`.
    """
    probabilities = distribution(logits.cpu(), sampling)
    if sampling.temperature == 0:
        return int(probabilities.argmax()), 1.0
    drawn = int(torch.multinomial(probabilities, 1, generator=generator))
    return drawn, float(probabilities[drawn])
