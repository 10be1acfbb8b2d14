"""ClassViews: what a tagger says of each token, and where a question's answer is; parts of the predictions panel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from headscope.core.predict.results import Prediction
from headscope.core.target import Answer
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray
from headscope.gui.session.chosen_tokens import cell_of, pieces_in_focus
from headscope.gui.session.comparison import predicted_axis
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.predictions.rows import answer_bars, tag_rows
from headscope.gui.views.predictions.span_strip import SpanStrip
from headscope.gui.views.predictions.tag_list import TagList
from headscope.gui.views.predictions.words import answers_heading, no_answer
from headscope.gui.widgets.plain import Label
from headscope.gui.widgets.probability_bars import ProbabilityBars

if TYPE_CHECKING:
    from headscope.gui.paint.theme import Theme

_FOCUS = frozenset({"hover", "pinned", "kind", "queries", "keys", "captured"})


class ClassViews(QWidget):
    """Answers, and `tags`, a list for the panel to place. Pointing at a token lights it up everywhere, a click pins it."""

    def __init__(self, state: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._context = range(0)
        self.tags = TagList()
        self.tags.hovered.connect(self._hover_tag)
        self.tags.chosen.connect(self._choose_tag)
        self.answers_label = Label(answers_heading())
        self.answers_label.setContentsMargins(16, 4, 16, 0)
        self.answers = ProbabilityBars()
        self.answers.set_fitting(True)
        self.answers.chosen.connect(self._choose_answer)
        self.strip = SpanStrip()
        self.strip.hovered.connect(self._hover_strip)
        self.strip.chosen.connect(self._pin_strip)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(2)
        for part in (self.answers_label, self.answers, self.strip):
            column.addWidget(part)
        state.changed.connect(self._on_changed)

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        for part in (self.tags, self.answers, self.strip):
            part.set_theme(theme)

    def show_predictions(self) -> None:
        """Follow the state."""
        state = self._state
        tags = [prediction for prediction in state.predictions if prediction.kind == "tag"]
        own = self._axis
        self.tags.set_rows(tag_rows(tags, state.before, own, self._units(own)))
        self.tags.setVisible(bool(tags))
        self.answers.set_bars(answer_bars(self._answers, no_answer()))
        ends = {each.kind: each for each in state.predictions if each.kind in ("start", "end")}
        has_answers = len(ends) == 2
        for part in (self.answers_label, self.answers, self.strip):
            part.setVisible(has_answers)
        if has_answers:
            self._show_ends(ends["start"], ends["end"], own)
        self.setVisible(has_answers)
        self._show_focus()

    def _show_ends(self, start: Prediction, end: Prediction, axis: TokenAxis) -> None:
        context = [at for at, token in enumerate(axis.tokens) if token.segment == 1 and not token.special]
        self._context = range(context[0], context[-1] + 1) if context else range(0)
        self.strip.set_ends(self._along(start), self._along(end), (self.tr("start"), self.tr("end")))

    def _along(self, prediction: Prediction) -> FloatArray:
        """Probabilities along the second text; logits of an answer's ends are log-probabilities."""
        assert prediction.logits is not None, "classes always have them"
        return np.exp(prediction.logits[self._context.start : self._context.stop])

    @property
    def _answers(self) -> tuple[Answer, ...]:
        run = self._state.run
        return () if run is None else run.answers

    @property
    def _axis(self) -> TokenAxis:
        state = self._state
        return TokenAxis(()) if state.captured is None else predicted_axis(state.captured, state.model)

    def _units(self, own: TokenAxis) -> TokenAxis:
        """Words where words are shown; sentences have no tags."""
        state = self._state
        is_shown = state.captured is not None and state.captured.axis(state.kind).queries is own
        return state.queries if is_shown and state.units.of in ("tokens", "words") else own

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        is_seen = self.isVisible() or self.tags.isVisible()
        if names & {"units", "queries"} and is_seen:
            self.show_predictions()
        elif names & _FOCUS and is_seen:
            self._show_focus()

    def _show_focus(self) -> None:
        lit = pieces_in_focus(self._state, self._axis)
        self.tags.set_lit(frozenset(at for at, row in enumerate(self.tags.rows) if row.position in lit))
        self.strip.set_lit(frozenset(at - self._context.start for at in lit if at in self._context))

    # ---------------------------------------------------------------- what the user does
    @Slot(object)
    def _hover_tag(self, row: int | None) -> None:
        self._hover(None if row is None else self.tags.rows[row].position)

    @Slot(object)
    def _hover_strip(self, token: int | None) -> None:
        self._hover(None if token is None else self._context[token])

    def _hover(self, position: int | None) -> None:
        self._state.update(hover=cell_of(self._state, self._axis, position))

    @Slot(int)
    def _choose_tag(self, row: int) -> None:
        self._state.update(outcome=None)
        self._state.pin(cell_of(self._state, self._axis, self.tags.rows[row].position))

    @Slot(int)
    def _pin_strip(self, token: int) -> None:
        self._state.pin(cell_of(self._state, self._axis, self._context[token]))

    @Slot(int)
    def _choose_answer(self, row: int) -> None:
        """Pick its tokens out in all views, or let them go if they are picked out."""
        answer = self._answers[row]
        cells = [cell_of(self._state, self._axis, at) for at in range(answer.start, answer.end + 1)]
        queries = tuple(dict.fromkeys(cell.query for cell in cells if cell.query is not None))
        keys = tuple(dict.fromkeys(cell.key for cell in cells if cell.key is not None))
        marks = Marks(queries, keys)
        self._state.update(marks=Marks() if marks == self._state.marks else marks, pinned=Cell())
