"""PredictionsPanel: what the model would put at each mask, or next; a click puts it into the sentence."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from headscope.core.forward.model_info import why_no_prediction
from headscope.core.predict.live_filters import Filtered
from headscope.core.predict.results import MOST_WHOLE, Prediction
from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import Theme, theme_of
from headscope.gui.session.chosen_tokens import cell_of, pieces_in_focus
from headscope.gui.session.comparison import predicted_axis
from headscope.gui.session.outcome import Outcome
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.predictions.class_views import ClassViews
from headscope.gui.views.predictions.figure import predicted_groups, predictions_figure
from headscope.gui.views.predictions.filters_panel import SamplingFilters
from headscope.gui.views.predictions.rows import Row, compared_rows, filtered_rows, plain_rows
from headscope.gui.views.predictions.words import follows_heading, heading_of
from headscope.gui.widgets.plain import Label
from headscope.gui.widgets.probability_bars import Bar, ProbabilityBars
from headscope.gui.widgets.tall_area import TallArea
from headscope.gui.words.notices import notice_of

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_MOST_BLOCKS = MOST_WHOLE
"""Predictions shown at once: a text with hundreds of masks would fill the panel with thousands of rows."""
_SHOWN = {
    "predictions",
    "before",
    "reference_kept",
    "next_sentence",
    "model",
    "captured",
    "sampling",
    "rules_off",
    "outcome",
    "units",
    "views.predictions",
}


class PredictionBlock(QWidget):
    """A heading and the candidates of one position."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.heading = QPushButton()
        self.heading.setObjectName("link")
        self.heading.setFlat(True)
        self.heading.setSizePolicy(
            QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed
        )  # bars need the width, words may be cut
        self.bars = ProbabilityBars()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(2)
        column.addWidget(self.heading)
        column.addWidget(self.bars)
        self.prediction: Prediction | None = None
        self.rows: list[Row] = []

    def show_prediction(self, prediction: Prediction, heading: str, rows: list[Row]) -> None:
        """Fill the block."""
        self.prediction, self.rows = prediction, rows
        self.heading.setText(heading)
        self.bars.set_fitting(prediction.kind != "token")
        self.bars.set_bars([row.bar for row in rows])


