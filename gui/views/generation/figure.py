"""What was generated as a figure: a bar for each token."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QCoreApplication

from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.probability_rows import ProbabilityGroup, ProbabilityRow, probability_figure
from headscope.gui.session.steps import Written, chosen
from headscope.gui.view_spec import Subject


def generation_figure(steps: Sequence[Written]) -> PaintedFigure | None:
    """The tokens that were chosen, with their probabilities; None while there are none."""
    rows = tuple(ProbabilityRow(token.label, token.probability) for token in map(chosen, steps))
    n = len(rows)
    about = QCoreApplication.translate("GenerationPanel", "Generated tokens and their probabilities: %n step(s)", "", n)
    return probability_figure([ProbabilityGroup("", rows)], about)


def generation_of_subject(subject: Subject) -> PaintedFigure:
    """Of the subject's steps."""
    figure = generation_figure(subject.needed_steps)
    assert figure is not None, "there is a step"
    return figure
