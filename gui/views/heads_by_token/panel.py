"""HeadStripPanel: what each head of a layer looks at, token by token."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QSignalBlocker, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from headscope.core.attention.head_map import Side
from headscope.core.requests.tokens import TokenWeights, TokenWeightsRequest
from headscope.core.vocabulary import Head
from headscope.gui.lanes.answer import Answer
from headscope.gui.paint.head_grid import HeadGridPicture
from headscope.gui.paint.lens_words import named
from headscope.gui.paint.painted_figure import PaintedFigure
from headscope.gui.paint.scale_line import number_text
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.chosen_tokens import chosen_tokens, is_one_text
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.heads_by_token.figure import strip_figure, title_of
from headscope.gui.views.heads_by_token.paint import HeadStripPicture
from headscope.gui.views.heads_by_token.settings import HeadsByTokenSettings
from headscope.gui.views.heads_by_token.widget import HeadStripView
from headscope.gui.widgets.head_preview import SIDE
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.number_field import whole_field
from headscope.gui.widgets.plain import plain
from headscope.gui.widgets.scale_line import ScaleLine
from headscope.gui.widgets.wrapping_layout import WrappingLayout
from headscope.gui.words.notices import refusal_of

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_EVERYTHING = frozenset({"dark", "record", "heads", "views.heads_by_token"})
_OF_NUMBERS = frozenset({"record", "kind", "head", "queries", "keys", "hover", "pinned", "marks", "views.heads_by_token"})


class HeadStripPanel(QWidget):
    """Tokens down, the heads of one layer across, for the token that is looked at.

    Signals
    -------
    figure_changed
        Numbers have come that `figure` was without.
    """

    figure_changed = Signal()

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._to_reveal: int | None = None
        self.view = HeadStripView()
        self.view.pointed.connect(self._point_at)
        self.view.head_chosen.connect(self._choose_head)
        self.view.token_chosen.connect(self._choose_token)
        self.view.released.connect(self._release)
        self.scale = ScaleLine()
        self.title = LineLabel(muted=True)
        self.layer = whole_field(0, 0, 0)
        self.layer.setPrefix(self.tr("Layer "))
        self.layer.setAccessibleName(self.tr("Layer"))
        self.layer.setToolTip(self.tr("The layer whose heads are shown: arrow keys here, or Alt+Up and Alt+Down anywhere"))
        self.layer.setKeyboardTracking(False)
        self.layer.valueChanged.connect(self._choose_layer)
        self.sides: dict[Side, QToolButton] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(self._top_row())
        titles = QHBoxLayout()
        titles.setContentsMargins(16, 0, 8, 0)
        titles.addWidget(self.title, 1)
        titles.addWidget(self.layer)
        column.addLayout(titles)
        column.addWidget(self.view, 1)
        column.addWidget(self.scale)
        self.setFocusProxy(self.view)
        self._answer = Answer[TokenWeights](explorer.questions, self)
        self._answer.came.connect(self._on_came)
        state.changed.connect(self._on_changed)
        self._on_changed(_EVERYTHING)

    def _top_row(self) -> QHBoxLayout:
        group = QButtonGroup(self)
        bar = QWidget()
        buttons = WrappingLayout(bar)
        words: tuple[tuple[Side, str, str], ...] = (
            (
                "query",
                self.tr("Attends to"),
                self.tr("How much the chosen token attends to each token, in each head of the layer"),
            ),
            (
                "key",
                self.tr("Attended by"),
                self.tr("How much each token attends to the chosen one, in each head of the layer"),
            ),
        )
        for side, name, tip in words:
            button = _flat_toggle(name, tip)
            button.clicked.connect(partial(self.set_side, side))
            group.addButton(button)
            buttons.addWidget(button)
            self.sides[side] = button
        self.whole = _flat_toggle(
            self.tr("Fit all"),
            self.tr("Show all tokens at once instead of scrolling; a pixel that covers several shows the largest weight"),
        )
        self.whole.toggled.connect(self._set_whole)
        buttons.addWidget(self.whole)
        row = QHBoxLayout()
        row.setContentsMargins(12, 0, 8, 2)
        row.addWidget(bar)
        return row

    @Slot()
    def set_side(self, side: Side, _checked: bool = True) -> None:
        """What the chosen token looks at ("query"), or who looks at it ("key")."""
        self._state.set_view(HeadsByTokenSettings, side=side)

    @Slot(bool)
    def _set_whole(self, whole: bool) -> None:
        self._state.set_view(HeadsByTokenSettings, whole=whole)

    @property
    def _side(self) -> Side:
        return self._state.view(HeadsByTokenSettings).side

    # ---------------------------------------------------------------- what is shown
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_changed(_EVERYTHING)

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        state = self._state
        if "dark" in names:
            self.view.set_theme(theme_of(state.dark))
            self.scale.set_theme(theme_of(state.dark))
        if "views.heads_by_token" in names:
            chosen = state.view(HeadsByTokenSettings)
            self.sides[chosen.side].setChecked(True)
            with QSignalBlocker(self.whole):
                self.whole.setChecked(chosen.whole)
            self.view.set_whole(chosen.whole)
        if not self.isVisible():
            return
        if names & {"record", "kind", "head"}:
            self._show_layer()
        if names & _OF_NUMBERS:
            self._ask()
        if names & {"head", "heads", "record", "dark"}:
            self._show_heads()
        if "hover" in names:
            self.view.set_lit(self._row_of(state.hover))
        if names & {"find", "record", "views.heads_by_token"}:
            self._show_found()
        if "pinned" in names:
            row = self._row_of(state.pinned)
            own = state.pinned.query if self._side == "query" else state.pinned.key
            self._to_reveal = own if row is None and is_one_text(state) else row
            self._reveal()

    def _show_found(self) -> None:
        find = self._state.find
        self.view.set_found(find.keys if self._side == "query" else find.queries)

    def _reveal(self) -> None:
        """A token that was pinned elsewhere comes into sight, as soon as there is a picture."""
        if self._to_reveal is not None and self.view.picture is not None:
            self.view.reveal(self._to_reveal)
            self._to_reveal = None

    def _show_layer(self) -> None:
        state = self._state
        n_layers = 1 if state.record is None else state.record.n_layers(state.kind)
        self.layer.blockSignals(True)
        self.layer.setRange(0, n_layers - 1)
        self.layer.setValue(state.head[0])
        self.layer.blockSignals(False)
        self.layer.setEnabled(n_layers > 1)

    def _show_heads(self) -> None:
        theme, layer = theme_of(self._state.dark), self._state.head[0]
        colors = {head: theme.head_color(number) for (of, head), number in self._state.color_of.items() if of == layer}
        self.view.set_heads(colors)

    def _row_of(self, cell: Cell) -> int | None:
        """The token of the rows that a cell points at."""
        return cell.key if self._side == "query" else cell.query

    def _ask(self) -> None:
        """Ask for what is looked at, if it is not there; the old picture stays until the new one is whole."""
        state, record, shown = self._state, self._state.record, self._shown
        positions = chosen_tokens(state, self._side)
        if not positions and shown is not None and shown.side == self._side:
            positions = shown.positions  # nothing is pointed at: what was stays
        if record is None or not positions:
            words = self.tr("Point at a word, or click to pin it")
            self._clear(self.tr("The heads of a layer appear here after the first run.") if record is None else words)
            return
        heads: tuple[Head, ...] = tuple((state.head[0], head) for head in range(record.n_heads(state.kind)))
        self._answer.ask(TokenWeightsRequest(record, state.kind, heads, positions, self._side))

    @property
    def _shown(self) -> TokenWeightsRequest | None:
        """What the picture is of; None while it is of a record that is not shown any more."""
        state = self._state
        request = None if self._answer.value is None else self._answer.value.request
        return request if request is not None and (request.record, request.kind) == (state.record, state.kind) else None

    def _clear(self, hint: str) -> None:
        self._answer.drop()
        self.view.set_hint(hint)
        self.view.set_picture(None, ())
        self.title.set_text("")
        self.scale.show_scale(None, "")

    @Slot()
    def _on_came(self) -> None:
        if self._answer.error is not None:
            self._clear(refusal_of(self._answer.error))
        elif self._answer.value is not None and self._answer.value.request.record is self._state.record:
            self._show(self._answer.value)
        self.figure_changed.emit()

    def _show(self, answer: TokenWeights) -> None:
        own, other = self._state.queries, self._state.keys
        if self._side == "key":
            own, other = other, own
        positions = answer.request.positions
        lens = answer.request.record.lens
        picture = HeadStripPicture(answer.weights, other, lens)
        self.view.set_picture(picture, positions if is_one_text(self._state) else ())
        self._reveal()
        self.title.set_text(named(title_of(own, positions, self._side, answer.request.heads[0][0]), lens))
        self._show_number(None, None)

    def figure(self) -> PaintedFigure | None:
        """The weights that are shown, or would be if this were seen; None while there are none."""
        if not self.isVisible():
            self._ask()
        shown = self.view.picture
        if shown is None or self._shown is None or not self._answer.is_current:
            return None
        return strip_figure(shown.weights, shown.axis, self.view.chosen, self.title.text(), shown.lens)

    def _show_number(self, token: int | None, head: int | None) -> None:
        picture = self.view.picture
        if picture is None:
            return
        note = ""
        if token is not None and head is not None:
            value = number_text(float(picture.weights[head, token])) or self.tr("masked")
            note = self.tr("head {head} · {token}  {value}").format(
                head=head, token=picture.axis.tokens[token].text, value=value
            )
        self.scale.show_scale(picture.scale(theme_of(self._state.dark)), note)

    # ---------------------------------------------------------------- pointing and choosing
    @Slot(object, object)
    def _point_at(self, token: int | None, head: int | None) -> None:
        self._show_number(token, head)
        self._preview(head)
        shown = self._shown
        if shown is None:
            return
        one = shown.positions[0] if len(shown.positions) == 1 else None
        cell = Cell(one, token) if self._side == "query" else Cell(token, one)
        self._state.update(hover=Cell() if token is None else cell)

    def _preview(self, head: int | None) -> None:
        state = self._state
        layer = state.head[0]
        if head is None or state.thumbnails is None or head >= state.thumbnails.shape[1]:
            self.view.hide_preview()
            return
        alone = HeadGridPicture(1, 1, state.thumbnails[layer : layer + 1, head : head + 1], lens=state.shown_lens)
        picture = alone.one((0, 0), round(SIDE * self.devicePixelRatioF()), theme_of(state.dark))
        self.view.show_preview(self.tr("layer {layer} · head {head}").format(layer=layer, head=head), picture)

    @Slot(int, bool)
    def _choose_head(self, head: int, extend: bool) -> None:
        self._explorer.select_head((self._state.head[0], head), extend)

    @Slot(int)
    def _choose_token(self, token: int) -> None:
        """The token of a row becomes the one that is looked at, where queries and keys are one text."""
        if self._shown is None:
            return
        self._state.update(marks=Marks())
        as_query = (self._side == "query") == is_one_text(self._state)
        self._state.pin(Cell(query=token) if as_query else Cell(key=token))

    @Slot()
    def _release(self) -> None:
        self._state.update(pinned=Cell(), marks=Marks())

    @Slot(int)
    def _choose_layer(self, layer: int) -> None:
        self._explorer.select_head((layer, self._state.head[1]))


def _flat_toggle(name: str, tip: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("flat")
    button.setCheckable(True)
    button.setText(name)
    button.setToolTip(plain(tip))
    return button
