"""Writing files so that a reader never meets half of one: a temporary name in the same folder, then a rename."""

from __future__ import annotations

import errno
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from headscope.core.errors import HeadscopeError

_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


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
        raise _readable(error, target) from error
    finally:
        temporary.unlink(missing_ok=True)  # after the rename there is nothing left under this name


def _flush_to_disk(path: Path) -> None:
    """Without this a power cut after the rename may leave an empty file under the final name."""
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _readable(error: OSError, target: Path) -> HeadscopeError:
    if error.errno in _DISK_FULL:
        return HeadscopeError("no_disk_space", path=str(target))
    return HeadscopeError("cannot_write", path=str(target), reason=error.strerror or str(error))
