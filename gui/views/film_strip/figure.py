"""The steps of a generation as a figure: frames in as many rows as there is room for."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QRectF
from PySide6.QtGui import QPainter

from headscope.core.predict.results import GenerationStep
from headscope.gui.paint.painted_figure import PaintedFigure, bands, n_bands
from headscope.gui.paint.theme import GRID, Theme
from headscope.gui.session.steps import Written, chosen
from headscope.gui.view_spec import Subject
from headscope.gui.views.film_strip.paint.strip import FilmStripPicture, Frame, Looked, Strip

_MOST_ACROSS: Final = 8
"""Frames in a row, where there is a choice."""


def frame_of(step: Written) -> Frame:
    """A step as it stands on the strip."""
    token = chosen(step)
    special = isinstance(step, GenerationStep) and step.token.special
    return Frame(token.label, token.probability, special, isinstance(step, GenerationStep) and step.forced)


def film_strip_figure(strips: tuple[Strip, ...], looked_at: int = 0) -> PaintedFigure | None:
    """The strips, a row for each branch; None while there is no step."""
    picture = FilmStripPicture(strips)
    if not picture.n_steps:
        return None
    looked = Looked(looked_at, -1)

    def draw(painter: QPainter, width: float, _height: float, theme: Theme) -> None:
        for steps in bands(picture.n_steps, picture.step, width - picture.left):
            left = steps.start * picture.step
            view = QRectF(left, 0, picture.left + len(steps) * picture.step - GRID, picture.height + 1)
            painter.save()
            first = picture.left - 1 if len(picture.strips) == 1 else 0.0
            painter.setClipRect(QRectF(first, 0, view.width() - first, view.height()))
            painter.translate(-left, 0)
            picture.paint(painter, view, theme, looked)
            painter.restore()
            painter.translate(0, picture.height + 2 * GRID)

    def high(width: float) -> float:
        return n_bands(picture.n_steps, picture.step, width - picture.left) * (picture.height + 2 * GRID) - 2 * GRID

    n = picture.n_steps
    about = QCoreApplication.translate("FilmStripPanel", "Film strip of a generation: %n step(s)", "", n)
    return PaintedFigure(about, picture.left + min(picture.n_steps, _MOST_ACROSS) * picture.step, high, draw)


def film_strip_of_subject(subject: Subject) -> PaintedFigure:
    """Of the subject's steps."""
    figure = film_strip_figure((Strip(tuple(frame_of(step) for step in subject.needed_steps)),))
    assert figure is not None, "there is a step"
    return figure
