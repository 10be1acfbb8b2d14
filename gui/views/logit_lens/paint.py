"""LogitLensPicture: what the logit lens reads, a cell for each layer and position, layers downwards, positions across."""

from __future__ import annotations

from collections.abc import Collection
from copy import copy
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QImage, QPainter, QPen

from headscope.core.predict.logit_lens_layer import LogitLensLayer
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.labels import draw_label, elided, text_width
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, kept_by_type, scaled, text_font
from headscope.gui.views.logit_lens.settings import Shows

CELL_WIDTH, CELL_HEIGHT = 76.0, 22.0
GAP = 2.0
_BASELINE = 14.0
HEADER = 24.0
NUMBERS = 44.0
_STALE = 0.35
_LONG_RANK = 10_000
"""From here on ranks are shown in thousands."""
_INVERTS = 158
"""Levels from here on are strong enough that words on them are in the ground's colour."""


@dataclass(frozen=True, slots=True)
class LogitLensLayout:
    """Where everything lies: the whole viewport, how far it is scrolled, and how many cells there are."""

    area: QRectF
    scroll: QPointF
    n_depths: int
    n_positions: int

    @property
    def cells(self) -> QRectF:
        """The part of `area` where cells are: the rest is numbers and tokens."""
        return self.area.adjusted(scaled(NUMBERS), scaled(HEADER), 0, 0)

    @property
    def width(self) -> float:
        """Of the whole grid."""
        return scaled(NUMBERS) + self.n_positions * scaled(CELL_WIDTH) + GRID

    @property
    def height(self) -> float:
        """Of the whole grid."""
        return scaled(HEADER) + self.n_depths * scaled(CELL_HEIGHT) + GRID

    @property
    def columns(self) -> range:
        """The positions in sight, those that are cut off by the edges included."""
        return _in_sight(self.scroll.x(), self.cells.width(), scaled(CELL_WIDTH), self.n_positions)

    @property
    def rows(self) -> range:
        """The depths in sight."""
        return _in_sight(self.scroll.y(), self.cells.height(), scaled(CELL_HEIGHT), self.n_depths)

    def box(self, depth: int, position: int) -> QRectF:
        """A cell."""
        corner = self.cells.topLeft() - self.scroll + QPointF(position * scaled(CELL_WIDTH), depth * scaled(CELL_HEIGHT))
        return QRectF(corner.x(), corner.y(), scaled(CELL_WIDTH), scaled(CELL_HEIGHT))

    def heads_of(self, positions: Collection[int]) -> list[QRectF]:
        """Where the tokens of some positions stand over their columns, of those in sight."""
        boxes = (self.box(0, at) for at in positions if at in self.columns)
        return [
            QRectF(
                max(box.left(), self.cells.left()),
                self.area.top() + 2,
                box.right() - max(box.left(), self.cells.left()) - GAP,
                scaled(HEADER) - 4,
            )
            for box in boxes
        ]

    def cell_at(self, point: QPointF) -> tuple[int, int] | None:
        """(depth, position) at `point`, or None."""
        if not self.cells.contains(point):
            return None
        at = point - self.cells.topLeft() + self.scroll
        depth, position = int(at.y() // scaled(CELL_HEIGHT)), int(at.x() // scaled(CELL_WIDTH))
        return (depth, position) if depth < self.n_depths and position < self.n_positions else None


class LogitLensPicture:
    """The cells that were read so far.

    Depth 0 is what enters layer 0; the last depth is what the model predicts.

    Parameters
    ----------
    n_depths : int
    axis : TokenAxis
        The model's own tokens, one for each position.
    """

    def __init__(self, n_depths: int = 0, axis: TokenAxis | None = None) -> None:
        self.axis = axis or TokenAxis(())
        shape = (n_depths, len(self.axis))
        self.n_depths, self.n_positions = shape
        self.probabilities: FloatArray = np.full(shape, np.nan, np.float32)
        self.entropies: FloatArray = np.full(shape, np.nan, np.float32)
        self.followed_probabilities: FloatArray = np.full(shape, np.nan, np.float32)
        self.followed_ranks: npt.NDArray[np.int64] = np.zeros(shape, np.int64)
        self._layers: dict[tuple[int, int], tuple[LogitLensLayer, int]] = {}
        self._most_bits = 1.0

    @property
    def has_cells(self) -> bool:
        """Whether anything is read."""
        return bool(self._layers)

    def snapshot(self) -> LogitLensPicture:
        """As it is now, for another thread."""
        other = copy(self)
        other.probabilities, other.entropies = self.probabilities.copy(), self.entropies.copy()
        other.followed_probabilities, other.followed_ranks = self.followed_probabilities.copy(), self.followed_ranks.copy()
        other._layers = dict(self._layers)
        return other

    def add(self, layer: LogitLensLayer) -> None:
        """Put a layer's cells in."""
        depth, at = layer.layer + 1, list(layer.positions)
        self.probabilities[depth, at] = layer.probabilities[:, 0]
        self.entropies[depth, at] = layer.entropies
        self.followed_probabilities[depth, at] = layer.followed_probabilities
        self.followed_ranks[depth, at] = layer.followed_ranks
        self._layers |= {(depth, position): (layer, index) for index, position in enumerate(layer.positions)}
        self._most_bits = float(np.log2(layer.n_vocabulary))

    def candidates(self, depth: int, position: int) -> list[tuple[int, str, float]]:
        """(id, label, probability) of a cell's best tokens, most probable first; none where nothing is read yet."""
        if (depth, position) not in self._layers:
            return []
        layer, at = self._layers[depth, position]
        return list(zip(layer.ids[at].tolist(), layer.labels[at], layer.probabilities[at].tolist(), strict=True))

    def is_read(self, positions: range) -> bool:
        """Whether all cells of these columns are there."""
        return not bool(np.isnan(self.probabilities[:, positions.start : positions.stop]).any())

    def layer_name(self, depth: int) -> str:
        """``in`` for what enters layer 0."""
        return "in" if depth == 0 else str(depth - 1)

    def words(self, depth: int, position: int, shows: Shows) -> str:
        """What a cell says."""
        if (depth, position) not in self._layers:
            return ""
        if shows != "token":
            layer, at = self._layers[depth, position]
            return layer.labels[at][0]
        rank = int(self.followed_ranks[depth, position])
        short = f"{rank // 1000}k" if rank >= _LONG_RANK else str(rank)
        return f"{readable_probability(float(self.followed_probabilities[depth, position]))} #{short}"

    # ---------------------------------------------------------------- drawing
    def paint(self, painter: QPainter, layout: LogitLensLayout, theme: Theme, shows: Shows, *, stale: bool = False) -> None:
        """Draw what is in sight; faint if `stale`."""
        painter.fillRect(layout.area, theme.color("panel"))
        painter.setOpacity(_STALE if stale else 1.0)
        painter.save()
        painter.setClipRect(layout.cells)
        self._paint_cells(painter, layout, theme, shows)
        painter.restore()
        self._paint_numbers(painter, layout, theme)
        for position in layout.columns:
            self._paint_token(painter, layout, theme, position)
        painter.setOpacity(1.0)

    def _paint_cells(self, painter: QPainter, layout: LogitLensLayout, theme: Theme, shows: Shows) -> None:
        """All colours as one image, gaps over it, then words."""
        rows, columns = layout.rows, layout.columns
        if not rows or not columns:
            return
        levels = self._levels(shows, rows, columns)
        colors = np.append(theme.ramp32(), np.uint32(theme.color("soft").rgb()))[levels]  # -1 is the last
        image = QImage(colors.data, len(columns), len(rows), 4 * len(columns), QImage.Format.Format_RGB32)
        whole = QRectF(layout.box(rows[0], columns[0]).topLeft(), layout.box(rows[-1], columns[-1]).bottomRight())
        painter.drawImage(whole, image)
        gap = theme.color("panel")
        for depth in rows:
            painter.fillRect(QRectF(whole.left(), layout.box(depth, 0).bottom() - GAP, whole.width(), GAP), gap)
        for position in columns:
            painter.fillRect(QRectF(layout.box(0, position).right() - GAP, whole.top(), GAP, whole.height()), gap)
        painter.setFont(text_font(SMALL_SIZE))
        inks = theme.color("text"), theme.color("panel")
        for row, depth in enumerate(rows):
            box = layout.box(depth, columns[0])
            for column, position in enumerate(columns):
                words = self.words(depth, position, shows)
                if words:
                    text, width = _fitting(words)
                    painter.setPen(inks[bool(levels[row, column] >= _INVERTS)])
                    left = box.left() + column * scaled(CELL_WIDTH) + (scaled(CELL_WIDTH) - GAP - width) / 2
                    painter.drawText(QPointF(left, box.top() + scaled(_BASELINE)), text)

    def _levels(self, shows: Shows, rows: range, columns: range) -> npt.NDArray[np.int64]:
        """0 to 255 along the ramp; -1 where nothing is read yet."""
        numbers = {"probability": self.probabilities, "entropy": self.entropies, "token": self.followed_probabilities}[shows]
        shown = numbers[rows.start : rows.stop, columns.start : columns.stop]
        if shows == "entropy":
            shown = shown / self._most_bits
        return np.where(np.isnan(shown), -1, np.round(np.clip(np.nan_to_num(shown), 0, 1) * 255)).astype(np.int64)

    def _paint_numbers(self, painter: QPainter, layout: LogitLensLayout, theme: Theme) -> None:
        painter.save()
        painter.setClipRect(layout.area.adjusted(0, scaled(HEADER), scaled(NUMBERS) - layout.area.width(), 0))
        for depth in layout.rows:
            is_last = depth == self.n_depths - 1
            painter.setFont(text_font(SMALL_SIZE, QFont.Weight.DemiBold if is_last else QFont.Weight.Normal))
            painter.setPen(theme.color("text" if is_last else "muted"))
            box = layout.box(depth, 0)
            numbers = QRectF(layout.area.left(), box.top(), scaled(NUMBERS) - 2 * GRID, box.height() - 2)
            painter.drawText(numbers, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, self.layer_name(depth))
        painter.restore()

    def _paint_token(
        self, painter: QPainter, layout: LogitLensLayout, theme: Theme, position: int, focus: str | None = None
    ) -> None:
        painter.save()
        painter.setClipRect(layout.area.adjusted(scaled(NUMBERS), 0, 0, scaled(HEADER) - layout.area.height()))
        painter.translate(layout.box(0, position).left() + GRID, layout.area.top() + scaled(HEADER) / 2)
        token = self.axis.tokens[position]
        draw_label(painter, token, theme, SMALL_SIZE, scaled(CELL_WIDTH) - 2 * GRID, right_aligned=False, focus_color=focus)
        painter.restore()

    def paint_pointers(
        self,
        painter: QPainter,
        layout: LogitLensLayout,
        theme: Theme,
        *,
        column: int | None = None,
        hover: tuple[int, int] | None = None,
        pinned: tuple[int, int] | None = None,
    ) -> None:
        """Draw what follows the mouse over a painted grid: the column in focus, the cell under the mouse, the pinned one."""
        painter.save()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if column is not None and column in layout.columns:
            box = layout.box(0, column)
            painter.setClipRect(layout.area.adjusted(scaled(NUMBERS) - 2, 0, 0, 0))
            head = QRectF(box.left(), layout.area.top(), scaled(CELL_WIDTH) - 2, scaled(HEADER))
            painter.fillRect(head, theme.color("panel"))
            self._paint_token(painter, layout, theme, column, "query")
            painter.setPen(QPen(theme.color("query"), 1))
            bottom = layout.box(self.n_depths, 0).top() - 1
            painter.drawRect(
                QRectF(box.left() - 1, layout.cells.top() - 1, scaled(CELL_WIDTH) - 1, bottom - layout.cells.top())
            )
        painter.setClipRect(layout.cells.adjusted(-2, -2, 0, 0))
        for cell, color, width in ((hover, "text", 1.0), (pinned, "query", 2.0)):
            if cell is not None:
                painter.setPen(QPen(theme.color(color), width))
                painter.drawRect(layout.box(*cell).adjusted(-1, -1, -2, -2))
        painter.restore()


@kept_by_type(4096)
def _fitting(words: str) -> tuple[str, float]:
    """What of it fits into a cell, and its width."""
    shown = elided(words, SMALL_SIZE, QFont.Weight.Normal, scaled(CELL_WIDTH) - GAP - GRID)
    return shown, text_width(shown, SMALL_SIZE)


def _in_sight(scroll: float, room: float, step: float, count: int) -> range:
    first = max(0, int(scroll // step))
    return range(min(first, count), max(0, min(count, int((scroll + room) // step) + 1)))
