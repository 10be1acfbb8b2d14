"""LinkView: hover, pin and scroll a picture of links. Lines are drawn into an image in slices, so that nothing waits for them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QCoreApplication, QEvent, QPointF, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import (
    QFocusEvent,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QScrollBar, QToolTip, QWidget

from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.picked import NOTHING, Picked
from headscope.gui.paint.theme import GRID, Theme, text_font, theme_of, type_style
from headscope.gui.views.links.paint.legend import head_at
from headscope.gui.views.links.paint.lines import bands, joined
from headscope.gui.views.links.paint.links import LinksPicture
from headscope.gui.views.links.paint.picture import Layout, LinkPicture
from headscope.gui.views.links.paint.spoken import spoken_links
from headscope.gui.views.links.sliced_lines import SlicedLines, Work, drawn
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn

_SLICE = 0.004  # seconds of drawing between two events
_IN_FRAME = 0.006  # of it in the frame that shows another head, in which its strongest lines are as a rule
_PAUSE = 4  # milliseconds before the next slice: what else is in the frame comes first
_FADED = 0.15  # opacity of the other tokens' lines
_FEW_LINES = 32  # a token's lines, if there are no more, are drawn two pixels wide
_MOST_FOCUSED = 1000  # of a token's lines are drawn; the others could hardly be seen
_BANDS = (
    100,
    400,
    1000,
    4000,
    10_000,
)  # of the strongest lines are in the frame that shows another head, a moment later, and so on
_FRONT_BANDS = (60,)  # so many of them in the frame that shows them first, the others in the next
_ALONG = ({Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}, {Qt.Key.Key_Left: -1, Qt.Key.Key_Right: 1})  # down the rows, along a line
_SIDES = ({Qt.Key.Key_Left: True, Qt.Key.Key_Right: False}, {Qt.Key.Key_Up: True, Qt.Key.Key_Down: False})  # to the queries?
_PIN = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}
_CTRL = Qt.KeyboardModifier.ControlModifier

Picture = LinkPicture[Any]


class LinkView(QAbstractScrollArea):
    """Links between two columns of tokens, or arcs over one line of them.

    The mouse over a token shows that token's links alone and their weights as numbers; a click pins it, Ctrl+click picks it out
    beside others. Arrow keys move along the tokens and from side to side, Enter pins, Ctrl+Enter picks out, Escape lets go.
    A click on a head in the legend switches it off or on; a double click shows it alone, another one all again.
    """

    hovered = Signal(object, object)
    """The query and the key under the mouse, each a position or None."""
    clicked = Signal(object, object)
    """The query and the key clicked."""
    marked = Signal(object, object)
    """The query or the key to be picked out, or no longer."""
    released = Signal()
    """Escape, or a click beside the tokens: nothing shall be pinned or picked out."""
    head_clicked = Signal(object)
    """A head of the legend."""
    head_double_clicked = Signal(object)
    """A head of the legend, after `head_clicked`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture: Picture = LinksPicture({}, TokenAxis(()), TokenAxis(()))
        self._theme = theme_of(dark=False)
        self._whole = False
        self._picked = NOTHING
        self._found: tuple[Collection[int], Collection[int]] = ((), ())
        self._hover: tuple[int | None, int | None] = (None, None)
        self._lines, self._front = SlicedLines(), SlicedLines()  # of all tokens, and of those that are picked
        self._sheet_image = self._ground_image = QImage()
        self._sheet_key: object = None
        self._ground_of: tuple[object, ...] = (None, None)  # the images it was made of, and what else
        self._footer = ""
        self._stale = True
        self._layout: Layout = self._picture.layout(QRectF())
        self._layout_key: object = None
        self.spoken = Spoken(self)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._draw_on)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Links"))
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        for bar in (self.verticalScrollBar(), self.horizontalScrollBar()):
            bar.valueChanged.connect(self._redraw)

    # ---------------------------------------------------------------- what is shown
    @property
    def picture(self) -> Picture:
        """What is looked at."""
        return self._picture

    def set_picture(self, picture: Picture) -> None:
        """Look at another picture; the place in the text stays."""
        self._picture = picture
        self._hover = (None, None)  # the next move of the mouse tells anew what is under it
        self._update_scroll_bar()
        self._redraw()

    def set_theme(self, theme: Theme) -> None:
        """Draw in other colours."""
        self._theme = theme
        self._redraw()

    def set_whole(self, whole: bool) -> None:
        """Show the whole text at once, however low its rows become, or rows of readable height."""
        self._whole = whole
        self._update_scroll_bar()
        self._redraw()

    def set_picked(self, picked: Picked) -> None:
        """Show some tokens' links before all others."""
        if picked != self._picked:
            self._picked = picked
            self.spoken.say(lambda: spoken_links(self._picture, self._picked))
            paint_in_turn(self, 0)

    def set_found(self, queries: Collection[int], keys: Collection[int]) -> None:
        """Mark what was found in the text."""
        self._found = queries, keys
        paint_in_turn(self, 0)

    @property
    def is_complete(self) -> bool:
        """Whether all lines are drawn."""
        return self._lines.is_complete and self._front.is_complete and not self._stale

    @property
    def layout_now(self) -> Layout:
        """Where everything lies in the viewport."""
        scroll = None if self._whole else float(self._bar.value())
        key = (self._picture, self.viewport().size().toTuple(), scroll, type_style())
        if key != self._layout_key:  # it is asked for several times a frame
            self._layout, self._layout_key = self._picture.layout(QRectF(self.viewport().rect()), scroll), key
        return self._layout

    @property
    def _bar(self) -> QScrollBar:
        return self.horizontalScrollBar() if self._picture.sideways else self.verticalScrollBar()

    def sizeHint(self) -> QSize:
        return QSize(480, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 160)

    def _update_scroll_bar(self) -> None:
        layout, bar = self.layout_now, self._bar
        across = self.verticalScrollBar() if self._picture.sideways else self.horizontalScrollBar()
        across.setRange(0, 0)
        bar.setRange(0, max(0, round(layout.hidden(self._picture.n_rows))))
        bar.setPageStep(round(layout.clip.width() if self._picture.sideways else layout.clip.height()))
        bar.setSingleStep(round(layout.step))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_scroll_bar()
        self._redraw()

    # ---------------------------------------------------------------- drawing
    @Slot()
    def _redraw(self) -> None:
        self._stale = True
        paint_in_turn(self, 0)

    @Slot()
    def _draw_on(self) -> None:
        """Draw some more, first what is picked, and show it in a frame of its own."""
        self._timer.setInterval(0)
        sheets = [sheet for sheet in (self._front, self._lines) if not sheet.is_complete]
        if sheets and sheets[0].advance(_SLICE):
            paint_in_turn(self, 0)
        elif not sheets:
            self._timer.stop()

    def _choose_and_draw(self, layout: Layout) -> Work:
        picture, parts = self._picture, []
        for _ in picture.prepare():
            yield None
        for part in picture.parts(picture.blocks(layout)):
            parts.append(part)
            yield None
        links = joined(parts, picture.most)
        self._footer = picture.footer(layout, links)
        yield from drawn(picture, layout, self._theme, bands(links, _BANDS), self.devicePixelRatioF())

    def _begin(self, layout: Layout) -> None:
        """Start to draw the lines anew, from within a frame; what can be drawn in a moment is in that one."""
        self._stale = False
        self._lines.begin((type(self._picture), layout), self._choose_and_draw(layout))  # heads' names are in the layout
        self._lines.advance(0.0 if self._picked.is_any else _IN_FRAME)  # beside what is picked the faded ones can wait
        self._timer.start(_PAUSE)

    def _begin_front(self, layout: Layout, picked: Picked) -> None:
        """Start to draw what is picked, if it is not what there is; the strongest lines are in this frame."""
        if picked.query is not None and not picked.several:
            picked = Picked(picked.query)  # along a row its links stay, whatever the key
        picture, key = self._picture, (self._picture, layout, picked, self._theme.dark)
        if not picked.is_any or not picture.is_ready:
            self._front.stop()
        elif key != self._front.key:
            few = len(picture.weights) * picture.n_rows <= _FEW_LINES and not picked.several
            links = picture.links(layout, picked).strongest(_MOST_FOCUSED)
            parts = bands(links, _FRONT_BANDS)
            width = 2.0 if few else 0.0
            self._front.begin(key, drawn(picture, layout, self._theme, parts, self.devicePixelRatioF(), width=width))
            self._front.advance(0.0, until_seen=True)
            self._timer.start(_PAUSE)

    def paintEvent(self, _event: QPaintEvent) -> None:
        layout, picture = self.layout_now, self._picture
        if self._stale:
            self._begin(layout)
        painter = QPainter(self.viewport())
        if not picture.weights or not picture.n_rows:
            self._paint_hint(painter)
            return
        picked = self._picked.within(len(picture.queries), len(picture.keys))
        self._begin_front(layout, picked)
        painter.drawImage(0, 0, self._ground(layout, faded=picked.is_any))
        if self._front.image is not None:
            painter.drawImage(layout.lines.toAlignedRect().topLeft(), self._front.image)
        picture.paint_pointed(painter, layout, self._theme, picked)
        if picked.is_any:
            picture.paint_tokens(painter, layout, self._theme, picked, again=True)
        picture.paint_picked(painter, layout, self._theme, picked, behind=True)
        picture.paint_found(painter, layout, self._theme, self._found)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def _ground(self, layout: Layout, *, faded: bool) -> QImage:
        """All that does not follow the mouse: labels, legend, and the lines of all tokens. Kept: images laid on images take long."""
        sheet, lines = self._sheet(layout), self._lines.image
        of = self._ground_of
        if of[0] is not sheet or of[1] is not lines or of[2:] != (self._picture, self._footer, faded):
            ground = QImage(sheet)
            painter = QPainter(ground)
            if lines is not None:
                painter.setOpacity(_FADED if faded else 1.0)
                painter.drawImage(layout.lines.toAlignedRect().topLeft(), lines)
                painter.setOpacity(1.0)
            self._picture.paint_still(painter, layout, self._theme, self._footer)
            painter.end()
            self._ground_of, self._ground_image = (sheet, lines, self._picture, self._footer, faded), ground
        return self._ground_image

    def _sheet(self, layout: Layout) -> QImage:
        """The panel, and labels on it: hundreds of words, the same for every head of a text."""
        picture, ratio = self._picture, self.devicePixelRatioF()
        place = replace(layout, legend=())  # type: ignore[type-var]  # a dataclass; labels do not depend on the names of heads
        key = (place, picture.queries, picture.keys, self._theme.dark, ratio, type_style())
        if self._sheet_key != key:
            self._sheet_image = QImage(self.viewport().size() * ratio, QImage.Format.Format_RGB32)
            self._sheet_image.setDevicePixelRatio(ratio)
            self._sheet_image.fill(self._theme.color("panel"))
            painter = QPainter(self._sheet_image)
            picture.paint_tokens(painter, layout, self._theme)
            painter.end()
            self._sheet_key = key
        return self._sheet_image

    def _paint_hint(self, painter: QPainter) -> None:
        painter.fillRect(self.viewport().rect(), self._theme.color("panel"))
        painter.setFont(text_font())
        painter.setPen(self._theme.color("muted"))
        hint = self.tr("Lines from each token to those it attends to appear here.")
        box = self.viewport().rect().adjusted(4 * GRID, 0, -4 * GRID, 0)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), hint)

    # ---------------------------------------------------------------- mouse
    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(*self._picture.token_at(self.layout_now, event.position()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None, None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        layout = self.layout_now
        head = head_at(layout.legend, event.position())
        query, key = self._picture.token_at(layout, event.position())
        if head is not None:
            self.head_clicked.emit(head)
        elif query is None and key is None:
            self.released.emit()
        elif event.modifiers() & _CTRL:
            self.marked.emit(query, key)
        else:
            self.clicked.emit(query, key)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        head = head_at(self.layout_now.legend, event.position())
        if head is not None and event.button() == Qt.MouseButton.LeftButton:
            self.head_double_clicked.emit(head)

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._picture.sideways:  # a wheel turns up and down; the line lies along
            QCoreApplication.sendEvent(self.horizontalScrollBar(), event)
        else:
            super().wheelEvent(event)

    def _point_at(self, query: int | None, key: int | None) -> None:
        if (query, key) != self._hover:
            self._hover = (query, key)
            self.hovered.emit(query, key)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            QToolTip.showText(event.globalPos(), plain(self._tip(event.pos().toPointF())), self)
            return True
        return super().viewportEvent(event)

    def _tip(self, point: QPointF) -> str:
        layout = self.layout_now
        if head_at(layout.legend, point) is not None:
            return self.tr("Click to hide or show this head. Double-click to show it alone, again to show all.")
        query, key = self._picture.token_at(layout, point)
        axis, position = (self._picture.queries, query) if query is not None else (self._picture.keys, key)
        return "" if position is None else f"{axis.tokens[position].text} · {position}"

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.released.emit()
            self._point_at(None, None)
        elif key in _PIN and self._pointed != (None, None):
            (self.marked if event.modifiers() & _CTRL else self.clicked).emit(*self._pointed)
        elif key in _ALONG[self._picture.sideways] or key in _SIDES[self._picture.sideways]:
            self._move(_ALONG[self._picture.sideways].get(key, 0), _SIDES[self._picture.sideways].get(key))
        else:
            super().keyPressEvent(event)

    @property
    def _pointed(self) -> tuple[int | None, int | None]:
        return self._picked.query, self._picked.key

    def _move(self, step: int, to_left: bool | None) -> None:
        """Point at the next token, or, from nowhere, at the first in sight; or at the same token of the other side."""
        query, key = self._hover if self._hover != (None, None) else self._pointed
        left = to_left if to_left is not None else query is not None or key is None
        count = len(self._picture.queries if left else self._picture.keys)
        if not count:
            return
        at = query if query is not None else key
        row = self.layout_now.visible(count).start if at is None else at + step
        row = min(max(row, 0), count - 1)
        self.reveal(row)
        self._point_at(row if left else None, None if left else row)

    def reveal(self, row: int) -> None:
        """Scroll as little as needed to see a token."""
        bar = self._bar
        bar.setValue(bar.value() + round(self.layout_now.beyond(row)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        paint_in_turn(self, 0)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        paint_in_turn(self, 0)
