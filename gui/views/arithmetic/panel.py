"""ArithmeticPanel: where a cell's weight comes from, with the real numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from headscope.core.analyse.records.arithmetic_numbers import Arithmetic
from headscope.core.requests.cells import ArithmeticRequest
from headscope.core.vocabulary import Kind
from headscope.gui.lanes.answer import Answer
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.session import Session
from headscope.gui.views.arithmetic.figure import arithmetic_figure
from headscope.gui.views.arithmetic.settings import ArithmeticSettings
from headscope.gui.views.arithmetic.steps import Sentence, steps_of
from headscope.gui.views.arithmetic.widget import ArithmeticView
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.tall_area import TallArea
from headscope.gui.words.notices import refusal_of

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.gui.control.explorer import Explorer


class ArithmeticPanel(QWidget):
    """The arithmetic of the cell that is pinned, or else pointed at; when nothing is any more, the last one stays.

    Signals
    -------
    figure_changed
        Numbers have come that `figure` was without.
    """

    figure_changed = Signal()

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._cell: tuple[AttentionRecord, Kind, int, int] | None = None
        self.view = ArithmeticView()
        self.title = LineLabel(muted=True)
        self.sorted = QToolButton()
        self.sorted.setObjectName("flat")
        self.sorted.setCheckable(True)
        self.sorted.setText(self.tr("Largest first"))
        self.sorted.setToolTip(self.tr("Sort dimensions by the size of their product, to show how few make up the score"))
        self.sorted.toggled.connect(self._set_sorted)
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 8, 0)
        row.addWidget(self.title, 1)
        row.addWidget(self.sorted)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(TallArea(self.view), 1)
        self.setFocusProxy(self.view)
        self._answer = Answer[Arithmetic](explorer.questions, self)
        self._answer.came.connect(self._on_came)
        state.changed.connect(self._on_changed)
        self.view.set_theme(theme_of(state.dark))
        self._show_settings()
        self._show_hint()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask()

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.view.set_theme(theme_of(self._state.dark))
        if "views.arithmetic" in names:
            self._show_settings()
        if names & {"hover", "pinned", "head", "record", "kind"}:
            self._ask()

    @Slot(bool)
    def _set_sorted(self, largest_first: bool) -> None:
        self._state.set_view(ArithmeticSettings, largest_first=largest_first)

    def _show_settings(self) -> None:
        largest_first = self._state.view(ArithmeticSettings).largest_first
        with QSignalBlocker(self.sorted):
            self.sorted.setChecked(largest_first)
        self.view.set_sorted(largest_first)

    def _ask(self) -> None:
        if self.isVisible():
            self._follow()
        else:
            self._wanted()  # remembers the cell

    def _follow(self) -> None:
        wanted = self._wanted()
        if wanted is None:
            self._show_hint()
        else:
            self._answer.ask(wanted)

    def _wanted(self) -> ArithmeticRequest | None:
        """The cell in focus, or the one that was last, of the head that is looked at."""
        state, focus = self._state, self._state.focus
        if state.record is None:
            return None
        record, kind = state.record.of_weights, state.kind
        query, key = focus.query, focus.key
        if query is not None and key is not None and query < len(state.queries) and key < len(state.keys):
            self._cell = record, kind, query, key
        if self._cell is None or self._cell[:2] != (record, kind):
            return None
        return ArithmeticRequest(record, kind, *state.head, *self._cell[2:])

    @Slot()
    def _on_came(self) -> None:
        if self._answer.error is not None:
            self.title.set_text("")
            self.view.set_steps((Sentence(refusal_of(self._answer.error)),))
        elif self._answer.value is not None:
            self._show(self._answer.value)
        self.figure_changed.emit()

    def _show(self, answer: Arithmetic) -> None:
        state, cell = self._state, answer.cell
        if state.captured is None or state.record is None or cell.record is not state.record.of_weights:
            return  # the next answer is about the text that is shown now
        axes = state.captured.axis(cell.kind)
        self.title.set_text(self.tr("layer {layer} · head {head}").format(layer=cell.layer, head=cell.head))
        self.view.set_steps(steps_of(answer, axes.queries, axes.keys, cell.record.backend))

    def figure(self) -> PaintedFigure | None:
        """The steps that are shown, or would be if this were seen; None while there are none."""
        if not self.isVisible():
            self._follow()
        answer, state = self._answer.value, self._state
        if answer is None or not self._answer.is_current or state.captured is None or answer.cell.record is not state.record:
            return None
        axes = state.captured.axis(answer.cell.kind)
        return arithmetic_figure(answer, axes.queries, axes.keys, is_sorted=self.sorted.isChecked())

    def _show_hint(self) -> None:
        self._answer.drop()
        self.title.set_text("")
        hint = self.tr("Point at a cell of the heatmap, or click to pin it: every step of computing its weight appears here.")
        self.view.set_steps((Sentence(hint),))
