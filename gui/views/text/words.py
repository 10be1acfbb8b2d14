"""What the text view and its figure say about the colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QCoreApplication

from headscope.core.predict.results import Candidate, Prediction
from headscope.core.vocabulary import Head

translate = QCoreApplication.translate


def source_heading() -> str:
    """Above the keys, where they are another text than the queries."""
    return translate("ReadingPanel", "Source (keys)")


def target_heading() -> str:
    """Above the queries, where they are another text than the keys."""
    return translate("ReadingPanel", "Target (queries)")


def attention_words(token: str, n_tokens: int, heads: Sequence[Head], side: Literal["query", "key"]) -> str:
    """Whose attention it is: of a token, or of several whose first is `token`, in some heads."""
    head = translate("ReadingPanel", "layer {layer} · head {head}").format(layer=heads[0][0], head=heads[0][1])
    n = len(heads)
    head = head if n == 1 else translate("ReadingPanel", "mean of %n head(s)", "", n)
    name = translate("ReadingPanel", "“{token}”").format(token=token)
    name = name if n_tokens == 1 else translate("ReadingPanel", "sum of %n token(s)", "", n_tokens)
    attends, attended = (
        translate("ReadingPanel", "{token} attends to · {head}"),
        translate("ReadingPanel", "{token} is attended by · {head}"),
    )
    return (attends if side == "query" else attended).format(token=name, head=head)


def surprisal_words(*, masked: bool) -> str:
    """What surprisal is, in a formula; of a masked model each token is masked in turn."""
    if masked:
        return translate("ReadingPanel", "−log₂ p(token | all others), each masked in turn")
    return translate("ReadingPanel", "−log₂ p(token | before)")


def bits() -> str:
    """The unit of surprisal."""
    return translate("ReadingPanel", "bits")


def attribution_words(where: str) -> str:
    """What is attributed."""
    return translate("ReadingPanel", "Attribution of {where}").format(where=where)


def prediction_words(prediction: Prediction, candidate: Candidate) -> str:
    """What is attributed, and where it is predicted."""
    words = {
        "class": translate("ReadingPanel", "the class “{label}”"),
        "start": translate("ReadingPanel", "the start at “{label}”"),
        "end": translate("ReadingPanel", "the end at “{label}”"),
    }
    at = translate("ReadingPanel", "the prediction “{label}” at position {position}")
    if not candidate.label.strip():  # a blank between quotation marks says nothing
        at = translate("ReadingPanel", "the prediction at position {position}")
    where = words.get(prediction.kind, at)
    return where.format(label=candidate.label, position=prediction.position)
