"""LinksPanel: the tokens twice, and lines for who looks at whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSlider, QToolButton, QVBoxLayout, QWidget

from headscope.gui.paint.links import LinksPicture
from headscope.gui.paint.theme import theme_of
from headscope.gui.state import Cell, ExplorerState
from headscope.gui.widgets.link_view import LinkView

if TYPE_CHECKING:
    from headscope.gui.explorer import Explorer

_MOST_HIDDEN = 50  # hundredths of weight, the slider's right end


class LinksPanel(QWidget):
    """The links of the chosen heads; a token that is pointed at or pinned here is so in the heatmap too."""

    def __init__(self, state: ExplorerState, _explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self.view = LinkView()
        self.view.hovered.connect(self._hover)
        self.view.clicked.connect(self._pin)
        self.view.released.connect(self._unpin)
        self.threshold = QSlider(Qt.Orientation.Horizontal)
        self.threshold.setRange(0, _MOST_HIDDEN)
        self.threshold.setMaximumWidth(140)
        self.threshold.setAccessibleName(self.tr("Hide links under"))
        self.threshold.valueChanged.connect(self._show_links)
        self._value = QLabel()
        self._value.setObjectName("muted")
        self.whole = QToolButton()
        self.whole.setObjectName("flat")
        self.whole.setCheckable(True)
        self.whole.setText(self.tr("Whole text"))
        self.whole.setToolTip(self.tr("Show all tokens at once instead of scrolling"))
        self.whole.toggled.connect(self.view.set_whole)
        row = QHBoxLayout()
        row.setContentsMargins(16, 0, 8, 0)
        row.setSpacing(8)
        row.addWidget(self._value)
        row.addWidget(self.threshold, 100)
        row.addStretch(1)
        row.addWidget(self.whole)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(0)
        column.addLayout(row)
        column.addWidget(self.view, 1)
        self.setFocusProxy(self.view)
        state.changed.connect(self._on_changed)
        self._on_changed(frozenset({"dark", "weights", "hover"}))

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "dark" in names:
            self.view.set_theme(theme_of(self._state.dark))
        if names & {"weights", "heads", "queries", "keys"}:
            self._show_links()
        if names & {"hover", "pinned"}:
            self.view.set_focus(self._state.focus.query, self._state.focus.key)
        if "pinned" in names:
            self._reveal(self._state.pinned)

    def _reveal(self, cell: Cell) -> None:
        """A token that was pinned in another panel comes into sight."""
        row = cell.query if cell.query is not None else cell.key
        if row is not None and row < self.view.picture.n_rows:
            self.view.reveal(row)

    def figure(self) -> LinksPicture | None:
        """The links that are looked at as a new picture, chosen as here; None while there are none."""
        picture = self._picture()
        return picture if picture.weights else None

    def _picture(self) -> LinksPicture:
        state, threshold = self._state, self.threshold.value() / 100
        shape = len(state.queries), len(state.keys)
        weights = {head: state.weights[head] for head in state.heads if head in state.weights}
        weights = {head: matrix for head, matrix in weights.items() if matrix.shape == shape}
        return LinksPicture(weights, state.queries, state.keys, colors=state.color_of, threshold=threshold)

    @Slot()
    def _show_links(self) -> None:
        self.view.set_picture(self._picture())
        self._value.setText(self.tr("Hide under {threshold:.2f}").format(threshold=self.threshold.value() / 100))

    @Slot(object, object)
    def _hover(self, query: int | None, key: int | None) -> None:
        self._state.update(hover=Cell(query, key))

    @Slot(object, object)
    def _pin(self, query: int | None, key: int | None) -> None:
        self._state.pin(Cell(query, key))

    @Slot()
    def _unpin(self) -> None:
        self._state.update(pinned=Cell())
