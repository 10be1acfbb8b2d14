"""The rows of the predictions panel: candidates beside what they were before an edit, or before sampling filters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from headscope.core.results import Candidate, FilterStage, Prediction
from headscope.gui.paint.probability import readable_change
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
    return [Row(candidate, Bar(candidate.label, candidate.probability)) for candidate in prediction.candidates]


def compared_rows(prediction: Prediction, before: Prediction) -> list[Row]:
    """The candidates beside what the same tokens had before, then those of the best before that are no longer among them."""
    rows = []
    for candidate in prediction.candidates:
        change, old = _change(prediction, before, candidate.id), before.log_probability(candidate.id)
        ghost = None if old is None else math.exp(old)
        rows.append(Row(candidate, Bar(candidate.label, candidate.probability, ghost, change)))
    shown = {candidate.id for candidate in prediction.candidates}
    for lost in before.candidates[:_MOST_LOST]:
        now = prediction.log_probability(lost.id)
        if lost.id not in shown and now is not None:
            candidate = replace(lost, probability=math.exp(now))
            change = _change(prediction, before, lost.id)
            rows.append(Row(candidate, Bar(lost.label, candidate.probability, lost.probability, change, apart=True)))
    return rows


def filtered_rows(prediction: Prediction, stages: Sequence[FilterStage]) -> list[Row]:
    """The candidates with what the filters leave of them; the model's own probability is the outline."""
    return [
        Row(candidate, Bar(candidate.label, left, candidate.probability, cut=left == 0))
        for candidate, left in zip(prediction.candidates, stages[-1].probabilities, strict=True)
    ]


def _change(prediction: Prediction, before: Prediction, token_id: int) -> str | None:
    """Of the log-probability; None where it was not known."""
    now, old = prediction.log_probability(token_id), before.log_probability(token_id)
    return None if now is None or old is None else readable_change(now - old)
