"""The picture of links: query tokens on the left, key tokens on the right, a line for each link, one colour for each head."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from typing import Any, ClassVar

from PySide6.QtCore import QCoreApplication, QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QPainter, QPen

from headscope.core.attention.head_map import HeadMap
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Head
from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.labels import elided, stride, text_width, widest
from headscope.gui.paint.picked import NOTHING, Picked
from headscope.gui.paint.theme import GRID, SMALL_SIZE, TEXT_SIZE, Theme, scaled
from headscope.gui.paint.write import LEFT, RIGHT, write
from headscope.gui.views.links.paint.figure import LINE, LinkFigure, columns_width, links_on_paper, second_text_at
from headscope.gui.views.links.paint.layout import READABLE_ROW, LinksLayout, lay_out
from headscope.gui.views.links.paint.meters import paint_meters, told
from headscope.gui.views.links.paint.picture import line_height

_TITLE = 160.0  # room for the name of a side
_LEAST_FOR_TEXT = 16.0  # height of a row; the type in lower ones is small


class LinksPicture(LinkFigure[LinksLayout]):
    """Links between two columns of tokens.

    Parameters
    ----------
    weights, queries, keys, how
        See `LinkPicture`.
    titles : (str, str), optional
        Names of the sides; "query" and "key" if not given.
    """

    sideways: ClassVar = False

    def __init__(
        self,
        weights: Mapping[Head, HeadMap],
        queries: TokenAxis,
        keys: TokenAxis,
        *,
        titles: tuple[str, str] | None = None,
        **how: Any,
    ) -> None:
        super().__init__(weights, queries, keys, **how)
        translate = QCoreApplication.translate
        self.titles = titles or (translate("links", "query"), translate("links", "key"))

    # ---------------------------------------------------------------- on paper
    def natural_width(self, options: FigureOptions) -> float:
        """See `LinkFigure`."""
        return columns_width(self._label(SMALL_SIZE), meters=options.picked.is_any)

    def on_paper(self, area: QRectF, options: FigureOptions, footer: float) -> tuple[LinksLayout, float]:
        """See `LinkFigure`."""
        listed = self.entries if options.legend else ()
        how: dict[str, Any] = {"titles": options.axis_titles, "meters": options.picked.is_any, "footer": footer}
        return links_on_paper(area, listed, len(self.weights), self.n_rows, self._label(SMALL_SIZE), **how)

    def _label(self, size: int) -> float:
        """What the longest token needs."""
        return max(widest(axis, size, math.inf) for axis in (self.queries, self.keys))

    # ---------------------------------------------------------------- layout
    def layout(self, area: QRectF, scroll: float | None = None) -> LinksLayout:
        """Lay the picture out: the whole text in `area`, or, with `scroll`, readable rows scrolled up by so many pixels."""
        label = self._label(TEXT_SIZE) + 2 * GRID
        return lay_out(area, self.entries, len(self.weights), self.n_rows, label, scroll)

    def token_at(self, layout: LinksLayout, point: QPointF) -> tuple[int | None, int | None]:
        """The query or the key at `point`; none between the columns and outside."""
        x, near = point.x(), min(24.0, (layout.rows.right - layout.rows.left) / 4)
        if layout.area.left() <= x < layout.rows.left + near:
            return layout.row_at(point.y(), len(self.queries)), None
        if layout.rows.right - near <= x < layout.area.right():
            return None, layout.row_at(point.y(), len(self.keys))
        return None, None

    # ---------------------------------------------------------------- drawing
    def paint_picked(
        self, painter: QPainter, layout: LinksLayout, theme: Theme, picked: Picked = NOTHING, *, behind: bool = False
    ) -> None:
        """Draw what tells of the picked tokens, but for their lines and labels; see `LinkPicture.paint_picked`."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_titles(painter, layout, theme, picked)
        if layout.scrolled:
            painter.setClipRect(layout.clip)
        for left in (True, False):
            self._paint_meters(painter, layout, theme, picked, left=left, behind=behind)
        painter.restore()

    def paint_tokens(
        self, painter: QPainter, layout: LinksLayout, theme: Theme, picked: Picked = NOTHING, *, again: bool = False
    ) -> None:
        """Draw the labels of both sides."""
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        if layout.scrolled:
            painter.setClipRect(layout.clip)
        for left, axis, picked_here in ((True, self.queries, picked.all_queries), (False, self.keys, picked.all_keys)):
            rows = self._labelled(layout, len(axis), picked_here)
            if again:
                gone = set(self._labelled(layout, len(axis), ())) - set(rows)  # to make room for those that are picked
                rows = [row for row in rows if row in picked_here]
                for row in (*gone, *rows):
                    painter.fillRect(layout.written_box(row, left=left), theme.color("panel"))
            self._paint_side(painter, layout, theme, axis, rows, picked_here, left=left)
        painter.restore()

    def between_texts(self, layout: LinksLayout) -> list[QLineF]:
        """Across the labels of both sides."""
        lines = []
        for left, axis in ((True, self.queries), (False, self.keys)):
            at = second_text_at(axis)
            box = layout.label_box(at or 0, left=left)
            if at is not None and layout.clip.top() < box.top() < layout.clip.bottom():
                lines.append(QLineF(box.topLeft(), box.topRight()))
        return lines

    def label_boxes(self, layout: LinksLayout, queries: Collection[int], keys: Collection[int]) -> list[QRectF]:
        """Where the labels of some tokens are; see `LinkPicture.label_boxes`."""
        seen = {True: layout.visible(len(self.queries)), False: layout.visible(len(self.keys))}
        sides = ((True, queries), (False, keys))
        boxes = (layout.label_box(at, left=left) for left, tokens in sides for at in tokens if at in seen[left])
        spare = max(0.0, (layout.rows.height - scaled(READABLE_ROW) - GRID) / 2)
        return [box.adjusted(-2, spare, 2, -spare) for box in boxes]

    def _paint_titles(self, painter: QPainter, layout: LinksLayout, theme: Theme, picked: Picked) -> None:
        """The names of the sides; beside numbers that are sums, that they are."""
        painter.setPen(theme.color("muted"))
        for left, title, summed in ((True, self.titles[0], picked.keys), (False, self.titles[1], picked.queries)):
            inner = layout.label_box(0, left=left)
            wide, outer = scaled(_TITLE), layout.area.adjusted(layout.margin, 0, -layout.margin, 0)
            box = QRectF(
                inner.right() - wide if left else inner.left(), layout.titles, wide, LINE if layout.small else line_height()
            )
            side = RIGHT if left else LEFT
            words = title
            if summed and layout.meter:
                words = f"{title} · {sum_words(len(summed))}"
            elif summed:  # from the edge inwards, over the lines
                box.moveLeft(outer.left() if left else outer.right() - wide)
                side = LEFT if left else RIGHT
                words = sum_words(len(summed))
            write(painter, box, words, SMALL_SIZE, side=side)

    def _paint_side(
        self,
        painter: QPainter,
        layout: LinksLayout,
        theme: Theme,
        axis: TokenAxis,
        rows: Sequence[int],
        focus: Collection[int],
        *,
        left: bool,
    ) -> None:
        role, side = ("query", RIGHT) if left else ("accent", LEFT)
        size = _row_type(layout)
        for row in rows:
            token, box = axis.tokens[row], layout.label_box(row, left=left)
            weight = QFont.Weight.DemiBold if row in focus or token.masked else QFont.Weight.Normal
            painter.setPen(
                theme.color(role if row in focus else "mask" if token.masked else "muted" if token.special else "text")
            )
            text = elided(token.text, size, weight, box.width())
            write(painter, box, text, size, weight, side=side)
            if token.unknown:
                _underline(painter, box, text_width(text, size, weight), left=left)

    def _labelled(self, layout: LinksLayout, count: int, focus: Collection[int]) -> Sequence[int]:
        """Rows that have a label: all, or as many as can be read and those in focus."""
        step = stride(layout.rows.height, scaled(READABLE_ROW))
        rows = [row for row in layout.visible(count) if row % step == 0]
        if step > 1:
            shown = [row for row in focus if row < count]
            rows = [row for row in rows if all(abs(row - other) >= step for other in shown)] + shown
        return rows

    def _paint_meters(
        self, painter: QPainter, layout: LinksLayout, theme: Theme, picked: Picked, *, left: bool, behind: bool
    ) -> None:
        """The weights between each token of a side and the one in focus, or those picked out."""
        seen = self.seen_of(picked, keys=not left)
        if seen is None:
            return
        beside = picked.query if left else picked.key
        rows, values = told(self._labelled(layout, len(seen[0]), () if beside is None else (beside,)), seen)
        full = max(1, len(picked.keys if left else picked.queries)) if picked.several else 1
        how: dict[str, Any] = {"left": left, "full": full, "pixels": _row_type(layout), "behind": behind}
        paint_meters(painter, layout, theme, rows, values, self.ink(theme), **how)


def sum_words(count: int) -> str:
    """What numbers are that are sums over `count` tokens."""
    return QCoreApplication.translate("links", "sum of %n token(s)", "", count)


def _underline(painter: QPainter, box: QRectF, width: float, *, left: bool) -> None:
    """Dots under a word that the model does not know."""
    start, y = box.right() - width if left else box.left(), box.center().y() + 2 * GRID
    painter.setPen(QPen(painter.pen().color(), 1, Qt.PenStyle.DotLine))
    painter.drawLine(QPointF(start, y), QPointF(start + width, y))


def _row_type(layout: LinksLayout) -> int:
    return TEXT_SIZE if not layout.small and layout.rows.height >= scaled(_LEAST_FOR_TEXT) else SMALL_SIZE
