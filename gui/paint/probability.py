"""A row that says how probable something is: its name, a bar as long as the probability, the number."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter

from headscope.gui.paint.theme import GRID, TEXT_SIZE, Theme, text_font

_NUMBER_WIDTH = 52.0


def readable_probability(probability: float) -> str:
    """Three decimals, and never a small number as 0 nor a large one as 1: ``0.983``, ``<0.001``, ``>0.999``."""
    if 0 < probability < 0.0005:
        return "<0.001"
    if 0.9995 <= probability < 1:
        return ">0.999"
    return f"{probability:.3f}"


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
    """
    middle, left = Qt.AlignmentFlag.AlignVCenter, Qt.AlignmentFlag.AlignLeft
    font = text_font(TEXT_SIZE, QFont.Weight.DemiBold if strong else QFont.Weight.Normal)
    painter.setFont(font)
    painter.setPen(color or theme.color("text"))
    shown = QFontMetricsF(font).elidedText(label, Qt.TextElideMode.ElideMiddle, label_width - 2 * GRID)
    painter.drawText(QRectF(area.left(), area.top(), label_width, area.height()), middle | left, shown)
    track = QRectF(area.left() + label_width, 0, area.width() - label_width - _NUMBER_WIDTH, bar_height)
    track.moveTop(area.center().y() - bar_height / 2)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("line", 0.6))
    painter.drawRoundedRect(track, 2, 2)
    painter.setBrush(theme.color("accent"))
    painter.drawRoundedRect(QRectF(track.left(), track.top(), max(1.0, track.width() * probability), bar_height), 2, 2)
    painter.setFont(text_font(tabular=True))
    painter.setPen(theme.color("text" if strong else "muted"))
    painter.drawText(area, middle | Qt.AlignmentFlag.AlignRight, readable_probability(probability))
