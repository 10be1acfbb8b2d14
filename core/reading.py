"""Axes of words, sentences and segments, made from the tokens of an axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from headscope.core.tokens import Reading, Token, TokenAxis

_CONTINUES = "·"
_ENDS = ".!?。！？…⏎"
_ENDS_ANYWHERE = "。！？…⏎"  # whatever follows without a blank
_CLOSERS = "\"'”’»)]}」』）】"
_LONGEST_NAME = 40


def read_axis(axis: TokenAxis, reading: Reading) -> TokenAxis:
    """`axis` in the units of `reading`; `TokenAxis.pieces` tells what each position stands for.

    Special tokens and masks stand for themselves, or are left out where `reading` hides special tokens; of an axis of nothing
    else they stay. A word is a run of pieces; a sentence ends behind ``. ! ?`` and a blank, behind ``。！？…`` and at a line
    end ("Mr. Smith" is cut in two).
    """
    joins = _JOINS[reading.units]
    groups = [
        group for group in _runs(axis.tokens, joins) if reading.special == "shown" or not axis.tokens[group.start].special
    ]
    if not groups:
        groups = [range(at, at + 1) for at in range(len(axis))]
    numbers: dict[str, int] = {}
    tokens = tuple(_merged(axis, group, numbers) for group in groups)
    return replace(axis, tokens=tokens, pieces=tuple(groups))


Joins = Callable[[Token, Token], bool]
"""Whether a token belongs to what the one before it began."""


def _runs(tokens: Sequence[Token], joins: Joins) -> Iterator[range]:
    start = 0
    for at, (before, token) in enumerate(pairwise(tokens), 1):
        alone = before.special or token.special or before.segment != token.segment
        if alone or not joins(before, token):
            yield range(start, at)
            start = at
    if tokens:
        yield range(start, len(tokens))


def _never(_before: Token, _token: Token) -> bool:
    return False


def _in_word(before: Token, token: Token) -> bool:
    if before.masked or token.masked:
        return False
    if 0 <= token.start < before.end:  # bytes of one character
        return True
    return len(token.text) > 1 and token.text.startswith(_CONTINUES) and (token.start < 0 or token.start == before.end)


def _in_sentence(before: Token, token: Token) -> bool:
    said = before.text.rstrip(_CLOSERS)
    if not said:  # a closing quotation mark alone: part of what it closes
        return token.start == before.end >= 0
    if said[-1] not in _ENDS or token.text.removeprefix(_CONTINUES)[:1] in (*_ENDS, *_CLOSERS):
        return True
    return said[-1] not in _ENDS_ANYWHERE and token.start == before.end >= 0


def _in_segment(_before: Token, _token: Token) -> bool:
    return True


_JOINS: dict[str, Joins] = {"tokens": _never, "words": _in_word, "sentences": _in_sentence, "segments": _in_segment}


def _merged(axis: TokenAxis, group: range, numbers: dict[str, int]) -> Token:
    pieces = axis.tokens[group.start : group.stop]
    first, last = pieces[0], pieces[-1]
    if len(pieces) == 1:
        return first
    name = _name(axis, pieces)
    return replace(
        first,
        text=name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…",
        id=numbers.setdefault(name, -1 - len(numbers)),  # the same word has the same number, as tokens have
        end=last.end,
        unknown=any(piece.unknown for piece in pieces),
        masked=False,
        generated=all(piece.generated for piece in pieces),
    )


def _name(axis: TokenAxis, pieces: Sequence[Token]) -> str:
    """As it is written, where that is known."""
    first, last = pieces[0], pieces[-1]
    if first.segment == 0 and 0 <= first.start < last.end <= len(axis.text):
        return " ".join(axis.text[first.start : last.end].split()) or first.text
    words = ""
    for before, piece in zip((None, *pieces), pieces, strict=False):
        joined = before is None or piece.text.startswith(_CONTINUES) or (piece.start == before.end and piece.start >= 0)
        words += ("" if joined else " ") + (piece.text.removeprefix(_CONTINUES) or piece.text)
    return words
