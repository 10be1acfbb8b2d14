"""What stands above predictions, on the screen and on paper."""

from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from headscope.core.predict.results import Prediction
from headscope.core.text.tokens import TokenAxis

translate = QCoreApplication.translate


def heading_of(prediction: Prediction, axis: TokenAxis, mask: str, *, one_of: int) -> str:
    """What is predicted where.

    Parameters
    ----------
    prediction : Prediction
    axis : TokenAxis
        The model's own tokens on the side that it predicts.
    mask : str
        How a mask is written.
    one_of : int
        How many predictions there are.
    """
    if prediction.kind != "token":
        return _of_class(prediction, axis)
    if prediction.position >= len(axis):
        return translate("PredictionsPanel", "Next token")
    if one_of == 1:
        return translate("PredictionsPanel", "{mask} could be").format(mask=mask)
    return translate("PredictionsPanel", "{mask} at {position} could be").format(mask=mask, position=prediction.position)


def _of_class(prediction: Prediction, axis: TokenAxis) -> str:
    if prediction.kind == "tag":
        token = axis.tokens[prediction.position].text if prediction.position < len(axis) else ""
        return translate("PredictionsPanel", "Tags of “{token}”").format(token=token)
    if prediction.kind == "start":
        return translate("PredictionsPanel", "The answer starts with")
    if prediction.kind == "end":
        return translate("PredictionsPanel", "The answer ends with")
    if prediction.link == "identity":
        one = len(prediction.candidates) == 1
        return translate("PredictionsPanel", "Predicted number") if one else translate("PredictionsPanel", "Predicted numbers")
    if prediction.link == "sigmoid":
        return translate("PredictionsPanel", "Labels of the text, each independent")
    return translate("PredictionsPanel", "Class of the text")


def answers_heading() -> str:
    """Above the spans that may answer a question."""
    return translate("ClassViews", "Answers, p(start) · p(end)")


def no_answer() -> str:
    """For the span that is none."""
    return translate("ClassViews", "no answer")


def follows_heading() -> str:
    """Above the probability that the second text follows the first."""
    return translate("PredictionsPanel", "Second sentence follows")


def tags_heading() -> str:
    """Above the tag of each token."""
    return translate("PredictionsPanel", "Tags of the tokens")
