"""Fields that say how a model writes: how long, how the next token is chosen, and, behind "More", the rarer settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QObject, QSignalBlocker, Signal, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QGridLayout,
    QLineEdit,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from headscope.core.options import LARGEST_POWER, MOST_BEAMS, MOST_NEW_TOKENS, BeamSearch, GenerationSettings, Sampling
from headscope.gui.widgets.number_field import DECIMALS, fraction_field, whole_field
from headscope.gui.widgets.plain import Label

_DEFAULTS = Sampling()
_LARGEST_SEED = 2**31 - 1
_MOST_TOKENS, _MOST_TOP_K = 1_000_000, 1_000_000
_BETWEEN_STOPS = "|"
_GAP, _LABEL_GAP = 8, 4
Labelled = tuple[str, QWidget]


class SamplingFields(QWidget):
    """How long, how the next token is chosen, how many beams, where to stop, and whether it is a chat.

    Signals
    -------
    changed()
        `filters` has another value.
    """

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._own = GenerationSettings()
        self.max_new_tokens = whole_field(1, _MOST_TOKENS, MOST_NEW_TOKENS)
        self.temperature = fraction_field(0, 5, 0.1, _DEFAULTS.temperature)
        self.temperature.setSpecialValueText(self.tr("0 (greedy)"))
        self.temperature.setToolTip(self.tr("0 always takes the most probable token; higher values choose more freely"))
        self.top_k = whole_field(0, _MOST_TOP_K, _DEFAULTS.top_k)
        self.top_k.setSpecialValueText(self.tr("off"))
        self.top_k.setToolTip(self.tr("Sample only from this many of the most probable tokens"))
        self.top_p = fraction_field(0.0001, 1, 0.05, _DEFAULTS.top_p)
        self.top_p.setToolTip(self.tr("Sample only from the most probable tokens that make up this probability; 1 is off"))
        self.seed = whole_field(0, _LARGEST_SEED, _DEFAULTS.seed)
        self.seed.setToolTip(self.tr("The same seed samples the same tokens again"))
        self._make_rarer_fields()
        self.show_more = QPushButton()
        self.show_more.setCheckable(True)
        self.show_more.setFlat(True)
        self.show_more.toggled.connect(self._show_more)
        self.more = QWidget()
        self._arrange()
        for field in (self.temperature, self.beams):
            field.valueChanged.connect(self._show_what_matters)
        self.chat.toggled.connect(self._show_what_matters)
        self._drawing = DrawingFields(
            self.temperature, self.top_k, self.top_p, self.min_p, self.repetition_penalty, self.seed, parent=self
        )
        self._drawing.changed.connect(self.changed)
        self._show_more(False)
        self._show_what_matters()

    # ---------------------------------------------------------------- what they say
    @property
    def sampling(self) -> Sampling:
        """As the fields stand. Of several beams nothing is drawn."""
        filters = self.filters
        return Sampling(repetition_penalty=filters.repetition_penalty) if self.beams.value() > 1 else filters

    @property
    def filters(self) -> Sampling:
        """As the fields stand, whatever the beams."""
        return self._drawing.sampling

    def set_filters(self, sampling: Sampling) -> None:
        """Put values into the fields."""
        self._drawing.set_sampling(sampling)

    @property
    def beam_search(self) -> BeamSearch:
        return BeamSearch(self.beams.value(), round(self.length_penalty.value(), DECIMALS), self._own.beams.early_stopping)

    @property
    def new_tokens(self) -> int | None:
        """How many at the latest; None: as many as the model's settings leave room for behind the prompt."""
        return self.max_new_tokens.value() or None

    @Slot()
    def reset(self) -> None:
        """Put into the fields what the model's own settings say."""
        own = self._own
        has_room = own.max_new_tokens is None and own.max_length is not None
        self.max_new_tokens.setMinimum(0 if has_room else 1)
        self.max_new_tokens.setSpecialValueText(self.tr("up to {n} in all").format(n=own.max_length) if has_room else "")
        self.max_new_tokens.setValue(0 if has_room else own.max_new_tokens or MOST_NEW_TOKENS)
        self.beams.setValue(own.beams.n_beams)
        self.length_penalty.setValue(own.beams.length_penalty)
        self.stop.setText(self._stop_words(own.stop))
        self.set_filters(own.sampling)
        self.changed.emit()

    @staticmethod
    def _stop_words(stop: tuple[str, ...]) -> str:
        return _BETWEEN_STOPS.join(stop).replace("\n", "\\n")

    def set_own(self, own: GenerationSettings) -> None:
        """What a model's own settings say: the fields start from it, and `reset` goes back to it."""
        self._own = own
        self.reset()

    @property
    def stops(self) -> tuple[str, ...]:
        """The stop texts; ``\\n`` is typed for a new line."""
        if self.stop.text() == self._stop_words(self._own.stop):  # which may have what stands between them
            return self._own.stop
        typed = self.stop.text().replace("\\n", "\n").split(_BETWEEN_STOPS)
        return tuple(text for text in typed if text)

    @property
    def is_chat(self) -> bool:
        return self.chat.isChecked() and self._chat_possible

    def set_chat_possible(self, possible: bool) -> None:
        """Offer the chat template, for a model that has one."""
        self._chat_possible = possible
        self.chat.setVisible(possible)
        self.system.setVisible(possible)

    # ---------------------------------------------------------------- how they look
    def _make_rarer_fields(self) -> None:
        self.min_p = fraction_field(0, 1, 0.05, _DEFAULTS.min_p)
        self.min_p.setToolTip(self.tr("Sample only tokens at least this many times as probable as the best; 0 is off"))
        self.repetition_penalty = fraction_field(0.1, 5, 0.1, _DEFAULTS.repetition_penalty)
        self.repetition_penalty.setToolTip(self.tr("Above 1, tokens already used become less likely; 1 is off"))
        self.beams = whole_field(1, MOST_BEAMS, 1)
        self.beams.setSpecialValueText(self.tr("off"))
        self.beams.setToolTip(self.tr("Follow this many texts side by side and take the most probable one"))
        self.length_penalty = fraction_field(-LARGEST_POWER, LARGEST_POWER, 0.1, 1)
        self.length_penalty.setToolTip(self.tr("For beams: above 1 favours longer texts, below 1 shorter ones"))
        self.own = QPushButton(self.tr("Re&set"))
        self.own.setFlat(True)
        self.own.setToolTip(self.tr("Restore the model's own settings"))
        self.own.clicked.connect(self.reset)
        self.stop = QLineEdit()
        self.stop.setPlaceholderText(self.tr("Stop texts, such as .|\\n"))
        self.stop.setToolTip(self.tr("Stop after any of these texts; separate them with |, write \\n for a new line"))
        self.stop.setAccessibleName(self.tr("Stop texts"))
        self.chat = QCheckBox(self.tr("&Chat"))
        self.chat.setToolTip(self.tr("Wrap the text in the model's chat template"))
        self.system = QLineEdit()
        self.system.setPlaceholderText(self.tr("System prompt"))
        self.system.setAccessibleName(self.tr("System prompt"))
        self.set_chat_possible(False)

    def _arrange(self) -> None:
        how = ((self.tr("Ne&w tokens"), self.max_new_tokens), (self.tr("&Temperature"), self.temperature))
        filters = ((self.tr("Top-&k"), self.top_k), (self.tr("Top-&p"), self.top_p), (self.tr("See&d"), self.seed))
        rarer = (
            (self.tr("&Min-p"), self.min_p),
            (self.tr("Repet&ition"), self.repetition_penalty),
            (self.tr("&Beams"), self.beams),
        )
        grid = labelled_grid((how, filters))
        grid.addWidget(self.show_more, 1, 2)
        more = labelled_grid((rarer, ((self.tr("&Length penalty"), self.length_penalty),)))
        more.addWidget(self.stop, 3, 1, 1, 2)
        more.addWidget(self.own, 5, 2)
        more.addWidget(self.chat, 4, 0)
        more.addWidget(self.system, 4, 1, 1, 2)
        self.more.setLayout(more)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(_LABEL_GAP)
        column.addLayout(grid)
        column.addWidget(self.more)

    @Slot(bool)
    def _show_more(self, shown: bool) -> None:
        self.more.setVisible(shown)
        self.show_more.setText(self.tr("Less") if shown else self.tr("More…"))

    @Slot()
    def _show_what_matters(self) -> None:
        """Greedy choices and beams draw nothing: what only drawing needs is greyed out."""
        is_search = self.beams.value() > 1
        self.temperature.setEnabled(not is_search)
        for field in (self.top_k, self.top_p, self.min_p, self.seed):
            field.setEnabled(self.temperature.value() > 0 and not is_search)
        self.length_penalty.setEnabled(is_search)
        self.system.setEnabled(self.chat.isChecked())


