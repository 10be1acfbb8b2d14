"""What passed a look under limits, remembered by content, so that it is looked at once: a small file in the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from headscope.core.errors import HeadscopeError
from headscope.core.files.atomic import atomic_write

_WHOLE: Final = 64 * 2**20
"""Bytes of a file that are all hashed. Of a larger one its ends, and the system's word that it has not changed."""
_END: Final = 2**20
_MOST: Final = 400
_LARGEST: Final = 2**20
_LIBRARIES: Final = ("headscope", "transformers", "tokenizers", "torch")


def cache_base() -> Path:
    """The folder for what can be made again at any time."""
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local"))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "headscope"


def checked_once(check: str, contents: Iterable[Path | bytes], look: Callable[[], Any]) -> Any:
    """What `look` returned for these contents, now or an earlier time.

    Parameters
    ----------
    check : str
        Which look it is.
    contents : paths of files, or bytes
        All that `look` reads. The versions of the libraries count too.
    look : callable
        Returns plain data of at most a few kB. What it raises is passed on and not remembered: a refusal is looked at anew.
    """
    key = _key(check, contents)
    known = _read()
    if key in known:
        return known[key][0]
    found = look()
    known = _read() | {key: [found, time.time()]}  # read again: the look took its time
    newest = sorted(known, key=lambda each: known[each][1])[-_MOST:]
    with suppress(HeadscopeError, OSError):  # a cache that cannot be written only costs time
        _file().parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(_file()) as temporary:
            temporary.write_text(json.dumps({each: known[each] for each in newest}), encoding="utf-8")
    return found


def _file() -> Path:
    return cache_base() / "passed.json"


def _read() -> dict[str, list[Any]]:
    try:
        with _file().open("rb") as file:
            known = json.loads(file.read(_LARGEST + 1))
    except (OSError, ValueError, RecursionError):  # none yet, or damaged: it is made anew
        return {}
    if not isinstance(known, dict):
        return {}
    return {key: each for key, each in known.items() if isinstance(each, list) and len(each) == 2 and _is_time(each[1])}


def _is_time(value: object) -> bool:
    return isinstance(value, int | float)


def _key(check: str, contents: Iterable[Path | bytes]) -> str:
    whole = hashlib.sha256(check.encode())
    for library in _LIBRARIES:
        with suppress(PackageNotFoundError):
            whole.update(f"{library} {version(library)}\0".encode())
    parts = [(b"", each) if isinstance(each, bytes) else (os.fsencode(each.name), _fingerprint(each)) for each in contents]
    for name, content in sorted(parts):
        whole.update(hashlib.sha256(name).digest() + hashlib.sha256(content).digest())
    return whole.hexdigest()


def _fingerprint(path: Path) -> bytes:
    """Of a file's content."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        about = os.fstat(file.fileno())
        if about.st_size <= _WHOLE:
            while block := file.read(_END):
                found.update(block)
            return found.digest()
        found.update(f"{about.st_dev} {about.st_ino} {about.st_size} {about.st_mtime_ns}".encode())
        found.update(file.read(_END))
        file.seek(-_END, os.SEEK_END)
        found.update(file.read(_END))
    return found.digest()
