"""Moved: where a selection goes when the axes change under it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.session.selection import Cell, Marks


@dataclass(frozen=True, slots=True)
class Moved:
    """Takes positions on one pair of axes to those on another that stand for the same tokens.

    Attributes
    ----------
    old, new : (queries, keys)
        In the units that are looked at.
    was, now : (queries, keys), optional
        The model's own tokens, if they are of another run: a selection follows the edits of its text, and ends with it.
    """

    old: tuple[TokenAxis, TokenAxis]
    new: tuple[TokenAxis, TokenAxis]
    was: tuple[TokenAxis, TokenAxis] | None = None
    now: tuple[TokenAxis, TokenAxis] | None = None

    def one(self, cell: Cell) -> Cell:
        """The part of `cell` that is there."""
        return Cell(self._place(0, cell.query), self._place(1, cell.key))

    def several(self, marks: Marks) -> Marks:
        """Those of `marks` that are there."""
        queries, keys = ([self._place(side, at) for at in both] for side, both in enumerate((marks.queries, marks.keys)))
        return Marks(*(tuple(dict.fromkeys(at for at in side if at is not None)) for side in (queries, keys)))

    def _place(self, side: int, at: int | None) -> int | None:
        if at is None or at >= len(self.old[side]):
            return None
        piece: int | None = self.old[side].pieces_of(at).start
        if piece is not None and self.was is not None and self.now is not None:
            piece = place_after(piece, self.was[side].tokens, self.now[side].tokens)
        return None if piece is None else self.new[side].place_of(piece)


def place_after(at: int, old: Sequence[Token], new: Sequence[Token]) -> int | None:
    """Where a token is after its text was edited; None if it was edited away, or the text is another one.

    What both begin or end with stays. Between that, of texts of the same length, a token stays if it is the same or was masked,
    or was a mask. Texts that share less than half of the shorter one's words are not edits of each other.
    """
    before, after = [token.text for token in old], [token.text for token in new]
    if before == after:
        return at
    kept, start = _kept(old, new)
    if not kept[at] or not _are_enough(kept, old, new):
        return None
    return at if at < start or len(old) == len(new) else at + len(new) - len(old)


def is_edit(old: Sequence[Token], new: Sequence[Token]) -> bool:
    """Whether a text may be called an edit of another, as `place_after` says; of a text without tokens none is."""
    return bool(old and new) and _are_enough(_kept(old, new)[0], old, new)


def _kept(old: Sequence[Token], new: Sequence[Token]) -> tuple[list[bool], int]:
    """Which tokens of `old` are in `new` too, and how many both begin with."""
    before, after = [token.text for token in old], [token.text for token in new]
    start = _shared(before, after)
    end = min(_shared(before[::-1], after[::-1]), min(len(old), len(new)) - start)
    if len(old) == len(new):
        kept = [one.text == other.text or one.masked or other.masked for one, other in zip(old, new, strict=True)]
    else:
        kept = [n < start or n >= len(old) - end for n in range(len(old))]
    return kept, start


def _are_enough(kept: Sequence[bool], old: Sequence[Token], new: Sequence[Token]) -> bool:
    """Whether they are at least half of the words of the shorter text."""
    words = min(sum(not token.special or token.masked for token in tokens) for tokens in (old, new))
    return 2 * sum(stays for stays, token in zip(kept, old, strict=True) if not token.special or token.masked) >= words


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """How many tokens both begin with."""
    return next(
        (at for at, (left, right) in enumerate(zip(one, other, strict=False)) if left != right), min(len(one), len(other))
    )
