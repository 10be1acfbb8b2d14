"""transformers' key-value caches with growing rows: no copy of the whole cache in each step, and branches share what they can."""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor
from transformers import DynamicCache, EncoderDecoderCache

from headscope.core.attention.kept.growing import Growing
from headscope.core.models.hub import compat

Cache = Any
"""A `DynamicCache` or an `EncoderDecoderCache` of two; transformers leaves its caches untyped."""


_PlainLayer = compat.cache_layer_class()


class GrowingLayer(_PlainLayer):  # type: ignore[misc, valid-type]
    """A layer of a `DynamicCache` that keeps keys and values as `Growing` rows."""

    keys: Tensor
    values: Tensor

    def __init__(self, expected: int = 0) -> None:
        super().__init__()
        self._expected = expected
        self._grown = Growing(expected), Growing(expected)

    def update(self, key_states: Tensor, value_states: Tensor, *_: Any, **__: Any) -> tuple[Tensor, Tensor]:
        """Add new keys and values (batch, n_key_heads, n_new, d_head); all of them come back."""
        if not self.is_initialized:
            self.lazy_initialization(key_states, value_states)
        elif self.keys.shape[2] != self._grown[0].length or not _same_rows(self.keys, self._grown[0]):
            self._grown = self._again(self.keys), self._again(self.values)  # cropped or reordered since
        self.keys, self.values = self._grown[0].append(key_states), self._grown[1].append(value_states)
        return self.keys, self.values

    def branch(self, length: int) -> GrowingLayer:
        """The first `length` tokens of it, to go on from in another way."""
        other = GrowingLayer(self._expected)
        if self.is_initialized:
            other.lazy_initialization(self.keys, self.values)
            other._grown = self._grown[0].branch(length), self._grown[1].branch(length)
            other.keys, other.values = self.keys[:, :, :length], self.values[:, :, :length]
        return other

    def _again(self, rows: Tensor) -> Growing:
        grown = Growing(self._expected)
        grown.append(rows)
        return grown


def growing_cache(cache: Cache, expected: int) -> Cache:
    """`cache`, still empty, with growing rows wherever a layer keeps all its keys; `expected` as for `Growing`."""
    own = cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache
    if not compat.CACHE_LAYERS.is_here:
        return cache
    own.layers = [GrowingLayer(expected) if type(layer) is _PlainLayer else layer for layer in own.layers]
    if getattr(own, "layer_class_to_replicate", None) is _PlainLayer:
        own.layer_class_to_replicate = partial(GrowingLayer, expected)
    return cache


@torch.inference_mode()
def branched_cache(cache: Cache, n_tokens: int) -> Cache | None:
    """The first `n_tokens` of a cache, to go on from in another way; None if a layer has forgotten what that needs (a sliding one)."""
    own = cache.self_attention_cache if isinstance(cache, EncoderDecoderCache) else cache
    if not all(isinstance(layer, GrowingLayer) for layer in own.layers):
        return None
    branch = DynamicCache()
    branch.layers = [layer.branch(n_tokens) for layer in own.layers]
    # The source's keys and values stay as they are.
    return EncoderDecoderCache(branch, cache.cross_attention_cache) if isinstance(cache, EncoderDecoderCache) else branch


def _same_rows(tensor: Tensor, grown: Growing) -> bool:
    rows = grown.rows
    return rows is not None and rows.data_ptr() == tensor.data_ptr()
