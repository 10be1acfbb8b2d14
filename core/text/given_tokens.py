"""Tokens that somebody has, as an axis that people can read: strings, ids, tensors, or what a tokenizer returned.

The pieces of a vocabulary are put together to a text, so that they have labels without marks and can be read as words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from headscope.core.errors import HeadscopeError
from headscope.core.sentences import sentence
from headscope.core.text.piece_labels import BYTE_OF, label_of, numbered_label
from headscope.core.text.tokens import Token, TokenAxis, visible

_SPECIAL: Final = re.compile(r"<\|?/?[^\s<>]+>|\[[A-Z]+\d*\]|<[｜|][^\s]+[｜|]>|__[a-z]+__")
"""What special tokens look like: <s>, </s>, <|endoftext|>, [CLS], <｜begin▁of▁sentence｜>."""
_BYTE: Final = re.compile("<0x([0-9A-F]{2})>")
"""How SentencePiece writes a byte of a character that it does not have."""


def axis_of(tokens: Any, tokenizer: Any = None) -> TokenAxis:
    """The tokens along one side of somebody's map.

    Parameters
    ----------
    tokens : sequence of str, of int, tensor or array of ids, or what a tokenizer returned
        Of one text; of several (lists of lists, rows of a tensor) the first. Strings may be the pieces of any vocabulary.
    tokenizer : optional
        A transformers tokenizer, for ids: without one their numbers are shown.

    Raises
    ------
    HeadscopeError
        ``not_tokens`` for anything else.
    """
    found = first_text(tokens)
    if all(isinstance(each, str) for each in found):
        return spelled(
            found, [-1] * len(found), [bool(_SPECIAL.fullmatch(each)) and not _BYTE.fullmatch(each) for each in found]
        )
    if not all(isinstance(each, int) for each in found):
        raise HeadscopeError("not_tokens", reason=sentence("tokens_of_wrong_type"))
    if tokenizer is None:
        labels = [str(each) for each in found]
        return spelled(labels, found, [False] * len(found))
    special = set(tokenizer.all_special_ids)
    pieces = [str(piece) for piece in tokenizer.convert_ids_to_tokens(found)]
    model = getattr(getattr(tokenizer, "backend_tokenizer", None), "model", None)
    are_words = model is None or type(model).__name__ in ("WordLevel", "WordPiece")
    return spelled(pieces, found, [each in special for each in found], are_words=are_words)


def first_text(tokens: Any) -> list[Any]:
    """The tokens of the first text, in whatever form they come. Raises ``not_tokens`` for what has none."""
    if isinstance(tokens, Mapping) or hasattr(tokens, "input_ids"):
        tokens = tokens.get("input_ids") if isinstance(tokens, Mapping) else tokens.input_ids
    if isinstance(tokens, str):
        raise HeadscopeError("not_tokens", reason=sentence("text_for_tokens"))
    if hasattr(tokens, "tolist"):
        tokens = tokens.tolist()
    if not isinstance(tokens, Sequence) or isinstance(tokens, bytes | bytearray):
        raise HeadscopeError("not_tokens", reason=sentence("not_a_list", type=type(tokens).__name__))
    if tokens and all(isinstance(each, Sequence) and not isinstance(each, str) for each in tokens):
        tokens = tokens[0]
    return [each.item() if hasattr(each, "item") else each for each in tokens]


def spelled(pieces: Sequence[str], ids: Sequence[int], special: Sequence[bool], *, are_words: bool = True) -> TokenAxis:
    """The axis of these pieces of a vocabulary, and the text that they make; `special` ones stand for none.

    Of pieces without any of the marks that vocabularies have, `are_words` tells whether blanks part them.
    """
    written = _bytes_of(are_words, [piece for piece, is_special in zip(pieces, special, strict=True) if not is_special])
    text, character_of = _decoded(b"".join(written))
    spans: list[tuple[int, int]] = []
    place, waiting = 0, iter(written)
    for is_special in special:
        if is_special:
            spans.append((-1, -1))
            continue
        length = len(next(waiting))
        start, end = (character_of[place], character_of[place + length - 1] + 1) if length else (0, 0)
        blanks = len(text[start:end]) - len(text[start:end].lstrip(" "))
        spans.append((start + blanks, end) if blanks < end - start else (start, end))
        place += length
    tokens = [
        Token(_label(text, spans, at, piece, is_special), id_, *spans[at], special=is_special)
        for at, (piece, id_, is_special) in enumerate(zip(pieces, ids, special, strict=True))
    ]
    return TokenAxis(tuple(tokens), text, 0, len(text))


def _label(text: str, spans: Sequence[tuple[int, int]], position: int, piece: str, is_special: bool) -> str:
    start, end = spans[position]
    if is_special or start == end:
        return visible(piece)
    written = text[start:end]
    return numbered_label(written, spans, position) or label_of(written, text[start - 1 : start] if start else "")


def _bytes_of(are_words: bool, pieces: Sequence[str]) -> list[bytes]:
    """What each piece adds to the text, in UTF-8: the vocabulary's own marks of blanks, continuations and bytes are undone."""
    together = "".join(pieces)
    if (not are_words or any(mark in together for mark in "ĠĊ")) and all(letter in BYTE_OF for letter in together):
        return _without_first_blank([bytes(BYTE_OF[letter] for letter in piece) for piece in pieces])
    if "▁" in together:
        return _without_first_blank([_sentencepiece_bytes(piece) for piece in pieces])
    if any(piece.startswith("##") for piece in pieces):
        return _without_first_blank(
            [piece[2:].encode() if piece.startswith("##") else f" {piece}".encode() for piece in pieces]
        )
    for end in ("</w>", "@@"):
        if any(piece.endswith(end) for piece in pieces):
            follows = [piece.endswith(end) == (end == "</w>") for piece in pieces]  # by a blank
            return [(piece.removesuffix(end) + " " * blank).encode() for piece, blank in zip(pieces, follows, strict=True)]
    gap = " " if are_words else ""
    return _without_first_blank([f"{gap}{piece}".encode("utf-8", "replace") for piece in pieces])


def _sentencepiece_bytes(piece: str) -> bytes:
    byte = _BYTE.fullmatch(piece)
    return bytes([int(byte.group(1), 16)]) if byte else piece.replace("▁", " ").encode("utf-8", "replace")


def _without_first_blank(written: list[bytes]) -> list[bytes]:
    """The blank before the first word is the vocabulary's."""
    if written and written[0].startswith(b" ") and len(written[0]) > 1:
        written[0] = written[0][1:]
    return written


def _decoded(written: bytes) -> tuple[str, list[int]]:
    """The text of UTF-8, and for each byte the character that it is part of; what is no UTF-8 becomes U+FFFD, byte by byte."""
    characters: list[str] = []
    character_of: list[int] = []
    at = 0
    while at < len(written):
        for length in (1, 2, 3, 4):
            try:
                characters.append(written[at : at + length].decode("utf-8"))
                break
            except UnicodeDecodeError:
                continue
        else:
            length = 1
            characters.append("\ufffd")
        character_of += [len(characters) - 1] * min(length, len(written) - at)
        at += length
    return "".join(characters), character_of
