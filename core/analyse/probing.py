"""What heads do on a probe: random tokens, repeated. It tells of them what no text happens to show, and the same of every model.

A head that looks behind earlier occurrences is an induction head only if it does so where nothing else could lead it there: where
tokens are random. On a text its score mixes that with what the text says; and a text without repetitions does not show it at all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from headscope.core.analyse.records.head_metrics import head_metrics, unmeasured
from headscope.core.analyse.records.head_types import HeadProbe
from headscope.core.arguments import checked, count, refuse
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job, Progress, ignore_progress

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.tokenizer import TextTokenizer
    from headscope.core.text.tokens import Token

_LEAST_LENGTH = 3
"""Random tokens: of fewer, the token after the earlier occurrence is the token itself or the one before it."""
_LEAST_REPEATS, _MOST_REPEATS = 2, 1000
_PICTURE = 1
"""Pixels along a side of average pictures, which nobody looks at."""


@checked
def head_probe(model: BaseModel, *, length: int = 25, repeats: int = 2, seed: int = 0, job: Job | None = None) -> HeadProbe:
    """Measure all heads on random tokens that are repeated.

    `length` different tokens of the model's vocabulary (no special, unknown or mask tokens), each as probable as any other, stand
    one after the other, and all of them again; around them stand the special tokens that the tokenizer puts around any text. With
    t the tokens and α_ij the weight of query i on key j, the means over the queries i that count are

    =================  ================================================================  =======================================
    probe_previous     α_i,i−1                                                           all but the first
    probe_duplicate    Σ α_ij over j < i with t_j = t_i                                  those of the second and later copies
    probe_induction    Σ α_ij over j ≤ i with t_(j−1) = t_i (Olsson et al. 2022,         those of the second and later copies
                       "prefix matching")
    =================  ================================================================  =======================================

    which is what `head_metrics` says of this text; its other metrics and the types after them are there as well.

    Parameters
    ----------
    model : BaseModel
        An encoder or a decoder.
    length : int
        How many tokens are drawn; fewer where the vocabulary, or a model's table of positions, has no more. Olsson et al. draw 25.
    repeats : int
        How often they stand there in all.
    seed : int
        Of the draw.
    job : Job, optional

    Returns
    -------
    HeadProbe

    Raises
    ------
    HeadscopeError
        ``cannot_probe`` of an encoder–decoder, and where there is no room for three tokens twice; ``bad_option``.
    Cancelled

    References
    ----------
    Olsson et al., In-context Learning and Induction Heads, 2022, "Head Activation Evaluators".
    """
    job = job or Job()
    length, repeats = count("length", length), count("repeats", repeats)
    if length < _LEAST_LENGTH:
        refuse("length", length, f"{_LEAST_LENGTH} or more")
    if not _LEAST_REPEATS <= repeats <= _MOST_REPEATS:
        refuse("repeats", repeats, f"{_LEAST_REPEATS} to {_MOST_REPEATS}")
    if seed < 0:
        refuse("seed", seed, "0 or more")
    if len(model.info.layers) != 1:
        raise HeadscopeError("cannot_probe", model=model.info.name)
    before, behind = _frame(model.tokenizer)
    if model.info.max_tokens is not None:
        length = min(length, (model.info.max_tokens - len(before) - len(behind)) // repeats)
    drawn = drawn_tokens(model.tokenizer, length, seed) if length >= _LEAST_LENGTH else ()
    if len(drawn) < _LEAST_LENGTH:
        raise HeadscopeError("cannot_probe", model=model.info.name)
    ids = [*(token.id for token in before), *drawn * repeats, *(token.id for token in behind)]
    job.report(Progress("measuring"))
    record, _ = model.observe(*model.encode(ids), logits_to_keep=1, job=replace(job, report=ignore_progress))
    (kind,) = model.info.layers
    found = unmeasured(record, kind, _PICTURE)
    for n_done, so_far in enumerate(head_metrics(record, kind, size=_PICTURE, job=job), 1):
        found = so_far
        job.report(Progress("measuring", n_done / record.n_layers(kind)))
    return HeadProbe(seed, len(drawn), repeats, record.axis(kind).keys, kind, found.values, found.types, found.second_types)


def drawn_tokens(tokenizer: TextTokenizer, length: int, seed: int) -> tuple[int, ...]:
    """Ids of different ordinary tokens, by chance; all there are, if they are fewer than `length`."""
    order = np.random.default_rng(seed).permutation(tokenizer.n_ids).tolist()
    ordinary = (id_ for id_ in order if tokenizer.is_ordinary(id_))
    return tuple(id_ for _, id_ in zip(range(length), ordinary, strict=False))


def _frame(tokenizer: TextTokenizer) -> tuple[tuple[Token, ...], tuple[Token, ...]]:
    """The special tokens before and behind any text."""
    tokens = tokenizer.encode("a").axis.tokens
    inside = [place for place, token in enumerate(tokens) if not token.special]
    if not inside:
        return tokens, ()
    return tokens[: inside[0]], tokens[inside[-1] + 1 :]
