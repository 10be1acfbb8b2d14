"""One line of text in a box, at half the cost of `QPainter.drawText` with a rectangle, which measures and lays out anew each time.

Of numbers a frame has dozens, and there are few: on the screen they are kept as pictures, at a quarter of that cost.
"""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPaintEngine, QPainter, QPixmap

from headscope.gui.paint.anchors import note_anchor
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
    x, y = box.left(), box.center().y() + _drop(pixels, weight)
    if side != LEFT:
        advance = text_width(text, pixels, weight)
        spare = box.width() - advance
        x += spare if side == RIGHT else spare / 2
        note_anchor(text, x, y, "end" if side == RIGHT else "middle", advance)
    painter.setFont(text_font(pixels, weight))
    painter.drawText(QPointF(x, y), text)


def write_number(painter: QPainter, box: QRectF, number: str, pixels: int, color: QColor) -> None:
    """Write a short number in the middle of a box."""
    ratio = painter.device().devicePixelRatioF()
    if painter.paintEngine().type() != QPaintEngine.Type.Raster or painter.deviceTransform().m11() != ratio:  # a file
        painter.setPen(color)
        write(painter, box, number, pixels, side=CENTER)
        return
    stamp, size = _stamp(number, pixels, color.rgb(), ratio)
    middle = box.center()
    painter.drawPixmap(QPointF(middle.x() - size.width() / 2, middle.y() - size.height() / 2).toPoint(), stamp)


@kept_by_type(2048)
def _stamp(number: str, pixels: int, rgb: int, ratio: float) -> tuple[QPixmap, QSizeF]:
    metrics = QFontMetricsF(text_font(pixels))
    size = QSizeF(math.ceil(metrics.horizontalAdvance(number)) + 2, math.ceil(metrics.height()))
    stamp = QPixmap(math.ceil(size.width() * ratio), math.ceil(size.height() * ratio))
    stamp.setDevicePixelRatio(ratio)
    stamp.fill(QColor(0, 0, 0, 0))
    painter = QPainter(stamp)
    painter.setPen(QColor.fromRgb(rgb))
    write(painter, QRectF(0, 0, size.width(), size.height()), number, pixels, side=CENTER)
    painter.end()
    return stamp, size


@kept_by_type(256)
def _drop(pixels: int, weight: QFont.Weight) -> float:
    """How far the base line is below the middle."""
    metrics = QFontMetricsF(text_font(pixels, weight))
    return (metrics.ascent() - metrics.descent()) / 2
