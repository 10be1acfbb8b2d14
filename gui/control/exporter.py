"""Exporter: reads and writes files in a thread of its own, so that neither window nor model waits for a disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from headscope.core.errors import HeadscopeError, one_line
from headscope.core.job import Job, Progress
from headscope.core.vocabulary import Head, Kind
from headscope.gui.lanes.lane import Handle, Lane, Stream
from headscope.gui.session.session import Session
from headscope.gui.words.notices import Notice, busy_at, busy_of, notice_of

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.gui.paint.figure import Figure, FigureOptions


@dataclass(frozen=True, slots=True, eq=False)
class PictureExport:
    """A figure that nothing else paints (painting keeps things), and all that is asked of it."""

    path: Path
    figure: Figure
    options: FigureOptions


@dataclass(frozen=True, slots=True, eq=False)
class HeadExport:
    """The numbers of one head, as the record's lens shows them, as CSV or NPZ."""

    path: Path
    record: AttentionRecord
    kind: Kind
    head: Head
    model: str


@dataclass(frozen=True, slots=True, eq=False)
class RecordExport:
    """The numbers of every head, as NPZ."""

    path: Path
    record: AttentionRecord


@dataclass(frozen=True, slots=True, eq=False)
class FileLook:
    """What a file is that somebody dropped or chose."""

    path: Path


@dataclass(frozen=True, slots=True, eq=False)
class FoundFile:
    """A file, and its text; None if it is a model."""

    path: Path
    text: str | None


Export = PictureExport | HeadExport | RecordExport


def _look(request: FileLook, job: Job) -> FoundFile:
    from headscope.core.files.inspect import is_model
    from headscope.core.files.text_file import read_text_file

    job.report(Progress("reading", detail=request.path.name))
    return FoundFile(request.path, None if is_model(request.path) else read_text_file(request.path))


def _write(request: Export | FileLook, job: Job, _stream: Stream) -> Path | FoundFile:
    if isinstance(request, FileLook):
        return _look(request, job)
    from headscope.core.files.numbers import HeadNumbers, write_capture_npz, write_head

    job.report(Progress("writing", detail=request.path.name))
    match request:
        case PictureExport(path, figure, options):
            from headscope.gui.paint.formats import write_figure

            write_figure(figure, path, options)
        case HeadExport(path, record, kind, head):
            write_head(path, HeadNumbers.of(record, kind, head, request.model), job=job)
        case RecordExport(path, record):
            write_capture_npz(record, path, job=job)
    return request.path


def _handler() -> Handle:
    return _write


def _nothing_is_stale(_newer: object, _older: object) -> bool:
    return False


class Exporter(QObject):
    """Reads or writes one file after the other.

    Signals
    -------
    ended
        A file was written or read, or not; the notice says which.
    was_read(FoundFile)
    """

    ended = Signal()
    was_read = Signal(object)

    def __init__(self, state: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._lane = Lane("export", _handler, _nothing_is_stale, self)
        self._lane.progressed.connect(self._on_progressed)
        self._lane.finished.connect(self._on_finished)
        self._lane.failed.connect(self._on_failed)
        self._lane.cancelled.connect(self._on_cancelled)

    def export(self, request: Export) -> None:
        """Write a file."""
        self._lane.submit(request)
        self._state.update(busy=busy_at("writing", detail=request.path.name))

    def read(self, path: Path) -> None:
        """Look at a file; `was_read` has its text."""
        self._lane.submit(FileLook(path))
        self._state.update(busy=busy_at("reading", detail=path.name))

    @property
    def is_busy(self) -> bool:
        """Whether a file is being written or read."""
        return self._lane.is_busy

    def cancel(self) -> None:
        """Write nothing more; what was there before stays."""
        self._lane.cancel()

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Whose threads have to end with the window."""
        return (self._lane,)

    @Slot(int, object)
    def _on_progressed(self, _id: int, progress: Progress) -> None:
        self._state.update(busy=busy_of(progress))

    @Slot(int, object)
    def _on_finished(self, _id: int, answer: Path | FoundFile) -> None:
        if isinstance(answer, Path):
            self._state.update(notice=Notice("info", self.tr("Saved {path}").format(path=one_line(answer)), path=answer))
        self.ended.emit()
        if isinstance(answer, FoundFile):
            self.was_read.emit(answer)

    @Slot(int, object)
    def _on_failed(self, _id: int, error: HeadscopeError) -> None:
        self._state.update(notice=notice_of(error))
        self.ended.emit()

    @Slot(int)
    def _on_cancelled(self, _id: int) -> None:
        self.ended.emit()
