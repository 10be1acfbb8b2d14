"""Where everything lies in a picture of links: legend, labels, lines, numbers, footer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from PySide6.QtCore import QRectF

from headscope.gui.paint.theme import GRID, scaled
from headscope.gui.views.links.paint.legend import Entry, Legend, lay_out_legend
from headscope.gui.views.links.paint.lines import Rows
from headscope.gui.views.links.paint.picture import line_height

LEAST_ROW, MOST_ROW = 18.0, 80.0
"""Pixels a token's row is high when there is a choice."""
READABLE_ROW = 13.0
"""Labels of lower rows are thinned out."""
GAP = 2.0 * GRID
NUMBER = 36.0
"""Width of a weight's number."""
BARS, _NARROW_BARS = 60.0, 36.0
"""Width of the bars beside it."""
_ROOMY = 560.0  # pictures from this width on have numbers and bars outside of the labels, others over the lines


@dataclass(frozen=True, slots=True)
class LinksLayout:
    """Where everything lies in a rectangle.

    Attributes
    ----------
    area : QRectF
        The whole picture.
    clip : QRectF
        The part of `area` in which token rows are seen.
    rows : Rows
        The ends of the lines.
    margin, label, meter : float
        Widths of the empty edge, of the token labels and, between both, of the numbers and bars; 0 if there is no room.
    legend : Legend
        Where each head's name stands.
    titles : float
        Upper edge of the line that names the sides.
    scrolled : bool
        Whether some rows lie outside of `clip`.
    small : bool
        All type has one size, as on paper; else it grows with the rows.
    """

    area: QRectF
    clip: QRectF
    rows: Rows
    margin: float
    label: float
    meter: float
    legend: Legend
    titles: float
    scrolled: bool
    small: bool = False

    def visible(self, count: int) -> range:
        """Which of `count` rows are seen, whole or in part."""
        first = int((self.clip.top() - self.rows.top) // self.rows.height)
        last = ceil((self.clip.bottom() - self.rows.top) / self.rows.height)
        return range(min(max(first, 0), count), min(max(last, 0), count))

    def row_at(self, y: float, count: int) -> int | None:
        """The row at `y`, or None."""
        row = int((y - self.rows.top) // self.rows.height)
        return row if self.clip.top() <= y < self.clip.bottom() and 0 <= row < count else None

    @property
    def ends(self) -> Rows:
        """Where links begin and end."""
        return self.rows

    def hidden(self, count: int) -> float:
        """How much of `count` rows is out of sight, in pixels."""
        return self.rows.height * count - self.clip.height() if self.scrolled else 0.0

    @property
    def step(self) -> float:
        """How far one notch of a wheel scrolls."""
        return self.rows.height

    def beyond(self, row: int) -> float:
        """How far one has to scroll to see a row; negative: back."""
        top = self.rows.top + row * self.rows.height
        return min(top - self.clip.top(), 0.0) + max(top + self.rows.height - self.clip.bottom(), 0.0)

    @property
    def lines(self) -> QRectF:
        """The strip between the labels."""
        return QRectF(self.rows.left, self.clip.top(), self.rows.right - self.rows.left, self.clip.height())

    def label_box(self, row: int, *, left: bool) -> QRectF:
        """The box of a token's label."""
        x = self.rows.left - GAP - self.label if left else self.rows.right + GAP
        return QRectF(x, self.rows.top + row * self.rows.height, self.label, self.rows.height)

    def written_box(self, row: int, *, left: bool) -> QRectF:
        """The part of a label's box that letters cover, and more than the box if it is low."""
        box, high = self.label_box(row, left=left), scaled(READABLE_ROW) + 1.0
        return QRectF(box.left(), box.center().y() - high / 2, box.width(), high)

    def number_box(self, row: int, *, left: bool) -> QRectF:
        """The box of the weight beside a label: outside of it, or, if there is no room, at the end of the lines."""
        box = self.label_box(row, left=left)
        wide = scaled(NUMBER)
        if self.meter:
            x = box.left() - GAP - wide if left else box.right() + GAP
        else:
            x = self.rows.left if left else self.rows.right - wide
        return QRectF(x, box.top(), wide, box.height())

    def bars_box(self, row: int, *, left: bool) -> QRectF:
        """The box of the bars beside a number."""
        box = self.number_box(row, left=left)
        width = BARS if self.meter else min(_NARROW_BARS, 2.0 * GRID * self.rows.n_heads)
        outwards = left == bool(self.meter)
        return QRectF(box.left() - GRID - width if outwards else box.right() + GRID, box.top(), width, box.height())


def lay_out(
    area: QRectF, listed: Sequence[Entry], n_heads: int, n_rows: int, label_width: float, scroll: float | None = None
) -> LinksLayout:
    """Lay a picture out.

    Parameters
    ----------
    listed : sequence of (layer, head) or Note
        What the legend names.
    n_heads : int
        How many of them are drawn.
    n_rows : int
        Tokens on the longer side.
    label_width : float
        What the longest token needs.
    scroll : float, optional
        Rows of readable height, scrolled up by so many pixels; None: the whole text in `area`, however low its rows become.
    """
    roomy = area.width() >= _ROOMY
    margin, meter = (4.0 * GRID, scaled(NUMBER) + GRID + BARS) if roomy else (2.0 * GRID, 0.0)
    label = min(label_width, (0.17 if roomy else 0.24) * area.width())
    inset = margin + label + GAP + (meter + GAP if roomy else 0.0)
    left, right = area.left() + inset, area.right() - inset
    legend = lay_out_legend(listed, area.adjusted(margin, GAP, -margin, 0))
    last = [box for box, *_ in legend if box.top() == legend[-1][0].top()]
    titles = last[0].top() if last else area.top() + GAP
    if last and (last[0].left() < left or last[-1].right() > right):
        titles += last[0].height()
    top = titles + line_height() + GRID
    clip = QRectF(area.left(), top, area.width(), max(1.0, area.bottom() - line_height() - GRID - top))
    height = min(clip.height() / max(1, n_rows), scaled(MOST_ROW))
    if scroll is not None:
        height = max(height, scaled(LEAST_ROW))
    hidden = max(0.0, height * n_rows - clip.height())
    rows = Rows(left, right, top - min(max(scroll or 0.0, 0.0), hidden), height, max(1, n_heads))
    return LinksLayout(area, clip, rows, margin, label, meter, legend, titles, hidden > 0.5)
