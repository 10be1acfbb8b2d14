"""A row that says what else could have been chosen: how probable it was for the model, and after temperature and filters."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QPainter

from headscope.gui.paint.labels import elided, text_width
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import GRID, TEXT_SIZE, Theme, scaled, text_font

_LABEL_SHARE, _LEAST_TRACK, _MOST_TRACK = 0.3, 24.0, 160.0
_NARROW = 45.0 * GRID
"""Pixels; in less there is room for one number."""


@dataclass(frozen=True, slots=True)
class Alternative:
    """A candidate.

    Attributes
    ----------
    label : str
    before : float
        Its probability as the model gave it.
    after : float or None
        After temperature and filters, 0 if they removed it; None if there were none.
    chosen : bool
        Is what was written.
    """

    label: str
    before: float
    after: float | None = None
    chosen: bool = False

    @property
    def numbers(self) -> str:
        """``0.412``, ``0.412 → 0.530`` or ``0.012 → –`` for one that was removed."""
        before = readable_probability(self.before)
        if self.after is None:
            return before
        return f"{before} → {self.last}"

    @property
    def last(self) -> str:
        """The number that counted when the token was drawn."""
        number = self.before if self.after is None else self.after
        return readable_probability(number) if number > 0 or self.after is None else "–"


def paint_alternative(painter: QPainter, area: QRectF, theme: Theme, row: Alternative) -> None:
    """Paint a row into `area`: the label, a pale bar before and a strong one after, the numbers."""
    middle, removed = Qt.AlignmentFlag.AlignVCenter, row.after == 0
    numbers, widest = (row.last, "<0.000") if area.width() < scaled(_NARROW) else (row.numbers, "0.000 → <0.000")
    weight = QFont.Weight.DemiBold if row.chosen else QFont.Weight.Normal
    numbers_width = text_width(widest if row.after is not None else "<0.000", TEXT_SIZE)
    room = area.width() - numbers_width - 2 * GRID
    label_width = max(area.width() * _LABEL_SHARE, room - _MOST_TRACK)
    if room - label_width < _LEAST_TRACK:
        label_width = room
    painter.setFont(text_font(TEXT_SIZE, weight))
    painter.setPen(theme.color("muted" if removed else "text"))
    label = elided(row.label, TEXT_SIZE, weight, label_width - GRID)
    painter.drawText(QRectF(area.left(), area.top(), label_width, area.height()), middle | Qt.AlignmentFlag.AlignLeft, label)
    if room > label_width:
        _paint_bars(painter, QRectF(area.left() + label_width, area.center().y() - 4, room - label_width, 8), theme, row)
    painter.setFont(text_font(tabular=True))
    painter.setPen(theme.color("text" if row.chosen else "muted"))
    painter.drawText(area, middle | Qt.AlignmentFlag.AlignRight, numbers)


def _paint_bars(painter: QPainter, track: QRectF, theme: Theme, row: Alternative) -> None:
    """As long as the probability: before pale and high, after strong and low, one over the other."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("line", 0.6))
    painter.drawRoundedRect(track, 2, 2)
    if row.after is not None:
        painter.setBrush(theme.color("accent", 0.3))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), max(1.0, track.width() * row.before), track.height()), 2, 2)
        track = track.adjusted(0, 2, 0, -2)
    shown = row.before if row.after is None else row.after
    if shown > 0:
        painter.setBrush(theme.color("accent"))
        painter.drawRoundedRect(QRectF(track.left(), track.top(), max(1.0, track.width() * shown), track.height()), 2, 2)
