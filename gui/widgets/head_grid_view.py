"""HeadGridView: choose heads from their pictures, by mouse or keys."""

from __future__ import annotations

from collections.abc import Mapping
from math import ceil

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from headscope.core.jobs import Head
from headscope.gui.paint.head_grid import LEAST_CELL, GridLayout, HeadGridPicture
from headscope.gui.paint.theme import GRID, Theme, text_font, theme_of

_PREVIEW = 160
_NAME_LINE = 24
_STEPS = {Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1), Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0)}
_CHOOSE = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class HeadGridView(QAbstractScrollArea):
    """Small pictures of all heads.

    A click or an arrow key chooses a head; with Ctrl a click adds it to those that are looked at, or takes it away. Ctrl and an
    arrow key moves without choosing, Ctrl+Space or Enter then adds or takes away. A double click leaves one head alone.
    """

    chosen = Signal(tuple, bool)
    """(layer, head), and whether it is to be added or taken away."""
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
        self._preview = HeadPreview(self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Heads"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # ---------------------------------------------------------------- what is shown
    def set_picture(self, picture: HeadGridPicture) -> None:
        """Show other pictures."""
        self._picture = picture
        if self._hover is not None and not self._exists(self._hover):
            self._point_at(None)
        self._update_scroll_bars()
        self.viewport().update()

    def set_selection(self, selected: Head, colors: Mapping[Head, int]) -> None:
        """Frame the heads that are looked at: `selected` thickly, each in its colour."""
        if selected != self._selected:
            self._cursor = selected
            self._reveal(selected)
        self._selected, self._colors = selected, dict(colors)
        self.setAccessibleDescription(self.head_name(selected))
        self.viewport().update()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        self.viewport().update()

    def head_name(self, head: Head) -> str:
        """What a head is called."""
        return self.tr("layer {layer} · head {head}").format(layer=head[0], head=head[1])

    @property
    def layout_now(self) -> GridLayout:
        """Where everything lies in the viewport."""
        scroll = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        return self._picture.layout(QRectF(self.viewport().rect()), scroll)

    def sizeHint(self) -> QSize:
        return QSize(320, 240)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def _exists(self, head: Head) -> bool:
        return 0 <= head[0] < self._picture.n_layers and 0 <= head[1] < self._picture.n_heads

    # ---------------------------------------------------------------- drawing
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        cursor = self._cursor if self.hasFocus() and self._exists(self._cursor) else None
        self._picture.paint(
            painter,
            self.layout_now,
            self._theme,
            selected=self._selected,
            colors={head: color for head, color in self._colors.items() if self._exists(head)},
            hover=self._hover,
            cursor=cursor,
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
        above = (layout.cells.top() - layout.corner.y()) / layout.step
        below = above + layout.cells.height() / layout.step
        seen = range(max(0, int(above)), max(0, min(layout.n_layers, ceil(below))))
        if seen != self._seen:
            self._seen = seen
            self.layers_seen.emit(seen)

    def _reveal(self, head: Head) -> None:
        """Scroll as little as needed to see a head."""
        layout = self.layout_now
        box, room = layout.box(head).adjusted(-GRID, -GRID, GRID, GRID), layout.cells
        for bar, low, high in (
            (self.horizontalScrollBar(), box.left() - room.left(), box.right() - room.right()),
            (self.verticalScrollBar(), box.top() - room.top(), box.bottom() - room.bottom()),
        ):
            bar.setValue(bar.value() + round(min(low, 0) + max(high, 0)))

    # ---------------------------------------------------------------- mouse
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.layout_now.head_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        head = self.layout_now.head_at(event.position())
        if head is not None and event.button() == Qt.MouseButton.LeftButton:
            self._choose(head, extend=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        head = self.layout_now.head_at(event.position())
        if head is not None:
            self._choose(head, extend=False)

    def _point_at(self, head: Head | None) -> None:
        if head == self._hover:
            return
        self._hover = head
        self.viewport().update()
        if head is None:
            self._preview.hide()
            return
        layout = self.layout_now
        picture = self._picture.one(head, round(_PREVIEW * self.devicePixelRatioF()), self._theme)
        top = round(layout.box(head).top())
        beside = QRect(self.viewport().mapToGlobal(QPoint(0, top)), QSize(self.viewport().width(), 1))
        self._preview.show_head(self.head_name(head), picture, self._theme, beside)

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        key = Qt.Key(event.key())
        if key in _CHOOSE and self._exists(self._cursor):
            self._choose(self._cursor, extend=control or key != Qt.Key.Key_Space)
        elif (target := self._target(key, control)) is not None:
            self._cursor = target
            self._reveal(target)
            self.viewport().update()
            if not control or key in (Qt.Key.Key_Home, Qt.Key.Key_End):
                self._choose(target, extend=False)
        else:
            super().keyPressEvent(event)

    def _target(self, key: Qt.Key, control: bool) -> Head | None:
        """Where a key leads to from the cursor; Home and End to the ends of the layer, with Ctrl of all."""
        last = self._picture.n_layers - 1, self._picture.n_heads - 1
        layer, head = self._cursor
        if key == Qt.Key.Key_Home:
            return (0 if control else layer, 0)
        if key == Qt.Key.Key_End:
            return (last[0] if control else layer, last[1])
        if key not in _STEPS or min(last) < 0:
            return None
        down, right = _STEPS[key]
        return min(max(layer + down, 0), last[0]), min(max(head + right, 0), last[1])

    def _choose(self, head: Head, *, extend: bool) -> None:
        self._cursor = head
        self._preview.hide()  # what was chosen is shown in full
        self.chosen.emit(head, extend)
        self.viewport().update()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()


class HeadPreview(QWidget):
    """A head's name and larger picture, beside the grid, where it covers none of its neighbours."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.ToolTip)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.name = ""
        self._picture: QImage | None = None
        self._theme = theme_of(dark=False)

    def show_head(self, name: str, picture: QImage | None, theme: Theme, beside: QRect) -> None:
        """Show a head right of `beside` (global pixels), or left of it where the screen ends, as high as its upper edge."""
        self.name, self._picture, self._theme = name, picture, theme
        height = _NAME_LINE + (_PREVIEW + GRID if picture is not None else 0)
        self.resize(_PREVIEW + 4 * GRID, height + 3 * GRID)
        room = self.screen().availableGeometry()
        x = beside.right() + 2 * GRID
        if x + self.width() > room.right():
            x = beside.left() - 2 * GRID - self.width()
        self.move(x, min(beside.top(), room.bottom() - self.height()))
        self.show()
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), self._theme.color("panel"))
        painter.setPen(self._theme.color("line"))
        painter.drawRect(self.rect().adjusted(0, 0, -1, -1))
        painter.setPen(self._theme.color("text"))
        painter.setFont(text_font())
        line = QRect(2 * GRID, GRID, self.width() - 4 * GRID, _NAME_LINE)
        painter.drawText(line, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, self.name)
        if self._picture is not None:
            painter.drawImage(QRect(2 * GRID, line.bottom() + 1 + GRID, _PREVIEW, _PREVIEW), self._picture)
