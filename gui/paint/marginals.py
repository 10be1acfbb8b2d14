"""The bars beside a heatmap: what each key receives, under the cells, and what each query gives, right of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from headscope.core.jobs import FloatArray
from headscope.gui.paint.heatmap_layout import HeatmapLayout
from headscope.gui.paint.labels import elided, text_width
from headscope.gui.paint.scales import written
from headscope.gui.paint.theme import SMALL_SIZE, Theme, scaled, text_font


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

    @property
    def selection(self) -> str:
        """What was picked out, in words."""
        say = QCoreApplication.translate
        if self.selected == 1:
            return say("Heatmap", "the selected token")
        return say("Heatmap", "sum of {count} selected tokens").format(count=self.selected)

    def says(self, at: int) -> str:
        """One bar in exact numbers."""
        value = float(self.values[at])
        if self.selected < 2:
            return f"{self.selection} {written(value)}" if self.selected else written(value)
        text = QCoreApplication.translate("Heatmap", "{selection} {sum}, mean {mean}")
        return text.format(selection=self.selection, sum=written(value), mean=written(value / self.selected))


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


def received_words(marginal: Marginal) -> str:
    """What the bars under the cells are."""
    words = marginal.selection if marginal.selected else QCoreApplication.translate("Heatmap", "mean")
    return QCoreApplication.translate("Heatmap", "received: {what} ≤ {most:.2f}").format(what=words, most=marginal.most)


def given_words(marginal: Marginal) -> str:
    """What the bars right of the cells are."""
    words = marginal.selection if marginal.selected else QCoreApplication.translate("Heatmap", "row sum")
    return QCoreApplication.translate("Heatmap", "given: {what} ≤ {most:.2f}").format(what=words, most=marginal.most)


def paint_marginals(
    painter: QPainter, layout: HeatmapLayout, theme: Theme, received: Marginal | None, given: Marginal | None
) -> None:
    """Paint both, and a line of words under them."""
    words = []
    if received is not None:
        color = theme.color("query", 0.75) if received.selected else theme.color("muted", 0.55)
        area, shown = layout.received, layout.shown(len(received.values), queries=False)
        bars = _bars(received, shown, layout.cell_width, area.height())
        left = layout.cell_rect(0, 0).left()
        _paint(painter, area, color, [QRectF(left + x, area.top(), width, height) for x, width, height in bars])
        words.append(f"▾ {received_words(received)}")
    if given is not None and layout.given_room:
        color = theme.color("accent", 0.75) if given.selected else theme.color("muted", 0.55)
        area, shown = layout.given, layout.shown(len(given.values), queries=True)
        bars = _bars(given, shown, layout.cell_height, area.width())
        top = layout.cell_rect(0, 0).top()
        _paint(painter, area, color, [QRectF(area.left(), top + y, width, height) for y, height, width in bars])
        words.append(f"▸ {given_words(given)}")
    if words:
        _paint_words(painter, layout, theme, words)


def _paint_words(painter: QPainter, layout: HeatmapLayout, theme: Theme, words: list[str]) -> None:
    """In one line, or in one below the other."""
    area, weight = layout.words, QFont.Weight.Normal
    line = "   ".join(words)
    lines = [line] if text_width(line, SMALL_SIZE) <= area.width() or area.height() < scaled(2 * SMALL_SIZE) else words
    painter.setFont(text_font(SMALL_SIZE))
    painter.setPen(theme.color("muted"))
    height = area.height() / len(lines)
    for number, text in enumerate(lines):
        place = QRectF(area.left(), area.top() + number * height, area.width(), height)
        shown = elided(text, SMALL_SIZE, weight, area.width())
        painter.drawText(place, Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignVCenter, shown)


def _paint(painter: QPainter, area: QRectF, color: QColor, bars: list[QRectF]) -> None:
    painter.save()
    painter.setClipRect(area)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    painter.drawRects(bars)
    painter.restore()


def _bars(marginal: Marginal, shown: range, cell: float, room: float) -> list[tuple[float, float, float]]:
    """Where each bar begins along the side, how broad it is, and how long. Of bars that share a pixel only the longest is drawn."""
    per_pixel = max(1, int(1 / max(cell, 1e-6)))
    starts = np.arange(shown.start, shown.stop, per_pixel)
    if not len(starts):
        return []
    most = marginal.most
    scale = room / most if most > 0 else 0.0
    lengths = np.maximum.reduceat(marginal.values[: shown.stop], starts) * np.float32(scale)
    inset = 0.2 * cell if cell > 4 else 0.0
    broad = max(1.0, cell - 2 * inset)
    long = lengths > 0
    return [
        (at * cell + inset, broad, length) for at, length in zip(starts[long].tolist(), lengths[long].tolist(), strict=True)
    ]
