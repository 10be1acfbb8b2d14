"""Which links of attention maps are worth a line, and the lines themselves: one colour a head, opacity the weight.

Two facts decide how this is written. A line whose opacity is under half of 1/255 changes no pixel, so a softmax row has at most
510 lines however many keys there are. And Qt draws fastest when a pen is one device pixel wide, many curves share a path, and
the painter has a clip rectangle.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPaintEngine, QPainter, QPainterPath, QPen

from headscope.core.attention.head_map import HeadOverview, IntArray
from headscope.core.vocabulary import FloatArray
from headscope.gui.views.links.paint.choice import HeadChoice
from headscope.gui.views.links.paint.ink import Ink

MOST_LINKS = 20_000
"""More lines than this are a grey sheet: the strongest are drawn, and the picture says so."""
_MOST_WIDE = 1000  # lines on an enlarged image that are drawn at their true width; it takes 20 times as long as a hairline
_WIDER: Final = 1.5
"""How much wider the strongest lines are than the weakest, in widths of the weakest: opacity alone is lost on a projector."""
_MOST_SPREAD = 3.0  # pixels between the ends of two heads' lines
_DASHED = 1.0  # pixels wide
_PER_STEP, _LOOK = 200, 30  # lines drawn between two looks at the clock, at most and at least

Block = tuple[slice, slice]
"""Rows (queries) and columns (keys) of an attention map."""


@dataclass(frozen=True, slots=True)
class Links:
    """Links between tokens.

    Attributes
    ----------
    head, query, key : int32, (n,)
        `head` counts the heads they were taken from, from 0.
    weight : float32, (n,)
        Or another number; a line is as strong as it is far from 0.
    candidates : int
        How many links there were to choose from: all that are not 0, of an overview those that could be seen.
    """

    head: IntArray
    query: IntArray
    key: IntArray
    weight: FloatArray
    candidates: int

    def __len__(self) -> int:
        return len(self.weight)

    def take(self, which: npt.NDArray[np.intp]) -> Links:
        """These of them."""
        return Links(self.head[which], self.query[which], self.key[which], self.weight[which], self.candidates)

    def strongest(self, most: int) -> Links:
        """The `most` strongest, in no order."""
        return self if len(self) <= most else self.take(np.argpartition(np.abs(self.weight), -most)[-most:])


def links_of_head(number: int, choice: HeadChoice, blocks: Sequence[Block], most: int) -> Links:
    """The strongest links of one head inside `blocks`, which must not overlap.

    Parameters
    ----------
    number : int
        What `Links.head` says.
    choice : HeadChoice
        The head, and which of its links count; prepared.
    """
    if isinstance(choice.weights, HeadOverview):
        return joined([_links_of_overview(number, choice, block) for block in blocks], most)
    return joined([_links_of_block(number, choice, block, most) for block in blocks], most)


def _links_of_overview(number: int, choice: HeadChoice, block: Block) -> Links:
    overview = choice.weights
    assert isinstance(overview, HeadOverview)
    (first_row, last_row, _), (first_key, last_key, _) = (
        part.indices(count) for part, count in zip(block, overview.shape, strict=True)
    )
    inside = slice(*np.searchsorted(overview.strong[0], (first_row, last_row)))
    queries, keys, weights = overview.strong
    query, key, weight = queries[inside], keys[inside], weights[inside]
    chosen = (key >= first_key) & (key < last_key)
    chosen &= choice.chosen(query, key, weight)
    head = np.full(int(np.count_nonzero(chosen)), number, np.int32)
    return Links(head, query[chosen], key[chosen], weight[chosen], len(head))


def _links_of_block(number: int, choice: HeadChoice, block: Block, most: int) -> Links:
    matrix, (rows, columns) = choice.weights, block
    assert not isinstance(matrix, HeadOverview)
    part = matrix[rows, columns]
    strength, floor = choice.strength(part), choice.floor
    if choice.lens.is_signed and choice.choice.segments is None and part.size > most:
        seen = strength[strength >= floor]  # nearly all: only the strongest are worth a list
        floor = np.partition(seen, -most)[-most] if len(seen) > most else floor
    query, key = np.nonzero(strength >= floor)
    weight = part[query, key]
    query, key = query + rows.indices(matrix.shape[0])[0], key + columns.indices(matrix.shape[1])[0]
    if not choice.choice.is_all:
        chosen = choice.chosen(query, key, weight)
        query, key, weight = query[chosen], key[chosen], weight[chosen]
    if choice.queries is not None and choice.keys is not None:
        part = part[choice.queries[rows]][:, choice.keys[columns]]
    head = np.full(len(query), number, np.int32)
    candidates = np.count_nonzero(part) - (np.count_nonzero(np.isnan(part)) if choice.lens.hides else 0)
    return Links(head, query.astype(np.int32), key.astype(np.int32), weight, int(candidates))


def joined(parts: Sequence[Links], most: int) -> Links:
    """The `most` strongest of all `parts`."""
    if not parts:
        nothing = np.empty(0, np.int32)
        return Links(nothing, nothing, nothing, np.empty(0, np.float32), 0)
    together = Links(
        np.concatenate([part.head for part in parts]),
        np.concatenate([part.query for part in parts]),
        np.concatenate([part.key for part in parts]),
        np.concatenate([part.weight for part in parts]),
        sum(part.candidates for part in parts),
    )
    return together.strongest(most)


class Ends(Protocol):
    """Where links begin and end, and how they bend."""

    def curves(self, links: Links) -> npt.NDArray[np.float64]:
        """(n, 8): of each link the four points of a cubic curve, x and y in turn."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Where the ends of links lie: queries down the left side, keys down the right."""

    left: float
    right: float
    top: float
    """Of row 0; above the visible part when scrolled."""
    height: float
    n_heads: int = 1
    """Lines of several heads lie side by side, so that none hides another."""

    def y(self, row: npt.ArrayLike, head: npt.ArrayLike = 0) -> npt.NDArray[np.float64]:
        """Where the lines of a head, counted from 0, end in a row; or of many in many."""
        spread = min(_MOST_SPREAD, 0.6 * self.height / self.n_heads)
        lane = (np.asarray(head, np.float64) - (self.n_heads - 1) / 2) * spread
        return np.asarray(self.top + (np.asarray(row, np.float64) + 0.5) * self.height + lane)

    def curves(self, links: Links) -> npt.NDArray[np.float64]:
        """As `Ends` says: from the query on the left to the key on the right."""
        curves = np.empty((len(links), 8))
        curves[:, 0], curves[:, 2:6:2], curves[:, 6] = self.left, (self.left + self.right) / 2, self.right
        curves[:, 1:5:2] = self.y(links.query, links.head)[:, None]
        curves[:, 5::2] = self.y(links.key, links.head)[:, None]
        return curves


