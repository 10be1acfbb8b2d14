"""The bars beside a heatmap: what each key receives, under the cells, and what each query gives, right of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QCoreApplication, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPaintEngine, QPainter

from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.labels import elided, text_width
from headscope.gui.paint.scales import written
from headscope.gui.paint.theme import SMALL_SIZE, Theme, scaled
from headscope.gui.paint.write import CENTER, write
from headscope.gui.views.heatmap.paint.layout import HeatmapLayout

_APART = 4.0
"""Pixels a cell must have more than, for a gap between its bar and the next."""


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """Bars along one side.

    Attributes
    ----------
    values : float32, (n_keys,) or (n_queries,)
    selected : int
        How many rows or columns that were picked out they sum up; 0: of none in particular.
    """

    values: FloatArray
    selected: int = 0

    @property
    def most(self) -> float:
        """The largest; its bar fills the room."""
        return float(self.values.max(initial=0))

    def says(self, at: int) -> str:
        """One bar in exact numbers."""
        value = float(self.values[at])
        if self.selected < 2:
            return written(value)
        text = QCoreApplication.translate("Heatmap", "{sum}, mean {mean}")
        return text.format(sum=written(value), mean=written(value / self.selected))


def received_of(weights: FloatArray, queries: Sequence[int]) -> Marginal:
    """What each key receives: from `queries` together, or on average from all if there are none."""
    if queries:
        return Marginal(weights[list(queries)].sum(axis=0), len(queries))
    return Marginal(np.asarray(weights.mean(axis=0), np.float32))


def given_of(weights: FloatArray, keys: Sequence[int]) -> Marginal:
    """What each query gives: to `keys` together, or its row's sum if there are none."""
    if keys:
        return Marginal(weights[:, list(keys)].sum(axis=1), len(keys))
    return Marginal(np.asarray(weights.sum(axis=1), np.float32))


def says_something(given: Marginal) -> bool:
    """Whether the bars of the queries are worth their place in a figure: not where they only say that each row sums to 1.00."""
    return bool(given.selected) or any(f"{value:.2f}" != "1.00" for value in given.values.tolist())


def received_words(marginal: Marginal) -> str:
    """What the bars under the cells are."""
    translate, n = QCoreApplication.translate, marginal.selected
    if not n:
        return translate("Heatmap", "column mean")
    return translate("Heatmap", "column sum over %n selected quer(y/ies)", "", n)


def given_words(marginal: Marginal) -> str:
    """What the bars right of the cells are."""
    translate, n = QCoreApplication.translate, marginal.selected
    if not n:
        return translate("Heatmap", "row sum")
    return translate("Heatmap", "row sum over %n selected key(s)", "", n)


def with_most(words: str, marginal: Marginal) -> str:
    """What the bars are, and the largest."""
    return QCoreApplication.translate("Heatmap", "{what} ≤ {most:.2f}").format(what=words, most=marginal.most)


def paint_marginals(
    painter: QPainter, layout: HeatmapLayout, theme: Theme, received: Marginal | None, given: Marginal | None, note: str = ""
) -> None:
    """Paint both, and a line of words under them, which begins with `note`."""
    words = [note] if note else []
    if received is not None:
        paint_bars(painter, layout, theme, received, keys=True)
        words.append(f"▾ {with_most(received_words(received), received)}")
    if given is not None and layout.given_room:
        paint_bars(painter, layout, theme, given, keys=False)
        words.append(f"▸ {with_most(given_words(given), given)}")
    if words:
        _paint_words(painter, layout, theme, words)


def paint_bars(painter: QPainter, layout: HeatmapLayout, theme: Theme, marginal: Marginal, *, keys: bool) -> None:
    """The bars of the keys, under the cells, or of the queries, right of them."""
    color = theme.color("query" if keys else "accent", 0.75) if marginal.selected else theme.color("muted", 0.55)
    shown = layout.shown(len(marginal.values), queries=not keys)
    area, corner = layout.received if keys else layout.given, layout.cell_rect(0, 0).topLeft()
    along = (corner.x(), layout.cell_width) if keys else (corner.y(), layout.cell_height)
    _paint_bars(painter, area, color, marginal, shown, *along, down=keys)


