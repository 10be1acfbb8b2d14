"""Lenses: which numbers of a head its cells show. `AttentionRecord.through` returns a record with those of a lens.

To add one: an entry here, and the function that computes it in `core/attention/kept/lenses.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

from headscope.core.translating import QT_TRANSLATE_NOOP


@dataclass(frozen=True, slots=True)
class Lens:
    """What a cell shows.

    Attributes
    ----------
    id : str
    name, title, meaning, misleads : str
        English, their context is "lenses": what its numbers are called in a picture's title, its entry in menus, what the numbers
        are, and what they do not tell.
    paper : str
        Where it comes from.
    range : str
        "share": from 0 to 1, each row sums to 1; "positive": 0 and more; "signed": any number.
    shape : str
        "edge": a number for each query and key.
    hides : bool
        Cells that a query may not see have no number (NaN); else they are 0.
    needs_model : bool
        A record alone is not enough.
    pixel : str
        What a pixel shows that covers several cells: the "largest" number, or the one "furthest" from 0, whatever its sign.
    before_softmax : bool
        Weights that an edit sets come after it, and do not show in it.
    """

    id: str
    name: str
    title: str
    meaning: str
    misleads: str
    paper: str
    range: Literal["share", "positive", "signed"]
    shape: Literal["edge"] = "edge"
    hides: bool = False
    needs_model: bool = False
    pixel: Literal["largest", "furthest"] = "largest"
    before_softmax: bool = False

    @property
    def is_share(self) -> bool:
        """Whether numbers are shares of a whole, so that they can be summed, kept by mass and drawn on a scale from 0 to 1."""
        return self.range == "share"

    @property
    def is_signed(self) -> bool:
        """Whether numbers lie on both sides of 0, so that colours diverge there."""
        return self.range == "signed"


WEIGHTS: Final = Lens(
    "weights",
    QT_TRANSLATE_NOOP("lenses", "weights"),
    QT_TRANSLATE_NOOP("lenses", "Weights after the softmax"),
    QT_TRANSLATE_NOOP("lenses", "Attention weights after the softmax: each row sums to 1."),
    QT_TRANSLATE_NOOP("lenses", "A large weight on a token whose value is small carries little."),
    "Vaswani et al., Attention Is All You Need, 2017",
    "share",
)
SCORES: Final = Lens(
    "scores",
    QT_TRANSLATE_NOOP("lenses", "scores"),
    QT_TRANSLATE_NOOP("lenses", "Scores before the softmax"),
    QT_TRANSLATE_NOOP("lenses", "Attention scores before the softmax: query times key, scaled, and what is added to it."),
    QT_TRANSLATE_NOOP(
        "lenses",
        "Only differences within a row matter: a number added to a whole row changes no weight. A pixel that covers several "
        "cells shows the largest score, which has the largest weight.",
    ),
    "Vaswani et al., Attention Is All You Need, 2017",
    "signed",
    hides=True,
    before_softmax=True,
)
LENSES: Final[dict[str, Lens]] = {lens.id: lens for lens in (WEIGHTS, SCORES)}
"""All there are, by id, in the order of menus."""
DIFFERENCE: Final = Lens(
    "difference",
    QT_TRANSLATE_NOOP("lenses", "B − A"),
    QT_TRANSLATE_NOOP("lenses", "Difference of two runs"),
    QT_TRANSLATE_NOOP("lenses", "What the newest run B shows minus what the reference A shows, position by position."),
    QT_TRANSLATE_NOOP(
        "lenses",
        "Positions are compared, not words: where a token was replaced, the difference is between two tokens. A pixel that covers "
        "several cells shows the difference furthest from 0.",
    ),
    "",
    "signed",
    pixel="furthest",
)
UNAVAILABLE: Final = frozenset({"no_scores"})
"""Codes of the errors that say that a record has no such numbers, though its weights can be had."""


def difference_of(lens: Lens) -> Lens:
    """The lens that two runs' difference is seen through, of what `lens` shows of each."""
    return replace(DIFFERENCE, hides=lens.hides, before_softmax=lens.before_softmax)
