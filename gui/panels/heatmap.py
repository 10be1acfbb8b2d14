"""HeatmapPanel: the head that is looked at, as a heatmap."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from headscope.core.errors import HeadscopeError
from headscope.core.heatmap_jobs import Scores
from headscope.core.tokens import TokenAxis
from headscope.core.view_jobs import HeadMap, HeadOverview, Part
from headscope.gui.heatmap_numbers import HeatmapNumbers
from headscope.gui.paint.heatmap import HeatmapPicture, Picked
from headscope.gui.paint.heatmap_axes import boundaries_of
from headscope.gui.paint.marginals import Marginal
from headscope.gui.paint.theme import theme_of
from headscope.gui.state import Cell, ExplorerState, Marks
from headscope.gui.widgets.heatmap_controls import HeatmapControls
from headscope.gui.widgets.heatmap_view import HeatmapView
from headscope.gui.widgets.line_label import LineLabel

if TYPE_CHECKING:
    from headscope.gui.explorer import Explorer

_SEGMENTS = {"A": 0, "B": 1}


class HeatmapPanel(QWidget):
    """The heatmap of `state.head`; what is pointed at, pinned or picked out here is so in the other views too."""

    def __init__(self, state: ExplorerState, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._ends = (0.0, 1.0)
        self._bounded: tuple[TokenAxis, TokenAxis, tuple[tuple[int, ...], tuple[int, ...]]] | None = None
        self._numbers = HeatmapNumbers(state, explorer.questions, self)
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
        self.controls.scores.toggled.connect(self._choose_lens)
        self._arrange()
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"lens", "color_map"}))

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
        if "color_map" in names:
            self.controls.set_color_map(state.color_map)
        if "lens" in names:
            self._ends = (0.0, 1.0)
            self.controls.scores.setChecked(state.lens == "scores")
        if not self.isVisible():
            return  # what is not seen is not painted: see showEvent
        if "dark" in names:
            self.view.set_theme(theme_of(state.dark))
        if names & {"weights", "head", "queries", "keys", "part", "marks", "lens", "pairing", "color_map"}:
            self._show_head()
        if names & {"busy", "model"} and state.shown is None:
            self.view.set_hint(self._hint())
        if names & {"hover", "pinned", "weights", "row", "lens"}:
            self._show_focus()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._on_changed(frozenset({"dark", "weights", "hover", "busy"}))

    @property
    def _boundaries(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Where sentences begin on both axes."""
        queries, keys = self._state.queries, self._state.keys
        if self._bounded is None or self._bounded[0] is not queries or self._bounded[1] is not keys:
            of_queries = boundaries_of(queries)
            self._bounded = queries, keys, (of_queries, of_queries if keys is queries else boundaries_of(keys))
        return self._bounded[2]

    def _hint(self) -> str:
        """What to do, or to wait for, while there is no picture."""
        if self._state.busy is not None:
            return self.tr("A moment, please: {what}").format(what=self._state.busy.message)
        if self._state.model is None:
            return self.tr("Choose a model at the top left.")
        return self.tr("Type a sentence and press Enter to see who looks at whom.")

    def figure(self) -> HeatmapPicture | None:
        """The head that is looked at as a new picture, coloured as here; None while there is none."""
        state, values = self._state, self._values()
        if values is None or isinstance(values, HeadscopeError) or values.shape != (len(state.queries), len(state.keys)):
            return None
        look, shares = replace(self.controls.look, ends=self._ends), None
        if look.scale == "rank" and isinstance(values, np.ndarray) and (shares := self._numbers.shares(values)) is None:
            return None
        received, given = self._sums(values)
        return HeatmapPicture(
            values,
            state.queries,
            state.keys,
            look=look,
            of_scores=state.lens == "scores",
            part=self._part(),
            shares=shares,
            picked=Picked(state.marks.queries, state.marks.keys, self._pair()),
            received=received,
            given=given,
            boundaries=self._boundaries,
        )

    def _values(self) -> HeadMap | HeadscopeError | None:
        """Weights or scores, or why there are none."""
        if self._state.lens == "weights" or self._state.shown is None:
            return self._state.shown
        return self._numbers.scores()

    def _part(self) -> Part | Scores | None:
        """The part that was zoomed in on, if it is of what is shown."""
        state = self._state
        part = state.part if state.lens == "weights" else self._numbers.part
        if part is None:
            return None
        of = part.request.record, part.request.kind, part.request.head
        return part if of == (state.record, state.kind, state.head) else None

    def _sums(self, values: HeadMap) -> tuple[Marginal | None, Marginal | None]:
        """Over what was picked out of a large head."""
        marks = self._state.marks
        if isinstance(values, np.ndarray) or self._state.lens == "scores":
            return None, None
        sums = self._numbers.sums(marks.queries, marks.keys)
        if sums is None:
            return None, None
        received = None if sums.received is None else Marginal(sums.received, len(marks.queries))
        return received, None if sums.given is None else Marginal(sums.given, len(marks.keys))

    def _pair(self) -> tuple[int, int] | None:
        """The segments of a pair that are looked at, where there are two on both sides."""
        state = self._state
        if state.pairing == "all" or any(
            {0, 1} - {token.segment for token in axis.tokens} for axis in (state.queries, state.keys)
        ):
            return None
        return _SEGMENTS[state.pairing[0]], _SEGMENTS[state.pairing[1]]

    @Slot()
    def _show_head(self) -> None:
        state, values = self._state, self._values()
        if isinstance(values, HeadscopeError):
            self.view.set_picture(None)
            self.view.set_hint(f"{values.message}\n{values.remedy}")
        if values is not None and not isinstance(values, HeadscopeError):
            self.controls.allow(whole=isinstance(values, np.ndarray), scores=state.lens == "scores")
        picture = self.figure()
        if picture is None:
            return  # the old picture stays until the new one is whole
        name = self.tr("layer {layer} · head {head}").format(layer=state.head[0], head=state.head[1])
        if state.lens == "scores":
            name = self.tr("{head} · scores").format(head=name)
        first_look = isinstance(values, HeadOverview) and not values.exact
        self._title.set_text(f"{name} · {self.tr('approximate')}" if first_look else name)
        self._title.setToolTip(
            self.tr("A first look at some rows; the exact picture follows in a moment") if first_look else ""
        )
        self.view.set_note(name)
        self.view.set_picture(picture.sharing(self.view.picture))

    @Slot()
    def _show_what_came(self) -> None:
        if self.isVisible():
            self._show_head()
            self._show_focus()

    def _show_focus(self) -> None:
        state, (query, key) = self._state, (self._state.focus.query, self._state.focus.key)
        value = state.value(query, key)
        if state.lens == "scores":
            picture = self.view.picture
            value = self._numbers.score(query, key) if picture is not None and not picture.cells.is_whole else None
        self.view.set_focus(query, key, value)

    # ---------------------------------------------------------------- what is chosen
    @Slot()
    def _choose(self) -> None:
        """Another scale or other colours; what is dragged begins anew with another scale."""
        look, before = self.controls.look, self.view.picture
        if before is None or (look.scale, look.stretched) != (before.cells.look.scale, before.cells.look.stretched):
            self._ends = (0.0, 1.0)
        self._state.update(color_map=look.color_map)
        self._show_head()

    @Slot(bool)
    def _choose_lens(self, scores: bool) -> None:
        self._state.update(lens="scores" if scores else "weights")

    @Slot(float, float)
    def _move_ends(self, low: float, high: float) -> None:
        self._ends = (low, high)
        self._show_head()

    @Slot(object, object, int, int)
    def _look_closer(self, rows: range, keys: range, height: int, width: int) -> None:
        closer = self._numbers.closer if self._state.lens == "scores" else self._explorer.look_closer
        closer(rows, keys, height, width)

    @Slot(object, object)
    def _hover(self, query: int | None, key: int | None) -> None:
        self._state.update(hover=Cell(query, key))

    @Slot(object, object)
    def _pin(self, query: int | None, key: int | None) -> None:
        self._state.pin(Cell(query, key))

    @Slot(object, object)
    def _mark(self, query: int | None, key: int | None) -> None:
        """Pick out a row, a column or both, or let them go if they are picked out."""
        marks = self._state.marks
        known = (query is None or query in marks.queries) and (key is None or key in marks.keys)
        queries, keys = (
            tuple(old for old in before if old != at) if known else (*before, *(() if at is None or at in before else (at,)))
            for before, at in ((marks.queries, query), (marks.keys, key))
        )
        self._state.update(marks=Marks(queries, keys))

    @Slot()
    def _let_go(self) -> None:
        """What is pinned, and then what is picked out."""
        if self._state.pinned != Cell():
            self._state.update(pinned=Cell())
        else:
            self._state.update(marks=Marks())
