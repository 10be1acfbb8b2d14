"""HeatmapNumbers: what is shown of a head besides its weights, asked for in the background and kept while it is looked at."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal

from headscope.core.attention.head_map import HeadMap
from headscope.core.attention.ranks import RankTable, shares_below
from headscope.core.errors import HeadscopeError
from headscope.core.requests.cells import Part, PartRequest, RankRequest, Ranks, Row, RowRequest, Sums, SumsRequest
from headscope.core.vocabulary import BoolArray, FloatArray
from headscope.gui.lanes.answer import Answer
from headscope.gui.lanes.lane import Lane
from headscope.gui.session.session import Session

_PICTURE = 1024
"""Pixels along a side of a picture of scores that are too many to be sent."""
_AT_ONCE = 1 << 14
"""So many ranks are found in a millisecond."""


class HeatmapNumbers(QObject):
    """Scores, ranks and sums of the head that is looked at.

    Signals
    -------
    came
        Something that was asked for is here, or cannot be had.
    """

    came = Signal()

    def __init__(self, state: Session, questions: Lane, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._scores = Answer[Part](questions, self)
        self._row = Answer[Row](questions, self)
        self._ranks = Answer[Ranks](questions, self)
        self._sums = Answer[Sums](questions, self)
        self._visible = Answer[Part](questions, self)
        self._hidden: tuple[Part, BoolArray | None] | None = None
        for answer in (self._scores, self._row, self._ranks, self._sums, self._visible):
            answer.came.connect(self.came)

    # ---------------------------------------------------------------- scores
    def scores(self) -> Part | HeadscopeError | None:
        """The scores of the head that is looked at, or why there are none; None while they are on the way."""
        wanted = self._scores_request()
        if wanted is None:
            return None
        self._scores.ask(wanted)
        return self._scores.value if self._scores.is_current else self._scores.error

    def score(self, query: int | None, key: int | None) -> float | None:
        """The exact score of a cell, NaN if hidden; None where there is none, and while it is on the way."""
        scores = self.scores()
        if not isinstance(scores, Part) or query is None or key is None:
            return None
        if query >= scores.shape[0] or key >= scores.shape[1]:
            return None
        if scores.is_whole:
            return float(scores.picture[query, key])
        of = scores.request
        self._row.ask(RowRequest(of.record, of.kind, of.head, query, "scores"))
        row = self._row.value
        return float(row.values[key]) if row is not None and self._row.is_current else None

    def _scores_request(self) -> PartRequest | None:
        state = self._state
        if state.record is None:
            return None
        n_queries, n_keys = len(state.queries), len(state.keys)
        most = (_PICTURE, _PICTURE) if state.record.is_large(state.kind) else (n_queries, n_keys)
        return PartRequest(state.record, state.kind, state.head, range(n_queries), range(n_keys), *most, "scores")

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
        self._visible.ask(PartRequest(state.record, state.kind, head, *size, "scores"))
        part = self._visible.value
        if part is None or (part.request.record, part.request.kind) != (state.record, state.kind):
            return None  # of another layer they are most often the same, and stay until the right ones are here
        if self._hidden is None or self._hidden[0] is not part:
            hidden = np.isnan(part.picture)
            self._hidden = part, hidden if hidden.any() else None
        return self._hidden[1]

    # ---------------------------------------------------------------- ranks and sums
    def ranks(self, values: HeadMap | Part) -> FloatArray | RankTable | None:
        """Where the cells of the head that is looked at stand among all, as in `Ranks`; None while that is on the way."""
        state = self._state
        wanted = None if state.record is None else RankRequest(state.record, state.kind, state.head, state.lens)
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
