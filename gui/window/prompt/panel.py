"""TextPanel: what the model reads: the text, a second sentence or a target where the model takes one, and the tokens."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.session.source import A
from headscope.gui.widgets.plain import Label
from headscope.gui.window.prompt.edit import PromptEdit
from headscope.gui.window.prompt.token_strip import TokenStrip
from headscope.gui.window.prompt.units_button import ReadingButton

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer


class TextPanel(QWidget):
    """Enter runs. A click on a token masks it (of a model without masks: pins it), Shift+click pins it."""

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self.text = self._field("text", self.tr("Type a sentence and press Enter"))
        self.pair = self._field("text_pair", self.tr("Second sentence (optional)"))
        self.target = self._field("target", self.tr("Decoder input; if empty, only its start token"))
        self.text_label, self.pair_label, self.target_label = Label(), Label(), Label(self.tr("Decoder"))
        for label in (self.text_label, self.pair_label, self.target_label):
            label.setObjectName("muted")
        self.add_pair = QToolButton()
        self.add_pair.setObjectName("flat")
        self.add_pair.setText(self.tr("+ Second sentence"))
        self.add_pair.setCheckable(True)
        self.add_pair.toggled.connect(self._show_fields)
        self.add_pair.clicked.connect(self._write_pair)
        self.units = ReadingButton()
        self.units.chosen.connect(explorer.set_units)
        self.count = Label()
        self.count.setObjectName("muted")
        self.count.setMinimumHeight(self.text.sizeHint().height())  # on one line with the text
        self.strip = TokenStrip()
        self.strip.hovered.connect(self._hover)
        self.strip.clicked.connect(self._click)
        self._arrange()
        self.setFocusProxy(self.text)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "model", "text", "record"}))

    def _field(self, name: str, placeholder: str) -> PromptEdit:
        field = PromptEdit(placeholder)
        field.edited.connect(partial(self._edit, name))
        field.submitted.connect(self._explorer.run)
        return field

    def _arrange(self) -> None:
        aside = QHBoxLayout()
        aside.setSpacing(8)
        aside.addWidget(self.add_pair)
        aside.addWidget(self.units)
        aside.addWidget(self.count)
        grid = QGridLayout()
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(2)
        grid.addWidget(self.text_label, 0, 0)
        grid.addWidget(self.text, 0, 1)
        grid.addLayout(aside, 0, 2, Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self.pair_label, 1, 0)
        grid.addWidget(self.pair, 1, 1)
        grid.addWidget(self.target_label, 2, 0)
        grid.addWidget(self.target, 2, 1)
        grid.setColumnStretch(1, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 14, 8)
        column.setSpacing(6)
        column.addLayout(grid)
        column.addWidget(self.strip)

    # ---------------------------------------------------------------- following the state
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        state = self._state
        for name, field in (("text", self.text), ("text_pair", self.pair), ("target", self.target)):
            if name in names:
                field.set_text(getattr(state, name))
        if "dark" in names:
            for part in (self.text, self.pair, self.target, self.strip):
                part.set_theme(theme_of(state.dark))
        if names & {"model", "text_pair"}:
            self._show_fields()
        if names & {"record", "model", "text", "run", "busy"}:
            self._show_tokens()
        if "busy" in names:
            for part in (self.text, self.pair, self.target, self.strip):
                part.set_held(state.busy is not None and bool(state.branches))
        if "units" in names:
            self.units.set_units(state.units)
        if names & {"hover", "pinned", "record", "kind"}:
            self._show_focus()
        if names & {"find", "record", "kind"}:
            self._show_found()

    def _show_found(self) -> None:
        """Every token of what was found, also where the pictures show words."""
        state, found, current = self._state, set[int](), None
        sides = (True, state.queries, state.find.queries, state.find.cell.query), (
            False, state.keys, state.find.keys, state.find.cell.key,
        )  # fmt: skip
        for is_query, axis, places, at in sides:
            if self._is_source(queries=is_query):
                found.update(piece for place in places if place < len(axis) for piece in axis.pieces_of(place))
                current = _first_piece(axis, at) if current is None else current
        self.strip.set_found(found, current)

    @Slot()
    def _show_fields(self) -> None:
        """The second sentence where a model takes one and it is wanted; the decoder's text for encoder-decoders."""
        model = self._state.model
        takes_pair = model is not None and model.takes_pair
        takes_target = model is not None and model.takes_target
        answers = model is not None and "answer" in model.abilities
        has_pair = bool(self._state.text_pair)
        self.add_pair.setVisible(takes_pair and not has_pair and not answers)
        writing = self.pair.hasFocus()  # emptied on the way to other words: it must not go away under the fingers
        self.pair.setVisible(takes_pair and (has_pair or answers or writing or self.add_pair.isChecked()))
        self.text_label.setText(self.tr("Question") if answers else self.tr("Encoder"))
        self.pair_label.setText(self.tr("Context") if answers else "")
        self.pair.set_placeholder(
            self.tr("The text that contains the answer") if answers else self.tr("Second sentence (optional)")
        )
        self.text_label.setVisible(takes_target or answers)
        self.pair_label.setVisible(answers)
        for part in (self.target, self.target_label):
            part.setVisible(takes_target)

    def _show_tokens(self) -> None:
        axis, model = self._axis, self._state.model
        self.strip.set_axis(axis)
        stale = self._is_stale(axis)
        self.strip.set_stale(stale)
        self.text.mark_dropped(axis.dropped_from if axis.dropped and not stale else None)
        if not len(axis):
            words = ""
        elif stale:
            words = self.tr("Press Enter to run the new text")
        elif axis.dropped:
            words = self.tr("%n token(s) · last {dropped} cut off to fit", "", len(axis))
        elif model is not None and model.max_tokens is not None:
            words = self.tr("%n token(s) of {limit}", "", len(axis))
        else:
            words = self.tr("%n token(s)", "", len(axis))
        limit = model.max_tokens if model is not None else 0
        words = words.format(dropped=axis.dropped, limit=limit)
        if words and self._state.source == A:  # the tokens are those of the text that was run before
            words = self.tr("A: {tokens}").format(tokens=words)
        self.count.setText(words)

    def _is_stale(self, axis: TokenAxis) -> bool:
        """Whether the text was changed since it was run. (What a model has just written is read up to its last token.)"""
        state = self._state
        ran = state.run.text if state.run is not None else ""
        written = state.steps[-1].text if state.steps else ""
        return bool(len(axis)) and state.busy is None and state.text not in (axis.text, ran, written)

    @property
    def _axis(self) -> TokenAxis:
        """The tokens of the text itself, not of an encoder-decoder model's target."""
        record = self._state.captured
        if record is None:
            return self._state.queries if self._state.kept and self._state.kind != "cross" else TokenAxis(())
        return record.axis(record.kinds[0]).queries

    def _is_source(self, *, queries: bool) -> bool:
        """Whether the rows (or the columns) of the pictures are these tokens, or words of them."""
        state = self._state
        if state.captured is None:
            return False
        axes = state.captured.axis(state.kind)
        return (axes.queries if queries else axes.keys) is self._axis

    def _show_focus(self) -> None:
        state, focus = self._state, self._state.focus
        query = _first_piece(state.queries, focus.query) if self._is_source(queries=True) else None
        key = _first_piece(state.keys, focus.key) if self._is_source(queries=False) else None
        self.strip.set_focus_tokens(query, key)

    # ---------------------------------------------------------------- what the user does
    @Slot(str)
    def _edit(self, name: str, text: str) -> None:
        self._state.update(**{name: text})

    @Slot(bool)
    def _write_pair(self, wanted: bool) -> None:
        """What is typed next belongs into the second sentence, or no longer."""
        (self.pair if wanted else self.text).setFocus()
        self._show_fields()

    @Slot(object)
    def _hover(self, position: int | None) -> None:
        self._state.update(hover=self._cell(position))

    @Slot(int, bool)
    def _click(self, position: int, shift: bool) -> None:
        model = self._state.model
        if model is not None and model.mask_token is not None and not shift:
            self._explorer.editing.mask_token(position)
            return
        self._state.pin(self._cell(position))

    def _cell(self, position: int | None) -> Cell:
        """The row of a token in the pictures, or its column if the rows are other tokens."""
        if position is None:
            return Cell()
        state = self._state
        if self._is_source(queries=True):
            return Cell(query=state.queries.place_of(position))
        return Cell(key=state.keys.place_of(position))


def _first_piece(axis: TokenAxis, position: int | None) -> int | None:
    return None if position is None or position >= len(axis) else axis.pieces_of(position).start
