"""HeatmapView: point, pin, zoom and pan a HeatmapPicture. The still part is kept as an image; the mouse repaints only what follows it."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QFocusEvent,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from headscope.gui.paint.theme import Theme, text_font, theme_of, type_style
from headscope.gui.views.heatmap.bar_ends import BarEnds
from headscope.gui.views.heatmap.paint.card import paint_heatmap_card, spoken_card
from headscope.gui.views.heatmap.paint.layout import HeatmapLayout
from headscope.gui.views.heatmap.paint.picture import HeatmapPicture
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn

_LEAST_VIEW = 4.0  # cells along a side, at the closest
_DRAG_BEGINS = 4.0  # pixels; less is a click
_ARROWS = {
    Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1),
}  # fmt: skip
_BAR_KEYS = {Qt.Key.Key_PageUp: 0.02, Qt.Key.Key_PageDown: -0.02}


class HeatmapView(QWidget):
    """A heatmap under the mouse.

    The mouse over a cell shows its value; a click pins it, with Ctrl it picks out its row and column (on a label, that one
    alone). The wheel zooms where the mouse is, dragging moves, dragging with Shift zooms to a rectangle, a double click shows
    everything again. The ends of the colour bar can be dragged; a double click on it puts them back. Arrow keys move from cell
    to cell, Enter pins, M picks out, Escape lets go, + - 0 zoom, Page Up and Down move the bar's upper end (with Shift the
    lower one), Home puts both back.
    """

    hovered = Signal(object, object)
    """The query and the key under the mouse, each a position or None."""
    clicked = Signal(object, object)
    """The query and the key clicked."""
    released = Signal()
    """Escape: nothing shall be pinned, and then nothing picked out."""
    marked = Signal(object, object)
    """The query and the key (or None) that shall be picked out, or no longer."""
    ends_moved = Signal(float, float)
    """Where on the colour bar the first and the last colour shall be."""
    part_wanted = Signal(object, object, int, int)
    """Rows and keys (ranges) that are shown more closely than the picture knows them, and the pixels they fill."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: HeatmapPicture | None = None
        self._theme: Theme = theme_of(False)
        self._view: QRectF | None = None  # None: everything
        self._focus: tuple[int | None, int | None] = (None, None)
        self._value: float | None = None
        self._found: tuple[Collection[int], Collection[int]] = ((), ())
        self._hint = self._note = ""
        self._still: QPixmap | None = None
        self._still_key: object = None
        self._frame: QPixmap | None = None
        self._frame_key: object = None
        self._pressed: QPointF | None = None
        self._dragged = False
        self._zoom_to: QRectF | None = None  # while a rectangle is drawn
        self._ends = BarEnds()
        self.spoken = Spoken(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Heatmap"))
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # ---------------------------------------------------------------- what is shown
    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._theme = theme
        paint_in_turn(self, 0)

    def set_picture(self, picture: HeatmapPicture | None) -> None:
        """Show another head; the view stays where it is if the axes are as long as before."""
        if self._picture is None or picture is None or self._picture.weights.shape != picture.weights.shape:
            self._view = None
        self._picture = picture
        self._ends.mirrored = picture is not None and picture.cells.lens.is_signed
        self._want_part()
        paint_in_turn(self, 0)

    def set_focus(self, query: int | None, key: int | None, value: float | None = None) -> None:
        """Frame a query's row and a key's column; with both, the cell's `value` is shown, which the picture may know too."""
        if (query, key, value) != (*self._focus, self._value):
            self._focus, self._value = (query, key), value
            self.spoken.say(lambda: spoken_card(self._picture, self._focus, self._value, self._note))
            paint_in_turn(self, 0)

    def set_found(self, queries: Collection[int], keys: Collection[int]) -> None:
        """Mark what was found in the text."""
        self._found = queries, keys
        paint_in_turn(self, 0)

    def set_hint(self, hint: str) -> None:
        """What to say while there is no picture."""
        self._hint = hint
        paint_in_turn(self, 0)

    def set_note(self, note: str) -> None:
        """The second line of the card beside the cell: which head this is."""
        self._note = note

    @property
    def picture(self) -> HeatmapPicture | None:
        """What is shown."""
        return self._picture

    def layout_now(self) -> HeatmapLayout | None:
        """Where everything lies, or None without a picture."""
        return None if self._picture is None else self._picture.layout(QRectF(self.rect()), self._view)

    def sizeHint(self) -> QSize:
        return QSize(560, 520)

    def minimumSizeHint(self) -> QSize:
        return QSize(240, 220)

    # ---------------------------------------------------------------- painting
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        layout = self.layout_now()
        if self._picture is None or layout is None:
            painter.fillRect(self.rect(), self._theme.color("panel"))
            painter.setFont(text_font())
            painter.setPen(self._theme.color("muted"))
            around = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(24, 24, -24, -24), around, self._hint)
        else:
            painter.drawPixmap(0, 0, self._still_picture(self._picture, layout))
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._picture.paint_focus(painter, layout, self._theme, *self._focus, erase=True)
            self._picture.paint_found(painter, layout, self._theme, self._found)
            where = QRectF(self.rect())
            paint_heatmap_card(painter, where, self._picture, layout, self._theme, self._focus, self._value, self._note)
            if self._zoom_to is not None:
                painter.setPen(QPen(self._theme.color("accent"), 1))
                painter.setBrush(self._theme.color("accent", 0.12))
                painter.drawRect(self._zoom_to.normalized().intersected(layout.plot))
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2.5, 0.5, -2.5, -2.5), 6, 6)
        painter.end()

    def _still_picture(self, picture: HeatmapPicture, layout: HeatmapLayout) -> QPixmap:
        """All that does not follow the mouse; painted anew only if something in it is new."""
        view = None if self._view is None else self._view.getRect()
        place = (self.size().toTuple(), self.devicePixelRatioF(), self._theme.dark, type_style(), view)
        key = (picture, place)  # the picture itself: the id of one that is gone may come again
        if self._still is None or self._still_key != key:
            frame = self._frame_picture(picture, layout, place)
            self._still = self._canvas(self._still)
            painter = QPainter(self._still)
            painter.drawPixmap(0, 0, frame)
            painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
            picture.paint_weights(painter, layout, self._theme)
            painter.end()
            self._still_key = key
        return self._still

    def _frame_picture(self, picture: HeatmapPicture, layout: HeatmapLayout, place: object) -> QPixmap:
        """Labels, hundreds of words that are the same for every head of a text, and the colour bar."""
        key = (picture.frame_key, place)
        if self._frame is None or self._frame_key != key:
            self._frame = self._canvas(self._frame)
            self._frame.fill(self._theme.color("panel"))
            painter = QPainter(self._frame)
            painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.TextAntialiasing)
            picture.paint_frame(painter, layout, self._theme, screen=self.devicePixelRatioF())
            painter.end()
            self._frame_key = key
        return self._frame

    def _canvas(self, old: QPixmap | None) -> QPixmap:
        """A pixmap of the widget's size: the old one, if it is, for new memory has to be cleared first."""
        ratio = self.devicePixelRatioF()
        if old is not None and old.size() == self.size() * ratio and old.devicePixelRatio() == ratio:
            return old
        canvas = QPixmap(self.size() * ratio)
        canvas.setDevicePixelRatio(ratio)
        canvas.fill(self._theme.color("panel"))
        return canvas

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._want_part()

    # ---------------------------------------------------------------- mouse
    def mousePressEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if event.button() != Qt.MouseButton.LeftButton or layout is None or self._picture is None:
            return
        self._pressed, self._dragged = event.position(), False
        if layout.bar_grip.contains(event.position()):
            self._ends.take(self._picture.cells.look.ends, layout.bar_place(event.position().y()))
        elif event.modifiers() & Qt.KeyboardModifier.ShiftModifier and layout.plot.contains(event.position()):
            self._zoom_to = QRectF(event.position(), event.position())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        layout, point = self.layout_now(), event.position()
        if layout is None:
            return
        if self._pressed is None or not event.buttons() & Qt.MouseButton.LeftButton:
            over_bar = layout.bar_grip.contains(point)
            self.setCursor(Qt.CursorShape.SizeVerCursor if over_bar else Qt.CursorShape.ArrowCursor)
            self.setToolTip(plain(self._bar_help() if over_bar else ""))
            self._say(layout, point)
        elif self._ends.is_held:
            self.ends_moved.emit(*self._ends.moved(layout.bar_place(point.y())))
        elif self._zoom_to is not None:
            self._dragged = True
            self._zoom_to.setBottomRight(point)
            paint_in_turn(self, 0)
        else:
            moved = point - self._pressed
            if self._view is not None and (self._dragged or moved.manhattanLength() > _DRAG_BEGINS):
                self._dragged = True
                self._pressed = point
                self._show(self._view.translated(-moved.x() / layout.cell_width, -moved.y() / layout.cell_height))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if event.button() != Qt.MouseButton.LeftButton or layout is None or self._pressed is None:
            return
        self._pressed = None
        rectangle, self._zoom_to = self._zoom_to, None
        if self._ends.is_held:
            self._ends.let_go()
        elif rectangle is not None and self._dragged:
            self._zoom_into(rectangle.normalized().intersected(layout.plot), layout)
        elif not self._dragged:
            self._click(layout, event)

    def _click(self, layout: HeatmapLayout, event: QMouseEvent) -> None:
        cell = layout.cell_at(event.position())
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            found = layout.label_at(event.position()) if cell is None else cell
            if found != (None, None):
                self.marked.emit(*found)
        elif cell is not None:
            self.clicked.emit(*cell)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now()
        if layout is not None and layout.bar_grip.contains(event.position()):
            self.ends_moved.emit(0.0, 1.0)
        else:
            self._show(None)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._picture is not None:
            self._zoom(0.8 ** (event.angleDelta().y() / 120), event.position())
            event.accept()

    def leaveEvent(self, _event: QEvent) -> None:
        self.hovered.emit(None, None)

    def _say(self, layout: HeatmapLayout, point: QPointF) -> None:
        """Tell what the mouse points at: a cell, or a label or a bar beside the cells."""
        cell = layout.cell_at(point)
        self.hovered.emit(*(layout.label_at(point) if cell is None else cell))

    def _bar_help(self) -> str:
        return self.tr(
            "Drag the ends to change the colour range; double-click to reset it.\nPage Up and Page Down move the "
            "upper end, with Shift the lower one."
        )

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if self._picture is None:
            super().keyPressEvent(event)
        elif key in _ARROWS:
            self._step(*_ARROWS[key])
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and None not in self._focus:
            self.clicked.emit(*self._focus)
        elif key == Qt.Key.Key_M and self._focus != (None, None):
            self.marked.emit(*self._focus)
        elif key == Qt.Key.Key_Escape and (
            self._focus != (None, None) or self._picture.picked.queries or self._picture.picked.keys
        ):
            self.released.emit()
        elif key in _BAR_KEYS:
            lower = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.ends_moved.emit(*self._ends.stepped(self._picture.cells.look.ends, _BAR_KEYS[key], lower=lower))
        elif key == Qt.Key.Key_Home:
            self.ends_moved.emit(0.0, 1.0)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self._zoom(0.7, None)
        elif key == Qt.Key.Key_Minus:
            self._zoom(1 / 0.7, None)
        elif key == Qt.Key.Key_0:
            self._show(None)
        else:
            super().keyPressEvent(event)

    def _step(self, down: int, right: int) -> None:
        assert self._picture is not None
        query, key = self._focus
        last_query, last_key = len(self._picture.queries) - 1, len(self._picture.keys) - 1
        if query is None or key is None:
            query, key = query or 0, key or 0
        else:
            query, key = min(max(query + down, 0), last_query), min(max(key + right, 0), last_key)
        self.reveal(query, key)
        self.hovered.emit(query, key)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        paint_in_turn(self, 0)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        paint_in_turn(self, 0)

    # ---------------------------------------------------------------- zoom
    def _zoom(self, factor: float, at: QPointF | None) -> None:
        """Show `factor` times as many cells along each side; the cell under `at` stays where it is."""
        layout = self.layout_now()
        assert self._picture is not None and layout is not None
        view, whole = layout.view, self._picture.whole
        center = view.center()
        if at is not None and layout.plot.contains(at):
            center = QPointF(
                view.left() + (at.x() - layout.plot.left()) / layout.cell_width,
                view.top() + (at.y() - layout.plot.top()) / layout.cell_height,
            )
        smallest = min(1.0, _LEAST_VIEW / min(view.width(), view.height()))
        factor = max(factor, smallest)
        if view.width() * factor >= whole.width() and view.height() * factor >= whole.height():
            self._show(None)
            return
        self._show(
            QRectF(
                center.x() - (center.x() - view.left()) * factor,
                center.y() - (center.y() - view.top()) * factor,
                view.width() * factor,
                view.height() * factor,
            )
        )

    def _zoom_into(self, rectangle: QRectF, layout: HeatmapLayout) -> None:
        """Show the cells that a rectangle on the screen touches, as few as may be shown at the closest."""
        assert self._picture is not None
        view, whole = layout.view, self._picture.whole
        left = view.left() + (rectangle.left() - layout.plot.left()) / layout.cell_width
        top = view.top() + (rectangle.top() - layout.plot.top()) / layout.cell_height
        wanted = QRectF(left, top, rectangle.width() / layout.cell_width, rectangle.height() / layout.cell_height)
        center = wanted.center()
        wanted.setWidth(max(wanted.width(), min(_LEAST_VIEW, whole.width())))
        wanted.setHeight(max(wanted.height(), min(_LEAST_VIEW, whole.height())))
        wanted.moveCenter(center)
        self._show(wanted)

    def reveal(self, query: int | None, key: int | None) -> None:
        """Move the view as little as needed to see a row and a column; None: wherever it is."""
        if self._view is None:
            return
        view = QRectF(self._view)
        if key is not None:
            view.moveLeft(min(max(view.left(), key + 1 - view.width()), key))
        if query is not None:
            view.moveTop(min(max(view.top(), query + 1 - view.height()), query))
        self._show(view)

    def _show(self, view: QRectF | None) -> None:
        """Show these cells, moved back inside the matrix."""
        if view is not None and self._picture is not None:
            whole = self._picture.whole
            view.setWidth(min(view.width(), whole.width()))
            view.setHeight(min(view.height(), whole.height()))
            view.moveLeft(min(max(view.left(), 0.0), whole.width() - view.width()))
            view.moveTop(min(max(view.top(), 0.0), whole.height() - view.height()))
        self._view = view
        self._want_part()
        paint_in_turn(self, 0)

    def _want_part(self) -> None:
        layout = self.layout_now()
        finer = None if self._picture is None or layout is None else self._picture.finer(layout, self.devicePixelRatioF())
        if finer is not None:
            self.part_wanted.emit(*finer)
