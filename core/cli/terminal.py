"""What the command line prints: tables, probability bars, JSON, and one line of progress."""

from __future__ import annotations

import io
import json
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, cast

from headscope.core.errors import one_line
from headscope.core.job import Job, Progress

_BAR = 24
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_CONTROLS = {
    **{code: 0x2400 + code for code in range(32) if chr(code) not in "\n\r\t"},  # Unicode has pictures of them
    **dict.fromkeys((*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)), 0xFFFD),
}
"""C0, C1 and what overrides the direction of writing."""


class _Plain:
    """An output that passes on no control characters but line ends, tabs and the carriage returns of our progress line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text.translate(_CONTROLS))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def plain_output() -> Iterator[None]:
    """What is printed inside the block cannot command the terminal, whatever names and tokens a file holds.

    A terminal that cannot show a character gets "?", not a traceback.
    """
    before = sys.stdout, sys.stderr
    for stream in before:
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.stdout, sys.stderr = (cast(TextIO, _Plain(stream)) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def print_json(value: dict[str, Any]) -> None:
    """One line of JSON, in ASCII, which survives every terminal and pipe."""
    print(json.dumps(value).replace("\x7f", "\\u007f"))


def print_table(rows: Sequence[Sequence[str]]) -> None:
    """Rows with their columns aligned, two blanks apart."""
    widths = [max(map(columns, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell + " " * (width - columns(cell)) for cell, width in zip(row, widths, strict=True)).rstrip())


def print_bars(rows: Sequence[tuple[str, float]]) -> None:
    """A bar for each (label, probability)."""
    fine = _shows(_EIGHTHS)
    print_table([(f"  {label}", bar(probability, fine=fine), f"{probability:.3f}") for label, probability in rows])


def bar(probability: float, *, fine: bool = True) -> str:
    """`probability` (0 to 1) as a bar, as wide as a full one; to an eighth of a character if `fine`, else of ``#``."""
    if not fine:
        return ("#" * round(probability * _BAR)).ljust(_BAR)
    eighths = round(probability * _BAR * 8)
    return ("█" * (eighths // 8) + _EIGHTHS[eighths % 8]).ljust(_BAR)[:_BAR]


def _shows(characters: str) -> bool:
    """Whether stdout has them in its encoding."""
    try:
        characters.encode(sys.stdout.encoding or "utf-8")  # of a stream in memory there is none
    except UnicodeEncodeError:
        return False
    return True


def columns(text: str) -> int:
    """How many columns of a terminal `text` takes: two for each wide character, none for combining ones."""
    return sum(_columns(character) for character in text)


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


@contextmanager
def progress_line() -> Iterator[Job]:
    """A job that reports in one line of stderr, wiped at the end; silent where stderr is no terminal."""
    if not sys.stderr.isatty():
        yield Job()
        return

    def show(progress: Progress) -> None:
        share = "" if progress.fraction is None else f" {progress.fraction:4.0%}"
        print(f"\r{one_line(f'{progress.stage}{share} {progress.detail}'):<78.78}", end="", file=sys.stderr, flush=True)

    try:
        yield Job(report=show)
    finally:
        print(f"\r{'':78}\r", end="", file=sys.stderr, flush=True)
