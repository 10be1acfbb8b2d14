"""TypefaceBox: one of hundreds of typefaces, found by typing any part of its name."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, Qt, QTimer, Slot
from PySide6.QtGui import QFocusEvent, QFont, QKeyEvent
from PySide6.QtWidgets import QComboBox, QCompleter, QLineEdit, QListView, QStyledItemDelegate, QStyleOptionViewItem

_ROOM = 22
"""Letters that the field has room for: the longest name must not make a dialog wide."""


class TypefaceBox(QComboBox):
    """A field with a list of families, each written in itself. Enter takes the first that fits; what is none does not stay.

    QFontComboBox would choose what is typed while it is being typed, and completes beginnings only.
    """

    def __init__(self, families: Iterable[str]) -> None:
        super().__init__()
        for family in families:
            self.addItem(family, family)
        self.setEditable(True)
        self.setInsertPolicy(QComboBox.InsertPolicy.NoInsert)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_ROOM)
        field, completer = self.lineEdit(), self.completer()
        assert isinstance(field, QLineEdit) and isinstance(completer, QCompleter)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        completer.setCompletionMode(QCompleter.CompletionMode.PopupCompletion)
        found = completer.popup()
        assert isinstance(found, QListView)
        found.setObjectName("completions")
        self._field, self._found = field, found
        written = _WrittenInItself(self)
        for list_ in (self.view(), found):
            assert isinstance(list_, QListView)
            list_.setUniformItemSizes(True)  # or all typefaces would be loaded to be measured
            list_.setItemDelegate(written)
        field.returnPressed.connect(self._take_first)
        field.editingFinished.connect(self._take_written)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not self._found.isVisible():
            event.accept()  # left alone, it would press a button of the dialog

    def focusInEvent(self, event: QFocusEvent) -> None:
        """A click into the field selects the name, so that another can be typed."""
        super().focusInEvent(event)
        if event.reason() == Qt.FocusReason.MouseFocusReason:
            QTimer.singleShot(0, self._field, self._field.selectAll)  # after the click, which sets the cursor

    @Slot()
    def _take_first(self) -> None:
        if self._place(Qt.MatchFlag.MatchFixedString) < 0:
            self._take(self._place(Qt.MatchFlag.MatchContains))

    @Slot()
    def _take_written(self) -> None:
        self._take(self._place(Qt.MatchFlag.MatchFixedString))
        self.setEditText(self.itemText(self.currentIndex()))

    def _place(self, how: Qt.MatchFlag) -> int:
        """Of the first family that what is written fits, or -1."""
        text = self._field.text()
        return self.findText(text, how) if text else -1

    def _take(self, at: int) -> None:
        if at not in (-1, self.currentIndex()):
            self.setCurrentIndex(at)
            self.activated.emit(at)


class _WrittenInItself(QStyledItemDelegate):
    def initStyleOption(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        super().initStyleOption(option, index)
        font = QFont(option.font)
        font.setFamilies([str(index.data()), *font.families()])
        option.font = font
