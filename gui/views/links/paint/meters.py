"""Beside each token the weights between it and the token in focus: a number and a bar for each head.

All tokens are drawn together, head by head: a frame has a hundred of them, and to a painter many rectangles of one colour are
little more than one.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.theme import GRID, Theme
from headscope.gui.paint.write import write_number
from headscope.gui.views.links.paint.ink import Ink
from headscope.gui.views.links.paint.layout import LinksLayout

_FEW_HEADS = 4  # whose bars fit under each other
_LITTLE = 0.05  # numbers of smaller weights are muted
_SEEN = 0.1  # pixels; most of many bars are lower
_BEHIND = 0.3  # opacity of a bar that a label is written on


def told(rows: Sequence[int], seen: Sequence[FloatArray]) -> tuple[list[int], FloatArray]:
    """Those of `rows` that have any weight, and the weights (n_heads, n_rows) of each."""
    values = np.stack([column[rows] for column in seen])
    some = np.flatnonzero(values.any(axis=0))
    return [rows[at] for at in some.tolist()], values[:, some]


def paint_meters(
    painter: QPainter,
    layout: LinksLayout,
    theme: Theme,
    rows: Sequence[int],
    values: FloatArray,
    ink: Ink,
    *,
    left: bool,
    full: float,
    pixels: int,
    behind: bool = False,
) -> None:
    """Draw the weights (n_heads, n_rows) of the tokens of `rows`; the number, `pixels` high, is the largest.

    A bar of `full` times the ink's largest number has its whole length. Where there is no room outside of the labels, the number stands over the lines,
    and a single head's bar on the label's place, on the screen `behind` a label that is written already: to write it again
    would take longer than all the rest.
    """
    alone, shares = len(values) == 1, values / np.float32(full)
    firsts = (layout.number_box, layout.bars_box, layout.label_box)
    numbers, bars, labels = (
        [first.translated(0, row * layout.rows.height) for row in rows] for first in [box(0, left=left) for box in firsts]
    )
    painter.setPen(Qt.PenStyle.NoPen)
    if not layout.meter:
        painter.setBrush(theme.color("panel", 0.8))
        painter.drawRects(numbers if alone else [number.united(bar) for number, bar in zip(numbers, bars, strict=True)])
    if layout.meter and len(values) <= _FEW_HEADS:
        for parts, colors in ink.parts(shares):
            _paint_lanes(painter, bars, parts, colors, left=left)
    elif alone:
        if behind:
            modes = QPainter.CompositionMode
            painter.setCompositionMode(modes.CompositionMode_Lighten if theme.dark else modes.CompositionMode_Darken)
        for parts, colors in ink.parts(shares):
            _paint_lanes(painter, labels, parts, [_mixed(colors[0], theme)], left=left)
        painter.setCompositionMode(QPainter.CompositionMode.CompositionMode_SourceOver)
    else:
        paint_bars(painter, bars, shares, ink)
    paint_largest(painter, numbers, theme, values, ink, pixels)


def _mixed(color: QColor, theme: Theme) -> QColor:
    """A faint colour, opaque: any label has more contrast with the panel."""
    panel, share = theme.color("panel"), _BEHIND
    channels = zip(color.getRgbF()[:3], panel.getRgbF()[:3], strict=True)  # type: ignore[index]  # a tuple
    return QColor.fromRgbF(*(share * mine + (1 - share) * ground for mine, ground in channels))


def paint_largest(painter: QPainter, boxes: Sequence[QRectF], theme: Theme, values: FloatArray, ink: Ink, pixels: int) -> None:
    """In each box the largest of its weights (what is furthest from 0) as a number, in the colour of its head if there are several."""
    muted, strong = theme.color("muted"), [theme.color("text")] if len(values) == 1 else ink.colors
    furthest = np.abs(values).argmax(axis=0) if len(values) else np.zeros(0, int)
    largest, little = values[furthest, np.arange(values.shape[1])].tolist(), _LITTLE * ink.largest
    for box, value, head in zip(boxes, largest, furthest.tolist(), strict=True):
        write_number(painter, box, ink.words(value), pixels, muted if abs(value) < little else strong[head])


def _paint_lanes(
    painter: QPainter, boxes: Sequence[QRectF], parts: FloatArray, colors: Sequence[QColor], *, left: bool
) -> None:
    """In each box a bar for each head, one under the other, from the tokens outwards; 1 is as long as the box."""
    for lane, (row, color) in enumerate(zip(parts.tolist(), colors, strict=True)):
        bars = []
        for box, part in zip(boxes, row, strict=True):
            height = min(box.height() - 2, 4.0 * GRID)
            each, width = height / len(parts), part * box.width()
            x = box.right() - width if left else box.left()
            if part:
                bars.append(QRectF(x, box.center().y() - height / 2 + lane * each, width, max(1.0, each - 1)))
        painter.setBrush(color)
        painter.drawRects(bars)


def paint_bars(painter: QPainter, boxes: Sequence[QRectF], shares: FloatArray, ink: Ink) -> None:
    """In each box a bar for each head, side by side in the order of the legend; 1 is as high as the box, at most 20 pixels."""
    for parts, colors in ink.parts(shares):
        _paint_parts(painter, boxes, parts, colors)


def _paint_parts(painter: QPainter, boxes: Sequence[QRectF], parts: FloatArray, colors: Sequence[QColor]) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    frames = []
    for box in boxes:
        each = min(box.width() / len(parts), 2.0 * GRID)
        height = min(box.height() - 2, 5.0 * GRID)
        frames.append((box.left(), each, max(each - 1, 0.8 * each), box.center().y() + height / 2, height))
    for head, (row, color) in enumerate(zip(parts.tolist(), colors, strict=True)):
        bars = [
            QRectF(left + head * each, base - part * height, width, part * height)
            for (left, each, width, base, height), part in zip(frames, row, strict=True)
            if part * height > _SEEN
        ]
        painter.setBrush(color)
        painter.drawRects(bars)
