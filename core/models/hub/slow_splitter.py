"""Tokenizers that are Python code of transformers and keep no track of characters: their pieces are laid on the text afterwards."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from headscope.core.errors import HeadscopeError
from headscope.core.models.hub import compat
from headscope.core.models.hub.piece_alignment import Surface, align
from headscope.core.models.hub.splitter import Notation, Piece, Pieces
from headscope.core.sentences import sentence

_MOST_CHARACTERS: Final = 200_000
_LONGEST_WORD: Final = 2_000
"""Pairs of letters are merged one by one, each time in the whole word."""
_WORD: Final = re.compile(r"\S+")
_BYTE: Final = re.compile(r"<0x([0-9A-F]{2})>|<\|byte(\d+)\|>")
_BLANKS: Final = {"__newln__": "\n", "<BR>": "\n", "</n>": "\n", "<SP>": " ", "</_>": " ", "<TAB>": "\t"}
"""How some vocabularies write a blank, a tab and a line end."""
_ENOUGH: Final = 2
"""Pieces that have a mark, for it to be the vocabulary's notation."""


class SlowSplitter:
    """A `Splitter` over a tokenizer without a fast version."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._special = frozenset(tokenizer.all_special_tokens)
        self._bytes = tokenizer.tokenize("é") == ["Ã", "©"]
        self._escapes = "&apos;" in "".join(tokenizer.tokenize("the cat ' s"))
        has_words = bool(tokenizer.vocab_files_names)  # or else its tokens are bytes or characters, all million of them
        self.notation = _notation(tokenizer.get_vocab()) if has_words else Notation("")

    def split(self, text: str, pair: str | None = None, *, special: bool = True) -> Pieces:
        """See `Splitter.split`.

        Raises
        ------
        HeadscopeError
            ``text_too_long``: it would take minutes.
        """
        texts = [text] if pair is None else [text, pair]
        for each in texts:
            self._check_length(each)
        made = self._tokenizer(text, pair, add_special_tokens=special, return_token_type_ids=True)
        return _listed(self._laid_on(made, texts, special=special))

    def split_target(self, text: str) -> Pieces:
        """See `Splitter.split_target`."""
        self._check_length(text)
        made = self._tokenizer(text_target=text, return_token_type_ids=True)
        with compat.writing(self._tokenizer):
            return _listed(self._laid_on(made, [text], special=True))

    def _check_length(self, text: str) -> None:
        if len(text) > _MOST_CHARACTERS:
            raise HeadscopeError(
                "text_too_long", reason=sentence("text_length", most=f"{_MOST_CHARACTERS:,}", size=f"{len(text):,}")
            )
        longest = max((len(match.group()) for match in _WORD.finditer(text)), default=0)
        if longest > _LONGEST_WORD and (self.notation.end or self.notation.goes_on):
            raise HeadscopeError(
                "text_too_long", reason=sentence("word_length", most=f"{_LONGEST_WORD:,}", size=f"{longest:,}")
            )

    def _laid_on(self, made: Any, texts: Sequence[str], *, special: bool) -> list[Piece]:
        """The ids that transformers' own call has made, with the characters of each."""
        ids = list(made["input_ids"])
        types = _types(made, len(ids))
        raws = [self._tokenizer.tokenize(each) for each in texts]
        parts = [self._tokenizer.convert_tokens_to_ids(each) for each in raws]
        found = _sources(self._tokenizer, parts) if special else list(_numbered(parts))
        if [id_ for *_, id_ in found] != ids:  # it has changed the text in a way of its own, as a whole
            added = frozenset(self._tokenizer.all_special_ids)
            names = self._tokenizer.convert_ids_to_tokens(ids)
            return [
                Piece(id_, str(raw), 0, 0, None if id_ in added else 0, type_id)
                for id_, raw, type_id in zip(ids, names, types, strict=True)
            ]
        spans = [self._spans(each, raw) for each, raw in zip(texts, raws, strict=True)]
        pieces = []
        for (source, number, id_), type_id in zip(found, types, strict=True):
            if source is None:
                pieces.append(Piece(id_, str(self._tokenizer.convert_ids_to_tokens(id_)), 0, 0, None, type_id))
            else:
                pieces.append(Piece(id_, raws[source][number], *spans[source][number], source, type_id))
        return pieces

    def _spans(self, text: str, raws: Sequence[str]) -> list[tuple[int, int]]:
        """The characters of each piece; an empty span behind the piece before it for one that stands for none."""
        surfaces = [self._surface(raw) for raw in raws]
        spans, end = [], 0
        for span in align(text, surfaces, escaped=self._escapes):
            spans.append((end, end) if span is None else span)
            end = spans[-1][1]
        return spans

    def _surface(self, raw: str) -> Surface:
        if raw in _BLANKS:
            return _BLANKS[raw]
        if raw in self._special:
            return None if raw == self._tokenizer.unk_token else raw
        if self._bytes and len(raw) == 1 and ord(raw) < 256:
            return bytes([ord(raw)])
        if byte := _BYTE.fullmatch(raw):
            return bytes([int(byte[1], 16) if byte[1] else int(byte[2]) % 256])
        bare = self.notation.bare(raw)
        return bare.replace("▁", " ") if bare.strip("▁") else bare.replace("▁", "")


def _listed(pieces: list[Piece]) -> Pieces:
    return Pieces([piece.source for piece in pieces], pieces.__getitem__)


def _notation(vocabulary: dict[str, int]) -> Notation:
    def has(mark: str, *, first: bool) -> bool:
        marked = (raw for raw in vocabulary if len(raw) > len(mark) and (raw.startswith(mark) if first else raw.endswith(mark)))
        return sum(1 for _, _ in zip(range(_ENOUGH), marked, strict=False)) == _ENOUGH

    if has("##", first=True):
        return Notation("WordPiece", words=True)
    if has("▁", first=True):
        return Notation("Unigram")
    end, goes_on = ("</w>" if has("</w>", first=False) else ""), ("@@" if has("@@", first=False) else "")
    return Notation("BPE" if end or goes_on else "", end, goes_on, words=bool(end or goes_on))


def _types(made: Any, n_tokens: int) -> list[int]:
    """Types of tokens; 0 for those of tables, which have seven each, and for what a tokenizer counts otherwise than its ids."""
    types = [type_id if isinstance(type_id, int) else 0 for type_id in made.get("token_type_ids") or ()]
    return [*types, *[0] * n_tokens][:n_tokens]  # ByT5 adds no </s> to a text that ends in one, but a type for it


_Found = tuple[int | None, int, int]
"""Which text a token is of, or None; its number in it; its id."""


def _numbered(parts: Sequence[Sequence[int]]) -> Iterator[_Found]:
    for source, ids in enumerate(parts):
        yield from ((source, number, id_) for number, id_ in enumerate(ids))


def _sources(tokenizer: Any, parts: Sequence[Sequence[int]]) -> list[_Found]:
    """Where the template puts the tokens of each text: it is given numbers below 0 in their place."""
    known = list(_numbered(parts))
    places = [list(range(-1, -1 - len(parts[0]), -1))]
    places += [list(range(-1 - len(parts[0]), -1 - len(known), -1))] if len(parts) == 2 else []
    return [(None, 0, each) if each >= 0 else known[-1 - each] for each in tokenizer.build_inputs_with_special_tokens(*places)]
