"""LogitLensCard: what one cell of the logit lens says: its best tokens, each of which can be followed through the layers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal, Slot
from PySide6.QtWidgets import QVBoxLayout, QWidget

from headscope.gui.paint.theme import Theme
from headscope.gui.widgets.plain import Label
from headscope.gui.widgets.probability_bars import Bar, ProbabilityBars
from headscope.gui.widgets.tall_area import TallArea

_MOST = 5
_LEAST_HEIGHT = 60
"""Of a low window: the title and the best token; the others scroll."""


class LogitLensCard(QWidget):
    """A title and the best tokens.

    Signals
    -------
    followed(token_id, label)
        A token was clicked, or Enter or Space pressed on it.
    """

    followed = Signal(int, str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._candidates: list[tuple[int, str, float]] = []
        self.title = Label()
        self.title.setWordWrap(True)
        self.title.setContentsMargins(16, 4, 16, 4)
        self.bars = ProbabilityBars()
        self.bars.setToolTip(self.tr("Click a token to follow it through the layers"))
        self.bars.setAccessibleName(self.tr("The most probable tokens of this cell"))
        self.bars.chosen.connect(self._follow)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.title)
        column.addWidget(self.bars)
        column.addStretch(1)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(TallArea(inner))
        self.setMinimumSize(180, _LEAST_HEIGHT)

    def sizeHint(self) -> QSize:
        """Room for all rows, so that nothing moves when the mouse does."""
        return QSize(240, round((_MOST + 1) * self.bars.row_rect(0).height()))

    def set_theme(self, theme: Theme) -> None:
        """Paint in this look from now on."""
        self.bars.set_theme(theme)

    def show_cell(self, title: str, candidates: Sequence[tuple[int, str, float]]) -> None:
        """Show (id, label, probability) of the best tokens, most probable first."""
        self._candidates = list(candidates)
        self.title.setText(title)
        self.bars.set_bars([Bar(label, probability) for _, label, probability in candidates])

    @Slot(int)
    def _follow(self, row: int) -> None:
        token_id, label, _ = self._candidates[row]
        self.followed.emit(token_id, label)
