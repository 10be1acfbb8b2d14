"""A tokenizer of whole words: what a vocabulary of some hundred words needs, and nothing is swallowed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from headscope.core.errors import HeadscopeError
from headscope.core.text.tokenizer import Encoded, dropped_from, shares
from headscope.core.text.tokens import Token, TokenAxis, visible

PAD, MASK, UNKNOWN, CLS, SEP, END = "[PAD]", "[MASK]", "[UNK]", "[CLS]", "[SEP]", "<eos>"

# Special words, words with inner apostrophes, numbers; every other visible character (Chinese, emoji, marks) by itself.
_PIECE = re.compile(r"\[mask\]|[^\W\d_\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+(?:'[^\W\d_]+)?|\d+|[^\s]", re.IGNORECASE)


def pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """(word, start, end) of each word and mark of `text`."""
    for match in _PIECE.finditer(text):
        yield match.group(), match.start(), match.end()


class WordTokenizer:
    """Implements `core.models.text.TextTokenizer` over a list of words.

    Parameters
    ----------
    words : sequence of str
        The vocabulary, in order of ids. Holds ``[PAD]`` and ``[UNK]``; an encoder's ``[CLS] [SEP] [MASK]`` as well, a decoder's ``<eos>``,
        which begins its texts and ends its stories.
    """

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)
        self._ids = {word: index for index, word in enumerate(self.words)}
        self.pad_id = self._ids[PAD]
        self.unknown_id = self._ids[UNKNOWN]
        self.mask_id: int | None = self._ids.get(MASK)
        self.cls_id: int | None = self._ids.get(CLS)
        self.mask_token: str | None = MASK if self.mask_id is not None else None
        self.end_ids: frozenset[int] = frozenset({self._ids[END]} if END in self._ids else ())
        self._is_encoder = CLS in self._ids

    def id_of(self, word: str) -> int:
        """The id of a word of the vocabulary, or of ``[UNK]``."""
        return self._ids.get(word, self._ids.get(word.lower(), self.unknown_id))

    def encode(self, text: str, pair: str | None = None, *, max_tokens: int | None = None) -> Encoded:
        """See `TextTokenizer.encode`."""
        n_special = (3 if pair is not None else 2) if self._is_encoder else 1
        room = None if max_tokens is None else max(0, max_tokens - n_special)
        first, n_first = self._tokens(text, 0, room)
        second, n_second = self._tokens(pair, 1, room) if pair is not None else ([], 0)
        if room is not None:
            keep_first, keep_second = shares(len(first), len(second), room)
            first, second = first[:keep_first], second[:keep_second]
        tokens = self._with_specials(first, second, paired=pair is not None)
        cut = dropped_from(first) if len(first) < n_first else len(text)
        axis = TokenAxis(tuple(tokens), text, n_first + n_second - len(first) - len(second), cut, text_pair=pair or "")
        return Encoded.of(axis)

    def continuation(self, ids: tuple[int, ...], new_id: int, text: str) -> tuple[Token, str]:
        """See `TextTokenizer.continuation`."""
        if new_id in self.end_ids:
            return Token(END, new_id, special=True, generated=True), text
        word = self.words[new_id]
        gap = " " if text and not text[-1].isspace() else ""
        start = len(text) + len(gap)
        return Token(word, new_id, start, start + len(word), generated=True), text + gap + word

    def candidate(self, token_id: int) -> tuple[str, str]:
        """See `TextTokenizer.candidate`."""
        return " " + self.words[token_id], self.words[token_id]

    @property
    def n_ids(self) -> int:
        """See `TextTokenizer.n_ids`."""
        return len(self.words)

    def is_ordinary(self, token_id: int) -> bool:
        """See `TextTokenizer.is_ordinary`."""
        return self.words[token_id] not in (PAD, MASK, UNKNOWN, CLS, SEP, END)

    def pieces_of(self, ids: Sequence[int]) -> tuple[list[str], list[bool], bool]:
        """See `TextTokenizer.pieces_of`."""
        for id_ in ids:
            if id_ >= len(self.words):
                raise HeadscopeError("no_such_id", id=id_, last=len(self.words) - 1)
        return [self.words[id_] for id_ in ids], [self.words[id_] in (PAD, CLS, SEP, END) for id_ in ids], True

    def chat(self, text: str, system: str = "") -> str | None:
        """See `TextTokenizer.chat`."""
        return None

    def target(self, text: str | None, start_id: int | None, *, max_tokens: int | None = None) -> Encoded:
        """See `TextTokenizer.target`."""
        assert start_id is not None
        written = text or ""
        words, n_words = self._tokens(written, 0, None if max_tokens is None else max_tokens - 1)
        tokens = [Token(self.words[start_id], start_id, special=True), *words]
        cut = dropped_from(words) if len(words) < n_words else len(written)
        axis = TokenAxis(tuple(tokens), written, n_words - len(words), cut)
        return Encoded.of(axis)

    def _tokens(self, text: str, segment: int, most: int | None) -> tuple[list[Token], int]:
        """The first `most` words as tokens, and how many words there are in all."""
        found = pieces(text)
        tokens = [self._token(word, start, end, segment) for word, start, end in islice(found, most)]
        return tokens, len(tokens) + sum(1 for _ in found)

    def _token(self, word: str, start: int, end: int, segment: int) -> Token:
        if self.mask_id is not None and word.upper() == MASK:
            return Token(MASK, self.mask_id, start, end, segment, masked=True, type_id=segment)
        id_ = self.id_of(word)
        return Token(visible(word), id_, start, end, segment, unknown=id_ == self.unknown_id, type_id=segment)

    def _with_specials(self, first: list[Token], second: list[Token], *, paired: bool) -> list[Token]:
        if not self._is_encoder:
            return [self._special(END), *first]
        closing = [*second, self._special(SEP, 1)] if paired else []
        return [self._special(CLS), *first, self._special(SEP), *closing]

    def _special(self, word: str, segment: int = 0) -> Token:
        return Token(word, self._ids[word], segment=segment, special=True, type_id=segment)
