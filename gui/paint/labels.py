"""Token labels along an axis: how each sort of token looks, how wide labels are, and which are drawn when there is little room."""

from __future__ import annotations

import math
from collections import OrderedDict

from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from headscope.core.text.tokens import Token, TokenAxis
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
    painter.setFont(font)
    painter.setPen(color)
    painter.drawText(QPointF(x, baseline), shown)
    if token.unknown:
        painter.setPen(QPen(color, 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(x, baseline + 2.5), QPointF(x + advance, baseline + 2.5))
