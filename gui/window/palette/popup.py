"""Palette: a field over a list; type a part of anything, Enter does it."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QFrame, QLineEdit, QVBoxLayout, QWidget

from headscope.gui.context import Context
from headscope.gui.paint.theme import scaled
from headscope.gui.widgets.plain import Label
from headscope.gui.window.actions import Actions
from headscope.gui.window.palette.entries import Entry, entries_for
from headscope.gui.window.palette.list import Line, PaletteList

_TOP = 96
"""Pixels from the window's upper edge."""
_PAGE = 8


class Palette(QFrame):
    """Opens in the middle of the window's top; Esc, or a click elsewhere, closes it."""

    def __init__(self, context: Context, actions: Actions, window: QWidget) -> None:
        super().__init__(window, Qt.WindowType.Popup)
        self.setObjectName("palette")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setAccessibleName(self.tr("Find a command"))
        self._context = context
        self._actions = actions
        self._window = window
        self._entries: list[Entry] = []
        self.field = QLineEdit()
        self.field.setPlaceholderText(self.tr("A command, a head such as 1.3, a layout, an example, a model"))
        self.field.setAccessibleName(self.tr("Search"))
        self.field.setClearButtonEnabled(False)
        self.field.textChanged.connect(self._find)
        self.field.installEventFilter(self)
        self.list = PaletteList()
        self.list.clicked.connect(self._click)
        self.nothing = Label(self.tr("No match."))
        self.nothing.setObjectName("muted")
        self.hint = Label()
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.hint.setTextFormat(Qt.TextFormat.PlainText)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        for part in (self.field, self.nothing, self.list, self.hint):
            column.addWidget(part)
        self.list.selectionModel().currentChanged.connect(self._show_hint)
        self._find("")
        self.setFixedWidth(min(scaled(640), window.width() - 32))
        self.adjustSize()

    def open(self) -> None:
        """Show it, with the keyboard in the field."""
        corner = self._window.mapToGlobal(QPoint((self._window.width() - self.width()) // 2, 0))
        self.move(corner + QPoint(0, min(_TOP, max(0, self._window.height() - self.height()))))
        self.show()
        self.field.setFocus()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        """Up, Down and their kin move in the list while the cursor is in the field."""
        if event.type() != QEvent.Type.KeyPress or not isinstance(event, QKeyEvent):
            return False
        keys = Qt.Key
        by = {keys.Key_Down: 1, keys.Key_Up: -1, keys.Key_PageDown: _PAGE, keys.Key_PageUp: -_PAGE}
        key = keys(event.key())
        if key in by:
            self.list.move_to(self.list.row + by[key])
        elif key in {keys.Key_Return, keys.Key_Enter}:
            self._choose()
        elif key == keys.Key_Escape:
            self.close()
        else:
            return False
        return True

    @Slot(str)
    def _find(self, query: str) -> None:
        self._entries = entries_for(self._context, self._actions, query)
        self.list.set_lines([Line(entry.words, entry.group, entry.keys, entry.hint, entry.enabled) for entry in self._entries])
        self.nothing.setVisible(not self._entries)
        self._show_hint()

    @Slot()
    def _show_hint(self) -> None:
        entry = self._current()
        self.hint.setText(entry.hint if entry is not None else "")
        self.list.setAccessibleDescription(entry.words if entry is not None else "")

    def _current(self) -> Entry | None:
        return self._entries[self.list.row] if 0 <= self.list.row < len(self._entries) else None

    @Slot(QModelIndex)
    def _click(self, _index: QModelIndex) -> None:
        self._choose()

    def _choose(self) -> None:
        """Do it, once the palette is gone; what cannot be done now does nothing, and the palette stays."""
        entry = self._current()
        if entry is not None and entry.enabled:
            self.close()
            QTimer.singleShot(0, self._window, entry.do)
