"""HeatmapPicture: one head's weights as cells, query rows over key columns. The same painting for screen, PNG, SVG and PDF."""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np
from PySide6.QtCore import QCoreApplication, QLineF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from headscope.core.jobs import FloatArray
from headscope.core.tokens import Token, TokenAxis
from headscope.core.view_jobs import HeadMap, Part
from headscope.gui.paint.heatmap_layout import GAP, KEY_ANGLE, HeatmapLayout, heatmap_layout
from headscope.gui.paint.labels import draw_label, text_width
from headscope.gui.paint.pooled import PooledMatrix
from headscope.gui.paint.theme import SMALL_SIZE, TEXT_SIZE, Theme, text_font

_ROOMY_CELL = 14.0  # cells from here on stand apart and are drawn one by one
_MOST_RECTANGLES = 4096
_TICKS = (0.0, 0.25, 0.5, 0.75, 1.0)
_SVG_ENLARGED = 8  # viewers blur images that they enlarge themselves


class HeatmapPicture:
    """Weights of one head.

    Parameters
    ----------
    weights : float32, (n_queries, n_keys), or HeadOverview
        0 to 1.
    queries, keys : TokenAxis
        As long as the weights' sides.
    to_maximum : bool
        Colours run from 0 to the head's largest weight instead of to 1; the colour bar says so.
    caption : str
        A line above the picture; for figures.
    part : Part, optional
        Of the head of an overview: finer, and shown wherever nothing outside of it is to be seen.
    """

    def __init__(
        self,
        weights: HeadMap,
        queries: TokenAxis,
        keys: TokenAxis,
        *,
        to_maximum: bool = False,
        caption: str = "",
        part: Part | None = None,
    ) -> None:
        self.weights = weights
        self._part = part
        self._cells = weights if isinstance(weights, np.ndarray) else weights.picture
        self.queries = queries
        self.keys = keys
        self.caption = caption
        self.largest = float(self._cells.max(initial=0)) or 1.0 if to_maximum else 1.0
        self._to_maximum = to_maximum

    @cached_property
    def _pooled(self) -> PooledMatrix:
        return PooledMatrix(self._cells, self.largest, self.whole)

    @cached_property
    def _pooled_part(self) -> PooledMatrix | None:
        if self._part is None:
            return None
        rows, keys = self._part.request.rows, self._part.request.keys
        return PooledMatrix(self._part.picture, self.largest, QRectF(keys.start, rows.start, len(keys), len(rows)))

    @cached_property
    def _received(self) -> FloatArray:
        """Mean weight each key receives, (n_keys,)."""
        if isinstance(self.weights, np.ndarray):
            return np.asarray(self.weights.mean(axis=0), dtype=np.float32)
        return self.weights.received

    def value(self, query: int, key: int) -> float | None:
        """The weight of a cell; None where only an overview is here."""
        return float(self.weights[query, key]) if isinstance(self.weights, np.ndarray) else None

    def finer(self, layout: HeatmapLayout, scale: float) -> tuple[range, range, int, int] | None:
        """The part of an overview's map that `layout` shows more closely than the picture in it.

        Returns
        -------
        (rows, keys, height, width) or None
            As in `PartRequest`, at `scale` pixels a unit of the layout; None if what is here will do.
        """
        rows, keys = layout.shown(len(self.queries), queries=True), layout.shown(len(self.keys), queries=False)
        height, width = (round(side * scale) for side in (layout.plot.height(), layout.plot.width()))
        height, width = min(len(rows), max(1, height)), min(len(keys), max(1, width))
        if isinstance(self.weights, np.ndarray):
            return None
        here = self._cells.shape[0] * len(rows) / len(self.queries), self._cells.shape[1] * len(keys) / len(self.keys)
        return (rows, keys, height, width) if height > here[0] or width > here[1] else None

    @property
    def bar_scale(self) -> tuple[float, bool]:
        """What the colour bar says: the weight at its upper end, and whether that is this head's own."""
        return self.largest, self._to_maximum

    @property
    def whole(self) -> QRectF:
        """The view that shows every cell."""
        return QRectF(0, 0, max(1, len(self.keys)), max(1, len(self.queries)))

    def size(self) -> QSizeF:
        """A good size for a figure, in pixels of 1/96 inch."""
        cell = min(30.0, max(2.0, 900.0 / max(self.weights.shape)))
        return QSizeF(max(360.0, 260 + cell * len(self.keys)), max(300.0, 200 + cell * len(self.queries)))

    def layout(self, rect: QRectF, view: QRectF | None = None) -> HeatmapLayout:
        """Where everything lies in `rect`."""
        return heatmap_layout(rect, self.queries, self.keys, view or self.whole, has_caption=bool(self.caption))

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
        self.paint_still(painter, layout, theme, vector=vector)
        self.paint_focus(painter, layout, theme, query, key, erase=False)

    def paint_still(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, *, vector: bool = False) -> None:
        """All that does not follow the mouse."""
        self.paint_frame(painter, layout, theme)
        self.paint_weights(painter, layout, theme, vector=vector)

    def paint_weights(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, *, vector: bool = False) -> None:
        """What differs from head to head."""
        self._paint_cells(painter, layout, theme, vector=vector)
        self._paint_received(painter, layout, theme)

    def paint_frame(self, painter: QPainter, layout: HeatmapLayout, theme: Theme) -> None:
        """What all heads of these axes share, if their colours end at the same weight: labels and colour bar."""
        if self.caption:
            painter.setFont(text_font(TEXT_SIZE, QFont.Weight.DemiBold))
            painter.setPen(theme.color("text"))
            painter.drawText(layout.caption, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self.caption)
        for at in layout.labelled(len(self.queries), queries=True):
            self._paint_query(painter, layout, theme, at, None)
        for at in layout.labelled(len(self.keys), queries=False):
            self._paint_key(painter, layout, theme, at, None)
        self._paint_bar(painter, layout, theme)

    def _paint_cells(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, *, vector: bool) -> None:
        rows, columns = layout.shown(len(self.queries), queries=True), layout.shown(len(self.keys), queries=False)
        painter.save()
        painter.setClipRect(layout.plot)
        count = len(rows) * len(columns)
        if vector and count <= _MOST_RECTANGLES and isinstance(self.weights, np.ndarray):
            self._paint_rectangles(painter, layout, theme, rows, columns)
        else:
            scale = painter.deviceTransform().m11() if not vector else 1.0
            width, height = layout.plot.width() * scale, layout.plot.height() * scale
            part = self._pooled_part
            pooled = part if part is not None and part.covers.contains(layout.view) else self._pooled
            image, covered = pooled.image(layout.view, width, height, theme.ramp32())
            if vector and image.width() * image.height() < 2**20:
                image = image.scaled(
                    image.width() * _SVG_ENLARGED, image.height() * _SVG_ENLARGED, mode=Qt.TransformationMode.FastTransformation
                )
            painter.drawImage(layout.cell_rect(covered.top(), covered.left(), covered.height(), covered.width()), image)
            if layout.cell_width >= _ROOMY_CELL:
                self._paint_gaps(painter, layout, theme, rows, columns)
        painter.restore()
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if layout.cell_width < _ROOMY_CELL:
            painter.setPen(QPen(theme.color("line"), 1))
            painter.drawRect(layout.plot.adjusted(-1, -1, 1, 1))  # around the cells: those at the edge stay whole

    def _paint_gaps(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, rows: range, columns: range) -> None:
        """Set large cells apart: lines of the ground's colour cost a hundredth of rectangles one by one."""
        painter.setPen(QPen(theme.color("panel"), 1))
        plot = layout.plot
        lines = [QLineF(plot.left(), y, plot.right(), y) for y in (layout.cell_rect(row, 0).top() for row in rows)]
        lines += [QLineF(x, plot.top(), x, plot.bottom()) for x in (layout.cell_rect(0, column).left() for column in columns)]
        painter.drawLines(lines)

    def _paint_rectangles(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, rows: range, columns: range) -> None:
        colors = [QColor(*map(int, color)) for color in theme.ramp]
        roomy = min(layout.cell_width, layout.cell_height) >= _ROOMY_CELL
        gap, radius = (1.0, 2.0) if roomy else (min(0.5, layout.cell_width * 0.08), 0.0)
        painter.setPen(Qt.PenStyle.NoPen)
        for query, row in zip(rows, self._pooled.indices(rows, columns).tolist(), strict=True):
            for key, index in zip(columns, row, strict=True):
                cell = layout.cell_rect(query, key).adjusted(gap / 2, gap / 2, -gap / 2, -gap / 2)
                painter.setBrush(colors[index])
                if roomy:
                    painter.drawRoundedRect(cell, radius, radius)
                else:
                    painter.drawRect(cell)

    def _paint_query(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, at: int, color: str | None) -> None:
        middle = layout.cell_rect(at, 0).center().y()
        if layout.plot.top() - 1 <= middle <= layout.plot.bottom() + 1:
            painter.save()
            painter.translate(layout.plot.left() - GAP, middle)
            token = _at(self.queries, at)
            draw_label(painter, token, theme, layout.label_size, layout.query_label + 1, right_aligned=True, focus_color=color)
            painter.restore()

    def _paint_key(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, at: int, color: str | None) -> None:
        middle = layout.cell_rect(0, at).center().x()
        if layout.plot.left() - 1 <= middle <= layout.plot.right() + 1:
            painter.save()
            painter.translate(middle, layout.plot.top() - GAP)
            painter.rotate(-KEY_ANGLE)
            token = _at(self.keys, at)
            draw_label(painter, token, theme, layout.label_size, layout.key_label + 1, right_aligned=False, focus_color=color)
            painter.restore()

    def _paint_bar(self, painter: QPainter, layout: HeatmapLayout, theme: Theme) -> None:
        """The colours and the weights they stand for."""
        bar = layout.bar
        ramp = np.ascontiguousarray(theme.ramp32()[::-1])
        image = QImage(ramp.data, 1, len(ramp), 4, QImage.Format.Format_RGB32)
        painter.drawImage(bar, image)
        painter.setPen(QPen(theme.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(bar)
        painter.setFont(text_font(SMALL_SIZE))
        painter.setPen(theme.color("muted"))
        ticks = _TICKS if bar.height() >= 80 else (0.0, 1.0)
        for tick in ticks:
            y = bar.bottom() - tick * bar.height()
            place = QRectF(bar.right() + 6, y - 8, 60, 16)
            decimals = 2 if self.largest >= 0.1 else 4
            painter.drawText(
                place, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, f"{tick * self.largest:.{decimals}f}"
            )
        if self._to_maximum:
            text = QCoreApplication.translate("Heatmap", "this head's\nmaximum")
            painter.drawText(QRectF(bar.left(), bar.bottom() + 6, 90, 32), Qt.AlignmentFlag.AlignLeft, text)

    def _paint_received(self, painter: QPainter, layout: HeatmapLayout, theme: Theme) -> None:
        """How much each key receives on average, as bars of the largest's height."""
        area, received = layout.received, self._received
        most = float(received.max()) if received.size else 0.0
        columns = layout.shown(len(self.keys), queries=False)
        painter.save()
        painter.setClipRect(area)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("muted", 0.55))
        inset = 0.2 * layout.cell_width if layout.cell_width > 4 else 0.0
        width, scale = max(1.0, layout.cell_width - 2 * inset), area.height() / most if most > 0 else 0.0
        first = layout.cell_rect(0, 0).left() + inset
        bars = [
            QRectF(first + key * layout.cell_width, area.top(), width, scale * float(received[key]))
            for key in _peaks(received, columns, layout)
        ]
        painter.drawRects(bars)
        painter.restore()
        painter.setFont(text_font(SMALL_SIZE))
        painter.setPen(theme.color("muted"))
        label = QCoreApplication.translate("Heatmap", "received")
        if layout.plot.left() - GAP - text_width(label, SMALL_SIZE) >= layout.caption.left() - GAP:  # else there is no room
            left = QRectF(layout.plot.left() - GAP - 90, area.top() - 2, 90, 16)
            painter.drawText(left, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, label)
        right = QRectF(layout.plot.right() + GAP, area.top() - 2, 72, 16)
        text = QCoreApplication.translate("Heatmap", "mean ≤ {mean:.2f}").format(mean=most)
        painter.drawText(right, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)

    # ---------------------------------------------------------------- what follows the mouse
    def paint_focus(
        self, painter: QPainter, layout: HeatmapLayout, theme: Theme, query: int | None, key: int | None, *, erase: bool
    ) -> None:
        """Frame a query's row and a key's column and write their labels strongly.

        `erase` clears the place of the labels first: on the screen the still picture lies underneath.
        """
        query = query if query is not None and query < len(self.queries) else None
        key = key if key is not None and key < len(self.keys) else None
        painter.save()
        painter.setClipRect(layout.plot.adjusted(-2, -2, 2, 2))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if key is not None:
            painter.setPen(QPen(theme.color("accent"), 1.6))
            column = layout.cell_rect(0, key, len(self.queries), 1).intersected(layout.plot.adjusted(-1, -1, 1, 1))
            painter.drawRoundedRect(column, 2, 2)
        if query is not None:
            painter.setPen(QPen(theme.color("query"), 1.6))
            row = layout.cell_rect(query, 0, 1, len(self.keys)).intersected(layout.plot.adjusted(-1, -1, 1, 1))
            painter.drawRoundedRect(row, 2, 2)
        painter.restore()
        if query is not None:
            if erase:
                self._erase_query(painter, layout, theme, query)
            self._paint_query(painter, layout, theme, query, "query")
        if key is not None:
            if erase:
                self._erase_key(painter, layout, theme, key)
            self._paint_key(painter, layout, theme, key, "accent")

    def _erase_query(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, query: int) -> None:
        """Clear the place of a label, and the whole of each label that reaches into it."""
        half, width = layout.label_size * 0.5 + 3, layout.query_label + GAP
        for at in _crowded(layout, query, len(self.queries), 2 * half / layout.cell_height, queries=True):
            middle = layout.cell_rect(at, 0).center().y()
            painter.fillRect(QRectF(layout.plot.left() - width - 4, middle - half, width, 2 * half), theme.color("panel"))

    def _erase_key(self, painter: QPainter, layout: HeatmapLayout, theme: Theme, key: int) -> None:
        half = layout.label_size * 0.5 + 3
        reach = 2 * half / math.sin(math.radians(KEY_ANGLE)) / layout.cell_width
        for at in _crowded(layout, key, len(self.keys), reach, queries=False):
            painter.save()
            painter.translate(layout.cell_rect(0, at).center().x(), layout.plot.top() - GAP)
            painter.rotate(-KEY_ANGLE)
            painter.fillRect(QRectF(-1, -half, layout.key_label + 6, 2 * half), theme.color("panel"))
            painter.restore()


def _at(axis: TokenAxis, position: int) -> Token:
    return axis.tokens[position]


def _crowded(layout: HeatmapLayout, at: int, count: int, reach: float, *, queries: bool) -> list[int]:
    """A row or column, and those whose labels are less than `reach` cells away from its own."""
    return [at, *(other for other in layout.labelled(count, queries=queries) if other != at and abs(other - at) < reach)]


def _peaks(received: FloatArray, columns: range, layout: HeatmapLayout) -> list[int]:
    """Of the keys that share a pixel only the one that receives most is drawn."""
    per_pixel = max(1, int(1 / max(layout.cell_width, 1e-6)))
    if per_pixel == 1:
        return list(columns)
    return [
        start + int(received[start : min(start + per_pixel, columns.stop)].argmax())
        for start in range(columns.start, columns.stop, per_pixel)
    ]
