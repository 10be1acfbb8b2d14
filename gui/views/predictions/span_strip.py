"""SpanStrip: along the tokens of a text, how probable it is that an answer starts (up) or ends (down) with each."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from headscope.core.vocabulary import FloatArray
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import GRID, SMALL_SIZE, Theme, scaled, text_font, theme_of

_HEIGHT = 22 * GRID
_MARGIN = 16.0


class SpanStrip(QWidget):
    """The highest column is the most probable token, whose probability is said. Columns of a long text are as narrow as a pixel,
    and each then shows the largest probability of its tokens.

    Signals
    -------
    hovered(object)
        Which of the tokens the mouse is over, from 0; None: none.
    chosen(int)
        It was clicked.
    """

    hovered = Signal(object)
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme = theme_of(False)
        self._ends: tuple[FloatArray, FloatArray] = (np.zeros(0, np.float32), np.zeros(0, np.float32))
        self._words = ("", "")
        self._lit: frozenset[int] = frozenset()
        self._pointed: int | None = None
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Where the answer starts and ends along the text"))

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    def set_ends(self, start: FloatArray, end: FloatArray, words: tuple[str, str]) -> None:
        """Show these probabilities, (n_tokens,) each; `words` name the two."""
        self._ends, self._words, self._pointed = (start, end), words, None
        self.update()

    def set_lit(self, tokens: frozenset[int]) -> None:
        """Set these tokens off."""
        if tokens != self._lit:
            self._lit = tokens
            self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, scaled(_HEIGHT))

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(150), scaled(_HEIGHT))

    @property
    def _area(self) -> QRectF:
        return QRectF(_MARGIN, 0, max(1.0, self.width() - 2 * _MARGIN), self.height())

    def column_rect(self, token: int) -> QRectF:
        """Where a token's column lies."""
        area, count = self._area, max(1, len(self._ends[0]))
        width = area.width() / count
        return QRectF(area.left() + token * width, 0, width, area.height())

    # ---------------------------------------------------------------- painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for token in self._lit:
            painter.fillRect(self.column_rect(token), self._theme.color("line"))
        area, middle = self._area, self.height() / 2
        painter.fillRect(QRectF(area.left(), middle - 0.5, area.width(), 1), self._theme.color("line"))
        words = scaled(SMALL_SIZE) + GRID
        highest = max(*(float(numbers.max(initial=0)) for numbers in self._ends), 1e-9)
        for numbers, up, color in ((self._ends[0], True, "accent"), (self._ends[1], False, "query")):
            for column, probability in self._columns(numbers):
                length = max(1.0, probability / highest * (middle - words - 1))
                top = middle - 1 - length if up else middle + 1
                painter.fillRect(QRectF(column.left(), top, column.width(), length), self._theme.color(color))
        painter.setFont(text_font(SMALL_SIZE))
        edges = (Qt.AlignmentFlag.AlignTop, Qt.AlignmentFlag.AlignBottom)
        for word, numbers, color, edge in zip(self._words, self._ends, ("accent", "query"), edges, strict=True):
            painter.setPen(self._theme.color(color))
            most = readable_probability(float(numbers.max(initial=0)))
            painter.drawText(area, edge | Qt.AlignmentFlag.AlignLeft, f"{word} ≤ {most}")
        painter.end()

    def _columns(self, numbers: FloatArray) -> list[tuple[QRectF, float]]:
        """Bars and their probabilities: one for each token, or for each pixel."""
        area, count = self._area, len(numbers)
        if not count:
            return []
        n_columns = min(count, int(area.width()))
        edges = np.arange(n_columns) * count // n_columns
        width = area.width() / n_columns
        gap = 1.0 if width > 3 else 0.0
        highest = np.maximum.reduceat(numbers, edges).tolist()
        return [
            (QRectF(area.left() + at * width, 0, max(1.0, width - gap), 0), probability)
            for at, probability in enumerate(highest)
        ]

    # ---------------------------------------------------------------- the mouse
    def _token_at(self, x: float) -> int | None:
        area, count = self._area, len(self._ends[0])
        token = int((x - area.left()) / area.width() * count)
        return token if area.left() <= x and 0 <= token < count else None

    def _point(self, token: int | None) -> None:
        if token != self._pointed:
            self._pointed = token
            self.hovered.emit(token)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self._token_at(event.position().x()))

    def leaveEvent(self, _event: QEvent) -> None:
        self._point(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        token = self._token_at(event.position().x())
        if event.button() == Qt.MouseButton.LeftButton and token is not None:
            self.chosen.emit(token)
