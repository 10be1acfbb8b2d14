"""Token and TokenAxis: what a row or a column of an attention map stands for, and how it is shown."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Final, Literal

_MOST_SPECIAL: Final = 4
"""Special tokens before a first text, and behind a second one."""


@dataclass(frozen=True, slots=True)
class Token:
    """One position of a model's input.

    Attributes
    ----------
    text : str
        What the screen shows: the piece itself; a piece that continues a word starts with ``·``; blanks and control
        characters are made visible (``␣``, ``⏎``, ``⇥``).
    id : int
        The vocabulary id.
    start, end : int
        Character offsets in the text it was cut from (`TokenAxis.text`, or the pair's text); both -1 if it stands for no text.
    segment : int
        0 for the text, 1 for the second text of a pair.
    special : bool
        Added by the tokenizer ([CLS], </s>, …), not written by the user.
    unknown : bool
        Stands for text the vocabulary does not have; `text` is then the text as written, not "[UNK]".
    masked : bool
        Is the model's mask token.
    generated : bool
        Was written by the model.
    type_id : int
        Which segment the model is told that it is of, as the tokenizer's own template says: mostly the `segment`; 2 for the
        closing <cls> of XLNet and the first of Funnel; 0 everywhere for tokenizers that tell texts not apart.
    """

    text: str
    id: int
    start: int = -1
    end: int = -1
    segment: int = 0
    special: bool = False
    unknown: bool = False
    masked: bool = False
    generated: bool = False
    type_id: int = 0


@dataclass(frozen=True, slots=True)
class TokenAxis:
    """The tokens along one side of an attention map.

    Attributes
    ----------
    tokens : tuple of Token
    text : str
        The text that tokens of segment 0 point into.
    dropped : int
        How many tokens at the end did not fit the model and are not in `tokens`.
    dropped_from : int
        Character offset in `text` where the dropped part begins; ``len(text)`` if nothing was dropped.
    text_pair : str
        The text that tokens of segment 1 point into.
    pieces : tuple of range, or None
        Of an axis of words, sentences or segments: which of the model's own tokens each of `tokens` stands for. None: each
        stands for itself.
    """

    tokens: tuple[Token, ...]
    text: str = ""
    dropped: int = 0
    dropped_from: int = -1
    pieces: tuple[range, ...] | None = None
    text_pair: str = ""

    def __len__(self) -> int:
        return len(self.tokens)

    @property
    def labels(self) -> tuple[str, ...]:
        """What the screen shows for each token."""
        return tuple(token.text for token in self.tokens)

    @property
    def masks(self) -> tuple[int, ...]:
        """Positions of mask tokens."""
        return tuple(position for position, token in enumerate(self.tokens) if token.masked)

    @property
    def is_pair(self) -> bool:
        """Whether there are tokens of two texts: the first begins it and the second, but for a few special tokens, ends it."""
        ends = self.tokens[:_MOST_SPECIAL], self.tokens[-_MOST_SPECIAL:]
        return all(any(token.segment == segment for token in end) for segment, end in enumerate(ends))

    def pieces_of(self, position: int) -> range:
        """The model's own tokens that a position stands for."""
        return range(position, position + 1) if self.pieces is None else self.pieces[position]

    def place_of(self, piece: int) -> int | None:
        """The position that stands for one of the model's own tokens; None if it is hidden or does not exist."""
        if self.pieces is None:
            return piece if 0 <= piece < len(self.tokens) else None
        at = bisect_right(self.pieces, piece, key=lambda pieces: pieces.start) - 1
        return at if at >= 0 and piece in self.pieces[at] else None

    def extended(self, token: Token) -> TokenAxis:
        """This axis with one more token at its end (generation grows it so)."""
        return replace(self, tokens=(*self.tokens, token))


@dataclass(frozen=True, slots=True)
class Units:
    """In what units attention is shown, and whether with the tokens that the tokenizer added.

    Attributes
    ----------
    of : str
        Attention *to* a word, sentence or segment is the sum over its tokens, attention *from* it their mean (Clark et al. 2019,
        section 4.1).
    special : str
        "hidden": special tokens are left out, rows then sum to less than 1; "renormalised": they sum to 1 again. "first_hidden" and
        "first_renormalised": the first token as well, on which most heads of a decoder put what they have no use for, the
        attention sink (Xiao et al. 2023).
    """

    of: Literal["tokens", "words", "sentences", "segments"] = "tokens"
    special: Literal["shown", "hidden", "renormalised", "first_hidden", "first_renormalised"] = "shown"

    @property
    def hides_special(self) -> bool:
        """Whether special tokens are left out."""
        return self.special != "shown"

    @property
    def hides_first(self) -> bool:
        """Whether the first token is left out, whatever it is."""
        return self.special in ("first_hidden", "first_renormalised")

    @property
    def renormalises(self) -> bool:
        """Whether rows sum to 1 again."""
        return self.special in ("renormalised", "first_renormalised")


TOKENS: Final = Units()
"""Each token of the model for itself."""

_PICTURES = {"\n": "⏎", "\r": "⏎", "\t": "⇥", "\x7f": "␡"}
_CATEGORY_PICTURES = {"Zs": "␣", "Zl": "⏎", "Zp": "⏎", "Cc": "·", "Cf": "·", "Cs": "\ufffd", "Cn": "\ufffd"}
_JOINERS = "\u200c\u200d"
"""They shape the letters and emoji they stand between."""


def visible(text: str) -> str:
    """`text` as one line that can be drawn: line ends, tabs, control and direction characters, halves of characters made visible.

    Blanks inside are kept; a text of nothing but blanks becomes ``␣`` for each. A mark that belongs on a letter stands on ``◌``.
    """
    if text and not text.strip(" "):
        return "␣" * len(text)
    shown = text if text.isprintable() else "".join(_picture(character) for character in text)
    if len(text) == 1 and text in _JOINERS:
        return "·"
    return f"◌{shown}" if text and unicodedata.category(text[0]).startswith("M") else shown


def _picture(character: str) -> str:
    if character.isprintable() or character in _JOINERS:
        return character
    if ord(character) < 32:
        return _PICTURES.get(character, chr(0x2400 + ord(character)))  # Unicode has pictures of the control characters
    if ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF:  # never a character, and no text of XML
        return "\ufffd"
    return _PICTURES.get(character) or _CATEGORY_PICTURES.get(unicodedata.category(character), character)
