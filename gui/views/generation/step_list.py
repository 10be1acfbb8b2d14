"""StepList: tokens that a model chose one after the other, each with its probability and, under the mouse, its rivals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from PySide6.QtCore import (
    QAbstractListModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    QRectF,
    QSize,
    Qt,
    Signal,
    Slot,
)
from PySide6.QtGui import QKeyEvent, QPainter
from PySide6.QtWidgets import QFrame, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from headscope.core.predict.results import Candidate, FilterStage
from headscope.gui.paint.found import paint_found
from headscope.gui.paint.labels import text_width
from headscope.gui.paint.probability import paint_probability, readable_probability
from headscope.gui.paint.theme import GRID, TEXT_SIZE, Theme, scaled, theme_of
from headscope.gui.widgets.spoken import Spoken
from headscope.gui.widgets.turns import paint_in_turn
from headscope.gui.words.filter_words import told

ROW_HEIGHT = 6 * GRID
_MARGIN = 4 * GRID
_LABEL_SHARE = 0.4
_Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class Step:
    """A token that was chosen.

    Attributes
    ----------
    chosen : Candidate
        Its probability is the model's own.
    candidates : tuple of Candidate
        The most probable, first to last; the chosen one may be missing.
    drawn : float
        Its probability in what it was drawn from; 1 if it was not drawn.
    special : bool
    filters : tuple of FilterStage
        What was done to the distribution, if more than nothing.
    forced : bool
        Was the user's choice.
    """

    chosen: Candidate
    candidates: tuple[Candidate, ...]
    drawn: float = 1.0
    special: bool = False
    filters: tuple[FilterStage, ...] = ()
    forced: bool = False


class StepModel(QAbstractListModel):
    """The steps as rows."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.steps: tuple[Step, ...] = ()

    def set_steps(self, steps: tuple[Step, ...]) -> None:
        """Show these; rows that are shown already stay as they are when new ones come behind them."""
        old = len(self.steps)
        if len(steps) > old and steps[:old] == self.steps:
            self.beginInsertRows(QModelIndex(), old, len(steps) - 1)
            self.steps = steps
            self.endInsertRows()
        elif steps != self.steps:
            self.beginResetModel()
            self.steps = steps
            self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self.steps)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        step = self.steps[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{step.chosen.label}  {readable_probability(step.chosen.probability)}"
        if role == Qt.ItemDataRole.ToolTipRole:
            return self._rivals(step)
        return None

    def _rivals(self, step: Step) -> str:
        """The candidates of a step as a small table, the chosen one in bold; and what the filters did."""
        known = {candidate.id for candidate in step.candidates}
        after = step.filters[-1].probabilities if len(step.filters) > 1 else ()
        rows = [
            _table_row(candidate, after[place : place + 1], bold=candidate.id == step.chosen.id)
            for place, candidate in enumerate(step.candidates)
        ]
        if step.chosen.id not in known:
            rows.append(_table_row(step.chosen, (step.drawn,) if after else (), bold=True))
        notes = [self.tr("Chosen by you")] if step.forced else []
        if step.drawn < 1 and not step.forced:
            words = self.tr("{probability} after temperature and filters")
            notes.append(words.format(probability=readable_probability(step.drawn)))
        notes += [told(stage) for stage in step.filters[1:]]
        return f"<table cellspacing='3'>{''.join(rows)}</table>" + "".join(f"<p>{escape(note)}</p>" for note in notes)


def _table_row(candidate: Candidate, after: Sequence[float], *, bold: bool) -> str:
    label = escape(candidate.label).replace(" ", "&nbsp;")
    name = f"<b>{label}</b>" if bold else label
    numbers = [readable_probability(candidate.probability), *(f"→ {readable_probability(number)}" for number in after)]
    return f"<tr><td>{name}</td>" + "".join(f"<td align='right'>{escape(number)}</td>" for number in numbers) + "</tr>"


class _StepPainter(QStyledItemDelegate):
    """One row: the token, a bar, the number."""

    theme: Theme = theme_of(False)
    found: frozenset[int] = frozenset()

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(scaled(120), scaled(ROW_HEIGHT))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        model = index.model()
        assert isinstance(model, StepModel)
        step, theme, area = model.steps[index.row()], self.theme, QRectF(option.rect)
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        state = option.state
        if state & (QStyle.StateFlag.State_MouseOver | QStyle.StateFlag.State_Selected):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("soft"))
            painter.drawRoundedRect(area.adjusted(2 * GRID, 1, -2 * GRID, -1), 6, 6)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(theme.color("accent"))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(area.adjusted(2 * GRID + 0.5, 1.5, -2 * GRID - 0.5, -1.5), 6, 6)
        inner = area.adjusted(_MARGIN, 0, -_MARGIN, 0)
        self._paint_step(painter, inner, step)
        if index.row() in self.found:
            width = min(text_width(step.chosen.label, TEXT_SIZE) + GRID, inner.width() * _LABEL_SHARE)
            paint_found(painter, [QRectF(inner.left() - GRID / 2, inner.top() + 3, width, inner.height() - 6)], theme)
        painter.restore()

    def _paint_step(self, painter: QPainter, area: QRectF, step: Step) -> None:
        paint_probability(
            painter,
            area,
            self.theme,
            step.chosen.label,
            step.chosen.probability,
            label_width=area.width() * _LABEL_SHARE,
            bar_height=6,
            color=self.theme.color("muted") if step.special else None,
        )


