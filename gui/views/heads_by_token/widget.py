"""HeadStripView: tokens down, heads across; point at cells, choose heads and tokens, by mouse or keyboard."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QWidget

from headscope.gui.paint.focus import paint_focus_frame
from headscope.gui.paint.found import paint_found
from headscope.gui.paint.scale_line import number_text
from headscope.gui.paint.theme import GRID, Theme, scaled, theme_of
from headscope.gui.views.heads_by_token.paint import ROW, HeadStripPicture, StripLayout
from headscope.gui.widgets.head_preview import HeadDetails, HeadPreview
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn

_STEPS = {Qt.Key.Key_Up: (-1, 0), Qt.Key.Key_Down: (1, 0), Qt.Key.Key_Left: (0, -1), Qt.Key.Key_Right: (0, 1)}
_CHOOSE = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class HeadStripView(QAbstractScrollArea):
    """The strip.

    Signals
    -------
    pointed(object, object)
        The token and the head under the mouse or at the keyboard's cursor; None where there is none.
    head_chosen(int, bool)
        A cell or a head's number was clicked, or Enter pressed; and whether Ctrl was held.
    token_chosen(int)
        A token's label was clicked.
    released()
        Escape: nothing shall be chosen.
    """

    pointed = Signal(object, object)
    head_chosen = Signal(int, bool)
    token_chosen = Signal(int)
    released = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme_of(dark=False)
        self._picture: HeadStripPicture | None = None
        self._chosen: tuple[int, ...] = ()
        self._colors: dict[int, QColor] = {}
        self._lit: int | None = None
        self._found: Collection[int] = ()
        self._hover: tuple[int | None, int | None] = (None, None)
        self._cursor = (0, 0)
        self._whole = False
        self._hint = ""
        self.spoken = Spoken(self)
        self._preview = HeadPreview(self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Heads of the layer by tokens"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # ---------------------------------------------------------------- what is shown
    @property
    def picture(self) -> HeadStripPicture | None:
        """What is shown."""
        return self._picture

    @property
    def chosen(self) -> tuple[int, ...]:
        """The tokens whose numbers these are."""
        return self._chosen

    def set_picture(self, picture: HeadStripPicture | None, chosen: Sequence[int]) -> None:
        """Show other numbers, of the tokens `chosen`."""
        self._picture, self._chosen = picture, tuple(chosen)
        if picture is not None:
            n_heads, n_tokens = picture.weights.shape
            self._cursor = min(self._cursor[0], n_tokens - 1), min(self._cursor[1], n_heads - 1)
        self._update_scroll_bars()
        paint_in_turn(self)

    def set_heads(self, colors: Mapping[int, QColor]) -> None:
        """Frame the heads that are looked at."""
        self._colors = dict(colors)
        paint_in_turn(self)

    def set_lit(self, token: int | None) -> None:
        """Set off the row of a token that is pointed at elsewhere."""
        if token != self._lit:
            self._lit = token
            paint_in_turn(self)

    def set_found(self, tokens: Collection[int]) -> None:
        """Mark the rows of what was found in the text."""
        self._found = tokens
        paint_in_turn(self)

    def set_whole(self, whole: bool) -> None:
        """All tokens at once, or rows that can be read."""
        self._whole = whole
        self._update_scroll_bars()
        paint_in_turn(self)

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        paint_in_turn(self)

    def set_hint(self, hint: str) -> None:
        """What to do while there is no picture."""
        self._hint = hint
        paint_in_turn(self)

    def show_preview(self, name: str, picture: QImage | None) -> None:
        """Show the head under the mouse beside the strip."""
        height = 0 if self._hover[0] is None else round(self._shown_layout().box(self._hover[0], 0).top())
        beside = QRect(self.viewport().mapToGlobal(QPoint(0, max(0, height))), QSize(self.viewport().width(), 1))
        self._preview.show_head(name, details=HeadDetails(), picture=picture, theme=self._theme, beside=beside)

    def hide_preview(self) -> None:
        """Show no head."""
        self._preview.hide()

    @property
    def preview(self) -> HeadPreview:
        """The head beside the strip."""
        return self._preview

    def _words(self) -> str:
        """The number that is pointed at, for who cannot see it."""
        token, head = self._hover
        if self._picture is None or token is None:
            return ""
        label = self._picture.axis.labels[token]
        if head is None:
            return label
        number = number_text(float(self._picture.weights[head, token])) or self.tr("masked")
        return self.tr("head {head}, {token}: {number}").format(head=head, token=label, number=number)

    def reveal(self, token: int) -> None:
        """Scroll as little as needed to see a token."""
        if self._picture is None:
            return
        layout, bar = self._shown_layout(), self.verticalScrollBar()
        box = layout.box(min(token, layout.n_tokens - 1), 0)
        bar.setValue(bar.value() + round(min(box.top() - layout.cells.top(), 0) + max(box.bottom() - layout.cells.bottom(), 0)))

    def point_of(self, token: int, head: int) -> QPoint:
        """The middle of a cell, in the viewport."""
        return self._shown_layout().box(token, head).center().toPoint()

    def label_point(self, token: int) -> QPoint:
        """A point on a token's label, in the viewport."""
        return QPoint(2 * GRID, self.point_of(token, 0).y())

    def sizeHint(self) -> QSize:
        return QSize(320, 80)  # the panel wraps: what is more would be asked for as its least height

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 80)

    def _shown_layout(self) -> StripLayout:
        assert self._picture is not None
        scroll = QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())
        return self._picture.layout(QRectF(self.viewport().rect()), scroll, whole=self._whole)

    def _update_scroll_bars(self) -> None:
        layout = None if self._picture is None else self._shown_layout()
        sizes = (0.0, 0.0) if layout is None else (layout.width, layout.height)
        seen = self.viewport().width(), self.viewport().height()
        for bar, size, room in zip((self.horizontalScrollBar(), self.verticalScrollBar()), sizes, seen, strict=True):
            bar.setRange(0, max(0, round(size - room)))
            bar.setPageStep(room)
            bar.setSingleStep(scaled(ROW))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_scroll_bars()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._update_scroll_bars()
            paint_in_turn(self)

    # ---------------------------------------------------------------- drawing
    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        if self._picture is None:
            painter.fillRect(self.viewport().rect(), self._theme.color("panel"))
            painter.setPen(self._theme.color("muted"))
            room = QRectF(self.viewport().rect()).adjusted(4 * GRID, 0, -4 * GRID, 0)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
            if self.hasFocus():
                paint_focus_frame(painter, self.viewport().rect(), self._theme)
            return
        token, head = self._hover
        n_tokens = self._picture.weights.shape[1]
        lit = self._lit if self._lit is not None and self._lit < n_tokens else None
        self._picture.paint(
            painter,
            self._shown_layout(),
            self._theme,
            chosen=[at for at in self._chosen if at < n_tokens],
            colors=self._colors,
            token=lit if token is None else token,
            head=head,
            cursor=self._cursor if self.hasFocus() else None,
        )
        paint_found(painter, self._shown_layout().labels_of(self._found), self._theme)
        if self.hasFocus():
            paint_focus_frame(painter, self.viewport().rect(), self._theme)

    # ---------------------------------------------------------------- mouse
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._picture is not None:
            layout = self._shown_layout()
            self._point_at(layout.token_at(event.position()), layout.head_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None, None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if self._picture is None or event.button() != Qt.MouseButton.LeftButton:
            return
        layout = self._shown_layout()
        token, head = layout.token_at(event.position()), layout.head_at(event.position())
        if head is not None:
            self._cursor = self._cursor[0] if token is None else token, head
            self._preview.hide()  # what was chosen is shown in full
            self.head_chosen.emit(head, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        elif token is not None:
            self.token_chosen.emit(token)

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._point_at(None, None)
        paint_in_turn(self)

    def _point_at(self, token: int | None, head: int | None) -> None:
        if (token, head) != self._hover:
            self._hover = token, head
            self.spoken.say(self._words)
            paint_in_turn(self)
            self.pointed.emit(token, head)

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if self._picture is None or event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
        elif key in _STEPS:
            down, right = _STEPS[key]
            n_heads, n_tokens = self._picture.weights.shape
            token, head = self._cursor
            self._go_to(min(max(token + down, 0), n_tokens - 1), min(max(head + right, 0), n_heads - 1))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go_to(0 if key == Qt.Key.Key_Home else self._picture.weights.shape[1] - 1, self._cursor[1])
        elif key == Qt.Key.Key_Escape:
            self.released.emit()
        elif key in _CHOOSE:
            self._preview.hide()
            self.head_chosen.emit(self._cursor[1], bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))
        else:
            super().keyPressEvent(event)

    def _go_to(self, token: int, head: int) -> None:
        self._cursor = token, head
        self.reveal(token)
        layout, bar = self._shown_layout(), self.horizontalScrollBar()
        box = layout.box(token, head)
        bar.setValue(bar.value() + round(min(box.left() - layout.cells.left(), 0) + max(box.right() - layout.cells.right(), 0)))
        self._point_at(token, head)
        paint_in_turn(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        paint_in_turn(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point_at(None, None)
        paint_in_turn(self)
