"""HeadMetricsLoader: asks for all heads' metrics, and knows which of them may be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from headscope.core.analyse.records.head_types import HeadMetrics, HeadProbe
from headscope.core.requests.heads import MetricsRequest
from headscope.gui.lanes.answer import Answer
from headscope.gui.session.session import Session
from headscope.gui.words.notices import notice_of

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

_PATIENCE = 300
"""Milliseconds that marks of the text before may stay while the new ones are on their way."""


class HeadMetricsLoader(QObject):
    """The metrics of the heads of `state.record`, of their weights through whatever lens it is seen, as far as they are measured.

    Signals
    -------
    changed
        There are others.
    """

    changed = Signal()

    def __init__(self, state: Session, explorer: Explorer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._answer = Answer[HeadMetrics](explorer.long_questions, self)
        self._found: HeadMetrics | None = None
        self._joined: tuple[tuple[HeadMetrics, HeadProbe | None], HeadMetrics] | None = None
        self._outdated = QTimer(self, singleShot=True, interval=_PATIENCE)
        self._outdated.timeout.connect(self._forget)
        self._answer.came.connect(self._on_came)
        state.changed.connect(self._on_changed)

    @property
    def metrics(self) -> HeadMetrics | None:
        """What was measured of the heads that are looked at, on a probe as well; None before anything was."""
        found = self._found
        return self._with_probe(found) if found is not None and self._is_of_now(found) else None

    def _with_probe(self, found: HeadMetrics) -> HeadMetrics:
        """The same object as long as nothing else was measured."""
        key = found, self._state.head_probe
        if self._joined is None or self._joined[0] != key:
            self._joined = key, found.beside(self._state.head_probe)
        return self._joined[1]

    @property
    def marking(self) -> HeadMetrics | None:
        """What heads are marked by: for a moment that of the text before, so that nothing flickers."""
        state, found = self._state, self._found
        if found is None or state.record is None or self._is_of_now(found):
            return found if found is None else self._with_probe(found)
        shape = state.record.n_layers(state.kind), state.record.n_heads(state.kind)
        stays = self._outdated.isActive() and found.kind == state.kind and found.values["entropy"].shape == shape
        return self._with_probe(found) if stays else None

    @property
    def is_complete(self) -> bool:
        """Whether all heads that can be were measured, so that they can be sorted."""
        found = self.metrics
        return found is not None and found.measured == frozenset(found.record.kept_layers(found.kind))

    def ask(self, first: range) -> None:
        """Measure, the layers `first` before the others, unless it is done already or the next record is on its way."""
        state = self._state
        asked = self._answer.request
        if state.record is None or state.busy is not None or (asked is not None and self._is_of_now(asked)):
            return
        layers = sorted(range(state.record.n_layers(state.kind)), key=lambda layer: layer not in first)
        self._answer.ask(MetricsRequest(state.record.of_weights, state.kind, tuple(layers)))

    def _is_of_now(self, what: HeadMetrics | MetricsRequest) -> bool:
        record = self._state.record
        return record is not None and what.record is record.of_weights and what.kind == self._state.kind

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if names & {"record", "kind"} and not self._outdated.isActive():
            self._outdated.start()

    @Slot()
    def _forget(self) -> None:
        if self._found is not None and self.metrics is None:
            self._found = None
            self.changed.emit()

    @Slot()
    def _on_came(self) -> None:
        if self._answer.error is not None:
            self._state.update(notice=notice_of(self._answer.error))
            return
        found = self._answer.part if self._answer.is_waiting else self._answer.value  # which is what was streamed last
        if found is not None and self._is_of_now(found) and found is not self._found:
            self._found = found
            self.changed.emit()
