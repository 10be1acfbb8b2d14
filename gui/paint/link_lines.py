"""Which links of attention maps are worth a line, and the lines themselves: one colour a head, opacity the weight.

Two facts decide how this is written. A line whose opacity is under half of 1/255 changes no pixel, so a softmax row has at most
510 lines however many keys there are. And Qt draws fastest when a pen is one device pixel wide, many curves share a path, and
the painter has a clip rectangle.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPaintEngine, QPainter, QPainterPath, QPen

from headscope.core.jobs import FloatArray, Head
from headscope.core.view_jobs import FAINTEST, HeadMap, HeadOverview, IntArray

MOST_LINKS = 20_000
"""More lines than this are a grey sheet: the strongest are drawn, and the picture says so."""
_MOST_WIDE = 1000  # lines on an enlarged image that are drawn at their true width; it takes 20 times as long as a hairline
_MOST_SPREAD = 3.0  # pixels between the ends of two heads' lines
_BANDS = (1000, 4000, 10_000)  # of the strongest links: what is drawn at once, a moment later, and so on
_PER_STEP = 200  # lines drawn between two looks at the clock

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
    candidates : int
        How many links there were to choose from: weights over 0, of an overview those that could be seen.
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
        return self if len(self) <= most else self.take(np.argpartition(self.weight, -most)[-most:])


def links_of_head(number: int, weights: HeadMap, blocks: Sequence[Block], at_least: float, most: int) -> Links:
    """The strongest links of one head inside `blocks`, which must not overlap.

    Parameters
    ----------
    number : int
        What `Links.head` says.
    weights : float32, (n_queries, n_keys), or HeadOverview
    at_least : float
        The weakest weight that counts; raised to `FAINTEST`.
    """
    at_least = max(at_least, FAINTEST)
    if isinstance(weights, HeadOverview):
        return joined([_links_of_overview(number, weights, block, at_least) for block in blocks], most)
    return joined([_links_of_block(number, weights, block, at_least) for block in blocks], most)


def _links_of_overview(number: int, overview: HeadOverview, block: Block, at_least: float) -> Links:
    (first_row, last_row, _), (first_key, last_key, _) = (
        part.indices(count) for part, count in zip(block, overview.shape, strict=True)
    )
    inside = slice(*np.searchsorted(overview.strong[0], (first_row, last_row)))
    queries, keys, weights = overview.strong
    query, key, weight = queries[inside], keys[inside], weights[inside]
    strong = (key >= first_key) & (key < last_key) & (weight >= at_least)
    head = np.full(int(np.count_nonzero(strong)), number, np.int32)
    return Links(head, query[strong], key[strong], weight[strong], len(head))


def _links_of_block(number: int, weights: FloatArray, block: Block, at_least: float) -> Links:
    rows, columns = block
    part = weights[rows, columns]
    query, key = np.nonzero(part >= at_least)
    first_row, first_column = rows.indices(weights.shape[0])[0], columns.indices(weights.shape[1])[0]
    return Links(
        np.full(len(query), number, np.int32),
        (query + first_row).astype(np.int32),
        (key + first_column).astype(np.int32),
        part[query, key],
        int(np.count_nonzero(part)),
    )


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


def links_of(weights: Mapping[Head, HeadMap], blocks: Sequence[Block], at_least: float = 0.0, most: int = MOST_LINKS) -> Links:
    """The strongest links of several heads inside `blocks`."""
    return joined([links_of_head(i, matrix, blocks, at_least, most) for i, matrix in enumerate(weights.values())], most)


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


def bands(links: Links) -> Iterator[Links]:
    """`links` in parts, strongest first: pictures of the parts, each laid under those before it, grow to the whole."""
    order = np.argsort(-links.weight, kind="stable")
    yield from (links.take(part) for part in np.split(order, _BANDS) if len(part))


def draw_lines(
    painter: QPainter, links: Links, rows: Rows, clip: QRectF, colors: Sequence[QColor], *, width: float = 1.0
) -> Iterator[None]:
    """Draw links, strongest on top; pauses after every few hundred.

    `width` is in units of `painter`; 0, and many lines on an enlarged image, are one pixel wide.
    """
    if not len(links):
        return
    raster = painter.paintEngine().type() == QPaintEngine.Type.Raster
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setClipRect(clip)  # also where nothing reaches beyond it: Qt's raster engine is up to ten times faster with one
    if raster and len(links) > _MOST_WIDE:
        width = 0
    together = width == 0 or not raster  # wide lines on an image are drawn faster one by one
    opacity = np.maximum(np.rint(links.weight * 255), 1).astype(np.int32)
    order = np.lexsort((links.head, opacity))
    head, opacity = links.head[order], opacity[order]
    start, end = (rows.y(row[order], head).tolist() for row in (links.query, links.key))
    edges = np.flatnonzero(np.diff(opacity * len(colors) + head, prepend=-1, append=-1))
    for first, last in pairwise(np.union1d(edges, np.arange(0, len(links), _PER_STEP)).tolist()):
        color = QColor(colors[head[first]])
        color.setAlpha(int(opacity[first]))
        painter.setPen(QPen(color, width))
        _draw_group(painter, rows, start[first:last], end[first:last], together=together)
        yield


def _draw_group(painter: QPainter, rows: Rows, start: list[float], end: list[float], *, together: bool) -> None:
    """Curves with the painter's pen: `together` in one path, or each alone."""
    middle = (rows.left + rows.right) / 2
    path = QPainterPath()
    for y_left, y_right in zip(start, end, strict=True):
        path.moveTo(rows.left, y_left)
        path.cubicTo(middle, y_left, middle, y_right, rows.right, y_right)
        if not together:
            painter.drawPath(path)
            path.clear()
    painter.drawPath(path)
