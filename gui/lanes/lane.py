"""The background lanes: requests in, answers and progress out, stale answers dropped, failures always finished.

A `Lane` lives in the GUI thread and keeps the queue there, so it needs no lock; its one `_Runner` lives in a thread of its
own, gets one request at a time and answers by queued signals. Connect a lane's signals only to methods of QObjects that
live in the GUI thread: a plain function would run in the worker's.
"""

from __future__ import annotations

import atexit
import time
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from PySide6.QtCore import QObject, QThread, Signal, Slot
from shiboken6 import isValid

from headscope.core.errors import HeadscopeError, unexpected
from headscope.core.job import Cancel, Cancelled, Job, Progress, Report

Stream = Callable[[object], None]
Handle = Callable[[Any, Job, Stream], object]
"""Carries out a request; streams parts, returns the answer, raises `Cancelled` or `HeadscopeError`."""
Supersedes = Callable[[object, object], bool]

_REPORT_SECONDS = 0.1
PATIENCE: Final = 5.0
"""Seconds to wait for a thread that was told to end, where nobody waits for the screen."""


@dataclass(frozen=True, slots=True, eq=False)
class _Ticket:
    id: int
    request: object
    place: object = None
    cancel: Cancel = field(default_factory=Cancel)


class _Runner(QObject):
    """The half of a lane that lives in its thread."""

    progressed = Signal(int, object)
    streamed = Signal(int, object)
    finished = Signal(int, object)
    failed = Signal(int, object)
    cancelled = Signal(int)

    def __init__(self, prepare: Callable[[], Handle]) -> None:
        super().__init__()
        self._prepare = prepare
        self._handle: Handle | None = None

    @Slot(object)
    def run(self, ticket: _Ticket) -> None:
        """Carry out one request and say how it ended, whatever happens."""
        try:
            if self._handle is None:
                self._report(ticket)(Progress("starting"))
                self._handle = self._prepare()
            job = Job(self._report(ticket), ticket.cancel)
            with job.current():
                answer = self._handle(ticket.request, job, lambda part: self.streamed.emit(ticket.id, part))
        except Cancelled:
            self.cancelled.emit(ticket.id)
        except HeadscopeError as error:
            self.failed.emit(ticket.id, error)
        except BaseException as error:  # the one place: a panic in Rust, SystemExit … become a message too, never a dead worker
            self.failed.emit(ticket.id, unexpected(error))
        else:
            self.finished.emit(ticket.id, answer)

    def _report(self, ticket: _Ticket) -> Report:
        """Progress for the screen: each stage's first word at once, then not more often than the eye follows."""
        stage, due = "", 0.0

        def report(progress: Progress) -> None:
            nonlocal stage, due
            now = time.monotonic()
            if progress.stage != stage or now >= due:
                stage, due = progress.stage, now + _REPORT_SECONDS
                self.progressed.emit(ticket.id, progress)

        return report


