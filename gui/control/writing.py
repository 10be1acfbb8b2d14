"""Writing: puts what a model writes, step by step, into the state and the pictures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from headscope.core.forward.model_info import ModelInfo
from headscope.core.predict.results import BeamStep, FillStep, GenerationStep, Prediction
from headscope.gui.control.head_loader import HeadLoader
from headscope.gui.session.session import Session
from headscope.gui.session.source import B
from headscope.gui.session.steps import predicted

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_FRAME_MILLISECONDS = 16
Written = GenerationStep | FillStep


class Writing(QObject):
    """Shows what has arrived since the last frame, at once: a small model writes faster than a screen can be painted.

    Parameters
    ----------
    state, pictures
        What is changed.
    write : callable
        Puts a text into a field of the state.

    Signals
    -------
    interrupted()
        The user types into the field: their words come before the model's.
    """

    interrupted = Signal()

    def __init__(
        self, state: Session, pictures: HeadLoader, write: Callable[[str, str], None], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._pictures = pictures
        self._put = write
        self._model: ModelInfo | None = None
        self._arrived: list[Written | BeamStep] = []
        self._fillings: dict[int, Prediction] = {}
        self._field = "text"  # that a generation or a filling writes into, and what it left there
        self.left = ""
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(_FRAME_MILLISECONDS)
        self._frame.timeout.connect(self.show_arrived)

    @property
    def fillings(self) -> tuple[Prediction, ...]:
        """What could stand at each mask that was filled, as it was last asked."""
        return tuple(self._fillings.values())

    def begin(self, field: str, model: ModelInfo | None, *, branch_at: int | None = None) -> None:
        """From now on steps are written into `field`: in the place of all before, or as another branch from step `branch_at` on."""
        state = self._state
        self._field, self._model, self._fillings = field, model, {}
        self.left = getattr(state, field)
        steps = () if branch_at is None else state.steps[:branch_at]
        others = () if branch_at is None else state.branches
        state.update(steps=steps, branches=(*others, steps), branch=len(others), step=None, beams=None, pending=None)

    def take(self, step: object) -> None:
        """A step has arrived."""
        if isinstance(step, GenerationStep | FillStep | BeamStep):
            self._arrived.append(step)
            if not self._frame.isActive():
                self._frame.start()

    def drop(self) -> None:
        """Forget what has arrived and is not shown yet."""
        self._arrived.clear()

    @Slot()
    def show_arrived(self) -> None:
        """Show it now."""
        self._frame.stop()
        arrived, self._arrived = tuple(self._arrived), []
        if not arrived:
            return
        if getattr(self._state, self._field) != self.left:
            self.interrupted.emit()
            return
        last = arrived[-1]
        if isinstance(last, BeamStep):
            best = last.best.steps[-1]
            self._state.update(beams=last)
            self._show(best.text, best.record, (best.prediction,))
            return
        steps = tuple(step for step in arrived if not isinstance(step, BeamStep))
        for step in steps:
            if isinstance(step, FillStep):
                self._fillings[step.position] = predicted(step)
        so_far, branches, at = (*self._state.steps, *steps), self._state.branches, self._state.branch
        self._state.update(steps=so_far, branches=(*branches[:at], so_far, *branches[at + 1 :]), beams=None)
        self._show(last.text, last.record, (last.prediction,) if isinstance(last, GenerationStep) else self.fillings)

    def show_branch(self, branch: int) -> None:
        """Show what the model wrote along one of the branches."""
        steps = self._state.branches[branch]
        last = steps[-1] if steps else None  # a fork at the first token that was stopped at once has none
        if isinstance(last, GenerationStep):
            self._state.update(steps=steps, branch=branch)
            self._show(last.text, last.record, (last.prediction,), streaming=False)

    def show_step(self, index: int | None) -> None:
        """Show what the model saw when it chose a step's token, or all of it again (None). The field stays as it is.

        The last step of a generation saw all there is; the last mask that was filled was still a mask for its step.
        """
        steps = self._state.steps
        if not steps:
            return
        last = steps[-1]
        if index == len(steps) - 1 and isinstance(last, GenerationStep):
            index = None
        step = last if index is None else steps[index]
        record = step.record
        predictions: tuple[Prediction, ...] = (predicted(step),)
        run = self._state.run
        if index is None and isinstance(step, FillStep):
            predictions = self.fillings
            record = run.record if run is not None and run.text == step.text else record
        self._pictures.show(record, step=index, predictions=predictions, source=B)

    def _show(self, text: str, record: AttentionRecord, predictions: tuple[Prediction, ...], *, streaming: bool = True) -> None:
        self.left = text
        self._put(self._field, text)
        self._pictures.show(record, streaming=streaming, model=self._model, predictions=predictions, step=None, source=B)
