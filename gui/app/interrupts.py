"""Ctrl+C while Qt waits: Python handles signals only while it runs, and in Qt's event loop it may not run for hours."""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType

from PySide6.QtCore import QObject, QSocketNotifier, Slot


class Interrupts(QObject):
    """Hears signals in Qt's loop, one by one, never in the middle of something else.

    Attributes
    ----------
    came : bool
        Whether there was one.
    """

    def __init__(self, then: Callable[[], object]) -> None:
        super().__init__()
        self.came = False
        self._then = then
        self._reader, self._writer = socket.socketpair()  # the system's signal handler writes into it, which wakes Qt
        for end in (self._reader, self._writer):
            end.setblocking(False)
        self._notifier = QSocketNotifier(self._reader.fileno(), QSocketNotifier.Type.Read, self)
        self._notifier.activated.connect(self._on_woken)

    def note(self, _number: int, _frame: FrameType | None) -> None:
        """Python's handler: it may be called between any two lines."""
        self.came = True

    def wakes(self) -> int:
        """The descriptor to write to."""
        return self._writer.fileno()

    @Slot()
    def _on_woken(self) -> None:
        self._reader.recv(1024)
        if self.came:
            self._then()

    def close(self) -> None:
        """Hear nothing more."""
        self._notifier.setEnabled(False)
        for end in (self._reader, self._writer):
            end.close()


@contextmanager
def interrupts(then: Callable[[], object], signals: Sequence[signal.Signals] = (signal.SIGINT,)) -> Iterator[Interrupts]:
    """Call `then` from Qt's loop when one of `signals` has come; afterwards they do again what they did before.

    In a thread that is not Python's first one, which hears no signals, nothing changes.
    """
    heard = Interrupts(then)
    if threading.current_thread() is not threading.main_thread():
        yield heard
        heard.close()
        return
    handlers = {number: signal.signal(number, heard.note) for number in signals}
    woken = signal.set_wakeup_fd(heard.wakes(), warn_on_full_buffer=False)
    try:
        yield heard
    finally:
        signal.set_wakeup_fd(woken)
        for number, handler in handlers.items():
            signal.signal(number, handler)
        heard.close()
