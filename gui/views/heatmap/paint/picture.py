"""HeatmapPicture: one head as cells, query rows over key columns. The same painting for screen, PNG, SVG and PDF."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final

import numpy as np
from PySide6.QtCore import QCoreApplication, QRectF, QSizeF, Qt
from PySide6.QtGui import QPainter, QPen

from headscope.core.attention.head_map import HeadMap, HeadOverview
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.attention.ranks import RankTable
from headscope.core.errors import HeadscopeError
from headscope.core.requests.cells import Part
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import BoolArray, FloatArray, Head
from headscope.gui.paint.figure import PLAIN, FigureOptions
from headscope.gui.paint.lens_words import lens_name
from headscope.gui.paint.scales import LINEAR, Look
from headscope.gui.paint.theme import Theme
from headscope.gui.views.heatmap.paint.axes import beside, paint_boundaries, paint_found_labels, paint_label, paint_strong_label
from headscope.gui.views.heatmap.paint.cells import HeatmapCells
from headscope.gui.views.heatmap.paint.color_bar import paint_color_bar
from headscope.gui.views.heatmap.paint.figure import Paper
from headscope.gui.views.heatmap.paint.layout import HeatmapLayout, heatmap_layout
from headscope.gui.views.heatmap.paint.marginals import Marginal, given_of, paint_marginals, received_of, says_something

_OUT_OF_PAIR = 0.72
"""How much of a cell that a sentence pair's filter leaves out is covered."""


@dataclass(frozen=True, slots=True)
class HeatmapPicked:
    """What stands out in a heatmap.

    Attributes
    ----------
    queries, keys : tuple of int
        Rows and columns that were picked out, in that order.
    pair : (query segment, key segment) or None
        The part of a sentence pair that is shown; the rest is dimmed.
    """

    queries: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()
    pair: tuple[int, int] | None = None


NOTHING: Final = HeatmapPicked()


