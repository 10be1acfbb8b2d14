"""The metrics of some rows of a layer's heads, with and without the tokens that attention sinks into; `head_metrics` averages them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

import numpy as np
import torch
from torch import Tensor

from headscope.core.analyse.records.head_types import METRICS, Metric
from headscope.core.text.tokens import Token, TokenAxis
from headscope.core.vocabulary import Kind

_TINY: Final = float(np.finfo(np.float32).tiny)
_LEAST_CHOICE: Final = 2
"""Keys of which a query must have a choice to tell anything of it: on a single one all of the rest lies anyhow."""
_REST: Final = [number for number, metric in enumerate(METRICS) if metric.startswith("rest")]


# ---------------------------------------------------------------- what is known of the text
@dataclass(frozen=True, slots=True)
class KnownText:
    """What the metrics need to know of the keys; of the queries too, where they are the same tokens.

    Attributes
    ----------
    kind : Kind
    special, separator : tuple of int
        Positions.
    sinks : tuple of int
        Positions of the first key and of special tokens; what is left is the rest.
    ordinary : tuple of range
        Runs of keys of the rest.
    first_is_ordinary : bool
        Whether the first key is no special token.
    same_as : tuple of int
        Equal numbers where tokens are the same; empty if none occurs twice, and of cross-attention.
    """

    kind: Kind
    special: tuple[int, ...]
    separator: tuple[int, ...]
    sinks: tuple[int, ...]
    ordinary: tuple[range, ...]
    first_is_ordinary: bool
    same_as: tuple[int, ...]

    @staticmethod
    def of(keys: TokenAxis, kind: Kind) -> KnownText:
        """Read from the tokens of a record's keys."""
        tokens = keys.tokens
        special = tuple(place for place, token in enumerate(tokens) if token.special)
        text_from = next((place for place, token in enumerate(tokens) if not token.special), len(tokens))
        sinks = tuple(sorted({0, *special}))
        runs = (list(run) for sunk, run in groupby(range(len(tokens)), lambda at: at == 0 or tokens[at].special) if not sunk)
        numbers: dict[object, int] = {}
        same_as = tuple(numbers.setdefault(_identity(token, place), place) for place, token in enumerate(tokens))
        return KnownText(
            kind,
            special,
            tuple(place for place in special if place > text_from),
            sinks,
            tuple(range(run[0], run[-1] + 1) for run in runs),
            bool(tokens) and not tokens[0].special,
            same_as if kind != "cross" and len(numbers) < len(tokens) else (),
        )


def _identity(token: Token, place: int) -> object:
    """Tokens with equal ones are the same; words, and tokens of given arrays, have no ids of their own."""
    return ("special", place) if token.special else token.id if token.id >= 0 else token.text


class Relations:
    """How a block of queries stands to the keys it sees.

    Attributes
    ----------
    positions : Tensor, int64 (n_rows,)
        Of the queries.
    sinks : Tensor, int64 (n_sinks,)
        Positions of the first key and of special tokens, as far as they are seen.
    shares : Tensor, float32 (seen, 4)
        1 where a key is one of: all, special tokens, separators, the rest.
    chooses : Tensor, bool (n_rows,)
        Whether a query has a choice of keys of the rest: in a decoder, of those up to itself.
    pairs : Tensor or None, float32 (n_rows, 1 or 5, seen)
        |i − j|, and 1 where a key is an earlier occurrence, or stands behind one, and both once more of the rest alone; None in
        cross-attention.
    occurred : Tensor or None, bool (4, n_rows)
        Whether a query has any such key; None if no token occurs twice.
    """

    def __init__(self, text: KnownText, rows: range, seen: int, device: torch.device) -> None:
        def seen_of(places: Sequence[int]) -> Tensor:
            return torch.tensor([place for place in places if place < seen], dtype=torch.long, device=device)

        self.text = text
        self.positions = torch.arange(rows.start, rows.stop, device=device)
        self.sinks = seen_of(text.sinks)
        self.shares = torch.zeros(seen, 4, device=device)
        self.shares[:, 0] = self.shares[:, 3] = 1
        self.shares[seen_of(text.special), 1] = 1
        self.shares[seen_of(text.separator), 2] = 1
        self.shares[self.sinks, 3] = 0
        self.pairs: Tensor | None = None
        self.occurred: Tensor | None = None
        so_far = self.is_rest.cumsum(0)
        n_choices = so_far[self.positions.clamp_max(seen - 1)] if text.kind == "decoder" else so_far[-1:].expand(len(rows))
        self.chooses = n_choices >= _LEAST_CHOICE
        if text.kind == "cross":
            return
        queries, keys = self.positions[:, None], torch.arange(seen, device=device)
        distance = (queries - keys).abs().float()[:, None]
        if not text.same_as:
            self.pairs = distance
            return
        same_as = torch.tensor(text.same_as, device=device)
        earlier = (same_as[self.positions][:, None] == same_as[:seen]) & (keys < queries)
        behind = torch.zeros_like(earlier)
        behind[:, 1:] = earlier[:, :-1]
        rest = self.is_rest
        related = torch.stack([earlier, behind, earlier & rest, behind & rest], 1)
        self.pairs = torch.cat([distance, related.float()], 1)
        self.occurred = related.any(-1).T

    @property
    def is_rest(self) -> Tensor:
        """bool (seen,): neither the first key nor a special token."""
        return self.shares[:, 3] > 0


