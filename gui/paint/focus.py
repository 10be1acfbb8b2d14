"""The frame around a painted view that has the keyboard."""

from __future__ import annotations

from PySide6.QtCore import QRect, QRectF, Qt
from PySide6.QtGui import QPainter, QPen

from headscope.gui.paint.theme import Theme


def paint_focus_frame(painter: QPainter, area: QRect, theme: Theme) -> None:
    """One pixel inside of `area`, in the accent's colour."""
    painter.save()
    painter.setClipping(False)
    painter.setPen(QPen(theme.color("accent"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(QRectF(area).adjusted(0.5, 0.5, -0.5, -0.5))
    painter.restore()
