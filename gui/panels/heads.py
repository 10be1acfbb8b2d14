"""HeadsPanel: all heads of the model at a glance; choose the ones to look at."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QToolButton, QVBoxLayout, QWidget

from headscope.core.jobs import Head, Kind
from headscope.gui.paint.head_grid import HeadGridPicture
from headscope.gui.paint.theme import theme_of
from headscope.gui.state import ExplorerState
from headscope.gui.widgets.head_grid_view import HeadGridView
from headscope.gui.widgets.line_label import LineLabel

if TYPE_CHECKING:
    from headscope.gui.explorer import Explorer


class HeadsPanel(QWidget):
    """Layers × heads, with a choice of the kind of attention where a model has several."""

    def __init__(self, state: ExplorerState, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self.summary = LineLabel(muted=True)
        self.own_maximum = _flat_toggle(self.tr("Own scale"))
        self.own_maximum.setToolTip(self.tr("Scale each head to its own largest weight; otherwise the darkest is weight 1"))
        self.own_maximum.toggled.connect(self._show_pictures)
        self.mean = _flat_toggle(self.tr("Mean"))
        self.mean.setToolTip(
            self.tr("Each pixel is the mean of the weights it covers; otherwise the largest of them. Turns Own scale on")
        )
        self.mean.toggled.connect(self._pool)
        self.view = HeadGridView()
        self.view.chosen.connect(self._choose)
        self.view.layers_seen.connect(explorer.see_layers)
        self.kinds: dict[Kind, QToolButton] = {}
        self._kind_group = QButtonGroup(self)
        self._kind_row = QHBoxLayout()
        self._kind_row.setContentsMargins(12, 0, 12, 4)
        self._kind_row.setSpacing(4)
        top = QHBoxLayout()
        top.setContentsMargins(16, 0, 8, 4)
        top.addWidget(self.summary, 1)
        top.addWidget(self.mean)
        top.addWidget(self.own_maximum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 8)
        column.setSpacing(0)
        column.addLayout(top)
        column.addLayout(self._kind_row)
        column.addWidget(self.view, 1)
        self.setFocusProxy(self.view)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "record", "head"}))

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.view.set_theme(theme_of(self._state.dark))
        if names & {"record", "kind", "model"}:
            self._show_kinds()
        if names & {"thumbnails", "record", "kind", "model"}:
            self._show_pictures()
        if names & {"head", "heads"}:
            self.view.set_selection(self._state.head, self._state.color_of)

    @Slot(tuple, bool)
    def _choose(self, head: Head, extend: bool) -> None:
        self._explorer.select_head(head, extend)

    @Slot(bool)
    def _pool(self, mean: bool) -> None:
        if mean:  # on the scale from 0 to 1 the mean of a long text's weights is as good as white
            self.own_maximum.setChecked(True)
        self._explorer.pool_thumbnails("mean" if mean else "max")

    def _shape(self) -> tuple[int, int]:
        """How many layers and heads there are."""
        state = self._state
        if state.thumbnails is not None:
            return state.thumbnails.shape[0], state.thumbnails.shape[1]
        return state.model.layers.get(state.kind, (0, 0)) if state.model is not None else (0, 0)

    @Slot()
    def _show_pictures(self) -> None:
        n_layers, n_heads = self._shape()
        own = self.own_maximum.isChecked()
        self.view.set_picture(HeadGridPicture(n_layers, n_heads, self._state.thumbnails, each_to_its_maximum=own))
        words = self.tr("{n_layers} × {n_heads} heads") if n_layers else ""
        self.summary.set_text(words.format(n_layers=n_layers, n_heads=n_heads))

    def _show_kinds(self) -> None:
        """A button for each kind of attention, if there are several."""
        model = self._state.model
        wanted = list(model.layers) if model is not None and len(model.layers) > 1 else []
        if wanted != list(self.kinds):
            for button in self.kinds.values():
                self._kind_group.removeButton(button)
                button.deleteLater()
            self.kinds = {kind: self._kind_button(kind) for kind in wanted}
        if self._state.kind in self.kinds:
            self.kinds[self._state.kind].setChecked(True)

    def _kind_name(self, kind: Kind) -> str:
        return {"encoder": self.tr("Encoder"), "decoder": self.tr("Decoder"), "cross": self.tr("Cross")}[kind]

    def _kind_button(self, kind: Kind) -> QToolButton:
        button = _flat_toggle(self._kind_name(kind))
        button.clicked.connect(partial(self._explorer.set_kind, kind))
        self._kind_group.addButton(button)
        self._kind_row.addWidget(button)
        return button


def _flat_toggle(text: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("flat")
    button.setText(text)
    button.setCheckable(True)
    return button