class PredictionsPanel(QWidget):
    """The predictions of the run that is shown, beside those before an edit, or what sampling filters leave of them."""

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._is_due = True
        self.blocks: list[PredictionBlock] = []
        self.hint = Label()
        self.caption = Label()
        for words in (self.hint, self.caption):
            words.setObjectName("muted")
            words.setWordWrap(True)
            words.setContentsMargins(16, 4, 16, 8)
        self.follows_label = Label(follows_heading())
        self.follows_label.setContentsMargins(16, 4, 16, 0)
        self.follows = ProbabilityBars(clickable=False)
        self.class_views = ClassViews(state)
        self.filters = SamplingFilters(state)
        self.keep = QPushButton()
        self.keep.setObjectName("flat")
        self.keep.setCheckable(True)
        self.keep.setToolTip(self.tr("Compare later runs with these predictions instead of with the previous run"))
        self.keep.clicked.connect(explorer.sources.keep)
        self._arrange()
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "predictions"}))

    def _arrange(self) -> None:
        self._buttons = QWidget()
        buttons = QHBoxLayout(self._buttons)
        buttons.setContentsMargins(12, 0, 12, 0)
        buttons.addWidget(self.filters.asked)
        buttons.addStretch(1)
        buttons.addWidget(self.keep)
        inner = QWidget()
        self._column = QVBoxLayout(inner)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        told, views = self.filters.told, self.class_views
        above, below = (self._buttons, self.filters, views, told), (self.hint, views.tags, self.caption)
        for part in (*above, *below, self.follows_label, self.follows):
            self._column.addWidget(part)
        self._column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 4)
        outer.addWidget(TallArea(inner))

    # ---------------------------------------------------------------- what is shown
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & _SHOWN or ("pinned" in names and self._is_tagged):
            self._show()
        if "dark" in names:
            self._set_theme(theme_of(self._state.dark))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._is_due:
            self._show()

    def _set_theme(self, theme: Theme) -> None:
        self.follows.set_theme(theme)
        self.class_views.set_theme(theme)
        for block in self.blocks:
            block.bars.set_theme(theme)

    @Slot()
    def _show(self) -> None:
        self._is_due = not self.isVisible()
        state, shown = self._state, self._blocked()
        if self._is_due:
            return
        while len(self.blocks) < len(shown):
            self._add_block()
        for block in self.blocks[len(shown) :]:
            block.hide()
        filtered = self._filtered(shown)
        for block, prediction in zip(self.blocks, shown, strict=False):
            rows = self._rows(prediction, filtered)
            block.show_prediction(prediction, self._heading(prediction, one_of=len(shown)), rows)
            block.show()
        follows = state.next_sentence
        self.follows_label.setVisible(follows is not None)
        self.follows.setVisible(follows is not None)
        self.follows.set_bars([] if follows is None else [Bar(self.tr("yes"), follows), Bar(self.tr("no"), 1 - follows)])
        self.class_views.show_predictions()
        self._say(self.hint, self._hint(len(state.predictions)))
        outlined = any(bar.ghost is not None for block in self.blocks if not block.isHidden() for bar in block.bars.bars)
        self._say(self.caption, self._caption(filtered is not None, outlined=outlined))
        self.keep.setChecked(state.reference_kept)
        self.keep.setText(self.tr("Clear reference") if state.reference_kept else self.tr("Keep as reference"))
        self.keep.setVisible(state.reference_kept or bool(state.predictions))
        self._buttons.setVisible(not (self.keep.isHidden() and self.filters.asked.isHidden()))

    def figure(self) -> PaintedFigure | None:
        """What is predicted, as it is shown, also while nobody sees this; None while nothing is."""
        state, shown = self._state, self._blocked()
        filtered = self._filtered(shown)
        blocks = [(self._heading(each, one_of=len(shown)), self._rows(each, filtered)) for each in shown]
        tags = [each for each in state.predictions if each.kind == "tag"]
        answers = () if state.run is None else state.run.answers
        groups = predicted_groups(blocks, tags, answers, state.next_sentence, self._axis)
        outlined = any(row.bar.ghost is not None for _, rows in blocks for row in rows)
        return predictions_figure(groups, self._caption(filtered is not None, outlined=outlined))

    def _say(self, label: QLabel, words: str) -> None:
        label.setText(words)
        label.setVisible(bool(words))

    def _filtered(self, shown: tuple[Prediction, ...]) -> Filtered | None:
        """What filters leave of the next token's prediction; None for masks, which are not drawn."""
        axis = self._axis
        following = shown[0] if len(shown) == 1 and shown[0].position >= len(axis) else None
        return self.filters.show_prediction(following, axis)

    def _rows(self, prediction: Prediction, filtered: Filtered | None) -> list[Row]:
        if filtered is not None:
            return filtered_rows(prediction, filtered.stages)
        before = {each.place: each for each in self._state.before}.get(prediction.place)
        rows = plain_rows(prediction) if before is None else compared_rows(prediction, before)
        chosen = self._state.outcome
        if chosen is None or chosen.place != prediction.place:
            return rows
        return [replace(row, bar=replace(row.bar, chosen=row.candidate.id == chosen.id)) for row in rows]

    @property
    def _is_tagged(self) -> bool:
        return any(prediction.kind == "tag" for prediction in self._state.predictions[:1])

    def _blocked(self) -> tuple[Prediction, ...]:
        """The predictions that have bars of their own: of a tagger that of the pinned token."""
        state = self._state
        if not self._is_tagged:
            return state.predictions[:_MOST_BLOCKS]
        pinned = pieces_in_focus(state, self._axis) if state.pinned != Cell() else frozenset()
        at = state.outcome.place[1] if state.outcome is not None else min(pinned, default=None)
        return tuple(prediction for prediction in state.predictions if prediction.position == at)

    def _add_block(self) -> None:
        block = PredictionBlock()
        block.bars.set_theme(theme_of(self._state.dark))
        block.bars.chosen.connect(partial(self._use, block))
        block.heading.clicked.connect(partial(self._point_at, block))
        self._column.insertWidget(self._column.indexOf(self.filters.told), block)
        self.blocks.append(block)

    # ---------------------------------------------------------------- in words
    @property
    def _axis(self) -> TokenAxis:
        """The model's own tokens on the side that it predicts."""
        state = self._state
        return TokenAxis(()) if state.captured is None else predicted_axis(state.captured, state.model)

    def _heading(self, prediction: Prediction, *, one_of: int) -> str:
        mask = self._state.model.mask_token if self._state.model is not None else None
        return heading_of(prediction, self._axis, mask or "", one_of=one_of)

    def _hint(self, count: int) -> str:
        """What to do when there is nothing to see."""
        model = self._state.model
        if model is None or self._state.record is None:
            return self.tr("Predictions appear after the first run.")
        if self._is_tagged:
            return "" if self._blocked() else self.tr("Click a token for all its tags.")
        if count > _MOST_BLOCKS:
            return self.tr("Only the first {shown} of {count} masks are shown.").format(shown=_MOST_BLOCKS, count=count)
        if count:
            return ""
        if "fill_mask" in model.abilities:
            return self.tr("Click a token above to mask it: the model predicts what it was.")
        if self._state.next_sentence is not None:
            return ""
        if "answer" in model.abilities:
            return self.tr("Add the context as the second text above: the answer is searched for in it.")
        return notice_of(why_no_prediction(model)).message

    def _caption(self, filtering: bool, *, outlined: bool) -> str:
        """What the outlines are."""
        if filtering:
            return self.tr("Filled: after the filters. Outlined: before them.")
        return "\n".join(words for words in (self._about_classes(), self._about_outlines() if outlined else "") if words)

    def _about_classes(self) -> str:
        """How many labels there are beside those shown, and what a number is."""
        model, first = self._state.model, next(iter(self._state.predictions), None)
        if model is None or first is None or first.kind != "class":
            return ""
        if first.link == "identity":
            return self.tr("Regression outputs: unit and range are those of the training data.")
        if len(first.candidates) < len(model.labels):
            words = self.tr("The {shown} most probable of {count} labels.")
            return words.format(shown=len(first.candidates), count=len(model.labels))
        return ""

    def _about_outlines(self) -> str:
        what = self.tr("the reference") if self._state.reference_kept else self.tr("the previous run")
        return self.tr("Outlined: {what}. Last number: change in log-probability (natural).").format(what=what)

    # ---------------------------------------------------------------- what the user does
    def _use(self, block: PredictionBlock, row: int) -> None:
        prediction = block.prediction
        if prediction is None or row >= len(block.rows):
            return
        candidate = block.rows[row].candidate
        if prediction.kind == "token":
            self._explorer.editing.use_candidate(prediction, candidate)
            return
        chosen = Outcome(prediction.place, candidate.id)
        self._state.update(outcome=None if chosen == self._state.outcome else chosen)
        if prediction.kind in ("start", "end"):
            self._state.update(pinned=cell_of(self._state, self._axis, candidate.id))

    def _point_at(self, block: PredictionBlock, _checked: bool = False) -> None:
        """Pin the row of the position in the pictures."""
        state, prediction = self._state, block.prediction
        if prediction is None or state.captured is None or state.captured.axis(state.kind).queries is not self._axis:
            return
        place = state.queries.place_of(prediction.position)
        if place is not None:
            state.pin(Cell(query=place))
