"""Writing files so that a reader never meets half of one: a temporary name in the same folder, then a rename."""

from __future__ import annotations

import errno
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.jobs import Job

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_POLL_SECONDS = 0.1


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a whole file or none: yields a temporary path beside `path`, renamed to `path` when the block ends well.

    Parameters
    ----------
    path : path
        The file to write; an older file of that name stays untouched until the new one is complete.

    Yields
    ------
    Path
        An empty file in the same folder (so that the rename cannot cross file systems) with the same suffix (so that
        libraries that look at the suffix write the right format). It is gone after a failure.

    Raises
    ------
    HeadscopeError
        ``no_disk_space`` or ``cannot_write``, for any `OSError` inside the block as well.
    """
    target = Path(path)
    temporary = target.parent / f".headscope-{secrets.token_hex(6)}{target.suffix}"
    try:
        temporary.touch(exist_ok=False)
        yield temporary
        _flush_to_disk(temporary)
        temporary.replace(target)
    except OSError as error:
        raise unwritable(error, target) from error
    finally:
        with suppress(OSError):  # after the rename there is nothing left under this name, in no folder there never was
            temporary.unlink()


def _flush_to_disk(path: Path) -> None:
    """Without this a power cut after the rename may leave an empty file under the final name."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def unwritable(error: Exception, target: Path) -> HeadscopeError:
    """The error of ours for one that came up in writing `target`: an `OSError`, or what a library in Rust makes of one."""
    told = re.search(r"os error (\d+)", str(error))
    number = getattr(error, "errno", None) or (int(told.group(1)) if told else None)
    if number in _DISK_FULL:
        return HeadscopeError("no_disk_space", path=target)
    return HeadscopeError("cannot_write", path=target, reason=getattr(error, "strerror", None) or reason_of(error))


def check_disk(place: Path, needed: int) -> None:
    """Raise HeadscopeError(``no_disk_space``) if `needed` bytes are not free where `place` is, or will be."""
    there = next(folder for folder in (place.absolute(), *place.absolute().parents) if folder.exists())
    if shutil.disk_usage(there).free < needed:
        raise HeadscopeError("no_disk_space", path=place)


@contextmanager
def one_at_a_time(lock: Path, job: Job) -> Iterator[None]:
    """Let no other process into a block with the same lock file; waits for one that is inside.

    The system itself gives the lock up when a process ends, however it ends: a lock file that was left behind holds nobody
    up. Where a disk cannot lock (some of networks), the block runs without.

    Raises
    ------
    Cancelled
        While it waits.
    """
    held: FileLock | None = FileLock(lock)
    while held is not None:
        job.cancel.check()
        try:
            lock.parent.mkdir(parents=True, exist_ok=True)
            held.acquire(timeout=_POLL_SECONDS)
            break
        except Timeout:
            continue
        except (OSError, NotImplementedError):
            held = None
    try:
        yield
    finally:
        if held is not None:
            held.release()
