"""AlternativesList: what else could have been chosen at a step; one can be taken by mouse or keyboard."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from headscope.gui.paint.theme import GRID, Theme, scaled, theme_of
from headscope.gui.views.film_strip.paint.alternatives import Alternative, paint_alternative
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.spoken import Spoken

ROW_HEIGHT = 6 * GRID
_Index = QModelIndex | QPersistentModelIndex


class _Rows(QAbstractListModel):
    """The alternatives as rows; what was chosen cannot be chosen."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: tuple[Alternative, ...] = ()
        self.takes = False

    def show_rows(self, rows: tuple[Alternative, ...], *, takes: bool) -> None:
        self.beginResetModel()
        self.rows, self.takes = rows, takes
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.rows)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        row = self.rows[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{row.label}  {row.numbers}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return plain(self._about(row))
        return None

    def flags(self, index: _Index) -> Qt.ItemFlag:
        usual = super().flags(index)
        return usual if self.takes and not self.rows[index.row()].chosen else usual & ~Qt.ItemFlag.ItemIsSelectable

    def _about(self, row: Alternative) -> str:
        if row.chosen:
            return self.tr("{token}: the chosen token").format(token=row.label)
        if not self.takes:
            return row.label
        return self.tr("{token}: click to continue from here with this token, as a new branch").format(token=row.label)


class _Painter(QStyledItemDelegate):
    """One row."""

    theme: Theme = theme_of(False)

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(100, scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        rows = index.model()
        assert isinstance(rows, _Rows)
        area, state = QRectF(option.rect), option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        can_be_taken = bool(rows.flags(index) & Qt.ItemFlag.ItemIsSelectable)
        if state & QStyle.StateFlag.State_MouseOver and can_be_taken:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color("soft"))
            painter.drawRoundedRect(area.adjusted(0, 1, 0, -1), 6, 6)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(self.theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(0.5, 1.5, -0.5, -1.5), 6, 6)
        paint_alternative(painter, area.adjusted(GRID, 0, -2 * GRID, 0), self.theme, rows.rows[index.row()])
        painter.restore()


class AlternativesList(QListView):
    """Candidates, most probable first.

    Signals
    -------
    taken(int)
        A row that was not chosen was clicked, or Enter pressed on it.
    """

    taken = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = _Rows(self)
        self._painter = _Painter(self)
        self.setModel(self._rows)
        self.setItemDelegate(self._painter)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(self.tr("Alternatives"))
        self.spoken = Spoken(self)
        self.entered.connect(self._say)
        self.clicked.connect(self._take)

    def minimumSizeHint(self) -> QSize:
        return QSize(124, 4 * GRID)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._painter.theme = theme
        self.viewport().update()

    def set_rows(self, rows: tuple[Alternative, ...], *, takes: bool) -> None:
        """Show these; `takes` tells whether one can be taken."""
        if (rows, takes) != (self._rows.rows, self._rows.takes):
            self._rows.show_rows(rows, takes=takes)

    @property
    def rows(self) -> tuple[Alternative, ...]:
        """What is shown."""
        return self._rows.rows

    @Slot(QModelIndex)
    def _say(self, index: QModelIndex) -> None:
        words = index.data(Qt.ItemDataRole.AccessibleTextRole)
        self.spoken.say(lambda: words)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space) and self.currentIndex().isValid():
            self._take(self.currentIndex())
        else:
            super().keyPressEvent(event)

    @Slot(QModelIndex)
    def _take(self, index: QModelIndex) -> None:
        if self._rows.flags(index) & Qt.ItemFlag.ItemIsSelectable:
            self.taken.emit(index.row())
