"""A row that says how probable something is: its name, a bar as long as the probability, the number."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from headscope.gui.paint.theme import GRID, TEXT_SIZE, Theme, scaled, text_font

_NUMBER_WIDTH = 52.0
CHANGE_WIDTH = 52.0
_LEAST_GHOST = 1.5
"""Pixels: an outline around less would look like more."""


def readable_probability(probability: float) -> str:
    """Three decimals, and never a small number as 0 nor a large one as 1: ``0.983``, ``<0.001``, ``>0.999``."""
    if 0 < probability < 0.0005:
        return "<0.001"
    if 0.9995 <= probability < 1:
        return ">0.999"
    return f"{probability:.3f}"


def readable_number(number: float) -> str:
    """Four digits of a number that may be of any size."""
    return f"{number:.4g}".replace("-", "−")


def readable_change(change: float) -> str:
    """A change in log-probability with its sign and two decimals, ``+1.32``; never a small one as none: ``+0.00``."""
    if math.isnan(change):
        return ""  # impossible before and after
    if math.isinf(change):
        return "+∞" if change > 0 else "−∞"
    return "0" if change == 0 else f"{change:+.2f}".replace("-", "−")


def paint_label(painter: QPainter, area: QRectF, theme: Theme, label: str, *, strong: bool) -> None:
    """A label on a line of its own, elided in its middle where it is longer."""
    font = text_font(TEXT_SIZE, QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    painter.setFont(font)
    painter.setPen(theme.color("text"))
    shown = QFontMetricsF(font).elidedText(label, Qt.TextElideMode.ElideMiddle, area.width())
    painter.drawText(area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)


def paint_probability(
    painter: QPainter,
    area: QRectF,
    theme: Theme,
    label: str,
    probability: float,
    *,
    label_width: float,
    bar_height: float,
    strong: bool = False,
    color: QColor | None = None,
    ghost: float | None = None,
    cut: bool = False,
    change: str | None = None,
    number: str | None = None,
    bar_color: QColor | None = None,
) -> None:
    """Paint a row into `area`.

    Parameters
    ----------
    label_width, bar_height : float
        Pixels; a longer label is elided in its middle.
    strong : bool
        Set off from the other rows.
    color : QColor, optional
        Of the label.
    ghost : float, optional
        Another probability, as an outline.
    cut : bool
        Struck out: what was removed.
    change : str, optional
        Behind the number, where all rows have room for one.
    number : str, optional
        Instead of a probability and its bar: what has no range.
    bar_color : QColor, optional
        Of the bar; the accent if not given.
    """
    right = Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight
    font = text_font(TEXT_SIZE, QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    font.setStrikeOut(cut)
    painter.setFont(font)
    painter.setPen(theme.color("muted") if cut else color or theme.color("text"))
    shown = QFontMetricsF(font).elidedText(label, Qt.TextElideMode.ElideMiddle, label_width - 2 * GRID)
    label_area = QRectF(area.left(), area.top(), label_width, area.height())
    painter.drawText(label_area, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, shown)
    if change is not None:
        painter.setFont(text_font(tabular=True))
        painter.setPen(theme.color("text" if strong else "muted"))
        painter.drawText(area, right, change)
        area = area.adjusted(0, 0, -scaled(CHANGE_WIDTH), 0)
    if number is not None:
        painter.setFont(text_font(TEXT_SIZE, QFont.Weight.DemiBold, tabular=True))
        painter.setPen(theme.color("text"))
        painter.drawText(area, right, number)
        return
    track = QRectF(area.left() + label_width, 0, area.width() - label_width - scaled(_NUMBER_WIDTH), bar_height)
    track.moveTop(area.center().y() - bar_height / 2)
    _paint_bar(painter, track, theme, probability, ghost, bar_color or theme.color("accent"))
    painter.setFont(text_font(tabular=True))
    painter.setPen(theme.color("text" if strong and not cut else "muted"))
    painter.drawText(area, right, readable_probability(probability))


def _paint_bar(painter: QPainter, track: QRectF, theme: Theme, probability: float, ghost: float | None, color: QColor) -> None:
    """The probability filled, the other one around it: both can be read whichever is larger."""
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("line", 0.6))
    painter.drawRoundedRect(track, 2, 2)
    if probability > 0 or ghost is None:
        painter.setBrush(color)
        painter.drawRoundedRect(_part(track, probability), 2, 2)
    if ghost is not None and track.width() * ghost >= _LEAST_GHOST:
        painter.setPen(QPen(theme.color("muted"), 1.5))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(_part(track, ghost).adjusted(-1.5, -2.5, 1.5, 2.5), 3, 3)


def _part(track: QRectF, share: float) -> QRectF:
    return QRectF(track.left(), track.top(), max(1.0, track.width() * share), track.height())
