"""The legend of a picture of links: where the name of each head stands, in as few lines as there can be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPen

from headscope.core.vocabulary import Head
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, scaled, text_font


@dataclass(frozen=True, slots=True)
class Note:
    """What a legend says beside the heads: of the numbers "above" or "below" 0, whose colour it has, or of all."""

    words: str
    of: Literal["above", "below", ""] = ""


Entry = Head | Note
Legend = tuple[tuple[QRectF, str, Entry | None], ...]
"""Boxes, what is written in them, and the head that is meant; None: of all that follow."""
_HIGH, _CLOSE = 20.0, 16.0  # a line of a legend, and one of several


def lay_out_legend(entries: Sequence[Entry], room: QRectF) -> Legend:
    """The names of the heads, centred in as many lines as they need: in words if one line is enough for that, else short.

    Heads of one layer then have the layer's name once, before them. Notes follow.
    """
    heads = [entry for entry in entries if not isinstance(entry, Note)]
    notes: list[tuple[str, Entry | None]] = [(entry.words, entry) for entry in entries if isinstance(entry, Note)]
    metrics = QFontMetricsF(text_font(SMALL_SIZE))
    translate = QCoreApplication.translate
    words = translate("links", "layer {layer} · head {head}")
    names: list[tuple[str, Entry | None]] = [(words.format(layer=layer, head=head), (layer, head)) for layer, head in heads]
    if sum(_width(metrics, *name) for name in names) > room.width():
        names = [(f"{layer}·{head}", (layer, head)) for layer, head in heads]
        if len({layer for layer, _ in heads}) == 1:
            names = [(f"{head}", (layer, head)) for layer, head in heads]
            names.insert(0, (translate("links", "layer {layer}, heads").format(layer=heads[0][0]), None))
    lines: list[list[tuple[float, str, Entry | None]]] = []
    for name, head in (*names, *notes):
        apart = f"·  {name}" if lines and isinstance(head, Note) and not head.of else name
        width = _width(metrics, apart, head)
        if not lines or sum(used for used, *_ in lines[-1]) + width > room.width():
            lines.append([])
            apart, width = name, _width(metrics, name, head)
        lines[-1].append((width, apart, head))
    high = scaled(_HIGH if len(lines) == 1 else _CLOSE)
    legend = []
    for number, line in enumerate(lines):
        x = room.center().x() - sum(width for width, *_ in line) / 2
        for width, name, head in line:
            legend.append((QRectF(x, room.top() + number * high, width, high), name, head))
            x += width
    return tuple(legend)


def head_at(legend: Legend, point: QPointF) -> Head | None:
    """The head whose name or square is at `point`."""
    return next((entry for box, _, entry in legend if box.contains(point) and not isinstance(entry, Note)), None)


def _has_square(entry: Entry | None) -> bool:
    return entry is not None and (not isinstance(entry, Note) or bool(entry.of))


def _width(metrics: QFontMetricsF, name: str, entry: Entry | None) -> float:
    return metrics.horizontalAdvance(name) + (5 if _has_square(entry) else 2) * GRID


def paint_legend(painter: QPainter, legend: Legend, colors: Mapping[Head | str, QColor], theme: Theme) -> None:
    """The heads' names beside squares of their colours; squares of heads that have none, being switched off, are hollow.

    `colors` has those of "above" and "below" too, where there are notes of them.
    """
    painter.setFont(text_font(SMALL_SIZE))
    for box, name, entry in legend:
        color = None if entry is None else colors.get(entry.of if isinstance(entry, Note) else entry)
        indent = 0.0
        if _has_square(entry):
            square, indent = QRectF(box.left() + GRID, box.center().y() - GRID, 2 * GRID, 2 * GRID), 4.0 * GRID
            painter.setPen(QPen(theme.color("muted")) if color is None else Qt.PenStyle.NoPen)
            painter.setBrush(Qt.BrushStyle.NoBrush if color is None else color)
            painter.drawRoundedRect(square if color is not None else square.adjusted(0.5, 0.5, -0.5, -0.5), 2, 2)
        painter.setPen(theme.color("muted" if color is None and not isinstance(entry, Note) else "text"))
        painter.drawText(box.adjusted(indent, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, name)
