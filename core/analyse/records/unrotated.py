"""Queries and keys before their rotary positions: what the model file's own function did, undone.

The function is given the unit vectors, and so tells its matrix R for a position, whatever pairs of dimensions it turns (halves as in
Llama, neighbours as in GPT-J and GLM, the first dimensions alone as in GPT-NeoX). R is orthogonal up to a factor (YaRN has one), and
is undone by its inverse.

References
----------
Su et al., RoFormer: Enhanced Transformer with Rotary Position Embedding, 2021, equation 34.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
import torch
from torch import Tensor

from headscope.core.analyse.records.arithmetic_numbers import Numbers, Turned
from headscope.core.attention.kept.layer import LazyLayer
from headscope.core.attention.kept.rotation import Rotation
from headscope.core.numerics import is_rotation


def rotated(layer: LazyLayer, batch: int, head: int, query: int, key: int) -> tuple[Turned, Turned] | Literal["unseen"] | None:
    """What rotary positions did to a head's query and key.

    Returns
    -------
    (Turned, Turned), or None if the layer has no rotary positions; "unseen" if what it did with them is not known.
    """
    rotation = layer.rotation
    if not isinstance(rotation, Rotation):
        return rotation
    key_head = head // (layer.shape[0] // layer.key.shape[1])
    of_query = _undone(rotation, layer.query[batch, head], _of(rotation.last_query, batch, head), query, batch)
    of_key = _undone(rotation, layer.key[batch, key_head], _of(rotation.last_key, batch, key_head), key, batch)
    return "unseen" if of_query is None or of_key is None else (of_query, of_key)


def _of(last: Tensor | None, batch: int, head: int) -> Tensor | None:
    """A head's; all may share one (DeepSeek's keys)."""
    return None if last is None else last[batch, min(head, last.shape[1] - 1)]


def _undone(rotation: Rotation, vectors: Tensor, last: Tensor | None, at: int, batch: int) -> Turned | None:
    """The vector at `at` of `vectors` (n_tokens, d_head); `last` (d_turned,) is what the function made of the last one.

    None if the layer did more to its vectors behind the function (a norm), or if some come from another pass.
    """
    last = vectors[-1] if last is None else last
    first = _place(vectors[-1], last)
    if first is None or len(vectors) != rotation.cos.shape[1]:
        return None
    width = len(last)
    matrix, at_the_end = (_matrix(rotation, place, batch, width) for place in (at, len(vectors) - 1))
    if not is_rotation(torch.from_numpy(matrix)):
        return None
    after = vectors[at].float().cpu().numpy().astype(np.float64)
    here = slice(first, first + width)
    before, angles, partners = after.copy(), np.zeros_like(after), np.arange(len(after))
    before[here] = np.linalg.solve(matrix, after[here])
    pairs = _partners(at_the_end)
    partners[here] = first + pairs
    lower, upper = np.minimum(pairs, np.arange(width)), np.maximum(pairs, np.arange(width))
    angles[here] = np.where(lower < upper, np.arctan2(matrix[upper, lower], matrix[lower, lower]), 0.0)
    again = _rotated_by(rotation, torch.from_numpy(before[here])[None], at, batch, vectors.dtype)[0]
    return Turned(before, angles, partners, float(np.abs(again - after[here]).max()))


def _place(vector: Tensor, last: Tensor) -> int | None:
    """Where in a vector the part lies that was turned: at its beginning or at its end."""
    for first in dict.fromkeys((0, len(vector) - len(last))):
        if torch.equal(vector[first : first + len(last)], last):
            return first
    return None


def _matrix(rotation: Rotation, at: int, batch: int, width: int) -> Numbers:
    """R of a position: its columns are what becomes of the unit vectors."""
    return _rotated_by(rotation, torch.eye(width), at, batch, torch.float32).T


def _rotated_by(rotation: Rotation, vectors: Tensor, at: int, batch: int, dtype: torch.dtype) -> Numbers:
    """(n, d_turned) vectors, all as if they stood at the position `at`, turned by the model's own function in `dtype`."""
    device = rotation.cos.device
    cos, sin = (
        table[min(batch, len(table) - 1), at].to(dtype).expand(1, len(vectors), -1) for table in (rotation.cos, rotation.sin)
    )
    given = vectors.to(device, dtype)[None, None]  # (1, 1, n, d_turned)
    made: Numbers = rotation.turn(given, given, cos, sin)[0][0, 0].float().cpu().numpy().astype(np.float64)
    return made


def _partners(matrix: Numbers) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """The other dimension that each one is mixed with; its own number if none."""
    mixed = np.abs(matrix - np.diag(np.diag(matrix)))
    return np.where(mixed.any(axis=1), mixed.argmax(axis=1), np.arange(len(matrix)))