# ---------------------------------------------------------------- the metrics of a block of rows
def of_rows(weights: Tensor, relations: Relations) -> tuple[Tensor, Tensor]:
    """Every metric of every row, and how much the row counts; `finished` completes them when all heads are there.

    Parameters
    ----------
    weights : Tensor, float32 (n_heads, n_rows, seen)

    Returns
    -------
    Tensor, float32 (n_metrics, n_heads, n_rows)
        Times what the row counts; NaN where it does not. In the places of the relative entropies stands how many keys, all and of
        the rest, the head looks at: what a query sees is what any head looks at.
    Tensor, float32 (n_heads, n_rows)
        What a row counts for metrics of the rest: its attention to the rest. For all others it counts 1.
    """
    text = relations.text
    total, special, separator, rest = (weights @ relations.shares).unbind(-1)
    total = total.masked_fill(total <= 0, math.nan)  # whatever is divided by it does not count
    nothing = torch.full_like(total, math.nan)
    nats = weights.clamp_min(_TINY).log_().mul_(weights).neg_()
    looked_at, sunk = weights.count_nonzero(-1), weights[..., relations.sinks].count_nonzero(-1)
    largest = _largest(weights, text)
    found: dict[Metric, Tensor] = {
        "entropy": _bits(nats.sum(-1), total),
        "relative_entropy": looked_at.float(),
        "confidence": nothing if largest is None else largest.masked_fill(largest <= 0, math.nan),
        "first": weights[..., 0],
        "special": special if text.special else nothing,
        "separator": separator if text.separator else nothing,
        "rest": rest,
        "rest_entropy": _bits(nats @ relations.shares[:, 3], rest.masked_fill(rest <= 0, math.nan)) * rest,
        "rest_relative_entropy": (looked_at - sunk).float(),
    }
    if relations.pairs is not None:
        found |= _positional(weights, relations, relations.pairs, total)
    counted = ~total.isnan()
    every = torch.stack([found.get(metric, nothing).where(counted, math.nan) for metric in METRICS])
    every[_REST] = every[_REST].masked_fill(~relations.chooses, math.nan)
    return every, rest


def _bits(nats: Tensor, total: Tensor) -> Tensor:
    """Entropies of rows over their sums, from Σ −α ln α and those."""
    return (nats / total + total.log()).clamp_min_(0) / math.log(2)


def _positional(weights: Tensor, relations: Relations, pairs: Tensor, total: Tensor) -> dict[Metric, Tensor]:
    """The metrics that compare the place of a key with the query's."""
    summed = (weights.transpose(0, 1) @ pairs.transpose(1, 2)).permute(2, 1, 0)  # (1 or 5, n_heads, n_rows)
    found: dict[Metric, Tensor] = {"distance": summed[0] / total}
    steps: list[tuple[Metric, Metric, int]] = [("previous", "rest_previous", -1), ("same", "rest_same", 0)]
    if relations.text.kind == "encoder":
        steps.append(("next", "rest_next", 1))
    for metric, of_rest, step in steps:
        found[metric] = _at(weights, relations.positions, step)
        found[of_rest] = _at(weights, relations.positions, step, relations.is_rest)
    if relations.occurred is not None:
        names: tuple[Metric, ...] = ("duplicate", "induction", "rest_duplicate", "rest_induction")
        for metric, share, occurred in zip(names, summed[1:], relations.occurred, strict=True):
            found[metric] = share.where(occurred, math.nan)
    return found


def _at(weights: Tensor, positions: Tensor, step: int, among: Tensor | None = None) -> Tensor:
    """Each query's weight on the key so many places on; NaN where there is none, or none `among` these."""
    keys = positions + step
    inside = (keys >= 0) & (keys < weights.shape[-1])
    keys = keys.clamp(0, weights.shape[-1] - 1)
    if among is not None:
        inside &= among[keys]
    rows = torch.arange(len(positions), device=positions.device)
    return weights[:, rows, keys].where(inside, math.nan)


def _largest(weights: Tensor, text: KnownText) -> Tensor | None:
    """Each query's largest weight on what is no special token; None if it sees nothing else."""
    seen = weights.shape[-1]
    found = [weights[..., run.start : run.stop].amax(-1) for run in text.ordinary if run.start < seen]
    if text.first_is_ordinary:
        found.append(weights[..., 0])
    return torch.stack(found).amax(0) if found else None


def finished(found: Tensor) -> Tensor:
    """Rows of all heads: the entropies divided by the largest that a query can have.

    A weight can be too small to be more than 0 in one head, hardly in all.
    """
    for entropy, relative in (("entropy", "relative_entropy"), ("rest_entropy", "rest_relative_entropy")):
        at, of = METRICS.index(relative), METRICS.index(entropy)
        visible = found[at].nan_to_num(0).amax(0)
        found[at] = found[of] / visible.log2().masked_fill(visible < _LEAST_CHOICE, math.nan)
    found[METRICS.index("relative_entropy")].clamp_max_(1)
    return found
