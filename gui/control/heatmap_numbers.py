"""HeatmapNumbers: what is shown of a head besides its cells, asked for in the background and kept while it is looked at."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from headscope.core.attention.head_map import HeadMap
from headscope.core.attention.lens import SCORES
from headscope.core.attention.ranks import RankTable, shares_below
from headscope.core.requests.cells import Part, PartRequest, RankRequest, Ranks, Sums, SumsRequest
from headscope.core.vocabulary import BoolArray, FloatArray
from headscope.gui.lanes.answer import Answer
from headscope.gui.lanes.lane import Lane
from headscope.gui.session.session import Session

_AT_ONCE = 1 << 14
"""So many ranks are found in a millisecond."""


class HeatmapNumbers(QObject):
    """Ranks, sums and hidden cells of the head that is looked at.

    Signals
    -------
    came
        Something that was asked for is here, or cannot be had.
    """

    came = Signal()

    def __init__(self, state: Session, questions: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._ranks = Answer[Ranks](questions, self)
        self._sums = Answer[Sums](questions, self)
        self._visible = Answer[Part](questions, self)
        self._hidden: tuple[Part, BoolArray | None] | None = None
        for answer in (self._ranks, self._sums, self._visible):
            answer.came.connect(self.came)

    # ---------------------------------------------------------------- hidden cells
    def hidden(self) -> BoolArray | None:
        """Where a key is hidden from a query, by a causal mask or an edit, (n_queries, n_keys); None where nothing is, and while that
        is on the way, and of a large head.

        It is asked for once a layer: what is hidden differs between its heads where edits cut single ones.
        """
        state = self._state
        if state.record is None or state.record.is_large(state.kind):
            return None
        is_edited = state.looked_at is not None and bool(state.looked_at.edits)
        head = state.head if is_edited else (state.head[0], 0)
        n_queries, n_keys = len(state.queries), len(state.keys)
        size = range(n_queries), range(n_keys), n_queries, n_keys
        scored = state.record.through(SCORES)  # which are NaN there
        self._visible.ask(PartRequest(scored, state.kind, head, *size))
        part = self._visible.value
        if part is None or (part.request.record, part.request.kind) != (scored, state.kind):
            return None  # of another layer they are most often the same, and stay until the right ones are here
        if self._hidden is None or self._hidden[0] is not part:
            hidden = np.isnan(part.picture)
            self._hidden = part, hidden if hidden.any() else None
        return self._hidden[1]

    # ---------------------------------------------------------------- ranks and sums
    def ranks(self, values: HeadMap) -> FloatArray | RankTable | None:
        """Where the cells of the head that is looked at stand among all, as in `Ranks`; None while that is on the way."""
        state = self._state
        wanted = None if state.record is None else RankRequest(state.record, state.kind, state.head)
        if isinstance(values, np.ndarray) and (wanted is None or values.size <= _AT_ONCE):
            return shares_below(values)
        if wanted is None:
            return None
        self._ranks.ask(wanted)
        ranks = self._ranks.value
        return ranks.found if ranks is not None and self._ranks.is_current else None

    def sums(self, queries: tuple[int, ...], keys: tuple[int, ...]) -> Sums | None:
        """What a large head's picked rows and columns sum up to; None while it is on the way."""
        state = self._state
        if state.record is None or not (queries or keys):
            return None
        self._sums.ask(SumsRequest(state.record, state.kind, state.head, queries, keys))
        return self._sums.value if self._sums.is_current else None
