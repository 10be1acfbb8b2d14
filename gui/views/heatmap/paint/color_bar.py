"""The colour bar beside a heatmap: its colours, its numbers, and the two ends that can be dragged."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen

from headscope.gui.paint.scales import indices
from headscope.gui.paint.theme import SMALL_SIZE, Theme, scaled, text_font
from headscope.gui.views.heatmap.paint.cells import HeatmapCells
from headscope.gui.views.heatmap.paint.layout import HeatmapLayout

_STEPS = 256
_APART = 12.0  # pixels between two numbers
_FLAGS = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


def paint_color_bar(painter: QPainter, layout: HeatmapLayout, theme: Theme, cells: HeatmapCells) -> None:
    """Paint it where the layout has it; under it, what its numbers are."""
    look, bar, area = cells.look, cells.bar, layout.bar
    places = np.linspace(1, 0, _STEPS, dtype=np.float32)
    colors = np.ascontiguousarray(cells.palette(theme)[indices(places, look.ends, cells.first_color)])
    painter.drawImage(area, QImage(colors.data, 1, _STEPS, 4, QImage.Format.Format_RGB32))
    painter.setPen(QPen(theme.color("line"), 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(area)
    moved = [end for end, home in zip(look.ends, (0.0, 1.0), strict=True) if end != home]
    painter.setFont(text_font(SMALL_SIZE))
    painter.setPen(theme.color("muted"))
    for tick in bar.ticks if area.height() >= 80 else (0.0, 1.0):
        if all(abs(tick - end) * area.height() >= scaled(_APART) for end in moved):
            _paint_number(painter, area, tick, bar.words_at(tick))
    painter.setFont(text_font(SMALL_SIZE, QFont.Weight.DemiBold))
    painter.setPen(theme.color("text"))
    for end in moved:
        _paint_number(painter, area, end, bar.words_at(end))
    _paint_handles(painter, layout, theme, look.ends)
    _paint_legend(painter, area, theme, cells)


def _paint_legend(painter: QPainter, area: QRectF, theme: Theme, cells: HeatmapCells) -> None:
    """Under the bar: what its numbers are, and the colour of hidden cells."""
    words = cells.bar.words(stretched=cells.look.stretched)
    painter.setFont(text_font(SMALL_SIZE))
    painter.setPen(theme.color("muted"))
    place = QRectF(area.left() - 9, area.bottom() + 8, scaled(90), scaled(64))
    painter.drawText(place, Qt.AlignmentFlag.AlignLeft, words)
    if cells.hides:
        side = scaled(10)
        below = painter.boundingRect(place, Qt.AlignmentFlag.AlignLeft, words).bottom() + scaled(6)
        painter.fillRect(QRectF(place.left(), below + 3, side, side), QColor.fromRgb(int(cells.palette(theme)[0])))
        line = QRectF(place.left() + side + 5, below, place.width(), scaled(16))
        painter.drawText(line, _FLAGS, QCoreApplication.translate("Heatmap", "masked"))


def _paint_number(painter: QPainter, area: QRectF, place: float, words: str) -> None:
    y = area.bottom() - place * area.height()
    painter.drawText(QRectF(area.right() + 6, y - scaled(8), scaled(64), scaled(16)), _FLAGS, words)


def _paint_handles(painter: QPainter, layout: HeatmapLayout, theme: Theme, ends: tuple[float, float]) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(theme.color("muted"))
    for end in ends:
        painter.drawPolygon(layout.handle(end))
    painter.setBrush(Qt.BrushStyle.NoBrush)
