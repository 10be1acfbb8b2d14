"""ScaleLine: one line under a view, with its colour scale and the number under the mouse."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from headscope.gui.paint.scale_line import LINE_HEIGHT, Scale, paint_scale_line
from headscope.gui.paint.theme import Theme, scaled, theme_of
from headscope.gui.widgets.plain import plain


class ScaleLine(QWidget):
    """What the colours mean, and a number."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme_of(dark=False)
        self.scale: Scale | None = None
        self.note = ""
        self.setFixedHeight(scaled(LINE_HEIGHT))
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        self.update()

    def show_scale(self, scale: Scale | None, note: str) -> None:
        """Show what colours mean (None: there are none), and `note` at the right."""
        self.scale, self.note = scale, note
        self.setAccessibleName(note)
        self.setToolTip(plain("" if scale is None else scale.words))
        self.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self.setFixedHeight(scaled(LINE_HEIGHT))

    def paintEvent(self, _event: QPaintEvent) -> None:
        paint_scale_line(QPainter(self), QRectF(self.rect()), self._theme, self.scale, self.note)
