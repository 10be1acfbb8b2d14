"""What llama.cpp's conversion does to tensors, undone: from the file's order to that of transformers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from headscope.core.models.gguf.unpacking import Floats

Change = Callable[[Floats, Any], Floats]
"""From a tensor of the file and the configuration to the parameter."""
Join = Callable[..., Floats]
"""From several tensors to one parameter."""


def rotary_queries(weights: Floats, config: Any) -> Floats:
    """A Llama's queries: the two halves of each rotary pair lie side by side in the file, apart in transformers."""
    return _halves_apart(weights, config.num_attention_heads)


def rotary_keys(weights: Floats, config: Any) -> Floats:
    """The same for its keys."""
    return _halves_apart(weights, config.num_key_value_heads)


def _halves_apart(weights: Floats, n_heads: int) -> Floats:
    pairs = weights.reshape(n_heads, -1, 2, *weights.shape[1:])
    return np.ascontiguousarray(pairs.swapaxes(1, 2)).reshape(weights.shape)


def minus_one(weights: Floats, _: Any) -> Floats:
    """Norms that transformers keeps as the difference from one (Gemma, Nemotron)."""
    return weights - np.float32(1)


def transposed(weights: Floats, _: Any) -> Floats:
    """Matrices of GPT-2 (biases stay)."""
    return np.ascontiguousarray(weights.T)


def as_row(weights: Floats, _: Any) -> Floats:
    """A vector as a matrix of one row."""
    return weights.reshape(1, -1)


def as_convolution(weights: Floats, _: Any) -> Floats:
    """(channels, taps) as a convolution that takes each channel by itself."""
    return weights.reshape(weights.shape[0], 1, weights.shape[-1])


def falcon_qkv(weights: Floats, config: Any) -> Floats:
    """All queries, then keys, then values, to groups of queries with their key and value."""
    n_heads = config.num_attention_heads
    n_groups = config.num_kv_heads if config.new_decoder_architecture else (1 if config.multi_query else n_heads)
    return _grouped(weights, n_heads, n_groups)


def bloom_qkv(weights: Floats, config: Any) -> Floats:
    """The same where each head has its own key and value."""
    return _grouped(weights, config.n_head, config.n_head)


def _grouped(weights: Floats, n_heads: int, n_groups: int) -> Floats:
    head_dim = weights.shape[0] // (n_heads + 2 * n_groups)
    rest = weights.shape[1:]
    queries, keys, values = np.split(weights, (n_heads * head_dim, (n_heads + n_groups) * head_dim))
    parts = [part.reshape(n_groups, -1, head_dim, *rest) for part in (queries, keys, values)]
    return np.concatenate(parts, axis=1).reshape(weights.shape)


def one_above_another(*weights: Floats) -> Floats:
    """Rows of several matrices (of each expert)."""
    return np.concatenate(weights, axis=-2)


def interleaved_columns(gate: Floats, up: Floats) -> Floats:
    """gpt-oss: (expert, out, in) of gate and up to (expert, in, 2 × out) with their columns in turn."""
    return np.ascontiguousarray(interleaved(gate.swapaxes(1, 2), up.swapaxes(1, 2)))


def interleaved(gate: Floats, up: Floats) -> Floats:
    """The last axis of both in turn."""
    return np.stack((gate, up), axis=-1).reshape(*gate.shape[:-1], -1)


def columns(weights: Floats) -> Floats:
    """gpt-oss: (expert, out, in) to (expert, in, out)."""
    return np.ascontiguousarray(weights.swapaxes(1, 2))


def unchanged(weights: Floats) -> Floats:
    """A parameter whose name ends neither with ``.weight`` nor with ``.bias``."""
    return weights
