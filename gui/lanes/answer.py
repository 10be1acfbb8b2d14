"""Answer: a place for one answer. Who asks keeps one for each thing that it wants to know, and nobody sorts answers by type."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from headscope.core.errors import HeadscopeError
from headscope.core.requests.request import Request
from headscope.gui.lanes.lane import Lane

A = TypeVar("A")


class Answer(QObject, Generic[A]):
    """The answer to the question that was asked here last; a newer question replaces the older one here, and none elsewhere.

    Parameters
    ----------
    lane : Lane
        That answers.

    Attributes
    ----------
    request : frozen value or None
        What was asked last.
    value : A or None
        The answer that came last; while another is on its way, that to the question before. `is_current` says which.
    part : Any
        What was streamed last of the answer to `request`.
    error : HeadscopeError or None
        Why `request` has no answer.
    is_waiting : bool

    Signals
    -------
    came
        A value, a part of it, or an error is here.
    """

    came = Signal()

    def __init__(self, lane: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = lane
        self._id: int | None = None
        self._answered: object = None
        self.request: Any = None
        self.value: A | None = None
        self.part: Any = None
        self.error: HeadscopeError | None = None
        lane.streamed.connect(self._on_streamed)
        lane.finished.connect(self._on_finished)
        lane.failed.connect(self._on_failed)
        lane.cancelled.connect(self._on_cancelled)

    @property
    def is_waiting(self) -> bool:
        """Whether the answer is on its way."""
        return self._id is not None

    @property
    def is_current(self) -> bool:
        """Whether `value` is the answer to `request`."""
        return self.value is not None and self._answered == self.request

    def ask(self, request: Request[A]) -> None:
        """Ask; nothing is done if the same was asked last, unless it was stopped."""
        if request != self.request:
            self.request, self.part, self.error = request, None, None
            self._id = None  # of what this replaces nothing is heard
            self._id = self._lane.submit(request, place=self)

    def refuse(self, request: object, error: HeadscopeError) -> None:
        """What was asked cannot be answered, without a lane having tried."""
        self._stop()
        self.request, self.part, self.error = request, None, error
        self.came.emit()

    def drop(self) -> None:
        """Forget everything that was asked and answered; what is on its way is stopped."""
        self._stop()
        self.request = self.value = self.part = self.error = self._answered = None

    def _stop(self) -> None:
        if self._id is not None:
            stopped, self._id = self._id, None
            self._lane.withdraw(stopped)

    @Slot(int, object)
    def _on_streamed(self, id_: int, part: object) -> None:
        if id_ == self._id:
            self.part = part
            self.came.emit()

    @Slot(int, object)
    def _on_finished(self, id_: int, value: A) -> None:
        if id_ == self._id:
            self._id = None
            self.value, self._answered = value, self.request
            self.came.emit()

    @Slot(int, object)
    def _on_failed(self, id_: int, error: HeadscopeError) -> None:
        if id_ == self._id:
            self._id = None
            self.error = error
            self.came.emit()

    @Slot(int)
    def _on_cancelled(self, id_: int) -> None:
        if id_ == self._id:  # the user stopped it: it may be asked again
            self._id = self.request = self.part = None
