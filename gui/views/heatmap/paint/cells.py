"""HeatmapCells: the numbers of one head as colours, at any zoom."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from PySide6.QtCore import QLineF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

from headscope.core.attention.head_map import HeadMap, HeadOverview
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.attention.ranks import RankTable, rank, shares_below
from headscope.core.requests.cells import Part
from headscope.core.vocabulary import BoolArray, FloatArray
from headscope.gui.paint.color_maps import color_table, palette32
from headscope.gui.paint.pooled import PooledMatrix
from headscope.gui.paint.scales import Bar, Look, bar_of, indices
from headscope.gui.paint.theme import Theme
from headscope.gui.views.heatmap.paint.layout import HeatmapLayout

_ROOMY_CELL = 14.0  # cells from here on stand apart and are drawn one by one
_MOST_RECTANGLES = 4096
_SVG_ENLARGED = 8  # viewers blur images that they enlarge themselves


class HeatmapCells:
    """Cells of a head.

    Parameters
    ----------
    values : float32, (n_queries, n_keys), HeadOverview, or Part
        What the lens shows, NaN where it has no number; what stands for that of a large head.
    lens : Lens
    hidden : bool, (n_queries, n_keys), optional
        Of weights: where a key is hidden from a query, so that its weight cannot be other than 0.
    part : Part, optional
        Of a large head, by row if the look is: finer, and shown wherever nothing outside of it is to be seen.
    ranks : float32, (n_queries, n_keys), or RankTable, optional
        `shares_below` of the values, if they are known already; of a large head its table.
    """

    def __init__(
        self,
        values: HeadMap,
        look: Look,
        *,
        lens: Lens = WEIGHTS,
        hidden: BoolArray | None = None,
        part: Part | None = None,
        ranks: FloatArray | RankTable | None = None,
    ) -> None:
        self.values = values
        self.lens = lens
        self.hidden = hidden if isinstance(values, np.ndarray) and not lens.hides else None
        self._look = look
        self.part = part
        self._ranks = ranks
        self._pools: dict[str, PooledMatrix] = {}
        if look.scale == "rank" and not self.is_whole and ranks is None:
            self._look = Look("linear", look.stretched, color_map=look.color_map)

    def take_over(self, other: HeatmapCells) -> bool:
        """Go on with what was computed of the same numbers in another look; whether they are the same."""
        mine, theirs = ((cells.values, cells._ranks, cells.lens, cells.hidden) for cells in (self, other))
        same = all(one is their for one, their in zip(mine, theirs, strict=True))
        if same:
            self._pools = other._pools
            if other.part is not self.part:
                self._pools = {name: pool for name, pool in other._pools.items() if name != "part"}
            if "largest" in other.__dict__:
                self.__dict__["largest"] = other.largest
        return same

    @property
    def look(self) -> Look:
        """The look asked for; while the ranks of a large head are not known, a linear one."""
        return self._look

    @property
    def is_whole(self) -> bool:
        """Whether every cell is here."""
        return isinstance(self.values, np.ndarray)

    @property
    def numbers(self) -> FloatArray:
        """The cells themselves, or the picture of them."""
        return self.values if isinstance(self.values, np.ndarray) else self.values.picture

    @cached_property
    def largest(self) -> float:
        """The largest weight; through another lens the largest distance from 0."""
        numbers = self.numbers
        if self.lens.is_share:
            return float(numbers.max(initial=0))
        return float(np.nanmax(np.abs(numbers))) if not np.isnan(numbers).all() else 0.0

    @cached_property
    def bar(self) -> Bar:
        """What stands at the ends of the colour bar."""
        largest = self.largest if self._look.stretched or not self.lens.is_share else 1.0
        return bar_of(self._look, largest, self.lens, counted=isinstance(self._ranks, RankTable))

    # ---------------------------------------------------------------- numbers
    def value(self, query: int, key: int) -> float | None:
        """The number of a cell, NaN if it is hidden; None where only an overview is here."""
        return float(self.values[query, key]) if isinstance(self.values, np.ndarray) else None

    def rank(self, query: int, key: int, value: float | None) -> tuple[int, int, int] | None:
        """The best and the worst place that a cell of this value may have among all, 1 for the largest, and their number.

        They differ only among the many values of a large head. None where the cell is hidden, and while it is not known.
        """
        if value is None or np.isnan(value):
            return None
        if isinstance(self.values, np.ndarray):
            best, count = rank(self.values, value)
            return best, best, count
        if not isinstance(self._ranks, RankTable):
            return None
        if self.lens.is_share and isinstance(self.values, HeadOverview) and (strong := self.values.row(query)[key]) > 0:
            best = 1 + int(np.count_nonzero(self.values.strong[2] > strong))
            return best, best, self._ranks.count
        return *self._ranks.rank(value), self._ranks.count

    def finer(self, rows: range, keys: range, height: int, width: int) -> tuple[range, range, int, int] | None:
        """What would show a part more closely than the picture here: see `HeatmapPicture.finer`."""
        if isinstance(self.values, np.ndarray):
            return None
        height, width = min(len(rows), max(1, height)), min(len(keys), max(1, width))
        (n_queries, n_keys), (high, wide) = self.values.shape, self.values.picture.shape
        enough = height <= high * len(rows) / n_queries and width <= wide * len(keys) / n_keys
        return None if enough else (rows, keys, height, width)

    # ---------------------------------------------------------------- colours
    def image(self, view: QRectF, width: float, height: float, theme: Theme) -> tuple[QImage, QRectF]:
        """An image of at least the cells in `view` for a place of `width` × `height` pixels, and the cells it covers."""
        pixels, covered = self._pool(view).pixels(view, width, height)
        colors = np.take(self.palette(theme), self._indices(pixels), mode="clip")
        image = QImage(colors.data, colors.shape[1], colors.shape[0], colors.shape[1] * 4, QImage.Format.Format_RGB32)
        self._colors = colors  # the image only borrows the array
        return image, covered

    def palette(self, theme: Theme) -> np.ndarray[tuple[int, ...], np.dtype[np.uint32]]:
        """The 256 colours; the first is that of hidden cells, where it `hides` any."""
        return palette32(self._look.color_map, theme, diverging=self.lens.is_signed, hides=self.hides)

    @property
    def hides(self) -> bool:
        """Whether hidden cells have a colour of their own."""
        return self.lens.hides or self.hidden is not None

    @property
    def first_color(self) -> int:
        """Which of the palette stands for the smallest number."""
        return int(self.hides or self.lens.is_signed)

    def _indices(self, pixels: FloatArray) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
        if self._look.scale == "rank" and isinstance(self._ranks, RankTable):
            pixels = self._ranks.shares(pixels)
        elif self._pooled_as == "values":
            pixels = self.bar.places(pixels)
        return indices(pixels, self._look.ends, self.first_color)

    @property
    def _pooled_as(self) -> str:
        """What pixels are the largest of: values, which find their places later, or places of each cell."""
        scale = self._look.scale
        return scale if scale == "row" or (scale == "rank" and not isinstance(self._ranks, RankTable)) else "values"

    def _pool(self, view: QRectF) -> PooledMatrix:
        """Of the part if that is enough, else of everything."""
        if (part := self.part) is not None:
            rows, keys = part.request.rows, part.request.keys
            covers = QRectF(keys.start, rows.start, len(keys), len(rows))
            if covers.contains(view):
                if "part" not in self._pools:
                    self._pools["part"] = PooledMatrix(self._pooled(part.picture), covers, self.lens.pixel)
                return self._pools["part"]
        return self._whole

    @property
    def _whole(self) -> PooledMatrix:
        name = self._pooled_as
        if name not in self._pools:
            n_queries, n_keys = self.values.shape
            pixel = self.lens.pixel if name == "values" else "largest"
            covers = QRectF(0, 0, max(1, n_keys), max(1, n_queries))
            self._pools[name] = PooledMatrix(self._pooled(self._base(name)), covers, pixel)
        return self._pools[name]

    def _base(self, name: str) -> FloatArray:
        """What is pooled: a monotone function of the values row by row, so that the largest stays the largest."""
        if name == "rank":
            return self._ranks if isinstance(self._ranks, np.ndarray) else shares_below(self.numbers)
        if name == "row" and isinstance(self.values, HeadOverview):
            return self.values.row_picture
        if name == "row":
            most: FloatArray = np.nan_to_num(self.numbers).max(axis=1, keepdims=True, initial=0)
            most[most == 0] = 1
            shares: FloatArray = self.numbers / most
            return shares
        return self.numbers

    def _pooled(self, values: FloatArray) -> FloatArray:
        """-inf where cells are hidden; NaN would hide what lies under the same pixel."""
        if self.hidden is not None:
            return np.where(self.hidden & (self.numbers == 0), np.float32(-np.inf), values)
        return np.where(np.isnan(values), np.float32(-np.inf), values) if self.lens.hides else values

    # ---------------------------------------------------------------- painting
    def paint(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, *, vector: bool) -> None:
        """Paint the cells into the layout's plot; `vector` keeps them rectangles where that is sensible."""
        rows = layout.shown(self.values.shape[0], queries=True)
        columns = layout.shown(self.values.shape[1], queries=False)
        painter.save()
        painter.setClipRect(layout.plot)
        if vector and len(rows) * len(columns) <= _MOST_RECTANGLES and self.is_whole:
            self._paint_rectangles(painter, layout, theme, rows, columns)
        else:
            self._paint_image(painter, layout, theme, vector=vector)
            if layout.cell_width >= _ROOMY_CELL:
                _paint_gaps(painter, layout, theme, rows, columns)
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if layout.cell_width < _ROOMY_CELL:
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawRect(layout.plot.adjusted(-1, -1, 1, 1))  # around the cells: those at the edge stay whole

    def _paint_image(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, *, vector: bool) -> None:
        scale = painter.deviceTransform().m11() if not vector else 1.0
        image, covered = self.image(layout.view, layout.plot.width() * scale, layout.plot.height() * scale, theme)
        if vector and image.width() * image.height() < 2**20:
            image = image.scaled(
                image.width() * _SVG_ENLARGED, image.height() * _SVG_ENLARGED, mode=Qt.TransformationMode.FastTransformation
            )
        painter.drawImage(layout.cell_rect(covered.top(), covered.left(), covered.height(), covered.width()), image)

    def _paint_rectangles(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, rows: range, columns: range) -> None:
        table = color_table(self._look.color_map, theme, diverging=self.lens.is_signed, hides=self.hides)
        colors = [QColor(*map(int, color)) for color in table]
        roomy = min(layout.cell_width, layout.cell_height) >= _ROOMY_CELL
        gap, radius = (1.0, 2.0) if roomy else (min(0.5, layout.cell_width * 0.08), 0.0)
        painter.setPen(Qt.PenStyle.NoPen)
        shown = self._indices(self._whole.cells(rows, columns)).tolist()
        for query, row in zip(rows, shown, strict=True):
            for key, index in zip(columns, row, strict=True):
                cell = layout.cell_rect(query, key).adjusted(gap / 2, gap / 2, -gap / 2, -gap / 2)
                painter.setBrush(colors[index])
                if roomy:
                    painter.drawRoundedRect(cell, radius, radius)
                else:
                    painter.drawRect(cell)


def _paint_gaps(painter: QPainter, layout: HeatmapLayout, theme: Theme, rows: range, columns: range) -> None:
    """Set large cells apart: lines of the ground's colour cost a hundredth of rectangles one by one."""
    painter.setPen(QPen(theme.color("panel"), 1))
    plot = layout.plot
    lines = [QLineF(plot.left(), y, plot.right(), y) for y in (layout.cell_rect(row, 0).top() for row in rows)]
    lines += [QLineF(x, plot.top(), x, plot.bottom()) for x in (layout.cell_rect(0, column).left() for column in columns)]
    painter.drawLines(lines)
