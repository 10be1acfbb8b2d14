"""Attention rollout: how much of each input token has reached each token after each layer, if attention were all there is.

It multiplies attention maps along all paths from a layer down to the input. It knows nothing of what values, feed-forward
layers and normalisation do to what flows, and it averages heads that do different things: a map of where information *could*
come from, not proof that it was used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch

from headscope.core.arguments import checked
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.memory import check_room
from headscope.core.sentences import sentence
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

Fuse = Literal["mean", "max", "min"]
"""How the heads of a layer become one map."""
_MAPS_AT_ONCE = 4
"""Beside the result: one head's map, the fused one, the product, and a copy."""


@dataclass(frozen=True, slots=True)
class Rollout:
    """Attention rolled out from each layer down to the input tokens.

    Attributes
    ----------
    kind : Kind
    weights : float32, (n_layers, n_tokens, n_tokens)
        ``weights[l, i, j]``: how much of input token j is in token i after layer l. 0 to 1; each row sums to 1.
    """

    kind: Kind
    weights: FloatArray


@checked
def attention_rollout(
    record: AttentionRecord,
    kind: Kind | None = None,
    *,
    fuse: Fuse = "mean",
    residual: float = 0.5,
    job: Job | None = None,
) -> Rollout:
    """Multiply the attention of all layers along the paths from each layer to the input.

    With A_l the map that `fuse` makes of layer l's heads and r = `residual`::

        Ã_l = rows of (1 − r) A_l + r I, divided by their sums
        rollout_0 = Ã_0,   rollout_l = Ã_l · rollout_(l−1)

    Parameters
    ----------
    record : AttentionRecord
        Of one pass, or of a whole generation.
    kind : Kind, optional
        "encoder" or "decoder"; the record's first if not given. Of an encoder-decoder each stack is rolled out by itself.
    fuse : "mean", "max" or "min"
        The paper takes the mean.
    residual : float
        The share that the residual connection hands on, 0 to less than 1; the paper takes 0.5.
    job : Job, optional
        Its cancel is looked at for every head.

    Returns
    -------
    Rollout

    Raises
    ------
    HeadscopeError
        ``analysis_undefined`` for cross-attention; ``unknown_kind``, ``bad_option``, ``not_enough_memory``.

    References
    ----------
    Abnar and Zuidema, Quantifying Attention Flow in Transformers, 2020, section 3, equation 1.
    """
    kind = record.kinds[0] if kind is None else kind
    n_layers, n_tokens = record.n_layers(kind), len(record.axis(kind).queries)
    check_room("not_enough_memory", 4 * (n_layers + _MAPS_AT_ONCE) * n_tokens**2, torch.device("cpu"))
    weights = np.empty((n_layers, n_tokens, n_tokens), np.float32)
    for layer in range(n_layers):
        mixed = with_residual(record, kind, layer, fuse=fuse, residual=residual, job=job)
        weights[layer] = mixed if layer == 0 else mixed @ weights[layer - 1]
    return Rollout(kind, weights)


def rollout_to(
    record: AttentionRecord, kind: Kind, query: int, *, fuse: Fuse = "mean", residual: float = 0.5, job: Job | None = None
) -> FloatArray:
    """The row ``weights[-1, query]`` of `attention_rollout`, from the last layer down, with one layer's map in memory.

    Returns
    -------
    float32, (n_tokens,)

    Raises
    ------
    HeadscopeError
        As `attention_rollout`, and ``no_such_position``.
    """
    n_tokens = len(record.axis(kind).queries)
    if not 0 <= query < n_tokens:
        raise HeadscopeError("no_such_position", position=query, last=n_tokens - 1)
    check_room("not_enough_memory", 4 * _MAPS_AT_ONCE * n_tokens**2, torch.device("cpu"))
    row = np.zeros(n_tokens, np.float32)
    row[query] = 1
    for layer in reversed(range(record.n_layers(kind))):
        row = row @ with_residual(record, kind, layer, fuse=fuse, residual=residual, job=job)
    return row


def with_residual(
    record: AttentionRecord, kind: Kind, layer: int, *, fuse: Fuse = "mean", residual: float = 0.5, job: Job | None = None
) -> FloatArray:
    """Ã of one layer (see `attention_rollout`): float32 (n_tokens, n_tokens), each row sums to 1."""
    if kind == "cross":
        raise HeadscopeError(
            "analysis_undefined",
            analysis="Attention rollout",
            reason=sentence("cross_attention_only"),
            instead=sentence("choose_encoder_or_decoder"),
        )
    if not 0 <= residual < 1:
        raise HeadscopeError("bad_option", option="residual", value=residual, expected="0 or more and less than 1")
    mixed = _fused(record, kind, layer, fuse, job or Job())
    mixed *= 1 - residual
    mixed[np.diag_indices_from(mixed)] += residual
    # Not 1 before: heads whose maximum is taken, sinks, whose share is nobody's, padding that looks nowhere.
    sums = mixed.sum(axis=-1, keepdims=True)
    mixed /= np.where(sums == 0, 1, sums)
    return mixed


def _fused(record: AttentionRecord, kind: Kind, layer: int, fuse: Fuse, job: Job) -> FloatArray:
    """One map of a layer's heads, head by head."""
    join = {"mean": np.add, "max": np.maximum, "min": np.minimum}
    if fuse not in join:
        raise HeadscopeError("bad_option", option="fuse", value=fuse, expected=" or ".join(join))
    record, n_heads = record.of_weights, record.n_heads(kind)
    fused = record.attention_weights(layer, 0, kind)
    for head in range(1, n_heads):
        job.cancel.check()
        join[fuse](fused, record.attention_weights(layer, head, kind), out=fused)
    if fuse == "mean":
        fused /= n_heads
    return fused
