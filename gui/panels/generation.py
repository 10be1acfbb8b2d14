"""GenerationPanel: let the model write, by which rules, and what it wrote token by token."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QRadioButton,
    QVBoxLayout,
    QWidget,
)

from headscope.core.jobs import Candidate, FillStep, GenerationStep, Sampling
from headscope.gui.paint.theme import theme_of
from headscope.gui.state import Cell, ExplorerState
from headscope.gui.widgets.number_field import fraction_field, whole_field
from headscope.gui.widgets.step_list import Step, StepList

if TYPE_CHECKING:
    from headscope.gui.explorer import Explorer

_DEFAULTS = Sampling()
_LARGEST_SEED = 2**31 - 1


class SamplingFields(QWidget):
    """How long, and how the next token is chosen."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.max_new_tokens = whole_field(1, 4096, 40)
        self.temperature = fraction_field(0, 5, 0.1, _DEFAULTS.temperature)
        self.temperature.setSpecialValueText(self.tr("0 (greedy)"))
        self.temperature.setToolTip(self.tr("0 takes the most probable token each time; higher values choose more freely"))
        self.top_k = whole_field(0, 1000, _DEFAULTS.top_k)
        self.top_k.setSpecialValueText(self.tr("off"))
        self.top_k.setToolTip(self.tr("Choose only among so many of the most probable tokens"))
        self.top_p = fraction_field(0.01, 1, 0.05, _DEFAULTS.top_p)
        self.top_p.setToolTip(self.tr("Choose only among the most probable tokens that make up this probability; 1 is off"))
        self.seed = whole_field(0, _LARGEST_SEED, _DEFAULTS.seed)
        self.seed.setToolTip(self.tr("The same seed chooses the same tokens again"))
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        how = ((self.tr("&New tokens"), self.max_new_tokens), (self.tr("&Temperature"), self.temperature))
        filters = ((self.tr("Top-&k"), self.top_k), (self.tr("Top-&p"), self.top_p), (self.tr("See&d"), self.seed))
        for row, fields in enumerate((how, filters)):
            for column, (words, field) in enumerate(fields):
                label = QLabel(words)
                label.setObjectName("muted")
                label.setBuddy(field)
                grid.addWidget(label, 2 * row, column)
                grid.addWidget(field, 2 * row + 1, column)
                grid.setColumnStretch(column, 1)
        self.temperature.valueChanged.connect(self._show_what_matters)
        self._show_what_matters()

    @property
    def sampling(self) -> Sampling:
        """As the fields stand."""
        return Sampling(round(self.temperature.value(), 2), self.top_k.value(), round(self.top_p.value(), 2), self.seed.value())

    @Slot()
    def _show_what_matters(self) -> None:
        """Greedy choices draw nothing: what only drawing needs is greyed out."""
        for field in (self.top_k, self.top_p, self.seed):
            field.setEnabled(self.temperature.value() > 0)


class GenerationPanel(QWidget):
    """Generate for decoders, Fill for masked models, and a sentence for models that write nothing."""

    def __init__(self, state: ExplorerState, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self.hint = QLabel()
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.fields = SamplingFields()
        self.confident = QRadioButton(self.tr("Most confident mask first"))
        self.confident.setChecked(True)
        self.left_to_right = QRadioButton(self.tr("From left to right"))
        self.write = QPushButton()
        self.write.setObjectName("primary")
        self.write.clicked.connect(self.start)
        self.stop = QPushButton(self.tr("Stop"))
        self.stop.clicked.connect(explorer.stop)
        self.count = QLabel()
        self.count.setObjectName("muted")
        self.list = StepList()
        self.list.pointed.connect(self._point_at)
        self._arrange()
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "model", "busy", "steps"}))

    @Slot()
    def start(self) -> None:
        """Generate, or fill the masks, as the fields say; what the toolbar and the shortcut do."""
        if self._writes:
            self._explorer.generate(self.fields.max_new_tokens.value(), self.fields.sampling)
        else:
            self._explorer.fill("confident" if self.confident.isChecked() else "left_to_right")

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.write)
        buttons.addWidget(self.stop)
        buttons.addStretch(1)
        buttons.addWidget(self.count)
        top = QVBoxLayout()
        top.setContentsMargins(16, 4, 16, 4)
        top.setSpacing(8)
        for part in (self.hint, self.fields, self.confident, self.left_to_right):
            top.addWidget(part)
        top.addLayout(buttons)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)

    # ---------------------------------------------------------------- what is shown
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.list.set_theme(theme_of(self._state.dark))
        if "model" in names:
            self._show_abilities()
        if names & {"model", "busy"}:
            self.write.setEnabled((self._writes or self._fills) and self._state.busy is None)
            self.stop.setEnabled(self._state.busy is not None)
        if "steps" in names:
            self.list.set_steps(tuple(_row(step) for step in self._state.steps))
            n = len(self._state.steps)
            self.count.setText(self.tr("{n} tokens").format(n=n) if n else "")

    @property
    def _writes(self) -> bool:
        return self._state.model is not None and "generate" in self._state.model.abilities

    @property
    def _fills(self) -> bool:
        return self._state.model is not None and "fill_mask" in self._state.model.abilities

    def _show_abilities(self) -> None:
        writes, fills = self._writes, self._fills
        self.fields.setVisible(writes)
        self.list.setVisible(writes or fills)
        self.confident.setVisible(fills and not writes)
        self.left_to_right.setVisible(fills and not writes)
        self.write.setVisible(writes or fills)
        self.stop.setVisible(writes or fills)
        self.write.setText(self.tr("Generate") if writes else self.tr("Fill masks"))
        self.hint.setText(self._hint())
        self.hint.setVisible(bool(self.hint.text()))

    def _hint(self) -> str:
        if self._state.model is None:
            return self.tr("A model that writes can be told here how.")
        if self._writes:
            return ""
        if self._fills:
            return self.tr("Fills one mask at a time; each guess sees those before it.")
        return self.tr("This model neither continues a text nor guesses masked words.")

    @Slot(int)
    def _point_at(self, row: int) -> None:
        """Show in the pictures what the model looked at when it chose this token: the mask's row, or that of the token before."""
        cell = Cell()
        if 0 <= row < len(self._state.steps):
            chose, side = _chose(self._state.steps[row])
            if (side == "encoder") == (self._state.kind == "encoder") and chose < len(self._state.queries):
                cell = Cell(query=chose)
        self._state.update(hover=cell)


def _row(step: GenerationStep | FillStep) -> Step:
    if isinstance(step, FillStep):
        return Step(step.chosen, step.candidates)
    token = step.token
    return Step(
        Candidate(token.text, token.text, token.id, step.probability), step.candidates, step.sampled_probability, token.special
    )


def _chose(step: GenerationStep | FillStep) -> tuple[int, str]:
    """The query whose row chose a token, and the side of the model it is on."""
    if isinstance(step, FillStep):
        return step.position, "encoder"
    return len(step.record.axis("decoder").queries) - 1, "decoder"
