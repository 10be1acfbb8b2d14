"""Heads by token: every head, for one token."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.heads_by_token.settings import HeadsByTokenSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
_GESTURES = (
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a token"),
             QT_TRANSLATE_NOOP("gestures", "Pin or unpin it")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Point at a column"), QT_TRANSLATE_NOOP("gestures", "Preview the head")),
    Gesture(QT_TRANSLATE_NOOP("gestures", "Click a head of the strip"),
             QT_TRANSLATE_NOOP("gestures", "Select it; with Ctrl, add it")),
)
# fmt: on


def _create(context: Context) -> QWidget:
    from headscope.gui.views.heads_by_token.panel import HeadStripPanel

    return HeadStripPanel(context.session, context.explorer)


def _of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.heads_by_token.figure import strip_of_subject

    return strip_of_subject(subject)


SPEC = ViewSpec(
    "heads_by_token",
    QT_TRANSLATE_NOOP("views", "Heads by token"),
    QT_TRANSLATE_NOOP("views", "How each head of the layer attends from or to the selected token."),
    "Alt+5",
    _create,
    shows_differences=True,
    settings=HeadsByTokenSettings,
    gestures=_GESTURES,
    figures=(
        FigureSpec(
            "heads_by_token",
            QT_TRANSLATE_NOOP("views", "Heads by token"),
            lambda panel: panel.figure(),
            _of_subject,
            frozenset({"axis_titles", "color_bar", "head", "units", "lens", "kind", "token", "show"}),
            shows=("attends_to", "attended_by"),
            changes=lambda panel: panel.figure_changed,
        ),
    ),
)
