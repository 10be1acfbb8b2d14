"""Targets and answers: which outcome of a prediction is explained, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from headscope.core.arguments import check_fields

PredictionKind = Literal["token", "class", "tag", "start", "end"]
"""What one prediction is about: the token at a position, the class of the text, the tag of a token, where an answer starts or ends."""
SpanEnd = Literal["start", "end"]
Link = Literal["softmax", "sigmoid", "identity"]
"""What makes probabilities of logits: one of them all together, each for itself, or nothing (a regression's numbers)."""


@dataclass(frozen=True, slots=True)
class Target:
    """Which outcome of a prediction is explained. All None: the most probable one of the first prediction.

    Attributes
    ----------
    position : int or None
        A mask, or the token that a decoder predicts the next one from; the token that has a tag; the token that an answer
        starts or ends with. A class has none.
    token : int, str or None
        A vocabulary id, or the token as it stands in running text: for many models ``" Paris"``, with its blank.
    label : int, str or None
        A class or a tag, by its name or its index.
    span : "start", "end" or None
        Which end of an answer.
    """

    position: int | None = None
    token: int | str | None = None
    label: int | str | None = None
    span: SpanEnd | None = None

    def __post_init__(self) -> None:
        check_fields(self)


@dataclass(frozen=True, slots=True)
class Answer:
    """A span of the second text that may answer the question in the first.

    Attributes
    ----------
    start, end : int
        Its first and last token, positions of the whole input. Of no answer both are [CLS].
    text : str or None
        As it stands in the second text; None for no answer.
    probability : float
        p(start) · p(end), each among the tokens of the second text and [CLS].
    """

    start: int
    end: int
    text: str | None
    probability: float