def _paint_words(painter: QPainter, layout: HeatmapLayout, theme: Theme, words: list[str]) -> None:
    """In one line, or in one below the other."""
    area, weight = layout.words, QFont.Weight.Normal
    line = "   ".join(words)
    lines = [line] if text_width(line, SMALL_SIZE) <= area.width() or area.height() < scaled(2 * SMALL_SIZE) else words
    painter.setPen(theme.color("muted"))
    height = area.height() / len(lines)
    for number, text in enumerate(lines):
        place = QRectF(area.left(), area.top() + number * height, area.width(), height)
        write(painter, place, elided(text, SMALL_SIZE, weight, area.width()), SMALL_SIZE, weight, side=CENTER)


def _paint_bars(
    painter: QPainter, area: QRectF, color: QColor, marginal: Marginal, shown: range, origin: float, cell: float, *, down: bool
) -> None:
    """Bars that grow from `area`'s upper edge `down`, or from its left edge to the right; that of cell 0 is at `origin`."""
    if not len(shown) or marginal.most <= 0:
        return
    painter.save()
    painter.setClipRect(area)
    if cell <= _APART and painter.paintEngine().type() == QPaintEngine.Type.Raster:
        _paint_dense(painter, area, color, marginal, shown, origin, cell, down=down)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        room = area.height() if down else area.width()
        boxes = []
        for at, broad, length in _bars(marginal, shown, cell, room):
            place = origin + at
            boxes.append(QRectF(place, area.top(), broad, length) if down else QRectF(area.left(), place, length, broad))
        painter.drawRects(boxes)
    painter.restore()


def _bars(marginal: Marginal, shown: range, cell: float, room: float) -> list[tuple[float, float, float]]:
    """Where each bar begins along the side, how broad it is, and how long. Of bars that share a pixel only the longest is drawn."""
    per_pixel = max(1, int(1 / max(cell, 1e-6)))
    starts = np.arange(shown.start, shown.stop, per_pixel)
    lengths = np.maximum.reduceat(marginal.values[: shown.stop], starts) * np.float32(room / marginal.most)
    inset = 0.2 * cell if cell > _APART else 0.0
    broad = max(1.0, cell - 2 * inset)
    long = lengths > 0
    return [
        (at * cell + inset, broad, length) for at, length in zip(starts[long].tolist(), lengths[long].tolist(), strict=True)
    ]


def _paint_dense(
    painter: QPainter, area: QRectF, color: QColor, marginal: Marginal, shown: range, origin: float, cell: float, *, down: bool
) -> None:
    """Bars without gaps as one image: hundreds of rectangles take longer, and show stripes. Of bars that share a pixel it has the longest."""
    scale = painter.deviceTransform().m11()
    along, room = (area.width(), area.height()) if down else (area.height(), area.width())
    n_along, n_room = (max(1, math.ceil(side * scale)) for side in (along, room))
    edges = ((area.left() if down else area.top()) - origin + np.arange(n_along + 1) / scale) / cell
    inside = (edges[1:] > shown.start) & (edges[:-1] < shown.stop)
    first = np.clip(edges[:-1].astype(int), shown.start, shown.stop - 1)
    after = np.clip(np.ceil(edges[1:]).astype(int), first + 1, shown.stop)
    if cell * scale >= 1:  # the cell that has the middle of the pixel, as above
        first = np.clip(((edges[:-1] + edges[1:]) / 2).astype(int), shown.start, shown.stop - 1)
        after = first + 1
    longest = marginal.values[first]
    for more in range(1, int((after - first).max())):
        np.maximum(longest, marginal.values[np.minimum(first + more, after - 1)], out=longest)
    covered = np.clip(longest * np.float32(n_room / marginal.most) - np.arange(n_room, dtype=np.float32)[:, None], 0, 1)
    opacity = (covered * inside * 255).astype(np.uint8)
    pixels = np.take(_tints(color.rgba()), opacity if down else opacity.T)
    bars = QImage(pixels.data, pixels.shape[1], pixels.shape[0], 4 * pixels.shape[1], QImage.Format.Format_ARGB32_Premultiplied)
    painter.drawImage(QRectF(area.left(), area.top(), bars.width() / scale, bars.height() / scale), bars)


@lru_cache(maxsize=16)
def _tints(rgba: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
    """A colour in 256 opacities, as premultiplied 0xAARRGGBB."""
    color = np.array([rgba >> shift & 0xFF for shift in (24, 16, 8, 0)], np.float64)
    opacity = np.arange(256)[:, None] / 255 * color[0] / 255
    channels = np.rint(opacity * np.array([255, *color[1:]])).astype(np.uint32)
    return np.asarray(channels @ np.array([1 << 24, 1 << 16, 1 << 8, 1], np.uint32), np.uint32)
