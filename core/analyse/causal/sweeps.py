"""Sweeps: the same question asked of every head, every edge or every key, and the map of the answers.

Ablating one thing at a time shows what the prediction lost with it, not what it is "for": other heads may step in ("backup
heads", Wang et al. 2023), and a head cut out in an early layer takes everything with it that later ones made of its output.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from headscope.core.analyse.causal.effects import changes, probability_of
from headscope.core.analyse.causal.head_outputs import head_outputs, mean_outputs
from headscope.core.analyse.causal.variants import Outcome, outcomes
from headscope.core.analyse.prediction_point import PredictionPoint, point_of, shown_at, shown_rows
from headscope.core.arguments import checked
from headscope.core.attention.intervention import Cut, Intervention, Replace, Scale
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job, Progress
from headscope.core.target import SpanEnd, Target
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids
    from headscope.core.text.tokenizer import Encoded


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """The effects of a sweep, so far. Arrays have one number for each thing that was changed; NaN: not tried (yet).

    Attributes
    ----------
    position : int or None
        Where the prediction is: a mask, a tagged token; for decoders one past the end of the text; where an answer starts or ends.
        None: it is the text's class.
    target : Target
        What is watched, with nothing left open.
    label : str
        What the screen shows for it.
    probability : float
        Of what is watched, without an intervention; here and below, of a regression its number.
    log_probability_change : float64
        log p with the change − without it, in nats: negative where what is watched lost.
    probabilities : float64
        With the change.
    divergence : float64
        KL(without ‖ with) of the whole distribution, in nats; NaN for a regression.
    n_done, n_total : int
    """

    position: int | None
    target: Target
    label: str
    probability: float
    log_probability_change: npt.NDArray[np.float64]
    probabilities: npt.NDArray[np.float64]
    divergence: npt.NDArray[np.float64]
    n_done: int
    n_total: int

    @property
    def finished(self) -> bool:
        return self.n_done == self.n_total


@dataclass(frozen=True, slots=True)
class Question:
    """What a sweep is about.

    Attributes
    ----------
    text, text_pair, target : str
        As `BaseModel.capture` takes them.
    token : int, str or None
        The token to watch, as it stands in running text or by its id; the most probable one if None.
    position : int or None
        Which mask, of a masked model; the first if None. Of a tagger which token, of an answer where it starts or ends.
    label : int, str or None
        The class or the tag to watch, by its name or its index; the most probable one if None.
    span : "start", "end" or None
        Which end of an answer; the start if None.
    """

    text: str | Ids
    text_pair: str | None = None
    target: str | Ids | None = None
    token: int | str | None = None
    position: int | None = None
    label: int | str | None = None
    span: SpanEnd | None = None


@checked
def ablate_heads(
    model: BaseModel,
    question: Question,
    kind: Kind | None = None,
    *,
    mean_of: str | None = None,
    job: Job | None = None,
) -> Iterator[Sweep]:
    """Take out every head of a kind, one at a time.

    Parameters
    ----------
    kind : Kind
        The model's first if not given.
    mean_of : str or None
        None: outputs become 0. A text: they become their mean over it (mean ablation).

    Yields
    ------
    Sweep
        Partial results, the last complete: arrays (n_layers, n_heads).

    Raises
    ------
    HeadscopeError
        ``unknown_kind``, and as `effects.effects`.
    Cancelled
    """
    kind = _known(model, kind)
    n_layers, n_heads = model.info.layers[kind]
    means = None if mean_of is None else mean_outputs(model, mean_of, job=job)[kind]
    edits = [
        Scale(layer=layer, head=head, kind=kind)
        if means is None
        else Replace(layer=layer, head=head, kind=kind, output=means[layer][head])
        for layer in range(n_layers)
        for head in range(n_heads)
    ]
    return _swept(model, question, [Intervention((edit,)) for edit in edits], (n_layers, n_heads), job)


@checked
def cut_edges(
    model: BaseModel, question: Question, layer: int, head: int, kind: Kind | None = None, *, job: Job | None = None
) -> Iterator[Sweep]:
    """Hide each key from each query of one head, one edge at a time.

    Yields
    ------
    Sweep
        Arrays (n_queries, n_keys). An edge that has no weight changes nothing: it counts as 0 without a pass.

    Raises
    ------
    HeadscopeError
        ``no_such_head``, ``unknown_kind``, and as `effects.effects`.
    Cancelled
    """
    kind = _known(model, kind)
    source, target = model.encode(question.text, question.text_pair, question.target)
    record, _ = model.observe(source, target, logits_to_keep=1)
    weights = record.attention_weights(layer, head, kind)
    edges = np.argwhere(weights > 0)
    cuts = [
        Intervention((Cut(layer=layer, head=head, kind=kind, queries=(int(query),), keys=(int(key),)),)) for query, key in edges
    ]
    return _swept(model, question, cuts, weights.shape, job, places=edges, elsewhere=0.0)


@checked
def forbid_keys(model: BaseModel, question: Question, kind: Kind | None = None, *, job: Job | None = None) -> Iterator[Sweep]:
    """Hide each token from all others, in every layer and head of a kind: arrays (n_keys,).

    A token still sees itself, or it would have nothing to look at in the first position; what it says of itself stays.
    """
    kind = _known(model, kind)
    source, target = model.encode(question.text, question.text_pair, question.target)
    queries, keys = model.axes(source.axis, target.axis if target else None)[kind]
    hidden = [
        Intervention(
            (Cut(kind=kind, queries=tuple(q for q in range(len(queries)) if kind == "cross" or q != key), keys=(key,)),)
        )
        for key in range(len(keys))
    ]
    return _swept(model, question, hidden, (len(keys),), job)


@checked
def patch(
    model: BaseModel,
    question: Question,
    other: str | Ids,
    kind: Kind | None = None,
    *,
    other_pair: str | None = None,
    other_target: str | Ids | None = None,
    by: Literal["layer", "head", "position"] = "head",
    job: Job | None = None,
) -> Iterator[Sweep]:
    """Activation patching: run the question's text with heads' outputs taken from a run over another text.

    Parameters
    ----------
    other : str
        A text with as many tokens, as "The keys of …" is to "The key of …".
    by : str
        What is patched at a time: all heads of a layer (arrays (n_layers,)), one head (n_layers, n_heads), or all heads of a layer
        at one query (n_layers, n_queries).

    Raises
    ------
    HeadscopeError
        ``texts_differ`` if the texts do not have the same number of tokens, and as `effects.effects`.
    """
    if by not in ("layer", "head", "position"):
        raise HeadscopeError("bad_option", option="by", value=by, expected="layer, head or position")
    kind = _known(model, kind)
    source, target = model.encode(question.text, question.text_pair, question.target)
    other_source, encoded_other = model.encode(other, other_pair, other_target)
    lengths = [
        len((one if kind == "encoder" or two is None else two).ids)
        for one, two in ((source, target), (other_source, encoded_other))
    ]
    if lengths[0] != lengths[1]:
        raise HeadscopeError("texts_differ", first=lengths[0], second=lengths[1])
    outputs = head_outputs(model, other, other_pair, other_target, job=job)[kind]
    n_layers, n_heads = model.info.layers[kind]
    across = {"layer": 1, "head": n_heads, "position": lengths[0]}[by]
    edits = [_patch(kind, layer, at, outputs[layer], by) for layer in range(n_layers) for at in range(across)]
    shape = (n_layers,) if by == "layer" else (n_layers, across)
    return _swept(model, question, [Intervention((edit,)) for edit in edits], shape, job)


def _patch(kind: Kind, layer: int, at: int, output: FloatArray, by: str) -> Replace:
    if by == "head":
        return Replace(layer=layer, head=at, kind=kind, output=output[at])
    return Replace(layer=layer, kind=kind, output=output, queries=None if by == "layer" else (at,))


def _swept(
    model: BaseModel,
    question: Question,
    interventions: Sequence[Intervention],
    shape: tuple[int, ...],
    job: Job | None,
    *,
    places: npt.NDArray[np.int64] | None = None,
    elsewhere: float = np.nan,
) -> Iterator[Sweep]:
    """`places` (n_interventions, n_dimensions): where each belongs; row after row if None."""
    source, target = model.encode(question.text, question.text_pair, question.target)
    point = _watched(model, question, source, target)
    indices = np.argwhere(np.ones(shape, bool)) if places is None else places
    made = outcomes(model, source, target, interventions, [point.row], job=job)
    return _collected(point, made, indices, shape, elsewhere, job or Job())


def _collected(
    point: PredictionPoint,
    made: Iterator[Outcome],
    places: npt.NDArray[np.int64],
    shape: tuple[int, ...],
    elsewhere: float,
    job: Job,
) -> Iterator[Sweep]:
    change, probability, divergence = (np.full(shape, elsewhere) for _ in range(3))
    n_done = 0
    for outcome in made:
        index = point.index_in(outcome.shared_prefix[0])
        unchanged = probability_of(point.readout, outcome.shared_prefix[0], index)
        if n_done == 0 and not np.isnan(elsewhere):
            probability[:] = unchanged
        at = tuple(places[list(outcome.indices)].T)
        found = changes(point.readout, outcome.shared_prefix[0], outcome.logits[:, 0], index)
        change[at], probability[at], divergence[at] = (numbers.cpu().numpy() for numbers in found)
        n_done += len(outcome.indices)
        job.report(Progress("sweeping", n_done / len(places)))
        position = index if point.readout.kind == "span" else shown_at(point.model, point.readout, point.row)
        arrays = change.copy(), probability.copy(), divergence.copy()  # what was handed out is looked at elsewhere
        yield Sweep(position, point.target(index), point.label(index), unchanged, *arrays, n_done, len(places))


def _watched(model: BaseModel, question: Question, source: Encoded, target: Encoded | None) -> PredictionPoint:
    """The prediction that is watched; of a language model `position` is a mask, or one past the end of the text."""
    asked = Target(question.position, question.token, question.label, question.span)
    first = point_of(model, source, target, replace(asked, position=None))
    if first.readout.kind != "token" or question.position is None:
        return point_of(model, source, target, asked)
    rows = shown_rows(model, first.readout)
    positions = [shown_at(model, first.readout, row) for row in rows]
    if question.position not in positions:
        raise HeadscopeError("no_such_position", position=question.position, last=len(source.axis) - 1)
    return replace(first, row=rows[positions.index(question.position)])


def _known(model: BaseModel, kind: Kind | None) -> Kind:
    found = next(iter(model.info.layers)) if kind is None else kind
    if found not in model.info.layers:
        raise HeadscopeError("unknown_kind", kind=found, known=", ".join(model.info.layers))
    return found
