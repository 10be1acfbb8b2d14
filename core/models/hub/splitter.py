"""How a tokenizer of transformers splits texts: the pieces, and the characters that each stands for."""

from __future__ import annotations

import inspect
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

BLANKS: Final = "▁Ġ"
"""How SentencePiece and byte-level BPE write a blank."""

_OF_WORDS: Final = frozenset(["xpaths", "boxes"])
"""What the call of a tokenizer takes that reads pages, word by word."""
_WORD: Final = re.compile(r"\S+")


class Piece(NamedTuple):
    """A token as the tokenizer made it.

    Attributes
    ----------
    id : int
    raw : str
        As the vocabulary writes it.
    start, end : int
        The characters of its text that it stands for, without blanks around them; equal if it stands for none.
    source : int or None
        0 for the first text, 1 for the second; None if the tokenizer added it.
    type_id : int
        Which segment the model is told that it belongs to.
    """

    id: int
    raw: str
    start: int
    end: int
    source: int | None
    type_id: int

    @property
    def span(self) -> tuple[int | None, int, int]:
        """Its characters, and of which text."""
        return self.source, self.start, self.end


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of one or two texts; each is made when it is asked for, as of a book a model reads the first page.

    Attributes
    ----------
    sources : list
        `Piece.source` of each.
    make : callable
        The piece at a position.
    """

    sources: list[int | None]
    make: Callable[[int], Piece]

    def cut(self, keep: Sequence[int]) -> list[Piece]:
        """The first pieces of each text, and what was added."""
        left = list(keep)
        kept = []
        for position, source in enumerate(self.sources):
            if source is None:
                kept.append(self.make(position))
            elif left[source] > 0:
                left[source] -= 1
                kept.append(self.make(position))
        return kept


@dataclass(frozen=True, slots=True)
class Notation:
    """How a vocabulary writes where words begin and end.

    Attributes
    ----------
    style : str
        The algorithm: "BPE", "WordPiece", "Unigram", "WordLevel", or "" if it is none of these.
    end : str
        What the last piece of a word ends with ("</w>"), or "".
    goes_on : str
        What all pieces of a word but the last end with ("@@"), or "".
    words : bool
        Whether pieces themselves do not tell that there is a blank before them, and blanks part the words.
    """

    style: str
    end: str = ""
    goes_on: str = ""
    words: bool = False

    def bare(self, raw: str) -> str:
        """A piece without its marks."""
        if self.style == "WordPiece":
            return raw.removeprefix("##")
        for mark in (self.end, self.goes_on):
            if mark and raw.endswith(mark):
                return raw.removesuffix(mark)
        return raw


class Splitter(Protocol):
    """Splits texts into pieces, with exactly the ids that transformers' own call gives."""

    notation: Notation

    def split(self, text: str, pair: str | None = None, *, special: bool = True) -> Pieces:
        """The pieces of one or two texts; with the model's special tokens around them, unless `special` is false."""
        ...

    def split_target(self, text: str) -> Pieces:
        """The pieces of the labels that an encoder-decoder model is trained on for `text`."""
        ...


