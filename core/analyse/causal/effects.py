"""What an intervention changes in a prediction: probabilities of chosen tokens, the whole distribution, the ranking.

References
----------
Kullback and Leibler, On Information and Sufficiency, 1951: KL(P ‖ Q) = Σ p · log(p / q).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from torch import Tensor

from headscope.core.analyse.causal.variants import outcomes
from headscope.core.analyse.prediction_point import PredictionPoint, point_of, shown_at, shown_rows
from headscope.core.arguments import checked
from headscope.core.attention.intervention import as_intervention
from headscope.core.forward.readout import Readout
from headscope.core.job import Job
from headscope.core.predict.class_predictions import candidates_of_row
from headscope.core.predict.predictions import candidates_of
from headscope.core.predict.results import Candidate
from headscope.core.target import Target

if TYPE_CHECKING:
    from headscope.core.attention.intervention import Edits
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids


@dataclass(frozen=True, slots=True)
class TokenChange:
    """One outcome's probability before and after: a token's, a class's or a tag's, or that an answer starts or ends at `id`.

    `label` is what the screen shows for it. `log_probability_change` is log(after) − log(before), in nats, exact where the
    probabilities themselves round to 0. Of a regression all three are its number and the number's change.
    """

    id: int
    label: str
    before: float
    after: float
    log_probability_change: float


@dataclass(frozen=True, slots=True)
class Effect:
    """What changed at one position.

    Attributes
    ----------
    position : int or None
        Of the predicted axis: a mask, a tagged token; for a decoder the next token's, one past the end of the text. None: it is of
        the text as a whole, its class, or one of an answer's ends, the start first.
    tokens : tuple of TokenChange
        The chosen tokens, in the order asked for.
    divergence : float
        KL(before ‖ after) over all outcomes, in nats, 0 or more; NaN for a regression.
    before, after : tuple of Candidate
        The most probable tokens.
    """

    position: int | None
    tokens: tuple[TokenChange, ...]
    divergence: float
    before: tuple[Candidate, ...]
    after: tuple[Candidate, ...]

    @property
    def top_changed(self) -> bool:
        """Whether another token is the most probable now."""
        return self.before[0].id != self.after[0].id


@checked
def effects(
    model: BaseModel,
    text: str | Ids,
    intervention: Edits,
    *,
    text_pair: str | None = None,
    target: str | Ids | None = None,
    tokens: Sequence[int | str] = (),
    labels: Sequence[int | str] = (),
    top_k: int = 10,
    job: Job | None = None,
) -> tuple[Effect, ...]:
    """Compare a model's predictions with and without an intervention.

    Parameters
    ----------
    text, text_pair, target : str
        As `BaseModel.capture` takes them.
    tokens : sequence of int or str
        Tokens as they stand in running text, or their ids; the most probable token before the intervention if none are given.
    labels : sequence of int or str
        Likewise the classes or tags of a model that predicts those, by name or index.
    top_k : int
        Candidates before and after.

    Returns
    -------
    tuple of Effect
        For each mask of a masked model; for the next token of a decoder; of an encoder-decoder for the token after the target; for
        the class of a text, the tag of each of its tokens, the start and the end of an answer.

    Raises
    ------
    HeadscopeError
        ``predicts_nothing``, ``head_missing``, ``no_mask``, ``needs_context``; ``bad_option`` or ``unknown_label`` for a token or
        a label; as `BaseModel.observe`.
    Cancelled
    """
    source, encoded_target = model.encode(text, text_pair, target)
    asked = [Target(token=token) for token in tokens] + [Target(label=label) for label in labels]
    points = [point_of(model, source, encoded_target, each) for each in asked or [Target()]]
    rows = shown_rows(model, points[0].readout)
    (outcome,) = outcomes(model, source, encoded_target, [as_intervention(intervention)], rows, job=job)
    return tuple(
        _effect([replace(point, row=row) for point in points], before, after, top_k)
        for row, before, after in zip(rows, outcome.shared_prefix, outcome.logits[0], strict=True)
    )


@checked
def changes(readout: Readout, before: Tensor, after: Tensor, index: int) -> tuple[Tensor, Tensor, Tensor]:
    """Of logits (…, n_outcomes) before and after: change of an outcome's log-probability, its probability after, divergence."""
    log_before, log_after = (readout.log_probabilities(logits.double()) for logits in (before, after))
    change = log_after[..., index] - log_before[..., index]
    return change, _plain(readout, log_after[..., index]), readout.divergence(log_before, log_after)


def probability_of(readout: Readout, logits: Tensor, index: int) -> float:
    """Of (n_outcomes,) logits; of a regression the number."""
    return float(_plain(readout, readout.log_probabilities(logits.double())[index]))


def _plain(readout: Readout, log_probability: Tensor) -> Tensor:
    return log_probability if readout.link == "identity" else log_probability.exp()


def _effect(points: Sequence[PredictionPoint], before: Tensor, after: Tensor, top_k: int) -> Effect:
    model, readout, row = points[0].model, points[0].readout, points[0].row
    indices = [point.index_in(before) for point in points]
    made = []
    for index in indices:
        change, now, _ = changes(readout, before, after, index)
        made.append(
            TokenChange(index, points[0].label(index), probability_of(readout, before, index), float(now), float(change))
        )
    return Effect(
        position=shown_at(model, readout, row),
        tokens=tuple(made),
        divergence=float(changes(readout, before, after, indices[0])[2]),
        before=_candidates(points[0], before, top_k),
        after=_candidates(points[0], after, top_k),
    )


def _candidates(point: PredictionPoint, logits: Tensor, top_k: int) -> tuple[Candidate, ...]:
    if point.readout.kind == "token":
        return candidates_of(logits, point.model.tokenizer, top_k)
    return candidates_of_row(
        point.readout, logits, point.labels if point.readout.kind == "span" else point.model.info.labels, top_k
    )
