"""Text: the text, shaded."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.text.commands import MODES
from headscope.gui.views.text.settings import TextSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
_GESTURES = (
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a word or a token"),
             QT_TRANSLATE_NOOP("gestures", "Pin or unpin it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Ctrl+click a word"),
             QT_TRANSLATE_NOOP("gestures", "Add it to the selection, to be summed")),
)
# fmt: on


def _create(context: Context) -> QWidget:
    from headscope.gui.views.text.panel import ReadingPanel

    return ReadingPanel(context.session, context.explorer)


def _of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.text.figure import text_of_subject

    return text_of_subject(subject)


SPEC = ViewSpec(
    "text",
    QT_TRANSLATE_NOOP("views", "Text"),
    QT_TRANSLATE_NOOP("views", "The text itself, coloured by attention, surprisal or attribution."),
    "Alt+4",
    _create,
    shows_differences=True,
    settings=TextSettings,
    commands=MODES,
    gestures=_GESTURES,
    figures=(
        FigureSpec(
            "text",
            QT_TRANSLATE_NOOP("views", "Text"),
            lambda panel: panel.figure(),
            _of_subject,
            frozenset({"axis_titles", "color_bar", "heads", "units", "lens", "kind", "token", "show"}),
            shows=("attends_to", "attended_by", "surprisal", "attribution", "rollout"),
            of="run",
            changes=lambda panel: panel.figure_changed,
        ),
    ),
)
