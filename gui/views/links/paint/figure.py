"""Links and arcs on paper: type of one size, words as long as there is room, and no more height than the lines need."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Self, cast

import numpy as np
from PySide6.QtCore import QCoreApplication, QLineF, QRectF, QSizeF
from PySide6.QtGui import QPainter, QPen

from headscope.core.errors import HeadscopeError
from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.figure import PLAIN, FigureOptions, good_size
from headscope.gui.paint.figure_title import paint_title, title_height
from headscope.gui.paint.labels import broken
from headscope.gui.paint.lens_words import lens_name
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme
from headscope.gui.paint.write import CENTER, write
from headscope.gui.views.links.paint.arc_layout import METER, Arcs, ArcsLayout, Places
from headscope.gui.views.links.paint.layout import BARS, GAP, NUMBER, LinksLayout
from headscope.gui.views.links.paint.legend import Entry, Legend, lay_out_legend
from headscope.gui.views.links.paint.lines import Links, Rows
from headscope.gui.views.links.paint.picture import Layout, LayoutT, LinkPicture

LINE = 14.0
"""Of a line of text."""
ROW = 14.0
"""Of a token, where there is a choice."""
MARGIN = 1.0 * GRID
STRIP = 150.0
"""Of the lines between two columns, where there is a choice."""
_MOST_ROW = 36.0
_LEAST_STRIP, _STRIP_SHARE = 110.0, 0.3
_WITH_METERS = 480.0  # figures from this width on have numbers and bars beside the labels
_MOST_TURNED = 96.0
_LEAST_ROOM = 12.0
_STRETCHED = 3.0  # times as much room as a word needs it may have
_HALVINGS = 24
_UNBOUNDED = 1e6


def second_text_at(axis: TokenAxis) -> int | None:
    """Where the second text of a pair begins; None if there is one text."""
    return next((at for at, token in enumerate(axis.tokens) if token.segment == 1), None) if axis.is_pair else None


class LinkFigure(LinkPicture[LayoutT]):
    """What figures of links have in common, whatever their shape."""

    @abstractmethod
    def natural_width(self, options: FigureOptions) -> float:
        """How wide it is where there is a choice."""

    @abstractmethod
    def on_paper(self, area: QRectF, options: FigureOptions, footer: float) -> tuple[LayoutT, float]:
        """Lay it out in `area` with so much room under the lines; and how high it should be."""

    @abstractmethod
    def between_texts(self, layout: LayoutT) -> list[QLineF]:
        """Lines between the two texts of a pair, where tokens of the second begin."""

    def paint_still(self, painter: QPainter, layout: Layout, theme: Theme, footer: str) -> None:
        """Draw what is the same whatever is picked, the lines between two texts too."""
        super().paint_still(painter, layout, theme, footer)
        painter.save()
        painter.setClipRect(layout.area)
        painter.setPen(QPen(theme.color("muted"), 1))
        painter.drawLines(self.between_texts(cast("LayoutT", layout)))
        painter.restore()

    @property
    def about(self) -> str:
        """As a `Figure`."""
        translate = QCoreApplication.translate
        named = [
            translate("links", "layer {layer}, head {head}").format(layer=layer, head=head) for layer, head in self.weights
        ]
        words = translate("links", "Attention {numbers} of {heads} as lines between {queries} queries and {keys} keys")
        return words.format(
            numbers=lens_name(self.lens), heads="; ".join(named), queries=len(self.queries), keys=len(self.keys)
        )

    @property
    def title(self) -> str:
        """As a `Figure`."""
        return self.about

    def size(self, options: FigureOptions = PLAIN) -> QSizeF:
        """As a `Figure`; every label is readable."""
        width = self.natural_width(options) if options.width is None else options.width
        area, (part, options) = QRectF(0, 0, width, _UNBOUNDED), self._part(options)
        footer = len(part._footer_lines(area, options)) * LINE + MARGIN
        return good_size(options, width, title_height(options, width) + part.on_paper(area, options, footer)[1])

    def paint_figure(self, painter: QPainter, area: QRectF, theme: Theme, options: FigureOptions, *, vector: bool) -> None:
        """As a `Figure`; all of it are shapes and text at any rate."""
        area, (part, options) = paint_title(painter, area, theme, options), self._part(options)
        picked = options.picked.within(len(part.queries), len(part.keys))
        lines = part._footer_lines(area, options)
        layout, _ = part.on_paper(area, options, len(lines) * LINE + MARGIN)
        part.paint_lines(painter, layout, theme, part.links(layout, picked))
        part.paint_pointed(painter, layout, theme, picked)
        part.paint_still(painter, layout, theme, "")
        if options.axis_titles or picked.is_any:
            part.paint_picked(painter, layout, theme, picked)
        part.paint_tokens(painter, layout, theme, picked)
        painter.setPen(theme.color("muted"))
        for number, line in enumerate(lines):
            box = QRectF(area.left(), layout.clip.bottom() + MARGIN / 2 + number * LINE, area.width(), LINE)
            write(painter, box, line, SMALL_SIZE, side=CENTER)

    def _part(self, options: FigureOptions) -> tuple[Self, FigureOptions]:
        """This picture, or the part of it that the options ask for, and the options for that; ``empty_region``."""
        if options.region is None:
            return self, options
        sides = zip((self.queries, self.keys), options.region, strict=True)
        rows, columns = (range(len(axis))[wanted.start : wanted.stop] for axis, wanted in sides)
        if self.sideways:  # one text: what is in either
            rows = columns = range(min(rows.start, columns.start), max(rows.stop, columns.stop))
        if not (rows and columns):
            raise HeadscopeError("empty_region", rows=len(self.queries), columns=len(self.keys))
        picked = options.picked.moved(rows, columns)
        return self.part(rows, columns), replace(options, region=None, picked=picked)

    def _footer_lines(self, area: QRectF, options: FigureOptions) -> list[str]:
        """What is said under the lines, broken into as many as it needs."""
        if not options.legend:
            return []
        picked = options.picked.within(len(self.queries), len(self.keys))
        layout, _ = self.on_paper(area, options, 0.0)
        return broken(self.footer(layout, self.links(layout, picked), picked), SMALL_SIZE, area.width() - 2 * MARGIN)


def _legend_of(listed: Sequence[Entry], area: QRectF) -> tuple[Legend, float]:
    """Where heads are named, and what is below that."""
    legend = lay_out_legend(listed, area.adjusted(MARGIN, 0, -MARGIN, 0)) if listed else ()
    return legend, legend[-1][0].bottom() if legend else area.top() + MARGIN


def links_on_paper(
    area: QRectF, listed: Sequence[Entry], n_heads: int, n_rows: int, label: float, *, titles: bool, meters: bool, footer: float
) -> tuple[LinksLayout, float]:
    """Lay two columns out in `area`.

    Parameters
    ----------
    listed : sequence of (layer, head) or Note
        What the legend names.
    label : float
        What the longest token needs.
    titles, meters : bool
        Whether the sides are named, and whether weights are written beside tokens.
    footer : float
        Height of what is said under the lines.

    Returns
    -------
    LinksLayout
    float
        Height of the figure, if its rows are as high as they should be.
    """
    legend, top = _legend_of(listed, area)
    meter = NUMBER + GRID + BARS if meters and area.width() >= _WITH_METERS else 0.0
    beside = MARGIN + GAP + (meter + GAP if meter else 0.0)
    strip = min(_LEAST_STRIP, _STRIP_SHARE * area.width())
    label = max(1.0, min(label, area.width() / 2 - beside - strip / 2))
    rows_top = top + (LINE + GRID if titles else 0.0)
    clip = QRectF(area.left(), rows_top, area.width(), max(1.0, area.bottom() - footer - rows_top))
    height = min(clip.height() / max(1, n_rows), _MOST_ROW)
    rows = Rows(area.left() + beside + label, area.right() - beside - label, rows_top, height, max(1, n_heads))
    layout = LinksLayout(area, clip, rows, MARGIN, label, meter, legend, top, scrolled=False, small=True)
    return layout, rows_top - area.top() + n_rows * ROW + footer


def columns_width(label: float, *, meters: bool) -> float:
    """How wide two columns are where there is a choice."""
    return 2 * (MARGIN + label + GAP) + STRIP + (2 * (NUMBER + GRID + BARS + GAP) if meters else 0.0)


def arcs_on_paper(
    area: QRectF,
    listed: Sequence[Entry],
    n_heads: int,
    natural: Places,
    label_width: float,
    links_in: Callable[[ArcsLayout], Links],
    *,
    one_sided: bool,
    room: float | None,
    caption: bool,
    meters: bool,
    footer: float,
) -> tuple[ArcsLayout, float]:
    """Lay a line of text with arcs out in `area`; no more room above and below than the highest arcs take.

    Parameters
    ----------
    natural : Places
        Where tokens lie if each has as much room as its label needs.
    label_width : float
        What the longest label needs.
    links_in : callable
        The links that such a layout draws.
    room : float, optional
        How far arcs may rise; if not given, as far as `area` lets them.

    Returns
    -------
    ArcsLayout
    float
        Height of the figure.
    """
    legend, titles = _legend_of(listed, area)
    top = titles + (LINE + GRID if caption else 0.0)
    wide = max(1.0, area.width() - 2 * MARGIN)
    rotated = natural.length > wide
    stretch = 1.0 if rotated else min(_STRETCHED, wide / max(1.0, natural.length))
    places = Places(np.linspace(0.0, wide, len(natural.edges)) if rotated else natural.edges * stretch)
    label = min(label_width, _MOST_TURNED) if rotated else LINE + GRID
    left = area.left() + MARGIN + max(0.0, wide - places.length) / 2
    under = METER if meters else 0.0

    def laid(rise: float, up: float, down: float) -> ArcsLayout:
        ends = Arcs(places, left, top + up, top + up + label, rise, 0.0 if one_sided else rise, max(1, n_heads))
        clip = QRectF(area.left() + MARGIN, top, wide, max(1.0, up + label + max(down, under)))
        return ArcsLayout(area, clip, ends, MARGIN, legend, titles, rotated, scrolled=False, small=True)

    links = links_in(laid(1.0, 1.0, 1.0))

    def extent(rise: float) -> tuple[float, float]:
        """How far arcs reach above and below the text."""
        ends = laid(rise, 0.0, 0.0).ends
        curves = ends.curves(links)
        tops = (curves[:, 3] - curves[:, 1]) * 0.75  # a cubic curve reaches three quarters of the way to its inner points
        return float(-tops.min(initial=0.0)) + 2, float(tops.max(initial=0.0)) + (2 if (tops > 0).any() else 0)

    if room is None:
        least, most = _LEAST_ROOM, max(_LEAST_ROOM, area.height())
        there = area.bottom() - footer - top - label
        for _ in range(_HALVINGS):
            middle = (least + most) / 2
            up, down = extent(middle)
            least, most = (middle, most) if up + max(down, under) <= there else (least, middle)
        room = least
    up, down = extent(room)
    layout = laid(room, up, down)
    return layout, layout.clip.bottom() + footer - area.top()
