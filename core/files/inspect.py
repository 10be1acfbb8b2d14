"""Looking at a file before it is opened: it is a file, it may be read, and it is not larger than what it claims to be can be."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any, BinaryIO, Final

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.sentences import sentence

LARGEST_JSON: Final = 16 * 2**20
"""Bytes of a configuration or of a list of weights; read into Python they take some twenty times as much."""
_KINDS: Final = (
    (stat.S_ISDIR, "is_folder"),
    (stat.S_ISFIFO, "is_pipe"),
    (stat.S_ISSOCK, "is_socket"),
    (lambda mode: stat.S_ISCHR(mode) or stat.S_ISBLK(mode), "is_device"),
)


def open_file(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file to read; never waits, as a pipe without a writer would have us do.

    Raises
    ------
    HeadscopeError
        ``cannot_read``.
    """
    try:
        _check_kind(path, os.stat(path).st_mode)  # noqa: PTH116 - a path of any sort
        number = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except (OSError, ValueError) as error:
        raise HeadscopeError("cannot_read", path=path, reason=getattr(error, "strerror", None) or reason_of(error)) from None
    try:
        _check_kind(path, os.fstat(number).st_mode)  # it may have been another a moment ago
        return os.fdopen(number, "rb")
    except BaseException:
        os.close(number)
        raise


def is_there(path: Path) -> bool:
    """Whether there is anything at a path that a file names; a name that the system does not allow, too long for one, is not there."""
    try:
        path.stat()
    except (OSError, ValueError):
        return False
    return True


def check_file(path: str | os.PathLike[str]) -> None:
    """Raise what `open_file` would."""
    open_file(path).close()


def _check_kind(path: str | os.PathLike[str], mode: int) -> None:
    if not stat.S_ISREG(mode):
        code = next((code for is_so, code in _KINDS if is_so(mode)), "is_no_file")
        raise HeadscopeError("cannot_read", path=path, reason=sentence(code))


def read_bytes(path: str | os.PathLike[str], most: int) -> bytes:
    """The content of a file; one byte more than `most` if it is longer. Of /proc the size says nothing, so it is not asked.

    Raises
    ------
    HeadscopeError
        ``cannot_read``.
    """
    try:
        with open_file(path) as file:
            return file.read(most + 1) or b""
    except OSError as error:
        raise HeadscopeError("cannot_read", path=path, reason=error.strerror or reason_of(error)) from None


def read_json(path: str | os.PathLike[str]) -> Any:
    """What a JSON file holds.

    Raises
    ------
    HeadscopeError
        ``cannot_read``: no file, too large, no JSON, or nested too deeply.
    """
    raw = read_bytes(path, LARGEST_JSON)
    if len(raw) > LARGEST_JSON:
        raise HeadscopeError("cannot_read", path=path, reason=sentence("file_too_large", most=LARGEST_JSON >> 20))
    try:
        return json.loads(raw.decode("utf-8"))
    except RecursionError:
        raise HeadscopeError("cannot_read", path=path, reason=sentence("nested_too_deeply")) from None
    except ValueError as error:
        raise HeadscopeError("cannot_read", path=path, reason=sentence("not_json", words=reason_of(error))) from None


def is_model(path: str | os.PathLike[str]) -> bool:
    """Whether a file that somebody chose is to be opened as a model: a folder, or GGUF by its name."""
    return Path(path).is_dir() or Path(path).suffix.lower() == ".gguf"
