"""The card of a heatmap: the exact number of a cell, its rank, and what was summed up over the rows and columns picked out."""

from __future__ import annotations

import math

from PySide6.QtCore import QCoreApplication, QRectF
from PySide6.QtGui import QFont, QPainter

from headscope.gui.paint.labels import elided
from headscope.gui.paint.scales import written
from headscope.gui.paint.theme import TEXT_SIZE, Theme
from headscope.gui.views.heatmap.paint.layout import HeatmapLayout
from headscope.gui.views.heatmap.paint.marginals import given_words, received_words
from headscope.gui.views.heatmap.paint.picture import HeatmapPicture
from headscope.gui.views.heatmap.paint.value_card import paint_value_card

_LONGEST_NAME = 120.0


def paint_heatmap_card(
    painter: QPainter,
    within: QRectF,
    picture: HeatmapPicture,
    layout: HeatmapLayout,
    theme: Theme,
    focus: tuple[int | None, int | None],
    value: float | None,
    note: str,
) -> None:
    """Paint the card of the cell in `focus`, or of the sum of a row or a column that is in focus alone.

    `value` is the cell's number where the picture does not know it; `note` is the last line.
    """
    query, key = focus
    names = [
        elided(axis.tokens[at].text, TEXT_SIZE, QFont.Weight.DemiBold, _LONGEST_NAME)
        if at is not None and at < len(axis)
        else ""
        for axis, at in ((picture.queries, query), (picture.keys, key))
    ]
    sums = _sum_words(picture, query, key)
    if all(names) and query is not None and key is not None:
        beside = layout.cell_rect(query, key)
        if layout.plot.adjusted(-1, -1, 1, 1).contains(beside.center()):
            number = picture.value(query, key) if value is None else value
            lines = [*_rank_words(picture, query, key, number), *sums, note]
            paint_value_card(painter, within, beside, theme, " → ".join(names), _written(number), lines)
    elif any(names) and sums:
        beside = layout.cell_rect(query or 0, key or 0)
        if query is None:
            beside.moveTop(layout.received.top())
        else:
            beside.moveLeft(layout.plot.right())
        paint_value_card(painter, within, beside, theme, "".join(names), "", [*sums, note])


def spoken_card(picture: HeatmapPicture | None, focus: tuple[int | None, int | None], value: float | None, note: str) -> str:
    """The same for who cannot see it; of a row or a column alone what its bar says; "" of nothing."""
    if picture is None:
        return ""
    query, key = focus
    has_query, has_key = query is not None and query < len(picture.queries), key is not None and key < len(picture.keys)
    translate = QCoreApplication.translate
    if query is not None and key is not None and has_query and has_key:
        number = picture.value(query, key) if value is None else value
        words = translate("Heatmap", "{query} attends to {key}: {number}, {head}")
        names = picture.queries.labels[query], picture.keys.labels[key]
        return words.format(query=names[0], key=names[1], number=_written(number), head=note)
    side, at, axis = (picture.given, query, picture.queries) if has_query else (picture.received, key, picture.keys)
    if at is None or not (has_query or has_key):
        return ""
    if side is None:
        return axis.labels[at]
    words = translate("Heatmap", "{token}: {what} {number}")
    what = given_words(side) if has_query else received_words(side)
    return words.format(token=axis.labels[at], what=what, number=side.says(at))


def _sum_words(picture: HeatmapPicture, query: int | None, key: int | None) -> list[str]:
    """What the bars of the row and of the column say, where they are sums of what was picked out."""
    words, found = QCoreApplication.translate("Heatmap", "{what}: {value}"), []
    if picture.received is not None and picture.received.selected and key is not None and key < len(picture.keys):
        found.append(words.format(what=received_words(picture.received), value=picture.received.says(key)))
    if picture.given is not None and picture.given.selected and query is not None and query < len(picture.queries):
        found.append(words.format(what=given_words(picture.given), value=picture.given.says(query)))
    return found


def _rank_words(picture: HeatmapPicture, query: int, key: int, number: float | None) -> list[str]:
    """The rank, where colours are ranks; exact, or from where to where it may be."""
    found = picture.cells.rank(query, key, number) if picture.cells.look.scale == "rank" else None
    if found is None:
        return []
    best, worst, count = found
    translate = QCoreApplication.translate
    exact, between = (
        translate("Heatmap", "rank {best:,} of {count:,} in the head"),
        translate("Heatmap", "rank {best:,} to {worst:,} of {count:,} in the head"),
    )
    return [(exact if best == worst else between).format(best=best, worst=worst, count=count)]


def _written(number: float | None) -> str:
    if number is None:
        return "…"
    return QCoreApplication.translate("Heatmap", "masked") if math.isnan(number) else written(number)
