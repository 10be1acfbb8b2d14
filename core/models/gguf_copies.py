"""The safetensors copies of GGUF files: where they are, how large, and how to be rid of them.

A GGUF file is unpacked once; the copy holds bit for bit what it unpacks to and opens ten times faster. Every copy may be
deleted at any time. Needs neither torch nor transformers.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.files.passed import cache_base
from headscope.core.results import KeptCopy

_DIGITS = 16
_COPY = re.compile(rf"([^.].*)-[0-9a-f]{{{_DIGITS}}}")
_GOING = ".deleted-"


def cache_folder() -> Path:
    """Where copies are kept."""
    return cache_base() / "gguf"


def copy_folder(path: Path) -> Path:
    """Where the copy of this file belongs; another size or time of change gives another place."""
    about = path.stat()
    key = f"{path.resolve()}\0{about.st_size}\0{about.st_mtime_ns}"
    return cache_folder() / f"{path.stem}-{hashlib.sha256(key.encode()).hexdigest()[:_DIGITS]}"


def lock_of(copy: Path) -> Path:
    """What is locked while this copy is written."""
    return copy.with_name(f".{copy.name}.lock")


def part_of(copy: Path) -> Path:
    """Where this copy is written, before it gets its name; what is there and not locked was left behind."""
    return copy.with_name(f".{copy.name}.part")


def kept_copies() -> tuple[KeptCopy, ...]:
    """The copies on this computer, by the names of their files."""
    try:
        found = [(match.group(1), path) for path in cache_folder().iterdir() if (match := _COPY.fullmatch(path.name))]
    except OSError:  # nothing was ever unpacked
        return ()
    return tuple(KeptCopy(f"{stem}.gguf", str(path), _size(path)) for stem, path in sorted(found))


def delete_copies(copies: Iterable[KeptCopy]) -> None:
    """Delete copies. The GGUF files stay, and are unpacked anew when they are opened next.

    Raises
    ------
    HeadscopeError
        ``copy_in_use`` for a copy that its system does not let go of (Windows, while a model of it is open); the others are
        deleted all the same.
    """
    for left in _folders_named(f"{_GOING}*"):
        shutil.rmtree(left, ignore_errors=True)  # of an earlier time
    refused: HeadscopeError | None = None
    for copy in copies:
        path = Path(copy.path)
        if path.parent != cache_folder() or not _COPY.fullmatch(path.name):
            raise ValueError(f"{path} is no copy of a GGUF file")
        gone = path.with_name(f"{_GOING}{path.name}")
        try:
            path.replace(gone)  # at once, so that nobody finds a half of it
            shutil.rmtree(gone)
        except FileNotFoundError:
            continue  # somebody else was faster
        except OSError as error:
            refused = HeadscopeError("copy_in_use", name=copy.name, reason=reason_of(error))
    if refused is not None:
        raise refused


def _folders_named(pattern: str) -> list[Path]:
    return list(cache_folder().glob(pattern)) if cache_folder().is_dir() else []


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
