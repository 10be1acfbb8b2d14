"""What a model's attention functions call in the place of torch's."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from headscope.core.attention.capture.recorder import Call, active_recorder
from headscope.core.attention.kept.layer import LazyLayer
from headscope.core.attention.kept.visibility import Visibility


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention by torch's fused kernel, seen by the active `Recorder`.

    Parameters
    ----------
    module : Module
        The attention layer; its `is_causal` is used where the argument is None.
    query : Tensor, (batch, n_heads, n_queries, d_head)
    key, value : Tensor, (batch, n_key_heads, n_keys, d_head)
        `n_heads` is a multiple of `n_key_heads`.
    attention_mask : Tensor or None, broadcasts to (batch, n_heads, n_queries, n_keys)
        bool (True: seen) or added to the scores. None with several queries and `is_causal`: a triangle.
    dropout : float
    scaling : float, optional
        1/√d_head if not given.
    is_causal : bool, optional
    **kwargs
        `position_bias` (1, n_heads, n_queries, n_keys) is added to the scores (T5); others are not used.

    Returns
    -------
    Tensor, (batch, n_queries, n_heads, d_head), and None
        transformers' convention: the output, and no weights.
    """
    causal = is_causal_call(module, is_causal)
    bias: Tensor | None = kwargs.get("position_bias")
    triangle = causal and attention_mask is None and query.shape[2] > 1
    if triangle:  # a cache with room for later tokens: they are not seen
        key, value = key[:, :, : query.shape[2]], value[:, :, : query.shape[2]]
    recorder = active_recorder()
    call: Call | None = None
    if recorder is not None:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        visible = Visibility(range(query.shape[2]), range(key.shape[2]), causal=triangle, mask=attention_mask, bias=bias)
        call = recorder.catch(module, LazyLayer(query, key, scale, (visible,), value=value), causal=causal)
    if bias is not None:
        attention_mask, triangle = _biased(bias, attention_mask, triangle=triangle), False
    groups = query.shape[1] // key.shape[1]
    if groups > 1 and attention_mask is not None:  # with a mask the fused kernels do not share keys between heads
        key, value, groups = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1), 1
    output = nn.functional.scaled_dot_product_attention(
        query, key, value, attention_mask, dropout, is_causal=triangle, scale=scaling, enable_gqa=groups > 1
    )
    output = output.transpose(1, 2).contiguous()
    return output if recorder is None or call is None else recorder.passed_on(call, output), None


def is_causal_call(module: nn.Module, is_causal: bool | None) -> bool:
    """As transformers decides it: the argument, else the module's attribute, else True."""
    return bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)


def _biased(bias: Tensor, mask: Tensor | None, *, triangle: bool) -> Tensor:
    """One additive mask of a position bias and a mask."""
    if triangle:
        mask = torch.ones(bias.shape[-2:], dtype=torch.bool, device=bias.device).tril()
    if mask is None:
        return bias
    if mask.dtype == torch.bool:
        return torch.where(mask, bias, torch.finfo(bias.dtype).min)
    return bias + mask
