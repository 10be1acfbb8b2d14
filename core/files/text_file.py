"""Text files: read in whatever encoding they are, or refused in one sentence."""

from __future__ import annotations

import codecs
import os
from pathlib import Path
from typing import Final

from headscope.core.errors import HeadscopeError, readable_bytes
from headscope.core.files.inspect import read_bytes

LARGEST_TEXT_FILE: Final = 2**20
"""Bytes. About 200,000 words: more than any model here reads."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""Byte order marks; UTF-32's begins with UTF-16's."""


def read_text_file(path: str | os.PathLike[str]) -> str:
    """The text of a file: as its byte order mark says, else UTF-8, Windows-1252 or Latin-1, the first that fits.

    Line ends become ``\\n``.

    Raises
    ------
    HeadscopeError
        ``cannot_read``, ``text_file_too_large``, ``not_a_text_file``.
    """
    raw = read_bytes(path, LARGEST_TEXT_FILE)
    if len(raw) > LARGEST_TEXT_FILE:
        size = max(len(raw), Path(path).stat().st_size)
        most = readable_bytes(LARGEST_TEXT_FILE)
        raise HeadscopeError("text_file_too_large", path=path, size=readable_bytes(size), most=most)
    text = _decoded(raw)
    if text is None or "\0" in text:
        raise HeadscopeError("not_a_text_file", path=path)
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _decoded(raw: bytes) -> str | None:
    for mark, encoding in _MARKS:
        if raw.startswith(mark):
            try:
                return raw.decode(encoding)
            except UnicodeDecodeError:
                return None
    for encoding in ("utf-8", "cp1252"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return raw.decode("latin-1")
