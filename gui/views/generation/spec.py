"""Generation: how the model writes, and what it wrote."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.generation.settings import GenerationViewSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
_GESTURES = (
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a generated token"),
             QT_TRANSLATE_NOOP("gestures", "Show its alternatives; choosing one continues from there")),
)
# fmt: on


def _create(context: Context) -> QWidget:
    from headscope.gui.views.generation.panel import GenerationPanel

    return GenerationPanel(context.session, context.explorer)


def _of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.generation.figure import generation_of_subject

    return generation_of_subject(subject)


SPEC = ViewSpec(
    "generation",
    QT_TRANSLATE_NOOP("views", "Generation"),
    QT_TRANSLATE_NOOP("views", "Generation settings and the generated tokens."),
    "Alt+9",
    _create,
    settings=GenerationViewSettings,
    gestures=_GESTURES,
    figures=(
        FigureSpec(
            "generation",
            QT_TRANSLATE_NOOP("views", "Generation"),
            lambda panel: panel.figure(),
            _of_subject,
            of="steps",
        ),
    ),
    of_run=False,
)
