"""Integrated gradients of attention: what each weight of a layer adds to a prediction, on the way from no attention to all.

The weights of one layer, all heads together, grow from 0 to what they are, and the gradients on the way are summed up. So the
attributions of a layer sum to what its attention changes in all, saturated or not. Layers are attributed one by one, and what
they give does not add up over layers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from headscope.core.analyse.attribution.weight_taps import WeightTap, gradients_of, logits_at
from headscope.core.analyse.prediction_point import Measure, PredictionPoint, point_of
from headscope.core.arguments import checked
from headscope.core.attention.intervention import Edit, Scale
from headscope.core.attention.kept.edited import Transform
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job, Progress
from headscope.core.memory import out_of_memory_reported
from headscope.core.numerics import computed_in, difference_tolerance
from headscope.core.target import SpanEnd, Target
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from torch import Tensor

    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids

_TOKENS_AT_ONCE: Final = 256
"""Steps run side by side as a batch while they have no more tokens than this: short texts leave a processor idle."""


@dataclass(frozen=True, slots=True, eq=False)
class LayerAttribution:
    """What the weights of one layer add to a prediction.

    Attributes
    ----------
    kind : Kind
    layer : int
    target : Target
        What is predicted where, with nothing left open.
    value, value_without : float
        F(A) and F(0): the prediction, and the prediction with nothing attended to in this layer.
    attributions : float32, (n_heads, n_queries, n_keys)
        In the unit of `value`, of any sign; they sum to `value` − `value_without`.
    """

    kind: Kind
    layer: int
    target: Target
    value: float
    value_without: float
    attributions: FloatArray

    @property
    def incompleteness(self) -> float:
        """By how much the attributions do not sum to F(A) − F(0): the error of the integral, smaller with more steps."""
        return float(self.attributions.sum(dtype=np.float64)) - (self.value - self.value_without)


@checked
def integrated_gradients(
    model: BaseModel,
    text: str | Ids,
    text_pair: str | None = None,
    target: str | Ids | None = None,
    *,
    layers: Sequence[tuple[Kind, int]] | None = None,
    steps: int = 10,
    tolerance: float = 0.01,
    most_steps: int = 200,
    position: int | None = None,
    token: int | str | None = None,
    label: int | str | None = None,
    span: SpanEnd | None = None,
    measure: Measure = "logit",
    job: Job | None = None,
) -> Iterator[LayerAttribution]:
    """Attr_h(A) = A_h ⊙ ∫₀¹ ∂F(αA)/∂A_h dα for every head h of a layer whose weights are A.

    F is the logit of what is predicted as a function of this layer's weights; the other layers answer as they do. The paper sums at m evenly
    spaced α (its equation 5); here they are Gauss and Legendre's m points, which for a smooth F are exact with far fewer. Where F
    is not smooth (a first layer that a whole model hangs on, a sharp softmax behind), a piece of the way whose attributions do
    not sum to what F changes along it is halved, the worst first, and again.

    Parameters
    ----------
    model : BaseModel
        Any that predicts: words, classes, tags or answers.
    text, text_pair, target : str
        As `BaseModel.capture` takes them.
    layers : sequence of (kind, layer), optional
        All if not given.
    steps : int
        m, at least 1, for each piece of the way. A step costs a pass forwards, and one back to the layer.
    tolerance : float
        Pieces are halved until they are off by no more than this together, in the unit of the measure. Infinity: never. A model in
        half precision, whose logits are known to no more than their rounding, is allowed that.
    most_steps : int
        Of a layer in all. What is left after them is `LayerAttribution.incompleteness`; a model that sends tokens to one expert
        or another (mixture of experts) jumps where no gradient sees it, and keeps some.
    position, token, label, span, measure
        As in `gradient_attention`.
    job : Job, optional
        Told how far it is; its cancel is looked at in every layer of every step.

    Yields
    ------
    LayerAttribution

    Raises
    ------
    HeadscopeError
        ``cannot_predict``, ``cannot_intervene``, ``no_mask``, ``unknown_kind``, ``no_such_head``, ``no_such_position``, ``bad_option`` at once;
        ``out_of_memory`` at any layer.
    Cancelled

    References
    ----------
    Hao et al., Self-Attention Attribution: Interpreting Information Interactions Inside Transformer, 2021, equations 3 to 5.
    Sundararajan, Taly and Yan, Axiomatic Attribution for Deep Networks, 2017 (completeness).
    """
    if steps < 1:
        raise HeadscopeError("bad_option", option="steps", value=steps, expected="1 or more")
    if most_steps < steps:
        raise HeadscopeError("bad_option", option="most_steps", value=most_steps, expected=f"{steps} (steps) or more")
    chosen = _checked(model, layers)
    source, written = model.encode(text, text_pair, target)
    point = point_of(model, source, written, Target(position, token, label, span))
    inputs = model.inputs(source, written)
    logits = logits_at(model, inputs, point.row, point.readout.n_rows, [], job=job)[0]
    index = point.index_in(logits)
    value = float(point.measured(logits, index, measure))
    work = _Work(model, inputs, point, index, measure, job or Job())
    finest = difference_tolerance(float(logits.abs().max()), computed_in(model.module))
    finest *= 1 / 4 if measure == "probability" else 1  # p (1 − p): what a probability makes of a logit's change
    return _attributions(work, chosen, value, (steps, max(tolerance, finest), most_steps))


def _checked(model: BaseModel, layers: Sequence[tuple[Kind, int]] | None) -> list[tuple[Kind, int]]:
    known = model.info.layers
    if layers is None:
        return [(kind, layer) for kind, (n_layers, _) in known.items() for layer in range(n_layers)]
    chosen: list[tuple[Kind, int]] = []
    for kind, layer in layers:
        if kind not in known:
            raise HeadscopeError("unknown_kind", kind=kind, known=", ".join(known))
        n_layers, n_heads = known[kind]
        if not 0 <= layer < n_layers:
            raise HeadscopeError("no_such_head", layer=layer, head=0, last_layer=n_layers - 1, last_head=n_heads - 1)
        chosen.append((kind, layer))
    return chosen


@dataclass(frozen=True, slots=True)
class _Work:
    """What stays the same from layer to layer."""

    model: BaseModel
    inputs: dict[str, Tensor]
    point: PredictionPoint
    index: int
    measure: Measure
    job: Job

    def logits(self, inputs: dict[str, Tensor], edits: Sequence[Edit], *, gradients: bool = False) -> Tensor:
        """Of the point's row: (batch, n_outcomes)."""
        job, n_rows = Job(cancel=self.job.cancel), self.point.readout.n_rows
        return logits_at(self.model, inputs, self.point.row, n_rows, edits, job=job, gradients=gradients)

    def value(self, kind: Kind, layer: int, factor: float) -> float:
        """F with a layer's weights scaled."""
        edits = [Scale(kind=kind, layer=layer, factor=factor)]
        return float(self.point.measured(self.logits(self.inputs, edits)[0], self.index, self.measure))

    def gradients(self, kind: Kind, layer: int, taps: list[WeightTap]) -> list[FloatArray]:
        """∂F/∂A at each tap's factor, by one pass over as many copies of the text."""
        inputs = {name: rows.expand(len(taps), -1) for name, rows in self.inputs.items()}
        edits = [Transform(kind=kind, layer=layer, batch=text, function=tap) for text, tap in enumerate(taps)]
        logits = self.logits(inputs, edits, gradients=True)
        with out_of_memory_reported(self.model.place):
            return gradients_of(self.point.measured(logits, self.index, self.measure).sum(), taps)


