"""ReadingPanel: the text itself, coloured behind the words."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Literal

from PySide6.QtCore import QSignalBlocker, Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from headscope.gui.paint.lens_words import named
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.chosen_tokens import is_one_text, mark
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.text.along import Shown, Values
from headscope.gui.views.text.figure import text_figure
from headscope.gui.views.text.numbers import Computed, ReadingValues
from headscope.gui.views.text.paint.shades import Shades, shades_through
from headscope.gui.views.text.settings import Mode, TextSettings
from headscope.gui.views.text.widget import ReadingView
from headscope.gui.views.text.words import attention_words, attribution_words, bits, prediction_words, surprisal_words
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.plain import Label, plain
from headscope.gui.widgets.scale_line import ScaleLine
from headscope.gui.widgets.wrapping_layout import WrappingLayout

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.gui.control.explorer import Explorer

_EVERYTHING = frozenset({"dark", "record", "weights", "model", "views.text"})
_OF_TEXT = frozenset({"record", "queries", "keys", "kind"})
_OF_COLOURS = _OF_TEXT | {
    "weights", "lens", "head", "heads", "hover", "pinned", "marks", "predictions", "outcome", "model", "busy", "captured",
    "views.text",
}  # fmt: skip


class ReadingPanel(QWidget):
    """The text as people read it, coloured by attention, surprisal or attribution.

    Signals
    -------
    figure_changed
        Numbers have come that `figure` was without.
    """

    figure_changed = Signal()

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._values = ReadingValues(state, explorer, self)
        self._values.changed.connect(self._on_numbers)
        self._asked_of: AttentionRecord | None = None  # whose surprisal was asked for by itself
        self.view = ReadingView()
        self.view.hovered.connect(self._hover)
        self.view.clicked.connect(self._click)
        self.view.released.connect(self._release)
        self.scale = ScaleLine()
        self.title = LineLabel(muted=True)
        self.refusal = Label()
        self.refusal.setWordWrap(True)
        self.refusal.setContentsMargins(16, 0, 16, 4)
        self.compute = QToolButton()
        self.compute.setObjectName("flat")
        self.compute.setText(self.tr("Compute"))
        self.compute.clicked.connect(self._compute)
        self.modes: dict[Mode, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(self._mode_row())
        column.addLayout(self._title_row())
        column.addWidget(self.refusal)
        column.addWidget(self.view, 1)
        column.addWidget(self.scale)
        self.setFocusProxy(self.view)
        state.changed.connect(self._on_changed)
        self._on_changed(_EVERYTHING)

    # ---------------------------------------------------------------- the rows above
    def _mode_row(self) -> QHBoxLayout:
        words: dict[Mode, tuple[str, str]] = {
            "from": (self.tr("Attends to"), self.tr("What the chosen token attends to: its row of weights")),
            "to": (self.tr("Attended by"), self.tr("What attends to the chosen token: its column of weights")),
            "surprisal": (
                self.tr("Surprisal"),
                self.tr(
                    "How unexpected each token is: −log₂ p(token | tokens before), in bits. A masked language model masks each token "
                    "in turn and predicts it from both sides (Salazar et al. 2020). For a word: the sum over its tokens."
                ),
            ),
            "attribution": (
                self.tr("Attribution"),
                self.tr(
                    "How much each token contributes to the prediction. Gradient × attention: the sum over layers, heads "
                    "and queries of (A ⊙ ∂y/∂A)⁺, with y the logit of the predicted token (after Grad-SAM, Barkan et al. "
                    "2021); or attention rollout"
                ),
            ),
        }
        group = QButtonGroup(self)
        bar = QWidget()
        buttons = WrappingLayout(bar)
        for mode, (name, tip) in words.items():
            button = QToolButton()
            button.setObjectName("flat")
            button.setCheckable(True)
            button.setText(name)
            button.setToolTip(plain(tip))
            button.clicked.connect(partial(self.set_mode, mode))
            group.addButton(button)
            buttons.addWidget(button)
            self.modes[mode] = button
        row = QHBoxLayout()
        row.setContentsMargins(12, 0, 8, 0)
        row.addWidget(bar)
        return row

    def _title_row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 8, 0)
        self.rollout = QToolButton()
        self.rollout.setObjectName("flat")
        self.rollout.setCheckable(True)
        self.rollout.setText(self.tr("Rollout"))
        self.rollout.setToolTip(
            self.tr(
                "Instead of gradients: how much of each token can reach the prediction, the product over the layers "
                "of ½ A + ½ I, with A the mean of the heads (Abnar and Zuidema 2020). Ignores the effect of values "
                "and feed-forward layers"
            )
        )
        self.rollout.toggled.connect(self._set_rollout)
        row.addWidget(self.title, 1)
        row.addWidget(self.rollout)
        row.addWidget(self.compute, 0, Qt.AlignmentFlag.AlignRight)
        return row

    @Slot()
    def set_mode(self, mode: Mode, _checked: bool = True) -> None:
        """Colour by something else."""
        self._state.set_view(TextSettings, mode=mode)

    @Slot(bool)
    def _set_rollout(self, on: bool) -> None:
        self._state.set_view(TextSettings, rollout=on)

    @property
    def mode(self) -> Mode:
        """What the text is coloured by."""
        return self._state.view(TextSettings).mode

    # ---------------------------------------------------------------- what is shown
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_changed(_EVERYTHING)

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.view.set_theme(theme_of(self._state.dark))
            self.scale.set_theme(theme_of(self._state.dark))
            self.title.setMinimumHeight(self.compute.sizeHint().height())  # the text stays where it is when buttons come
        if "views.text" in names:
            self.modes[self.mode].setChecked(True)
            with QSignalBlocker(self.rollout):
                self.rollout.setChecked(self._state.view(TextSettings).rollout)
        if not self.isVisible():
            return
        if names & _OF_TEXT:
            self._show_text()
        if names & _OF_COLOURS:
            self._show_colours()
        if "pinned" in names and (words := self._words(self._state.pinned.query, self._state.pinned.key)):
            self.view.reveal(words[0])
        if names & (_OF_TEXT | {"find"}):
            self._show_found()

    def _show_found(self) -> None:
        find, one_text = self._state.find, is_one_text(self._state)
        queries = () if one_text else (self._word(at, "query") for at in find.queries)
        self.view.set_found([*(self._word(at, "key") for at in find.keys), *queries])

    @property
    def _shown(self) -> Shown:
        state = self._state
        return Shown(state.captured, state.kind, state.queries, state.keys)

    def _follow(self) -> None:
        """Show what is to be shown, seen or not."""
        self._show_text()
        self._colour()

    def _show_text(self) -> None:
        self.view.set_hint(self.tr("The text appears here after the first run."))
        self.view.set_passage(self._shown.passage(self._values.pair))

    @Slot()
    def _show_colours(self) -> None:
        if self.isVisible():
            self._colour()

    @Slot()
    def _on_numbers(self) -> None:
        self._show_colours()
        self.figure_changed.emit()

    def _colour(self) -> None:
        if len(self.view.passage.spans) != self._n_words():
            return
        hover = self._state.hover
        pointed = next(iter(self._words(hover.query, hover.key)), None)
        self.rollout.setVisible(self.mode == "attribution")
        if self.mode in ("from", "to"):
            shades, chosen = self._attention()
            refusal = ""
        else:
            shades, chosen = self._computed()
            refusal = self._values.refusal(self._computed_by)
        self.refusal.setText(refusal)
        self.refusal.setVisible(bool(refusal))
        self.view.set_shades(shades)
        self.view.set_focus_words(chosen, pointed)
        scale = None if shades is None else shades.scale(theme_of(self._state.dark))
        self.scale.show_scale(scale, "" if pointed is None or shades is None else self._note(pointed, shades))

    def figure(self) -> PaintedFigure | None:
        """The text as it is coloured here, also while nobody sees this; None while there is none."""
        if not self.isVisible():
            self._follow()
        passage = self.view.passage
        if not passage.text or len(passage.spans) != self._n_words():
            return None
        return text_figure(passage, self.view.shades, self.view.chosen, self.title.text())

    def _attention(self) -> tuple[Shades | None, list[int]]:
        side: Literal["query", "key"] = "query" if self.mode == "from" else "key"
        positions, weights = self._values.attention(side)
        state = self._state
        self.compute.hide()
        axis = state.queries if side == "query" else state.keys
        if not positions:
            self._say(self.tr("Point at a word, or click to pin it"))
            return None, []
        heads = self._values.heads
        words = named(attention_words(axis.tokens[positions[0]].text, len(positions), heads, side), state.shown_lens)
        self._say(words, ", ".join(f"{layer}.{head}" for layer, head in heads))
        chosen = [self._word(position, side) for position in positions]
        if weights is None:
            return None, chosen
        values = Values(keys=weights) if side == "query" or is_one_text(self._state) else Values(queries=weights)
        return shades_through(state.shown_lens, self._shown.spread(values)), chosen

    def _computed(self) -> tuple[Shades | None, list[int]]:
        """Surprisal or an attribution, if it has been computed."""
        values, unit = self._surprisal() if self.mode == "surprisal" else self._attribution()
        if values is None:
            return None, []
        return Shades(self._shown.spread(values), unit, values.stale), []

    def _surprisal(self) -> tuple[Values | None, str]:
        state, values = self._state, self._values.surprisal()
        masked, idle = self._values.is_masked_model, state.busy is None
        self.compute.setVisible(values is None and self._values.predicts)
        self.compute.setEnabled(idle)
        if not self._values.predicts:
            self._say(self.tr("This model has no head that predicts words"))
        elif values is not None:
            self._say(surprisal_words(masked=masked))
        elif masked:
            self._say(self.tr("Takes one pass of the model per token"))
        else:
            self._say(self.tr("Not computed for this text"))
            if idle and state.step is None and state.captured is not None and state.captured is not self._asked_of:
                self._asked_of = state.captured  # one pass: as cheap as the run itself
                self._values.ask_for("surprisal")
        return values, bits()

    def _attribution(self) -> tuple[Values | None, str]:
        gradient = not self._state.view(TextSettings).rollout
        values = self._values.attribution() if gradient else self._values.rollout()
        found = self._values.explained
        can = found is not None if gradient else self._state.captured is not None
        self.compute.setVisible(can and (values is None or values.stale))
        self.compute.setEnabled(self._state.busy is None)
        if gradient and not can:
            self._say(self.tr("There is no prediction to attribute"))
            return None, ""
        where = self.tr("the selected token") if found is None else prediction_words(*found)
        if values is None:
            self._say(self.tr("Not computed for {where}").format(where=where))
        elif values.stale:
            self._say(self.tr("For another prediction; compute it for {where}").format(where=where))
        else:
            self._say(attribution_words(where))
        return values, ""

    @property
    def _computed_by(self) -> Computed:
        if self.mode == "surprisal":
            return "surprisal"
        return "rollout" if self._state.view(TextSettings).rollout else "attribution"

    @Slot()
    def _compute(self) -> None:
        self._values.ask_for(self._computed_by)

    def _say(self, title: str, tip: str = "") -> None:
        self.title.set_text(title)
        self.title.setToolTip(plain(tip or title))

    def _note(self, word: int, shades: Shades) -> str:
        number = shades.number(word)
        return f"{self.view.passage.tokens[word].text}  {number}" if number else ""

    # ---------------------------------------------------------------- words and positions
    def _n_words(self) -> int:
        state = self._state
        return len(state.queries) + (0 if is_one_text(self._state) else len(state.keys))

    def _word(self, position: int, side: Literal["query", "key"]) -> int:
        return self._shown.word(position, side)

    def _words(self, query: int | None, key: int | None) -> list[int]:
        found = [self._word(at, side) for at, side in ((query, "query"), (key, "key")) if at is not None]  # type: ignore[arg-type]
        return [word for word in found if word < self._n_words()]

    def _cell(self, word: int) -> Cell:
        n_keys = len(self._state.keys)
        if is_one_text(self._state):
            return Cell(key=word) if self.mode == "to" else Cell(query=word)
        return Cell(key=word) if word < n_keys else Cell(query=word - n_keys)

    # ---------------------------------------------------------------- pointing
    @Slot(object)
    def _hover(self, word: int | None) -> None:
        self._state.update(hover=Cell() if word is None else self._cell(word))

    @Slot(int, bool)
    def _click(self, word: int, extend: bool) -> None:
        cell = self._cell(word)
        if extend:
            mark(self._state, cell)
        else:
            self._state.update(marks=Marks())
            self._state.pin(cell)

    @Slot()
    def _release(self) -> None:
        self._state.update(pinned=Cell(), marks=Marks())
