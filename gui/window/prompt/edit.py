"""PromptEdit: a text field that grows with its text, runs on Enter, and strikes out what did not fit the model."""

from __future__ import annotations

from PySide6.QtCore import QMimeData, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QResizeEvent, QTextCharFormat, QTextCursor, QTextOption
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QTextEdit, QWidget

from headscope.gui.paint.theme import Theme, theme_of

_MOST_LINES = 4
_AROUND = 8  # pixels above and below the lines together
_MOST_WRAPPED = 50_000
"""Characters. Wrapping a longer paragraph would take longer than a frame at each key press."""
_ENTER = {Qt.Key.Key_Return, Qt.Key.Key_Enter}


class PromptEdit(QPlainTextEdit):
    """Text of any length. Enter asks to run it, Shift+Enter begins a new line.

    Signals
    -------
    edited(str)
        The user changed the text (a program's change is silent).
    submitted
        Enter.
    """

    edited = Signal(str)
    submitted = Signal()

    def __init__(self, placeholder: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme_of(False)
        self._shown = ""
        self._dropped_from: int | None = None
        self._by_program = False
        self._grows = False
        self._lines = 1  # that it is high
        self._held = False
        self.setObjectName("prompt")
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setTabChangesFocus(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.document().setDocumentMargin(2)
        self.textChanged.connect(self._on_text_changed)

    def set_placeholder(self, words: str) -> None:
        """Say what belongs into the field."""
        self.setPlaceholderText(words)
        self.setAccessibleName(words)

    def set_text(self, text: str) -> None:
        """Show `text`; the cursor and the history of edits stay, as only what differs is replaced."""
        if text == self._shown:
            return
        old = self.toPlainText()
        before = _common(old, text)
        after = min(_common(old[::-1], text[::-1]), min(len(old), len(text)) - before)
        cursor = QTextCursor(self.document())
        cursor.setPosition(_utf16(old[:before]))
        cursor.setPosition(_utf16(old[: len(old) - after]), QTextCursor.MoveMode.KeepAnchor)
        self._by_program = True
        self._wrap(max(len(text), self.document().characterCount()))
        cursor.beginEditBlock()  # a step of its own for undo, not one with what was typed before it
        cursor.insertText(text[before : len(text) - after])
        cursor.endEditBlock()
        self._by_program = False
        self._shown = text

    def mark_dropped(self, start: int | None) -> None:
        """Strike out the text from this character on: it did not fit the model. None: all of it fitted."""
        if start != self._dropped_from:
            self._dropped_from = start
            self._show_dropped()

    def set_theme(self, theme: Theme) -> None:
        """Mark in other colours."""
        self._theme = theme
        self._show_dropped()

    def _show_dropped(self) -> None:
        marks = []
        if self._dropped_from is not None:
            mark = QTextEdit.ExtraSelection()
            style = QTextCharFormat()
            style.setFontStrikeOut(True)
            style.setForeground(self._theme.color("muted"))
            mark.format = style
            cursor = QTextCursor(self.document())
            cursor.setPosition(min(_utf16(self._shown[: self._dropped_from]), self.document().characterCount() - 1))
            cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
            mark.cursor = cursor
            marks.append(mark)
        self.setExtraSelections(marks)

    # ---------------------------------------------------------------- editing
    @Slot()
    def _on_text_changed(self) -> None:
        self._wrap(self.document().characterCount())
        self._grow()
        if not self._by_program:
            self.mark_dropped(None)
            self._shown = self.toPlainText()
            self.edited.emit(self._shown)

    def _wrap(self, length: int) -> None:
        """Wrap a text of so many characters, or not. Before a long one comes: after it, Qt would lay it out twice more."""
        wraps = length <= _MOST_WRAPPED
        if wraps != (self.lineWrapMode() == QPlainTextEdit.LineWrapMode.WidgetWidth):
            self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth if wraps else QPlainTextEdit.LineWrapMode.NoWrap)
            self.setHorizontalScrollBarPolicy(
                Qt.ScrollBarPolicy.ScrollBarAlwaysOff if wraps else Qt.ScrollBarPolicy.ScrollBarAsNeeded
            )
            self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.submitted.emit()
        else:
            super().keyPressEvent(event)

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        """Files that are dropped here are the window's."""
        return not source.hasUrls() and super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        """Paste text as text, whatever else the clipboard holds."""
        if source.hasText():
            self._wrap(max(len(source.text()), self.document().characterCount()))
            self.insertPlainText(source.text())

    # ---------------------------------------------------------------- as high as its text
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._grow()

    def _grow(self) -> None:
        if self._grows:  # a bar that comes or goes resizes the field again, from within
            return
        self._grows = True
        if not self._held:
            self._lines = min(self._n_lines, _MOST_LINES)
        scrolls = self._n_lines > self._lines and self._has_room_for_bar
        self.setVerticalScrollBarPolicy(
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if scrolls else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        self._grows = False
        if self._held or self._n_lines <= self._lines:  # the bar counts lines, and lets one scroll past the last of them
            self.verticalScrollBar().setValue(self._n_lines - self._lines)
        if self.height() != self.sizeHint().height():
            self.updateGeometry()

    def set_held(self, held: bool) -> None:
        """Stay as high as it is while something is written, whatever comes: the newest line is in sight."""
        if held != self._held:
            self._held = held
            self._grow()

    def sizeHint(self) -> QSize:
        return QSize(400, self._lines * self.fontMetrics().lineSpacing() + _AROUND)

    @property
    def _has_room_for_bar(self) -> bool:
        """Where a bar takes all the room Qt wraps no more: there would be one line, so no bar, so many lines, without an end."""
        bar = self.verticalScrollBar()
        room = self.viewport().width() + (bar.width() if bar.isVisible() else 0)
        return room - bar.sizeHint().width() - 2 * self.document().documentMargin() >= self.fontMetrics().averageCharWidth()

    @property
    def _n_lines(self) -> int:
        return max(1, round(self.document().size().height()))  # a plain text's height counts lines

    def minimumSizeHint(self) -> QSize:
        return QSize(120, self.sizeHint().height())


def _common(one: str, other: str) -> int:
    """How many characters both begin with; by halves, for comparing slices is a thousand times faster than characters."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[low:middle] == other[low:middle] else (low, middle - 1)
    return low


def _utf16(text: str) -> int:
    """The length of `text` as Qt counts it: characters beyond the first plane count twice."""
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2
