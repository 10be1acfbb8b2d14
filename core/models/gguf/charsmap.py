"""SentencePiece's table of letters that are replaced, checked before the library walks through it: it panics outside of it.

The table is a double-array trie (Yata et al., 2007, as in darts-clone) of 32-bit units, behind its length in bytes, before the
replacements, each of which ends with a zero.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

_LARGEST: Final = 4 * 2**20
"""Bytes; the largest in use has a third of a million."""
_BLOCK: Final = 4096
"""Nodes that are looked at together."""


def is_whole(table: bytes) -> bool:
    """Whether every walk through the trie stays in it and every leaf names a replacement that is a text."""
    length = int.from_bytes(table[:4], "little")
    if len(table) > _LARGEST or length % 4 or not 4 <= length <= len(table) - 4:
        return False
    units = np.frombuffer(table, "<u4", length // 4, 4).astype(np.int64)
    texts = np.frombuffer(table, np.uint8, offset=4 + length)
    try:
        texts.tobytes().decode()
    except UnicodeDecodeError:
        return False
    return _stays_inside(units, texts)


def _stays_inside(units: npt.NDArray[np.int64], texts: npt.NDArray[np.uint8]) -> bool:
    seen = np.zeros(len(units) + 256, bool)
    waiting = _offsets(units[:1])
    while len(waiting):
        bases, waiting = waiting[:_BLOCK], waiting[_BLOCK:]
        if (bases >= len(seen)).any():
            return False
        bases = np.unique(bases[~seen[bases]])
        seen[bases] = True
        children = bases[:, None] ^ np.arange(1, 256)
        if (children >= len(units)).any():
            return False
        found = units[children]
        follows = found & (1 << 31 | 0xFF) == np.arange(1, 256)
        children, found = children[follows], found[follows]
        nexts = children ^ _offsets(found)
        leaves = nexts[found >> 8 & 1 == 1]
        if (leaves >= len(units)).any() or not _begin_texts(units[leaves] & (1 << 31) - 1, texts):
            return False
        waiting = np.concatenate((waiting, nexts))
    return True


def _offsets(units: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    return units >> 10 << ((units & 1 << 9) >> 6)


def _begin_texts(places: npt.NDArray[np.int64], texts: npt.NDArray[np.uint8]) -> bool:
    """Whether each place is in the replacements, or at their end, and not within a letter."""
    if (places > len(texts)).any():
        return False
    inside = texts[places[places < len(texts)]]
    return not bool((inside & 0xC0 == 0x80).any())
