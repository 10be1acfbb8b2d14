"""LinksPicture: query tokens on the left, key tokens on the right, a line for each weight, a colour for each head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Literal

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from headscope.core.jobs import FloatArray, Head
from headscope.core.tokens import TokenAxis
from headscope.core.view_jobs import HeadMap, HeadOverview
from headscope.gui.paint.link_layout import LINE, LinksLayout, lay_out
from headscope.gui.paint.link_lines import MOST_LINKS, Block, Links, draw_lines, links_of
from headscope.gui.paint.link_meters import paint_meter, tall
from headscope.gui.paint.theme import GRID, SMALL_SIZE, TEXT_SIZE, Theme, text_font

_TITLE = 80.0  # room for the name of a side
_READABLE_ROW = 13.0  # labels of lower rows are thinned out


class LinksPicture:
    """Links between the tokens of a text, of one or several heads.

    Parameters
    ----------
    weights : mapping of (layer, head) to float32 (n_queries, n_keys) or HeadOverview
    queries, keys : TokenAxis
    colors : mapping of (layer, head) to int, optional
        Which of the theme's head colours each head has; in order if not given.
    threshold : float
        Weaker links are not drawn; the picture says so.
    most : int
        At most this many links are drawn, the strongest; the picture says so.
    """

    def __init__(
        self,
        weights: Mapping[Head, HeadMap],
        queries: TokenAxis,
        keys: TokenAxis,
        *,
        colors: Mapping[Head, int] | None = None,
        threshold: float = 0.0,
        most: int = MOST_LINKS,
    ) -> None:
        self.weights = dict(weights)
        self.queries = queries
        self.keys = keys
        self.threshold = threshold
        self.most = most
        self._colors = [i if colors is None else colors.get(head, i) for i, head in enumerate(weights)]
        metrics = QFontMetricsF(text_font())
        longest = sorted({*queries.labels, *keys.labels}, key=len)[-40:]  # the widest is among the longest
        self._label_width = max((metrics.horizontalAdvance(label) for label in longest), default=0.0) + 2 * GRID

    @property
    def n_rows(self) -> int:
        """Rows of the longer side."""
        return max(len(self.queries), len(self.keys))

    def head_colors(self, theme: Theme) -> list[QColor]:
        """The colour of each head."""
        return [theme.head_color(number) for number in self._colors]

    def size(self, width: float = 640.0, row: float = 24.0) -> QSizeF:
        """A good size for a figure: every label is readable."""
        bare = self.layout(QRectF(0, 0, width, 4096))
        return QSizeF(width, bare.area.height() - bare.clip.height() + self.n_rows * row)

    # ---------------------------------------------------------------- layout
    def layout(self, area: QRectF, scroll: float | None = None) -> LinksLayout:
        """Lay the picture out: the whole text in `area`, or, with `scroll`, readable rows scrolled up by so many pixels."""
        return lay_out(area, list(self.weights), self.n_rows, self._label_width, scroll)

    def side_at(self, layout: LinksLayout, x: float) -> Literal["query", "key"] | None:
        """Which tokens are at `x`: "query", "key", or None between and outside."""
        near = min(24.0, (layout.rows.right - layout.rows.left) / 4)
        if layout.area.left() <= x < layout.rows.left + near:
            return "query"
        return "key" if layout.rows.right - near <= x < layout.area.right() else None

    # ---------------------------------------------------------------- which links
    def blocks(self, layout: LinksLayout, only_query: int | None = None, only_key: int | None = None) -> tuple[Block, ...]:
        """Where in the maps the links are that this layout shows: all, those that begin or end in sight, or one token's."""
        everything = slice(None)
        if only_query is not None or only_key is not None:
            return ((_only(only_query), _only(only_key)),)
        if not layout.scrolled:
            return ((everything, everything),)
        queries, keys = layout.visible(len(self.queries)), layout.visible(len(self.keys))
        seen = slice(keys.start, keys.stop)
        return (
            (slice(queries.start, queries.stop), everything),
            (slice(0, queries.start), seen),
            (slice(queries.stop, None), seen),
        )

    def links(self, layout: LinksLayout, only_query: int | None = None, only_key: int | None = None) -> Links:
        """The links that this layout shows."""
        return links_of(self.weights, self.blocks(layout, only_query, only_key), self.threshold, self.most)

    # ---------------------------------------------------------------- drawing
    def paint(
        self,
        painter: QPainter,
        rect: QRectF,
        theme: Theme,
        *,
        only_query: int | None = None,
        only_key: int | None = None,
        scroll: float | None = None,
    ) -> None:
        """Draw the picture into `rect`; the same code draws files.

        Parameters
        ----------
        only_query, only_key : int, optional
            Draw only this token's links, with their weights as numbers.
        scroll : float, optional
            See `layout`; None draws the whole text.
        """
        layout = self.layout(rect, scroll)
        links = self.links(layout, only_query, only_key)
        painter.fillRect(rect, theme.color("panel"))
        self.paint_lines(painter, layout, theme, links)
        self.paint_frame(painter, layout, theme, links, only_query=only_query, only_key=only_key)
        self.paint_tokens(painter, layout, theme, only_query=only_query, only_key=only_key)

    def paint_lines(self, painter: QPainter, layout: LinksLayout, theme: Theme, links: Links, *, width: float = 1.0) -> None:
        """Draw the lines at once."""
        painter.save()
        for _ in draw_lines(painter, links, layout.rows, layout.lines, self.head_colors(theme), width=width):
            pass
        painter.restore()

    def paint_frame(
        self,
        painter: QPainter,
        layout: LinksLayout,
        theme: Theme,
        links: Links,
        *,
        only_query: int | None = None,
        only_key: int | None = None,
    ) -> None:
        """Draw everything but lines and labels. `links` are those that are drawn: the footer tells how they were chosen."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_legend(painter, layout, theme)
        self._paint_footer(painter, layout, theme, links)
        if layout.scrolled:
            painter.setClipRect(layout.clip)
        self._paint_meters(painter, layout, theme, only_query, only_key)
        painter.restore()

    def paint_tokens(
        self,
        painter: QPainter,
        layout: LinksLayout,
        theme: Theme,
        *,
        only_query: int | None = None,
        only_key: int | None = None,
    ) -> None:
        """Draw the labels of both sides."""
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        if layout.scrolled:
            painter.setClipRect(layout.clip)
        self._paint_side(painter, layout, theme, self.queries, only_query, left=True)
        self._paint_side(painter, layout, theme, self.keys, only_key, left=False)
        painter.restore()

    def _paint_legend(self, painter: QPainter, layout: LinksLayout, theme: Theme) -> None:
        painter.setFont(text_font(SMALL_SIZE))
        for (box, name), color in zip(layout.legend, self.head_colors(theme), strict=True):
            square = QRectF(box.left() + GRID, box.center().y() - GRID, 2 * GRID, 2 * GRID)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(color)
            painter.drawRoundedRect(square, 2, 2)
            painter.setPen(theme.color("text"))
            painter.drawText(box.adjusted(4 * GRID, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, name)
        painter.setPen(theme.color("muted"))
        for title, left, side in (
            (QCoreApplication.translate("links", "query"), True, Qt.AlignmentFlag.AlignRight),
            (QCoreApplication.translate("links", "key"), False, Qt.AlignmentFlag.AlignLeft),
        ):
            edge = layout.label_box(0, left=left)
            box = QRectF(edge.right() - _TITLE if left else edge.left(), layout.titles, _TITLE, LINE)
            painter.drawText(box, side | Qt.AlignmentFlag.AlignVCenter, title)

    def _paint_footer(self, painter: QPainter, layout: LinksLayout, theme: Theme, links: Links) -> None:
        painter.setFont(text_font(SMALL_SIZE))
        painter.setPen(theme.color("muted"))
        box = QRectF(layout.area.left(), layout.area.bottom() - LINE - GRID / 2, layout.area.width(), LINE)
        box = box.adjusted(layout.margin, 0, -layout.margin, 0)
        text = QFontMetricsF(painter.font()).elidedText(self.footer(links), Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def footer(self, links: Links) -> str:
        """What the picture says about the links that it does not show."""
        translate = QCoreApplication.translate
        parts = [translate("links", "opacity = weight")]
        if self.threshold > 0:
            parts.append(translate("links", "links under {threshold:.2f} hidden").format(threshold=self.threshold))
        if self.most <= len(links) < links.candidates:
            words = translate("links", "strongest {shown:,} of {all} links shown, weights ≥ {least:.3f}")
            least = float(links.weight.min())
            parts.append(words.format(shown=len(links), all=_short_count(links.candidates), least=least))
        return " · ".join(parts)

    def _paint_side(
        self, painter: QPainter, layout: LinksLayout, theme: Theme, axis: TokenAxis, focus: int | None, *, left: bool
    ) -> None:
        role = "query" if left else "accent"
        side = Qt.AlignmentFlag.AlignRight if left else Qt.AlignmentFlag.AlignLeft
        flags = side | Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignAbsolute
        plain, strong = (_row_font(layout.rows.height, weight) for weight in (QFont.Weight.Normal, QFont.Weight.DemiBold))
        for row in self._labelled(layout, len(axis), focus):
            token, box = axis.tokens[row], layout.label_box(row, left=left)
            font = strong if row == focus or token.masked else plain
            color = theme.color(role if row == focus else "query" if token.masked else "muted" if token.special else "text")
            painter.setFont(font)
            painter.setPen(color)
            text = _elided(token.text, font.pixelSize(), font.weight(), box.width())
            painter.drawText(tall(box), flags, text)
            if token.unknown:
                _underline(painter, box, QFontMetricsF(font).horizontalAdvance(text), left=left)

    def _labelled(self, layout: LinksLayout, count: int, focus: int | None) -> Sequence[int]:
        """Rows that have a label: all, or as many as can be read and the one in focus."""
        step = int(np.ceil(_READABLE_ROW / layout.rows.height))
        rows = [row for row in layout.visible(count) if row % step == 0]
        if focus is not None and step > 1 and focus < count:
            rows = [row for row in rows if abs(row - focus) >= step] + [focus]
        return rows

    def _paint_meters(
        self, painter: QPainter, layout: LinksLayout, theme: Theme, only_query: int | None, only_key: int | None
    ) -> None:
        """The weights between each token and the one in focus."""
        if only_query is None and only_key is None:
            return
        left = only_query is None
        columns = [_column(matrix, only_key) if left else _row(matrix, only_query) for matrix in self.weights.values()]
        colors = self.head_colors(theme)
        painter.setFont(_row_font(layout.rows.height))
        for row in self._labelled(layout, len(columns[0]), None if left else only_key):
            values = [float(column[row]) for column in columns]
            if any(values):
                paint_meter(painter, layout, theme, row, values, colors, left=left)


def _row(weights: HeadMap, query: int | None) -> FloatArray:
    """What one query gives each key."""
    assert query is not None
    return weights.row(query) if isinstance(weights, HeadOverview) else weights[query]


def _column(weights: HeadMap, key: int | None) -> FloatArray:
    """What each query gives one key."""
    assert key is not None
    return weights.column(key) if isinstance(weights, HeadOverview) else weights[:, key]


def _only(position: int | None) -> slice:
    return slice(None) if position is None else slice(position, position + 1)


@lru_cache(maxsize=4096)
def _elided(text: str, pixels: int, weight: QFont.Weight, width: float) -> str:
    """`text`, cut to `width`. Kept, because measuring a word takes half as long as drawing it."""
    return QFontMetricsF(text_font(pixels, weight)).elidedText(text, Qt.TextElideMode.ElideRight, width)


def _underline(painter: QPainter, box: QRectF, width: float, *, left: bool) -> None:
    """Dots under a word that the model does not know."""
    start, y = box.right() - width if left else box.left(), box.center().y() + 2 * GRID
    painter.setPen(QPen(painter.pen().color(), 1, Qt.PenStyle.DotLine))
    painter.drawLine(QPointF(start, y), QPointF(start + width, y))


def _row_font(height: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    return text_font(TEXT_SIZE if height >= 16 else SMALL_SIZE, weight)


def _short_count(count: int) -> str:
    """`count` as people read it: ``81,920``, ``3.1 M``."""
    return f"{count / 1e6:.1f} M" if count >= 1_000_000 else f"{count:,}"
