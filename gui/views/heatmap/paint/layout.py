"""Where everything lies in a picture of a heatmap: labels, cells, colour bar, what each key receives."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QPolygonF

from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.labels import stride, widest
from headscope.gui.paint.theme import GRID, SMALL_SIZE, TEXT_SIZE, scaled

KEY_ANGLE = 50.0
"""Degrees by which key labels are turned."""
GAP = 2.0 * GRID
_MARGIN = 3.0 * GRID
_MOST_CELL = 88.0
_MOST_STRETCH = 3.0
_MOST_LABEL = 132.0
_RECEIVED = 9.0 * GRID
_GIVEN, _NARROW_GIVEN = 9.0 * GRID, 7.0 * GRID
_LEAST_WITH_GIVEN, _NARROW = 320.0, 460.0
_WORDS = 4.0 * GRID
_BAR_SPACE, BAR_WIDTH = 80.0, 12.0
_HANDLE = 9.0


@dataclass(frozen=True, slots=True)
class HeatmapLayout:
    """Where everything lies in a rectangle.

    Attributes
    ----------
    plot : QRectF
        Where cells are drawn.
    view : QRectF
        The cells that `plot` shows, in cells: x counts keys, y counts queries.
    label_size : int
        Pixels.
    query_label, key_label : float
        Room for a label, along its direction.
    inner : QRectF
        The rectangle within its margins.
    given_room : float
        Right of the cells; 0 where there is none for bars.
    words_room : float
        Under everything.
    received_room : float
        Under the cells, for the bars of what each key receives.
    key_angle : float
        Degrees by which key labels are turned.
    """

    plot: QRectF
    view: QRectF
    label_size: int
    query_label: float
    key_label: float
    inner: QRectF
    given_room: float
    words_room: float
    received_room: float = _RECEIVED
    key_angle: float = KEY_ANGLE

    @property
    def cell_width(self) -> float:
        return self.plot.width() / self.view.width()

    @property
    def cell_height(self) -> float:
        return self.plot.height() / self.view.height()

    def cell_rect(self, query: float, key: float, n_queries: float = 1, n_keys: float = 1) -> QRectF:
        """Where a block of cells lies; it may reach out of `plot`."""
        x = self.plot.left() + (key - self.view.left()) * self.cell_width
        y = self.plot.top() + (query - self.view.top()) * self.cell_height
        return QRectF(x, y, n_keys * self.cell_width, n_queries * self.cell_height)

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        """(query, key) under `point`."""
        if not self.plot.contains(point):
            return None
        key = int(self.view.left() + (point.x() - self.plot.left()) / self.cell_width)
        query = int(self.view.top() + (point.y() - self.plot.top()) / self.cell_height)
        last_query, last_key = math.ceil(self.view.bottom()) - 1, math.ceil(self.view.right()) - 1
        return min(query, last_query), min(key, last_key)

    def label_at(self, point: QPointF) -> tuple[int | None, int | None]:
        """The query or the key whose label or marginal bar is under `point`."""
        plot = self.plot
        beside = plot.left() - self.query_label - 2 * GAP <= point.x() < plot.left() or self.given.contains(point)
        if beside and plot.top() <= point.y() < plot.bottom():
            cell = self.cell_at(QPointF(plot.left() + 0.5, point.y()))
            return (cell[0] if cell is not None else None), None
        x, up = point.x(), plot.top() - point.y()
        if GAP / 2 < up < self.key_label * math.sin(math.radians(KEY_ANGLE)) + self.label_size + GAP:
            x -= (up - GAP) / math.tan(math.radians(KEY_ANGLE))  # labels lean to the right
        elif not self.received.contains(point):
            return None, None
        cell = self.cell_at(QPointF(x, plot.top() + 0.5))
        return None, (cell[1] if cell is not None else None)

    def shown(self, count: int, *, queries: bool) -> range:
        """Rows or columns that are at least partly in the view."""
        low, high = (self.view.top(), self.view.bottom()) if queries else (self.view.left(), self.view.right())
        return range(max(0, int(low)), min(count, math.ceil(high)))

    def labelled(self, count: int, *, queries: bool) -> list[int]:
        """Rows or columns whose labels are drawn: all, or as many as can be read."""
        size = scaled(self.label_size)
        room = size + 2 if queries else size / math.sin(math.radians(KEY_ANGLE))
        cell = self.cell_height if queries else self.cell_width
        step = stride(cell, room)
        shown = self.shown(count, queries=queries)
        return list(range(-(-shown.start // step) * step, shown.stop, step))

    @property
    def received(self) -> QRectF:
        """Where the marginal bars lie, under the cells."""
        return QRectF(self.plot.left(), self.plot.bottom() + GAP, self.plot.width(), self.received_room - GAP)

    @property
    def given(self) -> QRectF:
        """Where the bars of what each query gives lie, right of the cells; empty where there is no room."""
        return QRectF(self.plot.right() + GAP, self.plot.top(), max(0.0, self.given_room - GAP), self.plot.height())

    @property
    def words(self) -> QRectF:
        """Under everything, one line or two: what the marginal bars are."""
        return QRectF(self.inner.left(), self.received.bottom() + GRID, self.inner.width(), self.words_room)

    @property
    def bar(self) -> QRectF:
        """The colour bar."""
        height = max(24.0, min(self.plot.height() - _RECEIVED, 320.0))
        return QRectF(self.plot.right() + self.given_room + GAP + _HANDLE, self.plot.top(), BAR_WIDTH, height)

    @property
    def bar_grip(self) -> QRectF:
        """Where the mouse takes hold of the colour bar's ends."""
        return self.bar.adjusted(-_HANDLE - 3, -8, 6, 8)

    def bar_place(self, y: float) -> float:
        """The place on the colour bar, 0 to 1, at a height."""
        return min(1.0, max(0.0, (self.bar.bottom() - y) / self.bar.height()))

    def handle(self, place: float) -> QPolygonF:
        """The grip of one end of the colours: a triangle left of the bar."""
        y, x = self.bar.bottom() - place * self.bar.height(), self.bar.left() - 1
        return QPolygonF([QPointF(x, y), QPointF(x - _HANDLE, y - 5), QPointF(x - _HANDLE, y + 5)])


