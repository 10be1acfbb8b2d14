"""Attention of texts that were written side by side and grew out of one another (beams): put together where it is looked at.

Each pass over the beams leaves its own rows once. A beam's text is a path through the passes, and its record follows it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from headscope.core.attention.kept.layer import Layer, LazyLayer
from headscope.core.attention.kept.rotation import Rotated
from headscope.core.attention.kept.stored import Piece, StoredLayer
from headscope.core.attention.kept.visibility import Visibility, as_rule, joined
from headscope.core.vocabulary import Kind


@dataclass(frozen=True, slots=True)
class PassRows:
    """What one pass over several texts adds to their attention.

    Attributes
    ----------
    layers : mapping of kind to the layers captured, first to last
        Only the pass's own queries, and of a decoder its own keys.
    first_query : int
        Where its queries stand in the texts.
    """

    layers: Mapping[Kind, Sequence[Layer]]
    first_query: int


Path = tuple[tuple[PassRows, int], ...]
"""The passes that wrote a text, and which text of the batch it was in each."""


def own_rows(layers: Mapping[Kind, Sequence[Layer]], first_query: int) -> PassRows:
    """The rows of a pass without the keys of the passes before, which the cache will give up."""
    kept: dict[Kind, list[Layer]] = {}
    for kind, captured in layers.items():
        kept[kind] = [_own(kind, layer, first_query) for layer in captured]
    return PassRows(kept, first_query)


def gathered(path: Path) -> dict[Kind, list[Layer]]:
    """The layers of the text at the end of a path, as one pass over it would have left them."""
    kinds = path[0][0].layers
    return {kind: [GatheredLayer(path, kind, index) for index in range(len(layers))] for kind, layers in kinds.items()}


class GatheredLayer(Layer):
    """One layer of one text; its rows are joined when weights are first asked for."""

    def __init__(self, path: Path, kind: Kind, index: int) -> None:
        self._path = path if kind != "encoder" else path[:1]
        self._kind = kind
        self._index = index

    @property
    def shape(self) -> tuple[int, int, int]:
        first, last = self._piece(0), self._piece(-1)
        is_stored = isinstance(last, StoredLayer)  # which counts from the beginning of the text itself
        n_queries = last.shape[1] if is_stored else self._path[-1][0].first_query + last.shape[1]
        return first.shape[0], n_queries, n_queries if self._kind == "decoder" else first.shape[2]

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return tuple(tensor for place in range(len(self._path)) for tensor in self._piece(place).tensors)

    @property
    def computes_all_heads(self) -> bool:
        return self._piece(0).computes_all_heads

    @property
    def inner(self) -> Layer:
        return self._joined

    @torch.inference_mode()
    def weights(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        return self._joined.weights(rows, batch=0, head=head)

    def scores(self, rows: range, *, batch: int, head: int | None) -> Tensor:
        return self._joined.scores(rows, batch=0, head=head)

    def _piece(self, place: int) -> Layer:
        return self._path[place][0].layers[self._kind][self._index]

    @cached_property
    @torch.inference_mode()
    def _joined(self) -> Layer:
        pieces = [(self._piece(place), text) for place, (_, text) in enumerate(self._path)]
        if isinstance(self._piece(0), StoredLayer):
            return StoredLayer(tuple(_chosen(piece, text) for layer, text in pieces for piece in _pieces(layer)))
        lazy = [(layer, text) for layer, text in pieces if isinstance(layer, LazyLayer)]
        first = lazy[0][0]
        query = torch.cat([layer.query[text : text + 1] for layer, text in lazy], dim=2)
        key = first.key[:1]
        if self._kind == "decoder":
            key = torch.cat([layer.key[text : text + 1] for layer, text in lazy], dim=2)
        visibility: tuple[Visibility, ...] = ()
        for layer, text in lazy:
            visibility = joined(visibility, _of_text(layer.visibility[0], text))
        return replace(first, query=query, key=key, value=None, visibility=visibility, rotation=_untold(first))


def _own(kind: Kind, layer: Layer, first_query: int) -> Layer:
    if isinstance(layer, StoredLayer) and kind != "encoder":
        (piece,) = layer.pieces
        queries = range(first_query, first_query + len(piece.queries))
        last_key = queries.stop if kind == "decoder" else len(piece.keys)
        return StoredLayer((Piece(queries, range(last_key - len(piece.keys), last_key), piece.weights),))
    if not isinstance(layer, LazyLayer) or kind == "encoder":
        return layer
    n_new, n_keys = layer.query.shape[2], layer.key.shape[2]
    layer = replace(layer, query=layer.query.clone(), rotation=_untold(layer))  # it may be a part of something larger
    if kind == "cross":
        return replace(layer, visibility=(layer.visibility[0].moved(queries=first_query, keys=0),))
    visible = as_rule(layer.visibility[0].moved(queries=first_query, keys=first_query + n_new - n_keys))
    return replace(layer, key=layer.key[:, :, -n_new:].clone(), visibility=(visible,))


def _untold(layer: LazyLayer) -> Rotated:
    """A pass knows the positions of its own tokens alone."""
    return None if layer.rotation is None else "unseen"


def _of_text(visible: Visibility, text: int) -> Visibility:
    def one(tensor: Tensor | None) -> Tensor | None:
        return None if tensor is None else tensor[min(text, tensor.shape[0] - 1)][None]

    return replace(visible, mask=one(visible.mask), bias=one(visible.bias)) if visible.tensors else visible


def _pieces(layer: Layer) -> tuple[Piece, ...]:
    return layer.pieces if isinstance(layer, StoredLayer) else ()


def _chosen(piece: Piece, text: int) -> Piece:
    return replace(piece, weights=piece.weights[text : text + 1])
