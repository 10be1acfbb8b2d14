"""Carrying out an `Intervention` inside attention layers, and showing the weights that were used.

Edits of weights recompute the weights of the heads they touch, from the same queries and keys and in blocks of rows, change
them, and give the head what they sum up of the values. Heads that no edit touches keep what the fused kernel computed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.attention.intervention import Cut, Edit, Paste, Replace, Scale, Uniform
from headscope.core.attention.kept.layer import Layer, LayerView, LazyLayer
from headscope.core.errors import HeadscopeError
from headscope.core.sentences import sentence
from headscope.core.vocabulary import FloatArray


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Transform(Edit):
    """Any function of the weights; also a way to look at them, as part of the autograd graph.

    Attributes
    ----------
    function : callable
        From float32 weights (1 or n_heads, len(rows), n_keys) and their rows to weights of the same shape. It is called for
        each text of a batch and each block of rows.
    """

    function: Callable[[Tensor, range], Tensor]


def with_edits(layer: Layer, edits: Sequence[Edit]) -> Layer:
    """The layer as the edited pass saw it."""
    changing = tuple(edit for edit in edits if edit.on_weights)
    return EditedLayer(layer, changing) if changing and isinstance(layer, LazyLayer) else layer


@dataclass(frozen=True, slots=True)
class EditedLayer(LayerView):
    """A layer whose weights are changed after they are computed; `edits` all act on it and on weights."""

    layer: LazyLayer
    edits: tuple[Edit, ...]

    @torch.inference_mode()
    def weights(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        return edited_weights(self.layer, self.edits, rows, batch=batch, head=head)

    @torch.inference_mode()
    def scores(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        """What is cut is hidden; edits that set weights come after."""
        scores = self.layer.scores(rows, batch=batch, head=head)
        heads = range(self.shape[0]) if head is None else range(head, head + 1)
        hidden = _cut(self.layer, _acting(self.edits, batch, head), rows, heads)
        return scores.masked_fill(hidden[..., : scores.shape[-1]], -torch.inf)


def sets_weights(layer: Layer, *, batch: int, head: int) -> bool:
    """Whether weights of a head were set after their softmax."""
    found: Layer | None = layer
    while found is not None and not isinstance(found, EditedLayer):
        found = found.inner
    acting = () if found is None else _acting(found.edits, batch, head)
    return any(not isinstance(edit, Cut) for edit in acting)


def edited_output(
    layer: LazyLayer, output: Tensor, edits: Sequence[Edit], *, first_query: int = 0, first_key: int = 0
) -> Tensor:
    """What the heads of a layer give after the edits.

    Parameters
    ----------
    layer : LazyLayer
        What the attention function was given, values included.
    output : Tensor, (batch, n_queries, n_heads, d_value)
        What it computed.
    edits : sequence of Edit
        Those that act on this layer.
    first_query, first_key : int
        Positions in the text of the first query and key.

    Returns
    -------
    Tensor, like `output`
        Another tensor; differentiable.
    """
    output = output.clone()
    edits = [edit.moved(first_query, first_key) for edit in edits]
    changing = [edit for edit in edits if edit.on_weights]
    for batch, head, rows in touched(changing, *output.shape[:2]):
        acting = _acting(changing, batch, head)
        for block in layer.row_blocks(rows=rows, head=head):
            mixed = _mixed(layer, acting, block, batch=batch, head=head)  # (1 or n_heads, len(block), d_value)
            heads = slice(None) if head is None else slice(head, head + 1)
            output[batch, block.start : block.stop, heads] = mixed.transpose(0, 1).to(output.dtype)
    for edit in edits:
        if not edit.on_weights:
            change_output(output, edit)
    return output


class Formed(Protocol):
    """What `edited_weights` needs of a layer: see `LazyLayer`."""

    @property
    def shape(self) -> tuple[int, int, int]: ...
    @property
    def device(self) -> torch.device: ...
    def formed(
        self, rows: range, *, batch: int, head: int | None, hidden: Tensor | None = None
    ) -> tuple[Tensor, Tensor | None]: ...


def edited_weights(layer: Formed, edits: Sequence[Edit], rows: range, *, batch: int, head: int | None) -> Tensor:
    """As `Layer.weights`, after the edits (whose positions are the layer's): float32 (1 or n_heads, len(rows), n_keys)."""
    edits = _acting(edits, batch, head)
    n_heads, _, n_keys = layer.shape
    heads = range(n_heads) if head is None else range(head, head + 1)
    hidden = _cut(layer, edits, rows, heads)
    weights, mask = layer.formed(rows, batch=batch, head=head, hidden=hidden if hidden.any() else None)
    visible = torch.ones_like(weights) if mask is None else (mask > -torch.inf).float().expand_as(weights)
    weights, visible = (F.pad(part, (0, n_keys - part.shape[-1])) for part in (weights, visible))
    for edit in edits:
        if isinstance(edit, Uniform):
            even = visible / visible.sum(-1, keepdim=True).clamp(min=1)
            weights = weights.where(~_selected(edit, heads, rows, hidden.device), even)
        elif isinstance(edit, Paste):
            pattern, known = _pasted(edit.pattern, rows, n_keys, weights)
            weights = weights.where(~(_selected(edit, heads, rows, hidden.device) & known), pattern)
        elif isinstance(edit, Transform):
            weights = weights.where(~_selected(edit, heads, rows, hidden.device), edit.function(weights, rows))
    return weights


def _acting(edits: Sequence[Edit], batch: int, head: int | None) -> list[Edit]:
    """Those about a text, and about a head or (None) about any."""
    return [edit for edit in edits if edit.batch in (None, batch) and (head is None or edit.head in (None, head))]


def _cut(layer: Formed, edits: Sequence[Edit], rows: range, heads: range) -> Tensor:
    """Which keys are cut: bool (len(heads), len(rows), n_keys)."""
    n_keys = layer.shape[2]
    hidden = torch.zeros((len(heads), len(rows), n_keys), dtype=torch.bool, device=layer.device)
    for edit in edits:
        if isinstance(edit, Cut):
            keys = torch.zeros(n_keys, dtype=torch.bool, device=hidden.device)
            keys[[key for key in edit.keys if 0 <= key < n_keys]] = True
            hidden |= _selected(edit, heads, rows, hidden.device) & keys
    return hidden


def _mixed(layer: LazyLayer, edits: Sequence[Edit], rows: range, *, batch: int, head: int | None) -> Tensor:
    """α·v of the edited weights: (1 or n_heads, len(rows), d_value)."""
    assert layer.value is not None
    weights = edited_weights(layer, edits, rows, batch=batch, head=head)
    n_heads, n_key_heads = layer.query.shape[1], layer.value.shape[1]
    value = layer.value[batch, :, : weights.shape[-1]]  # (n_key_heads, n_keys, d_value)
    if head is not None:
        groups = n_heads // n_key_heads
        return weights.to(value.dtype) @ value[head // groups : head // groups + 1]
    grouped = weights.to(value.dtype).view(n_key_heads, -1, weights.shape[-1])
    return (grouped @ value).view(n_heads, len(rows), value.shape[-1])


def touched(edits: Sequence[Edit], n_texts: int, n_queries: int) -> Iterator[tuple[int, int | None, range]]:
    """(text, head or None for all, rows) that have to be computed again."""
    for batch in range(n_texts):
        acting = [edit for edit in edits if edit.batch in (None, batch)]
        heads = {edit.head for edit in acting}
        for head in [None] if None in heads else sorted(head for head in heads if head is not None):
            rows = [_rows(edit, n_queries) for edit in acting if head is None or edit.head == head]
            around = range(min(part.start for part in rows), max(part.stop for part in rows))
            if around:
                yield batch, head, around


def _rows(edit: Edit, n_queries: int) -> range:
    """The smallest range that holds the edit's queries."""
    if edit.queries is None:
        return range(n_queries)
    here = [query for query in edit.queries if 0 <= query < n_queries]
    return range(min(here), max(here) + 1) if here else range(n_queries, n_queries)


def _selected(edit: Edit, heads: range, rows: range, device: torch.device) -> Tensor:
    """bool (n_heads, len(rows), 1): which heads and rows the edit is about."""
    which_heads = torch.tensor([edit.head in (None, head) for head in heads], device=device)
    asked = None if edit.queries is None else set(edit.queries)
    which_rows = torch.tensor([asked is None or row in asked for row in rows], device=device)
    return which_heads[:, None, None] & which_rows[None, :, None]


def _pasted(pattern: FloatArray, rows: range, n_keys: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """The pattern's rows (1, len(rows), n_keys), and which of them it has (1, len(rows), 1)."""
    part = torch.as_tensor(pattern[rows.start : rows.stop, :n_keys], dtype=like.dtype, device=like.device)
    whole = F.pad(part, (0, n_keys - part.shape[1], 0, len(rows) - part.shape[0]))
    known = torch.arange(len(rows), device=like.device) < part.shape[0]
    return whole[None], known[None, :, None]


def change_output(output: Tensor, edit: Edit) -> None:
    """Scale or replace, in place: (batch, n_queries, n_heads, d_value)."""
    texts = slice(None) if edit.batch is None else slice(edit.batch, edit.batch + 1)
    heads = slice(None) if edit.head is None else slice(edit.head, edit.head + 1)
    if isinstance(edit, Scale):
        queries = _queries(edit, output.shape[1])
        output[texts, queries, heads] *= edit.factor
    elif isinstance(edit, Replace):
        new = _as_outputs(edit, output)
        queries = _queries(edit, min(output.shape[1], new.shape[0]) if edit.per_query else output.shape[1])
        output[texts, queries, heads] = new[queries] if edit.per_query else new


def _queries(edit: Edit, n_queries: int) -> slice | list[int]:
    """Those of the first `n_queries` that the edit is about; a slice where it can be, which costs no copy."""
    return slice(n_queries) if edit.queries is None else [query for query in edit.queries if 0 <= query < n_queries]


def _as_outputs(edit: Replace, output: Tensor) -> Tensor:
    """(n_queries or 1, n_heads or 1, d_value)."""
    new = torch.as_tensor(edit.output, dtype=output.dtype, device=output.device)
    of_all_heads = edit.head is None and new.ndim > 1
    if new.shape[-1] != output.shape[-1] or (of_all_heads and new.shape[0] != output.shape[2]):
        reason = sentence("values_of_shape", shape=" × ".join(map(str, new.shape)))
        raise HeadscopeError("edit_misfit", what="output", reason=reason)
    if of_all_heads:
        return new.transpose(0, 1) if edit.per_query else new[None]
    return new[:, None] if edit.per_query else new[None, None]
