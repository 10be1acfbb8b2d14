"""HeadGridView: choose heads from their pictures, by mouse or keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from headscope.core.vocabulary import Head
from headscope.gui.paint.head_grid import HeadGridPicture
from headscope.gui.paint.head_places import AVERAGE, LEAST_CELL, GridLayout
from headscope.gui.paint.theme import GRID, Theme, theme_of
from headscope.gui.widgets.head_preview import SIDE, HeadDetails, HeadPreview
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn

_STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
_CHOOSE = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class HeadGridView(QAbstractScrollArea):
    """Small pictures of all heads.

    A click or an arrow key chooses a head; with Ctrl a click adds it to those that are looked at, or takes it away. Ctrl and an
    arrow key moves without choosing, Ctrl+Space or Enter then adds or takes away. A double click leaves one head alone.

    A click on a layer's number, or A, folds the layer: the average over its heads stands for them. Choosing an average chooses
    all heads of its layer.
    """

    chosen = Signal(tuple, bool)
    """(layer, head), and whether it is to be added or taken away."""
    layer_chosen = Signal(int)
    """All heads of a layer."""
    layer_folded = Signal(int)
    """The layer is to be folded, or unfolded again."""
    layers_seen = Signal(object)
    """The layers that came into sight, a range."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = HeadGridPicture(0, 0)
        self._theme = theme_of(dark=False)
        self._selected: Head = (0, 0)
        self._colors: dict[Head, int] = {}
        self._cursor: Head = (0, 0)
        self._hover: Head | None = None
        self._seen = range(0)
        self.spoken = Spoken(self)
        self._preview = HeadPreview(self)
        self._details: Callable[[Head], HeadDetails] = _no_details
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Heads"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # ---------------------------------------------------------------- what is shown
    def set_picture(self, picture: HeadGridPicture) -> None:
        """Show other pictures."""
        moved = picture.places is not self._picture.places
        self._picture = picture
        if moved:
            self._point_at(None)
            if picture.places.flows:
                self.verticalScrollBar().setValue(0)  # the best are first
        if self._hover is not None and not self._exists(self._hover):
            self._point_at(None)
        self._update_scroll_bars()
        paint_in_turn(self)

    def set_selection(self, selected: Head, colors: Mapping[Head, int]) -> None:
        """Frame the heads that are looked at: `selected` thickly, each in its colour."""
        if selected != self._selected:
            self._cursor = selected
            self._reveal(selected)
        self._selected, self._colors = selected, dict(colors)
        if not self.hasFocus():  # who moves here has heard it
            self.setAccessibleDescription(self.head_name(selected))
        paint_in_turn(self)

    def set_details(self, details: Callable[[Head], HeadDetails]) -> None:
        """What the preview tells of a head (or an `AVERAGE`) beside its name."""
        self._details = details

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        paint_in_turn(self)

    def head_name(self, head: Head) -> str:
        """What a head, or a layer's average, is called."""
        if head[1] == AVERAGE:
            return self.tr("layer {layer} · average of %n head(s)", "", self._picture.n_heads).format(layer=head[0])
        return self.tr("layer {layer} · head {head}").format(layer=head[0], head=head[1])

    @property
    def layout_now(self) -> GridLayout:
        """Where everything lies in the viewport."""
        scroll = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        return self._picture.layout(QRectF(self.viewport().rect()), scroll)

    def sizeHint(self) -> QSize:
        return QSize(320, 120)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def _exists(self, head: Head) -> bool:
        return head in self._picture.places.placed.place_of

    # ---------------------------------------------------------------- drawing
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        cursor = self._shown_cursor if self.hasFocus() else None
        self._picture.paint(
            painter,
            self.layout_now,
            self._theme,
            selected=self._selected,
            colors=self._colors,
            hover=self._hover,
            cursor=cursor,
            within=QRectF(event.rect()),
        )

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_scroll_bars()

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._say_what_is_seen()
        self._point_at(None)

    def _update_scroll_bars(self) -> None:
        layout = self.layout_now
        extents = (
            (self.horizontalScrollBar(), layout.width, layout.area.width()),
            (
                self.verticalScrollBar(),
                layout.height,
                layout.area.height(),
            ),
        )
        for bar, whole, seen in extents:
            bar.setRange(0, max(0, round(whole - seen)))
            bar.setPageStep(round(seen))
            bar.setSingleStep(round(LEAST_CELL))
        self._say_what_is_seen()

    def _say_what_is_seen(self) -> None:
        layout = self.layout_now
        layers = [layer for row in layout.rows_seen() for layer, _ in layout.placed.rows[row]]
        seen = range(min(layers), max(layers) + 1) if layers else range(0)
        if seen != self._seen:
            self._seen = seen
            self.layers_seen.emit(seen)

    def _reveal(self, head: Head) -> None:
        """Scroll as little as needed to see a head."""
        if not self._exists(head):
            return
        layout = self.layout_now
        box, room = layout.tile(head).adjusted(-GRID, -GRID, GRID, GRID), layout.cells
        for bar, low, high in (
            (self.horizontalScrollBar(), box.left() - room.left(), box.right() - room.right()),
            (self.verticalScrollBar(), box.top() - room.top(), box.bottom() - room.bottom()),
        ):
            bar.setValue(bar.value() + round(min(low, 0) + max(high, 0)))

    # ---------------------------------------------------------------- mouse
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        layout = self.layout_now
        on_number = layout.layer_at(event.position()) is not None
        self.viewport().setCursor(Qt.CursorShape.PointingHandCursor if on_number else Qt.CursorShape.ArrowCursor)
        self.viewport().setToolTip(
            plain(self.tr("Click to switch between this layer's heads and their average") if on_number else "")
        )
        self._point_at(layout.head_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        layout, left = self.layout_now, event.button() == Qt.MouseButton.LeftButton
        head, layer = layout.head_at(event.position()), layout.layer_at(event.position())
        if head is not None and left:
            self._choose(head, extend=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        elif layer is not None and left:
            self.layer_folded.emit(layer)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        head = self.layout_now.head_at(event.position())
        if head is not None:
            self._choose(head, extend=False)

    def _point_at(self, head: Head | None) -> None:
        if head == self._hover:
            return
        for changed in (self._hover, head):
            self._update_around(changed)
        self._hover = head
        if head is None:
            self._preview.hide()
            return
        self.spoken.say(partial(self._words, head))
        layout = self.layout_now
        picture = self._picture.one(head, round(SIDE * self.devicePixelRatioF()), self._theme)
        top = round(layout.box(head).top())
        beside = QRect(self.viewport().mapToGlobal(QPoint(0, top)), QSize(self.viewport().width(), 1))
        self._preview.show_head(self.head_name(head), self._details(head), picture, self._theme, beside)

    def _words(self, head: Head) -> str:
        """What the preview shows of a head beside its picture."""
        details = self._details(head)
        told = [details.title, *(f"{name} {value}" for name, value in details.lines)]
        return ", ".join(words for words in (self.head_name(head), *told) if words)

    def _update_around(self, head: Head | None) -> None:
        """Draw one head and its numbers anew, and no others: the mouse is faster than all their names."""
        layout = self.layout_now
        if head is None or head not in layout.placed.place_of:
            return
        self.viewport().update(layout.tile(head).adjusted(-GRID, -GRID, GRID, GRID).toAlignedRect())
        if layout.has_numbers:
            row, column = layout.placed.place_of[head]
            for axis, number in ((0, row), (1, column)):
                self.viewport().update(layout.number_box(axis, number).toAlignedRect())

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        key = Qt.Key(event.key())
        if key in _CHOOSE and self._exists(self._shown_cursor):
            self._choose(self._shown_cursor, extend=control or key != Qt.Key.Key_Space)
        elif key == Qt.Key.Key_A and self.layout_now.has_numbers and self._exists(self._shown_cursor):
            self.layer_folded.emit(self._cursor[0])
        elif (target := self._target(key, control)) is not None:
            self._cursor = target
            self.spoken.say(partial(self._words, target))
            self._reveal(target)
            paint_in_turn(self)
            if not control or key in (Qt.Key.Key_Home, Qt.Key.Key_End):
                self._choose(target, extend=False)
        else:
            super().keyPressEvent(event)

    def _target(self, key: Qt.Key, control: bool) -> Head | None:
        """Where a key leads to from the cursor; Home and End to the ends of the row, with Ctrl of all."""
        rows = self.layout_now.placed.rows
        if not rows:
            return None
        row, column = self.layout_now.placed.place_of.get(self._shown_cursor, (0, 0))
        if key == Qt.Key.Key_Home:
            return rows[0 if control else row][0]
        if key == Qt.Key.Key_End:
            return rows[-1 if control else row][-1]
        if key not in _STEPS:
            return None
        down, right = _STEPS[key]
        if self._picture.places.flows and right:  # a row goes on in the next
            every = self._picture.places.placed.rows[0]
            at = row * len(rows[0]) + column + right
            return every[min(max(at, 0), len(every) - 1)]
        row = min(max(row + down, 0), len(rows) - 1)
        return rows[row][min(max(column + right, 0), len(rows[row]) - 1)]

    @property
    def _shown_cursor(self) -> Head:
        """Where the keyboard is: on a head, or on the average that stands for it."""
        return self._cursor if self._exists(self._cursor) else (self._cursor[0], AVERAGE)

    def _choose(self, head: Head, *, extend: bool) -> None:
        self._cursor = head
        self._preview.hide()  # what was chosen is shown in full
        if head[1] == AVERAGE:
            self.layer_chosen.emit(head[0])
        else:
            self.chosen.emit(head, extend)
        paint_in_turn(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        paint_in_turn(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        paint_in_turn(self)


def _no_details(_head: Head) -> HeadDetails:
    return HeadDetails()
