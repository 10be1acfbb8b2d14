"""Questions: what panels want to know of records beyond the pictures; answered in a lane of their own, so that none waits for another's.

A panel asks with a frozen request of `core.requests` and gets the answer by `answered`. The newest question of a type wins.
"""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal, Slot

from headscope.core.errors import HeadscopeError
from headscope.core.requests.heads import ViewRequest
from headscope.gui.lanes.lane import Handle, Lane


class Questions(QObject):
    """Asks about records in the background.

    Parameters
    ----------
    prepare : callable
        Makes, in the lane's thread, what handles view requests.

    Signals
    -------
    answered(request, answer), streamed(request, part)
        The request is the very object that was asked with. Of a question that a newer one of its type replaced, nothing is heard.
    failed(request, HeadscopeError)
    """

    answered = Signal(object, object)
    streamed = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self, prepare: Callable[[], Handle], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lane = Lane("questions", prepare, _same_type, self)
        self._lane.finished.connect(self._on_finished)
        self._lane.streamed.connect(self._on_streamed)
        self._lane.failed.connect(self._on_failed)
        self._lane.cancelled.connect(self._on_cancelled)
        self._asked: dict[int, ViewRequest] = {}

    def ask(self, request: ViewRequest) -> None:
        """Ask; an older question of the same type is dropped. The same question again while it waits is asked once."""
        if not any(request is asked for asked in self._asked.values()):
            self._asked[self._lane.submit(request)] = request

    def close(self) -> bool:
        """End the thread; whether it has ended."""
        return self._lane.close()

    @Slot(int, object)
    def _on_finished(self, id_: int, answer: object) -> None:
        self.answered.emit(self._asked.pop(id_), answer)

    @Slot(int, object)
    def _on_streamed(self, id_: int, part: object) -> None:
        self.streamed.emit(self._asked[id_], part)

    @Slot(int, object)
    def _on_failed(self, id_: int, error: HeadscopeError) -> None:
        self.failed.emit(self._asked.pop(id_), error)

    @Slot(int)
    def _on_cancelled(self, id_: int) -> None:
        self._asked.pop(id_, None)


def _same_type(newer: object, older: object) -> bool:
    return type(newer) is type(older)
