"""Whole characters, as people read them: a letter with its marks, a syllable of several signs, an emoji joined of others.

References
----------
Unicode Standard Annex 29, Unicode Text Segmentation, section 3 (Grapheme Cluster Boundaries).
"""

from __future__ import annotations

from functools import cache
from typing import Any


def cluster_end(text: str, start: int, end: int, limit: int) -> int:
    """Where the last character that people see in ``text[start:end]`` ends: not before `end`, and not behind `limit`.

    Tokenizers that strip accents or compose letters say of a token that it ends in front of what they took away: a vowel sign,
    a joined emoji, the rest of a syllable. Parameters are positions in `text`; `limit` is where the next token begins.
    """
    if not 0 <= start < end < limit or text[end].isspace():
        return end
    at = start
    while at < end:
        cluster = _character().match(text, at)
        assert cluster is not None  # any character is one
        at = cluster.end()
    return min(at, limit)


@cache
def _character() -> Any:
    """What matches one; not at import, which the window waits for."""
    import regex

    return regex.compile(r"\X")
