"""A heatmap on paper: labels that never overlap, a colour bar without handles, edge bars that say something."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication, QLineF, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from headscope.core.attention.lens import WEIGHTS
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Head
from headscope.gui.paint.figure import FigureOptions, good_size
from headscope.gui.paint.figure_title import paint_title, title_height
from headscope.gui.paint.labels import draw_label, placed_labels, text_width
from headscope.gui.paint.lens_words import lens_name
from headscope.gui.paint.scales import indices
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme
from headscope.gui.paint.write import CENTER, write
from headscope.gui.views.heatmap.paint.cells import HeatmapCells
from headscope.gui.views.heatmap.paint.layout import HeatmapLayout
from headscope.gui.views.heatmap.paint.marginals import Marginal, given_words, paint_bars, received_words, with_most

APART = SMALL_SIZE + 0.5
"""Design units from one label's line to the next: letters of neighbours do not touch."""
_LINE = 14.0
_MARGIN = 1.0 * GRID
_GAP = 1.5 * GRID
_LEANING, _UPRIGHT = 50.0, 90.0
_NATURAL, _LARGE, _MOST = 16.0, 24.0, 60.0  # a cell's side: as wished for, of few tokens, at most
_LONGEST = 900.0  # a map's side, as wished for, of many tokens
_EDGE = 26.0  # what an edge bar takes
_TALLEST = 1.6  # times the width a map may be high before its rows become lower than its columns are wide
_LEAST_LABEL, _MOST_LABEL = 36.0, 132.0
_SHARES = (0.28, 0.22, 0.18, 0.14)  # of the width, that labels may take
_BAR_WIDTH, _TICK = 9.0, 3.0
_STEPS = 256


