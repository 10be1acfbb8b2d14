"""StatusPanel: what is under the mouse on the left; on what, how and how fast it was computed on the right."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QWidget

from headscope.core.attention.lens import WEIGHTS
from headscope.core.errors import readable_bytes
from headscope.core.keep import Keep
from headscope.core.vocabulary import Backend
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.lens_words import lens_name
from headscope.gui.paint.scales import written
from headscope.gui.session.session import Session
from headscope.gui.widgets.line_label import LineLabel
from headscope.gui.widgets.plain import Label, plain
from headscope.gui.window.source_switch import SourceSwitch
from headscope.gui.words.notices import notes_of

_LEFT = frozenset({"head", "weights", "row", "hover", "pinned", "queries", "keys", "kind", "lens"})
_RIGHT = frozenset({"kept", "model", "run", "record", "queries", "keys", "units"})


class StatusPanel(QWidget):
    """One line at the bottom of the window."""

    def __init__(self, state: Session, explorer: Explorer, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._left = LineLabel()
        self._right = Label()
        self._right.setObjectName("muted")
        self._right.setTextFormat(Qt.TextFormat.PlainText)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.addWidget(self._left, 1)
        row.addWidget(SourceSwitch(state, explorer))
        row.addWidget(self._right)
        state.changed.connect(self._on_changed)
        self._on_changed(_LEFT | _RIGHT)

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & _LEFT:
            self._left.set_text(self._looked_at())
        if names & _RIGHT:
            self._right.setText(self._how())
            self._right.setToolTip(plain(notes_of(self._state.model)))
        if "presenting" in names:
            self._right.setVisible(not self._state.presenting)  # an audience does not ask for megabytes

    def _looked_at(self) -> str:
        state = self._state
        if state.shown is None:
            return ""
        parts = [self.tr("layer {0}").format(state.head[0]), self.tr("head {0}").format(state.head[1])]
        query, key = state.focus.query, state.focus.key
        if query is not None and key is not None and query < len(state.queries) and key < len(state.keys):
            number = self._number(query, key)
            parts.append(f"{state.queries.tokens[query].text} → {state.keys.tokens[key].text}  {number}")
        return " · ".join(parts)

    def _number(self, query: int, key: int) -> str:
        """What the lens shows of a cell, and which lens it is, if it is not weights."""
        value = self._state.value(query, key)
        if value is not None and math.isnan(value):
            return self.tr("masked")
        number = "…" if value is None else written(value)
        return number if self._state.shown_lens == WEIGHTS else f"{lens_name(self._state.shown_lens)} {number}"

    def _how(self) -> str:
        state, model = self._state, self._state.model
        if state.kept:
            return self.tr("Kept picture; being confirmed")
        parts = []
        if model is not None:
            parts = [self.tr("note (point here)")] if model.notes else []
            parts += [model.name, model.device, model.dtype, self.tr("weights {0}").format(readable_bytes(model.memory_bytes))]
        if state.record is not None:
            if not state.record.kept.half:
                parts.append(self._backend(state.record.backend))
            parts += self._kept(state.record.kept, state.record.n_layers(state.kind))
            parts.append(self.tr("%n token(s)", "", len(state.queries)))
            parts.append(self.tr("record {0}").format(readable_bytes(state.record.nbytes)))
        if state.run is not None:
            parts.append(_readable_seconds(state.run.seconds))
        return " · ".join(parts)

    def _kept(self, keep: Keep, n_layers: int) -> list[str]:
        """What of the pass is not there, or not exactly."""
        parts = [self.tr("kept in half precision, weights approximate")] if keep.half else []
        if keep.layers is not None:
            parts.append(self.tr("{0} of {1} layers kept").format(len(keep.layers), n_layers))
        if keep.place == "host":
            parts.append(self.tr("kept in the computer's memory"))
        return parts

    def _backend(self, backend: Backend) -> str:
        return {
            "fast": self.tr("fast, exact"),
            "own": self.tr("the model's own code, exact"),
            "fallback": self.tr("the model's own weights, slow"),
            "given": self.tr("weights as given"),
        }[backend]


def _readable_seconds(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds >= 1 else f"{1000 * seconds:.0f} ms"
