"""What every head does, in numbers: how widely it looks, how far, and at what. All of it in one pass over each layer's rows.

Each metric is of one text: a mean over its queries. A query that may see nothing (padding before a text) does not count.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from headscope.core.analyse.records.head_types import METRICS, HeadMetrics, Metric, head_type
from headscope.core.arguments import checked, count, refuse
from headscope.core.attention.maps.pooling import PooledPicture
from headscope.core.job import Job
from headscope.core.text.tokens import Token, TokenAxis
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.attention.head_map import Pooling
    from headscope.core.attention.record import AttentionRecord

_TINY: Final = float(np.finfo(np.float32).tiny)


@checked
def head_metrics(
    record: AttentionRecord,
    kind: Kind | None = None,
    *,
    layers: Sequence[int] | None = None,
    size: int = 32,
    job: Job | None = None,
) -> Iterator[HeadMetrics]:
    """Measure all heads, layer by layer.

    With α_ij the weight of query i on key j, s_i = Σ_j α_ij (1 but for sinks and hidden tokens), and the mean over the queries
    i with s_i > 0 that a metric has a meaning for:

    =================  =====================================================================================================
    entropy            −Σ_j p_ij log₂ p_ij with p_ij = α_ij / s_i, in bits (Clark et al. 2019, there in nats)
    relative_entropy   the same divided by log₂ of how many keys i sees, 0 to 1; queries that see one key do not count
    confidence         max_j α_ij, special tokens left out (Voita et al. 2019, who leave out the end of sentence)
    distance           Σ_j α_ij |i − j| / s_i, in tokens (Vig and Belinkov 2019)
    first              α_i0, whose mean tells an attention sink (Gu et al. 2024)
    previous, next     α_i,i−1 and α_i,i+1, of queries that have such a neighbour (Clark et al. 2019)
    same               α_ii
    special            Σ α_ij over the tokens that the tokenizer added (Clark et al. 2019)
    separator          Σ α_ij over those of them that stand behind some of the text: [SEP], </s>
    duplicate          Σ α_ij over earlier occurrences j < i of the same token (Wang et al. 2022)
    induction          Σ α_ij over the tokens behind them: t_(j−1) = t_i, j ≤ i (Olsson et al. 2022, "prefix matching")
    =================  =====================================================================================================

    Induction and duplicate are of queries whose token occurred before; special tokens have no occurrences. Tokens are the same if
    their ids are. In cross-attention the queries are not among the keys: distance, previous, next, same, duplicate and induction
    are NaN. So are next of a decoder, special and separator of a text without such tokens, and whatever no query counts for.

    Parameters
    ----------
    record : AttentionRecord
        In words or sentences, a token is one of those.
    kind : Kind, optional
        The record's first if not given.
    layers : sequence of int, optional
        Which, in this order, if they were kept; all if not given.
    size : int
        Pixels along a side of the layers' average pictures.
    job : Job, optional
        Looked at for cancellation many times a layer.

    Yields
    ------
    HeadMetrics
        After each layer, with those before it.

    Raises
    ------
    HeadscopeError
        ``unknown_kind``, ``bad_option``.
    Cancelled

    References
    ----------
    Clark, Khandelwal, Levy and Manning, What Does BERT Look At?, 2019.
    Voita et al., Analyzing Multi-Head Self-Attention: Specialized Heads Do the Heavy Lifting, the Rest Can Be Pruned, 2019.
    Vig and Belinkov, Analyzing the Structure of Attention in a Transformer Language BaseModel, 2019.
    Olsson et al., In-context Learning and Induction Heads, 2022.
    Wang et al., Interpretability in the Wild: a Circuit for Indirect Object Identification in GPT-2 small, 2022.
    Gu et al., When Attention Sink Emerges in Language Models: An Empirical View, 2024.
    """
    record = record.of_weights
    kind = record.kinds[0] if kind is None else kind
    axes, kept = record.axis(kind), record.kept_layers(kind)
    size = count("size", size)
    if layers is not None and not all(0 <= layer < record.n_layers(kind) for layer in layers):
        refuse("layers", layers, f"some of 0 to {record.n_layers(kind) - 1}")
    so_far = unmeasured(record, kind, size)
    known = _Text.of(axes.keys, kind)
    for layer in kept if layers is None else [layer for layer in layers if layer in kept]:
        so_far = _with_layer(so_far, layer, *_measured(record, layer, kind, known, size, job or Job()))
        yield so_far


def unmeasured(record: AttentionRecord, kind: Kind, size: int) -> HeadMetrics:
    """NaN everywhere."""
    axes, n_layers = record.axis(kind), record.n_layers(kind)
    picture = np.full((n_layers, min(size, len(axes.queries)), min(size, len(axes.keys))), np.nan, np.float32)
    nothing = np.full((n_layers, record.n_heads(kind)), np.nan, np.float32)
    return HeadMetrics(record, kind, dict.fromkeys(METRICS, nothing), {"max": picture, "mean": picture}, {})


def _with_layer(so_far: HeadMetrics, layer: int, found: FloatArray, averages: Mapping[Pooling, FloatArray]) -> HeadMetrics:
    """Copies with one more layer: what was yielded before may be looked at in another thread."""

    def with_row(old: FloatArray, row: FloatArray) -> FloatArray:
        new = old.copy()
        new[layer] = row
        return new

    values = {metric: with_row(so_far.values[metric], row) for metric, row in zip(METRICS, found, strict=True)}
    pictures = {how: with_row(old, averages[how]) for how, old in so_far.averages.items()}
    one_by_one = (dict(zip(METRICS, column.tolist(), strict=True)) for column in found.T)
    types = {(layer, head): head_type(metrics) for head, metrics in enumerate(one_by_one)}
    return replace(so_far, values=values, averages=pictures, types={**so_far.types, **types})


@torch.inference_mode()
def _measured(
    record: AttentionRecord, layer: int, kind: Kind, known: _Text, size: int, job: Job
) -> tuple[FloatArray, dict[Pooling, FloatArray]]:
    """One layer: (metric, head), and the average over its heads as pictures."""
    n_heads, axes = record.n_heads(kind), record.axis(kind)
    rows_of, keys_of = range(len(axes.queries)), range(len(axes.keys))
    height, width = min(size, len(rows_of)), min(size, len(keys_of))
    ways: tuple[Pooling, ...] = ("max", "mean")
    pictures = {how: PooledPicture(rows_of, keys_of, height, width, how) for how in ways}
    total = np.zeros((len(METRICS), n_heads))
    count = np.zeros((len(METRICS), n_heads))
    for rows, turns in record.blocks_of_heads(layer, kind):
        found: list[Tensor] = []
        average: Tensor | None = None
        relations: _Relations | None = None
        for weights in turns:
            job.cancel.check()
            if relations is None:
                relations = _Relations(known, rows, weights.shape[-1], weights.device)
            found.append(_of_rows(weights, relations))
            summed = weights.sum(0, keepdim=True)
            average = summed if average is None else average.add_(summed)
        assert average is not None
        for picture in pictures.values():
            picture.add(rows, average / n_heads)
        of_block = _with_relative_entropy(torch.cat(found, 1)).double().cpu().numpy()
        total += np.nansum(of_block, axis=-1)
        count += (~np.isnan(of_block)).sum(axis=-1)
    means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return means.astype(np.float32), {how: picture.finished()[0] for how, picture in pictures.items()}


# ---------------------------------------------------------------- what is known of the text
@dataclass(frozen=True, slots=True)
class _Text:
    """What the metrics need to know of the keys; of the queries too, where they are the same tokens.

    Attributes
    ----------
    kind : Kind
    special, separator : tuple of int
        Positions.
    ordinary : tuple of range
        Runs of keys that are not special.
    same_as : tuple of int
        Equal numbers where tokens are the same; empty if none occurs twice, and of cross-attention.
    """

    kind: Kind
    special: tuple[int, ...]
    separator: tuple[int, ...]
    ordinary: tuple[range, ...]
    same_as: tuple[int, ...]

    @staticmethod
    def of(keys: TokenAxis, kind: Kind) -> _Text:
        tokens = keys.tokens
        special = tuple(place for place, token in enumerate(tokens) if token.special)
        text_from = next((place for place, token in enumerate(tokens) if not token.special), len(tokens))
        runs = (list(run) for is_special, run in groupby(range(len(tokens)), lambda at: tokens[at].special) if not is_special)
        numbers: dict[object, int] = {}
        same_as = tuple(numbers.setdefault(_identity(token, place), place) for place, token in enumerate(tokens))
        return _Text(
            kind,
            special,
            tuple(place for place in special if place > text_from),
            tuple(range(run[0], run[-1] + 1) for run in runs),
            same_as if kind != "cross" and len(numbers) < len(tokens) else (),
        )


def _identity(token: Token, place: int) -> object:
    """Tokens with equal ones are the same; words, and tokens of given arrays, have no ids of their own."""
    return ("special", place) if token.special else token.id if token.id >= 0 else token.text


class _Relations:
    """How a block of queries stands to the keys it sees.

    Attributes
    ----------
    positions : Tensor, int64 (n_rows,)
        Of the queries.
    shares : Tensor, float32 (seen, 3)
        1 where a key is one of: all, special tokens, separators.
    pairs : Tensor or None, float32 (n_rows, 1 or 3, seen)
        |i − j|, and 1 where a key is an earlier occurrence, or stands behind one; None in cross-attention.
    occurred : Tensor or None, bool (n_rows,)
        Whether the query's token did before; None if no token does.
    """

    def __init__(self, text: _Text, rows: range, seen: int, device: torch.device) -> None:
        self.text = text
        self.positions = torch.arange(rows.start, rows.stop, device=device)
        self.shares = torch.zeros(seen, 3, device=device)
        self.shares[:, 0] = 1
        for column, places in ((1, text.special), (2, text.separator)):
            self.shares[torch.tensor([place for place in places if place < seen], dtype=torch.long, device=device), column] = 1
        self.pairs: Tensor | None = None
        self.occurred: Tensor | None = None
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
        self.pairs = torch.cat([distance, earlier.float()[:, None], behind.float()[:, None]], 1)
        self.occurred = earlier.any(1)


# ---------------------------------------------------------------- the metrics of a block of rows
def _of_rows(weights: Tensor, relations: _Relations) -> Tensor:
    """(metric, n_heads, n_rows) of weights (n_heads, n_rows, seen), NaN where a query does not count.

    In the place of the relative entropy stands how many keys the head looks at: what a query sees is what any head looks at.
    """
    text = relations.text
    total, special, separator = (weights @ relations.shares).unbind(-1)
    total = total.masked_fill(total <= 0, math.nan)  # whatever is divided by it does not count
    nothing = torch.full_like(total, math.nan)
    nats = -weights.clamp_min(_TINY).log_().mul_(weights).sum(-1)
    entropy = (nats / total + total.log()).clamp_min_(0) / math.log(2)
    largest = _largest(weights, text.ordinary)
    found: dict[Metric, Tensor] = {
        "entropy": entropy,
        "relative_entropy": weights.count_nonzero(-1).float(),
        "confidence": nothing if largest is None else largest.masked_fill(largest <= 0, math.nan),
        "first": weights[..., 0],
        "special": special if text.special else nothing,
        "separator": separator if text.separator else nothing,
    }
    if relations.pairs is not None:
        found |= _positional(weights, relations, relations.pairs, total)
    counted = ~total.isnan()
    return torch.stack([found.get(metric, nothing).where(counted, math.nan) for metric in METRICS])


def _positional(weights: Tensor, relations: _Relations, pairs: Tensor, total: Tensor) -> dict[Metric, Tensor]:
    """The metrics that compare the place of a key with the query's."""
    summed = (weights.transpose(0, 1) @ pairs.transpose(1, 2)).permute(2, 1, 0)  # (1 or 3, n_heads, n_rows)
    found: dict[Metric, Tensor] = {
        "distance": summed[0] / total,
        "previous": _at(weights, relations.positions, -1),
        "same": _at(weights, relations.positions, 0),
    }
    if relations.text.kind == "encoder":
        found["next"] = _at(weights, relations.positions, 1)
    if relations.occurred is not None:
        found["duplicate"], found["induction"] = (share.where(relations.occurred, math.nan) for share in summed[1:])
    return found


def _at(weights: Tensor, positions: Tensor, step: int) -> Tensor:
    """Each query's weight on the key so many places on; NaN where there is none."""
    keys = positions + step
    inside = (keys >= 0) & (keys < weights.shape[-1])
    rows = torch.arange(len(positions), device=positions.device)
    return weights[:, rows, keys.clamp(0, weights.shape[-1] - 1)].where(inside, math.nan)


def _largest(weights: Tensor, runs: Sequence[range]) -> Tensor | None:
    """Each query's largest weight on the keys of some runs; None if there are none."""
    seen = weights.shape[-1]
    found = [weights[..., run.start : run.stop].amax(-1) for run in runs if run.start < seen]
    return torch.stack(found).amax(0) if found else None


def _with_relative_entropy(found: Tensor) -> Tensor:
    """The entropies divided by the largest that a query can have."""
    entropy, relative = METRICS.index("entropy"), METRICS.index("relative_entropy")
    visible = found[relative].nan_to_num(0).amax(0)  # a weight can be too small to be more than 0 in one head, hardly in all
    most = visible.log2().masked_fill(visible < 2, math.nan)
    found[relative] = (found[entropy] / most).clamp_max(1)
    return found
