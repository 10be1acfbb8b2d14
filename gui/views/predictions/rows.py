"""The rows of the predictions panel: candidates beside what they were before an edit, or before sampling filters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headscope.core.predict.classes import QUIET_TAGS
from headscope.core.predict.results import Candidate, FilterStage, Prediction
from headscope.core.target import Answer
from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.probability import readable_change, readable_number
from headscope.gui.views.predictions.tags import TagRow
from headscope.gui.widgets.probability_bars import Bar

_MOST_LOST = 3
"""Of the best before: they stay in sight when they are no longer among the candidates."""


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate and how it is shown."""

    candidate: Candidate
    bar: Bar


def plain_rows(prediction: Prediction) -> list[Row]:
    """The candidates as the model gives them."""
    return [Row(candidate, _bar(candidate, prediction)) for candidate in prediction.candidates]


def compared_rows(prediction: Prediction, before: Prediction) -> list[Row]:
    """The candidates beside what the same ones had before, then those of the best before that are no longer among them."""
    rows = []
    for candidate in prediction.candidates:
        change, old = _change(prediction, before, candidate.id), before.log_probability(candidate.id)
        ghost = None if old is None else math.exp(old)
        rows.append(Row(candidate, replace(_bar(candidate, prediction), ghost=ghost, change=change)))
    shown = {candidate.id for candidate in prediction.candidates}
    for lost in before.candidates[:_MOST_LOST]:
        now = prediction.log_probability(lost.id)
        if lost.id not in shown and now is not None:
            candidate = replace(lost, probability=math.exp(now))
            change = _change(prediction, before, lost.id)
            bar = replace(_bar(candidate, prediction), ghost=lost.probability, change=change, apart=True)
            rows.append(Row(candidate, bar))
    return rows


def _bar(candidate: Candidate, prediction: Prediction) -> Bar:
    if candidate.number is not None:
        return Bar(candidate.label, 0.0, number=readable_number(candidate.number))
    label = candidate.label if prediction.kind not in ("start", "end") else f"{candidate.label}  {candidate.id}"
    return Bar(label, candidate.probability)


def filtered_rows(prediction: Prediction, stages: Sequence[FilterStage]) -> list[Row]:
    """The candidates with what the filters leave of them; the model's own probability is the outline."""
    return [
        Row(candidate, Bar(candidate.label, left, candidate.probability, cut=left == 0))
        for candidate, left in zip(prediction.candidates, stages[-1].probabilities, strict=True)
    ]


def tag_rows(predictions: Sequence[Prediction], before: Sequence[Prediction], own: TokenAxis, shown: TokenAxis) -> list[TagRow]:
    """A row for each token with a tag; where `shown` are words of the model's `own` tokens, for each word the tag of its first.

    Parameters
    ----------
    before : sequence of Prediction
        At the positions of those that they are compared with.
    """
    tags = {prediction.position: prediction for prediction in predictions}
    old = {prediction.position: prediction for prediction in before}
    rows = []
    for at, token in enumerate(shown.tokens):
        prediction = tags.get(shown.pieces_of(at).start)
        if prediction is None or not prediction.candidates:
            continue
        best, earlier = prediction.candidates[0], old.get(prediction.position)
        log_before = None if earlier is None else earlier.log_probability(best.id)
        rows.append(
            TagRow(
                prediction.position,
                token.text if shown.pieces is not None else own.tokens[prediction.position].text,
                best.label,
                best.probability,
                quiet=best.label.casefold() in QUIET_TAGS,
                ghost=None if log_before is None else math.exp(log_before),
                change=None if earlier is None else _change(prediction, earlier, best.id),
            )
        )
    return rows


def answer_bars(answers: Sequence[Answer], none: str) -> list[Bar]:
    """The best spans with their text; `none` is what to say for no answer."""
    return [Bar(none if answer.text is None else " ".join(answer.text.split()), answer.probability) for answer in answers]


def _change(prediction: Prediction, before: Prediction, token_id: int) -> str | None:
    """Of the log-probability, or of a regression's number; None where it was not known."""
    numbers = prediction.number(token_id), before.number(token_id)
    if None not in numbers:
        return readable_change(numbers[0] - numbers[1])  # type: ignore[operator]
    now, old = prediction.log_probability(token_id), before.log_probability(token_id)
    return None if now is None or old is None else readable_change(now - old)
