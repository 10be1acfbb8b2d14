"""Changing a text by its tokens: mask one, put a candidate in its place. Pure functions from text to text."""

from __future__ import annotations

from headscope.core.text.clusters import cluster_end
from headscope.core.text.tokens import TokenAxis

_WORD_FOLLOWS = frozenset("([{<“‘«„\"'-–—/")
"""After these a word stands without a blank."""


def masked(axis: TokenAxis, position: int, mask_token: str, text: str) -> str:
    """`text` with a mask where the token at `position` stands, and the rest of its last character.

    Parameters
    ----------
    axis : TokenAxis
        The tokens of `text`, or of it and another: `text` is the one that the token's segment points into.
    position : int
        Of a token; the text stays as it is for one that stands for no text ([CLS], or the blank that some put before a text).
    mask_token : str
    """
    start, end = span(axis, position, text)
    return text if start == end else text[:start] + mask_token + text[end:]


def span(axis: TokenAxis, position: int, text: str) -> tuple[int, int]:
    """The characters of `text` that are a token's: also what belongs to its last one, its marks, and no token stands for.

    (Tokenizers that strip accents, or compose letters, leave those out.) An empty span, ``(0, 0)`` or where the token would
    be, for one that stands for no text.
    """
    token = axis.tokens[position]
    if token.start < 0 or token.start == token.end:
        return max(token.start, 0), max(token.start, 0)
    behind = (other.start for other in axis.tokens if other.segment == token.segment and other.start >= token.end)
    return token.start, cluster_end(text, token.start, token.end, min(behind, default=len(text)))


def with_candidate(axis: TokenAxis, position: int, candidate: str, text: str) -> str:
    """`text` with `candidate` where it was predicted.

    A candidate that begins a word (`Candidate.text` has a leading blank) gets one blank before it, unless something is there
    that words follow directly; any other joins what stands before, and blanks between the two go.

    Parameters
    ----------
    axis, text
        As for `masked`.
    position : int
        Of a token, which is replaced; or one past the end, where a decoder predicts: the text goes on.
    candidate : str
    """
    if position >= len(axis):
        begun = not text or text[-1].isspace()
        return text + (candidate.removeprefix(" ") if begun else candidate)
    start, end = span(axis, position, text)
    if start == end:
        return text
    before, after = text[:start], text[end:]
    if not candidate.startswith(" "):
        return before.rstrip(" ") + candidate + after
    gap = "" if not before or before[-1].isspace() or before[-1] in _WORD_FOLLOWS else " "
    return before + gap + candidate.lstrip(" ") + after
