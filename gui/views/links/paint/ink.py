"""Ink: in which colour and how strongly a link or a bar is drawn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QCoreApplication
from PySide6.QtGui import QColor

from headscope.core.attention.head_map import HeadMap, HeadOverview
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.vocabulary import FloatArray, Head
from headscope.gui.paint.lens_words import lens_name, short_number
from headscope.gui.paint.theme import Theme
from headscope.gui.views.links.paint.legend import Entry, Note


@dataclass(frozen=True, slots=True)
class Ink:
    """Colours and strengths.

    Attributes
    ----------
    colors, below : sequence of QColor
        Of each head, for numbers above and below 0.
    lens : Lens
    largest : float
        What is drawn in full strength.
    alone : bool
        There is one head, and the colours are those of the sign.
    """

    colors: Sequence[QColor]
    below: Sequence[QColor]
    lens: Lens = WEIGHTS
    largest: float = 1.0
    alone: bool = False

    def parts(self, values: FloatArray) -> Iterator[tuple[FloatArray, Sequence[QColor]]]:
        """Numbers (n_heads, n) as shares of the largest, each in its colours: those above 0, and then those below."""
        parts = values / np.float32(self.largest)
        if not self.lens.is_signed:
            yield parts, self.colors
            return
        yield np.maximum(parts, 0), self.colors
        yield np.maximum(-parts, 0), self.below

    @property
    def of_notes(self) -> dict[Head | str, QColor]:
        """The colours of the notes of a legend."""
        if not self.below:
            return {}
        found: dict[Head | str, QColor] = {"below": self.below[0]}
        return found | {"above": self.colors[0]} if self.alone else found

    def words(self, value: float) -> str:
        """A number as it is written beside a token."""
        return short_number(value, self.lens)


def extent_of(maps: Mapping[Head, HeadMap]) -> tuple[float, float]:
    """The least and the largest number of some heads, and 0."""
    least = largest = 0.0
    for of_head in maps.values():
        numbers = of_head if isinstance(of_head, np.ndarray) else of_head.picture
        known = [numbers[np.isfinite(numbers)], *([of_head.strong[2]] if isinstance(of_head, HeadOverview) else [])]
        for part in known:
            least, largest = min(least, float(part.min(initial=0))), max(largest, float(part.max(initial=0)))
    return least, largest


def ink_of(lens: Lens, largest: float, colors: Sequence[QColor], theme: Theme, *, alone: bool) -> Ink:
    """Of heads of these colours. Below 0 all are grey; if a head is `alone`, the colours are those of the sign."""
    if not lens.is_signed:
        return Ink(colors, (), lens, largest)
    below = [theme.color("below" if alone else "muted")] * len(colors)
    return Ink([theme.color("accent")] * len(colors) if alone else colors, below, lens, largest, alone)


def entries_of(listed: Sequence[Head], lens: Lens, extent: tuple[float, float]) -> tuple[Entry, ...]:
    """What a legend names: the heads, and of a lens what the numbers are, and how far they reach."""
    if lens == WEIGHTS:
        return tuple(listed)
    translate, (least, largest) = QCoreApplication.translate, extent
    name, highest = lens_name(lens), short_number(largest, lens)
    if not lens.is_signed:
        return (*listed, Note(translate("links", "{lens}, up to {largest}").format(lens=name, largest=highest)))
    heads, alone = tuple[Entry, ...](listed), len(listed) == 1
    if alone:  # the colours are those of the sign
        (layer, head), words = listed[0], translate("links", "layer {layer} · head {head}")
        heads = (Note(words.format(layer=layer, head=head)),)
    above = Note(
        translate("links", "{lens} above 0, to {largest}").format(lens=name, largest=highest), "above" if alone else ""
    )
    below = Note(translate("links", "below 0, to {least}").format(least=short_number(least, lens)), "below")
    return (*heads, above, below) if least < 0 else (*heads, above)
