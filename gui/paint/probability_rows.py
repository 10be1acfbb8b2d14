"""Rows of probabilities as a figure: headings, and under each its labels, bars and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QPainter

from headscope.gui.paint.labels import elided, text_width
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.probability import paint_probability
from headscope.gui.paint.theme import GRID, TEXT_SIZE, Theme
from headscope.gui.paint.write import write

_ROW: Final = 20.0
_NATURAL: Final = 320.0
_MOST_LABEL: Final = 0.5
"""Of the width."""


@dataclass(frozen=True, slots=True)
class ProbabilityRow:
    """What `paint_probability` draws."""

    label: str
    probability: float
    ghost: float | None = None
    cut: bool = False
    change: str | None = None
    number: str | None = None


@dataclass(frozen=True, slots=True)
class ProbabilityGroup:
    """Rows under a heading, which may be empty."""

    heading: str
    rows: tuple[ProbabilityRow, ...]


def probability_figure(groups: Sequence[ProbabilityGroup], about: str, heading: str = "") -> PaintedFigure | None:
    """The groups under one another; None if there is nothing in them."""
    if not any(group.rows for group in groups):
        return None
    n_rows = sum(len(group.rows) + bool(group.heading) for group in groups)
    height = n_rows * _ROW + (len(groups) - 1) * 2 * GRID

    def draw(painter: QPainter, width: float, _height: float, theme: Theme) -> None:
        y = 0.0
        for group in groups:
            if group.heading:
                painter.setPen(theme.color("text"))
                weight = QFont.Weight.DemiBold
                words = elided(group.heading, TEXT_SIZE, weight, width - 2 * GRID)
                write(painter, QRectF(GRID, y, width - 2 * GRID, _ROW), words, TEXT_SIZE, weight)
                y += _ROW
            changes = any(row.change is not None for row in group.rows)
            longest = max((text_width(row.label, TEXT_SIZE, QFont.Weight.DemiBold) for row in group.rows), default=0.0)
            for number, row in enumerate(group.rows):
                paint_probability(
                    painter,
                    QRectF(GRID, y, width - 2 * GRID, _ROW),
                    theme,
                    row.label,
                    row.probability,
                    label_width=min(longest + 3 * GRID, _MOST_LABEL * width),
                    bar_height=8,
                    strong=number == 0 and bool(group.heading),
                    ghost=row.ghost,
                    cut=row.cut,
                    change=(row.change or "") if changes else None,
                    number=row.number,
                )
                y += _ROW
            y += 2 * GRID

    return PaintedFigure(about, _NATURAL, lambda _width: height, draw, heading)
