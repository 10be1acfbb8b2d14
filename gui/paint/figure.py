"""Figure: what every view's picture can do, whoever asks for it: a file, a preview, a page."""

from __future__ import annotations

from typing import Protocol

from PySide6.QtCore import QRectF, QSizeF
from PySide6.QtGui import QPainter

from headscope.gui.paint.picked import Picked
from headscope.gui.paint.theme import Theme


class Figure(Protocol):
    """A picture that can stand by itself, without a widget around it."""

    def size(self) -> QSizeF:
        """A good size, in pixels of 1/96 inch."""
        ...

    def paint_figure(self, painter: QPainter, area: QRectF, theme: Theme, picked: Picked, *, vector: bool) -> None:
        """Paint it into `area`, with `picked` standing out; as shapes and text if `vector`, not as an image."""
        ...
