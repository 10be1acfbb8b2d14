"""Gradients of attention weights: zeros are added to the weights inside a pass, and gradients are taken of those."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.intervention import Edit, Intervention
from headscope.core.job import Job
from headscope.core.vocabulary import FloatArray

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel


class WeightTap:
    """The function of a `Transform` edit of one layer and one text: scales the weights and makes them differentiable.

    Parameters
    ----------
    factor : float
        What the weights are multiplied with on the way.
    """

    def __init__(self, factor: float = 1.0) -> None:
        self._factor = factor
        self._weights: list[Tensor] = []
        self.zeros: list[Tensor] = []
        """What to take the gradient of: (n_heads, rows of a block, n_keys) each."""

    def __call__(self, weights: Tensor, _rows: range) -> Tensor:
        zeros = torch.zeros_like(weights, requires_grad=True)
        self._weights.append(weights.detach())
        self.zeros.append(zeros)
        return weights * self._factor + zeros

    @property
    def weights(self) -> FloatArray:
        """What the layer attended to, unscaled: float32 (n_heads, n_queries, n_keys)."""
        return _joined(self._weights)

    def gradient(self, of_zeros: Sequence[Tensor | None]) -> FloatArray:
        """Gradients of `zeros` (None: they have no influence) as one map: float32 (n_heads, n_queries, n_keys)."""
        pairs = zip(self.zeros, of_zeros, strict=True)
        return _joined([torch.zeros_like(zeros) if found is None else found for zeros, found in pairs])


def gradients_of(total: Tensor, taps: Sequence[WeightTap]) -> list[FloatArray]:
    """∂total/∂weights at each tap: float32 (n_heads, n_queries, n_keys)."""
    leaves = [zeros for tap in taps for zeros in tap.zeros]
    found = iter(torch.autograd.grad(total, leaves, allow_unused=True))
    return [tap.gradient([next(found) for _ in tap.zeros]) for tap in taps]


def logits_at(
    model: BaseModel,
    inputs: Mapping[str, Tensor],
    row: int,
    n_rows: int,
    edits: Sequence[Edit],
    *,
    job: Job | None = None,
    gradients: bool = False,
) -> Tensor:
    """One row of the logits (batch, n_rows, n_outcomes) of a pass with edits: float32 (batch, n_outcomes)."""
    intervention = Intervention(tuple(edits))
    model.check(intervention, n_texts=len(inputs["input_ids"]))
    recorder = recorder_for(model.module, model.info.backend, job=job, intervention=intervention)
    with recorder.recording():
        output = model.forward(inputs, gradients=gradients, logits_to_keep=n_rows - row)
    logits: Tensor = output.logits[:, row - n_rows].float()
    return logits


def _joined(blocks: Sequence[Tensor]) -> FloatArray:
    joined: FloatArray = torch.cat(tuple(blocks), dim=1).cpu().numpy()
    return joined
