"""TokenStrip: the tokens of a text as boxes that can be pointed at and clicked, by mouse or keyboard."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QToolTip, QWidget

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.paint.theme import Theme, scaled, theme_of
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn
from headscope.gui.window.prompt.paint import ROW, TokenChips

_MOST_ROWS = 3
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_CLICK = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class TokenStrip(QAbstractScrollArea):
    """Boxes in reading order; a long text shows three rows and scrolls. It does not grow or shrink under the pointer.

    Signals
    -------
    hovered(object)
        The token under the mouse or at the keyboard's cursor: a position, or None.
    clicked(int, bool)
        A token was clicked, or Enter pressed on it; and whether Shift was held.
    """

    hovered = Signal(object)
    clicked = Signal(int, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme_of(False)
        self._chips = TokenChips(TokenAxis(()), 1)
        self._query: int | None = None
        self._key: int | None = None
        self._found: Collection[int] = ()
        self._cursor = 0
        self._hovered: int | None = None
        self._stale = False
        self._rows = 1  # that it is high
        self._held = self._has_pointer = False
        self.spoken = Spoken(self)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Tokens"))
        self.viewport().setMouseTracking(True)

    # ---------------------------------------------------------------- what is shown
    def set_axis(self, axis: TokenAxis) -> None:
        """Show these tokens."""
        if axis is not self._chips.axis:
            grew = axis.tokens[: len(self._chips.axis)] == self._chips.axis.tokens and len(axis) > len(self._chips.axis)
            self._cursor = min(self._cursor, max(0, len(axis) - 1))
            self._lay_out(axis)
            if grew and axis.tokens[-1].generated:  # follow what is being written
                self.verticalScrollBar().setValue(self.verticalScrollBar().maximum())

    def set_focus_tokens(self, query: int | None, key: int | None) -> None:
        """Frame the token that asks and the one that is looked at."""
        if (query, key) != (self._query, self._key):
            changed = {self._query, self._key, query, key}
            self._query, self._key = query, key
            for position in changed:  # hundreds of others stay as they are
                if position is not None and position < len(self._chips.axis):
                    self.viewport().update(self._box(position).toAlignedRect())

    def set_found(self, tokens: Collection[int], current: int | None) -> None:
        """Mark what was found in the text, with the one that one has come to in sight."""
        self._found = tokens
        if current is not None and current < len(self._chips.axis):
            self._reveal(current)
        paint_in_turn(self)

    def set_stale(self, stale: bool) -> None:
        """Whether the text has been changed since it was cut into these tokens."""
        if stale != self._stale:
            self._stale = stale
            paint_in_turn(self)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._theme = theme
        self._lay_out(self._chips.axis)  # type may have another size
        self.updateGeometry()

    @property
    def axis(self) -> TokenAxis:
        """What is shown."""
        return self._chips.axis

    def point_of(self, position: int) -> QPoint:
        """The middle of a token's box, in the viewport."""
        return self._box(position).center().toPoint()

    def _box(self, position: int) -> QRectF:
        """A token's box in the viewport."""
        return self._chips.box(position).translated(0, -self.verticalScrollBar().value())

    def sizeHint(self) -> QSize:
        return QSize(400, self._rows * scaled(ROW))

    def set_held(self, held: bool) -> None:
        """Stay as high as it is while something is written, whatever comes: the newest row is in sight."""
        if held != self._held:
            self._held = held
            self._lay_out(self._chips.axis)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())

    def _lay_out(self, axis: TokenAxis) -> None:
        self._chips = TokenChips(axis, float(self.viewport().width()))
        if not self._held and not self._has_pointer:
            self._rows = min(max(1, self._chips.n_rows), _MOST_ROWS)
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, (self._chips.n_rows - self._rows) * scaled(ROW)))
        bar.setPageStep(self._rows * scaled(ROW))
        bar.setSingleStep(scaled(ROW))
        if self.sizeHint().height() != self.height():
            self.updateGeometry()
        paint_in_turn(self)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.viewport().width() != self._chips.width:
            self._lay_out(self._chips.axis)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        top = float(self.verticalScrollBar().value())
        painter.translate(0, -top)
        self._chips.paint(
            painter,
            top,
            top + self.viewport().height(),
            self._theme,
            query=self._query,
            key=self._key,
            cursor=self._cursor if self.hasFocus() else None,
            found=self._found,
            stale=self._stale,
            where=event.region().translated(0, round(top)),
        )

    # ---------------------------------------------------------------- mouse
    def _token_at(self, point: QPointF) -> int | None:
        return self._chips.token_at(point + QPointF(0, self.verticalScrollBar().value()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self._token_at(event.position()))

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._has_pointer = True

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)
        self._has_pointer = False
        self._lay_out(self._chips.axis)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        position = self._token_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and position is not None:
            self._cursor = position
            self.clicked.emit(position, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))

    def _point_at(self, position: int | None) -> None:
        if position != self._hovered:
            self._hovered = position
            if position is not None:
                self.spoken.say(lambda: self._spoken(position))
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor if position is None else Qt.CursorShape.PointingHandCursor)
            self.hovered.emit(position)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            position = self._token_at(QPointF(event.pos()))
            text = "" if position is None else self._about(position, self._chips.axis.tokens[position])
            QToolTip.showText(event.globalPos(), plain(text), self)
            return True
        return super().viewportEvent(event)

    def _spoken(self, position: int) -> str:
        tokens = self._chips.axis.tokens
        return self._about(position, tokens[position]) if position < len(tokens) else ""

    def _about(self, position: int, token: Token) -> str:
        words = [self.tr("{token} · position {position} · id {id}").format(token=token.text, position=position, id=token.id)]
        if token.unknown:
            words.append(self.tr("not in this model's vocabulary: read as an unknown token"))
        if token.special:
            words.append(self.tr("added by the tokenizer"))
        return "\n".join(words)

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = Qt.Key(event.key()), len(self._chips.axis) - 1
        if last < 0:
            super().keyPressEvent(event)
        elif key in _STEPS:
            self._go_to(min(max(self._cursor + _STEPS[key], 0), last))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go_to(0 if key == Qt.Key.Key_Home else last)
        elif key in _CLICK:
            self.clicked.emit(self._cursor, bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        else:
            super().keyPressEvent(event)

    def _go_to(self, position: int) -> None:
        self._cursor = position
        self._reveal(position)
        self._point_at(position)
        paint_in_turn(self)

    def _reveal(self, position: int) -> None:
        """Scroll as little as needed to see a token."""
        box, bar = self._chips.box(position), self.verticalScrollBar()
        low, high = box.top() - bar.value(), box.bottom() - bar.value() - self.viewport().height()
        bar.setValue(bar.value() + round(min(low, 0) + max(high, 0)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        paint_in_turn(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point_at(None)
        paint_in_turn(self)