class FastSplitter:
    """A `Splitter` over the tokenizers library, which keeps track of characters itself."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._backend: Tokenizer = tokenizer.backend_tokenizer
        self._backend.no_truncation()  # a tokenizer.json may bring its own; we say what is dropped
        self._backend.no_padding()
        self._backend.encode_special_tokens = bool(getattr(tokenizer, "split_special_tokens", False))
        self._reads_words = not _OF_WORDS.isdisjoint(inspect.signature(type(tokenizer).__call__).parameters)
        self.notation = _notation(self._backend)
        tokenizer("")  # a translator's may be set to the language that it writes; its own calls set it to the one it reads

    def split(self, text: str, pair: str | None = None, *, special: bool = True) -> Pieces:
        """See `Splitter.split`."""
        if self._reads_words:
            return self._split_words(text, pair, special=special)
        # One call for all: to run the post-processor over its own result again would trim the offsets twice.
        encoding = self._backend.encode(text, pair, add_special_tokens=special)
        return _pieces(encoding, encoding.offsets, text, pair)

    def split_target(self, text: str) -> Pieces:
        """See `Splitter.split_target`."""
        encoding = self._tokenizer(text_target=text, truncation=False, padding=False).encodings[0]
        return _pieces(encoding, encoding.offsets, text, None)

    def _split_words(self, text: str, pair: str | None, *, special: bool) -> Pieces:
        """As models of pages do it: of a pair, the first text is a question, and the other one is words."""
        words = [match.span() for match in _WORD.finditer(text if pair is None else pair)]
        spans = [words] if pair is None else [[(0, len(text))], words]
        given = [[each[start:end] for start, end in of_it] for each, of_it in zip((text, pair or ""), spans, strict=False)]
        second = None if pair is None else given[1]
        encoding = self._backend.encode(given[0], second, is_pretokenized=True, add_special_tokens=special)
        places = zip(encoding.offsets, encoding.word_ids, encoding.sequence_ids, strict=True)
        starts = [0 if word is None or source is None else spans[source][word][0] for _, word, source in places]
        offsets = [(start + at, end + at) for (start, end), at in zip(encoding.offsets, starts, strict=True)]
        return _pieces(encoding, offsets, text, pair)


def _notation(backend: Tokenizer) -> Notation:
    style = type(backend.model).__name__
    end = str(getattr(backend.model, "end_of_word_suffix", None) or "")
    parted = style == "WordLevel" and backend.pre_tokenizer is not None and _parts_words(backend.pre_tokenizer)
    return Notation(style, end, words=parted or bool(end) or style == "WordPiece")


def _parts_words(splits: Any) -> bool:
    """Whether it parts words at blanks, which it drops, and nowhere inside. (Not so for the atoms of a molecule.)"""
    return [[word for word, _ in splits.pre_tokenize_str(text)] for text in ("ab cd", "abcd")] == [["ab", "cd"], ["abcd"]]


def _pieces(encoding: Encoding, offsets: Sequence[tuple[int, int]], text: str, pair: str | None) -> Pieces:
    """What the tokenizers library made of one or two texts."""
    texts = (text, pair or "")
    # Each of these is a list that is made anew when it is asked for.
    ids, raws, sources, types = encoding.ids, encoding.tokens, encoding.sequence_ids, encoding.type_ids

    def make(position: int) -> Piece:
        source, raw = sources[position], raws[position]
        span = (0, 0) if source is None else _bare(texts[source], *offsets[position], raw)
        return Piece(ids[position], raw, *span, source, types[position])

    return Pieces(sources, make)


def _bare(text: str, start: int, end: int, raw: str) -> tuple[int, int]:
    """The characters of a piece without the blanks that part it from its neighbours; none for a blank that is not in the text."""
    if start == end:  # a tokenizer that trims offsets leaves nothing of a blank
        n_blanks = len(raw) if raw and not raw.strip("Ġ") else 0
        begins = end - n_blanks
        return (begins, end) if n_blanks and begins >= 0 and not text[begins:end].strip(" ") else (start, end)
    if not raw.strip(BLANKS) and any(not character.isspace() for character in text[start:end]):
        return start, start  # SentencePiece puts a blank before a text, and lays it on the first letter
    first, last = start, end
    while first < end and _is_blank(text[first], begins=raw.startswith("▁")):
        first += 1
    while last > first and _is_blank(text[last - 1], begins=False):
        last -= 1
    return (first, last) if first < last else (start, end)


def _is_blank(character: str, *, begins: bool) -> bool:
    """Whether it parts words; what SentencePiece writes as a blank may be a tab or a line end too."""
    return unicodedata.category(character) == "Zs" or (begins and character.isspace())
