"""Building a model that a configuration asks for, but none that its weights could not fill."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import torch
from torch.nn.modules.module import (
    register_module_buffer_registration_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)

from headscope.core.models.hub.checkpoint import Checkpoint
from headscope.core.sentences import Sentence, sentence

MOST_UNPACKED: Final = 16
"""Weights of two bits in an int32."""
_LEAST_PARTS: Final = 1000
_PARTS_PER_TENSOR: Final = 30
"""Modules, parameters and buffers that a model may have for each tensor of its checkpoint; transformers' text models have up to 4."""
_LEAST_NUMBERS: Final = 1 << 22
_LEAST_BUFFER: Final = 1 << 28
"""Buffers are no weights: a causal mask of 16,384 × 16,384 positions."""


class TooManyParts(Exception):  # noqa: N818 - what it says is the error
    """A configuration asks for a larger model than its weights can fill: `reason`."""

    def __init__(self, reason: Sentence) -> None:
        super().__init__(str(reason))
        self.reason = reason


@contextmanager
def bounded(weights: Checkpoint, check: Callable[[], None], *, unpacked: int = 1) -> Iterator[None]:
    """Inside, this thread builds no model that such weights could not fill.

    A configuration of a few bytes can ask for a billion layers: each module, parameter and buffer is counted as it is added.

    Parameters
    ----------
    check : callable
        Called all along; may raise.
    unpacked : int
        Weights in one number of the file.

    Raises
    ------
    TooManyParts
    """
    most_parts = _LEAST_PARTS + _PARTS_PER_TENSOR * len(weights.shapes)
    most_numbers = _LEAST_NUMBERS + 2 * unpacked * weights.n_parameters
    thread = threading.get_ident()
    n_parts = 0

    def count(tensor: torch.Tensor | None = None, most: int = 0, name: str = "") -> None:
        nonlocal n_parts
        if threading.get_ident() != thread:
            return
        n_parts += 1
        if n_parts % 256 == 0:
            check()
        if n_parts > most_parts:
            raise TooManyParts(sentence("too_many_modules", most=f"{most_parts:,}", n=len(weights.shapes)))
        if tensor is not None and tensor.numel() > most:
            asked, n = f"{tensor.numel():.0e}", f"{weights.n_parameters:,}"
            raise TooManyParts(sentence("too_many_numbers", asked=asked, name=name, n=n))

    handles = [
        register_module_module_registration_hook(lambda *_: count()),
        register_module_parameter_registration_hook(lambda _, name, each: count(each, most_numbers, name)),
        register_module_buffer_registration_hook(lambda _, name, each: count(each, most_numbers + _LEAST_BUFFER, name)),
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
