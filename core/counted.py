"""What threads share: changes made when the first block needs them and taken back when the last one ends; taking turns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from threading import Lock, RLock
from typing import Final

from headscope.core.job import Cancel

_POLL_SECONDS: Final = 0.02


class Counted:
    """A change that several blocks, of any threads, may need at the same time.

    Parameters
    ----------
    change : callable
        Gives a context manager that makes the change and takes it back. It is entered once, whoever comes first, and left by whoever
        is the last.
    """

    def __init__(self, change: Callable[[], AbstractContextManager[object]]) -> None:
        self._change = change
        self._lock = Lock()
        self._n_blocks = 0
        self._made: AbstractContextManager[object] | None = None

    @contextmanager
    def held(self) -> Iterator[None]:
        """The change is there inside this block."""
        with self._lock:
            if not self._n_blocks:
                made = self._change()
                made.__enter__()
                self._made = made
            self._n_blocks += 1
        try:
            yield
        finally:
            with self._lock:
                self._n_blocks -= 1
                if not self._n_blocks and self._made is not None:
                    self._made.__exit__(None, None, None)
                    self._made = None


class OneAtATime:
    """A block that threads enter one after another; one of them may hold it several times over."""

    def __init__(self) -> None:
        self._lock = RLock()

    @contextmanager
    def held(self, cancel: Cancel | None) -> Iterator[None]:
        """The block; whoever waits for it can be cancelled.

        Raises
        ------
        Cancelled
        """
        while not self._lock.acquire(timeout=_POLL_SECONDS):
            if cancel is not None:
                cancel.check()
        try:
            yield
        finally:
            self._lock.release()
