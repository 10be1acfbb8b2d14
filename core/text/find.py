"""Find words in the tokens of a text, also words that reach over several of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import regex

from headscope.core.text.tokens import Token, TokenAxis

_CONTINUES = "·"


def find_in(axis: TokenAxis, query: str) -> tuple[range, ...]:
    """Where `query` stands in the text of an axis, in reading order.

    Letters match in either case unless `query` has a capital; blanks match any run of blanks and line ends. Tokens that stand for
    no text, such as ``[SEP]``, are found by their labels.

    Returns
    -------
    tuple of range
        For each place, the positions of the tokens it touches; none is empty. Places do not overlap in the text, but two may
        touch the same token.
    """
    words = query.split()
    if not words:
        return ()
    text, spans = _written(axis)
    flags = regex.IGNORECASE if query == query.lower() else 0
    pattern = regex.compile(r"\s+".join(regex.escape(word) for word in words), flags)
    starts, ends = [start for start, _ in spans], [end for _, end in spans]
    found = (range(bisect_right(ends, match.start()), bisect_left(starts, match.end())) for match in pattern.finditer(text))
    return tuple(positions for positions in found if positions)


def _written(axis: TokenAxis) -> tuple[str, list[tuple[int, int]]]:
    """The text that all tokens stand for, and where in it each stands; ends and starts never decrease."""
    texts, pieces, spans = (axis.text, axis.text_pair), list[str](), list[tuple[int, int]]()
    length = cursor = segment = 0
    for token in axis.tokens:
        if token.segment != segment:
            segment, cursor = token.segment, 0
            pieces.append("\n")
            length += 1
        text = texts[min(segment, 1)]
        if 0 <= token.start <= token.end <= len(text):
            gap, piece = text[cursor : token.start], text[max(cursor, token.start) : token.end]
            taken = max(0, min(cursor, token.end) - token.start)  # with the token before: the bytes of one character
            cursor = max(cursor, token.end)
        else:
            gap, piece = _label(token, is_first=not spans)
            taken = 0
        pieces += [gap, piece]
        length += len(gap) + len(piece)
        start = length - len(piece) - taken
        spans.append((max(start, spans[-1][0]) if spans else start, length))
    return "".join(pieces), spans


def _label(token: Token, *, is_first: bool) -> tuple[str, str]:
    """What a token without a place in the text is called, and the blank before it."""
    if token.text.startswith(_CONTINUES) and len(token.text) > 1 and not token.special:
        return "", token.text.removeprefix(_CONTINUES)
    return "" if is_first else " ", token.text
