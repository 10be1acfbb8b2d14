"""PaletteList: lines with words, a quiet group and keys at the right; impossible ones are grey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPalette
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from headscope.gui.paint.theme import SMALL_SIZE, scaled, text_font
from headscope.gui.widgets.colors import colors_of
from headscope.gui.widgets.plain import plain

_HEIGHT, _MARGIN, _GAP = 30, 12, 16
_Index = QModelIndex | QPersistentModelIndex
_LINE: Final = Qt.ItemDataRole.UserRole


@dataclass(frozen=True, slots=True)
class Line:
    """What one line says."""

    words: str
    group: str
    keys: str
    hint: str
    enabled: bool


class PaletteList(QListView):
    """The lines; one is current, Enter and a click (`activated`, `clicked`) choose it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._lines = _Lines(self)
        self.setModel(self._lines)
        self.setItemDelegate(_Painter(self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(self.tr("Matches"))

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show these; the first is current."""
        self._lines.show_lines(tuple(lines))
        self.move_to(0)

    @property
    def row(self) -> int:
        """The current line; -1 if there is none."""
        return self.currentIndex().row()

    def move_to(self, row: int) -> None:
        """Make a line current; the ends hold."""
        count = self._lines.rowCount()
        self.setCurrentIndex(self._lines.index(min(max(row, 0), count - 1)) if count else QModelIndex())

    def sizeHint(self) -> QSize:
        return QSize(scaled(560), scaled(_HEIGHT) * 12)


class _Lines(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._all: tuple[Line, ...] = ()

    def show_lines(self, lines: tuple[Line, ...]) -> None:
        self.beginResetModel()
        self._all = lines
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's
        return 0 if parent.isValid() else len(self._all)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line = self._all[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return line.words
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(line.hint)
        if role == Qt.ItemDataRole.AccessibleDescriptionRole:
            return f"{line.group}. {line.keys} {line.hint}"
        return line if role == _LINE else None


class _Painter(QStyledItemDelegate):
    def sizeHint(self, _option: QStyleOptionViewItem, _index: _Index) -> QSize:
        return QSize(scaled(200), scaled(_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        line: Line = index.data(_LINE)
        colors, area = colors_of(option.widget), QRect(option.rect)
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, colors.color(QPalette.ColorRole.Midlight))
        area.adjust(_MARGIN, 0, -_MARGIN, 0)
        muted = colors.color(QPalette.ColorRole.PlaceholderText)
        words, small = text_font(), text_font(SMALL_SIZE)
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.setPen(muted)
        painter.setFont(small)
        aside = f"{line.group}    {line.keys}" if line.keys else line.group
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignRight, aside)
        area.setRight(area.right() - QFontMetrics(small).horizontalAdvance(aside) - _GAP)
        painter.setFont(words)
        painter.setPen(colors.color(QPalette.ColorRole.Text) if line.enabled else muted)
        shown = QFontMetrics(words).elidedText(line.words, Qt.TextElideMode.ElideRight, area.width())
        painter.drawText(area, middle | Qt.AlignmentFlag.AlignLeft, shown)
