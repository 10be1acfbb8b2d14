"""Which side of a text was meant to be in its place: painters only know where it begins, and another typeface is wider or narrower.

Whoever writes text to the right or in the middle notes it; the writer of SVG files reads the notes.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Literal

Anchor = Literal["middle", "end"]
_NEAR = 0.5  # design units: two texts of the same words never lie so near to each other


@dataclass(frozen=True, slots=True)
class _Note:
    x: float
    y: float
    anchor: Anchor
    advance: float


@dataclass(slots=True)
class Anchors:
    """What was noted, by the words."""

    notes: dict[str, list[_Note]] = field(default_factory=dict)

    def of(self, words: str, x: float, y: float) -> tuple[Anchor, float] | None:
        """Which side of the words that begin at a point has a place, and where that is; None: their beginning."""
        for note in self.notes.get(words, ()):
            if abs(note.x - x) < _NEAR and abs(note.y - y) < _NEAR:
                return note.anchor, x + note.advance * (1.0 if note.anchor == "end" else 0.5)
        return None


class _Open(threading.local):
    """Each thread's own: files are written in other threads than the screen."""

    anchors: Anchors | None = None


_open = _Open()


def note_anchor(words: str, x: float, y: float, anchor: Anchor, advance: float) -> None:
    """Say that words which begin at a point, `advance` long, were written to the right of it or around it."""
    if _open.anchors is not None:
        _open.anchors.notes.setdefault(words, []).append(_Note(x, y, anchor, advance))


@contextmanager
def noted_anchors() -> Iterator[Anchors]:
    """What this thread notes from here on."""
    _open.anchors = anchors = Anchors()
    try:
        yield anchors
    finally:
        _open.anchors = None
