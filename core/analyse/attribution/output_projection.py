"""Each head's values after the layer's output projection W_O."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.capture.recorder import Recorder
from headscope.core.attention.kept.layer import Layer, LazyLayer
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.sentences import sentence

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel


def recorder_with_values(model: BaseModel, job: Job | None = None) -> Recorder:
    """A recorder for one pass whose layers `value_and_projection` can take apart."""
    n_layers = model.info.n_layers
    return recorder_for(model.module, model.info.backend, job=job, n_layers_hint=n_layers, keep_values=True)


def value_and_projection(layer: Layer, analysis: str) -> tuple[Tensor, Tensor, Tensor]:
    """A layer's values and its output projection.

    Returns
    -------
    value : Tensor, float32 (n_heads, n_keys, d_value)
        Of the first text; the heads of a group share theirs (grouped-query attention).
    weight : Tensor, float32 (n_heads, d_value, d_model)
        The rows of W_O that read the head.
    bias : Tensor, float32 (d_model,)
        What W_O adds, once for all heads; 0 if it has none.

    Raises
    ------
    HeadscopeError
        ``analysis_undefined`` if the model computes attention in a way of its own, so that values cannot be caught.
    """
    if not isinstance(layer, LazyLayer) or layer.value is None or layer.projection is None:
        raise HeadscopeError(
            "analysis_undefined",
            analysis=analysis,
            reason=sentence("values_not_captured"),
            instead=sentence("choose_captured"),
        )
    n_heads = layer.shape[0]
    value = layer.value[0].float().repeat_interleave(n_heads // layer.value.shape[1], dim=0)
    weight, bias = _weight_and_bias(layer.projection, n_heads * value.shape[-1], like=layer.value)
    return value, weight.view(n_heads, value.shape[-1], -1), bias


@torch.inference_mode()
def _weight_and_bias(projection: nn.Module, n_inputs: int, *, like: Tensor) -> tuple[Tensor, Tensor]:
    """(n_inputs, d_model) and (d_model,), float32: any linear module is read by what it makes of the unit vectors."""
    if type(projection) is nn.Linear and not projection.weight.is_meta:  # as it is stored: no rounding (not if it is offloaded)
        weight = projection.weight.detach().T.float()
        return weight, weight.new_zeros(weight.shape[1]) if projection.bias is None else projection.bias.detach().float()
    units = torch.eye(n_inputs, dtype=like.dtype, device=like.device)
    bias = projection(torch.zeros_like(units[:1]))[0].float()
    return projection(units).float() - bias, bias
