"""StepDetail: one step of a generation or a filling: what else could have been chosen, and what each head looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from headscope.core.predict.results import FillStep, GenerationStep
from headscope.core.requests.tokens import StepRows, StepRowsRequest
from headscope.gui.lanes.answer import Answer
from headscope.gui.paint.lens_words import named
from headscope.gui.paint.theme import Theme
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.session.steps import Written, chosen, chosen_at, kind_of_rows, row_of
from headscope.gui.views.film_strip.alternatives import AlternativesList
from headscope.gui.views.film_strip.paint.alternatives import Alternative
from headscope.gui.views.film_strip.paint.step_rows import StepRowsPicture
from headscope.gui.views.film_strip.step_rows import StepRowsView
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.plain import plain
from headscope.gui.words.filter_words import told
from headscope.gui.words.notices import refusal_of

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_LEAST_FOR_CAPTIONS = 72
"""Pixels of height; in less there are the numbers alone."""


class StepDetail(QWidget):
    """A step; a click on an alternative goes on from here with it.

    Signals
    -------
    forked(int)
        The id of the token that was taken instead.
    left()
        The mouse has left the rows.
    """

    forked = Signal(int)
    left = Signal()

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._step: Written | None = None
        self._ids: tuple[int, ...] = ()
        self.choice = LineLabel(muted=True)
        self.alternatives = AlternativesList()
        self.alternatives.taken.connect(self._take)
        self.caption = LineLabel(muted=True)
        self.rows = StepRowsView()
        self.rows.pointed.connect(self._point_at)
        self.rows.chosen.connect(self._choose_head)
        grid = QGridLayout(self)
        grid.setContentsMargins(16, 0, 16, 2)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.setColumnStretch(0, 2)
        grid.setColumnStretch(1, 3)
        grid.setRowStretch(1, 1)
        grid.addWidget(self.choice, 0, 0)
        grid.addWidget(self.caption, 0, 1)
        grid.addWidget(self.alternatives, 1, 0)
        grid.addWidget(self.rows, 1, 1)
        self._answer = Answer[StepRows](explorer.questions, self)
        self._answer.came.connect(self._on_came)

    # ---------------------------------------------------------------- what is shown
    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self.alternatives.set_theme(theme)
        self.rows.set_theme(theme)

    def show_step(self, step: Written | None) -> None:
        """Show a step."""
        if step is not self._step:
            self._step = step
            self._ids, rows = _alternatives(step)
            self.alternatives.set_rows(rows, takes=False)
            filters = [told(stage) for stage in step.filters[1:]] if isinstance(step, GenerationStep) else []
            self.choice.setToolTip(plain("\n".join(filters)))
            self.choice.set_text(" · ".join(filters) or self.tr("Alternatives"))
        self.follow_state()

    def follow_state(self) -> None:
        """The head, the kind and the focus may have changed, and whether the model is free."""
        step, state = self._step, self._state
        can_fork = isinstance(step, GenerationStep) and step.generation is not None and state.busy is None
        self.alternatives.set_rows(self.alternatives.rows, takes=can_fork)
        if step is None:
            return
        position, _ = chosen_at(step)
        kind = kind_of_rows(step, state.kind)
        layer = min(step.record.kept_layers(kind), key=lambda kept: abs(kept - state.head[0]))
        self._answer.ask(StepRowsRequest(step.record.through(state.lens), kind, layer, position))
        key = state.focus.key
        piece = state.keys.pieces_of(key).start if key is not None and key < len(state.keys) and kind == state.kind else None
        self.rows.set_focus_on(state.head[1] if layer == state.head[0] else -1, piece)

    @Slot()
    def _on_came(self) -> None:
        answer = self._answer.value
        if self._answer.error is not None:
            self.rows.set_picture(None, 0)
            self.caption.set_text(refusal_of(self._answer.error))
        elif answer is not None:
            record = answer.request.record
            keys = record.axis(answer.request.kind).keys
            self.rows.set_picture(StepRowsPicture(answer.weights, keys, record.lens), answer.request.layer)
            words = self.tr("Attention in layer {layer}")
            self.caption.set_text(named(words.format(layer=answer.request.layer), record.lens))

    def sizeHint(self) -> QSize:
        return QSize(400, _LEAST_FOR_CAPTIONS)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for caption in (self.choice, self.caption):
            caption.setVisible(self.height() >= _LEAST_FOR_CAPTIONS)

    # ---------------------------------------------------------------- what the user does
    @Slot(int)
    def _take(self, row: int) -> None:
        self.forked.emit(self._ids[row])

    @Slot(object)
    def _point_at(self, key: int | None) -> None:
        """The same weight in the pictures."""
        state, step = self._state, self._step
        if key is None:
            self.left.emit()
        elif step is not None and kind_of_rows(step, state.kind) == state.kind:
            state.update(hover=Cell(row_of(step, state.kind, state.queries), state.keys.place_of(key)))

    @Slot(int)
    def _choose_head(self, head: int) -> None:
        if self._answer.request is not None:
            self._explorer.select_head((self._answer.request.layer, head))


def _alternatives(step: Written | None) -> tuple[tuple[int, ...], tuple[Alternative, ...]]:
    """The candidates of a step, their ids and how they are shown; what was chosen is among them even if others were likelier."""
    if step is None:
        return (), ()
    candidates, written = step.candidates, chosen(step)
    after: tuple[float, ...] = ()
    if isinstance(step, GenerationStep) and len(step.filters) > 1:
        after = step.filters[-1].probabilities
    rows = [
        Alternative(each.label, each.probability, after[place] if after else None, each.id == written.id)
        for place, each in enumerate(candidates)
    ]
    ids = tuple(each.id for each in candidates)
    if written.id not in ids:
        drawn = step.sampled_probability if after and not isinstance(step, FillStep) else None
        rows.append(Alternative(written.label, written.probability, drawn, True))
        ids = (*ids, written.id)
    return ids, tuple(rows)