class StepList(QListView):
    """A list that follows its end while it grows, unless it was scrolled away from it.

    Signals
    -------
    pointed(int)
        The mouse or the keyboard is at this row; -1: no longer at any.
    asked(int)
        A row was clicked, or Enter pressed on it.
    """

    pointed = Signal(int)
    asked = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName(self.tr("Generated tokens"))
        self._steps = StepModel(self)
        self._painter = _StepPainter(self)
        self.setModel(self._steps)
        self.setItemDelegate(self._painter)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.spoken = Spoken(self)
        self._follows = True
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._on_range_changed)
        self.entered.connect(self._on_entered)
        self.viewportEntered.connect(self._on_left)
        self.clicked.connect(self._on_asked)

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is shown."""
        return self._steps.steps

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self._painter.theme = theme
        paint_in_turn(self)

    def set_steps(self, steps: tuple[Step, ...]) -> None:
        """Show these steps."""
        self._steps.set_steps(steps)

    def set_found(self, rows: frozenset[int]) -> None:
        """Mark the tokens that were found in the text."""
        if rows != self._painter.found:
            self._painter.found = rows
            paint_in_turn(self)

    @property
    def found(self) -> frozenset[int]:
        """The rows that are marked."""
        return self._painter.found

    def reveal(self, row: int) -> None:
        """Bring a row into sight."""
        self.scrollTo(self._steps.index(row, 0))

    @Slot(int)
    def _on_scrolled(self, value: int) -> None:
        self._follows = value >= self.verticalScrollBar().maximum() - scaled(ROW_HEIGHT) // 2

    @Slot(int, int)
    def _on_range_changed(self, _least: int, most: int) -> None:
        """More rows, or less room."""
        if self._follows:
            self.verticalScrollBar().setValue(most)

    def currentChanged(self, current: _Index, previous: _Index) -> None:
        super().currentChanged(current, previous)
        if self.hasFocus():
            self.pointed.emit(current.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._on_asked(self.currentIndex())
        else:
            super().keyPressEvent(event)

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._on_left()

    @Slot(QModelIndex)
    def _on_entered(self, index: QModelIndex) -> None:
        words = index.data(Qt.ItemDataRole.AccessibleTextRole)
        self.spoken.say(lambda: words)
        self.pointed.emit(index.row())

    @Slot(QModelIndex)
    def _on_asked(self, index: QModelIndex) -> None:
        self.asked.emit(index.row())

    @Slot()
    def _on_left(self) -> None:
        self.pointed.emit(-1)
