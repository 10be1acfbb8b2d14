"""GenerationPanel: let the model write, by which rules, and what it wrote token by token."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Qt, QTimer, Slot
from PySide6.QtWidgets import QHBoxLayout, QMenu, QPushButton, QRadioButton, QVBoxLayout, QWidget

from headscope.core.options import MOST_NEW_TOKENS, GenerationSettings, LanguageChoice, Languages
from headscope.core.predict.results import Beam, FillStep, GenerationStep
from headscope.core.requests.runs import FillRequest
from headscope.core.vocabulary import FillStrategy
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.session.steps import chosen, found_step, found_steps, row_of
from headscope.gui.views.generation.figure import generation_figure
from headscope.gui.views.generation.language_fields import LanguageFields
from headscope.gui.views.generation.rules_list import RulesList
from headscope.gui.views.generation.settings import GenerationViewSettings
from headscope.gui.views.generation.step_list import ROW_HEIGHT, Step, StepList
from headscope.gui.widgets.drawing_fields import GibbsFields, SamplingFields
from headscope.gui.widgets.number_field import DECIMALS
from headscope.gui.widgets.plain import Label
from headscope.gui.widgets.probability_bars import Bar, ProbabilityBars
from headscope.gui.widgets.tall_area import TallArea
from headscope.gui.words.rule_words import rule_words

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_BEAM_LETTERS = 16
"""How much of the end of a beam's text is shown."""
_BEAM_SHARE = 0.55
"""Of the width, for that."""
_LEAST_ROWS = 4
_FIRST = "forced_bos_token_id"
"""The rule by which a translator is told what to write."""


