"""Which kind of attention a part of a model is: its encoder's, its decoder's, or from one to the other."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from torch import nn

from headscope.core.vocabulary import Kind

_CROSS: Final = re.compile(r"cross_?att|encoder_attn|EncDecAttention|encoder_decoder_attn", re.IGNORECASE)
_STACK: Final = re.compile(r"(?:^|_)(encoder|decoder)$")
"""In the name of a part or of what it is in, the outermost: "decoder.bert.encoder.layer.0" is of the decoder."""

_SAYS_CROSS: Final = "is_cross_attention"


@dataclass(frozen=True, slots=True)
class Roles:
    """What the names of a model's parts say of their attention.

    Attributes
    ----------
    cross : frozenset of Module
        The parts that attend from a decoder to its source.
    stacks : dict of Module to Kind
        Of an encoder-decoder model: which stack each part belongs to. (NLLB-MoE's decoder layers do not say that they are causal.)
    """

    cross: frozenset[nn.Module]
    stacks: dict[nn.Module, Kind]


def roles(module: nn.Module, parts: Sequence[nn.Module]) -> Roles:
    """Of a model and all of its parts."""
    names = set[str]().union(*(vars(part)["_modules"] for part in parts))
    is_one = not is_encoder_decoder(module)
    if is_one and not any(_said(name)[0] for name in names):
        return Roles(frozenset(filter(_says_cross, parts)), {})
    return _walked(module, is_one)


def _walked(module: nn.Module, is_one: bool) -> Roles:
    """Each part under the name that `named_modules` gives it."""
    cross: list[nn.Module] = []
    found: dict[nn.Module, Kind | None] = {}
    waiting: list[tuple[nn.Module, bool, Kind | None]] = [(module, False, None)]
    while waiting:
        part, is_cross, stack = waiting.pop()
        if part in found:
            continue
        found[part] = stack
        if is_cross or _says_cross(part):
            cross.append(part)
        for name, inner in list(part._modules.items())[::-1]:
            if inner is not None:
                says_cross, says_stack = _said(name)
                waiting.append((inner, is_cross or says_cross, stack or says_stack))
    return Roles(frozenset(cross), {} if is_one else {part: stack for part, stack in found.items() if stack})


def _says_cross(part: nn.Module) -> bool:
    """(A name that a part does not have takes torch long to look for.)"""
    return bool(vars(part).get(_SAYS_CROSS) or (hasattr(type(part), _SAYS_CROSS) and getattr(part, _SAYS_CROSS)))


@cache
def _said(name: str) -> tuple[bool, Kind | None]:
    """Whether a name says that a part attends from a decoder to its source, and which stack it says it is."""
    stack = _STACK.search(name)
    return bool(_CROSS.search(name)), None if stack is None else "decoder" if stack[1] == "decoder" else "encoder"


def is_encoder_decoder(module: nn.Module) -> bool:
    """Whether a model reads one text and another beside it. (UMT5's encoder alone has the configuration of the whole.)"""
    says_so = bool(getattr(getattr(module, "config", None), "is_encoder_decoder", False))
    return says_so and "decoder_input_ids" in inspect.signature(module.forward).parameters


def is_linear(module: nn.Module) -> bool:
    """Also GPT-2's Conv1D, which is a linear layer with its weights turned, and what peft puts around either."""
    inner = getattr(module, "base_layer", module)
    return isinstance(inner, nn.Linear) or type(inner).__name__ == "Conv1D"
