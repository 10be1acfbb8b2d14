"""Writing files so that a reader never meets half of one: without a name, or with a temporary one, until they are whole."""

from __future__ import annotations

import errno
import hashlib
import os
import platform
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.job import Job

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_POLL_SECONDS = 0.1
_MARK = ".headscope-"


@contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Write a whole file or none: yields a path to write to, which becomes `path` when the block ends well.

    Where the file system can, what is written has no name until it is whole, and is gone with its process, however that ends.
    Elsewhere it has a temporary name in the same folder, and what a process that was killed has left there goes with the next
    file that is written into the folder.

    Parameters
    ----------
    path : path
        The file to write; an older file of that name stays untouched until the new one is complete.

    Yields
    ------
    Path
        An empty file. Its name has no meaning, and no suffix.

    Raises
    ------
    HeadscopeError
        ``no_disk_space`` or ``cannot_write``, for any `OSError` inside the block as well.
    """
    target = Path(path)
    temporary = target.parent / f"{_own_mark()}{secrets.token_hex(6)}"
    number = None
    try:
        _sweep(target.parent)
        number = _nameless(target.parent)
        if number is None:
            temporary.touch(exist_ok=False)
            number = os.open(temporary, os.O_RDWR)
            yield temporary
        else:
            yield Path(f"/proc/self/fd/{number}")
        os.fsync(number)  # without this a power cut after the rename may leave an empty file under the final name
        if not temporary.exists():
            _name(number, temporary)
        temporary.replace(target)
    except OSError as error:
        raise unwritable(error, target) from error
    finally:
        if number is not None:
            os.close(number)
        with suppress(OSError):  # after the rename there is nothing left under this name, in no folder there never was
            temporary.unlink()


def _nameless(folder: Path) -> int | None:
    """A new file in `folder` without a name; None where there is no such thing."""
    if not hasattr(os, "O_TMPFILE"):
        return None
    try:
        number = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o666)
    except OSError:
        return None
    if Path(f"/proc/self/fd/{number}").exists():
        return number
    os.close(number)
    return None


def _name(number: int, path: Path) -> None:
    """Give a file without a name one."""
    nameless = f"/proc/self/fd/{number}"
    try:
        os.link(
            nameless, path, src_dir_fd=number, follow_symlinks=True
        )  # with a src_dir_fd, the system call that follows links
    except OSError:  # a file system that makes such files and cannot name them
        shutil.copyfile(nameless, path)


def _own_mark() -> str:
    """How temporary names of this process begin: on which computer, and which of its processes."""
    host = hashlib.sha256(platform.node().encode()).hexdigest()[:8]
    return f"{_MARK}{host}-{os.getpid()}-"


def _sweep(folder: Path) -> None:
    """Delete what processes of this computer left in `folder` that are no more."""
    import psutil

    ours = _own_mark().rsplit("-", 2)[0]
    with suppress(OSError):
        for left in folder.glob(f"{ours}-*-*"):
            owner = left.name.removeprefix(f"{ours}-").partition("-")[0]
            if owner.isdecimal() and not psutil.pid_exists(int(owner)):
                left.unlink(missing_ok=True)


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


def has_room(folder: Path, n_bytes: int) -> bool:
    """Whether a file of so many bytes can be written into a folder now: by a trial, which quotas and limits take part in."""
    try:
        with tempfile.TemporaryFile(dir=folder, buffering=0) as trial:
            return trial.write(b"\0" * n_bytes) == n_bytes
    except OSError:
        return False


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
    from filelock import FileLock, Timeout

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
