"""LinkView: hover, pin and scroll a LinksPicture. Lines are drawn into an image in slices, so that nothing waits for them."""

from __future__ import annotations

import time
from collections.abc import Iterator

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QFocusEvent, QHelpEvent, QImage, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QToolTip, QWidget

from headscope.core.tokens import TokenAxis
from headscope.gui.paint.link_layout import LinksLayout
from headscope.gui.paint.link_lines import Links, bands, draw_lines, joined, links_of_head
from headscope.gui.paint.links import LinksPicture
from headscope.gui.paint.theme import GRID, Theme, text_font, theme_of

_SLICE = 0.008  # seconds of drawing between two events
_FADED = 0.15  # opacity of the other tokens' lines
_FEW_LINES = 32  # a token's lines, if there are no more, are drawn two pixels wide
_MOST_FOCUSED = 1000  # of a token's lines are drawn in one frame; the others could hardly be seen
_STEPS = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_SIDES = {Qt.Key.Key_Left: True, Qt.Key.Key_Right: False}
_PIN = {Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space}


class LinkView(QAbstractScrollArea):
    """Links between tokens.

    The mouse over a token shows that token's links alone and their weights as numbers; a click pins it. Up and Down move along
    the tokens, Left and Right change sides, Enter pins, Escape lets go.
    """

    hovered = Signal(object, object)
    """The query and the key under the mouse, each a position or None."""
    clicked = Signal(object, object)
    """The query and the key clicked."""
    released = Signal()
    """Escape, or a click beside the tokens: nothing shall be pinned."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._picture = LinksPicture({}, TokenAxis(()), TokenAxis(()))
        self._theme = theme_of(dark=False)
        self._whole = False
        self._focus: tuple[int | None, int | None] = (None, None)
        self._hover: tuple[int | None, int | None] = (None, None)
        self._image: QImage | None = None
        self._image_layout: LinksLayout | None = None
        self._sheet: QImage | None = None
        self._sheet_key: object = None
        self._links = joined([], 0)
        self._work: Iterator[None] | None = None
        self._stale = True
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._draw_on)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(self.tr("Links"))
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.viewport().setMouseTracking(True)
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.verticalScrollBar().valueChanged.connect(self._redraw)

    # ---------------------------------------------------------------- what is shown
    @property
    def picture(self) -> LinksPicture:
        """What is looked at."""
        return self._picture

    def set_picture(self, picture: LinksPicture) -> None:
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

    def set_focus(self, query: int | None, key: int | None) -> None:
        """Show one token's links."""
        if (query, key) != self._focus:
            self._focus = (query, key)
            self.viewport().update()

    @property
    def is_complete(self) -> bool:
        """Whether all lines are drawn."""
        return self._work is None and not self._stale

    @property
    def layout_now(self) -> LinksLayout:
        """Where everything lies in the viewport."""
        scroll = None if self._whole else float(self.verticalScrollBar().value())
        return self._picture.layout(QRectF(self.viewport().rect()), scroll)

    def sizeHint(self) -> QSize:
        return QSize(480, 480)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, 160)

    def _update_scroll_bar(self) -> None:
        layout = self.layout_now
        bar = self.verticalScrollBar()
        hidden = layout.rows.height * self._picture.n_rows - layout.clip.height()
        bar.setRange(0, max(0, round(hidden)) if layout.scrolled else 0)
        bar.setPageStep(round(layout.clip.height()))
        bar.setSingleStep(round(layout.rows.height))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._update_scroll_bar()
        self._redraw()

    # ---------------------------------------------------------------- drawing
    @Slot()
    def _redraw(self) -> None:
        self._stale = True
        self.viewport().update()

    def _begin(self, layout: LinksLayout) -> None:
        """Start to draw the lines anew, from within a frame; what can be drawn in a moment is in that one."""
        if layout != self._image_layout:
            self._image = None
        self._stale = False
        self._work = self._draw(layout)
        self._advance()

    @Slot()
    def _draw_on(self) -> None:
        """Draw some more, and show it in a frame of its own."""
        before = self._image
        self._advance()
        if self._image is not before:
            self.viewport().update()

    def _advance(self) -> None:
        end = time.perf_counter() + _SLICE
        for _ in self._work or ():
            if time.perf_counter() > end:
                self._timer.start()
                return
        self._work = None
        self._timer.stop()

    def _draw(self, layout: LinksLayout) -> Iterator[None]:
        """Choose the lines, then draw them, strongest first; pauses after every few milliseconds."""
        picture, blocks, parts = self._picture, self._picture.blocks(layout), []
        for number, matrix in enumerate(picture.weights.values()):
            parts.append(links_of_head(number, matrix, blocks, picture.threshold, picture.most))
            yield
        links = joined(parts, picture.most)
        above: QImage | None = None
        for band in bands(links):
            image = self._empty_image()
            painter = QPainter(image)
            try:
                yield from draw_lines(painter, band, layout.rows, layout.lines, picture.head_colors(self._theme), width=0)
                if above is not None:
                    painter.drawImage(0, 0, above)
            finally:
                painter.end()
            above = image
            self._publish(image, layout, links)
        if above is None:
            self._publish(self._empty_image(), layout, links)

    def _empty_image(self) -> QImage:
        ratio = self.devicePixelRatioF()
        image = QImage(self.viewport().size() * ratio, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(0)
        return image

    def _publish(self, image: QImage, layout: LinksLayout, links: Links) -> None:
        self._image, self._image_layout, self._links = image, layout, links

    def paintEvent(self, _event: QPaintEvent) -> None:
        layout = self.layout_now
        if self._stale:
            self._begin(layout)
        painter = QPainter(self.viewport())
        query, key = self._focus
        focused = query is not None or key is not None
        if not self._picture.weights or not self._picture.n_rows:
            self._paint_hint(painter)
            return
        if focused:
            painter.fillRect(self.viewport().rect(), self._theme.color("panel"))
        else:
            painter.drawImage(0, 0, self._sheet_with_labels(layout))
        if self._image is not None:
            painter.setOpacity(_FADED if focused else 1.0)
            painter.drawImage(0, 0, self._image)
            painter.setOpacity(1.0)
        if focused:
            few = len(self._picture.weights) * self._picture.n_rows <= _FEW_LINES
            links = self._picture.links(layout, query, key).strongest(_MOST_FOCUSED)
            self._picture.paint_lines(painter, layout, self._theme, links, width=2 if few else 0)
        self._picture.paint_frame(painter, layout, self._theme, self._links, only_query=query, only_key=key)
        if focused:
            self._picture.paint_tokens(painter, layout, self._theme, only_query=query, only_key=key)
        if self.hasFocus():
            painter.setPen(QPen(self._theme.color("accent"), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(self.viewport().rect().adjusted(0, 0, -1, -1))

    def _sheet_with_labels(self, layout: LinksLayout) -> QImage:
        """The ground and the labels on it: hundreds of words, the same for every head of a text."""
        picture, ratio = self._picture, self.devicePixelRatioF()
        key = (layout, picture.queries, picture.keys, self._theme.dark, ratio)
        if self._sheet is None or self._sheet_key != key:
            self._sheet = QImage(self.viewport().size() * ratio, QImage.Format.Format_RGB32)
            self._sheet.setDevicePixelRatio(ratio)
            self._sheet.fill(self._theme.color("panel"))
            painter = QPainter(self._sheet)
            picture.paint_tokens(painter, layout, self._theme)
            painter.end()
            self._sheet_key = key
        return self._sheet

    def _paint_hint(self, painter: QPainter) -> None:
        painter.fillRect(self.viewport().rect(), self._theme.color("panel"))
        painter.setFont(text_font())
        painter.setPen(self._theme.color("muted"))
        hint = self.tr("Here will be lines from each token to those it looks at.")
        box = self.viewport().rect().adjusted(4 * GRID, 0, -4 * GRID, 0)
        painter.drawText(box, int(Qt.AlignmentFlag.AlignCenter) | int(Qt.TextFlag.TextWordWrap), hint)

    # ---------------------------------------------------------------- mouse
    def _token_at(self, x: float, y: float) -> tuple[int | None, int | None]:
        layout = self.layout_now
        side = self._picture.side_at(layout, x)
        query = layout.row_at(y, len(self._picture.queries)) if side == "query" else None
        key = layout.row_at(y, len(self._picture.keys)) if side == "key" else None
        return query, key

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._point_at(*self._token_at(event.position().x(), event.position().y()))

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._point_at(None, None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() != Qt.MouseButton.LeftButton:
            return
        query, key = self._token_at(event.position().x(), event.position().y())
        if query is None and key is None:
            self.released.emit()
        else:
            self.clicked.emit(query, key)

    def _point_at(self, query: int | None, key: int | None) -> None:
        if (query, key) != self._hover:
            self._hover = (query, key)
            self.hovered.emit(query, key)

    def viewportEvent(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            query, key = self._token_at(event.pos().x(), event.pos().y())
            axis, position = (self._picture.queries, query) if query is not None else (self._picture.keys, key)
            text = "" if position is None else f"{axis.tokens[position].text} · {position}"
            QToolTip.showText(event.globalPos(), text, self)
            return True
        return super().viewportEvent(event)

    # ---------------------------------------------------------------- keys
    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key == Qt.Key.Key_Escape:
            self.released.emit()
            self._point_at(None, None)
        elif key in _PIN and self._focus != (None, None):
            self.clicked.emit(*self._focus)
        elif key in _STEPS or key in _SIDES:
            self._move(_STEPS.get(key, 0), _SIDES.get(key))
        else:
            super().keyPressEvent(event)

    def _move(self, step: int, to_left: bool | None) -> None:
        """Point at the next token, or, from nowhere, at the first in sight; or at the same row of the other side."""
        query, key = self._hover if self._hover != (None, None) else self._focus
        left = to_left if to_left is not None else query is not None or key is None
        count = len(self._picture.queries if left else self._picture.keys)
        at = query if query is not None else key
        row = self.layout_now.visible(count).start if at is None else at + step
        row = min(max(row, 0), count - 1)
        self.reveal(row)
        self._point_at(row if left else None, None if left else row)

    def reveal(self, row: int) -> None:
        """Scroll as little as needed to see a row."""
        layout = self.layout_now
        top = layout.rows.top + row * layout.rows.height
        low, high = top - layout.clip.top(), top + layout.rows.height - layout.clip.bottom()
        bar = self.verticalScrollBar()
        bar.setValue(bar.value() + round(min(low, 0) + max(high, 0)))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.viewport().update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.viewport().update()
