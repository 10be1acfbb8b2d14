"""Beside each token the weights between it and the token in focus: a number and a bar for each head."""

from __future__ import annotations

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from headscope.gui.paint.link_layout import LINE, LinksLayout
from headscope.gui.paint.theme import GRID, Theme

_FEW_HEADS = 4  # whose bars fit under each other
_LITTLE = 0.05  # numbers of smaller weights are muted
_BEHIND = 0.3  # opacity of a bar that a label is written on


def paint_meter(
    painter: QPainter, layout: LinksLayout, theme: Theme, row: int, values: list[float], colors: list[QColor], *, left: bool
) -> None:
    """Draw the weights of one token, one of each head, with the painter's font; the number is the largest.

    Where there is no room outside of the labels, the number stands over the lines, and a single head's bar behind the label.
    """
    alone = len(values) == 1
    number, bars = layout.number_box(row, left=left), layout.bars_box(row, left=left)
    if not layout.meter:
        painter.fillRect(number if alone else number.united(bars), theme.color("panel", 0.8))
    if layout.meter and len(values) <= _FEW_HEADS:
        _paint_lanes(painter, bars, values, colors, left=left)
    elif alone:
        faint = QColor(colors[0])
        faint.setAlphaF(_BEHIND)
        _paint_lanes(painter, layout.label_box(row, left=left), values, [faint], left=left)
    else:
        _paint_bars(painter, bars, values, colors)
    largest = max(values)
    strong = theme.color("text") if alone else colors[values.index(largest)]
    painter.setPen(theme.color("muted") if largest < _LITTLE else strong)
    painter.drawText(tall(number), Qt.AlignmentFlag.AlignCenter, f"{largest:.3f}")


def _paint_lanes(painter: QPainter, room: QRectF, values: list[float], colors: list[QColor], *, left: bool) -> None:
    """A bar for each head, one under the other, from the tokens outwards; a full bar is weight 1."""
    height = min(room.height() - 2, 4.0 * GRID)
    each = height / len(values)
    for i, (value, color) in enumerate(zip(values, colors, strict=True)):
        width = value * room.width()
        x = room.right() - width if left else room.left()
        painter.fillRect(QRectF(x, room.center().y() - height / 2 + i * each, width, max(1.0, each - 1)), color)


def _paint_bars(painter: QPainter, room: QRectF, values: list[float], colors: list[QColor]) -> None:
    """A bar for each head, side by side in the order of the legend; a bar as high as the row is weight 1."""
    each = min(room.width() / len(values), 2.0 * GRID)
    height = min(room.height() - 2, 5.0 * GRID)
    base = room.center().y() + height / 2
    for i, (value, color) in enumerate(zip(values, colors, strict=True)):
        painter.fillRect(QRectF(room.left() + i * each, base - value * height, each - 1, value * height), color)


def tall(box: QRectF) -> QRectF:
    """`box`, at least high enough for a line of text about its middle."""
    more = max(0.0, (LINE - box.height()) / 2)
    return box.adjusted(0, -more, 0, more)
