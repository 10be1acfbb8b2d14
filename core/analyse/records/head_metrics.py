"""What every head does, in numbers: how widely it looks, how far, and at what. All of it in one pass over each layer's rows.

Each metric is of one text: a mean over its queries. A query that may see nothing (padding before a text) does not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import torch
from torch import Tensor

from headscope.core.analyse.records.head_rows import KnownText, Relations, finished, of_rows
from headscope.core.analyse.records.head_types import METRICS, OF_REST, HeadMetrics, head_type, second_type
from headscope.core.arguments import checked, count, refuse
from headscope.core.attention.maps.pooling import PooledPicture
from headscope.core.job import Job
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.attention.head_map import Pooling
    from headscope.core.attention.record import AttentionRecord

_OF_REST: Final = np.array([metric in OF_REST.values() for metric in METRICS])


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
    rest               r_i = Σ_j α_ij over the rest: all keys but the first and special tokens (Xiao et al. 2023)
    rest_previous …    Σ_i r_i m_i / Σ_i r_i, the mean of the metric m over rows without the first key and special tokens,
                       renormalised; a row counts as much as goes to its rest. So rest_previous is the share of the previous
                       token in all attention to the rest
    =================  =====================================================================================================

    Induction and duplicate are of queries whose token occurred before; special tokens have no occurrences. Tokens are the same if
    their ids are. In cross-attention the queries are not among the keys: distance, previous, next, same, duplicate and induction
    are NaN. So are next of a decoder, special and separator of a text without such tokens, and whatever no query counts for. Of the
    rest, queries count that have two keys of it or more to choose from, and whose previous, next, … key is one of it. Without the weights r_i, rows
    that are renormalised are in ``record.in_units(Units("tokens", "first_renormalised"))``, and can be measured as they are.

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
    Xiao et al., Efficient Streaming Language Models with Attention Sinks, 2023.
    """
    record = record.of_weights
    kind = record.kinds[0] if kind is None else kind
    axes, kept = record.axis(kind), record.kept_layers(kind)
    size = count("size", size)
    if layers is not None and not all(0 <= layer < record.n_layers(kind) for layer in layers):
        refuse("layers", layers, f"some of 0 to {record.n_layers(kind) - 1}")
    so_far = unmeasured(record, kind, size)
    known = KnownText.of(axes.keys, kind)
    for layer in kept if layers is None else [layer for layer in layers if layer in kept]:
        so_far = _with_layer(so_far, layer, *_measured(record, layer, kind, known, size, job or Job()))
        yield so_far


def unmeasured(record: AttentionRecord, kind: Kind, size: int) -> HeadMetrics:
    """NaN everywhere."""
    axes, n_layers = record.axis(kind), record.n_layers(kind)
    picture = np.full((n_layers, min(size, len(axes.queries)), min(size, len(axes.keys))), np.nan, np.float32)
    nothing = np.full((n_layers, record.n_heads(kind)), np.nan, np.float32)
    return HeadMetrics(record, kind, dict.fromkeys(METRICS, nothing), {"max": picture, "mean": picture}, {}, {})


def _with_layer(so_far: HeadMetrics, layer: int, found: FloatArray, averages: Mapping[Pooling, FloatArray]) -> HeadMetrics:
    """Copies with one more layer: what was yielded before may be looked at in another thread."""

    def with_row(old: FloatArray, row: FloatArray) -> FloatArray:
        new = old.copy()
        new[layer] = row
        return new

    values = {metric: with_row(so_far.values[metric], row) for metric, row in zip(METRICS, found, strict=True)}
    pictures = {how: with_row(old, averages[how]) for how, old in so_far.averages.items()}
    one_by_one = [dict(zip(METRICS, column.tolist(), strict=True)) for column in found.T]
    types = {(layer, head): head_type(metrics) for head, metrics in enumerate(one_by_one)}
    second = {(layer, head): type_ for head, metrics in enumerate(one_by_one) if (type_ := second_type(metrics)) is not None}
    types, second = {**so_far.types, **types}, {**so_far.second_types, **second}
    return replace(so_far, values=values, averages=pictures, types=types, second_types=second)


@torch.inference_mode()
def _measured(
    record: AttentionRecord, layer: int, kind: Kind, known: KnownText, size: int, job: Job
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
        to_rest: list[Tensor] = []
        average: Tensor | None = None
        relations: Relations | None = None
        for weights in turns:
            job.cancel.check()
            if relations is None:
                relations = Relations(known, rows, weights.shape[-1], weights.device)
            of_block, rest = of_rows(weights, relations)
            found.append(of_block)
            to_rest.append(rest)
            summed = weights.sum(0, keepdim=True)
            average = summed if average is None else average.add_(summed)
        assert average is not None
        for picture in pictures.values():
            picture.add(rows, average / n_heads)
        of_heads = finished(torch.cat(found, 1)).double().cpu().numpy()
        counts = np.where(_OF_REST[:, None, None], torch.cat(to_rest).double().cpu().numpy(), 1.0)
        total += np.nansum(of_heads, axis=-1)
        count += np.where(np.isnan(of_heads), 0, counts).sum(axis=-1)
    means = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    return means.astype(np.float32), {how: picture.finished()[0] for how, picture in pictures.items()}
