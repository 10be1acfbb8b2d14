"""The card beside a cell: whose value it is, the value, and what else is known of it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QFont, QFontMetricsF, QPainter

from headscope.gui.paint.theme import SMALL_SIZE, TEXT_SIZE, Theme, scaled, text_font

_LINE = 16.0
_LEFT, _RIGHT, _TOP = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight, Qt.AlignmentFlag.AlignTop


def paint_value_card(
    painter: QPainter, within: QRectF, beside: QRectF, theme: Theme, title: str, value: str, lines: Sequence[str]
) -> None:
    """Paint it below and right of `beside`, or wherever it stays inside `within`."""
    bold, small = text_font(TEXT_SIZE, QFont.Weight.DemiBold, tabular=True), text_font(SMALL_SIZE)
    first, others = QFontMetricsF(bold), QFontMetricsF(small)
    step = scaled(_LINE)
    width = 28 + max(
        first.horizontalAdvance(title) + 24 + first.horizontalAdvance(value),
        max((others.horizontalAdvance(line) for line in lines), default=0.0),
    )
    card = QRectF(beside.right() + 10, beside.bottom() + 8, width, 16 + step * (1 + len(lines)))
    if card.right() > within.right() - 4:
        card.moveRight(max(within.left() + width + 4, beside.left() - 10))
    if card.bottom() > within.bottom() - 4:
        card.moveBottom(max(within.top() + card.height() + 4, beside.top() - 8))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("text", 0.96))
    painter.drawRoundedRect(card, 8, 8)
    inner = card.adjusted(14, 8, -14, -8)
    painter.setFont(bold)
    painter.setPen(theme.color("panel"))
    painter.drawText(inner, _LEFT | _TOP, title)
    painter.drawText(inner, _RIGHT | _TOP, value)
    painter.setFont(small)
    painter.setPen(theme.color("panel", 0.75))
    for number, line in enumerate(lines):
        painter.drawText(inner.adjusted(0, 1 + step * (1 + number), 0, 0), _LEFT | _TOP, line)
