"""Attention that somebody computed elsewhere, as a record: arrays, or the `attentions` that a transformers model returned."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from headscope.core.attention.fallback import Piece, StoredLayer
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Kind
from headscope.core.numerics import are_weights
from headscope.core.tokens import Token, TokenAxis, visible


def record_of(attentions: Any, tokens: Sequence[str], key_tokens: Sequence[str] | None = None) -> AttentionRecord:
    """Given attention weights as an `AttentionRecord`.

    Parameters
    ----------
    attentions : array or sequence of arrays
        (layer, head, query, key), (head, query, key) or (query, key); or a tuple with one (batch, head, query, key) for each
        layer, as transformers returns it, of which the first text of the batch is taken. Anything numpy or torch can read.
    tokens : sequence of str
        Of the queries.
    key_tokens : sequence of str, optional
        Of the keys, if they are others (cross-attention).

    Returns
    -------
    AttentionRecord
        Of one kind: "cross" with `key_tokens`, "decoder" if no query looks past itself, else "encoder".

    Raises
    ------
    HeadscopeError
        ``not_attention`` if shapes do not fit or values are no weights.
    """
    layers = [_checked(layer, len(tokens), len(tokens if key_tokens is None else key_tokens)) for layer in _layers(attentions)]
    if not layers or len({layer.shape[1] for layer in layers}) != 1:
        raise HeadscopeError("not_attention", reason="layers must have the same number of heads")
    kind: Kind = "cross" if key_tokens is not None else "encoder"
    if kind == "encoder" and not any(bool(layer.triu(1).any()) for layer in layers):
        kind = "decoder"
    queries = _axis(tokens)
    keys = queries if key_tokens is None else _axis(key_tokens)
    pieces = [Piece(range(layer.shape[2]), range(layer.shape[3]), layer) for layer in layers]
    return AttentionRecord({kind: [StoredLayer((piece,)) for piece in pieces]}, {kind: (queries, keys)}, tier="given")


def _layers(attentions: Any) -> list[Tensor]:
    """One (1, head, query, key) for each layer."""
    if isinstance(attentions, (tuple, list)):
        found = [_tensor(layer) for layer in attentions]
        return [layer[:1] if layer.dim() == 4 else layer[(None,) * (4 - layer.dim())] for layer in found]
    whole = _tensor(attentions)
    if not 2 <= whole.dim() <= 4:
        raise HeadscopeError("not_attention", reason=f"an array has {whole.dim()} axes")
    return list(whole[(None,) * (4 - whole.dim())][:, None].unbind())


def _tensor(array: Any) -> Tensor:
    if isinstance(array, Tensor):
        return array.detach().to("cpu", torch.float32, copy=True)
    try:
        return torch.from_numpy(np.array(array, dtype=np.float32))
    except (ValueError, TypeError) as error:
        raise HeadscopeError("not_attention", reason=str(error)) from None


def _checked(layer: Tensor, n_queries: int, n_keys: int) -> Tensor:
    if layer.dim() != 4 or layer.shape[2:] != (n_queries, n_keys):
        shape = " × ".join(map(str, layer.shape[1:]))
        raise HeadscopeError("not_attention", reason=f"{shape} weights do not fit {n_queries} queries and {n_keys} keys")
    if not are_weights(layer):  # not a number fails as well
        raise HeadscopeError("not_attention", reason="weights lie between 0 and 1")
    return layer


def _axis(tokens: Sequence[str]) -> TokenAxis:
    text, found = " ".join(tokens), []
    start = 0
    for token in tokens:
        found.append(Token(visible(token), -1, start, start + len(token)))
        start += len(token) + 1
    return TokenAxis(tuple(found), text, 0, len(text))
