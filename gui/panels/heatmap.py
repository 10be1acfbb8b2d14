"""HeatmapPanel: the head that is looked at, as a heatmap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from headscope.gui.paint.heatmap import HeatmapPicture
from headscope.gui.paint.theme import theme_of
from headscope.gui.state import Cell, ExplorerState
from headscope.gui.widgets.heatmap_view import HeatmapView
from headscope.gui.widgets.line_label import LineLabel

if TYPE_CHECKING:
    from headscope.gui.explorer import Explorer


class HeatmapPanel(QWidget):
    """The heatmap of `state.head`; a cell that is pointed at or pinned here is so in the links too."""

    def __init__(self, state: ExplorerState, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.view = HeatmapView()
        self.view.hovered.connect(self._hover)
        self.view.clicked.connect(self._pin)
        self.view.released.connect(self._unpin)
        self.view.part_wanted.connect(explorer.look_closer)
        self._title = LineLabel(muted=True)
        self.to_maximum = QToolButton()
        self.to_maximum.setObjectName("flat")
        self.to_maximum.setCheckable(True)
        self.to_maximum.setText(self.tr("Stretch colours"))
        self.to_maximum.setToolTip(
            self.tr("Colours from 0 to this head's largest weight instead of to 1; the values stay as they are")
        )
        self.to_maximum.toggled.connect(self._show_head)
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 8, 0)
        row.addWidget(self._title, 1)
        row.addWidget(self.to_maximum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.view, 1)
        self.setFocusProxy(self.view)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "weights", "hover", "busy"}))

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.view.set_theme(theme_of(self._state.dark))
        if names & {"weights", "head", "queries", "keys", "part"}:
            self._show_head()
        if names & {"busy", "model"} and self._state.shown is None:
            self.view.set_hint(self._hint())
        if names & {"hover", "pinned", "weights", "row"}:
            query, key = self._state.focus.query, self._state.focus.key
            self.view.set_focus(query, key, self._state.value(query, key))

    def _hint(self) -> str:
        """What to do, or to wait for, while there is no picture."""
        if self._state.busy is not None:
            return self.tr("A moment, please: {what}").format(what=self._state.busy.message)
        if self._state.model is None:
            return self.tr("Choose a model at the top left.")
        return self.tr("Type a sentence and press Enter to see who looks at whom.")

    def figure(self) -> HeatmapPicture | None:
        """The head that is looked at as a new picture, coloured as here; None while there is none."""
        state, weights = self._state, self._state.shown
        if weights is None or weights.shape != (len(state.queries), len(state.keys)):
            return None
        part = state.part
        if part is not None and (part.request.record, part.request.kind, part.request.head) != (
            state.record,
            state.kind,
            state.head,
        ):
            part = None
        return HeatmapPicture(weights, state.queries, state.keys, to_maximum=self.to_maximum.isChecked(), part=part)

    @Slot()
    def _show_head(self) -> None:
        state, picture = self._state, self.figure()
        if picture is None:
            return  # the old picture stays until the new one is whole
        name = self.tr("layer {layer} · head {head}").format(layer=state.head[0], head=state.head[1])
        first_look = not isinstance(state.shown, np.ndarray) and state.shown is not None and not state.shown.exact
        self._title.set_text(f"{name} · {self.tr('approximate')}" if first_look else name)
        self._title.setToolTip(
            self.tr("A first look at some rows; the exact picture follows in a moment") if first_look else ""
        )
        self.view.set_note(name)
        self.view.set_picture(picture)

    @Slot(object, object)
    def _hover(self, query: int | None, key: int | None) -> None:
        self._state.update(hover=Cell(query, key))

    @Slot(object, object)
    def _pin(self, query: int | None, key: int | None) -> None:
        self._state.pin(Cell(query, key))

    @Slot()
    def _unpin(self) -> None:
        self._state.update(pinned=Cell())
