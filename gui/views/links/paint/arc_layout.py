"""Where everything lies in a picture of arcs: legend, caption, arcs above, one line of text, arcs below, footer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QRectF

from headscope.gui.paint.theme import GRID, scaled
from headscope.gui.views.links.paint.legend import Entry, Legend, lay_out_legend
from headscope.gui.views.links.paint.lines import Links
from headscope.gui.views.links.paint.picture import line_height

METER = 7.0 * GRID
"""Height of the number and the bars under a label."""
_LABEL, _MOST_TURNED = 22.0, 96.0
_MOST_SPREAD = 3.0  # pixels between the ends of two heads' arcs
_LOOP = 5.0  # half the width of the arc from a token to itself
_LEAST_HIGH = 12.0
_STEEP = 1.6  # how many times the highest an arc may be it is wide before it comes near to it
_BEND = 4 / 3  # a cubic curve reaches three quarters of the way to its inner points


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Where tokens lie along the line.

    Attributes
    ----------
    edges : float64, (n + 1,)
        Between them, from 0.
    """

    edges: npt.NDArray[np.float64]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Places) and np.array_equal(self.edges, other.edges)

    __hash__ = None  # type: ignore[assignment]

    @staticmethod
    def of_widths(widths: Sequence[float]) -> Places:
        """One after the other."""
        return Places(np.concatenate([[0.0], np.cumsum(widths)]))

    @property
    def length(self) -> float:
        """Of the whole line."""
        return float(self.edges[-1])

    @property
    def middles(self) -> npt.NDArray[np.float64]:
        """(n,): of the tokens."""
        return np.asarray((self.edges[1:] + self.edges[:-1]) / 2)


@dataclass(frozen=True, slots=True)
class Arcs:
    """How arcs lead from token to token: above the line to earlier tokens and to the token itself, below it to later ones.

    Attributes
    ----------
    left : float
        Where the line of tokens begins; before the visible part when scrolled.
    top, bottom : float
        Upper and lower edge of the labels.
    high, deep : float
        How far arcs may rise above and hang below; without depth all are above.
    """

    places: Places
    left: float
    top: float
    bottom: float
    high: float
    deep: float
    n_heads: int = 1

    def curves(self, links: Links) -> npt.NDArray[np.float64]:
        """As `Ends` says; heads lie side by side, so that none hides another."""
        middles = self.left + self.places.middles
        spread = min(_MOST_SPREAD, 0.4 * self.places.length / max(1, len(middles)) / self.n_heads)
        lane = (links.head - (self.n_heads - 1) / 2) * spread
        loop = np.where(links.query == links.key, _LOOP, 0.0)
        start, end = middles[links.query] + lane + loop, middles[links.key] + lane - loop
        above = (links.key <= links.query) | (self.deep <= 0)
        room, base = np.where(above, self.high, self.deep), np.where(above, self.top, self.bottom)
        rise = room * (1 - np.exp(-np.abs(end - start) / (_STEEP * np.maximum(room, 1.0))))
        rise = np.minimum(np.maximum(rise, _LEAST_HIGH), room) * np.where(above, -_BEND, _BEND)
        return np.stack([start, base, start, base + rise, end, base + rise, end, base], axis=1)


@dataclass(frozen=True, slots=True)
class ArcsLayout:
    """Where everything lies in a rectangle.

    Attributes
    ----------
    area : QRectF
        The whole picture.
    clip : QRectF
        The part of `area` in which tokens and arcs are seen.
    ends : Arcs
    margin : float
        Width of the empty edge.
    legend : Legend
    titles : float
        Upper edge of the caption.
    rotated : bool
        Whether labels are written upwards, because there is little room.
    scrolled : bool
        Whether some tokens lie outside of `clip`.
    small : bool
        All type has one size, as on paper.
    """

    area: QRectF
    clip: QRectF
    ends: Arcs
    margin: float
    legend: Legend
    titles: float
    rotated: bool
    scrolled: bool
    small: bool = False

    @property
    def lines(self) -> QRectF:
        """Where arcs are drawn."""
        return self.clip

    @property
    def step(self) -> float:
        """How far one notch of a wheel scrolls."""
        return 40.0

    def hidden(self, _count: int) -> float:
        """How much of the line is out of sight, in pixels."""
        return self.ends.places.length - self.clip.width() if self.scrolled else 0.0

    def box(self, at: int) -> QRectF:
        """The box of a token's label; of a token that is not in the text, an empty one at the end that is nearer."""
        edges = self.ends.places.edges
        low, high = edges[np.clip([at, at + 1], 0, len(edges) - 1)].tolist()
        return QRectF(self.ends.left + low, self.ends.top, high - low, self.ends.bottom - self.ends.top)

    def visible(self, count: int) -> range:
        """Which of `count` tokens are seen, whole or in part."""
        edges = self.ends.places.edges + self.ends.left
        first = int(np.searchsorted(edges, self.clip.left(), side="right")) - 1
        last = int(np.searchsorted(edges, self.clip.right(), side="left"))
        return range(min(max(first, 0), count), min(max(last, 0), count))

    def column_at(self, x: float) -> int | None:
        """The token at `x`, or None."""
        at = int(np.searchsorted(self.ends.places.edges, x - self.ends.left, side="right")) - 1
        return at if self.clip.left() <= x < self.clip.right() and 0 <= at < len(self.ends.places.edges) - 1 else None

    def beyond(self, at: int) -> float:
        """How far one has to scroll to see a token; negative: back."""
        box = self.box(at)
        return min(box.left() - self.clip.left(), 0.0) + max(box.right() - self.clip.right(), 0.0)


def lay_out_arcs(
    area: QRectF,
    listed: Sequence[Entry],
    n_heads: int,
    natural: Places,
    *,
    one_sided: bool,
    label_width: float,
    scroll: float | None = None,
) -> ArcsLayout:
    """Lay a picture out.

    Parameters
    ----------
    listed : sequence of (layer, head) or Note
        What the legend names.
    n_heads : int
        How many of them are drawn.
    natural : Places
        Where tokens lie if each has as much room as its label needs.
    one_sided : bool
        No token looks at a later one.
    label_width : float
        What the longest label needs.
    scroll : float, optional
        Tokens in their natural places, scrolled to the left by so many pixels; None: the whole line in `area`, with labels that
        are written upwards if it is too long.
    """
    margin = 2.0 * GRID
    legend = lay_out_legend(listed, area.adjusted(margin, 2.0 * GRID, -margin, 0))
    titles = legend[-1][0].bottom() if legend else area.top() + 2.0 * GRID
    top, bottom = titles + line_height(), area.bottom() - line_height() - GRID
    clip = QRectF(area.left() + margin, top, max(1.0, area.width() - 2 * margin), max(1.0, bottom - top))
    rotated = scroll is None and natural.length > clip.width()
    places = natural
    if rotated:
        places = Places(np.linspace(0.0, clip.width(), len(natural.edges)))
    label = min(label_width, scaled(_MOST_TURNED), 0.3 * clip.height()) if rotated else scaled(_LABEL)
    under = scaled(METER) if one_sided else 0.0
    high = max(1.0, (clip.height() - label - under) / (1 if one_sided else 2))
    hidden = max(0.0, places.length - clip.width())
    left = clip.left() - min(max(scroll or 0.0, 0.0), hidden) + max(0.0, clip.width() - places.length) / 2
    deep = 0.0 if one_sided else high
    ends = Arcs(places, left, clip.top() + high, clip.top() + high + label, high, deep, max(1, n_heads))
    return ArcsLayout(area, clip, ends, margin, legend, titles, rotated, hidden > 0.5)
