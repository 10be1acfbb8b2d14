"""transformers' tokenizers as Headscope reads them: labels that people can read, exact offsets, nothing dropped in silence."""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from tokenizers import Encoding, Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.models.download import VOCABULARY_FILES
from headscope.core.models.hub import compat
from headscope.core.models.smiles import is_smiles_vocabulary, smiles_tokenizer
from headscope.core.models.text import Encoded, dropped_from, shares
from headscope.core.tokens import Token, TokenAxis, visible

_TYPED_MASK: Final = "[MASK]"
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_BLANKS: Final = "▁Ġ"
"""How SentencePiece and byte-level BPE write a blank."""
_BYTE: Final = re.compile("<0x([0-9A-F]{2})>")
"""How SentencePiece writes a byte of a character that it does not have."""
_BYTE_OF: Final = {letter: number for number, letter in compat.BYTE_LETTERS.get()().items()}
"""The byte that a letter of byte-level BPE stands for."""
_SOMETHING: Final = "something that no template says"
_TAIL: Final = 12
"""Tokens before a new one that are decoded with it: enough for any character that is split over several."""


def read_tokenizer(folder: Path, name: str) -> PreTrainedTokenizerBase:
    """The tokenizer of a model's folder.

    Raises
    ------
    HeadscopeError
        ``no_tokenizer``.
    """
    if not any((folder / name).is_file() for name in VOCABULARY_FILES):  # T5's would be made up
        raise HeadscopeError("no_tokenizer", path=folder)
    try:
        tokenizer = _found(folder)
        tokenizer("a trial \ufffd")  # some notice only now that they lack the token for unknown words
    except Exception as error:  # each tokenizer's own parser raises its own kinds, the Rust one plain Exception
        raise HeadscopeError("no_tokenizer", path=folder, details=f"{name}: {error}") from None
    if not tokenizer.is_fast or len(tokenizer) <= len(tokenizer.all_special_ids):
        raise HeadscopeError("no_tokenizer", path=folder)
    return tokenizer


def _found(folder: Path) -> PreTrainedTokenizerBase:
    if is_smiles_vocabulary(folder / "vocab.txt"):
        return smiles_tokenizer(folder / "vocab.txt")
    tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(
        folder, trust_remote_code=False, local_files_only=True, clean_up_tokenization_spaces=False
    )
    return tokenizer


