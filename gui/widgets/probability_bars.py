"""ProbabilityBars: candidates with their probabilities as bars; one can be chosen by mouse or keyboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QFont,
    QFontMetricsF,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from headscope.gui.paint.probability import paint_label, paint_probability, readable_probability
from headscope.gui.paint.theme import GRID, TEXT_SIZE, Theme, scaled, text_font, theme_of
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn

ROW_HEIGHT = 7 * GRID
_MOST_FITTING = 0.58
_LABEL_LINE = 4 * GRID
_MARGIN = 16
_LABEL_SHARE, _LEAST_LABEL, _MOST_LABEL = 0.34, 56.0, 180.0


@dataclass(frozen=True, slots=True)
class Bar:
    """One row.

    Attributes
    ----------
    label : str
    probability : float
        From 0 to 1.
    ghost : float, optional
        Another probability that it is compared with.
    change : str, optional
        A number behind it. The column is there if one row has it.
    cut : bool
        Removed: struck out.
    apart : bool
        Under a thin line: not one of the rows above.
    number : str, optional
        Instead of the bar: what has no range.
    chosen : bool
        Set off: it is what is explained.
    """

    label: str
    probability: float
    ghost: float | None = None
    change: str | None = None
    cut: bool = False
    apart: bool = False
    number: str | None = None
    chosen: bool = False


class ProbabilityBars(QWidget):
    """Rows of label, bar and number.

    Parameters
    ----------
    label_share : float
        Of the width, for the labels.

    Signals
    -------
    chosen(int)
        A row was clicked, or Enter or Space pressed on it.
    """

    chosen = Signal(int)

    def __init__(self, *, clickable: bool = True, label_share: float = _LABEL_SHARE, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme: Theme = theme_of(False)
        self._bars: tuple[Bar, ...] = ()
        self._clickable = clickable
        self._label_share = label_share
        self._fits = False
        self._widest = 0.0
        self._hovered = -1
        self._current = 0
        self.spoken = Spoken(self)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        if clickable:
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setAccessibleName(self.tr("Candidates and their probabilities"))
            self.setCursor(Qt.CursorShape.PointingHandCursor)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._theme = theme
        self._measure()
        self.updateGeometry()  # type may have another size
        paint_in_turn(self)

    def set_fitting(self, fits: bool) -> None:
        """Whether labels get the room they need, up to more than half of the width: names of classes may be long."""
        self._fits = fits

    def set_bars(self, bars: Sequence[Bar]) -> None:
        """Show these rows, first to last."""
        self._bars = tuple(bars)
        self._measure()
        self._current = min(self._current, max(0, len(bars) - 1))
        self._hovered = -1
        self.updateGeometry()
        paint_in_turn(self)

    def _measure(self) -> None:
        font = QFontMetricsF(text_font(TEXT_SIZE, QFont.Weight.DemiBold))
        self._widest = (
            max((font.horizontalAdvance(bar.label) for bar in self._bars), default=0.0) + 3 * GRID if self._fits else 0.0
        )

    @property
    def bars(self) -> tuple[Bar, ...]:
        """What is shown."""
        return self._bars

    def row_rect(self, row: int) -> QRectF:
        """Where a row lies."""
        return QRectF(0, row * self._row_height, self.width(), self._row_height)

    def sizeHint(self) -> QSize:
        return QSize(240, self._row_height * len(self._bars))

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(150), self._row_height * len(self._bars))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._fits:
            self.updateGeometry()  # labels may need a line of their own now, or no longer

    @property
    def _row_height(self) -> int:
        return scaled(ROW_HEIGHT + _LABEL_LINE) if self._has_label_lines else scaled(ROW_HEIGHT)

    @property
    def _has_label_lines(self) -> bool:
        """Whether labels stand above their bars: they would be cut beside them."""
        return self._fits and self._widest > (self.width() - 2 * _MARGIN) * _MOST_FITTING

    # ---------------------------------------------------------------- painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for row in range(len(self._bars)):
            self._paint_row(painter, row)
        painter.end()

    def _paint_row(self, painter: QPainter, row: int) -> None:
        theme, bar, area = self._theme, self._bars[row], self.row_rect(row)
        focused = self._clickable and self.hasFocus() and row == self._current
        if row == self._hovered and self._clickable:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("soft"))
            painter.drawRoundedRect(area.adjusted(8, 1, -8, -1), 6, 6)
        if focused:
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(8.5, 1.5, -8.5, -1.5), 6, 6)
        inner = area.adjusted(_MARGIN, 0, -_MARGIN, 0)
        if bar.apart and row and not self._bars[row - 1].apart:
            painter.setPen(theme.color("line"))
            painter.drawLine(inner.topLeft(), inner.topRight())
        if bar.chosen:
            painter.fillRect(QRectF(area.left() + 8, area.top() + 6, 3, area.height() - 12), theme.color("accent"))
        has_changes = any(each.change is not None for each in self._bars)
        label, label_width = bar.label, self._label_width(inner.width())
        if self._has_label_lines:
            paint_label(painter, inner.adjusted(0, GRID, 0, -scaled(ROW_HEIGHT) + 2 * GRID), theme, label, strong=row == 0)
            label, label_width, inner = "", 0.0, inner.adjusted(0, scaled(_LABEL_LINE), 0, 0)
        paint_probability(
            painter,
            inner,
            theme,
            label,
            bar.probability,
            label_width=label_width,
            bar_height=scaled(8),
            strong=row == 0,
            ghost=bar.ghost,
            cut=bar.cut,
            change=(bar.change or "") if has_changes else None,
            number=bar.number,
        )

    def _label_width(self, width: float) -> float:
        if not self._fits:
            return min(scaled(_MOST_LABEL), max(scaled(_LEAST_LABEL), width * self._label_share))
        return max(scaled(_LEAST_LABEL), self._widest)

    def event(self, event: QEvent) -> bool:
        """A label that may be cut is told whole."""
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            row = int(event.pos().y() // self._row_height)
            words = self._bars[row].label if self._fits and 0 <= row < len(self._bars) else ""
            QToolTip.showText(event.globalPos(), plain(words), self)
            return True
        return super().event(event)

    # ---------------------------------------------------------------- mouse and keys
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y() // self._row_height)
        self._hover(row if 0 <= row < len(self._bars) else -1)

    def leaveEvent(self, _event: QEvent) -> None:
        self._hover(-1)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        row = int(event.position().y() // self._row_height)
        if self._clickable and event.button() == Qt.MouseButton.LeftButton and 0 <= row < len(self._bars):
            self._current = row
            self.chosen.emit(row)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}.get(Qt.Key(event.key()))
        if step is not None and 0 <= self._current + step < len(self._bars):
            self._current += step
            self._say(self._current)
            paint_in_turn(self)
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self._clickable and self._bars:
            self.chosen.emit(self._current)
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._say(self._current)
        paint_in_turn(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        paint_in_turn(self)

    def _hover(self, row: int) -> None:
        if row != self._hovered:
            self._hovered = row
            self._say(row)
            paint_in_turn(self)

    def _say(self, row: int) -> None:
        if 0 <= row < len(self._bars):
            self.spoken.say(lambda: self._words(row))

    def _words(self, row: int) -> str:
        """A row for who cannot see it."""
        if row >= len(self._bars):
            return ""
        bar = self._bars[row]
        number = bar.number if bar.number is not None else readable_probability(bar.probability)
        parts = [self.tr("{label}: {number}").format(label=bar.label, number=number)]
        if bar.ghost is not None:
            parts.append(self.tr("before: {number}").format(number=readable_probability(bar.ghost)))
        parts += [self.tr("removed")] if bar.cut else []
        return ", ".join(parts)
