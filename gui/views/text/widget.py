"""ReadingView: a text to read, to point into and to click, by mouse or keyboard; coloured behind its words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from headscope.gui.paint.theme import GRID, Theme, theme_of
from headscope.gui.views.text.paint.layout import ReadingLayout
from headscope.gui.views.text.paint.passage import Passage
from headscope.gui.views.text.paint.shades import Shades, paint_reading
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn

_SLICE_SECONDS = 0.006
"""Line breaking at a time, in the thread that draws: half of a frame."""
_LEFT, _TOP = 4 * GRID, 2 * GRID
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_LINES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_CLICK = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class ReadingView(QAbstractScrollArea):
    """Wrapped text. Words are numbered from 0, in the order of `Passage.spans`.

    Signals
    -------
    hovered(object)
        The word under the mouse or at the keyboard's cursor, or None.
    clicked(int, bool)
        A word was clicked, or Enter pressed on it; and whether Ctrl was held.
    released()
        Something else was clicked, or Escape pressed: nothing shall be chosen.
    """

    hovered = Signal(object)
    clicked = Signal(int, bool)
    released = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme_of(dark=False)
        self._passage = Passage()
        self.text_layout = ReadingLayout(self._passage, 1, self._theme)
        self._shades: Shades | None = None
        self._chosen: tuple[int, ...] = ()
        self._found: tuple[int, ...] = ()
        self._pointed: int | None = None
        self._hovered: int | None = None
        self._cursor = 0
        self._hint = ""
        self.spoken = Spoken(self)
        self._anchor: int | None = None  # a word that is to stay in sight while lines are broken anew
        self._worker = QTimer(self)
        self._worker.setInterval(0)
        self._worker.timeout.connect(self._go_on)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)  # or the width would change with the length
        self.setAccessibleName(self.tr("Text"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)

    # ---------------------------------------------------------------- what is shown
    @property
    def passage(self) -> Passage:
        """What is shown."""
        return self._passage

    @property
    def shades(self) -> Shades | None:
        """The numbers behind the words."""
        return self._shades

    @property
    def chosen(self) -> tuple[int, ...]:
        """The words whose attention is shown."""
        return tuple(self._chosen)

    def set_passage(self, passage: Passage) -> None:
        """Show another text."""
        longer = passage.text.startswith(self._passage.text) and bool(self._passage.text)
        self._passage = passage
        self._cursor = min(self._cursor, max(0, len(passage.spans) - 1))
        self._hovered = self._pointed = None
        self._shades, self._chosen, self._found = None, (), ()
        self._anchor = self._top_word() if longer else 0
        self._lay_out(self.text_layout if longer else None)

    def set_shades(self, shades: Shades | None) -> None:
        """Colour the words."""
        self._shades = shades
        paint_in_turn(self)

    def set_focus_words(self, chosen: Sequence[int], pointed: int | None) -> None:
        """Frame the words whose attention is shown, and the one that is pointed at, wherever that is."""
        if (tuple(chosen), pointed) != (self._chosen, self._pointed):
            self._chosen, self._pointed = tuple(chosen), pointed
            paint_in_turn(self)

    def set_found(self, words: Sequence[int]) -> None:
        """Mark what was found."""
        self._found = tuple(word for word in words if word < len(self._passage.spans))
        paint_in_turn(self)

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        self._anchor = self._top_word()
        self._lay_out()

    def set_hint(self, hint: str) -> None:
        """What to do while there is no text."""
        self._hint = hint
        paint_in_turn(self)

    def reveal(self, word: int) -> None:
        """Scroll as little as needed to see a word; at once, or as soon as its line is there."""
        line = self.text_layout.line_of(word)
        if line is None:
            self._anchor = word if word < len(self._passage.spans) else None
            return
        top = _TOP + line * self.text_layout.line_height
        bar = self.verticalScrollBar()
        low, high = top - bar.value(), top + self.text_layout.line_height - bar.value() - self.viewport().height()
        bar.setValue(bar.value() + round(min(low - _TOP, 0) + max(high + _TOP, 0)))

    def point_of(self, word: int) -> QPoint:
        """The middle of a word (of its first line), in the viewport."""
        box = self.text_layout.boxes_of(word)[0]
        return (box.center() + self._origin()).toPoint()

    def sizeHint(self) -> QSize:
        return QSize(320, 60)  # the panel wraps: what is more would be asked for as its least height

    def minimumSizeHint(self) -> QSize:
        return QSize(120, 60)

    # ---------------------------------------------------------------- lines
    def _origin(self) -> QPointF:
        return QPointF(_LEFT, _TOP - self.verticalScrollBar().value())

    def _top_word(self) -> int | None:
        """The first word in sight; None at the top."""
        number = int(self.verticalScrollBar().value() // self.text_layout.line_height)
        return self.text_layout.word_near(number, 0) if number else None

    def _lay_out(self, before: ReadingLayout | None = None) -> None:
        self.text_layout = ReadingLayout(self._passage, self.viewport().width() - 2 * _LEFT, self._theme, before)
        self._worker.start()
        self._go_on()

    @Slot()
    def _go_on(self) -> None:
        """Break some more lines."""
        layout = self.text_layout
        layout.advance(_SLICE_SECONDS)
        if layout.is_complete:
            self._worker.stop()
        anchor = self._anchor
        line = layout.line_of(anchor) if anchor is not None else None
        bar = self.verticalScrollBar()
        bar.setRange(0, max(0, round(layout.height + 2 * _TOP - self.viewport().height())))
        bar.setPageStep(self.viewport().height())
        bar.setSingleStep(round(layout.line_height))
        if line is not None or layout.is_complete:
            self._anchor = None
            if line is not None:
                bar.setValue(round(line * layout.line_height))
        paint_in_turn(self)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.FontChange:
            self._anchor = self._top_word()
            self._lay_out()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.viewport().width() - 2 * _LEFT != self.text_layout.width:
            if self._anchor is None:
                self._anchor = self._top_word()
            self._lay_out()
        else:
            self._go_on()

    # ---------------------------------------------------------------- drawing
    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        painter.setClipRect(event.rect())
        painter.fillRect(event.rect(), self._theme.color("panel"))
        if not self._passage.spans:
            painter.setPen(self._theme.color("muted"))
            room = QRectF(self.viewport().rect()).adjusted(_LEFT, _TOP, -_LEFT, -_TOP)
            painter.drawText(room, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self._hint)
            return
        origin = self._origin()
        painter.translate(origin)
        paint_reading(
            painter,
            self.text_layout,
            self._theme,
            event.rect().top() - origin.y(),
            event.rect().bottom() + 1 - origin.y(),
            shades=self._shades,
            found=self._found,
            chosen=self._chosen,
            pointed=self._pointed,
            cursor=self._cursor if self.hasFocus() else None,
        )

    # ---------------------------------------------------------------- mouse
    def word_at(self, point: QPointF) -> int | None:
        """The word under a point of the viewport, or None."""
        return self.text_layout.word_at(point - self._origin())

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self.word_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        word = self.word_at(event.position())
        if word is None:
            self.released.emit()
            return
        self._cursor = word
        self.clicked.emit(word, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))

    def scrollContentsBy(self, dx: int, dy: int) -> None:
        super().scrollContentsBy(dx, dy)
        self._point_at(None)
        paint_in_turn(self)

    def _point_at(self, word: int | None) -> None:
        if word != self._hovered:
            self._hovered = word
            if word is not None:
                self.spoken.say(lambda: self.about(word) if word < len(self._passage.spans) else "")
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor if word is None else Qt.CursorShape.PointingHandCursor)
            self.hovered.emit(word)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            word = self.word_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain("" if word is None else self.about(word)), self)
            return True
        return super().viewportEvent(event)

    def about(self, word: int) -> str:
        """What a word's tool tip says: the token, where it stands, and its value to six digits."""
        part = max(at for at, first in enumerate(self._passage.firsts) if first <= word)
        position = word - self._passage.firsts[part]
        lines = [self.tr("{token} · position {position}").format(token=self._passage.tokens[word].text, position=position)]
        if self._shades is not None and (number := self._shades.number(word, digits=6)):
            lines.append(number)
        return "\n".join(lines)

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = Qt.Key(event.key()), len(self._passage.spans) - 1
        control = bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier)
        if last < 0 or event.modifiers() & Qt.KeyboardModifier.AltModifier:
            super().keyPressEvent(event)
        elif key in _STEPS:
            self._go_to(min(max(self._cursor + _STEPS[key], 0), last))
        elif key in _LINES:
            self._go_to(self._word_in_line(_LINES[key]))
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self._go_to(0 if key == Qt.Key.Key_Home else last)
        elif key == Qt.Key.Key_Escape:
            self.released.emit()
        elif key in _CLICK:
            self.clicked.emit(self._cursor, control)
        else:
            super().keyPressEvent(event)

    def _word_in_line(self, step: int) -> int:
        """The word above or below the cursor."""
        boxes = self.text_layout.boxes_of(self._cursor)
        line = self.text_layout.line_of(self._cursor)
        if line is None or not boxes:
            return self._cursor
        line += step
        while 0 <= line < len(self.text_layout.lines):
            word = self.text_layout.word_near(line, boxes[0].center().x())
            if word is not None:
                return word
            line += step
        return self._cursor

    def _go_to(self, word: int) -> None:
        self._cursor = word
        self.reveal(word)
        self._point_at(word)
        paint_in_turn(self)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        paint_in_turn(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point_at(None)
        paint_in_turn(self)
