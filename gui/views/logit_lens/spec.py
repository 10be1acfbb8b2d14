"""Logit lens: what the model would predict after each layer."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.context import Context
from headscope.gui.view_spec import FigureSpec, ViewSpec
from headscope.gui.views.logit_lens.settings import LogitLensSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _create(context: Context) -> QWidget:
    from headscope.gui.views.logit_lens.panel import LensPanel

    return LensPanel(context.session, context.explorer)


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
            obeys=frozenset({"axis_titles"}),
        ),
    ),
)
