"""Outcome: the class, the tag or the end of an answer that is explained, where the user chose one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headscope.core.predict.results import Candidate, Prediction
from headscope.core.target import PredictionKind, Target

Place = tuple[PredictionKind, int | None]


@dataclass(frozen=True, slots=True)
class Outcome:
    """One of the candidates of a prediction, by its `Prediction.place` and the candidate's id."""

    place: Place
    id: int


def kept_outcome(chosen: Outcome | None, predictions: Sequence[Prediction]) -> Outcome | None:
    """What stays chosen when there are new predictions: a class. Tokens and their tags may be others."""
    stays = chosen is not None and chosen.place[0] == "class" and any(each.place == chosen.place for each in predictions)
    return chosen if stays else None


def target_of(prediction: Prediction, candidate: Candidate, n_tokens: int) -> Target:
    """A candidate as core's explanations take it; the next token is predicted by the last of `n_tokens`."""
    match prediction.kind:
        case "token":
            return Target(position=min(prediction.position, n_tokens - 1), token=candidate.id)
        case "class":
            return Target(label=candidate.id)
        case "tag":
            return Target(position=prediction.position, label=candidate.id)
        case _:
            return Target(position=candidate.id, span="start" if prediction.kind == "start" else "end")


def read_at(prediction: Prediction, candidate: Candidate) -> int | None:
    """The position that a prediction is made at; None for the mean over all."""
    position = candidate.id if prediction.kind in ("start", "end") else prediction.position
    return position if position >= 0 else None


def explained(
    predictions: Sequence[Prediction], outcome: Outcome | None, position: range
) -> tuple[Prediction, Candidate] | None:
    """The prediction that is explained, and which of its candidates; None if nothing is predicted.

    What was chosen goes before a prediction at `position`, which is pinned, and that before the first; the most probable candidate
    before the others.
    """
    able = [prediction for prediction in predictions if prediction.candidates]
    if outcome is not None:
        for prediction in able:
            for candidate in prediction.candidates:
                if (prediction.place, candidate.id) == (outcome.place, outcome.id):
                    return prediction, candidate
    here = (prediction for prediction in able if prediction.position in position and prediction.kind in ("token", "tag"))
    found = next(here, able[0] if able else None)
    return None if found is None else (found, found.candidates[0])
