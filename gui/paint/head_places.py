"""Where heads stand: a row for each layer, or one after the other in an order of their own, as many a row as fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from math import ceil
from typing import Final

from PySide6.QtCore import QPointF, QRectF

from headscope.core.vocabulary import Head
from headscope.gui.paint.theme import GRID, scaled

AVERAGE: Final = -1
"""In the place of a head's number: the average over the layer's heads."""
LEAST_CELL, MOST_CELL = 14.0, 96.0
"""Pixels a head's picture may be wide."""
_LEAST_NAMED = 40.0  # with its name under it
_ROOMY = 28.0  # pictures from here on have wider gaps
_TOP = 20.0  # the heads' numbers
MARK = 3.0
"""Height of the bar in the colour of a head's type, under its picture."""
_NAME = 15.0  # of a head, under that


@dataclass(frozen=True)
class Placed:
    """Heads in rows."""

    rows: tuple[tuple[Head, ...], ...]

    @cached_property
    def place_of(self) -> Mapping[Head, tuple[int, int]]:
        """Row and column of each head."""
        return {head: (row, column) for row, heads in enumerate(self.rows) for column, head in enumerate(heads)}

    @cached_property
    def n_columns(self) -> int:
        return max((len(heads) for heads in self.rows), default=0)

    def at(self, row: int, column: int) -> Head | None:
        """The head in a place, or None."""
        return self.rows[row][column] if 0 <= row < len(self.rows) and 0 <= column < len(self.rows[row]) else None


class HeadPlaces:
    """Which heads there are, and in what order.

    Parameters
    ----------
    placed : Placed
        Their rows; a single one if they flow.
    flows : bool
        Whether rows end where the room does. Heads then have their names under them, for want of numbers beside them.
    """

    def __init__(self, placed: Placed, *, flows: bool = False) -> None:
        self.placed = placed
        self.flows = flows
        self._wrapped = (0, placed)

    @classmethod
    def in_layers(cls, n_layers: int, n_heads: int, folded: Set[int] = frozenset()) -> HeadPlaces:
        """A row for each layer; of a layer that is folded its average alone."""
        layers = range(n_layers if n_heads else 0)
        rows = ([AVERAGE] if layer in folded else range(n_heads) for layer in layers)
        return cls(Placed(tuple(tuple((layer, head) for head in heads) for layer, heads in zip(layers, rows, strict=True))))

    @classmethod
    def flowing(cls, heads: Sequence[Head]) -> HeadPlaces:
        """One after the other."""
        return cls(Placed((tuple(heads),) if heads else ()), flows=True)

    def wrapped(self, n_columns: int) -> Placed:
        """Rows of so many heads."""
        if self._wrapped[0] != n_columns:
            (heads,) = self.placed.rows or ((),)
            rows = (heads[start : start + n_columns] for start in range(0, len(heads), n_columns))
            self._wrapped = (n_columns, Placed(tuple(rows)))
        return self._wrapped[1]


