"""Sources: whose pictures are shown, those of the newest run (B) or of the reference (A), and which run that is."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject

from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.requests.request import AnyModelRequest
from headscope.core.run import Run
from headscope.gui.control.head_loader import HeadLoader
from headscope.gui.session.comparison import Reference
from headscope.gui.session.session import Session
from headscope.gui.session.source import A, B, Source
from headscope.gui.words.notices import notice_of


class Sources(QObject):
    """Remembers the reference, and shows one run or the other."""

    def __init__(self, state: Session, pictures: HeadLoader, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._pictures = pictures
        self._reference = Reference()

    def after(self, request: AnyModelRequest, run: Run, model: ModelInfo | None) -> dict[str, Any]:
        """What the session has to know when `run` is the newest: it is published with the run's picture."""
        self._reference.add(request, run, model)
        return {"source": B, **self._values}

    def keep(self, kept: bool) -> None:
        """Compare all further runs of this text and its edits with the present one, or each with the run before it again."""
        self._reference.keep(kept)
        if self._state.source != B:  # A is another run from now on
            self.show(B)
        self._state.update(**self._values)

    def show(self, source: Source) -> None:
        """Show the pictures and the predictions of a run; the text stays."""
        reference = self._state.reference
        run = reference if source == A else self._state.run
        if run is None or not self._state.can_show(source) or source == self._state.source:
            return
        minus = None if source.minus is None or reference is None else reference.record
        before = () if source == A else self._reference.predictions
        values: dict[str, Any] = {
            "predictions": run.predictions,
            "next_sentence": run.next_sentence,
            "before": before,
            "step": None,
        }
        try:
            self._pictures.show(run.record, minus=minus, source=source, **values)
        except HeadscopeError as error:  # as many tokens, and not as many words
            self._state.update(notice=notice_of(error))

    @property
    def _values(self) -> dict[str, Any]:
        reference = self._reference
        return {"reference": reference.run, "reference_kept": reference.is_kept, "before": reference.predictions}
