"""Which characters of a text each piece of a tokenizer stands for, where the tokenizer itself does not tell.

Text and pieces are compared letter by letter, without blanks, case and the differences that NFKD takes away, from the left to the
right. Where they differ (a tokenizer may replace quotation marks, strip accents, write one sign for an address), the shortest way
on is looked for, and the pieces in between stand for the whole of what is in between. A piece that has no counterpart has no text.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence, Set
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import Final

Surface = str | bytes | None
"""A piece without the marks of its notation; bytes of UTF-8; None for a piece whose letters are not known."""

_UNKNOWN: Final = "\0"
_SAME: Final = 4
"""Letters that have to agree for text and pieces to be together again."""
_NEAR, _FAR = 48, 400
"""How many letters on both sides are looked through for that: first, and if that was too near."""
_ENTITY: Final = re.compile(r"&(amp|apos|quot|lt|gt|#124|bar|#91|bra|#93|ket);")
_ENTITIES: Final = {"amp": "&", "apos": "'", "quot": '"', "lt": "<", "gt": ">", "bar": "|", "bra": "[", "ket": "]"} | {
    "#124": "|",
    "#91": "[",
    "#93": "]",
}
"""How the Moses tokenizer writes what it takes for markup."""


def align(text: str, surfaces: Sequence[Surface], *, escaped: bool = False) -> list[tuple[int, int] | None]:
    """The characters of `text` that each piece stands for; None for a piece that stands for none.

    Parameters
    ----------
    surfaces : sequence
        One for each piece, in the order of the text.
    escaped : bool
        Whether pieces have ``&apos;`` and the like for signs of the text.
    """
    written, wanted = _letters_of_text(text), _letters_of_pieces(surfaces)
    if escaped:
        wanted = _unescaped(wanted)
    spans: list[tuple[int, int] | None] = [None] * len(surfaces)
    for pieces, places in _matched(text, written, wanted):
        start, end = written.places[places.start], written.places[places.stop - 1] + 1
        for owner in pieces:
            known = spans[owner]
            spans[owner] = (start, end) if known is None else (min(known[0], start), max(known[1], end))
    _place_blanks(text, surfaces, spans)
    return spans


# ---------------------------------------------------------------- letters
@dataclass(frozen=True, slots=True)
class _Letters:
    """Letters, and where each is from: a character of the text, or the first and the last of the pieces that it is made of."""

    letters: str
    places: list[int]
    lasts: list[int]


@lru_cache(maxsize=4096)
def _plain(character: str) -> str:
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(letter for letter in plain if not letter.isspace())


def _gathered(parts: Iterator[tuple[str, int, int]]) -> _Letters:
    letters: list[str] = []
    places: list[int] = []
    lasts: list[int] = []
    for plain, first, last in parts:
        letters.append(plain)
        places.extend([first] * len(plain))
        lasts.extend([last] * len(plain))
    return _Letters("".join(letters), places, lasts)


def _letters_of_text(text: str) -> _Letters:
    return _gathered((_plain(character), at, at) for at, character in enumerate(text))


def _letters_of_pieces(surfaces: Sequence[Surface]) -> _Letters:
    return _gathered((_plain(character) or "", first, last) for character, first, last in _characters(surfaces))


def _characters(surfaces: Sequence[Surface]) -> Iterator[tuple[str, int, int]]:
    """The characters of the pieces, with their first and last piece; bytes of several pieces make up one."""
    run: list[tuple[int, int]] = []  # bytes, and their pieces
    for number, surface in enumerate(surfaces):
        if isinstance(surface, bytes):
            run.extend((byte, number) for byte in surface)
            continue
        yield from _decoded(run)
        run = []
        yield from ((_UNKNOWN, number, number),) if surface is None else ((letter, number, number) for letter in surface)
    yield from _decoded(run)


def _decoded(run: Sequence[tuple[int, int]]) -> Iterator[tuple[str, int, int]]:
    data = bytes(byte for byte, _ in run)
    at = 0
    while at < len(data):
        for length in (1, 2, 3, 4):
            try:
                character = data[at : at + length].decode("utf-8")
            except UnicodeDecodeError:
                continue
            break
        else:
            character, length = _UNKNOWN, 1
        length = min(length, len(data) - at)
        yield character, run[at][1], run[at + length - 1][1]
        at += length


def _unescaped(wanted: _Letters) -> _Letters:
    parts: list[tuple[str, int, int]] = []
    at = 0
    for match in _ENTITY.finditer(wanted.letters):
        parts += [(wanted.letters[i], wanted.places[i], wanted.lasts[i]) for i in range(at, match.start())]
        parts.append((_ENTITIES[match.group(1)], wanted.places[match.start()], wanted.lasts[match.end() - 1]))
        at = match.end()
    parts += [(wanted.letters[i], wanted.places[i], wanted.lasts[i]) for i in range(at, len(wanted.letters))]
    return _gathered(iter(parts))


# ---------------------------------------------------------------- the way through both
_Match = tuple[range, range]
"""Pieces, and the letters of the text that they stand for together."""


def _matched(text: str, written: _Letters, wanted: _Letters) -> Iterator[_Match]:
    edges = {place for place in range(1, len(written.letters)) if _parted(text, written, place)} | {0, len(written.letters)}
    at = i = 0
    while i < len(wanted.letters) and at < len(written.letters):
        if wanted.letters[i] == written.letters[at]:
            yield range(wanted.places[i], wanted.lasts[i] + 1), range(at, at + 1)
            i, at = i + 1, at + 1
            continue
        left_out, skipped = _way_on(wanted.letters, i, written.letters, at, edges)
        yield from _between(text, written, wanted, range(i, i + left_out), range(at, at + skipped))
        i, at = i + left_out, at + skipped


def _way_on(wanted: str, i: int, written: str, at: int, edges: Set[int]) -> tuple[int, int]:
    """How many letters of the pieces and of the text to pass over until they agree again; all, if they never do nearby.

    They agree where four letters are the same; or fewer, if no more are known, that are a word of the text.
    """
    for most in (_NEAR, _FAR):
        for total in range(1, most):
            for first in range(total + 1):
                a, b = i + first, at + total - first
                known = wanted[a : a + _SAME].partition(_UNKNOWN)[0]
                if known and written.startswith(known, b) and (len(known) == _SAME or {b, b + len(known)} <= edges):
                    return first, total - first
    return len(wanted) - i, len(written) - at


def _between(text: str, written: _Letters, wanted: _Letters, mine: range, theirs: range) -> Iterator[_Match]:
    """What differs: letters that agree after all, and stretches that stand for each other as a whole."""
    if not mine or not theirs:
        return
    operations: Sequence[tuple[str, int, int, int, int]] = [("replace", 0, len(mine), 0, len(theirs))]
    if max(len(mine), len(theirs)) <= _FAR:
        seen = wanted.letters[mine.start : mine.stop], written.letters[theirs.start : theirs.stop]
        operations = SequenceMatcher(None, *seen, autojunk=False).get_opcodes()
    for kind, i, i_end, at, at_end in operations:
        ours, places = range(mine.start + i, mine.start + i_end), range(theirs.start + at, theirs.start + at_end)
        if kind == "equal":
            for letter, place in zip(ours, places, strict=True):
                yield range(wanted.places[letter], wanted.lasts[letter] + 1), range(place, place + 1)
        elif kind == "replace":
            yield from _replaced(text, written, wanted, ours, places)


def _replaced(text: str, written: _Letters, wanted: _Letters, ours: range, places: range) -> Iterator[_Match]:
    """Pieces for a stretch of text: a word each, or a character each, if there are as many, and else all of it for each."""
    pieces = range(wanted.places[ours.start], wanted.lasts[ours.stop - 1] + 1)
    begins = [place for place in places if place == places.start or written.places[place] != written.places[place - 1]]
    words = [place for place in begins if place == places.start or _parted(text, written, place)]
    for parts in (words, begins):
        if len(parts) == len(pieces) > 1:
            for piece, start, end in zip(pieces, parts, [*parts[1:], places.stop], strict=True):
                yield range(piece, piece + 1), range(start, end)
            return
    yield pieces, places


def _parted(text: str, written: _Letters, place: int) -> bool:
    """Whether there is a blank before a letter of the text."""
    return any(character.isspace() for character in text[written.places[place - 1] : written.places[place]])


def _place_blanks(text: str, surfaces: Sequence[Surface], spans: list[tuple[int, int] | None]) -> None:
    """Pieces that are blanks themselves stand for those between their neighbours, in their order."""
    end = 0
    for number, surface in enumerate(surfaces):
        known = spans[number]
        if known is not None:
            end = known[1]
            continue
        blank = surface.decode("utf-8", "replace") if isinstance(surface, bytes) else surface
        if blank and blank.isspace() and text[end : end + len(blank)].isspace():
            spans[number] = (end, min(end + len(blank), len(text)))
            end += len(blank)
