"""What the screen tells of the steps of a generation or a filling: where a token was chosen, and how branches differ."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import takewhile

from headscope.core.predict.results import Candidate, FillStep, GenerationStep, Prediction
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Kind
from headscope.gui.session.session import Session

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


def stands_at(step: Written) -> int:
    """The position of the step's token in the text that is written: a mask's, or behind all that its record is of."""
    position, side = chosen_at(step)
    return position if side == "encoder" else position + 1


def found_steps(session: Session) -> frozenset[int]:
    """The steps whose tokens were found in the text."""
    find, queries = session.find, session.queries
    if not find.queries:
        return frozenset()
    found = set()
    for at, step in enumerate(session.steps):
        _, side = chosen_at(step)
        place = queries.place_of(stands_at(step))
        unread = place is None and at == len(session.steps) - 1  # the last token was written and not read: it is in no picture
        here = _is_in(step, find.query) if unread else place in find.queries
        if here and _is_same_side(session.kind, side):
            found.add(at)
    return frozenset(found)


def _is_in(step: Written, query: str) -> bool:
    from headscope.core.text.find import find_in  # not before something is looked for

    return isinstance(step, GenerationStep) and bool(find_in(TokenAxis((step.token,)), query))


def found_step(session: Session) -> int | None:
    """The step whose token is the match that one has come to."""
    at = session.find.cell.query
    found = (step for step in found_steps(session) if session.queries.place_of(stands_at(session.steps[step])) == at)
    return None if at is None else next(found, None)


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
