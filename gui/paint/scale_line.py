"""A line under a picture: the colour scale with its largest value, and at the right the number under the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QLinearGradient, QPainter

from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, text_font

LINE_HEIGHT = 5 * GRID
"""Pixels, as designed."""
_BAR = 64.0
_WORDS = 0.62  # of the line, at most, are the scale's


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear scale from 0, or on both sides of it.

    Attributes
    ----------
    colors : sequence of QColor
        From `least` to `largest`, evenly.
    largest : str
        With its unit.
    least : str
        "0", or as far below 0 as `largest` is above.
    """

    colors: Sequence[QColor]
    largest: str
    least: str = "0"

    @property
    def words(self) -> str:
        """What the scale says in full."""
        words = QCoreApplication.translate("scale", "Colours are linear, from {least} to the largest value here: {largest}")
        return words.format(least=self.least, largest=self.largest)


def number_text(value: float, digits: int = 4) -> str:
    """A value with so many digits behind the point; small ones keep their digits; "" for NaN."""
    if np.isnan(value):
        return ""
    return f"{value:.{digits}f}" if value == 0 or abs(value) >= 10 ** (1 - digits) else f"{value:.2e}"


def paint_scale_line(painter: QPainter, rect: QRectF, theme: Theme, scale: Scale | None, note: str = "") -> None:
    """Draw the scale, and `note` at its right."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    room = rect.adjusted(4 * GRID, 0, -3 * GRID, 0)
    if scale is not None:
        room = _paint_scale(painter, room, theme, scale)
    painter.setPen(theme.color("text"))
    painter.setFont(text_font(SMALL_SIZE, QFont.Weight.DemiBold, tabular=True))
    text = QFontMetricsF(painter.font()).elidedText(note, Qt.TextElideMode.ElideLeft, max(0.0, room.width()))
    painter.drawText(room, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, text)


def _paint_scale(painter: QPainter, room: QRectF, theme: Theme, scale: Scale) -> QRectF:
    """The room that is left."""
    painter.setFont(text_font(SMALL_SIZE, tabular=True))
    metrics = QFontMetricsF(painter.font())
    left = room.left() + metrics.horizontalAdvance(scale.least) + GRID
    bar = QRectF(left, room.center().y() - GRID, min(_BAR, room.width() / 5), 2 * GRID)
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for at, color in enumerate(scale.colors):
        gradient.setColorAt(at / max(1, len(scale.colors) - 1), color)
    painter.setPen(theme.color("line"))
    painter.setBrush(gradient)
    painter.drawRect(bar)
    painter.setPen(theme.color("muted"))
    middle = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft
    painter.drawText(room, middle, scale.least)
    behind = room.adjusted(bar.right() + GRID - room.left(), 0, 0, 0)
    room_for_words = max(0.0, behind.width() * _WORDS)
    text = QCoreApplication.translate("scale", "{largest} · linear to the largest").format(largest=scale.largest)
    if metrics.horizontalAdvance(text) > room_for_words:
        short = QCoreApplication.translate("scale", "{largest} · linear").format(largest=scale.largest)
        text = metrics.elidedText(short, Qt.TextElideMode.ElideRight, room_for_words)
    painter.drawText(behind, middle, text)
    return behind.adjusted(metrics.horizontalAdvance(text) + 2 * GRID, 0, 0, 0)
