"""StepRowsView: the rows of a step's heads; point at a weight, choose a head."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFocusEvent, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from headscope.gui.paint.lens_words import lens_name
from headscope.gui.paint.theme import Theme, theme_of
from headscope.gui.views.film_strip.paint.step_rows import StepRowsPicture
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken

_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}


class StepRowsView(QWidget):
    """A row for each head.

    Signals
    -------
    pointed(object)
        The key under the mouse, or None.
    chosen(int)
        A head was clicked, or walked to with Up and Down.
    """

    pointed = Signal(object)
    chosen = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: StepRowsPicture | None = None
        self._theme = theme_of(False)
        self._layer, self._head = 0, 0
        self._key: int | None = None
        self._pointed: int | None = None
        self._spoken_of: tuple[int, int | None] | None = None
        self.spoken = Spoken(self)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(self.tr("What each head attended to"))

    @property
    def picture(self) -> StepRowsPicture | None:
        """What is shown."""
        return self._picture

    def set_picture(self, picture: StepRowsPicture | None, layer: int) -> None:
        """Show the rows of a layer's heads."""
        self._picture, self._layer = picture, layer
        self.setCursor(Qt.CursorShape.ArrowCursor if picture is None else Qt.CursorShape.PointingHandCursor)
        self.update()

    def set_focus_on(self, head: int, key: int | None) -> None:
        """Frame the head that is looked at and the key in focus."""
        if (head, key) != (self._head, self._key):
            self._head, self._key = head, key
            if self.hasFocus():
                self._say((head, key))
            self.update()

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._theme = theme
        self.update()

    @property
    def cells(self) -> QRectF:
        """Where the weights lie."""
        return QRectF() if self._picture is None else self._picture.cells(QRectF(self.rect()))

    def sizeHint(self) -> QSize:
        return QSize(320, 96)

    def minimumSizeHint(self) -> QSize:
        return QSize(96, 16)

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._picture is not None:
            painter = QPainter(self)
            self._picture.paint(painter, QRectF(self.rect()), self._theme, head=self._head, key=self._key)
            if self.hasFocus():
                painter.setPen(self._theme.color("accent"))
                painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    # ---------------------------------------------------------------- mouse and keys
    def _cell_at(self, point: QPointF) -> tuple[int, int | None] | None:
        return None if self._picture is None else self._picture.cell_at(QRectF(self.rect()), point)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        self._say(cell)
        self._point_at(None if cell is None else cell[1])

    def leaveEvent(self, _event: QEvent) -> None:
        self._point_at(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        cell = self._cell_at(event.position())
        if cell is not None and event.button() == Qt.MouseButton.LeftButton:
            self.chosen.emit(cell[0])

    def keyPressEvent(self, event: QKeyEvent) -> None:
        head = self._head + _STEPS.get(Qt.Key(event.key()), 0)
        if self._picture is not None and head != self._head and 0 <= head < self._picture.n_heads:
            self.chosen.emit(head)
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            cell = self._cell_at(QPointF(event.pos()))
            QToolTip.showText(event.globalPos(), plain("" if cell is None else self._about(*cell)), self)
            return True
        return super().event(event)

    def _about(self, head: int, key: int | None) -> str:
        name = self.tr("layer {layer} · head {head}").format(layer=self._layer, head=head)
        if key is None or self._picture is None:
            return name
        token, number = self._picture.labels[key], self._picture.words(head, key) or self.tr("masked")
        if not self._picture.lens.is_share:
            words = self.tr("{head}: {token} (position {position}) {lens} {number}")
            lens = lens_name(self._picture.lens)
            return words.format(head=name, token=token, position=key, lens=lens, number=number)
        looked = self.tr("attended to {token} (position {position}) with weight {weight}")
        return f"{name}: {looked.format(token=token, position=key, weight=number)}"

    def _say(self, cell: tuple[int, int | None] | None) -> None:
        if cell != self._spoken_of:
            self._spoken_of = cell
            if cell is not None:
                self.spoken.say(lambda: self._about(*cell))

    def _point_at(self, key: int | None) -> None:
        if key != self._pointed:
            self._pointed = key
            self.pointed.emit(key)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.update()
