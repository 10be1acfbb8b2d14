"""HeadStripPicture: for one token, how much each head of a layer has to do with each token: tokens down, heads across."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.labels import draw_label, stride, text_width, widest
from headscope.gui.paint.lens_colors import LensColors, largest_in
from headscope.gui.paint.pooled import PooledMatrix
from headscope.gui.paint.scale_line import Scale
from headscope.gui.paint.theme import GRID, SMALL_SIZE, TEXT_SIZE, Theme, scaled, text_font

ROW = 20.0
"""Pixels of a row that can be read."""
_READABLE = 14.0
_LEAST_COLUMN, _MOST_COLUMN = 12.0, 44.0
_TOP = 6.0 * GRID  # the heads' numbers
_MOST_LABEL = 150.0


@dataclass(frozen=True, slots=True)
class StripLayout:
    """Where everything lies.

    Attributes
    ----------
    area : QRectF
    cells : QRectF
        The part of `area` where the matrix is; scrolled cells are cut off there.
    corner : QPointF
        Of the first token and head; above and left of `cells` when scrolled.
    row, column : float
        Pixels of a token's row, of a head's column.
    n_tokens, n_heads : int
    """

    area: QRectF
    cells: QRectF
    corner: QPointF
    row: float
    column: float
    n_tokens: int
    n_heads: int

    @property
    def width(self) -> float:
        """Of the whole matrix with its labels."""
        return self.cells.left() - self.area.left() + self.n_heads * self.column + GRID

    @property
    def height(self) -> float:
        """Of the whole matrix with its numbers."""
        return self.cells.top() - self.area.top() + self.n_tokens * self.row + GRID

    @property
    def visible(self) -> range:
        """The tokens that are at least partly in sight."""
        first = int((self.cells.top() - self.corner.y()) // self.row)
        last = int(-(-(self.cells.bottom() - self.corner.y()) // self.row))
        return range(max(0, first), max(0, min(self.n_tokens, last)))

    def box(self, token: int, head: int) -> QRectF:
        """A cell."""
        return QRectF(self.corner.x() + head * self.column, self.corner.y() + token * self.row, self.column, self.row)

    def labels_of(self, tokens: Collection[int]) -> list[QRectF]:
        """Where the labels of those tokens are that are in sight."""
        rows = (self.box(at, 0).intersected(self.cells) for at in tokens if at in self.visible)
        return [QRectF(self.area.left(), row.top(), self.cells.left() - self.area.left() - GRID, row.height()) for row in rows]

    def token_at(self, point: QPointF) -> int | None:
        """The token whose row (label included) is under a point."""
        if not (self.area.left() <= point.x() < self.area.right() and self.cells.top() <= point.y() < self.cells.bottom()):
            return None
        token = int((point.y() - self.corner.y()) // self.row)
        return token if 0 <= token < self.n_tokens else None

    def head_at(self, point: QPointF) -> int | None:
        """The head whose column (number included) is under a point."""
        if not (self.cells.left() <= point.x() < self.cells.right() and self.area.top() <= point.y() < self.cells.bottom()):
            return None
        head = int((point.x() - self.corner.x()) // self.column)
        return head if 0 <= head < self.n_heads else None


class HeadStripPicture:
    """A matrix of tokens × heads.

    Parameters
    ----------
    weights : float32, (n_heads, n_tokens)
        What the lens shows; NaN where it has no number.
    axis : TokenAxis
        What the rows stand for.
    lens : Lens
    """

    def __init__(self, weights: FloatArray, axis: TokenAxis, lens: Lens = WEIGHTS) -> None:
        self.weights = weights
        self.axis = axis
        self.lens = lens
        self._colors = LensColors(lens, largest_in(weights, lens))
        known = np.where(np.isnan(weights), np.float32(-np.inf), weights)
        self._pooled = PooledMatrix(np.ascontiguousarray(known.T), pixel=lens.pixel)

    @property
    def largest(self) -> float:
        """What has the strongest colour."""
        return self._colors.largest

    def scale(self, theme: Theme) -> Scale:
        """What the colours mean."""
        return self._colors.scale(theme)

    def layout(self, area: QRectF, scroll: QPointF | None = None, *, whole: bool = False) -> StripLayout:
        """Lay out with rows that can be read, scrolled by so many pixels; or, with `whole`, all tokens in `area`."""
        n_heads, n_tokens = self.weights.shape
        labels = min(widest(self.axis, TEXT_SIZE, scaled(_MOST_LABEL)) + 3 * GRID, area.width() * 0.4)
        cells = area.adjusted(labels, scaled(_TOP), 0, 0)
        column = min(max((cells.width() - GRID) / max(1, n_heads), _LEAST_COLUMN), _MOST_COLUMN)
        row = float(scaled(ROW))
        if whole:
            row = min(row, (cells.height() - GRID) / max(1, n_tokens))
        return StripLayout(area, cells, cells.topLeft() - (scroll or QPointF()), row, column, n_tokens, n_heads)

    def paint(
        self,
        painter: QPainter,
        layout: StripLayout,
        theme: Theme,
        *,
        chosen: Collection[int] = (),
        colors: Mapping[int, QColor] | None = None,
        token: int | None = None,
        head: int | None = None,
        cursor: tuple[int, int] | None = None,
    ) -> None:
        """Draw the matrix.

        Parameters
        ----------
        chosen : collection of int
            Tokens that the weights are from or to: their labels stand out.
        colors : mapping of int to QColor, optional
            The heads that are looked at.
        token, head : int, optional
            The row and the column under the mouse.
        cursor : (token, head), optional
            Where the keyboard is.
        """
        painter.fillRect(layout.area, theme.color("panel"))
        self._paint_labels(painter, layout, theme, chosen, token)
        self._paint_numbers(painter, layout, theme, colors or {}, head)
        painter.save()
        painter.setClipRect(layout.cells)
        self._paint_cells(painter, layout, theme)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for number, color in (colors or {}).items():
            painter.setPen(QPen(color, 2))
            painter.drawRect(_column_box(layout, number).adjusted(1, 1, -1, -1))
        painter.setPen(QPen(theme.color("text", 0.5), 1))
        if head is not None:
            painter.drawRect(_column_box(layout, head).adjusted(0.5, 0.5, -0.5, -0.5))
        if token is not None:
            row = layout.box(token, 0)
            painter.drawRect(
                QRectF(row.left(), row.top(), layout.n_heads * layout.column, row.height()).adjusted(0, 0.5, 0, -0.5)
            )
        if cursor is not None:
            painter.setPen(QPen(theme.color("text"), 1, Qt.PenStyle.DotLine))
            painter.drawRect(layout.box(*cursor).adjusted(1.5, 1.5, -1.5, -1.5))
        painter.restore()

    def _paint_cells(self, painter: QPainter, layout: StripLayout, theme: Theme) -> None:
        seen = layout.visible
        if not seen:
            return
        ratio = painter.device().devicePixelRatioF()
        view = QRectF(0, seen.start, layout.n_heads, len(seen))
        size = layout.n_heads * layout.column * ratio, len(seen) * layout.row * ratio
        pixels, covered = self._pooled.pixels(view, *size)
        colors = np.take(self._colors.palette(theme), self._colors.levels(pixels))
        image = QImage(colors.data, colors.shape[1], colors.shape[0], 4 * colors.shape[1], QImage.Format.Format_RGB32)
        top = layout.corner.y() + covered.top() * layout.row
        painter.drawImage(QRectF(layout.corner.x(), top, covered.width() * layout.column, covered.height() * layout.row), image)
        painter.setPen(QPen(theme.color("panel"), 1))
        bottom = layout.corner.y() + seen.stop * layout.row
        for head in range(layout.n_heads + 1):
            x = layout.corner.x() + head * layout.column
            painter.drawLine(QPointF(x, layout.cells.top()), QPointF(x, bottom))
        for token in seen if layout.row >= scaled(_READABLE) else ():
            y = layout.corner.y() + token * layout.row
            painter.drawLine(QPointF(layout.corner.x(), y), QPointF(layout.corner.x() + layout.n_heads * layout.column, y))

    def _paint_labels(
        self, painter: QPainter, layout: StripLayout, theme: Theme, chosen: Collection[int], pointed: int | None
    ) -> None:
        step = stride(layout.row, scaled(_READABLE))
        rows = [row for row in layout.visible if row % step == 0]
        strong = [row for row in {*chosen, *(() if pointed is None else (pointed,))} if row in layout.visible]
        rows = [row for row in rows if all(abs(row - other) >= step for other in strong)] + strong
        painter.save()
        painter.setClipRect(
            QRectF(layout.area.left(), layout.cells.top(), layout.cells.left() - layout.area.left(), layout.cells.height())
        )
        width = layout.cells.left() - layout.area.left() - 3 * GRID
        for row in rows:
            painter.save()
            painter.translate(layout.cells.left() - 2 * GRID, layout.box(row, 0).center().y())
            color = "query" if row in chosen else "accent" if row == pointed else None
            draw_label(painter, self.axis.tokens[row], theme, TEXT_SIZE, width, right_aligned=True, focus_color=color)
            painter.restore()
        painter.restore()

    def _paint_numbers(
        self, painter: QPainter, layout: StripLayout, theme: Theme, colors: Mapping[int, QColor], pointed: int | None
    ) -> None:
        step = stride(layout.column, text_width(str(layout.n_heads - 1), SMALL_SIZE) + GRID)
        painter.save()
        painter.setClipRect(QRectF(layout.cells.left() - GRID, layout.area.top(), layout.cells.width() + GRID, scaled(_TOP)))
        for head in range(layout.n_heads):
            marked = head in colors or head == pointed
            if head % step and not marked:
                continue
            painter.setFont(text_font(SMALL_SIZE, QFont.Weight.DemiBold if marked else QFont.Weight.Normal))
            painter.setPen(colors.get(head, theme.color("text" if marked else "muted")))
            box = QRectF(layout.box(0, head).left() - GRID, layout.area.top(), layout.column + 2 * GRID, scaled(_TOP))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, str(head))
        painter.restore()


def _column_box(layout: StripLayout, head: int) -> QRectF:
    top = layout.box(0, head)
    return QRectF(
        top.left(),
        layout.cells.top(),
        layout.column,
        min(layout.cells.bottom(), top.top() + layout.n_tokens * layout.row) - layout.cells.top(),
    )
