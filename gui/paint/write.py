"""One line of text in a box, at half the cost of `QPainter.drawText` with a rectangle, which measures and lays out anew each time."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from headscope.gui.paint.labels import text_width
from headscope.gui.paint.theme import kept_by_type, text_font

LEFT, CENTER, RIGHT = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignHCenter, Qt.AlignmentFlag.AlignRight


def write(
    painter: QPainter,
    box: QRectF,
    text: str,
    pixels: int,
    weight: QFont.Weight = QFont.Weight.Normal,
    *,
    side: Qt.AlignmentFlag = LEFT,
) -> None:
    """Write `text` with the painter's pen, in the middle of the box's height; what is longer than the box reaches out of it."""
    x = box.left()
    if side != LEFT:
        spare = box.width() - text_width(text, pixels, weight)
        x += spare if side == RIGHT else spare / 2
    painter.setFont(text_font(pixels, weight))
    painter.drawText(QPointF(x, box.center().y() + _drop(pixels, weight)), text)


@kept_by_type(256)
def _drop(pixels: int, weight: QFont.Weight) -> float:
    """How far the base line is below the middle."""
    metrics = QFontMetricsF(text_font(pixels, weight))
    return (metrics.ascent() - metrics.descent()) / 2
