"""HeatmapPanel: the head that is looked at, as a heatmap."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from headscope.core.attention.head_map import HeadMap, HeadOverview
from headscope.core.attention.lens import WEIGHTS
from headscope.core.requests.cells import Part, PartRequest
from headscope.core.text.tokens import TokenAxis
from headscope.gui.paint.lens_words import lens_help, lens_name, named
from headscope.gui.paint.scales import Look
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.chosen_tokens import mark
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.heatmap.controls import HeatmapControls
from headscope.gui.views.heatmap.paint.axes import boundaries_of
from headscope.gui.views.heatmap.paint.marginals import Marginal
from headscope.gui.views.heatmap.paint.picture import HeatmapPicked, HeatmapPicture
from headscope.gui.views.heatmap.settings import HOME, HeatmapSettings
from headscope.gui.views.heatmap.widget import HeatmapView
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.plain import plain

if TYPE_CHECKING:
    from headscope.gui.control.looking import Looking

_SEGMENTS = {"A": 0, "B": 1}


class HeatmapPanel(QWidget):
    """The heatmap of `state.head`; what is pointed at, pinned or picked out here is so in the other views too."""

    def __init__(self, state: Session, explorer: Looking, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._bounded: tuple[TokenAxis, TokenAxis, tuple[tuple[int, ...], tuple[int, ...]]] | None = None
        self._numbers = explorer.numbers
        self._numbers.came.connect(self._show_what_came)
        self.view = HeatmapView()
        self.view.hovered.connect(self._hover)
        self.view.clicked.connect(self._pin)
        self.view.released.connect(self._let_go)
        self.view.marked.connect(self._mark)
        self.view.part_wanted.connect(self._look_closer)
        self.view.ends_moved.connect(self._move_ends)
        self._title = LineLabel(muted=True)
        self.controls = HeatmapControls()
        self.to_maximum = self.controls.to_maximum
        self.controls.chosen.connect(self._choose)
        self.controls.lens_chosen.connect(explorer.set_lens)
        self._arrange()
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"lens"}))

    def _arrange(self) -> None:
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 8, 0)
        row.addWidget(self._title, 1)
        row.addWidget(self.controls)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.view, 1)
        self.setFocusProxy(self.view)

    # ---------------------------------------------------------------- what is shown
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        state = self._state
        if names & {"lens", "source", "views.heatmap"}:
            self.controls.show_settings(state.view(HeatmapSettings), state.shown_lens)
        if not self.isVisible():
            return  # what is not seen is not painted: see showEvent
        if "dark" in names:
            self.view.set_theme(theme_of(state.dark))
        if names & {"weights", "head", "queries", "keys", "part", "marks", "lens", "pairing", "views.heatmap"}:
            self._show_head()
        if names & {"busy", "model"} and state.shown is None:
            self.view.set_hint(self._hint())
        if names & {"hover", "pinned", "weights", "row", "lens"}:
            self._show_focus()
        if "find" in names:
            self._show_found()

    def _show_found(self) -> None:
        find = self._state.find
        self.view.set_found(find.queries, find.keys)
        if find.current is not None:
            self.view.reveal(find.cell.query, find.cell.key)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_changed(frozenset({"dark", "weights", "hover", "busy", "find"}))

    @property
    def _boundaries(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where sentences begin on both axes."""
        queries, keys = self._state.queries, self._state.keys
        if self._bounded is None or self._bounded[0] is not queries or self._bounded[1] is not keys:
            of_queries = boundaries_of(queries)
            self._bounded = queries, keys, (of_queries, of_queries if keys is queries else boundaries_of(keys))
        return self._bounded[2]

    @property
    def _look(self) -> Look:
        """How what is shown is coloured."""
        return self._state.view(HeatmapSettings).look(self._state.shown_lens)

    def _hint(self) -> str:
        """What to do, or to wait for, while there is no picture."""
        if self._state.busy is not None:
            return self.tr("Please wait: {what}").format(what=self._state.busy.message)
        if self._state.model is None:
            return self.tr("Choose a model at the top left.")
        return self.tr("Type a sentence and press Enter to see what attends to what.")

    def figure(self) -> HeatmapPicture | None:
        """The head that is looked at as a new picture, coloured as here; None while there is none."""
        state, values = self._state, self._state.shown
        if values is None or values.shape != (len(state.queries), len(state.keys)):
            return None
        look = self._look
        ranks = self._numbers.ranks(values) if look.scale == "rank" else None
        if look.scale == "rank" and ranks is None and isinstance(values, np.ndarray):
            return None  # those of a large head take longer: it is shown without them
        received, given = self._sums(values)
        return HeatmapPicture(
            values,
            state.queries,
            state.keys,
            look=look,
            lens=state.shown_lens,
            hidden=None if state.shown_lens.hides else self._numbers.hidden(),
            note=self._note(),
            part=self._part(),
            ranks=ranks,
            picked=HeatmapPicked(state.marks.queries, state.marks.keys, self._pair()),
            received=received,
            given=given,
            boundaries=self._boundaries,
            head=state.head,
        )

    @property
    def zoomed(self) -> tuple[range, range] | None:
        """The queries and the keys that are seen, at least in part; None if all are."""
        layout, picture = self.view.layout_now(), self.view.picture
        if picture is None or layout is None or layout.view == picture.whole:
            return None
        return layout.shown(len(picture.queries), queries=True), layout.shown(len(picture.keys), queries=False)

    def _note(self) -> str:
        """Of what is from before the softmax: whether weights were set after it."""
        state = self._state
        before = state.record is not None and state.record.is_before_edits(*state.head, state.kind)
        words = self.tr("{lens} before this run's edit of the weights")
        return words.format(lens=lens_name(state.shown_lens)) if before else ""

    def _part(self) -> Part | None:
        """The part that was zoomed in on, if it is of what is shown."""
        part = self._state.part
        if part is None:
            return None
        of = part.request
        return part if of == self._part_request(of.rows, of.keys, of.height, of.width) else None

    def _part_request(self, rows: range, keys: range, height: int, width: int) -> PartRequest | None:
        state, by_row = self._state, self._look.scale == "row"
        if state.record is None:
            return None
        return PartRequest(state.record, state.kind, state.head, rows, keys, height, width, by_row)

    def _sums(self, values: HeadMap) -> tuple[Marginal | None, Marginal | None]:
        """Over what was picked out of a large head."""
        marks = self._state.marks
        if not isinstance(values, HeadOverview):
            return None, None
        sums = self._numbers.sums(marks.queries, marks.keys)
        if sums is None:
            return None, None
        received = None if sums.received is None else Marginal(sums.received, len(marks.queries))
        return received, None if sums.given is None else Marginal(sums.given, len(marks.keys))

    def _pair(self) -> tuple[int, int] | None:
        """The segments of a pair that are looked at, where there are two on both sides."""
        state = self._state
        if state.pairing == "all" or not (state.queries.is_pair and state.keys.is_pair):
            return None
        return _SEGMENTS[state.pairing[0]], _SEGMENTS[state.pairing[1]]

    @Slot()
    def _show_head(self) -> None:
        state = self._state
        if state.shown is not None:
            self.controls.tell_of(whole=isinstance(state.shown, np.ndarray))
        picture = self.figure()
        if not state.weights:  # there is no picture any more, and none is on its way
            self.view.set_picture(None)
            self.view.set_hint(self._hint())
        if picture is None:
            return  # the old picture stays until the new one is whole
        self._name(picture)
        self.view.set_picture(picture.sharing(self.view.picture))

    def _name(self, picture: HeatmapPicture) -> None:
        """Say what is shown, and what of it is not final."""
        state, hints = self._state, []
        name = self.tr("layer {layer} · head {head}").format(layer=state.head[0], head=state.head[1])
        name = named(name, state.shown_lens)
        self.view.set_note(name)
        if state.shown_lens != WEIGHTS:
            hints.append(lens_help(state.shown_lens))
        if isinstance(picture.weights, HeadOverview) and not picture.weights.exact:
            name = self.tr("{head} · approximate").format(head=name)
            hints.append(self.tr("Preview from some of the rows; the exact picture follows shortly"))
        if picture.cells.look.scale != self._look.scale:
            name = self.tr("{head} · computing ranks").format(head=name)
            hints.append(self.tr("Linear until the ranks of all cells are computed"))
        self._title.set_text(name)
        self._title.setToolTip(plain("\n".join(hints)))

    @Slot()
    def _show_what_came(self) -> None:
        if self.isVisible():
            self._show_head()
            self._show_focus()

    def _show_focus(self) -> None:
        state, (query, key) = self._state, (self._state.focus.query, self._state.focus.key)
        value = state.value(query, key)
        picture = self.view.picture
        hidden = picture.cells.hidden if picture is not None else None
        if value == 0 and hidden is not None and query is not None and key is not None and hidden[query, key]:
            value = math.nan
        self.view.set_focus(query, key, value)

    # ---------------------------------------------------------------- what is chosen
    @Slot(str, object)
    def _choose(self, field: str, value: object) -> None:
        """Another scale or other colours; what is dragged begins anew with another scale."""
        home = {} if field == "color_map" else {"ends": HOME}
        self._state.set_view(HeatmapSettings, **{field: value}, **home)

    @Slot(float, float)
    def _move_ends(self, low: float, high: float) -> None:
        self._state.set_view(HeatmapSettings, ends=(low, high), ends_of=self._state.shown_lens.id)

    @Slot(object, object, int, int)
    def _look_closer(self, rows: range, keys: range, height: int, width: int) -> None:
        if (wanted := self._part_request(rows, keys, height, width)) is not None:
            self._explorer.look_closer(wanted)

    @Slot(object, object)
    def _hover(self, query: int | None, key: int | None) -> None:
        self._state.update(hover=Cell(query, key))

    @Slot(object, object)
    def _pin(self, query: int | None, key: int | None) -> None:
        self._state.pin(Cell(query, key))

    @Slot(object, object)
    def _mark(self, query: int | None, key: int | None) -> None:
        mark(self._state, Cell(query, key))

    @Slot()
    def _let_go(self) -> None:
        """What is pinned, and then what is picked out."""
        if self._state.pinned != Cell():
            self._state.update(pinned=Cell())
        else:
            self._state.update(marks=Marks())
