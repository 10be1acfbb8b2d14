"""FilmStripView: strips of frames that can be pointed at, clicked and walked along; only the frames in sight are painted."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QSizePolicy, QToolTip, QWidget

from headscope.gui.paint.found import paint_found
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import Theme, theme_of
from headscope.gui.views.film_strip.paint.strip import MARGIN, FilmStripPicture, Looked
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn

_MOST_ROWS = 2
_SCROLL_BAR = 12
_STEPS = {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1}
_SIDES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class FilmStripView(QAbstractScrollArea):
    """Frames in the order they were written, a strip for each branch.

    Left, Right, Home, End and the page keys walk along the strip, Up and Down change to another one, Space plays.

    Signals
    -------
    chosen(int, int)
        A strip and a step of it: clicked, or walked to.
    pointed(object)
        The strip and the step under the mouse, or None.
    played()
        Space.
    """

    chosen = Signal(int, int)
    pointed = Signal(object)
    played = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = FilmStripPicture(())
        self._looked = Looked()
        self._found: set[int] = set()
        self.spoken = Spoken(self)
        self._theme = theme_of(False)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        self.setAccessibleName(self.tr("Steps"))
        self.viewport().setMouseTracking(True)

    # ---------------------------------------------------------------- what is shown
    def set_picture(self, picture: FilmStripPicture, strip: int, step: int) -> None:
        """Show other strips, and look at a step of one of them."""
        grew = len(picture.strips) != len(self._picture.strips)
        self._picture = picture
        self._looked = Looked(strip, step)
        self._update_scroll_bars()
        self._look_at(strip, step)
        if grew:
            self.updateGeometry()

    def set_step(self, step: int) -> None:
        """Look at another step of the same strip."""
        self._look_at(self._looked.strip, step)

    def set_found(self, steps: Collection[int]) -> None:
        """Mark the frames of the strip that is looked at whose tokens were found in the text."""
        if set(steps) != self._found:
            self._found = set(steps)
            paint_in_turn(self)

    def reveal(self, step: int) -> None:
        """Bring a frame of the strip that is looked at into sight."""
        self._bring_into_sight(self._looked.strip, step)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._theme = theme
        paint_in_turn(self)

    @property
    def picture(self) -> FilmStripPicture:
        """What is shown."""
        return self._picture

    @property
    def looked(self) -> Looked:
        """Where one is."""
        return self._looked

    def box(self, strip: int, step: int) -> QRectF:
        """Where a frame lies in the viewport now."""
        return self._picture.box(strip, step).translated(-self._corner)

    def sizeHint(self) -> QSize:
        rows = min(max(1, len(self._picture.strips)), _MOST_ROWS)
        return QSize(400, round(self._picture.height_of(rows)) + _SCROLL_BAR)

    def minimumSizeHint(self) -> QSize:
        return QSize(120, round(self._picture.height_of(1)) + _SCROLL_BAR)

    @property
    def _corner(self) -> QPointF:
        return QPointF(self.horizontalScrollBar().value(), self.verticalScrollBar().value())

    def _look_at(self, strip: int, step: int) -> None:
        self._looked = Looked(strip, step, self._looked.hover)
        if self._bring_into_sight(strip, step):
            if self.hasFocus():
                self.spoken.say(self._words)
            else:
                self.setAccessibleDescription(self._said(strip, step))
        paint_in_turn(self)

    def _bring_into_sight(self, strip: int, step: int) -> bool:
        """With a frame more on both sides; whether there is such a frame."""
        is_there = 0 <= strip < len(self._picture.strips) and 0 <= step < len(self._picture.strips[strip].frames)
        if is_there:
            box, view, wide = self._picture.box(strip, step), self.viewport().rect(), self._picture.step
            low, high = box.left() - wide - (self._picture.left - MARGIN), box.right() + wide + MARGIN - view.width()
            bar, rows = self.horizontalScrollBar(), self.verticalScrollBar()
            bar.setValue(round(min(max(bar.value(), high), low)))
            rows.setValue(round(min(max(rows.value(), box.bottom() - view.height()), box.top())))
        return is_there

    def _words(self) -> str:
        """Of the frame under the mouse, else of the step that is looked at."""
        strip, step = self._looked.hover or (self._looked.strip, self._looked.step)
        is_there = 0 <= strip < len(self._picture.strips) and 0 <= step < len(self._picture.strips[strip].frames)
        if not is_there:
            return ""
        name, words = self._picture.strips[strip].name, self._said(strip, step)
        return f"{name}, {words}" if name else words

    def _said(self, strip: int, step: int) -> str:
        frame = self._picture.strips[strip].frames[step]
        words = self.tr("step {step}: {token}, probability {probability}")
        if frame.forced:
            words = self.tr("step {step}: {token}, probability {probability} · chosen by you")
        return words.format(step=step, token=frame.label, probability=readable_probability(frame.probability))

    def _update_scroll_bars(self) -> None:
        view = self.viewport()
        for bar, whole, seen, single in (
            (self.horizontalScrollBar(), self._picture.width, view.width(), self._picture.step),
            (self.verticalScrollBar(), self._picture.height, view.height(), self._picture.row),
        ):
            bar.setRange(0, max(0, round(whole - seen)))
            bar.setPageStep(seen)
            bar.setSingleStep(round(single))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_scroll_bars()
        self._look_at(self._looked.strip, self._looked.step)

    def paintEvent(self, _event: QPaintEvent) -> None:
        painter = QPainter(self.viewport())
        view = QRectF(self.viewport().rect()).translated(self._corner)
        painter.translate(-self._corner)
        self._picture.paint(painter, view, self._theme, self._looked, focused=self.hasFocus())
        seen = set(self._picture.steps_between(view.left(), view.right())) & self._found
        paint_found(painter, (self._picture.label_box(self._looked.strip, step) for step in seen), self._theme)

    # ---------------------------------------------------------------- mouse
    def _frame_at(self, point: QPointF) -> tuple[int, int] | None:
        under_names = len(self._picture.strips) > 1 and point.x() < self._picture.left - MARGIN / 2
        return None if under_names else self._picture.frame_at(point + self._corner)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(self._frame_at(event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        frame = self._frame_at(event.position())
        if event.button() == Qt.MouseButton.LeftButton and frame is not None:
            self.chosen.emit(*frame)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel goes along the strip."""
        rotated = event.angleDelta()
        bar = self.horizontalScrollBar()
        bar.setValue(bar.value() - round((rotated.x() or rotated.y()) / 120 * 2 * self._picture.step))
        event.accept()

    def _point_at(self, frame: tuple[int, int] | None) -> None:
        if frame != self._looked.hover:
            self._looked = Looked(self._looked.strip, self._looked.step, frame)
            self.viewport().setCursor(Qt.CursorShape.ArrowCursor if frame is None else Qt.CursorShape.PointingHandCursor)
            paint_in_turn(self)
            if frame is not None:
                self.spoken.say(self._words)
            self.pointed.emit(frame)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            frame = self._frame_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain(self.toolTip() if frame is None else self._said(*frame)), self)
            return True
        return super().viewportEvent(event)

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, target = Qt.Key(event.key()), self._target(Qt.Key(event.key()))
        if key == Qt.Key.Key_Space:
            self.played.emit()
        elif target is None:
            super().keyPressEvent(event)
        elif target != (self._looked.strip, self._looked.step):
            self.chosen.emit(*target)

    def _target(self, key: Qt.Key) -> tuple[int, int] | None:
        """Where a key leads to."""
        strips, strip, step = self._picture.strips, self._looked.strip, self._looked.step
        page = max(1, int(self.viewport().width() // self._picture.step) - 1)
        jumps = {**_STEPS, Qt.Key.Key_PageUp: -page, Qt.Key.Key_PageDown: page}
        jumps |= {Qt.Key.Key_Home: -self._picture.n_steps, Qt.Key.Key_End: self._picture.n_steps}
        if not self._picture.n_steps or (key not in jumps and key not in _SIDES):
            return None
        strip = min(max(strip + _SIDES.get(key, 0), 0), len(strips) - 1)
        return strip, min(max(step + jumps.get(key, 0), 0), len(strips[strip].frames) - 1)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        paint_in_turn(self)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        paint_in_turn(self)
