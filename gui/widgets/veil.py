"""Veil: dims a picture that is about to be replaced, and says whose it is."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from headscope.gui.paint.theme import Theme

_OPACITY = 0.62
_MARGIN, _PADDING = 8, 8


class Veil(QWidget):
    """Lies over the whole of its parent and lets the mouse through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._covered = parent
        self._words = ""
        self._theme: Theme | None = None
        parent.installEventFilter(self)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        """Colours."""
        self._theme = theme
        self.update()

    def show_words(self, words: str) -> None:
        """Lie over the picture, and say whose it is."""
        self._words = words
        self.setAccessibleName(words)
        self.setGeometry(self._covered.rect())
        self.raise_()
        self.show()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and not self.isHidden():
            self.setGeometry(self._covered.rect())
        return super().eventFilter(watched, event)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._theme is None:
            return
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), self._theme.color("panel", _OPACITY))
        room = self.width() - 2 * (_MARGIN + _PADDING)
        words = self.fontMetrics().elidedText(self._words, Qt.TextElideMode.ElideMiddle, room)
        width = self.fontMetrics().horizontalAdvance(words) + 2 * _PADDING
        height = self.fontMetrics().height() + _PADDING
        chip = QRectF((self.width() - width) / 2, self.height() - height - _MARGIN, width, height)  # controls are at the top
        painter.setPen(self._theme.color("line"))
        painter.setBrush(self._theme.color("panel"))
        painter.drawRoundedRect(chip, 6, 6)
        painter.setPen(self._theme.color("text"))
        painter.drawText(chip, Qt.AlignmentFlag.AlignCenter, words)
