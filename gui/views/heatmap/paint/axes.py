"""The two axes of a heatmap: labels of tokens, and where sentences and segments begin."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

from PySide6.QtCore import QLineF, QPointF, QRectF
from PySide6.QtGui import QPainter, QPen, QPixmap

from headscope.core.text.tokens import Token, TokenAxis, Units
from headscope.core.text.units import axis_in_units
from headscope.gui.paint.found import paint_found
from headscope.gui.paint.labels import draw_label, text_width
from headscope.gui.paint.theme import Theme, kept_by_type, scaled
from headscope.gui.views.heatmap.paint.layout import GAP, KEY_ANGLE, HeatmapLayout

_TICK = 6.0
_LEAST_APART = 8.0
_MARGIN = 1.5
"""Pixels above and below a label that nothing else may reach into."""


def boundaries_of(axis: TokenAxis) -> tuple[int, ...]:
    """Where a sentence or a segment begins behind the first; none where units are sentences already."""
    tokens = axis.tokens
    sentences = axis_in_units(replace(axis, pieces=None), Units("sentences")).pieces or ()
    starts = [
        run.start
        for run in sentences
        if run.start and not tokens[run.start].special and not (tokens[run.start - 1].special and run.start == 1)
    ]
    return () if all(len(run) == 1 for run in sentences) else tuple(starts)


def paint_label(
    painter: QPainter,
    layout: HeatmapLayout,
    theme: Theme,
    axis: TokenAxis,
    at: int,
    color: str | None,
    *,
    queries: bool,
    screen: float | None = None,
) -> None:
    """Write the label of a row or a column; strongly in a colour of the theme if one is given.

    `screen` are the dots per pixel of a screen, which is painted faster than a file.
    """
    plot = layout.plot
    middle = layout.cell_rect(at, at).center()
    inside = plot.top() - 1 <= middle.y() <= plot.bottom() + 1 if queries else plot.left() - 1 <= middle.x() <= plot.right() + 1
    if not inside:
        return
    room = (layout.query_label if queries else layout.key_label) + 1
    place = QPointF(plot.left() - GAP, middle.y()) if queries else QPointF(middle.x(), plot.top() - GAP)
    if screen is not None and color is None:
        stamp, origin = _stamp(axis.tokens[at], theme, layout.label_size, math.ceil(room), screen, queries)
        painter.drawPixmap((place - origin).toPoint(), stamp)
        return
    painter.save()
    painter.translate(place)
    if not queries:
        painter.rotate(-KEY_ANGLE)
    draw_label(painter, axis.tokens[at], theme, layout.label_size, room, right_aligned=queries, focus_color=color)
    painter.restore()


@kept_by_type(4096)
def _stamp(token: Token, theme: Theme, size: int, room: int, ratio: float, upright: bool) -> tuple[QPixmap, QPointF]:
    """A label as a picture, and where in it the label begins (or ends, `upright`): text takes ten times as long to draw."""
    turn, half = math.radians(0.0 if upright else KEY_ANGLE), scaled(size)
    width, height = room * math.cos(turn) + 2 * half, room * math.sin(turn) + 2 * half
    stamp = QPixmap(math.ceil(width * ratio), math.ceil(height * ratio))
    stamp.setDevicePixelRatio(ratio)
    stamp.fill(theme.color("panel", 0.0))
    origin = QPointF(math.ceil(width - half), half) if upright else QPointF(half, math.ceil(height - half))
    painter = QPainter(stamp)
    painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
    painter.translate(origin)
    painter.rotate(-math.degrees(turn))
    draw_label(painter, token, theme, size, room, right_aligned=upright)
    painter.end()
    return stamp, origin


def paint_strong_label(
    painter: QPainter,
    layout: HeatmapLayout,
    theme: Theme,
    axis: TokenAxis,
    at: int,
    color: str,
    *,
    queries: bool,
    erase: bool = True,
    tint: bool = False,
) -> None:
    """A label that stands out; `erase` clears its place first, and the whole of each label that reaches into it."""
    if erase:
        (_erase_query if queries else _erase_key)(painter, layout, theme, at, len(axis))
    if tint:
        _tint(painter, layout, theme, at, color, queries=queries)
    paint_label(painter, layout, theme, axis, at, color, queries=queries)


def beside(layout: HeatmapLayout, at: int, picked: tuple[int, ...], *, queries: bool) -> list[int]:
    """Those of `picked` whose labels were erased around that of `at`."""
    reach = _reach(layout, queries=queries)
    return [other for other in picked if 0 < abs(other - at) < reach]


def paint_boundaries(
    painter: QPainter, layout: HeatmapLayout, theme: Theme, boundaries: tuple[int, ...], *, queries: bool
) -> None:
    """Short lines across the axis where sentences begin; none where they would be a comb."""
    plot, lines = layout.plot, []
    cell = layout.cell_height if queries else layout.cell_width
    if boundaries and (boundaries[-1] - boundaries[0]) * cell < (len(boundaries) - 1) * _LEAST_APART:
        return
    for at in boundaries:
        corner = layout.cell_rect(at, at).topLeft()
        if queries and plot.top() < corner.y() < plot.bottom():
            lines.append(QLineF(plot.left() - _TICK, corner.y(), plot.left() - 1, corner.y()))
        elif not queries and plot.left() < corner.x() < plot.right():
            lines.append(QLineF(corner.x(), plot.top() - _TICK, corner.x(), plot.top() - 1))
    painter.setPen(QPen(theme.color("muted"), 1))
    painter.drawLines(lines)


def paint_found_labels(
    painter: QPainter, layout: HeatmapLayout, theme: Theme, axis: TokenAxis, found: Collection[int], *, queries: bool
) -> None:
    """Mark the labels of what was found in the text, and the edge of the cells also where there is no room for a label."""
    shown, half = set(layout.shown(len(axis), queries=queries)), scaled(layout.label_size) * 0.5 + _MARGIN
    written, plot = set(layout.labelled(len(axis), queries=queries)), layout.plot
    for at in sorted(shown.intersection(found)):
        cell = layout.cell_rect(at, at).intersected(plot)
        if queries:
            paint_found(painter, [QRectF(plot.left() - _TICK, cell.top(), _TICK - 1, cell.height())], theme)
        else:
            paint_found(painter, [QRectF(cell.left(), plot.top() - _TICK, cell.width(), _TICK - 1)], theme)
        if at not in written:
            continue
        token = axis.tokens[at].text
        length = min(text_width(token, layout.label_size) + 4, layout.query_label if queries else layout.key_label)
        painter.save()
        if queries:
            painter.translate(plot.left() - GAP - length + 2, cell.center().y())
        else:
            painter.translate(cell.center().x(), plot.top() - GAP)
            painter.rotate(-KEY_ANGLE)
        paint_found(painter, [QRectF(-2, -half, length, 2 * half)], theme)
        painter.restore()


def _tint(painter: QPainter, layout: HeatmapLayout, theme: Theme, at: int, color: str, *, queries: bool) -> None:
    """A quiet ground behind the label of a row or column that was picked out."""
    half, plot, middle = scaled(layout.label_size) * 0.5 + _MARGIN, layout.plot, layout.cell_rect(at, at).center()
    painter.save()
    if queries and plot.top() <= middle.y() <= plot.bottom():
        width = layout.query_label + GAP
        painter.fillRect(QRectF(plot.left() - width - 2, middle.y() - half, width, 2 * half), theme.color(color, 0.14))
    elif not queries and plot.left() <= middle.x() <= plot.right():
        painter.translate(middle.x(), plot.top() - GAP)
        painter.rotate(-KEY_ANGLE)
        painter.fillRect(QRectF(-3, -half, layout.key_label + 6, 2 * half), theme.color(color, 0.14))
    painter.restore()


def _erase_query(painter: QPainter, layout: HeatmapLayout, theme: Theme, query: int, count: int) -> None:
    half, width = scaled(layout.label_size) * 0.5 + _MARGIN, layout.query_label + GAP
    for at in _crowded(layout, query, count, queries=True):
        middle = layout.cell_rect(at, 0).center().y()
        painter.fillRect(QRectF(layout.plot.left() - width - 4, middle - half, width, 2 * half), theme.color("panel"))


def _erase_key(painter: QPainter, layout: HeatmapLayout, theme: Theme, key: int, count: int) -> None:
    half = scaled(layout.label_size) * 0.5 + _MARGIN
    for at in _crowded(layout, key, count, queries=False):
        painter.save()
        painter.translate(layout.cell_rect(0, at).center().x(), layout.plot.top() - GAP)
        painter.rotate(-KEY_ANGLE)
        painter.fillRect(QRectF(-1, -half, layout.key_label + 6, 2 * half), theme.color("panel"))
        painter.restore()


def _reach(layout: HeatmapLayout, *, queries: bool) -> float:
    """How many cells a label is broad."""
    broad = scaled(layout.label_size) + 2 * _MARGIN
    return broad / layout.cell_height if queries else broad / math.sin(math.radians(KEY_ANGLE)) / layout.cell_width


def _crowded(layout: HeatmapLayout, at: int, count: int, *, queries: bool) -> list[int]:
    """A row or column, and those whose labels reach into its own."""
    reach = _reach(layout, queries=queries)
    return [at, *(other for other in layout.labelled(count, queries=queries) if other != at and abs(other - at) < reach)]
