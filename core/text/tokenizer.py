"""From text to ids and back: what every tokenizer, ours or transformers', offers the rest of the house."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, Self

from headscope.core.text.tokens import Token, TokenAxis


@dataclass(frozen=True, slots=True)
class Encoded:
    """A text as a model reads it: `ids` and `segments` (`Token.type_id`) run along `axis.tokens`."""

    ids: tuple[int, ...]
    segments: tuple[int, ...]
    axis: TokenAxis

    @classmethod
    def of(cls, axis: TokenAxis) -> Self:
        """The tokens of an axis, one for one; the text is not cut into tokens again."""
        return cls(tuple(token.id for token in axis.tokens), tuple(token.type_id for token in axis.tokens), axis)


class TextTokenizer(Protocol):
    """What Headscope needs of a tokenizer."""

    mask_token: str | None
    """What a user types for a masked word; None if the model has no mask. ``[MASK]`` is understood as well where a mask exists."""
    mask_id: int | None
    cls_id: int | None
    """The token that stands for a whole text, at which there is no answer to a question; None if the model has none."""
    end_ids: frozenset[int]
    """Ids that end a generation."""

    @property
    def n_ids(self) -> int:
        """One more than the largest id; a vocabulary may have gaps."""
        ...

    def is_ordinary(self, token_id: int) -> bool:
        """Whether an id stands for a piece of text: no gap, no special or unknown token, no mask."""
        ...

    def encode(self, text: str, pair: str | None = None, *, max_tokens: int | None = None) -> Encoded:
        """Ids with the model's special tokens around them, cut to `max_tokens` (the axis says what was dropped).

        When a pair is too long, the longer of the two texts is cut first. Any text is accepted, the empty one as well.
        """
        ...

    def continuation(self, ids: tuple[int, ...], new_id: int, text: str) -> tuple[Token, str]:
        """The token that `new_id` is after `ids`, marked generated, and the whole text with it.

        `text` is the text so far; the token's offsets point into the returned text (bytes of a split character, and special
        tokens, may add nothing to it).
        """
        ...

    def candidate(self, token_id: int) -> tuple[str, str]:
        """(what to put into a sentence, what the screen shows) for a vocabulary id.

        The first is as it stands in running text: with a leading blank it begins a new word, without it joins what is before.
        """
        ...

    def pieces_of(self, ids: Sequence[int]) -> tuple[list[str], list[bool], bool]:
        """How the vocabulary writes each id, whether it is a special token other than the mask, and whether pieces are words.

        Raises
        ------
        HeadscopeError
            ``no_such_id``.
        """
        ...

    def chat(self, text: str, system: str = "") -> str | None:
        """`text` as what a user says, in the model's chat template; as it is if it is in it already. None without a template."""
        ...

    def target(self, text: str | None, start_id: int | None, *, max_tokens: int | None = None) -> Encoded:
        """The decoder's side of an encoder-decoder model, as it is trained: the labels of `text`, shifted one to the right.

        `start_id` and then the labels without the last, which closes them; None: the last label begins them, as in mBART.
        """
        ...


def shares(n_first: int, n_second: int, room: int) -> tuple[int, int]:
    """How many tokens of each text to keep so that `room` holds them: the longer is cut first."""
    half = room // 2
    if n_first + n_second <= room:
        return n_first, n_second
    if n_first <= half:
        return n_first, room - n_first
    if n_second <= room - half:
        return room - n_second, n_second
    return half, room - half


def dropped_from(tokens: Sequence[Token]) -> int:
    """Where the part of the first text begins that is not among `tokens`, which are cut."""
    return max((token.end for token in tokens if token.segment == 0 and token.start >= 0), default=0)
