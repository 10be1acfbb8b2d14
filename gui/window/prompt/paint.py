"""TokenChips: the tokens of a text in reading order, each in a box, in as many rows as they need."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen, QRegion

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.paint.found import paint_found
from headscope.gui.paint.labels import elided, text_width
from headscope.gui.paint.theme import GRID, TEXT_SIZE, Theme, scaled, text_font

ROW = 8.0 * GRID
"""From one row to the next."""
_CHIP = 7.0 * GRID
_PADDING, _GAP = 2.0 * GRID, 1.0 * GRID
_MOST_WIDTH, _LEAST_WIDTH = 200.0, 6.0 * GRID
_RADIUS = 6.0


class TokenChips:
    """Chips of an axis, laid out for one width.

    Parameters
    ----------
    axis : TokenAxis
    width : float
        Pixels; a row ends where the next chip would reach beyond.
    """

    def __init__(self, axis: TokenAxis, width: float) -> None:
        self.axis = axis
        self.width = width
        self._boxes: list[tuple[float, float]] = []  # left edge and width of each chip
        self._first: list[int] = []  # the first chip of each row
        x = 0.0
        for position, token in enumerate(axis.tokens):
            wide = _chip_width(token)
            if not self._first or x + wide > width:
                self._first.append(position)
                x = 0.0
            self._boxes.append((x, wide))
            x += wide + _GAP

    @property
    def n_rows(self) -> int:
        return len(self._first)

    def box(self, position: int) -> QRectF:
        """Where a token's chip lies; row 0 begins at y = 0."""
        row = bisect_right(self._first, position) - 1
        x, wide = self._boxes[position]
        return QRectF(x, row * scaled(ROW), wide, scaled(_CHIP))

    def row(self, number: int) -> range:
        """The tokens of a row."""
        after = self._first[number + 1] if number + 1 < len(self._first) else len(self._boxes)
        return range(self._first[number], after)

    def rows_between(self, top: float, bottom: float) -> range:
        """The rows that are at least partly between two heights."""
        return range(max(0, int(top // scaled(ROW))), min(self.n_rows, int(-(-bottom // scaled(ROW)))))

    def token_at(self, point: QPointF) -> int | None:
        """The token whose chip is under `point`, or None."""
        for number in self.rows_between(point.y(), point.y() + 0.5):
            for position in self.row(number):
                if self.box(position).contains(point):
                    return position
        return None

    def paint(
        self,
        painter: QPainter,
        top: float,
        bottom: float,
        theme: Theme,
        *,
        query: int | None = None,
        key: int | None = None,
        cursor: int | None = None,
        found: Collection[int] = (),
        stale: bool = False,
        where: QRegion | None = None,
    ) -> None:
        """Paint the rows between two heights.

        Parameters
        ----------
        query, key : int, optional
            Framed in the colours of queries and keys.
        cursor : int, optional
            Where the keyboard is.
        found : collection of int
            What was found in the text: marked.
        stale : bool
            These are the tokens of a text that has been changed since: paler.
        where : QRegion, optional
            Chips that lie outside stay as they are.
        """
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setOpacity(0.45 if stale else 1.0)
        for number in self.rows_between(top, bottom):
            for position in self.row(number):
                if where is not None and not where.intersects(self.box(position).toAlignedRect()):
                    continue
                frame = "query" if position == query else "accent" if position == key else None
                _paint_chip(painter, self.box(position), self.axis.tokens[position], theme, frame)
                if position in found:
                    paint_found(painter, [self.box(position).adjusted(3, 5, -3, -5)], theme)
                if position == cursor:
                    painter.setPen(QPen(theme.color("text"), 1, Qt.PenStyle.DotLine))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(self.box(position).adjusted(2.5, 2.5, -2.5, -2.5), 4, 4)
        painter.setOpacity(1.0)


def _weight(token: Token) -> QFont.Weight:
    return QFont.Weight.DemiBold if token.masked else QFont.Weight.Normal


def _chip_width(token: Token) -> float:
    return max(scaled(_LEAST_WIDTH), min(scaled(_MOST_WIDTH), text_width(token.text, TEXT_SIZE, _weight(token)) + 2 * _PADDING))


def _paint_chip(painter: QPainter, box: QRectF, token: Token, theme: Theme, frame: str | None) -> None:
    """One token: filled if it is text, outlined if it is special, strong if it is a mask, dotted underneath if unknown."""
    edge = QPen(theme.color(frame), 2) if frame else QPen(theme.color("line"), 1)
    inset = edge.widthF() / 2
    painter.setPen(edge if frame or token.special else Qt.PenStyle.NoPen)
    filling = theme.color("mask") if token.masked else theme.color("panel" if token.special else "soft")
    painter.setBrush(filling)
    painter.drawRoundedRect(box.adjusted(inset, inset, -inset, -inset), _RADIUS, _RADIUS)
    color = theme.color("panel" if token.masked else "muted" if token.special else "accent" if token.generated else "text")
    painter.setFont(text_font(TEXT_SIZE, _weight(token)))
    painter.setPen(color)
    text = elided(token.text, TEXT_SIZE, _weight(token), box.width() - 2 * _PADDING + 1)
    painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
    if token.unknown:
        painter.setPen(QPen(theme.color("error"), 1.5, Qt.PenStyle.DotLine))
        y = box.bottom() - 1.25 * GRID
        painter.drawLine(QPointF(box.left() + _PADDING, y), QPointF(box.right() - _PADDING, y))
