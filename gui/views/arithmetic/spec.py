"""Arithmetic: the softmax of one query, worked out."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.arithmetic.settings import ArithmeticSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP

# fmt: off
_GESTURES = (
    Gesture(QT_TRANSLATE_NOOP("gestures", "Point at a bar, ← and →"),
             QT_TRANSLATE_NOOP("gestures", "Show the numbers of one dimension")),
)
# fmt: on


def _create(context: Context) -> QWidget:
    from headscope.gui.views.arithmetic.panel import ArithmeticPanel

    return ArithmeticPanel(context.session, context.explorer)


def _of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.arithmetic.figure import arithmetic_of_subject

    return arithmetic_of_subject(subject)


SPEC = ViewSpec(
    "arithmetic",
    QT_TRANSLATE_NOOP("views", "Arithmetic"),
    QT_TRANSLATE_NOOP("views", "How one weight is computed, with the actual numbers."),
    "Alt+6",
    _create,
    settings=ArithmeticSettings,
    gestures=_GESTURES,
    figures=(
        FigureSpec(
            "arithmetic",
            QT_TRANSLATE_NOOP("views", "Arithmetic"),
            lambda panel: panel.figure(),
            _of_subject,
            frozenset({"axis_titles", "head", "units", "kind", "cell", "show"}),
            shows=("in_order", "largest_first"),
            of="run",
            changes=lambda panel: panel.figure_changed,
        ),
    ),
)
