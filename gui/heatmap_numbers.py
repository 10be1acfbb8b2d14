"""HeatmapNumbers: what a heatmap needs of a head besides its weights, asked for in the background and kept while it is looked at."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from headscope.core.errors import HeadscopeError
from headscope.core.heatmap_jobs import (
    RankRequest,
    Ranks,
    ScoreRow,
    ScoreRowRequest,
    Scores,
    ScoresRequest,
    Sums,
    SumsRequest,
)
from headscope.core.jobs import FloatArray
from headscope.core.ranks import shares_below
from headscope.core.view_jobs import HeadMap, HeadOverview
from headscope.gui.questions import Questions
from headscope.gui.state import ExplorerState

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

    def __init__(self, state: ExplorerState, questions: Questions, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._questions = questions
        self._scores: tuple[ScoresRequest, HeadMap | HeadscopeError] | None = None
        self.part: Scores | None = None
        self._row: ScoreRow | None = None
        self._ranks: Ranks | None = None
        self._sums: Sums | None = None
        self._asked: dict[type, object] = {}
        questions.answered.connect(self._on_answered)
        questions.failed.connect(self._on_failed)

    # ---------------------------------------------------------------- scores
    def scores(self) -> HeadMap | HeadscopeError | None:
        """The scores of the head that is looked at, or why there are none; None while they are on the way."""
        wanted = self._scores_request()
        if wanted is None:
            return None
        if self._scores is not None and self._scores[0] == wanted:
            return self._scores[1]
        self._ask(wanted)
        return None

    def closer(self, rows: range, keys: range, height: int, width: int) -> None:
        """Ask for a part of large scores, as `part`."""
        state = self._state
        if state.record is None:
            return
        wanted = ScoresRequest(state.record, state.kind, state.head, rows, keys, height, width)
        if self.part is None or self.part.request != wanted:
            self._ask(wanted)

    def score(self, query: int | None, key: int | None) -> float | None:
        """The exact score of a cell of a large head, NaN if hidden; its row is asked for if need be."""
        state = self._state
        if state.record is None or query is None or key is None or query >= len(state.queries) or key >= len(state.keys):
            return None
        wanted = ScoreRowRequest(state.record, state.kind, state.head, query)
        if self._row is not None and self._row.request == wanted:
            return float(self._row.scores[key])
        self._ask(wanted)
        return None

    def _scores_request(self) -> ScoresRequest | None:
        state = self._state
        if state.record is None:
            return None
        n_queries, n_keys = len(state.queries), len(state.keys)
        most = (_PICTURE, _PICTURE) if state.record.is_large(state.kind) else (n_queries, n_keys)
        return ScoresRequest(state.record, state.kind, state.head, range(n_queries), range(n_keys), *most)

    # ---------------------------------------------------------------- ranks and sums
    def shares(self, values: FloatArray) -> FloatArray | None:
        """`shares_below` of a head; None while they are on the way."""
        if self._ranks is not None and self._ranks.request.values is values:
            return self._ranks.shares
        if self._state.record is None or values.size <= _AT_ONCE:
            return shares_below(values)
        asked = self._asked.get(RankRequest)
        if not (isinstance(asked, RankRequest) and asked.values is values):
            self._ask(RankRequest(self._state.record, values))
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
    def _ask(self, request: ScoresRequest | ScoreRowRequest | RankRequest | SumsRequest) -> None:
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
            case Scores() if answer.request == self._scores_request():
                self._scores, self.part = (answer.request, _as_map(answer)), None
            case Scores():
                self.part = answer
            case ScoreRow():
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
            if isinstance(request, ScoresRequest):
                self._scores = request, error
                self.came.emit()


def _as_map(answer: Scores) -> HeadMap:
    """The scores themselves, or what stands for those of a large head."""
    shape = len(answer.request.rows), len(answer.request.keys)
    if answer.picture.shape == shape:
        return answer.picture
    nothing = np.empty(0, np.int32), np.empty(0, np.int32), np.empty(0, np.float32)
    return HeadOverview(shape, answer.picture, np.zeros(shape[1], np.float32), nothing, exact=True)
