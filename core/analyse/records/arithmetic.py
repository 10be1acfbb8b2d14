"""Where one attention weight comes from: every number on the way from q and k to it, recomputed in float64.

The steps are those of Vaswani et al. with what today's models add to them: score = q·k · scale, a soft cap, a position bias, a mask,
the softmax over the keys (with a sink, where a model has one), and what the weight carries, α·v·W_O. They share nothing with the
computation of the maps but queries, keys and masks, and the two are compared.

References
----------
Vaswani et al., Attention Is All You Need, 2017, equation 1.
Su et al., RoFormer, 2021 (rotary positions). Press et al., Train Short, Test Long, 2022 (ALiBi).
Gemma Team, Gemma 2, 2024 (soft cap). Ainslie et al., GQA, 2023 (grouped queries).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from headscope.core.analyse.records.arithmetic_numbers import Arithmetic, Carried, Cell, Hidden, Numbers, Softmax, Working
from headscope.core.analyse.records.unrotated import rotated
from headscope.core.attention.kept.edited import EditedLayer
from headscope.core.attention.kept.in_units import UnitsLayer
from headscope.core.attention.kept.layer import AsWrittenLayer, Layer, LazyLayer
from headscope.core.attention.kept.visibility import Visibility
from headscope.core.attention.record import AttentionRecord
from headscope.core.job import Job
from headscope.core.numerics import same_scale, softmax_tolerance
from headscope.core.vocabulary import Kind

Flags = npt.NDArray[np.bool_]
_STRONGEST: Final = 5


@torch.inference_mode()
def arithmetic(
    record: AttentionRecord, kind: Kind, layer: int, head: int, query: int, key: int, job: Job | None = None
) -> Arithmetic:
    """The numbers behind a cell; the record may be one in words, and the cell one of its.

    Raises
    ------
    HeadscopeError
        ``unknown_kind``, ``no_such_head``, ``layer_not_kept``.
    Cancelled
        Between two blocks of a cell of many tokens.
    """
    record = record.of_weights
    cell = Cell(record, kind, layer, head, query, key)
    kept, batch = record.captured(layer, head, kind)
    weight = record.cell(layer, head, query, key, kind)
    queries, keys = range(query, query + 1), range(key, key + 1)
    renormalised = False
    if isinstance(kept, UnitsLayer):
        queries, keys, renormalised = kept.queries[query], kept.keys[key], kept.renormalise
        kept = kept.layer
    query, key, token_weight = _strongest(kept, batch, head, queries, keys, job or Job())
    edited = isinstance(kept, EditedLayer)
    while kept.inner is not None:
        # What grew out of several texts is put together as a text of its own.
        batch, kept = (batch if isinstance(kept, EditedLayer) else 0), kept.inner
    working = _working(kept, _Place(batch, head, query, key, kind)) if isinstance(kept, LazyLayer) else None
    return Arithmetic(cell, weight, query, key, token_weight, len(queries), len(keys), renormalised, edited, working=working)


def _strongest(layer: Layer, batch: int, head: int, queries: range, keys: range, job: Job) -> tuple[int, int, float]:
    """The cell of tokens with the largest weight, and the weight."""
    best = (queries.start, keys.start, -1.0)
    for rows in layer.row_blocks(rows=queries, head=head):
        job.cancel.check()
        weights = layer.weights(rows, batch=batch, head=head)[0, :, keys.start : keys.stop]
        if not weights.numel():  # none of these rows sees any of these keys
            best = max(best, (*best[:2], 0.0), key=lambda cell: cell[2])
            continue
        row, column = divmod(int(weights.argmax()), weights.shape[1])
        best = max(best, (rows[row], keys[column], float(weights[row, column])), key=lambda cell: cell[2])
    return best


@dataclass(frozen=True, slots=True)
class _Place:
    """One cell of a head of one text, its tokens counted from 0."""

    batch: int
    head: int
    query: int
    key: int
    kind: Kind


def _working(layer: LazyLayer, at: _Place) -> Working:
    n_heads, n_key_heads = layer.shape[0], layer.key.shape[1]
    group = n_heads // n_key_heads
    key_head = at.head // group
    q = numbers(layer.query[at.batch, at.head, at.query])
    keys = numbers(layer.key[at.batch, key_head])
    scores, softmax = _softmax(layer, at, q, keys)
    own = layer.weights(range(at.query, at.query + 1), batch=at.batch, head=at.head)[0, 0]
    on_map = float(own[at.key]) if at.key < len(own) else 0.0
    difference = abs(softmax.weight - on_map)
    seen = scores[np.isfinite(scores)]
    computed_in = layer.query.dtype if isinstance(layer, AsWrittenLayer) else torch.float32
    allowed = softmax_tolerance(float(np.ptp(seen)) if seen.size else 0.0, computed_in, len(q))
    return Working(
        q=q,
        k=keys[at.key],
        rotated=rotated(layer, at.batch, at.head, at.query, at.key),
        softmax=softmax,
        scores=scores,
        difference=difference,
        is_rounding=difference <= allowed,
        carried=_carried(layer, at, softmax.weight),
        key_head=key_head,
        shared_by=range(key_head * group, (key_head + 1) * group),
        dtype=str(layer.query.dtype).removeprefix("torch."),
    )


def numbers(tensor: Tensor) -> Numbers:
    """The same numbers as float64."""
    found: Numbers = tensor.float().cpu().numpy().astype(np.float64)
    return found


# ---------------------------------------------------------------- the softmax
def _softmax(layer: LazyLayer, at: _Place, q: Numbers, keys: Numbers) -> tuple[Numbers, Softmax]:
    """The scores of the row, (n_keys,), -inf where hidden, and what becomes of the cell's."""
    scale, cap = float(layer.scaling), _soft_cap(layer)
    dots = keys @ q  # (n_keys,)
    scaled = dots * scale
    capped = scaled if cap is None else cap * np.tanh(scaled / cap)
    bias, is_seen = _bias_and_visible(layer, at, len(keys))
    scores = np.where(is_seen, capped if bias is None else capped + bias, -math.inf)
    sink = _sink(layer, at.head)
    every = scores if sink is None else np.append(scores, sink)
    largest = float(every.max())
    exponentials = np.exp(every - largest) if math.isfinite(largest) else np.zeros_like(every)
    row_sum = float(exponentials.sum())
    place = int(every.argmax())
    sees = _side_by_side(is_seen)
    hidden, window = _why_hidden(is_seen, sees, at)
    key = at.key
    return scores, Softmax(
        dot=float(dots[key]),
        scale=scale,
        root=len(q) if same_scale(scale, len(q) ** -0.5) else None,
        scaled=float(scaled[key]),
        cap=cap,
        capped=None if cap is None else float(capped[key]),
        bias=None if bias is None else float(bias[key]),
        hidden=hidden,
        window=window,
        sees=sees,
        score=float(scores[key]),
        largest=largest,
        largest_at=place if place < len(scores) else None,
        n_seen=int(is_seen.sum()),
        sink=sink,
        exponential=float(exponentials[key]),
        row_sum=row_sum,
        weight=float(exponentials[key] / row_sum) if row_sum else 0.0,
    )


