"""HeadProber: has all heads measured on random tokens that are repeated, and keeps the answer until another model is opened."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Slot

from headscope.core.requests.probe import ProbeRequest
from headscope.gui.session.session import Session
from headscope.gui.words.notices import notice_of

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer


class HeadProber(QObject):
    """Asks the model, says why there is no answer, and puts the answer into the session."""

    def __init__(self, state: Session, explorer: Explorer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._answer = explorer.answer_of_model(self)
        self._answer.came.connect(self._on_came)

    @Slot()
    def measure(self) -> None:
        """Measure; once more if it was done."""
        self._answer.drop()
        self._explorer.ask(self._answer, ProbeRequest())

    @Slot()
    def _on_came(self) -> None:
        if self._answer.error is not None:
            self._state.update(notice=notice_of(self._answer.error))
        elif not self._answer.is_waiting:
            self._state.update(head_probe=self._answer.value)
