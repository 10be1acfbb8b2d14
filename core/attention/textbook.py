"""Attention as the papers define it, written out for reading: the reference that everything faster is tested against.

Shapes: a query, key or value is (..., n, d) with any leading dimensions (batch, head). Weights are (..., n_queries, n_keys),
and the softmax runs over the **keys**, the last axis: each query shares out a weight of 1.

A mask is boolean and broadcasts to the weights; True means "this query may look at this key". A query that may look at
nothing gets weights of 0. Masks are keyword-only: passed by position they would land in the place of another argument.

References
----------
Bahdanau, Cho and Bengio, Neural Machine Translation by Jointly Learning to Align and Translate, 2015.
Luong, Pham and Manning, Effective Approaches to Attention-based Neural Machine Translation, 2015.
Vaswani et al., Attention Is All You Need, 2017.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor


class Attention(NamedTuple):
    """What attention gives: `output` (..., n_queries, d_value) and the `weights` (..., n_queries, n_keys) it was mixed with."""

    output: Tensor
    weights: Tensor


# ---------------------------------------------------------------- from scores to an output
def attention_weights(scores: Tensor, *, mask: Tensor | None = None) -> Tensor:
    """Softmax of `scores` over the keys, for the keys that `mask` leaves.

    Parameters
    ----------
    scores : (..., n_queries, n_keys)
        How well each key answers each query; any real numbers.
    mask : bool, broadcasts to `scores`, optional
        True where a query may look.

    Returns
    -------
    Tensor, (..., n_queries, n_keys)
        0 to 1; each row sums to 1, or to 0 if its query may look at nothing.
    """
    if mask is None:
        return torch.softmax(scores, dim=-1)
    hidden = ~mask
    weights = torch.softmax(scores.masked_fill(hidden, -math.inf), dim=-1)
    return weights.masked_fill(hidden, 0.0)  # a softmax over nothing is 0/0: NaN


def attend_with_scores(scores: Tensor, value: Tensor, *, mask: Tensor | None = None) -> Attention:
    """Mix the values by the softmax of `scores`: output = softmax(scores) · V."""
    weights = attention_weights(scores, mask=mask)  # (..., n_queries, n_keys)
    return Attention(weights @ value, weights)  # (..., n_queries, d_value)


# ---------------------------------------------------------------- ways to score a key for a query
def dot_product_attention(query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None) -> Attention:
    """softmax(Q Kᵀ) V, without a scale.

    Parameters
    ----------
    query, key : (..., n_queries, d_key), (..., n_keys, d_key)
    value : (..., n_keys, d_value)
    mask : bool, broadcasts to (..., n_queries, n_keys), optional

    References
    ----------
    Luong et al. 2015, section 3.1, the score "dot".
    """
    return attend_with_scores(query @ key.transpose(-2, -1), value, mask=mask)


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, *, mask: Tensor | None = None, scale: float | None = None
) -> Attention:
    """softmax(Q Kᵀ / √d_key) V.

    The sum of d_key products of independent unit-variance numbers has variance d_key; without the scale, long vectors
    push the softmax into a corner where its gradient vanishes.

    Parameters
    ----------
    query, key : (..., n_queries, d_key), (..., n_keys, d_key)
    value : (..., n_keys, d_value)
    mask : bool, broadcasts to (..., n_queries, n_keys), optional
    scale : float, optional
        What scores are multiplied with; 1/√d_key if not given.

    References
    ----------
    Vaswani et al. 2017, section 3.2.1, equation 1.
    """
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    return attend_with_scores(query @ key.transpose(-2, -1) * scale, value, mask=mask)


def multiplicative_attention(
    query: Tensor, key: Tensor, value: Tensor, weight: Tensor, *, mask: Tensor | None = None
) -> Attention:
    """softmax(Q W Kᵀ) V: queries and keys may have different widths.

    Parameters
    ----------
    query, key : (..., n_queries, d_query), (..., n_keys, d_key)
    value : (..., n_keys, d_value)
    weight : (d_query, d_key)
    mask : bool, broadcasts to (..., n_queries, n_keys), optional

    References
    ----------
    Luong et al. 2015, section 3.1, the score "general".
    """
    return attend_with_scores(query @ weight @ key.transpose(-2, -1), value, mask=mask)


def additive_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    weight_query: Tensor,
    weight_key: Tensor,
    weight_score: Tensor,
    *,
    mask: Tensor | None = None,
) -> Attention:
    """score(q, k) = vᵀ tanh(W_q q + W_k k): a small network looks at each pair of query and key.

    Parameters
    ----------
    query, key : (..., n_queries, d_query), (..., n_keys, d_key)
    value : (..., n_keys, d_value)
    weight_query, weight_key : (d_hidden, d_query), (d_hidden, d_key)
        W_q and W_k (the paper's W_a and U_a).
    weight_score : (d_hidden,)
        v (the paper's v_a).
    mask : bool, broadcasts to (..., n_queries, n_keys), optional

    References
    ----------
    Bahdanau et al. 2015, appendix A.1.2.
    """
    projected_query = (query @ weight_query.T).unsqueeze(-2)  # (..., n_queries, 1, d_hidden)
    projected_key = (key @ weight_key.T).unsqueeze(-3)  # (..., 1, n_keys, d_hidden)
    scores = torch.tanh(projected_query + projected_key) @ weight_score  # (..., n_queries, n_keys)
    return attend_with_scores(scores, value, mask=mask)


# ---------------------------------------------------------------- many heads
def split_heads(hidden: Tensor, n_heads: int) -> Tensor:
    """Cut each token's vector into `n_heads` pieces: (..., n, d_model) to (..., n_heads, n, d_head)."""
    return hidden.reshape(*hidden.shape[:-1], n_heads, -1).transpose(-3, -2)


def merge_heads(output: Tensor) -> Tensor:
    """Put the heads of each token side by side again: (..., n_heads, n, d_head) to (..., n, d_model).

    The transpose comes first: flattening (n_heads, n, d_head) as it lies would mix the tokens.
    """
    return output.transpose(-3, -2).flatten(-2)


def multi_head_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    project_query: Callable[[Tensor], Tensor],
    project_key: Callable[[Tensor], Tensor],
    project_value: Callable[[Tensor], Tensor],
    project_output: Callable[[Tensor], Tensor],
    *,
    n_heads: int,
    mask: Tensor | None = None,
) -> Attention:
    """Concat(head_1, …, head_h) W_o with head_i = Attention(Q W_q,i, K W_k,i, V W_v,i).

    Self-attention gives the same tokens three times; cross-attention takes queries from the decoder, keys and values
    from the encoder.

    Parameters
    ----------
    query : (..., n_queries, d_model)
    key, value : (..., n_keys, d_model)
    project_query, project_key, project_value, project_output : callable, (..., n, d_model) to (..., n, d_model)
        The learned projections of all heads at once, such as `torch.nn.Linear`.
    n_heads : int
        Divides d_model.
    mask : bool, broadcasts to (..., n_heads, n_queries, n_keys), optional

    Returns
    -------
    Attention
        `output` (..., n_queries, d_model), `weights` (..., n_heads, n_queries, n_keys).

    References
    ----------
    Vaswani et al. 2017, section 3.2.2.
    """
    heads = scaled_dot_product_attention(
        split_heads(project_query(query), n_heads),  # (..., n_heads, n_queries, d_head)
        split_heads(project_key(key), n_heads),  # (..., n_heads, n_keys, d_head)
        split_heads(project_value(value), n_heads),
        mask=mask,
    )
    return Attention(project_output(merge_heads(heads.output)), heads.weights)


# ---------------------------------------------------------------- masks
def causal_mask(n_queries: int, n_keys: int | None = None, *, device: torch.device | None = None) -> Tensor:
    """Each query sees the keys up to its own position; the last query sees them all.

    Parameters
    ----------
    n_queries : int
    n_keys : int, optional
        More than `n_queries` when earlier keys are cached; `n_queries` if not given.

    Returns
    -------
    Tensor, bool, (n_queries, n_keys)

    References
    ----------
    Vaswani et al. 2017, section 3.2.3.
    """
    n_keys = n_queries if n_keys is None else n_keys
    return torch.ones(n_queries, n_keys, dtype=torch.bool, device=device).tril(n_keys - n_queries)


def padding_mask(is_token: Tensor) -> Tensor:
    """Hide padding from every head and query.

    Parameters
    ----------
    is_token : (batch, n_keys)
        1 or True for a token, 0 or False for padding (transformers' `attention_mask`).

    Returns
    -------
    Tensor, bool, (batch, 1, 1, n_keys)
        Combine with another mask by ``&``.
    """
    return is_token.bool()[:, None, None, :]
