"""Pictures of plain layers, those that see everything or a triangle, without going through their weights.

Means: a fused kernel that is given, as values, which pixel each key belongs to, answers each query's sum over the keys of each pixel.
Maxima, of long texts on a CPU: the largest score of each pixel's keys, tile by tile while a tile is in the processor's cache, along
with the logarithm of the row's sum of exponentials; exp(score - logarithm) is then taken of the maxima alone.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.attention.kept.layer import Layer, LazyLayer
from headscope.core.attention.maps.reducing import reduced

_TILE_ROWS, _TILE_KEYS = 256, 512
_LONG = 4096
"""Keys from which on tiles are faster than whole rows."""


def is_plain(layer: Layer) -> bool:
    """Whether scores are nothing but a dot product, and every query sees all keys or all up to its own."""
    if type(layer) is not LazyLayer or len(layer.visibility) != 1:
        return False
    visible, (_, n_queries, n_keys) = layer.visibility[0], layer.shape
    whole = (
        visible.keys == range(n_keys) and visible.queries == range(n_queries) and (not visible.causal or n_queries == n_keys)
    )
    return whole and visible.window is None and not visible.tensors


def takes_means(layer: Layer, width: int) -> bool:
    """Whether `means` can do it: there must be as many pixels as numbers in a value, or fewer."""
    return isinstance(layer, LazyLayer) and is_plain(layer) and width <= layer.key.shape[-1]


def takes_maxima(layer: Layer) -> bool:
    """Whether `maxima` would be faster than whole rows."""
    return is_plain(layer) and layer.shape[2] >= _LONG and layer.tensors[0].device.type == "cpu"


def means(layer: Layer, head: int, key_edges: list[int], *, batch: int) -> Iterator[tuple[range, Tensor]]:
    """Each query's sum over the keys between neighbouring `key_edges`: all rows, float32 (1, n_queries, n_pixels)."""
    assert isinstance(layer, LazyLayer)
    query, key = _of_head(layer, head, batch)
    pixel = torch.zeros_like(key)
    for place, (start, stop) in enumerate(pairwise(key_edges)):
        pixel[start:stop, place] = 1
    causal = layer.visibility[0].causal
    sums = F.scaled_dot_product_attention(
        query[None, None], key[None, None], pixel[None, None], is_causal=causal, scale=layer.scaling
    )
    yield range(len(query)), sums[0, :, :, : len(key_edges) - 1]


def maxima(layer: Layer, head: int, key_edges: list[int], *, batch: int) -> Iterator[tuple[range, Tensor]]:
    """Each query's largest weight between neighbouring `key_edges`: blocks of rows, float32 (1, len(rows), pixels seen)."""
    assert isinstance(layer, LazyLayer)
    query, key = _of_head(layer, head, batch)
    query, causal = query * layer.scaling, layer.visibility[0].causal
    for start in range(0, len(query), _TILE_ROWS):
        rows = range(start, min(start + _TILE_ROWS, len(query)))
        block, seen = query[rows.start : rows.stop], rows.stop if causal else len(key)
        highest: list[Tensor] = []
        largest, total = torch.full((len(rows), 1), -math.inf), torch.zeros(len(rows), 1)
        for tile in _tiles([edge for edge in key_edges if edge < seen] + [seen]):
            scores = block @ key[tile[0] : tile[-1]].T
            if causal and tile[-1] > rows.start + 1:
                hidden = torch.arange(tile[0], tile[-1])[None] > torch.arange(rows.start, rows.stop)[:, None]
                scores.masked_fill_(hidden, -math.inf)
            top = reduced(scores, [edge - tile[0] for edge in tile], 1, "max")
            highest.append(top if top.shape != scores.shape else top.clone())  # one key a pixel: it is the scores themselves
            before, largest = largest, torch.maximum(largest, top.amax(1, keepdim=True))
            total *= (before - largest).exp_()  # the sum so far is one of exp(score - before)
            total += scores.sub_(largest).exp_().sum(1, keepdim=True)
        yield rows, torch.cat(highest, 1).sub_(largest + total.log()).exp_()[None]


def _of_head(layer: LazyLayer, head: int, batch: int) -> tuple[Tensor, Tensor]:
    groups = layer.query.shape[1] // layer.key.shape[1]
    return layer.query[batch, head].float(), layer.key[batch, head // groups].float()


def _tiles(key_edges: list[int]) -> Iterator[list[int]]:
    """Neighbouring pixels of about `_TILE_KEYS` keys together: their edges."""
    tile = key_edges[:1]
    for edge in key_edges[1:]:
        tile.append(edge)
        if edge - tile[0] >= _TILE_KEYS:
            yield tile
            tile = [edge]
    if len(tile) > 1:
        yield tile
