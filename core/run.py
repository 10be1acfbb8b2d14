"""Run: one run of a model, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from headscope.core.attention.intervention import Intervention
from headscope.core.forward.model_info import ModelInfo
from headscope.core.predict.results import Prediction
from headscope.core.target import Answer
from headscope.core.text.prompt import Prompt

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """One pass over a text, or a whole generation.

    Attributes
    ----------
    model : ModelInfo
    prompt : Prompt
        The texts, including a generation's continuation and filled masks.
    edits : Intervention
        What was changed in the pass; no edits if it is empty.
    seed : int or None
        Of the random choices of a generation or a filling; None where there were none.
    record : AttentionRecord
        Stays where the model ran; ask the view lane for numbers.
    predictions : tuple of Prediction
        For each mask of a masked model; for the next token of a decoder; for the last position of a decoder's target.
        A classifier's one class, a tag for each token of the text, an answer's start and end.
    next_sentence : float or None
        Probability that the pair's second text follows the first.
    answers : tuple of Answer
        Spans that may answer a question, most probable first, and "no answer" where the model's text has a [CLS].
    seconds : float
        Wall time of the pass(es).
    """

    model: ModelInfo
    prompt: Prompt
    record: AttentionRecord
    predictions: tuple[Prediction, ...]
    next_sentence: float | None = None
    answers: tuple[Answer, ...] = ()
    edits: Intervention = field(default_factory=Intervention)
    seed: int | None = None
    seconds: float = 0.0

    @property
    def text(self) -> str:
        """Its first text."""
        return self.prompt.text
