"""HeatmapNumbers: what is shown of a head besides its weights, asked for in the background and kept while it is looked at."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from headscope.core.attention.head_map import HeadMap
from headscope.core.attention.ranks import RankTable, shares_below
from headscope.core.errors import HeadscopeError
from headscope.core.requests.cells import Part, PartRequest, RankRequest, Ranks, Row, RowRequest, Sums, SumsRequest
from headscope.core.vocabulary import FloatArray
from headscope.gui.lanes.questions import Questions
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

    def __init__(self, state: Session, questions: Questions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._questions = questions
        self._scores: tuple[PartRequest, Part | HeadscopeError] | None = None
        self._row: Row | None = None
        self._ranks: Ranks | None = None
        self._sums: Sums | None = None
        self._asked: dict[type, object] = {}
        questions.answered.connect(self._on_answered)
        questions.failed.connect(self._on_failed)

    # ---------------------------------------------------------------- scores
    def scores(self) -> Part | HeadscopeError | None:
        """The scores of the head that is looked at, or why there are none; None while they are on the way."""
        wanted = self._scores_request()
        if wanted is None:
            return None
        if self._scores is not None and self._scores[0] == wanted:
            return self._scores[1]
        self._ask(wanted)
        return None

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
        wanted = RowRequest(of.record, of.kind, of.head, query, "scores")
        if self._row is not None and self._row.request == wanted:
            return float(self._row.values[key])
        self._ask(wanted)
        return None

    def _scores_request(self) -> PartRequest | None:
        state = self._state
        if state.record is None:
            return None
        n_queries, n_keys = len(state.queries), len(state.keys)
        most = (_PICTURE, _PICTURE) if state.record.is_large(state.kind) else (n_queries, n_keys)
        return PartRequest(state.record, state.kind, state.head, range(n_queries), range(n_keys), *most, "scores")

    # ---------------------------------------------------------------- ranks and sums
    def ranks(self, values: HeadMap | Part) -> FloatArray | RankTable | None:
        """Where the cells of the head that is looked at stand among all, as in `Ranks`; None while that is on the way."""
        state = self._state
        wanted = None if state.record is None else RankRequest(state.record, state.kind, state.head, state.lens)
        if self._ranks is not None and self._ranks.request == wanted:
            return self._ranks.found
        if isinstance(values, np.ndarray) and (wanted is None or values.size <= _AT_ONCE):
            return shares_below(values)
        if wanted is not None:
            self._ask(wanted)
        return None

    def sums(self, queries: tuple[int, ...], keys: tuple[int, ...]) -> Sums | None:
        """What a large head's picked rows and columns sum up to; None while it is on the way."""
        state = self._state
        if state.record is None or not (queries or keys):
            return None
        wanted = SumsRequest(state.record, state.kind, state.head, queries, keys)
        if self._sums is not None and self._sums.request == wanted:
            return self._sums
        self._ask(wanted)
        return None

    # ---------------------------------------------------------------- asking
    def _ask(self, request: PartRequest | RowRequest | RankRequest | SumsRequest) -> None:
        """Ask once; a newer question of the same type takes the place of an older one."""
        if self._asked.get(type(request)) != request:
            self._asked[type(request)] = request
            self._questions.ask(request)

    @Slot(object, object)
    def _on_answered(self, request: object, answer: object) -> None:
        if self._asked.get(type(request)) is not request:
            return
        del self._asked[type(request)]
        match answer:
            case Part():
                self._scores = answer.request, answer
            case Row():
                self._row = answer
            case Ranks():
                self._ranks = answer
            case Sums():
                self._sums = answer
        self.came.emit()

    @Slot(object, object)
    def _on_failed(self, request: object, error: HeadscopeError) -> None:
        if self._asked.get(type(request)) is request:
            del self._asked[type(request)]
            if isinstance(request, PartRequest):
                self._scores = request, error
                self.came.emit()