class HubTokenizer:
    """Implements `core.models.text.TextTokenizer` over a fast transformers tokenizer."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._special = frozenset(tokenizer.all_special_ids)
        self._backend: Tokenizer = tokenizer.backend_tokenizer
        self._backend.no_truncation()  # a tokenizer.json may bring its own; we say what is dropped
        self._backend.no_padding()
        self._style = type(self._backend.model).__name__
        self.mask_token: str | None = tokenizer.mask_token
        self.mask_id: int | None = tokenizer.mask_token_id
        ends = {tokenizer.eos_token_id, tokenizer.sep_token_id if tokenizer.eos_token_id is None else None}
        self.end_ids: frozenset[int] = frozenset(id_ for id_ in ends if id_ is not None)

    @property
    def has_chat_template(self) -> bool:
        return bool(self._tokenizer.chat_template)

    def encode(self, text: str, pair: str | None = None, *, max_tokens: int | None = None) -> Encoded:
        """See `TextTokenizer.encode`."""
        if pair is None and self._is_chat(text):
            return self._encoded_chat(text, max_tokens)
        first, second = self._prepared(text), None if pair is None else self._prepared(pair)
        encodings = [self._encoding(each.text) for each in (first, second) if each is not None]
        lengths = [len(encoding) for encoding in encodings]
        n_special = self._backend.num_special_tokens_to_add(len(encodings) == 2)
        room = sum(lengths) if max_tokens is None else max(0, max_tokens - n_special)
        keep = shares(lengths[0], sum(lengths[1:]), room)
        for encoding, most in zip(encodings, keep, strict=False):
            encoding.truncate(most)
        kept = self._backend.post_process(encodings[0], encodings[1] if second else None)
        tokens = self._tokens(kept, _owners(kept.special_tokens_mask, keep[0]), first, second)
        dropped = sum(lengths) - sum(keep)
        axis = TokenAxis(tuple(tokens), text, dropped, dropped_from(tokens) if keep[0] < lengths[0] else len(text))
        return Encoded.of(axis)

    def continuation(self, ids: tuple[int, ...], new_id: int, text: str) -> tuple[Token, str]:
        """See `TextTokenizer.continuation`."""
        raw = self._tokenizer.convert_ids_to_tokens(new_id)
        if new_id in self._special:
            return Token(visible(raw), new_id, special=True, generated=True), text
        added = self._added(ids, new_id, raw or "")
        whole = text + (added if any(id_ not in self._special for id_ in ids) else added.lstrip(" "))
        start = len(text) + (len(added) - len(added.lstrip(" ")) if added.strip(" ") else 0)
        label = _label(added, text[-1:]) if added else self._raw_label(new_id)
        return Token(label, new_id, min(start, len(whole)), len(whole), generated=True), whole

    def candidate(self, token_id: int) -> tuple[str, str]:
        """See `TextTokenizer.candidate`."""
        raw = self._tokenizer.convert_ids_to_tokens(token_id)
        if raw is None:  # a model may have more rows than its vocabulary has words
            return "", self._raw_label(token_id)
        if self._style == "WordPiece":
            if raw.startswith("##"):
                return raw[2:], f"·{visible(raw[2:])}"
            joins = len(raw) == 1 and (_is_east_asian(raw) or not raw.isalnum())
            return (raw if joins else f" {raw}"), visible(raw)
        if self._style == "WordLevel":
            return raw, visible(raw)
        text = f" {self._decode([token_id]).strip()}" if raw.startswith("▁") else self._decode([token_id])
        bare = text.strip()
        if "\ufffd" in text or not bare:
            return text, visible(text) if not bare and text else self._raw_label(token_id)
        continues = text[0] == bare[0] and bare[0].isalnum() and not _is_east_asian(bare[0]) and token_id not in self._special
        return text, f"·{visible(bare)}" if continues else visible(bare)

    def target(self, text: str | None, start_id: int, *, max_tokens: int | None = None) -> Encoded:
        """See `TextTokenizer.target`."""
        start = Token(self._tokenizer.convert_ids_to_tokens(start_id), start_id, special=True)
        if not text:
            return Encoded.of(TokenAxis((start,), "", 0, 0))
        prepared = self._prepared(text)
        encoding = self._encoding(prepared.text)
        n_tokens = len(encoding)
        encoding.truncate(n_tokens if max_tokens is None else max(0, max_tokens - 1))
        tokens = self._tokens(encoding, [0] * len(encoding), prepared, None)
        dropped = n_tokens - len(tokens)
        axis = TokenAxis((start, *tokens), text, dropped, dropped_from(tokens) if dropped else len(text))
        return Encoded.of(axis)

    def chat(self, text: str, system: str = "") -> str | None:
        """See `TextTokenizer.chat`.

        Raises
        ------
        HeadscopeError
            ``chat_template_failed``: some refuse a system text.
        """
        if not self.has_chat_template:
            return None
        return text if self._is_chat(text) else self._rendered(text, system)

    # ---------------------------------------------------------------- chats
    def _rendered(self, text: str, system: str = "") -> str:
        said = [{"role": "system", "content": system}] if system else []
        said.append({"role": "user", "content": text})
        try:
            return str(self._tokenizer.apply_chat_template(said, tokenize=False, add_generation_prompt=True))
        except Exception as error:  # a template is a program, which fails in its own ways
            raise HeadscopeError("chat_template_failed", reason=reason_of(error)) from None

    @cached_property
    def _chat_opening(self) -> str:
        """How every text in the template begins: with a special token, or with all that stands before what a user says."""
        if not self.has_chat_template:
            return ""
        try:
            opening = self._rendered(_SOMETHING).partition(_SOMETHING)[0]
        except HeadscopeError:
            return ""
        specials = sorted(self._tokenizer.all_special_tokens, key=len, reverse=True)
        return next((special for special in specials if opening.startswith(special)), opening)

    def _is_chat(self, text: str) -> bool:
        return bool(self._chat_opening) and text.startswith(self._chat_opening)

    def _encoded_chat(self, text: str, max_tokens: int | None) -> Encoded:
        """A rendered chat writes its special tokens out: none are added, and those that are written count as special."""
        prepared = self._prepared(text)
        encoding = self._encoding(prepared.text)
        n_tokens = len(encoding)
        encoding.truncate(n_tokens if max_tokens is None else max_tokens)
        tokens = self._tokens(encoding, [0] * len(encoding), prepared, None)
        tokens = [replace(token, special=token.id in self._special and not token.masked) for token in tokens]
        dropped = n_tokens - len(tokens)
        axis = TokenAxis(tuple(tokens), text, dropped, dropped_from(tokens) if dropped else len(text))
        return Encoded.of(axis)

    # ---------------------------------------------------------------- in
    def _prepared(self, text: str) -> _Prepared:
        """`text` as the tokenizer can take it: without halves of characters, ``[MASK]`` as the model writes it."""
        clean = _SURROGATES.sub("\ufffd", text)
        if self.mask_token in (None, _TYPED_MASK):
            return _Prepared(clean, _TYPED_MASK, _TYPED_MASK)
        assert self.mask_token is not None
        return _Prepared(clean.replace(_TYPED_MASK, self.mask_token), self.mask_token, _TYPED_MASK, original=clean)

    def _encoding(self, text: str) -> Encoding:
        """Without special tokens. (transformers' own call makes Python lists of everything: seconds for a book.)"""
        return self._backend.encode(text, add_special_tokens=False)

    def _tokens(
        self, encoding: Encoding, owners: Sequence[int | None], first: _Prepared, second: _Prepared | None
    ) -> list[Token]:
        """The tokens of an encoding; `owners` says which text each was cut from, None for those that the tokenizer added."""
        tokens: list[Token] = []
        sources = [first.text if second is None or not owner else second.text for owner in owners]
        pieces = zip(owners, sources, encoding.offsets, encoding.tokens, strict=True)
        spans = [(owner, *_span(source, *offsets, raw)) for owner, source, offsets, raw in pieces]
        types = [1 if type_id else 0 for type_id in encoding.type_ids]
        for place, (id_, raw, span, type_id) in enumerate(zip(encoding.ids, encoding.tokens, spans, types, strict=True)):
            segment, start, end = span
            if segment is None:
                near = self._segment_near(spans, place)
                tokens.append(Token(visible(raw), id_, segment=near, special=True, type_id=type_id))
                continue
            prepared = second if segment and second is not None else first
            label = self._shown(prepared.text, spans, place, raw)
            token = Token(label, id_, prepared.at(start), prepared.at(end), segment, type_id=type_id)
            if id_ == self.mask_id:
                token = replace(token, text=self.mask_token or raw, masked=True)
            tokens.append(replace(token, unknown=id_ == self._tokenizer.unk_token_id))
        return tokens

    @staticmethod
    def _segment_near(spans: Sequence[tuple[int | None, int, int]], place: int) -> int:
        """A special token closes the text before it."""
        return next((segment for segment, _, _ in reversed(spans[:place]) if segment is not None), 0)

    def _shown(self, text: str, spans: Sequence[tuple[int | None, int, int]], place: int, raw: str) -> str:
        """The written text of a piece; pieces that share one character are numbered."""
        span = spans[place]
        _, start, end = span
        piece = text[start:end]
        if not piece:
            return "␣" if raw.strip(_BLANKS) == "" else visible(raw)
        first = place
        while first > 0 and spans[first - 1] == span:
            first -= 1
        if first != place or (place + 1 < len(spans) and spans[place + 1] == span):
            return visible(piece.strip() or piece) + chr(0x2081 + min(place - first, 8))  # subscript digits
        return _label(piece, "" if self._style == "WordLevel" else text[start - 1 : start] if start else "")

    # ---------------------------------------------------------------- out
    def _added(self, ids: Sequence[int], new_id: int, raw: str) -> str:
        """The text that a token adds: nothing yet, if it is a part of a character and others are to come."""
        tail = [id_ for id_ in ids[-_TAIL:] if id_ not in self._special]
        if byte := _BYTE.fullmatch(raw):
            last = [_BYTE.fullmatch(each or "") for each in self._tokenizer.convert_ids_to_tokens(tail[-3:])]
            return _last_character([int(each.group(1), 16) if each else 0 for each in (*last, byte)])
        # Bytes before it may be those of half a character, which would spoil the whole run: each counts as a full stop.
        full_stop = self._tokenizer.convert_tokens_to_ids("<0x2E>")
        pieces = self._tokenizer.convert_ids_to_tokens(tail)
        known = [full_stop if _BYTE.fullmatch(piece or "") else id_ for id_, piece in zip(tail, pieces, strict=True)]
        before = self._decode(known).rstrip("\ufffd")  # what a split character decodes to until it is complete
        after = self._decode([*known, new_id]).rstrip("\ufffd")
        return after[len(before) :] if after.startswith(before) else ""

    def _decode(self, ids: Sequence[int]) -> str:
        return str(self._tokenizer.decode(list(ids), clean_up_tokenization_spaces=False))

    def _raw_label(self, token_id: int) -> str:
        """A token that is no text by itself: a blank, a special word, or its bytes."""
        raw: str = self._tokenizer.convert_ids_to_tokens(token_id) or str(token_id)
        if not raw.strip(_BLANKS):
            return "␣"
        if raw.startswith("<"):
            return visible(raw)
        if self._style == "BPE" and all(letter in _BYTE_OF for letter in raw) and "\ufffd" in self._decode([token_id]):
            return "".join(f"<0x{_BYTE_OF[letter]:02X}>" for letter in raw)
        return f"⟨{visible(raw)}⟩"


class _Prepared:
    """A text whose masks were written another way, and the way back from its offsets."""

    def __init__(self, text: str, mask: str, typed: str, original: str | None = None) -> None:
        self.text = text
        self._grows = len(mask) - len(typed)
        self._ends = [match.end() for match in re.finditer(re.escape(mask), text)] if original not in (None, text) else []
        if self._ends and original is not None and original.count(typed) != len(self._ends):
            self._ends = [end for end, was in zip(self._ends, _typed_flags(original, mask, typed), strict=True) if was]

    def at(self, offset: int) -> int:
        """The offset in the original text."""
        return offset - self._grows * bisect_right(self._ends, offset)


def _typed_flags(original: str, mask: str, typed: str) -> list[bool]:
    """For each mask of a text in which both ways are used: whether it was typed the other way."""
    return [match.group() == typed for match in re.finditer(f"{re.escape(mask)}|{re.escape(typed)}", original)]


def _last_character(numbers: Sequence[int]) -> str:
    """The character of UTF-8 that ends with the last of these bytes; "" if it is not complete yet."""
    for length in range(1, len(numbers) + 1):
        try:
            return bytes(numbers[-length:]).decode("utf-8")
        except UnicodeDecodeError:
            continue
    return ""


def _owners(special: Sequence[int], n_first: int) -> list[int | None]:
    """For each token the text it was cut from: the first `n_first` that were not added belong to text 0, the others to text 1.

    (After `post_process`, the library's own `sequence_ids` are wrong for pairs.)
    """
    places = accumulate((1 - flag for flag in special), initial=0)
    return [None if flag else int(place >= n_first) for flag, place in zip(special, places, strict=False)]


def _span(text: str, start: int, end: int, raw: str) -> tuple[int, int]:
    """What a piece stands for, without the blanks that begin a word; nothing for the blank that SentencePiece puts before a text."""
    piece = text[start:end]
    blanks = len(piece) - len(piece.lstrip(" "))
    if blanks == len(piece):
        return start, end
    return (start + blanks, end) if raw.strip(_BLANKS) else (start, start)


def _label(piece: str, before: str) -> str:
    """A piece as it is shown: without the blank that begins a word, with a dot where it continues one."""
    bare = piece.strip(" ")
    if not bare:
        return visible(piece)
    joined = piece[0] == bare[0] and before.isalnum() and not _is_east_asian(before)
    continues = joined and bare[0].isalnum() and not _is_east_asian(bare[0])
    return f"·{visible(bare)}" if continues else visible(bare)


def _is_east_asian(character: str) -> bool:
    """Chinese, Japanese and Korean do not part words by blanks."""
    return unicodedata.east_asian_width(character) in "WF"
