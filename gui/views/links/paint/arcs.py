"""The picture of arcs: the text on one line, an arc for each link, above it to earlier tokens and below it to later ones."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import compress
from typing import Any, ClassVar

import numpy as np
from PySide6.QtCore import QCoreApplication, QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter, QPen

from headscope.core.attention.head_map import HeadMap
from headscope.core.text.tokens import Token, TokenAxis
from headscope.core.vocabulary import FloatArray, Head
from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.labels import elided, stride, text_width
from headscope.gui.paint.picked import NOTHING, Picked
from headscope.gui.paint.theme import GRID, SMALL_SIZE, TEXT_SIZE, Theme, TypeStyle, scaled, text_font, type_style
from headscope.gui.paint.write import CENTER, write
from headscope.gui.views.links.paint.arc_layout import METER, ArcsLayout, Places, lay_out_arcs
from headscope.gui.views.links.paint.figure import LINE, LinkFigure, arcs_on_paper, second_text_at
from headscope.gui.views.links.paint.ink import Ink
from headscope.gui.views.links.paint.links import sum_words
from headscope.gui.views.links.paint.meters import paint_bars, paint_largest, told
from headscope.gui.views.links.paint.picture import line_height

_WIDEST = 160.0  # pixels a label may have along the line
_NEAR = 24.0  # pixels above and below the labels that still point at them
_TURNED = 12.0  # pixels that labels written upwards need beside each other
_NUMBER = 34.0  # pixels that a number needs, and a token has at least
_NARROWEST_FIGURE = 320.0
_LONGEST_FIGURE = 900.0  # a longer line of text is written upwards in figures


class ArcsPicture(LinkFigure[ArcsLayout]):
    """Links of a text to itself.

    Parameters
    ----------
    weights, queries, keys, how
        See `LinkPicture`; queries and keys are the same tokens.
    one_sided : bool
        No token looks at a later one, as in a decoder: there is no room below.
    """

    sideways: ClassVar = True

    def __init__(
        self, weights: Mapping[Head, HeadMap], queries: TokenAxis, keys: TokenAxis, *, one_sided: bool = False, **how: Any
    ) -> None:
        super().__init__(weights, queries, keys, **how)
        self.one_sided = one_sided
        self._places: dict[tuple[TypeStyle, int, int], tuple[Places, float]] = {}

    # ---------------------------------------------------------------- on paper
    def natural_width(self, options: FigureOptions) -> float:
        """See `LinkFigure`."""
        length = self._measured(SMALL_SIZE)[0].length
        wide = length if length <= _LONGEST_FIGURE else max(self.n_rows * (_TURNED + 2.0), _LONGEST_FIGURE)
        return max(wide, _NARROWEST_FIGURE) + 2 * GRID

    def on_paper(self, area: QRectF, options: FigureOptions, footer: float) -> tuple[ArcsLayout, float]:
        """See `LinkFigure`."""
        natural, label = self._measured(SMALL_SIZE)
        picked = options.picked.within(len(self.queries), len(self.keys))
        room = float(np.clip(0.3 * area.width(), 60.0, 260.0)) if options.height is None else None
        how: dict[str, Any] = {"one_sided": self.one_sided, "room": room, "footer": footer}
        how |= {"caption": options.axis_titles, "meters": picked.is_any}
        heads = self.entries if options.legend else (), len(self.weights)
        return arcs_on_paper(area, *heads, natural, label, lambda layout: self.links(layout, picked), **how)

    # ---------------------------------------------------------------- layout
    def layout(self, area: QRectF, scroll: float | None = None) -> ArcsLayout:
        """Lay the picture out: the whole text in `area`, or, with `scroll`, readable and scrolled to the left by so many pixels."""
        natural, label = self._measured(TEXT_SIZE)
        heads = self.entries, len(self.weights)
        return lay_out_arcs(area, *heads, natural, one_sided=self.one_sided, label_width=label, scroll=scroll)

    def _measured(self, size: int) -> tuple[Places, float]:
        """Where tokens lie if each has as much room as it needs, and what the longest needs; for type of the present style."""
        style = type_style(), size, id(self.keys)
        if style not in self._places:
            most, least = scaled(_WIDEST), scaled(_NUMBER)
            widths = [min(text_width(label, size, QFont.Weight.DemiBold), most) for label in self.keys.labels]
            places = Places.of_widths([max(width + 2.0 * GRID, least) for width in widths])
            self._places[style] = places, max(widths, default=0.0) + GRID
        return self._places[style]

    def token_at(self, layout: ArcsLayout, point: QPointF) -> tuple[int | None, int | None]:
        """The token at `point`: in the upper half of its label and above as a query, in the lower half and below as a key."""
        ends, y = layout.ends, point.y()
        at = layout.column_at(point.x())
        if at is None or at >= len(self.keys) or not ends.top - _NEAR <= y < ends.bottom + _NEAR:
            return None, None
        return (at, None) if y < (ends.top + ends.bottom) / 2 else (None, at)

    # ---------------------------------------------------------------- drawing
    def paint_picked(
        self, painter: QPainter, layout: ArcsLayout, theme: Theme, picked: Picked = NOTHING, *, behind: bool = False
    ) -> None:
        """Draw what tells of the picked tokens, but for their lines and labels; all of it has a place of its own."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(theme.color("muted"))
        box = QRectF(layout.clip.left(), layout.titles, layout.clip.width(), LINE if layout.small else line_height())
        metrics = QFontMetricsF(text_font(SMALL_SIZE))
        words = metrics.elidedText(self.caption(picked), Qt.TextElideMode.ElideRight, box.width())
        write(painter, box, words, SMALL_SIZE, side=CENTER)
        painter.setClipRect(layout.clip)
        self._paint_meters(painter, layout, theme, picked)
        painter.restore()

    def caption(self, picked: Picked = NOTHING) -> str:
        """What the arcs are that are seen."""
        translate = QCoreApplication.translate
        gives, gets = translate("links", "what “{word}” attends to"), translate("links", "what attends to “{word}”")
        if picked.several:
            parts = [
                words.format(word=" + ".join(axis.labels[at] for at in places)) + " · " + sum_words(len(places))
                for words, axis, places in ((gives, self.queries, picked.queries), (gets, self.keys, picked.keys))
                if places
            ]
            return " · ".join(parts)
        if picked.query is not None:
            return gives.format(word=self.queries.labels[picked.query])
        if picked.key is not None:
            return gets.format(word=self.keys.labels[picked.key])
        if self.one_sided:
            return translate("links", "arcs lead back to the tokens attended to")
        return translate("links", "above: attends to earlier tokens · below: to later ones")

    def between_texts(self, layout: ArcsLayout) -> list[QLineF]:
        """Across the line of text."""
        at = second_text_at(self.keys)
        box = layout.box(at or 0)
        is_seen = at is not None and layout.clip.left() < box.left() < layout.clip.right()
        return [QLineF(box.topLeft(), box.bottomLeft())] if is_seen else []

    def label_boxes(self, layout: ArcsLayout, queries: Collection[int], keys: Collection[int]) -> list[QRectF]:
        """Where the labels of some tokens are; see `LinkPicture.label_boxes`."""
        seen = layout.visible(len(self.keys))
        return [layout.box(at).adjusted(1, 0, -1, 0) for at in {*queries, *keys} if at in seen]

    def paint_tokens(
        self, painter: QPainter, layout: ArcsLayout, theme: Theme, picked: Picked = NOTHING, *, again: bool = False
    ) -> None:
        """Draw the text."""
        painter.save()
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
        painter.setClipRect(layout.area if layout.rotated else layout.clip)
        queries, keys = picked.all_queries, picked.all_keys
        labelled = self._labelled(layout, queries | keys)
        if again:
            gone = set(self._labelled(layout, ())) - set(labelled)  # to make room for those that are picked
            labelled = [at for at in labelled if at in queries or at in keys]
            for at in (*gone, *labelled):
                painter.fillRect(self._written(layout, at), theme.color("panel"))
        for at in labelled:
            role = "query" if at in queries else "accent" if at in keys else None
            self._paint_label(painter, layout, theme, self.keys.tokens[at], layout.box(at), role)
        painter.restore()

    @staticmethod
    def _written(layout: ArcsLayout, at: int) -> QRectF:
        """The part of a label's box that letters cover; written upwards they may need more."""
        box = layout.box(at)
        more = max(0.0, (scaled(_TURNED) - box.width()) / 2) if layout.rotated else 0.0
        return box.adjusted(-more, 0, more, 0)

    def _labelled(self, layout: ArcsLayout, focus: Collection[int]) -> list[int]:
        """Tokens that have a label: all, or as many as can be read and those in focus."""
        seen = layout.visible(len(self.keys))
        step = stride(layout.box(0).width(), scaled(_TURNED)) if layout.rotated and len(self.keys) else 1
        if step == 1:
            return list(seen)
        shown = [at for at in focus if at in seen]
        return [at for at in seen if at % step == 0 and all(abs(at - other) >= step for other in shown)] + shown

    def _paint_label(
        self, painter: QPainter, layout: ArcsLayout, theme: Theme, token: Token, box: QRectF, role: str | None
    ) -> None:
        color = theme.color(role or ("mask" if token.masked else "muted" if token.special else "text"))
        weight = QFont.Weight.DemiBold if role is not None or token.masked else QFont.Weight.Normal
        size = SMALL_SIZE if layout.rotated or layout.small else TEXT_SIZE
        room = box.height() - GRID if layout.rotated else box.width()
        text = elided(token.text, size, weight, room)
        painter.setPen(color)
        width = min(text_width(text, size, weight), room)
        if not layout.rotated:
            write(painter, box, text, size, weight, side=CENTER)
            if token.unknown:
                painter.setPen(QPen(color, 1, Qt.PenStyle.DotLine))
                start, y = box.center().x() - width / 2, box.center().y() + 2 * GRID
                painter.drawLine(QPointF(start, y), QPointF(start + width, y))
            return
        painter.save()
        painter.translate(box.center().x(), box.bottom() - GRID / 2)
        painter.rotate(-90)
        write(painter, QRectF(0, -line_height() / 2, room, line_height()), text, size, weight)
        painter.restore()

    def _paint_meters(self, painter: QPainter, layout: ArcsLayout, theme: Theme, picked: Picked) -> None:
        """Under each label the weights between the token and the one in focus, or those picked out: a number, and a bar for each head."""
        gives = bool(picked.queries) if picked.several else picked.query is not None
        seen = self.seen_of(picked, keys=gives)
        if seen is None:
            return
        full = max(1, len(picked.queries if gives else picked.keys)) if picked.several else 1
        ink = self.ink(theme)
        tokens, values = told(layout.visible(len(seen[0])), seen)
        boxes = [layout.box(at) for at in tokens]
        boxes = [QRectF(box.left(), box.bottom(), box.width(), scaled(METER)) for box in boxes]
        roomy = np.array([box.width() >= scaled(_NUMBER) for box in boxes], bool)
        paint_bars(painter, list(compress(boxes, ~roomy)), values[:, ~roomy] / np.float32(full), ink)
        self._paint_roomy(painter, list(compress(boxes, roomy)), theme, values[:, roomy], full, ink)

    @staticmethod
    def _paint_roomy(painter: QPainter, boxes: list[QRectF], theme: Theme, values: FloatArray, full: float, ink: Ink) -> None:
        """Bars, and a number under them."""
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(theme.color("panel", 0.8))
        painter.drawRects(boxes)
        upper = [box.adjusted(2, 1, -2, -box.height() / 2) for box in boxes]
        if len(values) == 1:
            for parts, colors in ink.parts(values / np.float32(full)):
                painter.setBrush(colors[0])
                bars = zip(upper, parts[0].tolist(), strict=True)
                painter.drawRects(
                    [QRectF(box.left(), box.top() + 2, part * box.width(), box.height() - 4) for box, part in bars if part]
                )
        else:
            paint_bars(painter, upper, values / np.float32(full), ink)
        lower = [box.adjusted(0, box.height() / 2 - 2, 0, 0) for box in boxes]
        paint_largest(painter, lower, theme, values, ink, SMALL_SIZE)