def _attributions(
    work: _Work, layers: list[tuple[Kind, int]], value: float, limits: tuple[int, float, int]
) -> Iterator[LayerAttribution]:
    for index, (kind, layer) in enumerate(layers):
        work.job.report(Progress("running", index / len(layers)))
        value_without = work.value(kind, layer, 0.0)
        pieces = _pieces(work, kind, layer, (value_without, value), *limits)
        attributions = np.stack([piece.attributions for piece in pieces]).sum(axis=0)
        yield LayerAttribution(kind, layer, work.point.target(work.index), value, value_without, attributions)


# ---------------------------------------------------------------- the integral
@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    """A part of the way from no attention (0) to all (1), with F at its ends and A ⊙ ∫ ∂F/∂A along it."""

    start: float
    stop: float
    values: tuple[float, float]
    attributions: FloatArray

    @property
    def error(self) -> float:
        return abs(float(self.attributions.sum(dtype=np.float64)) - (self.values[1] - self.values[0]))


def _pieces(
    work: _Work, kind: Kind, layer: int, values: tuple[float, float], steps: int, tolerance: float, most_steps: int
) -> list[_Piece]:
    pieces = [_piece(work, kind, layer, 0.0, 1.0, values, steps)]
    while sum(piece.error for piece in pieces) > tolerance and (len(pieces) * 2 + 1) * steps <= most_steps:
        worst = max(pieces, key=lambda piece: piece.error)
        pieces.remove(worst)
        middle = (worst.start + worst.stop) / 2
        between = work.value(kind, layer, middle)
        pieces += [
            _piece(work, kind, layer, worst.start, middle, (worst.values[0], between), steps),
            _piece(work, kind, layer, middle, worst.stop, (between, worst.values[1]), steps),
        ]
    return pieces


def _piece(work: _Work, kind: Kind, layer: int, start: float, stop: float, values: tuple[float, float], steps: int) -> _Piece:
    """By Gauss and Legendre: A ⊙ Σ_k w_k ∂F(α_k A)/∂A."""
    nodes, shares = np.polynomial.legendre.leggauss(steps)  # of -1 to 1
    factors = start + (stop - start) * (nodes + 1) / 2
    shares = shares * (stop - start) / 2
    at_once = max(1, _TOKENS_AT_ONCE // max(rows.shape[1] for rows in work.inputs.values()))
    products: list[FloatArray] = []
    for first in range(0, steps, at_once):
        taps = [WeightTap(float(factor)) for factor in factors[first : first + at_once]]
        gradients = zip(shares[first : first + at_once], work.gradients(kind, layer, taps), strict=True)
        products.append(taps[0].weights * np.sum([share * gradient for share, gradient in gradients], axis=0, dtype=np.float32))
    return _Piece(start, stop, values, np.sum(products, axis=0, dtype=np.float32))
