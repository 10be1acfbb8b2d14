"""Moved: where a selection goes when the axes change under it."""

from __future__ import annotations

from dataclasses import dataclass

from headscope.core.text.tokens import TokenAxis
from headscope.gui.state import Cell, Marks


@dataclass(frozen=True, slots=True)
class Moved:
    """Takes positions on one pair of axes to those on another that stand for the same tokens, or begin with them."""

    old: tuple[TokenAxis, TokenAxis]
    new: tuple[TokenAxis, TokenAxis]

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
        return self.new[side].place_of(self.old[side].pieces_of(at).start)
