"""LogitLensGridView: the logit lens's grid, scrolled both ways, with a cell under the mouse, one of the keyboard, one that is pinned."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from headscope.core.predict.logit_lens_layer import LogitLensLayer
from headscope.gui.paint.focus import paint_focus_frame
from headscope.gui.paint.found import paint_found
from headscope.gui.paint.theme import Theme, scaled, theme_of
from headscope.gui.views.logit_lens.paint import CELL_HEIGHT, CELL_WIDTH, HEADER, NUMBERS, LogitLensLayout, LogitLensPicture
from headscope.gui.views.logit_lens.settings import Shows
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn

Place = tuple[int, int]
"""(depth, position); depth 0 is what enters layer 0."""
_STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
_CHOOSE = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class LogitLensGridView(QAbstractScrollArea):
    """Layers downwards, positions across.

    Signals
    -------
    pointed(place)
        The cell under the mouse or the keyboard's cursor, (depth, position), or None.
    chosen(place)
        A cell was clicked, or Enter or Space pressed on it.
    scrolled()
        Other positions are in sight.
    """

    pointed = Signal(object)
    chosen = Signal(object)
    scrolled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = LogitLensPicture()
        self._theme = theme_of(dark=False)
        self._shows: Shows = "probability"
        self._is_stale = False
        self._hover: Place | None = None
        self._pinned: Place | None = None
        self._column: int | None = None
        self._found: Collection[int] = ()
        self._painted: QPixmap | None = None
        self.spoken = Spoken(self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Logit lens"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # ---------------------------------------------------------------- what is shown
    @property
    def picture(self) -> LogitLensPicture:
        return self._picture

    @property
    def shows(self) -> Shows:
        """What colours the cells."""
        return self._shows

    def set_picture(self, picture: LogitLensPicture) -> None:
        """Show another grid, from its first position and its last layers on."""
        self._picture, self._hover, self._pinned = picture, None, None
        self._update_scroll_bars()
        self.horizontalScrollBar().setValue(0)
        self._repaint()

    def add(self, layer: LogitLensLayer) -> None:
        """Show what was read after one layer."""
        self._picture.add(layer)
        self._repaint()

    def set_shown(self, shows: Shows) -> None:
        """Colour cells by another number."""
        self._shows = shows
        self._repaint()

    def set_stale(self, stale: bool) -> None:
        """Draw faintly what is of another text."""
        if stale != self._is_stale:
            self._is_stale = stale
            self._repaint()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        self._repaint()

    def set_column(self, position: int | None) -> None:
        """Mark the position that is in focus."""
        if position != self._column:
            self._column = position
            paint_in_turn(self)

    def set_found(self, positions: Collection[int]) -> None:
        """Mark the positions of what was found in the text."""
        self._found = positions
        paint_in_turn(self)

    def reveal_column(self, position: int) -> None:
        """Scroll as little as needed to see a position."""
        cells, box, bar = self.layout_now.cells, self.layout_now.box(0, position), self.horizontalScrollBar()
        bar.setValue(bar.value() + round(min(box.left() - cells.left(), 0) + max(box.right() - cells.right(), 0)))

    def set_pinned(self, place: Place | None) -> None:
        """Frame a cell."""
        if place != self._pinned:
            self._pinned = place
            paint_in_turn(self)

    @property
    def layout_now(self) -> LogitLensLayout:
        """Where everything lies in the viewport."""
        scroll = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        return LogitLensLayout(QRectF(self.viewport().rect()), scroll, self._picture.n_depths, self._picture.n_positions)

    def sizeHint(self) -> QSize:
        return QSize(480, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(scaled(NUMBERS) + 2 * scaled(CELL_WIDTH), scaled(HEADER) + 3 * scaled(CELL_HEIGHT))

    # ---------------------------------------------------------------- drawing
    def paintEvent(self, _event: QPaintEvent) -> None:
        """Mouse moves draw two frames over what was painted before."""
        layout, ratio = self.layout_now, self.devicePixelRatioF()
        if self._painted is None:
            self._painted = QPixmap(self.viewport().size() * ratio)
            self._painted.setDevicePixelRatio(ratio)
            painter = QPainter(self._painted)
            self._picture.paint(painter, layout, self._theme, self._shows, stale=self._is_stale)
            painter.end()
        painter = QPainter(self.viewport())
        painter.drawPixmap(0, 0, self._painted)
        self._picture.paint_pointers(painter, layout, self._theme, column=self._column, hover=self._hover, pinned=self._pinned)
        paint_found(painter, layout.heads_of(self._found), self._theme)
        if self.hasFocus():
            paint_focus_frame(painter, self.viewport().rect(), self._theme)
        painter.end()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        paint_in_turn(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        paint_in_turn(self)

    def _repaint(self) -> None:
        self._painted = None
        paint_in_turn(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_scroll_bars()
        self._repaint()

    def scrollContentsBy(self, _dx: int, _dy: int) -> None:
        self._repaint()
        self.scrolled.emit()

    def _update_scroll_bars(self) -> None:
        layout = self.layout_now
        for bar, whole, seen, step in (
            (self.horizontalScrollBar(), layout.width, layout.area.width(), scaled(CELL_WIDTH)),
            (self.verticalScrollBar(), layout.height, layout.area.height(), scaled(CELL_HEIGHT)),
        ):
            bar.setRange(0, max(0, round(whole - seen)))
            bar.setPageStep(max(1, round(seen)))
            bar.setSingleStep(round(step))

    # ---------------------------------------------------------------- mouse and keys
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.layout_now.cell_at(event.position()))

    def leaveEvent(self, _event: QEvent) -> None:
        self._point_at(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        place = self.layout_now.cell_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and place is not None:
            self._point_at(place)
            self.chosen.emit(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, picture = Qt.Key(event.key()), self._picture
        if key in _CHOOSE and self._hover is not None:
            self.chosen.emit(self._hover)
        elif key in _STEPS and picture.n_positions and picture.n_depths:
            depth, position = self._hover or self._pinned or (picture.n_depths - 1, self._column or 0)
            down, right = _STEPS[key]
            place = _within(depth + down, picture.n_depths), _within(position + right, picture.n_positions)
            self._reveal(place)
            self._point_at(place)
        else:
            super().keyPressEvent(event)

    def _point_at(self, place: Place | None) -> None:
        if place != self._hover:
            self._hover = place
            paint_in_turn(self)
            self.pointed.emit(place)

    def _reveal(self, place: Place) -> None:
        """Scroll as little as needed to have a cell in sight."""
        layout = self.layout_now
        box, cells = layout.box(*place), layout.cells
        across, down = self.horizontalScrollBar(), self.verticalScrollBar()
        across.setValue(across.value() + round(min(0.0, box.left() - cells.left()) + max(0.0, box.right() - cells.right())))
        down.setValue(down.value() + round(min(0.0, box.top() - cells.top()) + max(0.0, box.bottom() - cells.bottom())))


def _within(at: int, count: int) -> int:
    return min(max(at, 0), count - 1)
