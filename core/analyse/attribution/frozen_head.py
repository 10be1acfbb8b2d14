"""The way from the residual stream to one logit as a linear function, with the final norm's scale frozen.

A norm divides by a length that depends on all parts of the stream together. Frozen at the length that it has in this pass it
is linear, and so the logit becomes a sum over whatever the stream is a sum of. The norm is read by what it does and not by its
class: LayerNorm and RMSNorm, with and without bias, with weights around 0 or around 1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import torch
from torch import Tensor, nn

from headscope.core.attention.hooks import turn
from headscope.core.errors import HeadscopeError
from headscope.core.forward.residual_stream import layer_lists
from headscope.core.numerics import computed_in, same_direction, same_vector
from headscope.core.sentences import sentence

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.forward.residual_stream import ResidualStream

ANALYSIS: Final = "Direct logit attribution"
Outcome = tuple[int, int]
"""Row and outcome of the logits of a text that is cut to one position."""


@dataclass(frozen=True, slots=True)
class FrozenNorm:
    """y = gain ⊙ (x − mean(x) if `centred`) + bias, with the length of one x in the gain: float32 (d_model,) each, on the CPU."""

    gain: Tensor
    bias: Tensor
    centred: bool

    def scaled(self, parts: Tensor) -> Tensor:
        """The linear part, of (..., d_model) parts of the x it was frozen at."""
        return self.gain * (parts - parts.mean(dim=-1, keepdim=True) if self.centred else parts)


@dataclass(frozen=True, slots=True)
class FrozenHead:
    """logit = direction · x + norm_bias + output_bias, for the x of this pass: what enters the final norm, (d_model,).

    `direction` is float32 on the CPU: layers may lie on several devices.
    """

    logit: float
    direction: Tensor
    norm_bias: float
    output_bias: float


def looks_like_norm(module: nn.Module) -> bool:
    return "norm" in type(module).__name__.lower()


@torch.no_grad()
def frozen_norm(norm: Callable[[Tensor], Tensor], at: Tensor, dtype: torch.dtype) -> FrozenNorm | None:
    """`norm` frozen at a (1, 1, d_model) input; None if it is not a norm of the two kinds. `dtype` is the coarsest in its model.

    Signs that alternate have mean 0 and length √d_model, so the norm leaves of them its weight and its bias.
    """
    signs = torch.ones_like(at)
    signs[..., 1::2] = -1
    plus, minus = norm(signs).float(), norm(-signs).float()
    weight, bias = (plus - minus) / 2 * signs.float(), (plus + minus) / 2
    goal, x = norm(at).float() - bias, at.float()
    found: list[tuple[float, Tensor, FrozenNorm]] = []
    for centred in (True, False):
        unscaled = weight * (x - x.mean() if centred else x)
        scale = (goal * unscaled).sum() / (unscaled * unscaled).sum()
        error = float((goal - scale * unscaled).abs().max())
        found.append((error, scale * unscaled, FrozenNorm((scale * weight).flatten().cpu(), bias.flatten().cpu(), centred)))
    _, again, best = min(found, key=lambda each: each[0])
    return best if same_vector(again, goal, dtype) else None


def frozen_head(model: BaseModel, stream: ResidualStream, position: int, outcome: Outcome) -> FrozenHead:
    """The logit of an outcome that is read at `position` as a linear function of what the last layer hands on.

    What follows the norm (a projection, the head, its bias, a scale) is linear as it is and read by its gradient. A soft cap is
    frozen like the norm: by the ratio that it has in this pass.

    Raises
    ------
    HeadscopeError
        ``analysis_undefined`` if the last layer's stream does not go through a norm first, or what follows is not linear.
    """
    at = stream.streams[-1][:, position : position + 1].clone()  # outside inference mode a tensor that autograd takes
    with stream.standing_aside(at):
        norm = _first_norm(model, stream, position, at)
        frozen = None if norm is None else frozen_norm(norm, at, computed_in(model.module))
        if norm is None or frozen is None:
            raise undefined(model, "no_final_norm")
        with torch.no_grad():
            normed = norm(at)
        logit, slope = _logit_and_slope(model, stream, position, outcome, norm, normed)
        output_bias, slope_at_0 = _logit_and_slope(model, stream, position, outcome, norm, torch.zeros_like(normed))
    if not torch.equal(slope, slope_at_0):
        if not same_direction(slope, slope_at_0):
            raise undefined(model, "head_not_linear")
        slope = slope_at_0 * ((logit - output_bias) / float(slope_at_0 @ normed.flatten().float().cpu()))  # a soft cap
    direction = frozen.gain * slope
    if frozen.centred:
        direction = direction - direction.mean()
    # direction · x = slope · gain ⊙ (x − mean(x)), since Σ d_i (x_i − mean(x)) = Σ (d_i − mean(d)) x_i
    return FrozenHead(logit, direction, float(slope @ frozen.bias), output_bias)


def undefined(model: BaseModel, code: str) -> HeadscopeError:
    return HeadscopeError(
        "analysis_undefined",
        analysis=ANALYSIS,
        reason=sentence(code, architecture=model.info.architecture),
        instead=sentence("choose_normalized_first"),
    )


def _first_norm(model: BaseModel, stream: ResidualStream, position: int, at: Tensor) -> nn.Module | None:
    """The norm behind the layers that is given the stream."""
    found: list[nn.Module] = []

    def look(module: nn.Module, args: tuple[Any, ...]) -> None:
        if args and isinstance(args[0], Tensor) and args[0].shape == at.shape and torch.equal(args[0], at):
            found.append(module)

    with turn(model.module) as hooks:
        for module in _behind_layers(model.module):
            if looks_like_norm(module):
                hooks.before(module, look)
        model.forward(stream.inputs_at([position]))
    return found[0] if found else None


def _behind_layers(module: nn.Module) -> list[nn.Module]:
    inside = {part for layers in layer_lists(module) for part in layers.modules()}
    return [part for part in module.modules() if part not in inside]


def _logit_and_slope(
    model: BaseModel, stream: ResidualStream, position: int, outcome: Outcome, norm: nn.Module, normed: Tensor
) -> tuple[float, Tensor]:
    """The logit, and its gradient (d_model,) float32, where the final norm gives `normed` (1, 1, d_model)."""
    leaf = normed.clone().requires_grad_()
    with turn(model.module) as hooks:
        hooks.after(norm, lambda *_: leaf)
        output = model.forward(stream.inputs_at([position]), gradients=True)
    logit = output.logits[0][outcome]
    (slope,) = torch.autograd.grad(logit, leaf)
    return float(logit.detach()), slope.flatten().float().cpu()