def _cell(width: float, height: float, view: QRectF) -> tuple[float, float]:
    """A cell for this much room: square, but stretched a little where a matrix is much longer one way (cross-attention)."""
    width, height = min(max(width, 0.01), _MOST_CELL), min(max(height, 0.01), _MOST_CELL)
    square = min(width, height)
    is_long = max(view.width(), view.height()) >= 2 * min(view.width(), view.height())
    if not is_long or max(width, height) < 2 * square:
        return square, square
    return min(width, _MOST_STRETCH * square), min(height, _MOST_STRETCH * square)


def heatmap_layout(rect: QRectF, queries: TokenAxis, keys: TokenAxis, view: QRectF) -> HeatmapLayout:
    """Lay out a heatmap in `rect`: square cells where the view allows, as large as fits.

    Parameters
    ----------
    view : QRectF
        The cells to show.
    """
    inner = rect.adjusted(_MARGIN, GRID, -_MARGIN, -_MARGIN)
    top, turn = inner.top(), math.radians(KEY_ANGLE)
    narrow = rect.width() < _NARROW
    given = (_NARROW_GIVEN if narrow else _GIVEN) if rect.width() >= _LEAST_WITH_GIVEN else 0.0
    words = scaled(_WORDS) * (2 if narrow and given else 1)
    size = TEXT_SIZE
    # Two rounds: labels shrink where cells are small, which leaves the cells a little more room.
    for _ in range(2):
        query_label = widest(queries, size, min(_MOST_LABEL, rect.width() * 0.24))
        key_label = widest(keys, size, min(_MOST_LABEL, rect.height() * 0.24))
        head = key_label * math.sin(turn) + scaled(size) + GAP
        left = _MARGIN + query_label + GAP
        right = max(given + scaled(_BAR_SPACE) + _MARGIN, key_label * math.cos(turn) + _MARGIN)
        room_x, room_y = rect.width() - left - right, rect.bottom() - top - head - _RECEIVED - words - _MARGIN
        cell_width, cell_height = _cell(room_x / view.width(), room_y / view.height(), view)
        size = size if min(cell_width, cell_height) >= scaled(TEXT_SIZE) + 3 else SMALL_SIZE  # small ones stay small
    width, height = cell_width * view.width(), cell_height * view.height()
    spare_x, spare_y = max(0.0, room_x - width), max(0.0, room_y - height)
    plot = QRectF(rect.left() + left + spare_x / 2, top + head + min(spare_y / 2, 6 * GRID), max(1.0, width), max(1.0, height))
    return HeatmapLayout(plot, view, size, query_label, key_label, inner, given, words)
