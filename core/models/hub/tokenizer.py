"""transformers' tokenizers as Headscope reads them: labels that people can read, exact offsets, nothing dropped in silence."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from transformers import PreTrainedTokenizerBase

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.job import Job
from headscope.core.memory import is_out_of_memory
from headscope.core.models.hub.download import VOCABULARY_FILES
from headscope.core.models.hub.panics import panics_as
from headscope.core.models.hub.quiet import QUIET
from headscope.core.models.hub.slow_splitter import SlowSplitter
from headscope.core.models.hub.splitter import BLANKS, FastSplitter, Piece, Pieces, Splitter
from headscope.core.models.hub.tokenizer_guard import TextGuard, look_at_tokenizer, opening, render
from headscope.core.models.hub.tokenizer_trial import load_tokenizer
from headscope.core.sentences import sentence
from headscope.core.text.clusters import cluster_end
from headscope.core.text.piece_labels import BYTE_OF, is_east_asian, label_of, numbered_label
from headscope.core.text.tokenizer import Encoded, dropped_from, shares
from headscope.core.text.tokens import Token, TokenAxis, visible

_TYPED_MASK: Final = "[MASK]"
_SURROGATES: Final = re.compile("[\ud800-\udfff]")
_BYTE: Final = re.compile("<0x([0-9A-F]{2})>")
"""How SentencePiece writes a byte of a character that it does not have."""
_LIBRARY: Final = re.compile(
    r"pip3? install (?:-U )?([\w-]+)|requires the (\w+) library|install ([\w-]+) to use|(\w+) is required"
)
"""How transformers says that a library is missing."""
_SOMETHING: Final = "something that no template says"
_TAIL: Final = 12
"""Tokens before a new one that are decoded with it: enough for any character that is split over several."""


def read_tokenizer(folder: Path, name: str, job: Job | None = None) -> PreTrainedTokenizerBase:
    """The tokenizer of a model's folder.

    Raises
    ------
    HeadscopeError
        ``no_tokenizer``; ``needs_library`` for a kind that needs one that is not installed; ``cannot_read`` or ``tokenizer_broken``
        for one that does not end, fills the memory or panics.
    Cancelled
    """
    look_at_tokenizer(folder, job)
    try:
        with QUIET.held(), panics_as(lambda reason: HeadscopeError("tokenizer_broken", path=folder, reason=reason)):
            tokenizer = load_tokenizer(folder)
            tokenizer("a trial \ufffd")  # some notice only now that they lack the token for unknown words
            HubTokenizer(tokenizer)  # looks up its special tokens, which a broken one may look for without end
    except HeadscopeError:  # of a panic
        raise
    except Exception as error:  # each tokenizer's own parser raises its own kinds, the Rust one plain Exception
        if is_out_of_memory(error):
            raise
        if library := _lacking(error):
            raise HeadscopeError("needs_library", library=library, reason=sentence("tokenizer_needs", name=name)) from None
        raise HeadscopeError("no_tokenizer", path=folder, details=f"{name}: {error}") from None
    # Without its files T5's would be made up; ByT5's and its like have none: their vocabulary are all bytes.
    made_up = bool(tokenizer.vocab_files_names) and not any((folder / each).is_file() for each in VOCABULARY_FILES)
    if made_up or len(tokenizer) <= len(tokenizer.all_special_ids):
        raise HeadscopeError("no_tokenizer", path=folder)
    return tokenizer


def _lacking(error: Exception) -> str | None:
    """The library that an error says is not installed."""
    if not isinstance(error, ImportError):
        return None
    named = _LIBRARY.search(str(error))
    found = error.name or (next((name for name in named.groups() if name), None) if named else None)
    return found.lower().partition(".")[0] if found else None


class HubTokenizer:
    """Implements `core.models.text.TextTokenizer` over a transformers tokenizer, with a fast version or without."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._guard = TextGuard(getattr(tokenizer, "backend_tokenizer", None))
        self._special = frozenset(tokenizer.all_special_ids)
        self._splitter: Splitter = FastSplitter(tokenizer) if tokenizer.is_fast else SlowSplitter(tokenizer)
        self._notation = self._splitter.notation
        self.mask_token: str | None = tokenizer.mask_token
        self.mask_id: int | None = tokenizer.mask_token_id
        self.cls_id: int | None = tokenizer.cls_token_id
        ends = {tokenizer.eos_token_id, tokenizer.sep_token_id if tokenizer.eos_token_id is None else None}
        self.end_ids: frozenset[int] = frozenset(id_ for id_ in ends if id_ is not None)

    @property
    def has_chat_template(self) -> bool:
        return bool(self._tokenizer.chat_template)

    def encode(self, text: str, pair: str | None = None, *, max_tokens: int | None = None) -> Encoded:
        """See `TextTokenizer.encode`."""
        if pair is None and self._is_chat(text):
            return self._encoded_chat(text, max_tokens)
        prepared = [self._prepared(each) for each in (text, pair) if each is not None]
        encoded = self._encoded(self._split(*(each.text for each in prepared)), prepared, text, max_tokens)
        return encoded if pair is None else replace(encoded, axis=replace(encoded.axis, text_pair=pair))

    def continuation(self, ids: tuple[int, ...], new_id: int, text: str) -> tuple[Token, str]:
        """See `TextTokenizer.continuation`."""
        raw = self._piece(new_id)
        if new_id in self._special:
            return Token(visible(raw or str(new_id)), new_id, special=True, generated=True), text
        added = self._added(ids, new_id, raw or "")
        whole = text + (added if any(id_ not in self._special for id_ in ids) else added.lstrip(" "))
        start = len(text) + (len(added) - len(added.lstrip(" ")) if added.strip(" ") else 0)
        label = label_of(added, text[-1:]) if added else self._raw_label(new_id)
        return Token(label, new_id, min(start, len(whole)), len(whole), generated=True), whole

    def candidate(self, token_id: int) -> tuple[str, str]:
        """See `TextTokenizer.candidate`."""
        raw = self._piece(token_id)
        if raw is None:
            return "", self._raw_label(token_id)
        if self._notation.words:
            bare = self._notation.bare(raw)
            if self._notation.style == "WordPiece" and bare != raw:
                return bare, f"·{visible(bare)}"
            joins = len(bare) == 1 and (is_east_asian(bare) or not bare.isalnum())
            return (bare if joins else f" {bare}"), visible(bare)
        if self._notation.style == "WordLevel":
            return raw, visible(raw)
        text = f" {self._decode([token_id]).strip()}" if raw.startswith("▁") else self._decode([token_id])
        bare = text.strip()
        if "\ufffd" in text or not bare:
            return text, visible(text) if not bare and text else self._raw_label(token_id)
        continues = text[0] == bare[0] and bare[0].isalnum() and not is_east_asian(bare[0]) and token_id not in self._special
        return text, f"·{visible(bare)}" if continues else visible(bare)

    def target(self, text: str | None, start_id: int | None, *, max_tokens: int | None = None) -> Encoded:
        """See `TextTokenizer.target`."""
        if not text:
            assert start_id is not None
            return Encoded.of(TokenAxis((self._start(start_id),), "", 0, 0))
        prepared = self._prepared(text)
        labels = self._splitter.split_target(prepared.text)
        first = labels.make(len(labels.sources) - 1).id if start_id is None else start_id
        if labels.sources[-1:] == [None]:  # what closes a text; a tokenizer may add nothing
            labels = replace(labels, sources=labels.sources[:-1])
        axis = self._encoded(labels, [prepared], text, None if max_tokens is None else max_tokens - 1).axis
        return Encoded.of(replace(axis, tokens=(self._start(first), *axis.tokens)))

    def _start(self, start_id: int) -> Token:
        raw = self._piece(start_id)
        return Token(visible(raw or str(start_id)), start_id, special=True)

    @property
    def n_ids(self) -> int:
        """See `TextTokenizer.n_ids`."""
        return len(self._tokenizer)

    def is_ordinary(self, token_id: int) -> bool:
        """See `TextTokenizer.is_ordinary`."""
        return token_id not in self._special and bool(self._piece(token_id))  # the mask and the unknown token are special here

    def pieces_of(self, ids: Sequence[int]) -> tuple[list[str], list[bool], bool]:
        """See `TextTokenizer.pieces_of`."""
        pieces = [self._piece(id_) for id_ in ids]
        for id_, piece in zip(ids, pieces, strict=True):
            if piece is None:
                raise HeadscopeError("no_such_id", id=id_, last=len(self._tokenizer) - 1)
        are_words = self._notation.style in ("WordLevel", "WordPiece")
        return list(map(str, pieces)), [id_ in self._special and id_ != self.mask_id for id_ in ids], are_words

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
        return render(self._tokenizer, said)

    @cached_property
    def _chat_opening(self) -> str:
        """How every text in the template begins: with a special token, or with all that stands before what a user says."""
        if not self.has_chat_template:
            return ""
        begins = opening(self._tokenizer, _SOMETHING)
        specials = sorted(self._tokenizer.all_special_tokens, key=len, reverse=True)
        return next((special for special in specials if begins.startswith(special)), begins)

    def _is_chat(self, text: str) -> bool:
        return bool(self._chat_opening) and text.startswith(self._chat_opening)

    def _encoded_chat(self, text: str, max_tokens: int | None) -> Encoded:
        """A rendered chat writes its special tokens out: none are added, and those that are written count as special."""
        prepared = self._prepared(text)
        axis = self._encoded(self._split(prepared.text, special=False), [prepared], text, max_tokens).axis
        tokens = (replace(token, special=token.id in self._special and not token.masked) for token in axis.tokens)
        return Encoded.of(replace(axis, tokens=tuple(tokens)))

    # ---------------------------------------------------------------- in
    def _split(self, *texts: str, special: bool = True) -> Pieces:
        try:
            with panics_as(lambda reason: HeadscopeError("text_not_split", reason=reason)):
                return self._splitter.split(*texts, special=special)
        except Exception as error:
            if type(error) is not Exception:  # which only the Rust library raises: of a letter that is in no vocabulary
                raise
            raise HeadscopeError("text_not_split", reason=reason_of(error)) from None

    def _prepared(self, text: str) -> _Prepared:
        """`text` as the tokenizer can take it: without halves of characters, ``[MASK]`` as the model writes it."""
        clean = _SURROGATES.sub("\ufffd", text)
        self._guard.check(clean)
        if self.mask_token in (None, _TYPED_MASK):
            return _Prepared(clean, _TYPED_MASK, _TYPED_MASK)
        assert self.mask_token is not None
        return _Prepared(clean.replace(_TYPED_MASK, self.mask_token), self.mask_token, _TYPED_MASK, original=clean)

    def _encoded(self, pieces: Pieces, prepared: Sequence[_Prepared], text: str, max_tokens: int | None) -> Encoded:
        """The pieces as tokens, of each text as many as `max_tokens` leaves room for; what the tokenizer added stays."""
        lengths = [pieces.sources.count(number) for number in range(len(prepared))]
        n_added = len(pieces.sources) - sum(lengths)
        room = sum(lengths) if max_tokens is None else max(0, max_tokens - n_added)
        keep = shares(lengths[0], sum(lengths[1:]), room)
        tokens = self._tokens(pieces.cut(keep), prepared)
        last = dropped_from(tokens) if keep[0] < lengths[0] else len(text)
        return Encoded.of(TokenAxis(tuple(tokens), text, sum(lengths) - sum(keep), last))

    def _tokens(self, pieces: Sequence[Piece], prepared: Sequence[_Prepared]) -> list[Token]:
        """What the tokenizer added is special, and belongs to the text before it."""
        tokens: list[Token] = []
        segment = 0
        spans = [piece.span for piece in pieces]
        for position, piece in enumerate(pieces):
            if piece.source is None:
                tokens.append(Token(visible(piece.raw), piece.id, segment=segment, special=True, type_id=piece.type_id))
                continue
            segment, source = piece.source, prepared[piece.source]
            label = self._shown(source.text, pieces, spans, position)
            token = Token(label, piece.id, source.at(piece.start), source.at(piece.end), segment, type_id=piece.type_id)
            if piece.id == self.mask_id:
                token = replace(token, text=self.mask_token or piece.raw, masked=True)
            tokens.append(replace(token, unknown=piece.id == self._tokenizer.unk_token_id))
        return tokens

    def _shown(self, text: str, pieces: Sequence[Piece], spans: Sequence[object], position: int) -> str:
        """The written text of a piece, with the marks that it leaves out; pieces that share one character are numbered."""
        piece = pieces[position]
        written = text[piece.start : piece.end]
        if not written:
            return "␣" if piece.raw.strip(BLANKS) == "" else f"⟨{visible(piece.raw)}⟩"
        if shared := numbered_label(written, spans, position):
            return shared
        before = text[piece.start - 1 : piece.start] if piece.start else ""
        behind = pieces[position + 1] if position + 1 < len(pieces) else piece
        limit = behind.start if behind.source == piece.source and behind.start >= piece.end else len(text)
        written = text[piece.start : cluster_end(text, piece.start, piece.end, limit)]
        return label_of(written, "" if self._notation.style == "WordLevel" else before)

    # ---------------------------------------------------------------- out
    def _added(self, ids: Sequence[int], new_id: int, raw: str) -> str:
        """The text that a token adds: nothing yet, if it is a part of a character and others are to come."""
        tail = [id_ for id_ in ids[-_TAIL:] if id_ not in self._special]
        if byte := _BYTE.fullmatch(raw):
            last = [_BYTE.fullmatch(each or "") for each in map(self._piece, tail[-3:])]
            return _last_character([int(each.group(1), 16) if each else 0 for each in (*last, byte)])
        are_bytes = [bool(_BYTE.fullmatch(self._piece(id_) or "")) for id_ in tail]
        known = tail
        if any(are_bytes):  # they may be those of half a character, which would spoil the whole run: each counts as a full stop
            full_stop = self._tokenizer.convert_tokens_to_ids("<0x2E>")
            known = [full_stop if is_byte else id_ for id_, is_byte in zip(tail, are_bytes, strict=True)]
        before = self._decode(known).rstrip("\ufffd")  # what a split character decodes to until it is complete
        after = self._decode([*known, new_id]).rstrip("\ufffd")
        if after.startswith(before):
            return after[len(before) :]
        # Moses' rules may part what stands before in another way, now that more is known; bytes of half a character add nothing.
        return self.candidate(new_id)[0] if self._notation.words else ""

    def _piece(self, id_: int) -> str | None:
        """How the vocabulary writes an id; None for what it has no word for: a model may have more rows than it has words.

        Tokenizers without a fast version say so each in its own way: by an index, a key or a value that is wrong, or by the
        token for unknown words.
        """
        if id_ < 0 or (not self._tokenizer.vocab_files_names and id_ >= len(self._tokenizer)):
            return None  # of those without files any number would pass for a byte
        try:
            raw = self._tokenizer.convert_ids_to_tokens(id_)
        except (LookupError, OverflowError, TypeError, ValueError):
            return None
        is_unknown = raw == self._tokenizer.unk_token and id_ != self._tokenizer.unk_token_id
        return None if raw is None or is_unknown else str(raw)

    def _decode(self, ids: Sequence[int]) -> str:
        words = [id_ for id_ in ids if self._piece(id_) is not None]
        text = str(self._tokenizer.decode(words, clean_up_tokenization_spaces=False)) if words else ""
        return text.removesuffix(self._notation.goes_on)

    def _raw_label(self, token_id: int) -> str:
        """A token that is no text by itself: a blank, a special word, or its bytes."""
        raw = self._piece(token_id) or str(token_id)
        if not raw.strip(BLANKS):
            return "␣"
        if raw.startswith("<"):
            return visible(raw)
        if self._notation.style == "BPE" and all(letter in BYTE_OF for letter in raw) and "\ufffd" in self._decode([token_id]):
            return "".join(f"<0x{BYTE_OF[letter]:02X}>" for letter in raw)
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
