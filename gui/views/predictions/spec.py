"""Predictions: what the model predicts, and why."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.predictions.settings import PredictionsSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
_GESTURES = (
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a candidate"),
             QT_TRANSLATE_NOOP("gestures", "Put it into the text and run")),
)
# fmt: on


def _create(context: Context) -> QWidget:
    from headscope.gui.views.predictions.panel import PredictionsPanel

    return PredictionsPanel(context.session, context.explorer)


def _of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.predictions.figure import predictions_of_subject

    return predictions_of_subject(subject)


SPEC = ViewSpec(
    "predictions",
    QT_TRANSLATE_NOOP("views", "Predictions"),
    QT_TRANSLATE_NOOP("views", "What the model predicts, with probabilities."),
    "Alt+7",
    _create,
    settings=PredictionsSettings,
    gestures=_GESTURES,
    figures=(
        FigureSpec(
            "predictions",
            QT_TRANSLATE_NOOP("views", "Predictions"),
            lambda panel: panel.figure(),
            _of_subject,
            frozenset({"axis_titles"}),
            of="run",
        ),
    ),
)
