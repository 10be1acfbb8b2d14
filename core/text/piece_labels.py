"""How pieces of a tokenizer are shown to people: the text they stand for, without the marks of their vocabulary.

References
----------
Radford et al., Language Models are Unsupervised Multitask Learners, 2019: byte-level BPE, which writes each byte as a letter.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from headscope.core.text.tokens import visible


def _byte_letters() -> Iterator[tuple[str, int]]:
    """Printable bytes of Latin-1 are their own letters; the others follow, in order, from U+0100 on."""
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (number for number in range(256) if number not in printable)
    yield from ((chr(number), number) for number in printable)
    yield from ((chr(0x100 + place), number) for place, number in enumerate(others))


BYTE_OF: Final = dict(_byte_letters())
"""The byte that a letter of byte-level BPE stands for."""


def is_east_asian(character: str) -> bool:
    """Chinese, Japanese and Korean do not part words by blanks."""
    return unicodedata.east_asian_width(character) in "WF"


def label_of(written: str, before: str) -> str:
    """A piece as it is shown: without the blank that begins a word, with a dot where it continues one.

    Parameters
    ----------
    written : str
        What it stands for in the text.
    before : str
        The character before it; "" if there is none, or if the vocabulary knows no pieces of words.
    """
    bare = written.strip(" ")
    if not bare:
        return visible(written)
    joined = written[0] == bare[0] and before.isalnum() and not is_east_asian(before)
    continues = joined and bare[0].isalnum() and not is_east_asian(bare[0])
    return f"·{visible(bare)}" if continues else visible(bare)


def numbered_label(written: str, spans: Sequence[object], position: int) -> str | None:
    """The label of a piece that shares its characters with neighbours, which are numbered; None if it does not.

    Parameters
    ----------
    spans : sequence
        What each piece stands for; equal where they share their characters.
    position : int
        Which of them.
    """
    first = position
    while first > 0 and spans[first - 1] == spans[position]:
        first -= 1
    if first == position and (position + 1 == len(spans) or spans[position + 1] != spans[position]):
        return None
    return visible(written.strip() or written) + chr(0x2081 + min(position - first, 8))  # subscript digits
