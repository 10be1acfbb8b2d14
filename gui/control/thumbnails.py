"""HeadThumbnails: the pictures of all heads of one record, as far as they are made."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import numpy as np

from headscope.core.attention.head_map import Pooling
from headscope.core.requests.heads import Thumbnails
from headscope.core.vocabulary import FloatArray, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_PARTIAL_SECONDS = 0.15  # those that are complete sooner are shown whole, so that they do not flicker


class HeadThumbnails:
    """The pictures of all heads of one record, as far as they are made."""

    def __init__(self) -> None:
        self._of: tuple[AttentionRecord, Kind, Pooling] | None = None
        self._shape: tuple[int, int] = (0, 0)
        self._began = 0.0
        self._made: frozenset[int] = frozenset()
        self.pictures: FloatArray | None = None

    def begin(self, record: AttentionRecord, kind: Kind, how: Pooling) -> bool:
        """Start anew; whether the pictures shown so far are of other heads and must go."""
        shape = record.n_layers(kind), record.n_heads(kind)
        before = self._of
        differs = shape != self._shape or (before is not None and (before[0].lens, before[1]) != (record.lens, kind))
        self._of, self._shape, self._began = (record, kind, how), shape, time.monotonic()
        self._made = frozenset()
        self.pictures = None
        return differs

    def take(self, part: Thumbnails, *, complete: bool = False) -> bool:
        """Add what came; whether it is what was begun last."""
        if self._of is None or part.record is not self._of[0] or (part.kind, part.how) != self._of[1:]:
            return False
        old = part.pictures if self.pictures is None else self.pictures
        self.pictures = np.where(np.isnan(part.pictures), old, part.pictures)
        made = ~np.isnan(self.pictures[:, 0, 0, 0])
        self._made = frozenset(range(len(made)) if complete else np.flatnonzero(made).tolist())
        return True

    def missing(self, first: range = range(0)) -> tuple[int, ...]:
        """Layers that are still to be made, those in `first` before the others."""
        rest = [layer for layer in range(self._shape[0]) if layer not in self._made]
        return tuple(sorted(rest, key=lambda layer: layer not in first))

    @property
    def is_late(self) -> bool:
        """Whether it takes so long that parts are worth showing."""
        return time.monotonic() - self._began > _PARTIAL_SECONDS
