"""Beside each token the weights between it and the token in focus: a number and a bar for each head."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from headscope.gui.paint.link_layout import LinksLayout
from headscope.gui.paint.link_picture import line_height
from headscope.gui.paint.theme import GRID, Theme

_FEW_HEADS = 4  # whose bars fit under each other
_LITTLE = 0.05  # numbers of smaller weights are muted
_SEEN = 0.1  # pixels; most of many bars are lower
_BEHIND = 0.3  # opacity of a bar that a label is written on


def paint_meter(
    painter: QPainter,
    layout: LinksLayout,
    theme: Theme,
    row: int,
    values: list[float],
    colors: list[QColor],
    *,
    left: bool,
    full: float = 1.0,
) -> None:
    """Draw the weights of one token, one of each head, with the painter's font; the number is the largest.

    A bar of weight `full` has its whole length. Where there is no room outside of the labels, the number stands over the lines, and a single head's bar behind the label.
    """
    alone, parts = len(values) == 1, [value / full for value in values]
    number, bars = layout.number_box(row, left=left), layout.bars_box(row, left=left)
    if not layout.meter:
        painter.fillRect(number if alone else number.united(bars), theme.color("panel", 0.8))
    if layout.meter and len(values) <= _FEW_HEADS:
        _paint_lanes(painter, bars, parts, colors, left=left)
    elif alone:
        faint = QColor(colors[0])
        faint.setAlphaF(_BEHIND)
        _paint_lanes(painter, layout.label_box(row, left=left), parts, [faint], left=left)
    else:
        paint_bars(painter, bars, parts, colors)
    paint_largest(painter, tall(number), theme, values, colors)


def paint_largest(painter: QPainter, box: QRectF, theme: Theme, values: list[float], colors: list[QColor]) -> None:
    """The largest of the weights as a number, in the colour of its head if there are several."""
    largest = max(values)
    strong = theme.color("text") if len(values) == 1 else colors[values.index(largest)]
    painter.setPen(theme.color("muted") if largest < _LITTLE else strong)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, f"{largest:.3f}")


def _paint_lanes(painter: QPainter, room: QRectF, parts: list[float], colors: list[QColor], *, left: bool) -> None:
    """A bar for each head, one under the other, from the tokens outwards; 1 is as long as the room."""
    height = min(room.height() - 2, 4.0 * GRID)
    each = height / len(parts)
    for i, (part, color) in enumerate(zip(parts, colors, strict=True)):
        width = part * room.width()
        x = room.right() - width if left else room.left()
        painter.fillRect(QRectF(x, room.center().y() - height / 2 + i * each, width, max(1.0, each - 1)), color)


def paint_bars(painter: QPainter, room: QRectF, parts: list[float], colors: list[QColor]) -> None:
    """A bar for each head, side by side in the order of the legend; 1 is as high as the room, at most 20 pixels."""
    each = min(room.width() / len(parts), 2.0 * GRID)
    height = min(room.height() - 2, 5.0 * GRID)
    base, width = room.center().y() + height / 2, max(each - 1, 0.8 * each)
    for i, (part, color) in enumerate(zip(parts, colors, strict=True)):
        if part * height > _SEEN:
            painter.fillRect(QRectF(room.left() + i * each, base - part * height, width, part * height), color)


def tall(box: QRectF) -> QRectF:
    """`box`, at least high enough for a line of text about its middle."""
    more = max(0.0, (line_height() - box.height()) / 2)
    return box.adjusted(0, -more, 0, more)
