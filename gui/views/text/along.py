"""Numbers of the model's own tokens, along the texts that are shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray, Kind
from headscope.gui.views.text.paint.passage import Part, Passage, passage_of
from headscope.gui.views.text.words import source_heading, target_heading

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

Text = Literal["source", "target"]
"""Which of a model's texts an axis is of; all but an encoder-decoder's decoder read the source."""
Numbers = Mapping[Text, tuple[tuple[int, ...], FloatArray]]
"""Of a text, the ids of its tokens, and a number for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Values:
    """Numbers along the axes that are shown.

    Attributes
    ----------
    queries, keys : float32 or None
        Along the queries and the keys; one of them is None where both are one text, or where it has no numbers.
    stale : bool
        Of another prediction than the present one.
    """

    queries: FloatArray | None = None
    keys: FloatArray | None = None
    stale: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """The texts that are shown: one, or under each other the keys' and the queries'.

    Attributes
    ----------
    captured : AttentionRecord or None
        In the model's own tokens.
    kind : Kind
    queries, keys : TokenAxis
        In the units that are shown; the same object where both are one text.
    """

    captured: AttentionRecord | None
    kind: Kind
    queries: TokenAxis
    keys: TokenAxis

    @property
    def is_one_text(self) -> bool:
        """Whether queries and keys are the same tokens."""
        return self.queries is self.keys

    def passage(self, pair: str = "") -> Passage:
        """As one reads it; `pair` is the second text, where the axes do not have it."""
        if not len(self.queries):
            return passage_of([])
        if self.is_one_text:
            return passage_of([Part(self.queries, pair)])
        return passage_of([Part(self.keys, pair, source_heading()), Part(self.queries, "", target_heading())])

    def word(self, position: int, side: Literal["query", "key"]) -> int:
        """The word of a token: the keys come first where queries are another text."""
        return position if self.is_one_text or side == "key" else len(self.keys) + position

    def spread(self, values: Values) -> FloatArray:
        """Numbers along the axes as numbers of words."""
        keys = _or_nothing(self.keys, values.keys)
        return keys if self.is_one_text else np.concatenate([keys, _or_nothing(self.queries, values.queries)])

    def text_of(self, axis: TokenAxis) -> Text:
        """Which text the queries or the keys are of."""
        has_target = self.captured is not None and "cross" in self.captured.kinds and len(self.captured.kinds) > 1
        is_target = has_target and (self.kind == "decoder" or (self.kind == "cross" and axis is self.queries))
        return "target" if is_target else "source"

    @property
    def predicted(self) -> Text:
        """The text in which the model predicts."""
        return "target" if self.captured is not None and "cross" in self.captured.kinds else "source"

    def along(self, numbers: Numbers, *, stale: bool = False) -> Values | None:
        """Numbers of the model's own tokens along the axes: summed up to words and sentences. Only where the tokens are the same."""
        if self.captured is None:
            return None
        found: list[FloatArray | None] = []
        own = self.captured.axis(self.kind)
        for axis, tokens in ((self.queries, own.queries), (self.keys, own.keys)):
            ids, values = numbers.get(self.text_of(axis), ((), np.zeros(0, np.float32)))
            same = ids and ids == tuple(token.id for token in tokens.tokens)
            found.append(_summed(axis, values) if same else None)
        if all(each is None for each in found):
            return None
        return Values(None if self.is_one_text else found[0], found[1], stale)


def _or_nothing(axis: TokenAxis, numbers: FloatArray | None) -> FloatArray:
    return np.full(len(axis), np.nan, np.float32) if numbers is None else numbers


def _summed(axis: TokenAxis, values: FloatArray) -> FloatArray:
    """Of the model's own tokens, summed up to what `axis` stands for."""
    if axis.pieces is None:
        return values
    return np.array([values[pieces.start : pieces.stop].sum() for pieces in axis.pieces], np.float32)
