"""SamplingFilters: the filters of the next token's distribution, acting at once, and what each of them leaves."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, Slot
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from headscope.core.errors import HeadscopeError, readable_bytes
from headscope.core.options import Sampling
from headscope.core.predict.live_filters import Filtered, LiveFilters
from headscope.core.predict.results import WHOLE_BYTES, FilterStage, Prediction
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Filter
from headscope.gui.session.session import Session
from headscope.gui.views.predictions.filter_fields import FilterFields
from headscope.gui.views.predictions.settings import PredictionsSettings
from headscope.gui.widgets.plain import Label
from headscope.gui.words.rule_words import MOVES, filter_name


class SamplingFilters(QWidget):
    """Fields that share their values with those of the generation panel; nothing is run again.

    Attributes
    ----------
    asked : QPushButton
        Shows the fields and lets the filters act; for the panel to place, as `told`.
    told : QLabel
        What each filter leaves.
    refusal : QLabel
        Why there is nothing to filter, in the place of the fields.
    """

    def __init__(self, state: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._live: tuple[Prediction, LiveFilters] | None = None
        self.asked = QPushButton(self.tr("Sampling filters"))
        self.asked.setObjectName("flat")
        self.asked.setCheckable(True)
        self.asked.setToolTip(
            self.tr("Preview the effect of temperature, top-k, top-p, min-p and the penalty on the next token")
        )
        self.asked.toggled.connect(self._ask)
        self.fields = FilterFields()
        self.fields.changed.connect(self._share)
        self.refusal = Label(self._why_not())
        self.told = Label()
        self.told.setContentsMargins(16, 0, 16, 4)
        for words in (self.refusal, self.told):
            words.setObjectName("muted")
            words.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 4, 16, 8)
        column.addWidget(self.fields)
        column.addWidget(self.refusal)
        for part in (self, self.asked, self.told):
            part.hide()

    @Slot(bool)
    def _ask(self, on: bool) -> None:
        self._state.set_view(PredictionsSettings, filters=on)

    @Slot()
    def _share(self) -> None:
        mine = self.fields.sampling
        self._state.update(sampling=mine)

    def show_prediction(self, following: Prediction | None, read: TokenAxis) -> Filtered | None:
        """Filter the next token's prediction in a text of tokens `read`; None if the filters do not act."""
        logits = None if following is None else following.logits
        on = self._state.view(PredictionsSettings).filters
        with QSignalBlocker(self.asked):
            self.asked.setChecked(on)
        asked = following is not None and on
        self.asked.setVisible(following is not None)
        self.setVisible(asked)
        self.fields.setVisible(logits is not None)
        self.refusal.setVisible(logits is None)
        self.told.setVisible(asked and logits is not None)
        if not asked or following is None or logits is None:
            self._live = None
            return None
        sampling = self._state.sampling
        self.fields.set_sampling(sampling)
        if self._live is None or self._live[0] is not following:
            self._live = following, LiveFilters(logits, [token.id for token in read.tokens], following.effects)
        try:
            ids = [candidate.id for candidate in following.candidates]
            filtered = self._live[1].filtered(sampling, ids, self._state.rules_off)
        except HeadscopeError as error:  # rules that leave nothing
            self.told.setText(f"{error.message} {error.remedy}")
            return None
        self.told.setText("\n".join(self._lines(filtered, following, sampling)))
        return filtered

    # ---------------------------------------------------------------- in words
    def _why_not(self) -> str:
        """Of a long generation's later steps."""
        words = self.tr("Only the candidates of this step are kept: the full distributions of earlier steps fill {size}.")
        return words.format(size=readable_bytes(WHOLE_BYTES))

    def _lines(self, filtered: Filtered, following: Prediction, sampling: Sampling) -> list[str]:
        lines = [self._line(stage, sampling) for stage in filtered.stages]
        if sampling.temperature == 0:
            lines.append(self.tr("At temperature 0 the most probable token is taken; nothing is sampled or filtered."))
        if filtered.most_probable not in {candidate.id for candidate in following.candidates}:
            lines.append(self.tr("The most probable token is not listed."))
        return lines

    def _line(self, stage: FilterStage, sampling: Sampling) -> str:
        """What a stage leaves: ``Top-p 0.90 keeps 12, 91.2 % of the mass``."""
        words = self.tr("{filter} keeps {n}, {share} of the probability")
        if stage.name == "model":
            words = self.tr("{filter}: {n} tokens")
        elif stage.name in MOVES:
            words = self.tr("{filter} leaves {n}")
        share = f"{100 * stage.mass:.1f}%"
        return words.format(filter=self._name(stage.name, sampling), n=f"{stage.n_kept:,}", share=share)

    def _name(self, name: Filter, sampling: Sampling) -> str:
        value = getattr(sampling, name, None)  # a rule's value stands in the generation panel
        if value is None:
            return filter_name(name)
        return f"{filter_name(name)} {value if isinstance(value, int) else format(value, '.2f')}"