class GenerationPanel(QWidget):
    """Generate for decoders, Fill for masked models, and a sentence for models that write nothing."""

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self.hint = Label()
        self.hint.setObjectName("muted")
        self.hint.setWordWrap(True)
        self.fields = SamplingFields()
        self.fields.changed.connect(self._share)
        self.languages = LanguageFields()
        self.languages.changed.connect(self._choose_languages)
        self.rules = RulesList()
        self.rules.changed.connect(self._switch_rules)
        self.confident = QRadioButton(self.tr("Most confident mask first"))
        self.confident.setChecked(True)
        self.left_to_right = QRadioButton(self.tr("Left to right"))
        self.by_chance = QRadioButton(self.tr("Resample repeatedly (Gibbs sampling)"))
        self.gibbs = GibbsFields()
        self.ways: dict[FillStrategy, QRadioButton] = {
            "confident": self.confident,
            "left_to_right": self.left_to_right,
            "gibbs": self.by_chance,
        }
        for strategy, button in self.ways.items():
            button.toggled.connect(partial(self._choose_way, strategy))
        for field in (self.gibbs.sweeps, self.gibbs.temperature, self.gibbs.seed):
            field.valueChanged.connect(self._set_gibbs)
        self.fields.show_more.toggled.connect(self._set_more)
        self.write = QPushButton()
        self.write.setObjectName("primary")
        self.write.clicked.connect(self.start)
        self.stop = QPushButton(self.tr("Stop"))
        self.stop.clicked.connect(explorer.stop)
        self.count = Label()
        self.count.setObjectName("muted")
        self.branches = BranchSwitch()
        self.branches.asked.clicked.connect(self._next_branch)
        self.beams = ProbabilityBars(clickable=False, label_share=_BEAM_SHARE)
        self.beams.setToolTip(self.tr("Beams, each with the mean probability of its tokens"))
        self.beams.hide()
        self.list = StepList()
        self.list.setMinimumHeight(_LEAST_ROWS * ROW_HEIGHT)
        self.list.pointed.connect(self._point_at)
        self.list.asked.connect(self._show_rivals)
        self._rivals = QMenu(self)
        self._known: object = None
        self._arrange()
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "model", "busy", "steps", "beams", "branches", "sampling", "views.generation"}))

    @Slot()
    def start(self) -> None:
        """Generate, or fill the masks, as the fields say; what the toolbar and the shortcut do."""
        fields = self.fields
        if self._writes:
            self._explorer.generate(
                fields.new_tokens,
                fields.sampling,
                beams=fields.beam_search,
                stop=fields.stops,
                chat=fields.is_chat,
                system=fields.system.text(),
                rules=tuple(rule for rule in self._own.rules if rule.name not in self.rules.off),
            )
            return
        how = self._state.view(GenerationViewSettings)
        self._explorer.fill(FillRequest("", None, how.strategy, 10, how.sweeps, how.temperature, how.seed))

    def _arrange(self) -> None:
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.write)
        buttons.addWidget(self.stop)
        buttons.addStretch(1)
        buttons.addWidget(self.count)
        top = QVBoxLayout()
        top.setContentsMargins(16, 4, 4, 4)  # the longest choice fits beside a scroll bar at 1280 pixels
        top.setSpacing(8)
        for part in (
            self.hint,
            self.languages,
            self.fields,
            self.confident,
            self.left_to_right,
            self.by_chance,
            self.gibbs,
        ):
            top.addWidget(part)
        top.addLayout(buttons)
        top.addWidget(self.rules)
        top.addWidget(self.branches, 0, Qt.AlignmentFlag.AlignLeft)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.beams)
        column.addWidget(self.list, 1)
        column.addStretch(0)
        column.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._area = TallArea(inner)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._area)

    # ---------------------------------------------------------------- what is shown
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        state = self._state
        if "dark" in names:
            self.list.set_theme(theme_of(state.dark))
            self.beams.set_theme(theme_of(state.dark))
        if "sampling" in names:
            self.fields.set_filters(state.sampling)
        if "views.generation" in names:
            self._show_ways()
        if "model" in names:
            self._show_settings()
        if names & {"model", "views.generation"}:
            self._show_abilities()
        if names & {"model", "busy"}:
            self.write.setEnabled((self._writes or self._fills) and state.busy is None)
            self.stop.setEnabled(state.busy is not None)
        if "steps" in names:
            self.list.set_steps(tuple(_row(step) for step in state.steps))
            n = len(state.steps)
            self.count.setText(self.tr("%n token(s)", "", n) if n else "")
        if names & {"steps", "find", "kind"}:
            self._show_found()
        if "beams" in names:
            followed = (*state.beams.beams, *state.beams.finished) if state.beams is not None else ()
            self.beams.set_bars([_bar(beam) for beam in followed])
            if bool(followed) != self.beams.isVisibleTo(self):
                self.beams.setVisible(bool(followed))
                QTimer.singleShot(0, self, self._bring_into_view)  # once it has its place
        if names & {"branches", "branch", "busy"}:
            self.branches.show_branch(state.branch, len(state.branches), enabled=state.busy is None)

    def _show_found(self) -> None:
        self.list.set_found(found_steps(self._state))
        if (row := found_step(self._state)) is not None:
            self.list.reveal(row)

    def figure(self) -> PaintedFigure | None:
        """The tokens that were chosen, with their probabilities; None while there are none."""
        return generation_figure(self._state.steps)

    @Slot()
    def _bring_into_view(self) -> None:
        """What is being written, in a low window."""
        self._area.ensureWidgetVisible(self.beams if self._state.beams is not None else self.list, 0, 0)

    @property
    def _own(self) -> GenerationSettings:
        """What the settings of the model that is shown say; nothing of one that does not write."""
        return self._state.model.generation if self._state.model is not None and self._writes else GenerationSettings()

    def _show_settings(self) -> None:
        """What a newly opened model's own settings say; not again if something else of it changes."""
        model, own = self._state.model, self._own
        known = None if model is None else (model.source, model.name, own)
        if known == self._known:
            return
        self._known = known
        self.fields.set_own(own)
        self.languages.show_choice(LanguageChoice() if model is None or not self._writes else model.languages)
        self.rules.show_rules([(rule.name, rule_words(rule)) for rule in own.rules], own.unsupported)

    @property
    def _writes(self) -> bool:
        return self._state.model is not None and "generate" in self._state.model.abilities

    @property
    def _fills(self) -> bool:
        return self._state.model is not None and "fill_mask" in self._state.model.abilities

    def _show_ways(self) -> None:
        """The controls as the settings are."""
        how, gibbs = self._state.view(GenerationViewSettings), self.gibbs
        self.ways[how.strategy].setChecked(True)
        self.fields.show_more.setChecked(how.more)
        shown = (gibbs.sweeps, how.sweeps), (gibbs.temperature, how.temperature), (gibbs.seed, how.seed)
        for field, number in shown:
            if field.value() != number:  # set anew, a number that is being typed would be written out
                with QSignalBlocker(field):
                    field.setValue(number)  # type: ignore[arg-type]

    @Slot()
    def _show_abilities(self) -> None:
        writes, fills, model = self._writes, self._fills, self._state.model
        self.fields.setVisible(writes)
        self.fields.set_chat_possible(model is not None and "chat" in model.abilities)
        self.list.setVisible(writes or fills)
        for choice in (self.confident, self.left_to_right, self.by_chance):
            choice.setVisible(fills and not writes)
        self.gibbs.setVisible(fills and not writes and self._state.view(GenerationViewSettings).strategy == "gibbs")
        self.write.setVisible(writes or fills)
        self.stop.setVisible(writes or fills)
        self.write.setText(self.tr("Generate") if writes else self.tr("Fill masks"))
        self.hint.setText(self._hint())
        self.hint.setVisible(bool(self.hint.text()))

    def _hint(self) -> str:
        if self._state.model is None:
            return self.tr("Generation settings appear here.")
        if self._writes:
            return ""
        if self._fills:
            return self.tr("Fills one mask at a time; each prediction takes the earlier ones into account.")
        return self.tr("This model neither continues text nor predicts masked words.")

    # ---------------------------------------------------------------- what the user does
    def _choose_way(self, strategy: FillStrategy, on: bool) -> None:
        if on:
            self._state.set_view(GenerationViewSettings, strategy=strategy)

    @Slot()
    def _set_gibbs(self) -> None:
        gibbs, temperature = self.gibbs, round(self.gibbs.temperature.value(), DECIMALS)
        values = {"sweeps": gibbs.sweeps.value(), "temperature": temperature, "seed": gibbs.seed.value()}
        self._state.set_view(GenerationViewSettings, **values)

    @Slot(bool)
    def _set_more(self, more: bool) -> None:
        self._state.set_view(GenerationViewSettings, more=more)

    @Slot()
    def _share(self) -> None:
        """The predictions show at once what these filters leave."""
        self._state.update(sampling=self.fields.filters)

    @Slot()
    def _switch_rules(self) -> None:
        self.languages.target.setEnabled(_FIRST not in self.rules.off)
        self._state.update(rules_off=self.rules.off, languages=self._languages)

    @Slot()
    def _choose_languages(self) -> None:
        """The text is read as one of the language at once."""
        self._state.update(languages=self._languages)
        for rule in self._own.rules:
            if rule.name == _FIRST:
                code = self.languages.target.currentData()
                self.rules.say(_FIRST, rule_words(rule if code is None else replace(rule, words=(code,))))
        if self._state.busy is None:
            self._explorer.run()

    @property
    def _languages(self) -> Languages | None:
        """As chosen, but for an answer's language while its rule is off."""
        chosen = self.languages.languages
        if chosen is None or _FIRST not in self.rules.off:
            return chosen
        return None if chosen.source is None else Languages(chosen.source)

    @Slot(int)
    def _point_at(self, row: int) -> None:
        """Show in the pictures what the model looked at when it chose this token: the mask's row, or that of the token before."""
        state, query = self._state, None
        if 0 <= row < len(state.steps):
            query = row_of(state.steps[row], state.kind, state.queries)
        state.update(hover=Cell(query=query))

    @Slot(int)
    def _show_rivals(self, row: int) -> None:
        """A menu of what could stand in the place of a token that was generated."""
        step = self._state.steps[row]
        if not isinstance(step, GenerationStep) or step.generation is None or self._state.busy is not None:
            return
        below = self.list.visualRect(self.list.model().index(row, 0)).bottomLeft()
        self.rivals_of(step).popup(self.list.viewport().mapToGlobal(below))

    def rivals_of(self, step: GenerationStep) -> QMenu:
        """The menu: each candidate with its probability; choosing one goes on from there with it."""
        self._rivals.clear()
        self._rivals.addAction(self.tr("Continue with another token")).setEnabled(False)
        for candidate in step.candidates:
            words = f"{candidate.label.replace('&', '&&')}\t{readable_probability(candidate.probability)}"
            action = self._rivals.addAction(words)
            action.setEnabled(candidate.id != step.token.id)
            action.triggered.connect(partial(self._fork, step, candidate.id))
        return self._rivals

    def _fork(self, step: GenerationStep, token_id: int, _checked: bool = False) -> None:
        self._explorer.fork(step, token_id, self.fields.new_tokens or MOST_NEW_TOKENS)

    @Slot()
    def _next_branch(self) -> None:
        self._explorer.show_branch((self._state.branch + 1) % len(self._state.branches))


class BranchSwitch(QWidget):
    """Which branch of a forked generation is shown; the button shows the next."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.asked = QPushButton()
        self.asked.setFlat(True)
        self.asked.setToolTip(self.tr("Show the next branch"))
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.asked)

    def show_branch(self, branch: int, n_branches: int, *, enabled: bool) -> None:
        """Say which of how many; nothing if there is only one."""
        self.setVisible(n_branches > 1)
        self.asked.setEnabled(enabled)
        self.asked.setText(self.tr("Branch {number} of {count}").format(number=branch + 1, count=n_branches))


def _bar(beam: Beam) -> Bar:
    tail = beam.text[-_BEAM_LETTERS:].replace("\n", "⏎")
    words = f"…{tail}" if len(beam.text) > _BEAM_LETTERS else tail
    return Bar(words, math.exp(beam.log_probability / len(beam.steps)))


def _row(step: GenerationStep | FillStep) -> Step:
    if isinstance(step, FillStep):
        return Step(step.chosen, step.candidates)
    return Step(chosen(step), step.candidates, step.sampled_probability, step.token.special, step.filters, step.forced)
