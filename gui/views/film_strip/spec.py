"""Film strip: the steps of a generation."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from headscope.gui.context import Context
from headscope.gui.paint.figure import Figure
from headscope.gui.view_spec import FigureSpec, Subject, ViewSpec
from headscope.gui.views.film_strip.settings import FilmStripSettings
from headscope.gui.words.translating import QT_TRANSLATE_NOOP


def _create(context: Context) -> QWidget:
    from headscope.gui.views.film_strip.panel import FilmStripPanel

    return FilmStripPanel(context.session, context.explorer)


def _of_subject(subject: Subject) -> Figure:
    from headscope.gui.views.film_strip.figure import film_strip_of_subject

    return film_strip_of_subject(subject)


SPEC = ViewSpec(
    "film_strip",
    QT_TRANSLATE_NOOP("views", "Film strip"),
    QT_TRANSLATE_NOOP("views", "The steps of a generation, one by one."),
    "Alt+0",
    _create,
    settings=FilmStripSettings,
    figures=(
        FigureSpec(
            "film_strip",
            QT_TRANSLATE_NOOP("views", "Film strip"),
            lambda panel: panel.figure(),
            _of_subject,
            of="steps",
        ),
    ),
)
