"""Logits of every head in one shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from headscope.core.forward.model_info import ModelInfo


def in_rows(output: Any, info: ModelInfo) -> None:
    """Give a model's output `logits` of the shape (batch, n_rows, n_outcomes); None for a model without a head."""
    logits: Tensor | None = getattr(output, "logits", None)
    if logits is None:
        logits = getattr(output, "prediction_logits", None)  # a pre-training model has two heads
    if "classify" in info.abilities and logits is not None:
        logits = logits[:, None]
    elif "tag" in info.abilities and logits is not None and logits.dim() == 2:  # one logit: was the token replaced?
        logits = torch.stack([torch.zeros_like(logits), logits], dim=-1)
    elif "answer" in info.abilities:
        logits = torch.stack([output.start_logits, output.end_logits], dim=1)
    output.logits = logits
