"""TagList: a row for each token with its tag; pointing at one lights the token up, a click chooses it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from headscope.gui.paint.theme import GRID, Theme, scaled, theme_of
from headscope.gui.views.predictions.tags import TagRow, paint_tag

ROW_HEIGHT = 6 * GRID


class TagList(QWidget):
    """Rows of token, tag, bar and number; only those in sight are painted.

    Signals
    -------
    hovered(object)
        Which row the mouse is over; None: none.
    chosen(int)
        A row was clicked, or Enter or Space pressed on it.
    """

    hovered = Signal(object)
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme = theme_of(False)
        self._rows: tuple[TagRow, ...] = ()
        self._pointed: int | None = None
        self._lit: frozenset[int] = frozenset()
        self._current = 0
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(self.tr("Tokens and their tags"))

    @property
    def rows(self) -> tuple[TagRow, ...]:
        """What is shown."""
        return self._rows

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._theme = theme
        self.updateGeometry()
        self.update()

    def set_rows(self, rows: Sequence[TagRow]) -> None:
        """Show these rows."""
        self._rows = tuple(rows)
        self._current = min(self._current, max(0, len(rows) - 1))
        self._pointed = None
        self.updateGeometry()
        self.update()

    def set_lit(self, rows: frozenset[int]) -> None:
        """Set these rows off: their tokens are pointed at or pinned somewhere."""
        if rows != self._lit:
            self._lit = rows
            self.update()

    @property
    def lit(self) -> frozenset[int]:
        """Rows that are set off."""
        return self._lit

    def row_rect(self, row: int) -> QRectF:
        """Where a row lies."""
        return QRectF(0, row * scaled(ROW_HEIGHT), self.width(), scaled(ROW_HEIGHT))

    def sizeHint(self) -> QSize:
        return QSize(240, scaled(ROW_HEIGHT) * len(self._rows))

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(200), scaled(ROW_HEIGHT) * len(self._rows))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        first = max(0, event.rect().top() // scaled(ROW_HEIGHT))
        last = min(len(self._rows), event.rect().bottom() // scaled(ROW_HEIGHT) + 1)
        with_change = any(row.change is not None for row in self._rows)
        for row in range(first, last):
            area = self.row_rect(row)
            if row in self._lit:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self._theme.color("soft"))
                painter.drawRoundedRect(area.adjusted(8, 1, -8, -1), 6, 6)
            if self.hasFocus() and row == self._current:
                painter.setPen(self._theme.color("accent"))
                painter.setBrush(Qt.BrushStyle.NoBrush)
                painter.drawRoundedRect(area.adjusted(8.5, 1.5, -8.5, -1.5), 6, 6)
            paint_tag(painter, area.adjusted(16, 0, -16, 0), self._theme, self._rows[row], with_change=with_change)
        painter.end()

    # ---------------------------------------------------------------- mouse and keys
    def _row_at(self, y: float) -> int | None:
        row = int(y // scaled(ROW_HEIGHT))
        return row if 0 <= row < len(self._rows) else None

    def _point(self, row: int | None) -> None:
        if row != self._pointed:
            self._pointed = row
            self.hovered.emit(row)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point(self._row_at(event.position().y()))

    def leaveEvent(self, _event: QEvent) -> None:
        self._point(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = self._row_at(event.position().y())
        if event.button() == Qt.MouseButton.LeftButton and row is not None:
            self._current = row
            self.chosen.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is not None and 0 <= self._current + step < len(self._rows):
            self._current += step
            self.update()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._rows:
            self.chosen.emit(self._current)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()
