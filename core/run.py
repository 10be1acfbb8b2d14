"""One run of a model, as a value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.predict.results import Prediction
from headscope.core.target import Answer

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


@dataclass(frozen=True, slots=True)
class RunResult:
    """One pass over a text, or a whole generation.

    Attributes
    ----------
    record : AttentionRecord
        Stays where the model ran; ask the view lane for numbers.
    text : str
        The text as it stands now (a generation's continuation and filled masks included).
    predictions : tuple of Prediction
        For each mask of a masked model; for the next token of a decoder; for the last position of a decoder's target.
        A classifier's one class, a tag for each token of the text, an answer's start and end.
    next_sentence : float or None
        Probability that the pair's second text follows the first.
    seconds : float
        Wall time of the pass(es).
    answers : tuple of Answer
        Spans that may answer a question, most probable first, and "no answer" where the model's text has a [CLS].
    """

    record: AttentionRecord
    text: str
    predictions: tuple[Prediction, ...]
    next_sentence: float | None
    seconds: float
    answers: tuple[Answer, ...] = ()
