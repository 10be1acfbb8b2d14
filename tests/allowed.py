"""What tests allow between two ways to the same numbers: the tolerances of `core/numerics.py`, for what tests compare most."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import Tensor

from headscope.core import numerics

WIDTH = 128
"""No sum in the tiny models is longer, and none of the toys' but those of their feed-forward layers (give the model)."""
D_HEAD = 32
"""No head of the tiny models and toys is wider."""
VOCABULARY = 1 << 16
"""No tokenizer of the tiny models and toys knows more tokens."""


def of_weights(expected: Any, model: Any = None) -> float:
    """Between attention weights (…, n_queries, n_keys), all of them one softmax's: what their spread and the sums before explain.

    Parameters
    ----------
    expected : array or Tensor
    model : Module or Model, optional
        Whose they are, if it is none of the tiny ones in float32.
    """
    weights = torch.as_tensor(np.asarray(expected, np.float32) if not isinstance(expected, Tensor) else expected).float()
    return numerics.softmax_tolerance(numerics.spread_of(weights), *_rounds(model)) if weights.numel() else 0.0


def of_blocks(expected: Any) -> float:
    """Between weights (…, n_queries, n_keys) of the same queries and keys, computed in blocks of other shapes."""
    weights = torch.as_tensor(expected).float()
    return numerics.softmax_tolerance(numerics.spread_of(weights), torch.float32, D_HEAD)


def of_logits(logits: Any, model: Any = None) -> float:
    """Between logits, their differences, and what is summed up to them (contributions, log-probabilities)."""
    return numerics.logit_tolerance(*_rounds(model)) * max(1.0, float(abs(_finite(logits)).max()))


def of_probabilities(logits: Any, model: Any = None) -> float:
    """Between probabilities that logits (…, vocabulary) give."""
    return numerics.softmax_tolerance(float(np.ptp(_finite(logits))), *_rounds(model))


def of_sums(length: int = WIDTH, size: float = 1.0) -> float:
    """Between sums of the same `length` float32 numbers in another order; `size` is that of their sum without signs."""
    return 4 * numerics.rounding(torch.float32, length) * size


def of_attributions(expected: Any, model: Any = None) -> float:
    """Between attributions (a weight times the gradient through it, summed up over heads): as of logits, for the largest of them."""
    return numerics.logit_tolerance(*_rounds(model)) * float(np.abs(np.asarray(expected)).max())


def of_doubles(size: float = 1.0) -> float:
    """Between what two ways made of the same numbers in float64: filters, log-probabilities. `size` is that of the largest of them."""
    return 4 * numerics.rounding(torch.float64, VOCABULARY) * size


def of_decimals(places: int) -> float:
    """Between a number and its text with so many decimals."""
    return 0.5 * 10.0**-places


def difference(ours: ArrayLike, expected: ArrayLike) -> float:
    """The largest; infinity for NaN."""
    return float(np.nan_to_num(np.abs(np.asarray(ours) - np.asarray(expected)), nan=np.inf).max(initial=0.0))


def _rounds(model: Any) -> tuple[torch.dtype, int]:
    if model is None:
        return torch.float32, WIDTH
    module = getattr(model, "module", model)
    return numerics.computed_in(module), numerics.sums_of_layers(module, model.info.n_layers if hasattr(model, "info") else 1)


def _finite(logits: Any) -> np.ndarray:
    numbers = np.asarray(logits.detach().float() if isinstance(logits, Tensor) else logits, np.float32)
    return numbers[np.isfinite(numbers)]