class DrawingFields(QObject):
    """Fields that together are a `Sampling`.

    Signals
    -------
    changed()
        By the user; not by `set_sampling`.
    """

    changed = Signal()

    def __init__(
        self,
        temperature: QDoubleSpinBox,
        top_k: QSpinBox,
        top_p: QDoubleSpinBox,
        min_p: QDoubleSpinBox,
        repetition_penalty: QDoubleSpinBox,
        seed: QSpinBox | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._fields: dict[str, QSpinBox | QDoubleSpinBox] = {
            "temperature": temperature,
            "top_k": top_k,
            "top_p": top_p,
            "min_p": min_p,
            "repetition_penalty": repetition_penalty,
        }
        if seed is not None:
            self._fields["seed"] = seed
        self._given = _DEFAULTS  # what has no field stays as it is, and what a field cannot show exactly
        self._shown: dict[str, Any] = {name: field.value() for name, field in self._fields.items()}
        for field in self._fields.values():
            field.valueChanged.connect(self._tell)

    @property
    def sampling(self) -> Sampling:
        """As the fields stand."""
        typed = {name: field.value() for name, field in self._fields.items() if field.value() != self._shown.get(name)}
        changed: dict[str, Any] = {name: round(value, DECIMALS) for name, value in typed.items()}
        return replace(self._given, **changed)

    def set_sampling(self, sampling: Sampling) -> None:
        """Put values into the fields."""
        if sampling == self.sampling:
            return
        self._given = sampling
        for name, field in self._fields.items():
            with QSignalBlocker(self):
                field.setValue(getattr(sampling, name))
            self._shown[name] = field.value()

    @Slot()
    def _tell(self) -> None:
        self.changed.emit()


class GibbsFields(QWidget):
    """How masks are filled by chance."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.sweeps = whole_field(1, 100, 5)
        self.sweeps.setToolTip(self.tr("How often each masked word is resampled"))
        self.temperature = fraction_field(0, 5, 0.1, 1)
        self.seed = whole_field(0, _LARGEST_SEED, 0)
        fields = ((self.tr("S&weeps"), self.sweeps), (self.tr("&Temperature"), self.temperature), (self.tr("See&d"), self.seed))
        self.setLayout(labelled_grid((fields,)))


def labelled_grid(rows: Sequence[Sequence[Labelled]]) -> QGridLayout:
    """Fields in columns of equal width, each under its words."""
    grid = QGridLayout()
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(_GAP)
    grid.setVerticalSpacing(_LABEL_GAP)
    for row, fields in enumerate(rows):
        for column, (words, field) in enumerate(fields):
            label = Label(words)
            label.setObjectName("muted")
            label.setBuddy(field)
            grid.addWidget(label, 2 * row, column)
            grid.addWidget(field, 2 * row + 1, column)
            grid.setColumnStretch(column, 1)
    return grid
