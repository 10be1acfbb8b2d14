"""Axes of words, sentences and segments, made from the tokens of an axis."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from itertools import pairwise
from typing import Any

from headscope.core.text.clusters import cluster_end
from headscope.core.text.tokens import Token, TokenAxis, Units, visible

_CONTINUES = "·"
_ENDS = ".!?。！？…⏎"
_ENDS_ANYWHERE = "。！？…⏎"  # whatever follows without a blank
_CLOSERS = "\"'”’»)]}」』）】"
_LONGEST_NAME = 40
_BYTE = "<0x"


def axis_in_units(axis: TokenAxis, units: Units) -> TokenAxis:
    """`axis` in the units of `units`; `TokenAxis.pieces` tells what each position stands for.

    Special tokens and masks stand for themselves, or are left out where `units` hides special tokens or the first; of an axis of
    nothing else they stay. Words are parted by blanks and by Unicode's rules (see `word_boundaries`); a boundary inside a token splits
    nothing, and bytes of one character stay together. A sentence ends behind ``. ! ?`` and a blank, behind ``。！？…`` and at a line
    end ("Mr. Smith" is cut in two).
    """
    joins = _Words(axis).joins if units.of == "words" else _JOINS[units.of]
    first = int(units.hides_first)
    groups = [range(group.start + first, group.stop + first) for group in _runs(axis.tokens[first:], joins)]
    if units.hides_special:
        groups = [group for group in groups if not axis.tokens[group.start].special]
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


@lru_cache(maxsize=8)
def word_boundaries(text: str) -> frozenset[int]:
    """Where words begin and end, by Unicode Standard Annex 29 (Word Boundaries).

    Letters with their marks, numbers with their separators (``3,141.59``), ``it's`` and ``l'eau`` are one word each; a hyphen is one of
    its own (``well``, ``-``, ``known``); so is each Han and Hiragana character, which dictionaries alone could join, while
    Katakana runs on. Thai, Lao, Khmer, Burmese and their like write no blanks between words: a run of their letters stays whole.
    Every blank parts words, also the narrow one that the annex has join them (U+202F).
    """
    boundary, blank, unparted = _rules_of_words()
    found = {match.start() for match in boundary.finditer(text) if not unparted.match(text, match.start())}
    return frozenset(found.union(*(match.span() for match in blank.finditer(text))))


@cache
def _rules_of_words() -> tuple[Any, Any, Any]:
    """Patterns: where Unicode parts words, a blank, and between two letters of a script that is written without blanks.

    The last has no rules but dictionaries. Made when words are asked for first: the window's first picture needs none.
    """
    import regex

    unparted = r"(?<=\p{Line_Break=SA}\p{M}*)(?=[\p{Line_Break=SA}\p{M}])"
    return regex.compile(r"(?w)\b"), regex.compile(r"\s"), regex.compile(unparted)


class _Words:
    """Tells which tokens of an axis are of one word."""

    def __init__(self, axis: TokenAxis) -> None:
        self._texts = axis.text, axis.text_pair
        last = [max((token.end for token in axis.tokens if token.segment == segment), default=0) for segment in (0, 1)]
        # Of a text that does not fit the model the rest is not looked through.
        self._boundaries = [word_boundaries(text[: end + 1]) for text, end in zip(self._texts, last, strict=True)]

    def joins(self, before: Token, token: Token) -> bool:
        if before.masked or token.masked:
            return False
        text = self._texts[token.segment]
        if min(before.start, token.start) < 0 or token.end > len(text):  # labels are all that is known
            return len(token.text) > 1 and token.text.startswith(_CONTINUES) and token.start in (-1, before.end)
        if token.start < before.end:  # bytes of one character, or letters that one character became
            return True
        if before.start == before.end == token.start and before.text.startswith(_BYTE):  # the byte adds no text by itself
            return True
        if any(not text[each.start : each.end].strip() and each.start < each.end for each in (before, token)):
            return False  # a blank is no part of a word
        between = range(before.end, token.start + 1)  # marks and the like that no token stands for
        return all(at not in self._boundaries[token.segment] for at in between)


def _in_sentence(before: Token, token: Token) -> bool:
    said = before.text.rstrip(_CLOSERS)
    if not said:  # a closing quotation mark alone: part of what it closes
        return token.start == before.end >= 0
    if said[-1] not in _ENDS or token.text.removeprefix(_CONTINUES)[:1] in (*_ENDS, *_CLOSERS):
        return True
    return said[-1] not in _ENDS_ANYWHERE and token.start == before.end >= 0


def _in_segment(_before: Token, _token: Token) -> bool:
    return True


_JOINS: dict[str, Joins] = {"tokens": _never, "sentences": _in_sentence, "segments": _in_segment}


def _merged(axis: TokenAxis, group: range, numbers: dict[str, int]) -> Token:
    pieces = axis.tokens[group.start : group.stop]
    first, end = pieces[0], _end(axis, group)
    if len(pieces) == 1 and end == first.end:
        return first
    name = _name(axis, pieces, end)
    return replace(
        first,
        text=name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…",
        id=numbers.setdefault(name, -1 - len(numbers)),  # the same word has the same number, as tokens have
        end=end,
        unknown=any(piece.unknown for piece in pieces),
        masked=False,
        generated=all(piece.generated for piece in pieces),
    )


def _end(axis: TokenAxis, group: range) -> int:
    """Where its last character ends, with the marks that no token stands for."""
    last, text = axis.tokens[group.stop - 1], axis.text_pair if axis.tokens[group.start].segment else axis.text
    if last.masked:
        return last.end
    behind = axis.tokens[group.stop] if group.stop < len(axis) else last
    goes_on = behind.segment == last.segment and behind.start >= last.end
    return cluster_end(text, last.start, last.end, behind.start if goes_on else len(text))


def _name(axis: TokenAxis, pieces: Sequence[Token], end: int) -> str:
    """As it is written, where that is known."""
    first = pieces[0]
    text = axis.text_pair if first.segment else axis.text
    if 0 <= first.start < end <= len(text):
        return visible(" ".join(text[first.start : end].split())) or first.text
    words = ""
    for before, piece in zip((None, *pieces), pieces, strict=False):
        joined = before is None or piece.text.startswith(_CONTINUES) or (piece.start == before.end and piece.start >= 0)
        words += ("" if joined else " ") + (piece.text.removeprefix(_CONTINUES) or piece.text)
    return words
