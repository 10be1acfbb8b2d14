"""What a function of somebody else's gives to its softmax."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor
from torch.overrides import TorchFunctionMode

SOFTMAXES: Final = (torch.softmax, Tensor.softmax, F.softmax, torch.nn.functional.softmax)
"""The ways to write one."""


class SoftmaxInput(TorchFunctionMode):
    """Inside ``with``, in this thread: keeps what the last softmax was given.

    Attributes
    ----------
    scores : Tensor or None
        As the function has it: with a soft cap, mask and sinks.
    """

    def __init__(self) -> None:
        super().__init__()
        self.scores: Tensor | None = None

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if func in SOFTMAXES:
            self.scores = args[0]
        return func(*args, **(kwargs or {}))
