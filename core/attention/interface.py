"""Our attention function inside transformers' models.

transformers looks attention functions up by name (its `AttentionInterface`). Two names are registered here, each with the
mask function that fits it: without one, masks would silently be None. Neither name may contain "sdpa", "flash", "flex" or
"paged", which transformers looks for in names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.masking_utils import eager_mask, sdpa_mask

from headscope.core.attention.capture import active_recorder, attend, is_causal_call
from headscope.core.attention.fallback import attentions_of, recorder_for
from headscope.core.attention.layers import AsWrittenLayer, EagerAttention
from headscope.core.attention.sights import Sight
from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Kind, Tier

FAST = "headscope"
AS_WRITTEN = "headscope_as_written"
_PROBE_TOKENS = 8


def attend_as_written(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """The model file's own eager attention, seen by the active recorder; parameters and result as `capture.attend`.

    For models whose scores the fused kernel cannot compute (Gemma 2's soft cap, the sinks of gpt-oss).
    """
    eager = _eager_attention(module)
    assert eager is not None  # install() looked
    recorder = active_recorder()
    if recorder is not None:
        bias: Tensor | None = kwargs.get("position_bias")
        sight = Sight(range(query.shape[2]), range(key.shape[2]), mask=attention_mask, bias=bias)
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        options = {name: kwargs[name] for name in _SCORE_OPTIONS if name in kwargs}
        layer = AsWrittenLayer(query, key, scale, (sight,), module, eager, options, value=value)
        call = recorder.catch(module, layer, causal=is_causal_call(module, kwargs.get("is_causal")))
    output, _ = eager(module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs)
    return output if recorder is None else recorder.passed_on(call, output), None


_SCORE_OPTIONS = ("softcap", "s_aux", "sinks", "sliding_window")
"""Of an eager function's keyword arguments, those that change its weights. Others, such as a cache, must not be kept alive."""

AttentionInterface.register(FAST, attend)
AttentionMaskInterface.register(FAST, sdpa_mask)
AttentionInterface.register(AS_WRITTEN, attend_as_written)
AttentionMaskInterface.register(AS_WRITTEN, eager_mask)


def install(model: PreTrainedModel) -> Tier:
    """Make the model's attention visible to recorders, in the best way that works, and say which.

    Returns
    -------
    Tier
        "fast" for a model that goes through the interface; "own" if it does, but says it cannot use torch's fused kernel;
        "fallback" if it does not, but can return its matrices.

    Raises
    ------
    HeadscopeError
        ``no_attention`` if there is no way: the model has no attention, or maps that are not tokens × tokens.
    """
    for tier in _ways(model):
        _use(model, tier)
        if attention_layers(model, tier):
            return tier
    raise HeadscopeError("no_attention", model=type(model).__name__)


def attention_layers(model: PreTrainedModel, tier: Tier) -> dict[Kind, tuple[int, int]]:
    """(n_layers, n_heads) of each kind of attention, found by a pass over a few tokens."""
    recorder = recorder_for(model, tier)
    tokens = torch.zeros((1, _PROBE_TOKENS), dtype=torch.long, device=model.device)
    inputs = {"input_ids": tokens, "decoder_input_ids": tokens} if model.config.is_encoder_decoder else {"input_ids": tokens}
    with torch.inference_mode(), recorder.recording():
        model(**inputs)
    layers = recorder.layers
    if any(layer.shape[1:] != (_PROBE_TOKENS, _PROBE_TOKENS) for found in layers.values() for layer in found):
        return {}  # pooled sequences or banded maps: rows and columns are not the tokens
    return {kind: (len(found), found[0].shape[0]) for kind, found in layers.items()}


def eager_pass(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Any:
    """One pass with the model's own eager attention, every matrix in the output; the implementation is restored."""
    with _eager(model), torch.inference_mode():
        return model(**inputs, output_attentions=True)


def eager_attentions(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> dict[Kind, list[Tensor]]:
    """What the model's own eager attention computes: for each kind, the (batch, n_heads, n_queries, n_keys) of each layer."""
    return attentions_of(eager_pass(model, inputs), model)


@contextmanager
def _eager(model: PreTrainedModel) -> Iterator[None]:
    if not model._can_set_attn_implementation():
        yield
        return
    before = model.config._attn_implementation
    model.set_attn_implementation("eager")
    try:
        yield
    finally:
        model.set_attn_implementation(before)


def _ways(model: PreTrainedModel) -> Iterator[Tier]:
    if model._can_set_attn_implementation():
        if model._supports_sdpa:
            yield "fast"
        elif _eager_attention(model) is not None:
            yield "own"
    yield "fallback"


def _use(model: PreTrainedModel, tier: Tier) -> None:
    if tier != "fallback":
        model.set_attn_implementation(FAST if tier == "fast" else AS_WRITTEN)
        return
    for part in model.modules():
        if isinstance(part, PreTrainedModel):
            # set_attn_implementation refuses here; and Falcon, told "sdpa", adds a boolean mask when asked for its matrices.
            part.config._attn_implementation = "eager"


def _eager_attention(module: nn.Module) -> EagerAttention | None:
    """transformers' files define this function beside the classes that use it."""
    found: EagerAttention | None = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    return found
