"""Marks on what was found in a text: like a highlighter's, the same in every view."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QRectF
from PySide6.QtGui import QPainter

from headscope.gui.paint.theme import Theme

LEAST = 2.0
"""Pixels of a mark, however small what it marks is."""


def paint_found(painter: QPainter, boxes: Iterable[QRectF], theme: Theme) -> None:
    """Mark these boxes, over what is painted there; words keep their ink, as under a real marker. On screens only."""
    modes = QPainter.CompositionMode
    painter.save()
    painter.setCompositionMode(modes.CompositionMode_Screen if theme.dark else modes.CompositionMode_Multiply)
    for box in boxes:
        wide, high = max(0.0, LEAST - box.width()), max(0.0, LEAST - box.height())
        painter.fillRect(box.adjusted(0, 0, wide, high), theme.color("found"))
    painter.restore()