@dataclass(frozen=True, slots=True)
class Paper:
    """What is on the page.

    Attributes
    ----------
    cells : HeatmapCells
    queries, keys : TokenAxis
    head : (layer, head), optional
    received, given : Marginal, optional
        Those that are drawn.
    picked_queries, picked_keys : tuple of int
        They have a label whatever happens.
    view : QRectF
        The cells that are drawn.
    """

    cells: HeatmapCells
    queries: TokenAxis
    keys: TokenAxis
    head: Head | None
    received: Marginal | None
    given: Marginal | None
    picked_queries: tuple[int, ...]
    picked_keys: tuple[int, ...]
    view: QRectF

    def size(self, options: FigureOptions) -> QSizeF:
        """A good size, in design units."""
        rows, columns = self.view.height(), self.view.width()
        width = options.width
        if width is None:
            most = max(rows, columns)
            cell = _LARGE if most <= 12 else max(2.0, min(_NATURAL, _LONGEST / most))
            sides = self._attempt(QRectF(0, 0, 4096, 1e6), options, _LEANING, 1.0).sides
            width = max(sides + cell * columns, 160.0)
        plot = self.layout(QRectF(0, 0, width, 1e6), options).plot
        return good_size(options, width, plot.bottom() + self._below)

    @property
    def bar_room(self) -> float:
        """What the colour bar takes, with its numbers and its name."""
        numbers = max(text_width(self.cells.bar.words_at(tick), SMALL_SIZE) for tick in self.ticks)
        masked = text_width(_masked(), SMALL_SIZE) if self.cells.hides else 0.0
        return 2 * GRID + _BAR_WIDTH + _TICK + 2 + max(numbers + _LINE, masked)

    @property
    def ticks(self) -> tuple[float, ...]:
        """Places on the bar that have a number; ends that were moved among them."""
        moved = [end for end, home in zip(self.cells.look.ends, (0.0, 1.0), strict=True) if end != home]
        return (*(tick for tick in self.cells.bar.ticks if all(abs(tick - end) > 0.12 for end in moved)), *moved)

    @property
    def _below(self) -> float:
        """What is below the cells."""
        return _MARGIN + (_EDGE + _GAP + _LINE if self.received is not None else _LINE if self.given is not None else 0.0)

    def layout(self, area: QRectF, options: FigureOptions) -> HeatmapLayout:
        """Where everything lies in `area`: labels lean if all of them can; long ones are shortened if that lets more be written."""
        for share in _SHARES if options.width is not None else (1.0, *_SHARES):
            found = self._attempt(area, options, _LEANING, share)
            if found.cell * math.sin(math.radians(_LEANING)) < APART:
                found = self._attempt(area, options, _UPRIGHT, share)
            if found.cell * 2 >= APART:
                break
        return found.layout

    def _attempt(self, area: QRectF, options: FigureOptions, angle: float, share: float) -> _Attempt:
        """Lay it out with key labels turned by `angle` and labels that take at most this share of the width."""
        top = area.top() + title_height(options, area.width()) + _MARGIN + (_LINE if options.axis_titles else 0.0)
        rows, columns, turn = self.view.height(), self.view.width(), math.radians(angle)
        written: list[list[int]] = [list(range(len(self.queries))), list(range(len(self.keys)))]
        most = max(_LEAST_LABEL, min(_MOST_LABEL, share * area.width()))
        bar = (self.bar_room if options.color_bar else 0.0) + (_EDGE + _GAP if self.given is not None else 0.0)
        for _ in range(3):  # only labels that are written need room, and which are depends on the room
            query_label = min(most, _longest(self.queries, written[0], self.picked_queries))
            key_label = min(_MOST_LABEL, _longest(self.keys, written[1], self.picked_keys), max(40.0, 0.4 * area.height()))
            left = _MARGIN + query_label + _GAP + (_LINE + GRID if options.axis_titles else 0.0)
            right = max(bar, key_label * math.cos(turn)) + _MARGIN
            head = key_label * math.sin(turn) + SMALL_SIZE * math.cos(turn) + _GAP
            room_x, room_y = area.width() - left - right, area.bottom() - top - head - self._below
            cell = min(_MOST, max(room_x, 1.0) / columns)
            wide = min(cell, max(room_y, 1.0) / rows) if room_y / rows > cell / 3 else cell  # square, where that is sensible
            high = min(wide, max(room_y, 1.0) / rows, _TALLEST * area.width() / rows)
            spare = max(0.0, room_x - wide * columns) / 2
            plot = QRectF(area.left() + left + spare, top + head, wide * columns, high * rows)
            layout = HeatmapLayout(
                plot, self.view, SMALL_SIZE, query_label, key_label, QRectF(), _EDGE, 0.0, received_room=_EDGE, key_angle=angle
            )
            written = [list(self.labels(layout, queries=queries)) for queries in (True, False)]
        return _Attempt(layout, min(wide, high), left + right)

    # ---------------------------------------------------------------- painting
    def paint_axes(self, painter: QPainter, area: QRectF, layout: HeatmapLayout, theme: Theme, options: FigureOptions) -> None:
        """Title, labels, the names of the sides."""
        area = paint_title(painter, area, theme, options)
        for queries in (True, False):
            self._paint_labels(painter, layout, theme, queries=queries)
        if not options.axis_titles:
            return
        plot, translate = layout.plot, QCoreApplication.translate
        painter.setPen(theme.color("muted"))
        write(
            painter, QRectF(plot.left(), area.top(), plot.width(), _LINE), translate("Heatmap", "key"), SMALL_SIZE, side=CENTER
        )
        painter.save()
        painter.translate(plot.left() - _GAP - layout.query_label - _LINE / 2 - GRID, plot.center().y())
        painter.rotate(-90)
        box = QRectF(-plot.height() / 2, -_LINE / 2, plot.height(), _LINE)
        write(painter, box, translate("Heatmap", "query"), SMALL_SIZE, side=CENTER)
        painter.restore()
        if self.head is not None:
            names = [
                translate("Heatmap", "layer {layer}").format(layer=self.head[0]),
                translate("Heatmap", "head {head}").format(head=self.head[1]),
            ]
            names += [] if self.cells.lens == WEIGHTS else [lens_name(self.cells.lens)]
            for number, name in enumerate(names):
                box = QRectF(area.left() + _MARGIN, area.top() + number * _LINE, plot.left() - area.left(), _LINE)
                write(painter, box, name, SMALL_SIZE)

    def labels(self, layout: HeatmapLayout, *, queries: bool) -> dict[int, float]:
        """Where labels are written, along their side."""
        axis, picked = (self.queries, self.picked_queries) if queries else (self.keys, self.picked_keys)
        middles = {}
        for at in layout.shown(len(axis), queries=queries):
            middle = layout.cell_rect(at, at).center()
            middles[at] = middle.y() if queries else middle.x()
        return placed_labels(middles, picked, APART if queries else APART / math.sin(math.radians(layout.key_angle)))

    def _paint_labels(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, *, queries: bool) -> None:
        plot, axis = layout.plot, self.queries if queries else self.keys
        picked, color = (self.picked_queries, "query") if queries else (self.picked_keys, "accent")
        for at, place in self.labels(layout, queries=queries).items():
            middle = layout.cell_rect(at, at).center()
            moved = abs(place - (middle.y() if queries else middle.x())) > 0.5
            end = QPointF(plot.left() - _GAP, place) if queries else QPointF(place, plot.top() - _GAP)
            if moved:  # a line from the label to its cell
                start = QPointF(plot.left() - 1, middle.y()) if queries else QPointF(middle.x(), plot.top() - 1)
                painter.setPen(QPen(theme.color("muted"), 0.6))
                painter.drawLine(QLineF(start, end))
            painter.save()
            painter.translate(end)
            if not queries:
                painter.rotate(-layout.key_angle)
            shift = QPointF(-1, 0) if queries else QPointF(1, 0)
            painter.translate(shift if moved else QPointF())
            room = layout.query_label if queries else layout.key_label
            focus = color if at in picked else None
            draw_label(painter, axis.tokens[at], theme, SMALL_SIZE, room + 1, right_aligned=queries, focus_color=focus)
            painter.restore()

    def paint_edges(self, painter: QPainter, layout: HeatmapLayout, theme: Theme) -> None:
        """The bars at the edges, and what they are."""
        words = []
        if self.received is not None:
            paint_bars(painter, layout, theme, self.received, keys=True)
            words.append(with_most(received_words(self.received), self.received))
        if self.given is not None:
            paint_bars(painter, layout, theme, self.given, keys=False)
            words.append(with_most(given_words(self.given), self.given))
        if not words:
            return
        painter.setPen(theme.color("muted"))
        top = (layout.received.bottom() if self.received is not None else layout.plot.bottom()) + GRID / 2
        text = " · ".join(words)
        box = QRectF(layout.plot.left(), top, layout.plot.width(), _LINE)
        fits = text_width(text, SMALL_SIZE) <= box.width()
        write(painter, box if fits else box.adjusted(-layout.query_label, 0, self.bar_room, 0), text, SMALL_SIZE, side=CENTER)

    def paint_color_bar(self, painter: QPainter, layout: HeatmapLayout, theme: Theme) -> None:
        """Right of the cells, as high as they are, within reason."""
        cells, plot = self.cells, layout.plot
        left = plot.right() + 2 * GRID + (_EDGE + _GAP if self.given is not None else 0.0)
        hidden = _LINE if cells.hides else 0.0
        area = QRectF(left, plot.top(), _BAR_WIDTH, max(20.0, min(plot.height() - hidden, 320.0)))
        places = np.linspace(1, 0, _STEPS, dtype=np.float32)
        colors = np.ascontiguousarray(cells.palette(theme)[indices(places, cells.look.ends, cells.first_color)])
        painter.drawImage(area, QImage(colors.data, 1, _STEPS, 4, QImage.Format.Format_RGB32))
        painter.setPen(QPen(theme.color("muted"), 0.6))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(area)
        roomy = area.height() >= 5.5 * APART
        widest_number = 0.0
        for tick in self.ticks if roomy else (0.0, 1.0):
            y, words = area.bottom() - tick * area.height(), cells.bar.words_at(tick)
            painter.setPen(QPen(theme.color("muted"), 0.6))
            painter.drawLine(QLineF(area.right(), y, area.right() + _TICK, y))
            painter.setPen(theme.color("text"))
            inside = min(max(y, area.top() + SMALL_SIZE / 2), area.bottom() - SMALL_SIZE / 2)
            write(painter, QRectF(area.right() + _TICK + 2, inside - 7, 40, 14), words, SMALL_SIZE)
            widest_number = max(widest_number, text_width(words, SMALL_SIZE))
        painter.setPen(theme.color("muted"))
        painter.save()
        painter.translate(area.right() + _TICK + 2 + widest_number + _LINE / 2, area.center().y())
        painter.rotate(-90)
        write(painter, QRectF(-500, -_LINE / 2, 1000, _LINE), _bar_words(cells, area.height()), SMALL_SIZE, side=CENTER)
        painter.restore()
        if cells.hides:
            below = QRectF(area.left(), area.bottom() + 5, _BAR_WIDTH, _BAR_WIDTH)
            painter.fillRect(below, QColor.fromRgb(int(cells.palette(theme)[0])))
            box = QRectF(below.right() + _TICK + 2, below.top() - 3, 60, 15)
            write(painter, box, _masked(), SMALL_SIZE)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A layout, its cells' smaller side, and what is left and right of them."""

    layout: HeatmapLayout
    cell: float
    sides: float


