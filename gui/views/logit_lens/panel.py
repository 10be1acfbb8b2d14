"""LogitLensPanel: the logit lens, what the model would predict if it stopped after each layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from headscope.core.forward.model_info import ModelInfo
from headscope.core.predict.logit_lens_layer import LogitLensLayer
from headscope.core.requests.predictions import LogitLensRequest
from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.logit_lens.card import LogitLensCard
from headscope.gui.views.logit_lens.figure import lens_figure
from headscope.gui.views.logit_lens.mode_button import ModeButton
from headscope.gui.views.logit_lens.paint import LogitLensPicture
from headscope.gui.views.logit_lens.settings import LogitLensSettings, Shows
from headscope.gui.views.logit_lens.widget import LogitLensGridView, Place
from headscope.gui.views.logit_lens.words import cell_words, explanation, spoken_cell
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.plain import plain
from headscope.gui.words.notices import refusal_of

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_SHORT = 64
"""Tokens of a text that is read without being asked."""
_WIDE = 640
"""Pixels from which on the card is beside the grid."""
_SUBJECT = {"captured", "model", "step"}


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a grid is of: tokens, those of an encoder-decoder's source among them, and the one that is followed."""

    model: ModelInfo
    source: TokenAxis
    axis: TokenAxis
    follow: int | None = None


