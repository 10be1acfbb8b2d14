"""What pictures of links have in common, whatever their shape: heads and their colours, which links, and what is said about them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import replace
from typing import ClassVar, Generic, Protocol, Self, TypeVar

import numpy as np
from PySide6.QtCore import QCoreApplication, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from headscope.core.attention.head_map import HeadMap
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray, Head
from headscope.gui.paint.found import paint_found
from headscope.gui.paint.lens_words import largest_of, lens_name, short_count, short_number, threshold_text
from headscope.gui.paint.picked import NOTHING, Picked
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, scaled, text_font
from headscope.gui.views.links.paint.choice import Choice, HeadChoice, unknown_of
from headscope.gui.views.links.paint.ink import Ink, entries_of, extent_of, ink_of
from headscope.gui.views.links.paint.legend import Entry, Legend, paint_legend
from headscope.gui.views.links.paint.lines import MOST_LINKS, Block, Ends, Links, draw_dashes, draw_lines, joined, links_of_head
from headscope.gui.views.links.paint.sums import column_sum, row_sum

_LINE = 20.0
_EVERYTHING = slice(None)


class Layout(Protocol):
    """What is needed to know about where things lie."""

    @property
    def area(self) -> QRectF:
        """The whole picture."""

    @property
    def clip(self) -> QRectF:
        """The part of it in which tokens are seen."""

    @property
    def margin(self) -> float:
        """Width of its empty edge."""

    @property
    def legend(self) -> Legend:
        """Where the name of each head stands."""

    @property
    def lines(self) -> QRectF:
        """Where lines are drawn."""

    @property
    def ends(self) -> Ends:
        """Where links begin and end."""

    @property
    def scrolled(self) -> bool:
        """Whether some tokens are out of sight."""

    @property
    def step(self) -> float:
        """How far one notch of a wheel scrolls."""

    def hidden(self, count: int) -> float:
        """How much of `count` tokens is out of sight, in pixels."""

    def visible(self, count: int) -> range:
        """Which of `count` tokens are seen, whole or in part."""

    def beyond(self, at: int) -> float:
        """How far one has to scroll to see a token; negative: back."""


LayoutT = TypeVar("LayoutT", bound=Layout)


class LinkPicture(ABC, Generic[LayoutT]):
    """Links between tokens, of one or several heads.

    Parameters
    ----------
    weights : mapping of (layer, head) to float32 (n_queries, n_keys) or HeadOverview
    queries, keys : TokenAxis
    colors : mapping of (layer, head) to int, optional
        Which of the theme's head colours each head has; in order if not given.
    choice : Choice
        Which links are drawn; the picture says so.
    most : int
        At most this many links are drawn, the strongest; the picture says so.
    listed : sequence of (layer, head), optional
        The heads that the legend names; those that have no weights are named as switched off.
    note : str
        Something else that the picture says about itself.
    lens : Lens
        What the numbers are. If they are no shares of a whole, lines are as strong as they are far from 0, beside what is furthest;
        `choice.at_least` is then a share of that.
    """

    sideways: ClassVar[bool]
    """Whether it scrolls from left to right."""

    def __init__(
        self,
        weights: Mapping[Head, HeadMap],
        queries: TokenAxis,
        keys: TokenAxis,
        *,
        colors: Mapping[Head, int] | None = None,
        choice: Choice = Choice(),  # noqa: B008 - frozen
        most: int = MOST_LINKS,
        listed: Sequence[Head] | None = None,
        note: str = "",
        lens: Lens = WEIGHTS,
    ) -> None:
        self.weights = dict(weights)
        self.lens = lens
        self.extent = (0.0, 1.0) if lens.is_share else extent_of(weights)
        self.largest = largest_of(lens, max(-self.extent[0], self.extent[1]))
        if not lens.is_share:
            choice = replace(choice, at_least=choice.at_least * self.largest, mass=None)
        self.queries = queries
        self.keys = keys
        self.choice = choice
        self.most = most
        self.listed = tuple(weights if listed is None else listed)
        self.note = note
        self._colors = [i if colors is None else colors.get(head, i) for i, head in enumerate(weights)]
        self._choices = [self._choice_of(matrix, queries, keys) for matrix in weights.values()]

    def _choice_of(self, matrix: HeadMap, queries: TokenAxis, keys: TokenAxis) -> HeadChoice:
        return HeadChoice(matrix, self.choice, queries, keys, self.lens, self.largest)

    @property
    def n_rows(self) -> int:
        """Tokens of the longer side."""
        return max(len(self.queries), len(self.keys))

    def head_colors(self, theme: Theme) -> list[QColor]:
        """The colour of each head."""
        return [theme.head_color(number) for number in self._colors]

    def ink(self, theme: Theme) -> Ink:
        """In which colours and how strongly numbers are drawn."""
        return ink_of(self.lens, self.largest, self.head_colors(theme), theme, alone=len(self.listed) <= 1)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What the legend names: the heads, and what is to be known of a lens."""
        return entries_of(self.listed, self.lens, self.extent) if self.weights else self.listed

    def part(self, rows: range, columns: range) -> Self:
        """The links from some queries to some keys; all of them if there is an overview of a head among them."""
        if not all(isinstance(matrix, np.ndarray) for matrix in self.weights.values()):
            return self
        part = copy(self)
        part.weights = {
            head: matrix[rows.start : rows.stop, columns.start : columns.stop]
            for head, matrix in self.weights.items()
            if isinstance(matrix, np.ndarray)
        }
        part.queries, part.keys = _some(self.queries, rows), _some(self.keys, columns)
        part._choices = [self._choice_of(matrix, part.queries, part.keys) for matrix in part.weights.values()]
        return part

    # ---------------------------------------------------------------- what each shape does in its own way
    @abstractmethod
    def layout(self, area: QRectF, scroll: float | None = None) -> LayoutT:
        """Lay the picture out: the whole text in `area`, or, with `scroll`, readable and scrolled by so many pixels."""

    @abstractmethod
    def token_at(self, layout: LayoutT, point: QPointF) -> tuple[int | None, int | None]:
        """The query or the key at `point`."""

    @abstractmethod
    def paint_picked(
        self, painter: QPainter, layout: LayoutT, theme: Theme, picked: Picked = NOTHING, *, behind: bool = False
    ) -> None:
        """Draw what tells of the picked tokens, but for their lines and labels; `behind` labels that are drawn already."""

    @abstractmethod
    def label_boxes(self, layout: LayoutT, queries: Collection[int], keys: Collection[int]) -> list[QRectF]:
        """Where the labels of some tokens are, of those in sight."""

    @abstractmethod
    def paint_tokens(
        self, painter: QPainter, layout: LayoutT, theme: Theme, picked: Picked = NOTHING, *, again: bool = False
    ) -> None:
        """Draw the labels; `again`: over those that are drawn already without `picked`, only those that look different."""

    # ---------------------------------------------------------------- which links
    def prepare(self) -> Iterator[None]:
        """Find out which links are chosen; pauses after every few milliseconds."""
        for choice in self._choices:
            yield from choice.prepare()

    @property
    def is_ready(self) -> bool:
        """Whether it is known which links are chosen."""
        return all(choice.is_ready for choice in self._choices)

    def parts(self, blocks: Sequence[Block]) -> Iterator[Links]:
        """The strongest links of each head inside `blocks`."""
        for _ in self.prepare():
            pass
        for number, choice in enumerate(self._choices):
            yield links_of_head(number, choice, blocks, self.most)

    def blocks(self, layout: Layout) -> tuple[Block, ...]:
        """Where in the maps the links are that this layout shows: all, or those that begin or end in sight."""
        if not layout.scrolled:
            return ((_EVERYTHING, _EVERYTHING),)
        queries, keys = layout.visible(len(self.queries)), layout.visible(len(self.keys))
        seen = slice(keys.start, keys.stop)
        return (
            (slice(queries.start, queries.stop), _EVERYTHING),
            (slice(0, queries.start), seen),
            (slice(queries.stop, None), seen),
        )

    def links(self, layout: Layout, picked: Picked = NOTHING) -> Links:
        """The links that this layout shows, or those of the tokens that are picked; of a cell, those of its row."""
        if not picked.is_any:
            return joined(list(self.parts(self.blocks(layout))), self.most)
        if not picked.several:
            key = picked.key if picked.query is None else None
            return joined(list(self.parts(((_only(picked.query), _only(key)),))), self.most)
        queries, keys = set(picked.queries), set(picked.keys)
        if picked.query is not None and picked.key is None:
            queries.add(picked.query)
        if picked.key is not None and picked.query is None:
            keys.add(picked.key)
        from_queries = joined(list(self.parts([(_only(query), _EVERYTHING) for query in sorted(queries)])), self.most)
        to_keys = joined(list(self.parts([(_EVERYTHING, _only(key)) for key in sorted(keys)])), self.most)
        others = np.flatnonzero(~np.isin(to_keys.query, list(queries)))
        return joined([from_queries, to_keys.take(others)], self.most)

    def not_drawn(self, layout: Layout, links: Links, query: int | None = None) -> tuple[float, bool] | None:
        """The share of the weight of the queries in sight, or of one query, that `links` do not carry; and whether it is exact.

        If it is not, it is what is not drawn at least. None where nothing is known.
        """
        rows = range(query, query + 1) if query is not None else layout.visible(len(self.queries))
        if not self.lens.is_share or not self._choices or not self.is_ready or not len(rows):
            return None
        inside = self._choices[0].queries
        counted = np.zeros(len(self.queries), bool)
        counted[rows.start : rows.stop] = True if inside is None else inside[rows.start : rows.stop]
        whole = sum(float(choice.sums[counted].sum()) for choice in self._choices)
        if whole <= 0:
            return None
        drawn = float(links.weight[counted[links.query]].sum(dtype=np.float64))
        return max(0.0, 1 - drawn / whole), all(choice.exact for choice in self._choices)

    def seen_of(self, picked: Picked, *, keys: bool) -> list[FloatArray] | None:
        """The numbers beside the tokens of a side, of each head: of the one in focus, or the sum over those picked out; 0 for none."""
        if picked.several:
            of = picked.queries if keys else picked.keys
        else:
            alone = picked.query if keys else picked.key if picked.query is None else None
            of = () if alone is None else (alone,)
        if not of or not self.weights:
            return None
        return [row_sum(matrix, of) if keys else column_sum(matrix, of) for matrix in self.weights.values()]

    # ---------------------------------------------------------------- drawing
    def paint(
        self,
        painter: QPainter,
        rect: QRectF,
        theme: Theme,
        *,
        picked: Picked = NOTHING,
        scroll: float | None = None,
    ) -> None:
        """Draw the picture into `rect`; the same code draws files.

        Parameters
        ----------
        picked : Picked
            Draw only these tokens' links, with their weights as numbers.
        scroll : float, optional
            See `layout`; None draws the whole text.
        """
        layout, picked = self.layout(rect, scroll), picked.within(len(self.queries), len(self.keys))
        links = self.links(layout, picked)
        painter.fillRect(rect, theme.color("panel"))
        self.paint_lines(painter, layout, theme, links)
        self.paint_pointed(painter, layout, theme, picked)
        self.paint_still(painter, layout, theme, self.footer(layout, links, picked))
        self.paint_picked(painter, layout, theme, picked)
        self.paint_tokens(painter, layout, theme, picked)

    def paint_found(
        self, painter: QPainter, layout: LayoutT, theme: Theme, found: tuple[Collection[int], Collection[int]]
    ) -> None:
        """Mark the queries and the keys that were found in the text."""
        painter.save()
        painter.setClipRect(layout.clip)
        paint_found(painter, self.label_boxes(layout, *found), theme)
        painter.restore()

    def draw(self, painter: QPainter, layout: Layout, theme: Theme, links: Links, *, width: float = 1.0) -> Iterator[None]:
        """Draw lines; pauses after every few hundred."""
        return draw_lines(painter, links, layout.ends, layout.lines, self.ink(theme), width=width)

    def paint_lines(self, painter: QPainter, layout: Layout, theme: Theme, links: Links, *, width: float = 1.0) -> None:
        """Draw the lines at once."""
        painter.save()
        for _ in self.draw(painter, layout, theme, links, width=width):
            pass
        painter.restore()

    def paint_pointed(self, painter: QPainter, layout: Layout, theme: Theme, picked: Picked) -> None:
        """Grey dashes along the link between a query and a key, also where it is too weak to be seen: they say which, not how strong."""
        row = self.seen_of(Picked(query=picked.query), keys=True)
        if row is None or picked.key is None:
            return
        if any(weights[picked.key] != 0 for weights in row):
            first, query, key = np.zeros(1, np.int32), *(np.full(1, at, np.int32) for at in (picked.query, picked.key))
            links = Links(first, query, key, np.ones(1, np.float32), 0)
            draw_dashes(painter, links, layout.ends, layout.lines, theme.color("muted"))

    def paint_still(self, painter: QPainter, layout: Layout, theme: Theme, footer: str) -> None:
        """Draw the legend and the last line, which are the same whatever is picked."""
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        heads: dict[Head | str, QColor] = dict(zip(self.weights, self.head_colors(theme), strict=True))
        paint_legend(painter, layout.legend, {**heads, **self.ink(theme).of_notes}, theme)
        self._paint_footer(painter, layout, theme, footer)
        painter.restore()

    def _paint_footer(self, painter: QPainter, layout: Layout, theme: Theme, words: str) -> None:
        """The last line of the picture."""
        painter.setFont(text_font(SMALL_SIZE))
        painter.setPen(theme.color("muted"))
        high = line_height()
        box = QRectF(layout.area.left(), layout.area.bottom() - high - GRID / 2, layout.area.width(), high)
        box = box.adjusted(layout.margin, 0, -layout.margin, 0)
        text = QFontMetricsF(painter.font()).elidedText(words, Qt.TextElideMode.ElideRight, box.width())
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)

    def footer(self, layout: Layout, links: Links, picked: Picked = NOTHING) -> str:
        """What the picture says about the links that it does not show. `links` are all that are drawn."""
        translate = QCoreApplication.translate
        parts = [self.note]
        if self.choice.segments is not None:
            first, second = ("AB"[segment] for segment in self.choice.segments)
            parts.append(translate("links", "{first} → {second} only").format(first=first, second=second))
        capped = self.most <= len(links) < links.candidates
        if (capped or not self.choice.is_all) and (picked.key is None or picked.query is not None):
            parts.append(self._hidden_words(layout, links, picked.query))
        if self.choice.mass is not None:
            words = translate("links", "fewest links that carry {share:.0%} of each row")
            parts.append(words.format(share=self.choice.mass))
        elif self.choice.at_least > 0:
            words = translate("links", "links below {threshold} hidden")
            if self.lens.is_signed:
                words = translate("links", "links nearer to 0 than {threshold} hidden")
            parts.append(words.format(threshold=threshold_text(self.choice.at_least, self.lens)))
        if capped:
            words = translate("links", "strongest {shown:,} of {all} links shown, {numbers} ≥ {least}")
            numbers = f"|{lens_name(self.lens)}|" if self.lens.is_signed else lens_name(self.lens)
            least = short_number(float(np.abs(links.weight).min()), self.lens)
            parts.append(words.format(shown=len(links), all=short_count(links.candidates), numbers=numbers, least=least))
        elif (unknown := unknown_of(self._choices)) > 0:
            words = translate("links", "only links at least {least} from 0 are known for a text this long")
            parts.append(words.format(least=short_number(unknown, self.lens)))
        of_lens = translate("links", "opacity and width: distance from 0, full at {largest}")
        of_lens = of_lens.format(largest=short_number(self.largest, self.lens))
        parts.append(translate("links", "opacity and width: weight") if self.lens.is_share else of_lens)
        return " · ".join(filter(None, parts))

    def _hidden_words(self, layout: Layout, links: Links, query: int | None) -> str:
        hidden = self.not_drawn(layout, links, query)
        if hidden is None:
            return ""
        share, exact = hidden
        translate = QCoreApplication.translate
        at_least = translate("links", "at least {share:.1%} of attention hidden")
        words = translate("links", "{share:.1%} of attention hidden") if exact else at_least
        return words.format(share=share)


def line_height() -> float:
    """Of a line of text above and below the lines."""
    return scaled(_LINE)


def _some(axis: TokenAxis, where: range) -> TokenAxis:
    """Some of the tokens."""
    pieces = None if axis.pieces is None else axis.pieces[where.start : where.stop]
    return replace(axis, tokens=axis.tokens[where.start : where.stop], pieces=pieces)


def _only(position: int | None) -> slice:
    return _EVERYTHING if position is None else slice(position, position + 1)
