"""What a job in a background lane is given: where to report how far it is, and whether somebody has cancelled it. Imports no torch."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Literal


class Cancelled(Exception):  # noqa: N818 - not an error: somebody asked for it
    """Raised inside a job whose `Cancel` was set."""


class Cancel:
    """A flag that one thread sets and the job of another looks at between its steps."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        """Ask the job to stop at its next step."""
        self._event.set()

    @property
    def is_set(self) -> bool:
        return self._event.is_set()

    def check(self) -> None:
        """Raise `Cancelled` if the flag is set."""
        if self._event.is_set():
            raise Cancelled


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a job is. `stage` is a key of the screen's stage names; `fraction` is 0 to 1, or None if unknown."""

    stage: Literal[
        "starting",
        "loading",
        "downloading",
        "reading",
        "running",
        "generating",
        "verifying",
        "filling",
        "drawing",
        "training",
        "writing",
        "sweeping",
        "measuring",
    ]
    fraction: float | None = None
    detail: str = ""


Report = Callable[[Progress], None]


def ignore_progress(_: Progress) -> None:
    """A `Report` for callers who do not look."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a job is given beside its request: where to report, what to look at between steps."""

    report: Report = ignore_progress
    cancel: Cancel = field(default_factory=Cancel)

    @contextmanager
    def current(self) -> Iterator[None]:
        """Inside the block `current_job` is this one, in this thread: a child process that is waited for ends when it is cancelled."""
        before = _CURRENT.set(self)
        try:
            yield
        finally:
            _CURRENT.reset(before)


_CURRENT: ContextVar[Job | None] = ContextVar("job", default=None)


def current_job() -> Job:
    """The job that this thread works on; one that nobody cancels if there is none."""
    return _CURRENT.get() or Job()


Stream = Callable[[object], None]