@dataclass(frozen=True, slots=True)
class GridLayout:
    """Where everything lies.

    Attributes
    ----------
    area : QRectF
        What can be seen.
    corner : QPointF
        Upper left corner of the first head; above and left of `area` when scrolled.
    side, gap : float
        Width and height of a head's picture; from one to the next.
    cells : QRectF
        The part of `area` where heads are: the rest is numbers.
    n_layers, n_heads : int
    placed : Placed
    foot : float
        Height of what stands under a picture: its marks and its name.
    mark : float
        Height of the marks.
    """

    area: QRectF
    corner: QPointF
    side: float
    gap: float
    cells: QRectF
    n_layers: int
    n_heads: int
    placed: Placed = field(repr=False)
    foot: float = MARK
    mark: float = MARK

    @property
    def step(self) -> float:
        """From one head to the next in its row."""
        return self.side + self.gap

    @property
    def drop(self) -> float:
        """From one row to the next."""
        return self.side + self.foot + self.gap

    @property
    def width(self) -> float:
        """Of the whole grid, numbers included."""
        return self.cells.left() - self.area.left() + self.placed.n_columns * self.step + GRID

    @property
    def height(self) -> float:
        """Of the whole grid, numbers included."""
        return self.cells.top() - self.area.top() + len(self.placed.rows) * self.drop + GRID

    @property
    def has_numbers(self) -> bool:
        """Whether layers and heads are numbered at the sides."""
        return self.cells.top() - self.area.top() > GRID

    def box(self, head: Head) -> QRectF:
        """The box of the picture of a head that has a place."""
        row, column = self.placed.place_of[head]
        return QRectF(self.corner.x() + column * self.step, self.corner.y() + row * self.drop, self.side, self.side)

    def tile(self, head: Head) -> QRectF:
        """The box of a head's picture with its mark."""
        return self.box(head).adjusted(0, 0, 0, self.mark)

    def head_at(self, point: QPointF) -> Head | None:
        """The head at `point` (what is under and beside it belongs to it), or None."""
        if not self.cells.contains(point):
            return None
        row = int((point.y() - self.corner.y()) // self.drop)
        return self.placed.at(row, int((point.x() - self.corner.x()) // self.step))

    def layer_at(self, point: QPointF) -> int | None:
        """The layer whose number is at `point`, or None."""
        if not self.has_numbers or not self.strip(0).contains(point):
            return None
        row = int((point.y() - self.corner.y()) // self.drop)
        return row if 0 <= row < self.n_layers else None

    def rows_seen(self) -> range:
        """The rows that are in sight, at least in part."""
        above = (self.cells.top() - self.corner.y()) / self.drop
        below = above + self.cells.height() / self.drop
        return range(max(0, int(above)), max(0, min(len(self.placed.rows), ceil(below))))

    def strip(self, axis: int) -> QRectF:
        """Where the layers' (axis 0) or the heads' (axis 1) numbers stand, which do not scroll away."""
        area, cells = self.area, self.cells
        if axis == 0:
            return QRectF(area.left(), cells.top(), cells.left() - area.left(), cells.height())
        return QRectF(cells.left() - GRID, area.top(), cells.width() + GRID, cells.top() - area.top())

    def number_box(self, axis: int, number: int) -> QRectF:
        """Where one of them stands."""
        strip = self.strip(axis)
        if axis == 0:
            return QRectF(strip.left(), self.corner.y() + number * self.drop, strip.width() - GRID, self.side)
        return QRectF(self.corner.x() + number * self.step - self.gap / 2, strip.top(), self.step, strip.height() - GRID)


def laid_out(
    places: HeadPlaces,
    shape: tuple[int, int],
    area: QRectF,
    scroll: QPointF,
    digits: float,
    names: float = 0.0,
    mark: float = MARK,
) -> GridLayout:
    """Lay out as large as fits into `area`, no smaller than can be read; scrolled by so many pixels.

    Parameters
    ----------
    shape : (n_layers, n_heads)
    digits : float
        Width of a layer's number.
    names : float
        Width of the widest name with what stands beside it.
    mark : float
        Height of the marks under a picture.
    """
    if places.flows:
        return _flowing(places, shape, area, scroll, names, mark)
    placed, foot = places.placed, mark
    cells = area.adjusted(ceil(digits) + 4 * GRID, scaled(_TOP), 0, 0)
    across = (cells.width() - GRID) // max(1, placed.n_columns)
    down = (cells.height() - GRID) // max(1, len(placed.rows)) - foot
    step = min(across, down)
    if step < LEAST_CELL:  # it has to be scrolled anyway: large enough to be read
        step = min(max(across, down), _ROOMY)
    gap = float(GRID if step >= _ROOMY + GRID else GRID // 2)
    side = min(max(step - gap, LEAST_CELL), MOST_CELL)
    return GridLayout(area, cells.topLeft() - scroll, side, gap, cells, *shape, placed, foot, mark)


def _flowing(
    places: HeadPlaces, shape: tuple[int, int], area: QRectF, scroll: QPointF, names: float, mark: float
) -> GridLayout:
    count, foot, gap = places.placed.n_columns, mark + scaled(_NAME), float(GRID)
    least = float(max(scaled(_LEAST_NAMED), ceil(names) + GRID))  # with the gap, names stand apart
    cells = area.adjusted(3 * GRID, GRID, 0, 0)
    width, height = cells.width() - GRID, cells.height() - GRID

    def side_of(n_columns: int) -> float:
        return min(width // n_columns, height // ceil(count / n_columns) - foot) - gap

    most_columns = max(1, int(width // (least + gap)))
    n_columns = max(range(1, min(most_columns, count) + 1), key=side_of, default=1)
    side, most = side_of(n_columns) if count else 0.0, max(MOST_CELL, least)
    if side <= least:
        side, n_columns = least, most_columns
    elif side >= most:
        side, n_columns = most, max(1, int(width // (most + gap)))
    return GridLayout(area, cells.topLeft() - scroll, side, gap, cells, *shape, places.wrapped(n_columns), foot, mark)