class LogitLensPanel(QWidget):
    """Layers × positions: what could be read at each token after each layer.

    A short text is read when the panel is in sight, of a long one what is in sight when it is asked for.

    Signals
    -------
    figure_changed
        More was read of what `figure` shows.
    """

    figure_changed = Signal()

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._asked_of: _Subject | None = None
        self._shown: _Subject | None = None
        self._is_filling = False
        self._error = ""
        self._follow: tuple[int, str] | None = None
        self._pinned: Place | None = None
        self.view = LogitLensGridView()
        self.view.pointed.connect(self._point_at)
        self.view.chosen.connect(self._choose)
        self.view.scrolled.connect(self._say)
        self.card = LogitLensCard()
        self.card.followed.connect(self._follow_token)
        self._make_buttons()
        self.status = LineLabel(muted=True)
        self._arrange()
        self._show_mode()
        state.changed.connect(self._on_changed)
        self._answer = explorer.answer_of_model(self)
        self._answer.came.connect(self._on_came)
        self._on_changed(frozenset({"dark", "model"}))

    def _make_buttons(self) -> None:
        self.fill = QPushButton(self.tr("Compute"))
        self.fill.setToolTip(
            self.tr("Read the residual stream after each layer through the model's final norm and output head")
        )
        self.fill.clicked.connect(self._ask)
        self.mode = ModeButton()
        self.mode.chosen.connect(self._choose_mode)
        self.modes = self.mode.modes
        self.final = self.mode.final
        self.final.triggered.connect(self._follow_the_final)

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 12, 4)
        row.setSpacing(4)
        row.addWidget(self.fill)
        row.addStretch(1)
        row.addWidget(self.mode)
        self._split = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._split.setContentsMargins(12, 0, 0, 4)
        self._split.setSpacing(0)
        self._split.addWidget(self.view, 3)
        self._split.addWidget(self.card, 2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(row)
        said = QHBoxLayout()
        said.setContentsMargins(16, 0, 12, 4)
        said.addWidget(self.status)
        column.addLayout(said)
        column.addLayout(self._split, 1)
        self.setFocusProxy(self.view)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        wide = event.size().width() >= _WIDE
        self._split.setDirection(QBoxLayout.Direction.LeftToRight if wide else QBoxLayout.Direction.TopToBottom)
        self._split.setStretch(1, 1 if wide else 2)

    # ---------------------------------------------------------------- what it is of
    @property
    def _subject(self) -> _Subject | None:
        """What a grid would be of now, whoever wrote it; None while there is nothing that a model has read."""
        state = self._state
        if state.model is None or state.captured is None:
            return None
        kinds = state.captured.kinds
        source = state.captured.axis("cross" if "cross" in kinds else kinds[0]).keys
        return _Subject(state.model, source, self._axis, None if self._follow is None else self._follow[0])

    @property
    def _axis(self) -> TokenAxis:
        """The tokens that are read: the decoder's where there is one."""
        record = self._state.captured
        if record is None:
            return TokenAxis(())
        return record.axis("decoder" if "decoder" in record.kinds else record.kinds[0]).queries

    @property
    def _is_stale(self) -> bool:
        if self._shown is None or self._subject is None or self._shows == "token":
            return self._shown is not None and self._shown != self._subject
        return not self._is_of_the_text

    @property
    def _is_of_the_text(self) -> bool:
        """Whether the grid is of the tokens that the other views show, whichever token is followed."""
        shown, subject = self._shown, self._subject
        return shown is not None and subject is not None and replace(shown, follow=subject.follow) == subject

    # ---------------------------------------------------------------- asking and answers
    @Slot()
    def _ask(self) -> None:
        subject, record = self._subject, self._state.captured
        if subject is None or record is None:
            return
        n_positions = len(subject.axis)
        in_sight = replace(self.view.layout_now, n_positions=n_positions).columns
        positions = None if n_positions <= _SHORT else tuple(in_sight)
        self._asked_of, self._is_filling, self._error = subject, True, ""
        self._answer.drop()  # whoever asks again wants it computed again
        self._explorer.ask(self._answer, LogitLensRequest(record, positions, follow=subject.follow))
        self._say()

    def _ask_if_short(self) -> None:
        """Read a short text without being asked, once; not while one looks back at the steps in which it was written."""
        if self.isVisible():
            self._read_if_short()

    def _read_if_short(self) -> None:
        state, subject = self._state, self._subject
        if subject is None or state.busy is not None or state.step is not None:
            return
        if len(subject.axis) > _SHORT:
            return
        if subject not in (self._shown, self._asked_of):
            self._ask()

    @Slot()
    def _on_came(self) -> None:
        if self._answer.error is not None:
            self._error, self._is_filling = refusal_of(self._answer.error), False
            self._say()
            self._show_card()
        elif self._answer.is_waiting:
            self._add(self._answer.part)
        self.figure_changed.emit()

    def _add(self, part: LogitLensLayer) -> None:
        """A layer is here."""
        if self._asked_of != self._subject:
            return
        if self._shown != self._asked_of:
            scrolled = self.view.horizontalScrollBar().value()
            self.view.set_picture(LogitLensPicture(part.n_layers + 1, self._axis))
            self.view.horizontalScrollBar().setValue(scrolled)
            self._shown = self._asked_of
            self._show_stale()
            self._show_focus()
        self.view.add(part)
        self._say(part)
        self._show_card()

    # ---------------------------------------------------------------- following the state
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            theme = theme_of(self._state.dark)
            self.view.set_theme(theme)
            self.card.set_theme(theme)
        if "views.logit_lens" in names:
            self._show_mode()
        if "model" in names:
            self._follow = None  # ids are of a vocabulary
        if "busy" in names and self._state.busy is None:
            self._is_filling = False
        if names & _SUBJECT:
            self._error = ""
            if (
                self._subject is None and self._shown is not None
            ):  # the model's own text has failed: nothing is left of the last
                self._shown = None
                self.view.set_picture(LogitLensPicture())
            if self._is_of_the_text and self._shown is not None and (subject := self._subject) is not None:
                self._shown = replace(subject, follow=self._shown.follow)  # the same tokens in new objects: quickly compared
            self._show_stale()
            self._show_card()
        if names & {"busy", *_SUBJECT}:
            self._say()
            self._ask_if_short()
        if names & {"hover", "pinned", "queries", *_SUBJECT}:
            self._show_focus()
        if names & {"find", "queries", *_SUBJECT}:
            self._show_found()

    def figure(self) -> PaintedFigure | None:
        """What was read of the text that is shown; None while nothing is. A short one is read for it, if nobody sees this."""
        if not self.isVisible():
            self._read_if_short()
        return lens_figure(self.view.picture, self.view.shows) if self._is_of_the_text else None

    def _show_found(self) -> None:
        state = self._state
        places = state.find.queries if self._rows_are_its_tokens else ()
        self.view.set_found({piece for at in places if at < len(state.queries) for piece in state.queries.pieces_of(at)})
        if places and state.find.cell.query is not None:
            self.view.reveal_column(state.queries.pieces_of(state.find.cell.query).start)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._ask_if_short()

    def _show_stale(self) -> None:
        if not self._is_of_the_text:
            self._pin(None)
        self.view.set_stale(self._is_stale)

    @property
    def _rows_are_its_tokens(self) -> bool:
        """Whether the rows of the pictures are the tokens that are read, or words of them."""
        state = self._state
        return self._is_of_the_text and state.captured is not None and state.captured.axis(state.kind).queries is self._axis

    def _show_focus(self) -> None:
        state, query = self._state, self._state.focus.query
        lit = self._rows_are_its_tokens
        self.view.set_column(state.queries.pieces_of(query).start if lit and query is not None else None)
        if lit and self._pinned is not None and self._cell(self._pinned) != state.pinned:
            self._pin(None)
            self._show_card()

    def _pin(self, place: Place | None) -> None:
        self._pinned = place
        self.view.set_pinned(place)

    # ---------------------------------------------------------------- what the user does
    @Slot(object)
    def _point_at(self, place: Place | None) -> None:
        """Show a cell's best tokens, and light its token in all views."""
        self._show_card(place)
        if self._rows_are_its_tokens:
            self._state.update(hover=self._cell(place))

    @Slot(object)
    def _choose(self, place: Place) -> None:
        """Pin a cell, or let it go."""
        chosen = None if place == self._pinned else place
        if self._rows_are_its_tokens:
            self._state.update(pinned=self._cell(chosen))
        self._pin(chosen)
        self._show_card(place)

    def _cell(self, place: Place | None) -> Cell:
        return Cell() if place is None else Cell(query=self._state.queries.place_of(place[1]))

    @Slot(int, str)
    def _follow_token(self, token_id: int, label: str) -> None:
        """Follow a token through the layers at every position."""
        self._follow = token_id, label
        self._choose_mode("token")
        self._show_mode()
        self._ask()

    @Slot()
    def _follow_the_final(self) -> None:
        self._follow = None
        self._show_mode()
        self._ask()

    @Slot(str)
    def _choose_mode(self, shows: Shows) -> None:
        self._state.set_view(LogitLensSettings, shows=shows)

    @property
    def _shows(self) -> Shows:
        return self._state.view(LogitLensSettings).shows

    def _show_mode(self) -> None:
        action = self.modes[self._shows]
        action.setChecked(True)
        self.view.set_shown(self._shows)
        self.mode.setText(f"{action.text()}  ▾")
        self._show_stale()
        self._say()

    # ---------------------------------------------------------------- in words
    def _show_card(self, place: Place | None = None) -> None:
        place = place or self._pinned
        if self._error:
            self.card.show_cell(self._error, [])
            return
        if place is None or self._shown is None or place[0] >= self.view.picture.n_depths:
            self.card.show_cell(self.tr("Point at a cell: its most probable tokens appear here."), [])
            return
        picture = self.view.picture
        depth, position = place
        follows = "fill_mask" not in self._shown.model.abilities
        title = cell_words(depth, picture.axis.tokens[position].text, position, follows=follows)
        candidates = picture.candidates(depth, position)
        if candidates:
            title += " · " + self.tr("{bits:.2f} bits").format(bits=picture.entropies[depth, position])
            self.view.spoken.say(lambda: spoken_cell(title, picture, (depth, position), self._shows))
        self.card.show_cell(title, candidates)

    @Slot()
    def _say(self, part: LogitLensLayer | None = None) -> None:
        """What there is to know, and whether there is anything to fill."""
        subject = self._subject
        self.final.setEnabled(self._follow is not None)
        self.fill.setEnabled(subject is not None and self._state.busy is None)
        self.fill.setText(self.tr("Compute visible") if len(self._axis) > _SHORT else self.tr("Compute"))
        sentence = self._sentence(subject, part)
        self.status.set_text(sentence)
        self.status.setToolTip(plain(sentence))

    def _sentence(self, subject: _Subject | None, part: LogitLensLayer | None) -> str:
        if self._error:
            return self._error
        if self._is_filling:
            if part is None:
                return self.tr("Computing…")
            return self.tr("Layer {layer} of {count}…").format(layer=part.layer + 1, count=part.n_layers)
        if subject is None:
            return self.tr("The logit lens needs a model and a text.")
        if self._shown is None:
            return self.tr("Press Compute to see what the model would predict if it stopped after each layer.")
        if self._is_stale:
            if self._is_of_the_text:
                return self.tr("This grid follows another token. Press Compute.")
            return self.tr("This grid belongs to an earlier text or model. Press Compute to update it.")
        if not self.view.picture.is_read(self.view.layout_now.columns):
            return self.tr("Some visible columns are not computed yet. Press Compute.")
        return explanation(
            one_token=self._shows == "token",
            followed=None if self._follow is None else self._follow[1],
            edited=self._state.looked_at is not None and bool(self._state.looked_at.edits),
        )