def _bias_and_visible(layer: LazyLayer, at: _Place, n_keys: int) -> tuple[Numbers | None, Flags]:
    """What is added to the scores of a row, (n_keys,) or None, and which keys it sees."""
    visible = next(visible for visible in layer.visibility if at.query in visible.queries)
    hidden = _added(replace(visible, bias=None), layer, at)
    position = _added(replace(visible, mask=None, causal=False, window=None), layer, at)
    is_seen = np.zeros(n_keys, bool)
    is_seen[visible.keys.start : visible.seen(range(at.query, at.query + 1))] = True
    bias = np.zeros(n_keys)
    for added in (hidden, position):
        if added is not None:
            here = slice(visible.keys.start, visible.keys.start + len(added))
            is_seen[here] &= np.isfinite(added)
            bias[here] += np.where(np.isfinite(added), added, 0.0)  # a mask may carry a bias too
    return (bias if visible.bias is not None or bias.any() else None), is_seen


def _added(visible: Visibility, layer: LazyLayer, at: _Place) -> Numbers | None:
    row = range(at.query, at.query + 1)
    added = visible.additive(row, visible.seen(row), batch=at.batch, head=at.head, device=layer.device)
    return None if added is None else numbers(added[0, 0])


def _side_by_side(is_seen: Flags) -> range | None:
    seen = np.flatnonzero(is_seen)
    return range(int(seen[0]), int(seen[-1]) + 1) if len(seen) and seen[-1] - seen[0] == len(seen) - 1 else None


def _why_hidden(is_seen: Flags, sees: range | None, at: _Place) -> tuple[Hidden | None, int | None]:
    """Why the cell's key is hidden, and the width of the window if there is one."""
    is_causal = at.kind == "decoder" and sees is not None and sees.stop == at.query + 1
    window = len(sees) if is_causal and sees is not None and sees.start > 0 else None
    if is_seen[at.key]:
        return None, window
    if is_causal and at.key > at.query:
        return "later", window
    return ("window" if window else "mask"), window


def _soft_cap(layer: LazyLayer) -> float | None:
    cap = layer.options.get("softcap") if isinstance(layer, AsWrittenLayer) else None
    return float(cap) if isinstance(cap, (int, float)) else None


def _sink(layer: LazyLayer, head: int) -> float | None:
    if not isinstance(layer, AsWrittenLayer):
        return None
    known = (layer.options.get("s_aux"), layer.options.get("sinks"), getattr(layer.settings, "sinks", None))
    sinks = next((sink for sink in known if isinstance(sink, Tensor)), None)
    return float(sinks.flatten()[head]) if sinks is not None and sinks.numel() == layer.shape[0] else None


# ---------------------------------------------------------------- what the weight carries
def _carried(layer: LazyLayer, at: _Place, weight: float) -> Carried | None:
    if layer.value is None or at.key >= layer.value.shape[2]:
        return None
    n_heads = layer.shape[0]
    value = numbers(layer.value[at.batch, at.head // (n_heads // layer.value.shape[1]), at.key])
    if layer.output_weights is None:  # packed, offloaded, or too large for a copy
        return Carried(value)
    rows = numbers(layer.output_weights[at.head * len(value) : (at.head + 1) * len(value)])  # (d_value, d_model)
    vector = weight * value @ rows  # (d_model,)
    falling = np.argsort(-np.abs(vector), kind="stable")[:_STRONGEST]
    strongest = tuple((int(dimension), float(vector[dimension])) for dimension in falling if vector[dimension])
    return Carried(value, float(np.linalg.norm(vector)), strongest)
