"""A layer whose weights were handed over as matrices."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from headscope.core.attention.kept.layer import Layer
from headscope.core.attention.kept.owned import Own
from headscope.core.attention.kept.visibility import shared
from headscope.core.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class Piece:
    """The matrix of one pass: `weights` (batch, n_heads, len(queries), len(keys)) on the CPU."""

    queries: range
    keys: range
    weights: Tensor


@dataclass(frozen=True, slots=True)
class StoredLayer(Layer):
    """A layer's matrices themselves: of one pass, or of each step of a generation."""

    pieces: tuple[Piece, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        return self.pieces[0].weights.shape[1], self.pieces[-1].queries.stop, self.pieces[-1].keys.stop

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(piece.weights for piece in self.pieces)

    def owned(self, own: Own) -> StoredLayer:
        last = self.pieces[-1]  # the others are of earlier passes
        return StoredLayer((*self.pieces[:-1], replace(last, weights=own(last.weights))))

    def converted(self, convert: Callable[[Tensor], Tensor]) -> StoredLayer:
        return StoredLayer(tuple(replace(piece, weights=convert(piece.weights)) for piece in self.pieces))

    @torch.inference_mode()
    def weights(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        n_heads, _, n_keys = self.shape
        heads = slice(None) if head is None else slice(head, head + 1)
        whole = torch.zeros(n_heads if head is None else 1, len(rows), n_keys)
        for piece in self.pieces:
            if part := shared(piece.queries, rows):
                taken = slice(part.start - piece.queries.start, part.stop - piece.queries.start)
                put = slice(part.start - rows.start, part.stop - rows.start)
                whole[:, put, piece.keys.start : piece.keys.stop] = piece.weights[batch, heads, taken]
        return whole


def _followed(earlier: Layer | None, kind: Kind, weights: Tensor) -> StoredLayer:
    """The layer of the steps so far and this one; an encoder has no steps."""
    pieces = earlier.pieces if isinstance(earlier, StoredLayer) and kind != "encoder" else ()
    start = pieces[-1].queries.stop if pieces else 0
    queries = range(start, start + weights.shape[-2])
    n_keys = weights.shape[-1]
    last_key = n_keys if kind == "cross" else max(queries.stop, n_keys)
    return StoredLayer((*pieces, Piece(queries, range(last_key - n_keys, last_key), weights)))
