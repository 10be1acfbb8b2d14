"""Logit lens: what the model would predict after each layer."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.logit_lens.settings import LogitLensSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _create(context: Context) -> QWidget:
    from headscope.gui.views.logit_lens.panel import LogitLensPanel

    return LogitLensPanel(context.session, context.explorer)


def _of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.logit_lens.figure import lens_of_subject

    return lens_of_subject(subject)


SPEC = ViewSpec(
    "logit_lens",
    QT_TRANSLATE_NOOP("views", "Logit lens"),
    QT_TRANSLATE_NOOP("views", "What the model would predict if it stopped after each layer."),
    "Alt+8",
    _create,
    settings=LogitLensSettings,
    figures=(
        FigureSpec(
            "logit_lens",
            QT_TRANSLATE_NOOP("views", "Logit lens"),
            lambda panel: panel.figure(),
            _of_subject,
            frozenset({"axis_titles", "show"}),
            shows=("probability", "entropy", "token"),
            changes=lambda panel: panel.figure_changed,
        ),
    ),
)