class Lane(QObject):
    """One background thread and its queue.

    Parameters
    ----------
    name : str
        Of the thread.
    prepare : callable
        Called once, in the thread, before the first request; returns what handles requests. Slow imports belong there.
    supersedes : callable
        ``supersedes(newer, older)``: whether submitting `newer` makes `older` stale, queued or running.

    Signals carry the id that `submit` returned. Each submitted request ends with exactly one of `finished`, `failed`,
    `cancelled`; after a request was cancelled or superseded, nothing of it but `cancelled` is heard.
    """

    started = Signal(int)
    progressed = Signal(int, object)
    streamed = Signal(int, object)
    finished = Signal(int, object)
    failed = Signal(int, object)
    cancelled = Signal(int)
    _handed_over = Signal(object)

    def __init__(self, name: str, prepare: Callable[[], Handle], supersedes: Supersedes, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._supersedes = supersedes
        self._ids = count(1)
        self._queue: list[_Ticket] = []
        self._running: _Ticket | None = None
        self._closed = False
        self._thread = QThread(self)
        self._thread.setObjectName(name)
        _LANES.add(self)
        self._runner = _Runner(prepare)
        self._runner.moveToThread(self._thread)
        self._handed_over.connect(self._runner.run)
        self._runner.progressed.connect(self._on_progressed)
        self._runner.streamed.connect(self._on_streamed)
        self._runner.finished.connect(self._on_finished)
        self._runner.failed.connect(self._on_failed)
        self._runner.cancelled.connect(self._on_cancelled)

    @property
    def is_busy(self) -> bool:
        """Whether anything runs or waits."""
        return self._running is not None or bool(self._queue)

    def submit(self, request: object, place: object = None) -> int:
        """Queue `request`, drop what it supersedes and what was asked for the same `place`, and return its id."""

        def is_stale(old: _Ticket) -> bool:
            return (place is not None and old.place is place) or self._supersedes(request, old.request)

        stale = [ticket for ticket in self._queue if is_stale(ticket)]
        self._queue = [ticket for ticket in self._queue if ticket not in stale]
        if self._running is not None and is_stale(self._running):
            self._running.cancel.set()
        ticket = _Ticket(next(self._ids), request, place)
        self._queue.append(ticket)
        for old in stale:
            self.cancelled.emit(old.id)
        self._hand_over()
        return ticket.id

    def withdraw(self, id_: int) -> None:
        """Drop one request if it waits, and ask it to stop if it runs."""
        if self._running is not None and self._running.id == id_:
            self._running.cancel.set()
        if any(ticket.id == id_ for ticket in self._queue):
            self._queue = [ticket for ticket in self._queue if ticket.id != id_]
            self.cancelled.emit(id_)

    def cancel(self) -> None:
        """Drop what waits and ask what runs to stop."""
        stale, self._queue = self._queue, []
        if self._running is not None:
            self._running.cancel.set()
        for ticket in stale:
            self.cancelled.emit(ticket.id)

    def end(self) -> None:
        """Stop for good, without waiting for the thread."""
        self._closed = True
        self._queue = []
        if self._running is not None:
            self._running.cancel.set()
            self._running = None
        self._thread.quit()

    def close(self, patience: float = PATIENCE) -> bool:
        """Stop for good; whether the thread has ended within so many seconds: a library that does not look up may take longer."""
        self.end()
        return bool(self._thread.wait(round(1000 * patience)))

    def _hand_over(self) -> None:
        if self._running is not None or not self._queue or self._closed:
            return
        self._running = self._queue.pop(0)
        if not self._thread.isRunning():
            self._thread.start()
        self._handed_over.emit(self._running)
        self.started.emit(self._running.id)

    def _is_wanted(self, id_: int) -> bool:
        return self._running is not None and self._running.id == id_ and not self._running.cancel.is_set

    @Slot(int, object)
    def _on_progressed(self, id_: int, progress: Progress) -> None:
        if self._is_wanted(id_):
            self.progressed.emit(id_, progress)

    @Slot(int, object)
    def _on_streamed(self, id_: int, part: object) -> None:
        if self._is_wanted(id_):
            self.streamed.emit(id_, part)

    @Slot(int, object)
    def _on_finished(self, id_: int, answer: object) -> None:
        self._end(id_, self.finished, answer)

    @Slot(int, object)
    def _on_failed(self, id_: int, error: HeadscopeError) -> None:
        self._end(id_, self.failed, error)

    @Slot(int)
    def _on_cancelled(self, id_: int) -> None:
        self._end(id_, self.cancelled)

    def _end(self, id_: int, signal: Any, *result: object) -> None:
        if self._closed:
            return
        wanted = self._is_wanted(id_) and signal is not self.cancelled
        self._running = None
        if wanted:
            signal.emit(id_, *result)
        else:
            self.cancelled.emit(id_)
        self._hand_over()


def close_all(lanes: Sequence[Lane], patience: float = PATIENCE) -> bool:
    """Stop them all for good; whether their threads have ended within so many seconds."""
    for lane in lanes:
        lane.end()
    until = time.monotonic() + patience
    return all([lane.close(max(0.0, until - time.monotonic())) for lane in lanes])  # noqa: C419 - each of them


_LANES: weakref.WeakSet[Lane] = weakref.WeakSet()


@atexit.register
def _end_all() -> None:
    """A program that ends while a window of ours is open: Qt would abort it over a thread that still runs."""
    close_all([lane for lane in _LANES if isValid(lane)])
