"""The weights of heads that were looked at, as many as fit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Container, Mapping
from typing import TYPE_CHECKING

from headscope.core.attention.head_map import HeadMap
from headscope.core.vocabulary import Head, Kind
from headscope.gui.control.goal import CACHE_BYTES, Goal

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


class HeadCache:
    """Weights of one record and kind, the least recently used dropped first."""

    def __init__(self) -> None:
        self.limit = CACHE_BYTES
        self._of: tuple[AttentionRecord, Kind] | None = None
        self._weights: OrderedDict[Head, HeadMap] = OrderedDict()

    def put(self, record: AttentionRecord, kind: Kind, weights: Mapping[Head, HeadMap], needed: tuple[Head, ...]) -> None:
        """Keep `weights`, and those of `needed` that are here; those of another record or kind are let go."""
        if self._of is None or self._of[0] is not record or self._of[1] != kind:
            self._of = (record, kind)
            self._weights.clear()
        for head, matrix in weights.items():
            self._weights[head] = matrix
            self._weights.move_to_end(head)
        self.shrink({*weights, *needed})

    def shrink(self, needed: Container[Head] = ()) -> None:
        """Drop heads that are not needed until the rest is within the limit."""
        total = sum(matrix.nbytes for matrix in self._weights.values())
        for head in [head for head in self._weights if head not in needed]:
            if total > self.limit:
                total -= self._weights.pop(head).nbytes

    def get(self, goal: Goal) -> dict[Head, HeadMap]:
        """Those of the goal's heads that are here."""
        if self._of is None or self._of[0] is not goal.record or self._of[1] != goal.kind:
            return {}
        return {head: self._weights[head] for head in goal.heads if head in self._weights}
