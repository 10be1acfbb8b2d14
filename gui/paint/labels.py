"""Token labels along an axis: how each sort of token looks, how wide labels are, and which are drawn when there is little room."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.paint.anchors import note_anchor
from headscope.gui.paint.theme import Theme, TypeStyle, kept_by_type, text_font, type_style


@kept_by_type(16384)
def text_width(text: str, pixels: int, weight: QFont.Weight = QFont.Weight.Normal) -> float:
    """Width of `text` in pixels. Kept, because measuring takes half as long as drawing."""
    return QFontMetricsF(text_font(pixels, weight)).horizontalAdvance(text)


@kept_by_type(16384)
def elided(text: str, pixels: int, weight: QFont.Weight, width: float) -> str:
    """`text`, shortened in its middle to `width`."""
    return QFontMetricsF(text_font(pixels, weight)).elidedText(text, Qt.TextElideMode.ElideMiddle, width)


_widest: OrderedDict[tuple[int, int, TypeStyle], tuple[object, float]] = OrderedDict()
_MOST_AXES = 64


def widest(axis: TokenAxis, pixels: int, most: float) -> float:
    """Width of the widest label of `axis`, written strongly as in focus, at most `most`.

    Kept for the tokens asked about last: several views ask in every frame, and thousands of tokens take milliseconds.
    """
    key = id(axis.tokens), pixels, type_style()
    kept = _widest.get(key)
    if kept is None or kept[0] is not axis.tokens:  # the id of those that are gone may come again
        width = max((text_width(label, pixels, QFont.Weight.DemiBold) for label in set(axis.labels)), default=0.0)
        kept = _widest[key] = axis.tokens, width
        if len(_widest) > _MOST_AXES:
            _widest.popitem(last=False)
    return min(most, kept[1])


def stride(cell: float, room: float) -> int:
    """Every how-manieth label is drawn, when each needs `room` pixels and cells are `cell` wide."""
    return max(1, math.ceil(room / max(cell, 1e-6)))


def spread(wanted: Iterable[float], apart: float) -> list[float]:
    """Places at least `apart` from each other, as near as can be (least squares) to those wanted, which ascend.

    A group of neighbours that want too little room lies around the middle of what they want (pool adjacent violators).
    """
    groups: list[tuple[float, int]] = []  # the first's place if it had its way, averaged over the group; how many
    for number, place in enumerate(wanted):
        groups.append((place - number * apart, 1))
        while len(groups) > 1 and groups[-1][0] < groups[-2][0]:
            (mine, n_mine), (theirs, n_theirs) = groups.pop(), groups.pop()
            groups.append(((mine * n_mine + theirs * n_theirs) / (n_mine + n_theirs), n_mine + n_theirs))
    starts = [start for start, count in groups for _ in range(count)]
    return [start + number * apart for number, start in enumerate(starts)]


def placed_labels(middles: dict[int, float], picked: Iterable[int], apart: float) -> dict[int, float]:
    """Where labels are written that need `apart` each: all, or every second, third, … and those picked in any case.

    Parameters
    ----------
    middles : {position: middle of its cell}, ascending
    picked : iterable of int
        Positions that have a label whatever happens; where they crowd they move apart, and others make room.

    Returns
    -------
    {position: middle of its label}
    """
    chosen = sorted({at for at in picked if at in middles})
    places = dict(zip(chosen, spread((middles[at] for at in chosen), apart), strict=True))
    if len(middles) < 2:
        return places or dict(middles)
    steps = list(middles.values())
    step = stride((steps[-1] - steps[0]) / (len(steps) - 1), apart)
    taken = list(places.values())
    regular = {
        at: middle
        for at, middle in middles.items()
        if at % step == 0 and at not in places and all(abs(middle - other) >= apart for other in taken)
    }
    return dict(sorted({**regular, **places}.items()))


def broken(text: str, pixels: int, width: float, weight: QFont.Weight = QFont.Weight.Normal) -> list[str]:
    """`text` in lines of at most `width`, broken between words; a word that is longer has a line of its own."""
    lines: list[str] = []
    for word in text.split(" "):
        if lines and text_width(f"{lines[-1]} {word}", pixels, weight) <= width:
            lines[-1] = f"{lines[-1]} {word}"
        elif word:
            lines.append(word)
    return lines


def token_style(token: Token, theme: Theme, focus_color: str | None) -> tuple[QColor, QFont.Weight]:
    """Colour and weight: in focus, mask, special token, word."""
    if focus_color is not None:
        return theme.color(focus_color), QFont.Weight.DemiBold
    if token.masked:
        return theme.color("mask"), QFont.Weight.DemiBold
    return theme.color("muted" if token.special else "text"), QFont.Weight.Normal


def draw_label(
    painter: QPainter,
    token: Token,
    theme: Theme,
    pixels: int,
    width: float,
    *,
    right_aligned: bool,
    focus_color: str | None = None,
) -> None:
    """Draw a token's label on the painter's origin: its middle height at y = 0, its start (or end) at x = 0.

    A word that the vocabulary does not have is underlined with dots.
    """
    color, weight = token_style(token, theme, focus_color)
    font = text_font(pixels, weight)
    metrics = QFontMetricsF(font)
    shown = elided(token.text, pixels, weight, width)
    advance = text_width(shown, pixels, weight)
    x = -advance if right_aligned else 0.0
    baseline = (metrics.ascent() - metrics.descent()) / 2
    if right_aligned:
        note_anchor(shown, x, baseline, "end", advance)
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(QPointF(x, baseline), shown)
    if token.unknown:
        painter.setPen(QPen(color, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, baseline + 2.5), QPointF(x + advance, baseline + 2.5))
