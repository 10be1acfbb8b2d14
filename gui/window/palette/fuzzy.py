"""Fuzzy matching: ``nxhd`` finds "Next head"."""

from __future__ import annotations

import unicodedata


def score(query: str, text: str) -> float | None:
    """How well `query` fits `text`; None if its letters are not in it, in their order.

    Letters that begin words count most, then letters in a row; a short text beats a long one. Blanks, case and accents do not
    matter.

    Returns
    -------
    float or None
        Greater is better; 0 for an empty query.
    """
    wanted, letters = [letter for letter in _plain(query) if not letter.isspace()], _plain(text)
    if not wanted:
        return 0.0
    at = letters.find("".join(wanted) if " " not in query.strip() else _plain(query.strip()))
    if at >= 0:  # as it stands: the best there is
        return 3.0 * len(wanted) + (2.0 if _begins_word(letters, at) else 0.0) - len(letters) / 1000
    total, place, before = 0.0, 0, -2
    for letter in wanted:
        place = _next_place(letters, letter, place, before)
        if place < 0:
            return None
        total += 1.5 if _begins_word(letters, place) else 1.0 if place == before + 1 else 0.1
        before, place = place, place + 1
    return total - len(letters) / 1000


def _next_place(letters: str, letter: str, start: int, before: int) -> int:
    """Where `letter` comes next: right after the one before, else at the beginning of a word, else anywhere."""
    first = letters.find(letter, start)
    if first < 0 or first == before + 1:
        return first
    place = first
    while place >= 0 and not _begins_word(letters, place):
        place = letters.find(letter, place + 1)
    return place if place >= 0 else first


def _begins_word(letters: str, place: int) -> bool:
    return place == 0 or not letters[place - 1].isalnum()


def _plain(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(letter))