def _longest(axis: TokenAxis, written: list[int], picked: tuple[int, ...]) -> float:
    """Width of the longest label; those picked and masks are written strongly."""
    strong, normal = QFont.Weight.DemiBold, QFont.Weight.Normal
    labels = {(axis.tokens[at].text, strong if axis.tokens[at].masked else normal) for at in written}
    labels |= {(axis.tokens[at].text, strong) for at in picked}
    return max((text_width(text, SMALL_SIZE, weight) for text, weight in labels), default=0.0)


def _masked() -> str:
    return QCoreApplication.translate("Heatmap", "masked")


def _bar_words(cells: HeatmapCells, room: float) -> str:
    """What the numbers of the colour bar are; shorter where there is little room."""
    translate = QCoreApplication.translate
    what = translate("Heatmap", "attention weight") if cells.lens.is_share else lens_name(cells.lens)
    by_scale = {"row": translate("Heatmap", "share of the row's maximum"), "rank": translate("Heatmap", "rank in the head")}
    what = by_scale.get(cells.bar.scale, what)
    if cells.bar.scale == "log":
        what = translate("Heatmap", "{what} (log)").format(what=what)
    short = translate("Heatmap", "weight")
    return what if not cells.lens.is_share or text_width(what, SMALL_SIZE) <= room or cells.bar.scale != "linear" else short
