"""PredictionsPanel: what the model would put at each mask, or next; a click puts it into the sentence."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QFrame, QLabel, QPushButton, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from headscope.core.results import Prediction
from headscope.gui.paint.theme import Theme, theme_of
from headscope.gui.state import Cell, ExplorerState
from headscope.gui.widgets.probability_bars import Bar, ProbabilityBars

if TYPE_CHECKING:
    from headscope.gui.explorer import Explorer

_MOST_BLOCKS = 24
"""Predictions shown at once: a text with hundreds of masks would fill the panel with thousands of rows."""


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

    def show_prediction(self, prediction: Prediction, heading: str) -> None:
        """Fill the block."""
        self.prediction = prediction
        self.heading.setText(heading)
        self.bars.set_bars([Bar(candidate.label, candidate.probability) for candidate in prediction.candidates])


class PredictionsPanel(QWidget):
    """The predictions of the run that is shown."""

    def __init__(self, state: ExplorerState, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self.blocks: list[PredictionBlock] = []
        self.hint = QLabel()
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.hint.setContentsMargins(16, 4, 16, 8)
        self.follows_label = QLabel(self.tr("Second sentence follows"))
        self.follows_label.setContentsMargins(16, 4, 16, 0)
        self.follows = ProbabilityBars(clickable=False)
        self._column = QVBoxLayout()
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(self.hint)
        self._column.addWidget(self.follows_label)
        self._column.addWidget(self.follows)
        self._column.addStretch(1)
        inner = QWidget()
        inner.setLayout(self._column)
        scroll = QScrollArea()
        scroll.setFrameShape(QFrame.Shape.NoFrame)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 4)
        outer.addWidget(scroll)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "predictions"}))

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & {"predictions", "next_sentence", "model", "queries", "record"}:
            self._show()
        if "dark" in names:
            self._set_theme(theme_of(self._state.dark))

    def _set_theme(self, theme: Theme) -> None:
        self.follows.set_theme(theme)
        for block in self.blocks:
            block.bars.set_theme(theme)

    def _show(self) -> None:
        state = self._state
        shown = state.predictions[:_MOST_BLOCKS]
        while len(self.blocks) < len(shown):
            self._add_block()
        for block in self.blocks[len(shown) :]:
            block.hide()
        for block, prediction in zip(self.blocks, shown, strict=False):
            block.show_prediction(prediction, self._heading(prediction, one_of=len(shown)))
            block.show()
        follows = state.next_sentence
        self.follows_label.setVisible(follows is not None)
        self.follows.setVisible(follows is not None)
        self.follows.set_bars([] if follows is None else [Bar(self.tr("yes"), follows), Bar(self.tr("no"), 1 - follows)])
        hint = self._hint(len(state.predictions))
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))

    def _add_block(self) -> None:
        block = PredictionBlock()
        block.bars.set_theme(theme_of(self._state.dark))
        block.bars.chosen.connect(partial(self._use, block))
        block.heading.clicked.connect(partial(self._point_at, block))
        self._column.insertWidget(len(self.blocks), block)
        self.blocks.append(block)

    def _heading(self, prediction: Prediction, *, one_of: int) -> str:
        if prediction.position >= len(self._state.queries):
            return self.tr("Next token")
        mask = self._state.model.mask_token if self._state.model is not None else None
        if one_of == 1:
            return self.tr("{mask} could be").format(mask=mask or "")
        return self.tr("{mask} at {position} could be").format(mask=mask or "", position=prediction.position)

    def _hint(self, count: int) -> str:
        """What to do when there is nothing to see."""
        model = self._state.model
        if model is None or self._state.record is None:
            return self.tr("Predictions appear with the first run.")
        if count > _MOST_BLOCKS:
            return self.tr("The first {shown} of {count} masks are shown.").format(shown=_MOST_BLOCKS, count=count)
        if count:
            return ""
        if "fill_mask" in model.abilities:
            return self.tr("Click a token above to hide it: the model guesses what it was.")
        if self._state.next_sentence is not None:
            return ""
        return self.tr("This model has no head that predicts words; its attention is shown.")

    def _use(self, block: PredictionBlock, row: int) -> None:
        if block.prediction is not None and row < len(block.prediction.candidates):
            self._explorer.use_candidate(block.prediction, block.prediction.candidates[row])

    def _point_at(self, block: PredictionBlock, _checked: bool = False) -> None:
        """Pin the row of the position in the pictures."""
        if block.prediction is None or block.prediction.position >= len(self._state.queries):
            return
        self._state.pin(Cell(query=block.prediction.position))
