"""Which kind of attention a part of a model is: its encoder's, its decoder's, or from one to the other."""

from __future__ import annotations

import inspect
import re

from torch import nn

from headscope.core.jobs import Kind

_CROSS = re.compile(r"cross_?att|encoder_attn|EncDecAttention|encoder_decoder_attn", re.IGNORECASE)
_STACK = re.compile(r"(?:^|[._])(encoder|decoder)(?:\.|$)")
"""The outermost of these in the name of an encoder-decoder model's part: "decoder.bert.encoder.layer.0" is of the decoder."""


def cross_parts(module: nn.Module) -> frozenset[nn.Module]:
    """The parts that attend from a decoder to its source."""
    named = module.named_modules()
    return frozenset(part for name, part in named if _CROSS.search(name) or getattr(part, "is_cross_attention", False))


def stacks(module: nn.Module) -> dict[nn.Module, Kind]:
    """Which stack each part of an encoder-decoder model belongs to. (NLLB-MoE's decoder layers do not say that they are causal.)"""
    if not is_encoder_decoder(module):
        return {}
    found = ((part, _STACK.search(name)) for name, part in module.named_modules())
    return {part: "decoder" if stack[1] == "decoder" else "encoder" for part, stack in found if stack}


def is_encoder_decoder(module: nn.Module) -> bool:
    """Whether a model reads one text and another beside it. (UMT5's encoder alone has the configuration of the whole.)"""
    says_so = bool(getattr(getattr(module, "config", None), "is_encoder_decoder", False))
    return says_so and "decoder_input_ids" in inspect.signature(module.forward).parameters


def is_linear(module: nn.Module) -> bool:
    """Also GPT-2's Conv1D, which is a linear layer with its weights turned, and what peft puts around either."""
    inner = getattr(module, "base_layer", module)
    return isinstance(inner, nn.Linear) or type(inner).__name__ == "Conv1D"