class HeatmapPicture:
    """One head.

    Parameters
    ----------
    weights : float32, (n_queries, n_keys), or HeadOverview
        What the lens shows, NaN where it has no number.
    queries, keys : TokenAxis
        As long as the weights' sides.
    look : Look
        Scale, ends of the colours, colour map.
    lens : Lens
        Of signed numbers colours diverge from 0, and there are no sums.
    note : str
        What must be known of the numbers, in a few words under them.
    part : Part, optional
        Of a large head: finer, and shown wherever nothing outside of it is to be seen.
    ranks : float32, (n_queries, n_keys), or RankTable, optional
        Of the weights, if they are known already; of a large head its table.
    picked : HeatmapPicked
    received, given : Marginal, optional
        Of an overview: the sums over what was picked out; those of a matrix are computed here.
    boundaries : (of the queries, of the keys)
        Where sentences begin.
    head : (layer, head), optional
        Named in figures.
    """

    def __init__(
        self,
        weights: HeadMap,
        queries: TokenAxis,
        keys: TokenAxis,
        *,
        look: Look = LINEAR,
        lens: Lens = WEIGHTS,
        hidden: BoolArray | None = None,
        note: str = "",
        part: Part | None = None,
        ranks: FloatArray | RankTable | None = None,
        picked: HeatmapPicked = NOTHING,
        received: Marginal | None = None,
        given: Marginal | None = None,
        boundaries: tuple[tuple[int, ...], tuple[int, ...]] = ((), ()),
        head: Head | None = None,
    ) -> None:
        self.weights = weights
        self.queries = queries
        self.keys = keys
        self.note = note
        self.boundaries = boundaries
        self.head = head
        self._ranks = ranks
        self.cells = HeatmapCells(weights, look, lens=lens, hidden=hidden, part=part, ranks=ranks)
        self.picked = HeatmapPicked(_inside(picked.queries, len(queries)), _inside(picked.keys, len(keys)), picked.pair)
        self._sums = received, given

    def sharing(self, other: HeatmapPicture | None) -> HeatmapPicture:
        """This picture, going on with what `other` computed if it is of the same cells."""
        if other is not None and self.cells.take_over(other.cells) and self.picked == other.picked and self.cells.is_whole:
            sums: dict[str, object] = {name: other.__dict__[name] for name in ("received", "given") if name in other.__dict__}
            self.__dict__.update(sums)
        return self

    @cached_property
    def received(self) -> Marginal | None:
        """What each key receives; None where sums mean nothing, and while one is on the way."""
        if not _has_sums(self.cells.lens):
            return None
        if isinstance(self.weights, np.ndarray):
            return received_of(self.weights, self.picked.queries)
        every = Marginal(self.weights.received) if isinstance(self.weights, HeadOverview) else None
        return self._sums[0] if self.picked.queries else every

    @cached_property
    def given(self) -> Marginal | None:
        """What each query gives; None where sums mean nothing, and while one is on the way."""
        if not _has_sums(self.cells.lens):
            return None
        if isinstance(self.weights, np.ndarray):
            return given_of(self.weights, self.picked.keys)
        every = Marginal(self.weights.given) if isinstance(self.weights, HeadOverview) else None
        return self._sums[1] if self.picked.keys else every

    def value(self, query: int, key: int) -> float | None:
        """The number of a cell, NaN if hidden; None where only an overview is here."""
        return self.cells.value(query, key)

    def finer(self, layout: HeatmapLayout, scale: float) -> tuple[range, range, int, int] | None:
        """The part of an overview's map that `layout` shows more closely than the picture in it.

        Returns
        -------
        (rows, keys, height, width) or None
            As in `PartRequest`, at `scale` pixels a unit of the layout; None if what is here will do.
        """
        rows, keys = layout.shown(len(self.queries), queries=True), layout.shown(len(self.keys), queries=False)
        height, width = (round(side * scale) for side in (layout.plot.height(), layout.plot.width()))
        return self.cells.finer(rows, keys, height, width)

    @property
    def whole(self) -> QRectF:
        """The view that shows every cell."""
        return QRectF(0, 0, max(1, len(self.keys)), max(1, len(self.queries)))

    def size(self, options: FigureOptions = PLAIN) -> QSizeF:
        """A good size for a figure, in design units."""
        return self.paper(options).size(options)

    def layout(self, rect: QRectF, view: QRectF | None = None) -> HeatmapLayout:
        """Where everything lies in `rect`."""
        return heatmap_layout(rect, self.queries, self.keys, view or self.whole)

    # ---------------------------------------------------------------- painting
    def paint(
        self,
        painter: QPainter,
        rect: QRectF,
        theme: Theme,
        *,
        view: QRectF | None = None,
        query: int | None = None,
        key: int | None = None,
        vector: bool = False,
    ) -> None:
        """Paint everything into `rect`; `query` and `key` are framed. `vector` keeps cells rectangles where that is sensible."""
        layout = self.layout(rect, view)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        self.paint_frame(painter, layout, theme)
        self.paint_weights(painter, layout, theme, vector=vector)
        self.paint_focus(painter, layout, theme, query, key, erase=False)

    @property
    def about(self) -> str:
        """As a `Figure`."""
        translate = QCoreApplication.translate
        what = translate("Heatmap", "Attention {numbers}").format(numbers=lens_name(self.cells.lens))
        if self.head is not None:
            of = translate("Heatmap", "{what} of layer {layer}, head {head}")
            what = of.format(what=what, layer=self.head[0], head=self.head[1])
        words = translate("Heatmap", "{what}: {queries} queries (rows) by {keys} keys (columns)")
        return words.format(what=what, queries=len(self.queries), keys=len(self.keys))

    @property
    def title(self) -> str:
        """As a `Figure`."""
        return self.about

    def paper(self, options: FigureOptions) -> Paper:
        """What a figure of it shows."""
        pinned = options.picked.within(len(self.queries), len(self.keys))
        queries = dict.fromkeys((*self.picked.queries, *pinned.all_queries))
        keys = dict.fromkeys((*self.picked.keys, *pinned.all_keys))
        received = self.received if options.edge_bars else None
        given = self.given if options.edge_bars and self.given is not None and says_something(self.given) else None
        view = self.whole
        if options.region is not None:
            rows, columns = options.region
            view = QRectF(columns.start, rows.start, len(columns), len(rows)).intersected(view)
            if view.isEmpty():
                raise HeadscopeError("empty_region", rows=len(self.queries), columns=len(self.keys))
        cells = self._cells_in(options)
        return Paper(cells, self.queries, self.keys, self.head, received, given, tuple(queries), tuple(keys), view)

    def _cells_in(self, options: FigureOptions) -> HeatmapCells:
        """The cells, in another scale or other colours if the options ask for them."""
        look = self.cells.look
        scale, color_map = options.scale or look.scale, options.color_map or look.color_map
        if (scale, color_map) == (look.scale, look.color_map):
            return self.cells
        ends = look.ends if scale == look.scale else (0.0, 1.0)
        changed = replace(look, scale=scale, color_map=color_map, ends=ends)
        cells = self.cells
        return HeatmapCells(cells.values, changed, lens=cells.lens, hidden=cells.hidden, part=cells.part, ranks=self._ranks)

    def figure_layout(self, area: QRectF, options: FigureOptions = PLAIN) -> HeatmapLayout:
        """Where everything lies in a figure."""
        return self.paper(options).layout(area, options)

    def paint_figure(self, painter: QPainter, area: QRectF, theme: Theme, options: FigureOptions, *, vector: bool) -> None:
        """As a `Figure`; it has rows and columns of its own picked out."""
        paper, pinned = self.paper(options), options.picked.within(len(self.queries), len(self.keys))
        layout = paper.layout(area, options)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        paper.paint_axes(painter, area, layout, theme, options)
        paper.cells.paint(painter, layout, theme, vector=vector or options.ground == "transparent")
        if self.picked.pair is not None:
            self._dim(painter, layout, theme, self.picked.pair)
        chosen = {True: (*self.picked.queries, *pinned.queries), False: (*self.picked.keys, *pinned.keys)}
        for queries, alone in ((True, pinned.query), (False, pinned.key)):
            for at in dict.fromkeys(chosen[queries]):
                self._paint_frame_of(painter, layout, theme, at, queries=queries, picked=True)
            if alone is not None:
                self._paint_frame_of(painter, layout, theme, alone, queries=queries)
        paper.paint_edges(painter, layout, theme)
        if options.color_bar:
            paper.paint_color_bar(painter, layout, theme)

    def paint_weights(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, *, vector: bool = False) -> None:
        """What differs from head to head."""
        self.cells.paint(painter, layout, theme, vector=vector)
        if self.picked.pair is not None:
            self._dim(painter, layout, theme, self.picked.pair)
        for queries, positions in ((True, self.picked.queries), (False, self.picked.keys)):
            for at in positions:
                self._paint_frame_of(painter, layout, theme, at, queries=queries, picked=True)
        paint_marginals(painter, layout, theme, self.received, self.given, self.note)

    def paint_frame(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, *, screen: float | None = None) -> None:
        """What all heads of these axes and in this look share: labels and colour bar. `screen` as in `paint_label`."""
        sides = (True, self.queries, self.picked.queries, "query"), (False, self.keys, self.picked.keys, "accent")
        for queries, axis, picked, color in sides:
            for at in layout.labelled(len(axis), queries=queries):
                paint_label(painter, layout, theme, axis, at, None, queries=queries, screen=screen)
            for at in picked:
                paint_strong_label(painter, layout, theme, axis, at, color, queries=queries, tint=True)
            paint_boundaries(painter, layout, theme, self.boundaries[not queries], queries=queries)
        paint_color_bar(painter, layout, theme, self.cells)

    @property
    def frame_key(self) -> tuple[object, ...]:
        """Pictures of equal keys have the same frame."""
        return (
            self.queries,
            self.keys,
            self.picked,
            self.boundaries,
            self.cells.look,
            self.cells.bar,
            self.cells.lens,
            self.cells.hides,
        )

    def _dim(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, pair: tuple[int, int]) -> None:
        """Cover what is not between the two segments that are looked at."""
        color, plot = theme.color("panel", _OUT_OF_PAIR), layout.plot
        outside = [token.segment != pair[0] for token in self.queries.tokens]
        for run in _runs(outside):
            painter.fillRect(layout.cell_rect(run.start, 0, len(run), len(self.keys)).intersected(plot), color)
        inside = [not out for out in outside]
        columns = _runs([token.segment != pair[1] for token in self.keys.tokens])
        for rows in _runs(inside):
            for run in columns:
                painter.fillRect(layout.cell_rect(rows.start, run.start, len(rows), len(run)).intersected(plot), color)

    def _paint_frame_of(
        self, painter: QPainter, layout: HeatmapLayout, theme: Theme, at: int, *, queries: bool, picked: bool = False
    ) -> None:
        """A frame around a row or a column, dashed if it was picked out; cells keep their colours."""
        color = "query" if queries else "accent"
        painter.save()
        painter.setClipRect(layout.plot.adjusted(-2, -2, 2, 2))
        painter.setPen(QPen(theme.color(color), 1.6, Qt.PenStyle.DashLine if picked else Qt.PenStyle.SolidLine))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        cells = (
            layout.cell_rect(at, 0, 1, len(self.keys)) if queries else layout.cell_rect(0, at, len(self.queries), 1)
        ).intersected(layout.plot.adjusted(-1, -1, 1, 1))
        if not cells.isEmpty():
            painter.drawRoundedRect(cells, 2, 2)
        painter.restore()

    # ---------------------------------------------------------------- what follows the mouse
    def paint_found(
        self, painter: QPainter, layout: HeatmapLayout, theme: Theme, find: tuple[Collection[int], Collection[int]]
    ) -> None:
        """Mark the queries and the keys that were found in the text."""
        for queries, axis, found in ((True, self.queries, find[0]), (False, self.keys, find[1])):
            paint_found_labels(painter, layout, theme, axis, found, queries=queries)

    def paint_focus(
        self, painter: QPainter, layout: HeatmapLayout, theme: Theme, query: int | None, key: int | None, *, erase: bool
    ) -> None:
        """Frame a query's row and a key's column and write their labels strongly.

        `erase` clears the place of the labels first: on the screen the still picture lies underneath.
        """
        sides = (
            (False, key, self.keys, self.picked.keys, "accent"),
            (True, query, self.queries, self.picked.queries, "query"),
        )
        for queries, at, axis, picked, color in sides:
            if at is not None and at < len(axis):
                self._paint_frame_of(painter, layout, theme, at, queries=queries)
                paint_strong_label(painter, layout, theme, axis, at, color, queries=queries, erase=erase)
                for other in beside(layout, at, picked, queries=queries) if erase else ():
                    paint_strong_label(painter, layout, theme, axis, other, color, queries=queries, erase=False, tint=True)


def _has_sums(lens: Lens) -> bool:
    """Whether a row and a column can be summed up."""
    return not (lens.is_signed or lens.hides)


def _inside(positions: Sequence[int], count: int) -> tuple[int, ...]:
    return tuple(at for at in positions if at < count)


def _runs(flags: Sequence[bool]) -> list[range]:
    """Where neighbouring flags are true."""
    found: list[range] = []
    for at, flag in enumerate(flags):
        if flag and found and found[-1].stop == at:
            found[-1] = range(found[-1].start, at + 1)
        elif flag:
            found.append(range(at, at + 1))
    return found
