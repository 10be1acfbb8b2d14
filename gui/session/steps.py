"""What the screen tells of the steps of a generation or a filling: where a token was chosen, and how branches differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile

from headscope.core.predict.results import Candidate, FillStep, GenerationStep, Prediction
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Kind

Written = GenerationStep | FillStep


def chosen(step: Written) -> Candidate:
    """The token a step chose, with the model's own probability."""
    if isinstance(step, FillStep):
        return step.chosen
    return Candidate(step.token.text, step.token.text, step.token.id, step.probability)


def predicted(step: Written) -> Prediction:
    """What could stand where a step's token stands."""
    return Prediction(step.position, step.candidates) if isinstance(step, FillStep) else step.prediction


def chosen_at(step: Written) -> tuple[int, Kind]:
    """The query of the step's record whose row chose its token (the mask's, or that of the token before), and its kind."""
    if isinstance(step, FillStep):
        return step.position, "encoder"
    return len(step.record.axis("decoder").queries) - 1, "decoder"


def kind_of_rows(step: Written, kind: Kind) -> Kind:
    """The kind of attention to show of a step: `kind`, if the token was chosen on that side of the model."""
    _, side = chosen_at(step)
    return kind if _is_same_side(kind, side) and kind in step.record.kinds else side


def row_of(step: Written, kind: Kind, queries: TokenAxis) -> int | None:
    """The row that chose the step's token in a picture of `kind` with these queries; None if it is not in it."""
    position, side = chosen_at(step)
    return queries.place_of(position) if _is_same_side(kind, side) else None


def log_probability(steps: Sequence[Written]) -> float:
    """Natural logarithm of the probability of all chosen tokens together, as the model itself gave it, before any filter."""
    probabilities = [step.chosen.probability if isinstance(step, FillStep) else step.probability for step in steps]
    return sum(map(math.log, probabilities)) if all(probabilities) else -math.inf


def n_shared(one: Sequence[Written], other: Sequence[Written]) -> int:
    """How many steps two branches begin with that chose the same tokens."""
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] is pair[1] or chosen(pair[0]).id == chosen(pair[1]).id, pairs))


def _is_same_side(kind: Kind, side: Kind) -> bool:
    return (kind == "encoder") == (side == "encoder")
