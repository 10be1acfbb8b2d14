"""Gradients of what goes through a model, while its weights stay constants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def constant_weights(module: nn.Module) -> Iterator[None]:
    """Autograd inside, but not of the weights, whose graph would hold every activation of the pass."""
    # Weights that accelerate put back after a pass without gradients cannot be switched; it loads others for this pass.
    trained = [weights for weights in module.parameters() if weights.requires_grad and not weights.is_inference()]
    for weights in trained:
        weights.requires_grad_(False)
    try:
        with torch.enable_grad():
            yield
    finally:
        for weights in trained:
            weights.requires_grad_(True)