def bands(links: Links, at: Sequence[int]) -> Iterator[Links]:
    """`links` in parts, cut after so many, strongest first: pictures of the parts, each laid under those before it, grow to the whole."""
    order = np.argsort(-np.abs(links.weight), kind="stable")
    yield from (links.take(part) for part in np.split(order, at) if len(part))


def draw_lines(painter: QPainter, links: Links, ends: Ends, clip: QRectF, ink: Ink, *, width: float = 1.0) -> Iterator[None]:
    """Draw links, strongest on top; pauses after every few hundred.

    `width` is that of the weakest in units of `painter`; 0, and many lines on an enlarged image, are all one pixel wide.
    """
    if not len(links):
        return
    raster = painter.paintEngine().type() == QPaintEngine.Type.Raster
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(clip)  # also where nothing reaches beyond it: Qt's raster engine is up to ten times faster with one
    if raster and len(links) > _MOST_WIDE:
        width = 0
    together = width == 0 or not raster  # wide lines on an image are drawn faster one by one
    opacity = np.clip(np.rint(np.abs(links.weight) * np.float32(255 / ink.largest)), 1, 255).astype(np.int32)
    of_color = np.where(links.weight < 0, links.head + len(ink.colors), links.head)
    order = np.lexsort((of_color, opacity))
    head, opacity, curves = of_color[order], opacity[order], ends.curves(links.take(order)).tolist()
    names, drawn = [color.rgb() for color in (*ink.colors, *ink.below)], 0
    edges = np.flatnonzero(np.diff(opacity * len(names) + head, prepend=-1, append=-1))
    for first, last in pairwise(np.union1d(edges, np.arange(0, len(links), _PER_STEP)).tolist()):
        strength = int(opacity[first])
        painter.setPen(_pen(names[head[first]], strength, width * (1 + _WIDER * strength / 255)))
        _draw_group(painter, curves[first:last], together=together)
        if last - drawn >= _LOOK or last == len(links):
            drawn = last
            yield


def draw_dashes(painter: QPainter, links: Links, ends: Ends, clip: QRectF, color: QColor) -> None:
    """Draw a few links as dashes of one colour, whatever they weigh."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(clip)
    for x, y, *bends in ends.curves(links).tolist():
        path = QPainterPath(QPointF(x, y))
        path.cubicTo(*bends)
        painter.strokePath(path, QPen(color, _DASHED, Qt.PenStyle.DashLine))
    painter.restore()


@lru_cache(maxsize=16384)
def _pen(rgb: int, opacity: int, width: float) -> QPen:
    """Kept: to make one takes as long as to draw a line with it."""
    color = QColor.fromRgb(rgb)
    color.setAlpha(opacity)
    return QPen(color, width)


def _draw_group(painter: QPainter, curves: list[list[float]], *, together: bool) -> None:
    """Curves with the painter's pen: `together` in one path, or each alone."""
    path = QPainterPath()
    for x, y, *bends in curves:
        path.moveTo(x, y)
        path.cubicTo(*bends)
        if not together:
            painter.drawPath(path)
            path.clear()
    painter.drawPath(path)
