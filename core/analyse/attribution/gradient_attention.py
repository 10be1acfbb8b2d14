"""Gradient × attention: which weights the prediction would follow if they changed a little.

A gradient sees the neighbourhood only: where the prediction is saturated it is near 0, although the weight matters
(`integrated_gradients` is made for that). It is of each weight by itself, as if the others of its row stayed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from headscope.core.analyse.attribution.weight_taps import WeightTap, gradients_of, logits_at
from headscope.core.analyse.prediction_point import Measure, point_of
from headscope.core.arguments import checked
from headscope.core.attention.kept.edited import Transform
from headscope.core.job import Job
from headscope.core.memory import check_room, out_of_memory_reported
from headscope.core.target import SpanEnd, Target
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids
    from headscope.core.text.tokenizer import Encoded

_MAPS_OF_A_HEAD: Final = 8
"""Alive at the height of a pass with gradients, each n_queries × n_keys: scores, softmax, mask, zeros, products, gradients."""


@dataclass(frozen=True, slots=True, eq=False)
class GradientAttention:
    """Attention weights times their gradients, of one prediction.

    Attributes
    ----------
    target : Target
        What is predicted where, with nothing left open.
    value : float
        What was differentiated: the outcome's logit, log-probability (nats) or probability.
    attributions : mapping of kind to float32, (n_layers, n_heads, n_queries, n_keys)
        In the unit of `value`; of any sign, or 0 and more if the positive part was asked for.
    """

    target: Target
    value: float
    attributions: Mapping[Kind, FloatArray]


@checked
def gradient_attention(
    model: BaseModel,
    text: str | Ids,
    text_pair: str | None = None,
    target: str | Ids | None = None,
    *,
    position: int | None = None,
    token: int | str | None = None,
    label: int | str | None = None,
    span: SpanEnd | None = None,
    measure: Measure = "logit",
    positive: bool = False,
    job: Job | None = None,
) -> GradientAttention:
    """A ⊙ ∂y/∂A for the weights A of every head, by one pass forwards and one back; y is the logit of what is predicted.

    Parameters
    ----------
    model : BaseModel
        Any that predicts: words, classes, tags or answers.
    text, text_pair, target : str
        As `BaseModel.capture` takes them.
    position : int, optional
        The first mask, or the last token of what a decoder reads, if not given; of a tagger the token that has the tag, of an
        answer the token that it starts or ends with.
    token : int, optional
        A vocabulary id; the most probable one if not given.
    label : int or str, optional
        A class or a tag; the most probable one if not given.
    span : "start" or "end", optional
        Which end of an answer; the start if not given.
    measure : "logit", "log_probability" or "probability"
        What y is.
    positive : bool
        Only the positive part (A ⊙ ∂y/∂A)⁺, as both papers take it. As A is not negative it is A ⊙ (∂y/∂A)⁺.
    job : Job, optional
        Its cancel is looked at in every layer.

    Returns
    -------
    GradientAttention

    Raises
    ------
    HeadscopeError
        ``cannot_predict``, ``no_mask``, ``no_such_position``, ``bad_option``, ``cannot_intervene``, ``not_enough_memory``,
        ``out_of_memory``.
    Cancelled

    References
    ----------
    Barkan et al., Grad-SAM: Explaining Transformers via Gradient Self-Attention Maps, 2021.
    Chefer, Gur and Wolf, Generic Attention-model Explainability, 2021, equation 5 (without its mean over heads).
    """
    read = model.encode(text, text_pair, target)
    asked = Target(position, token, label, span)
    return gradient_attention_of(model, read, asked, measure=measure, positive=positive, job=job)


def gradient_attention_of(
    model: BaseModel,
    read: tuple[Encoded, Encoded | None],
    asked: Target,
    *,
    measure: Measure = "logit",
    positive: bool = False,
    job: Job | None = None,
) -> GradientAttention:
    """As `gradient_attention`, of tokens as a model has read or written them."""
    source, written = read
    point = point_of(model, source, written, asked)
    axes = model.axes(source.axis, written.axis if written else None)
    cells = sum(n * h * len(axes[kind][0]) * len(axes[kind][1]) for kind, (n, h) in model.info.layers.items())
    check_room("not_enough_memory", 4 * _MAPS_OF_A_HEAD * cells, model.place)
    taps = {kind: [WeightTap() for _ in range(n)] for kind, (n, _) in model.info.layers.items()}
    edits = [
        Transform(kind=kind, layer=layer, function=tap) for kind, of_kind in taps.items() for layer, tap in enumerate(of_kind)
    ]
    n_rows = point.readout.n_rows
    (logits,) = logits_at(model, model.inputs(source, written), point.row, n_rows, edits, job=job, gradients=True)
    index = point.index_in(logits)
    value = point.measured(logits, index, measure)
    with out_of_memory_reported(model.place):
        found = iter(gradients_of(value, [tap for of_kind in taps.values() for tap in of_kind]))
    attributions = {kind: np.stack([tap.weights * next(found) for tap in of_kind]) for kind, of_kind in taps.items()}
    if positive:
        attributions = {kind: products.clip(min=0) for kind, products in attributions.items()}
    return GradientAttention(point.target(index), float(value.detach()), attributions)
