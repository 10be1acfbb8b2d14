"""ReadingValues: the numbers behind the words of the text view, asked for where they are not at hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from PySide6.QtCore import QObject, Signal, Slot

from headscope.core.analyse.attribution.results import Attribution
from headscope.core.attention.head_map import Side
from headscope.core.predict.results import Surprisal
from headscope.core.requests.predictions import AttributionRequest, SurprisalRequest
from headscope.core.requests.tokens import RolledOut, RolloutRequest, TokenWeights, TokenWeightsRequest
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray, Head
from headscope.gui.lanes.answer import Answer
from headscope.gui.session.chosen_tokens import chosen_tokens
from headscope.gui.session.outcome import explained, read_at, target_of
from headscope.gui.session.session import Session
from headscope.gui.views.text.along import Numbers, Shown, Values
from headscope.gui.words.notices import refusal_of

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.predict.results import Candidate, Prediction
    from headscope.gui.control.explorer import Explorer

Axes = tuple[TokenAxis, ...]
Computed = Literal["surprisal", "attribution", "rollout"]


class ReadingValues(QObject):
    """Numbers of one panel; it tells when there are new ones.

    Signals
    -------
    changed()
    """

    changed = Signal()

    def __init__(self, state: Session, explorer: Explorer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._looks = Answer[TokenWeights](explorer.questions, self)
        self._rollouts = Answer[RolledOut](explorer.questions, self)
        self._surprisals: Answer[Surprisal] = explorer.answer_of_model(self)
        self._attributions: Answer[Attribution] = explorer.answer_of_model(self)
        self._computed: dict[Computed, Answer[Any]] = {
            "surprisal": self._surprisals,
            "attribution": self._attributions,
            "rollout": self._rollouts,
        }
        self._surprisal: tuple[Axes, Surprisal] | None = None
        self._attribution: tuple[Axes, Attribution] | None = None
        for answer in (self._looks, *self._computed.values()):
            answer.came.connect(self._on_came)
        state.changed.connect(self._on_changed)

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "captured" in names:
            for answer in self._computed.values():
                answer.drop()
        if "model" in names:
            self._surprisal = self._attribution = None

    # ---------------------------------------------------------------- texts
    @property
    def pair(self) -> str:
        """The second text of the pair that was run; "" if there is none, or none that is known."""
        return "" if self._state.looked_at is None else self._state.looked_at.prompt.text_pair

    @property
    def _shown(self) -> Shown:
        state = self._state
        return Shown(state.captured, state.kind, state.queries, state.keys)

    # ---------------------------------------------------------------- attention
    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads that are averaged, or the one that is looked at."""
        return self._state.heads if len(self._state.heads) > 1 else (self._state.head,)

    def attention(self, side: Side) -> tuple[tuple[int, ...], FloatArray | None]:
        """What the chosen tokens look at (`side` "query"), or who looks at them: their sum, the mean of the heads.

        Returns
        -------
        positions : tuple of int
            The tokens that the numbers are of: while others are on the way, those before.
        weights : float32, (n_keys,) or (n_queries,), or None
            What the lens shows; NaN where it has no number.
        """
        state, positions = self._state, chosen_tokens(self._state, side)
        if state.record is None or not positions:
            return (), None
        shape = len(state.queries), len(state.keys)
        maps = [state.weights.get(head) for head in self.heads]
        at_hand = [whole for whole in maps if isinstance(whole, np.ndarray) and whole.shape == shape]
        if len(at_hand) == len(self.heads):
            rows = [[whole[at] if side == "query" else whole[:, at] for at in positions] for whole in at_hand]
            return positions, _mean_of_sums(np.array(rows, np.float32))
        wanted = TokenWeightsRequest(state.record, state.kind, self.heads, positions, side)
        self._looks.ask(wanted)
        found = self._looks.value
        if found is None or not _is_of_the_same(found.request, wanted):
            return positions, None
        return found.request.positions, _mean_of_sums(found.weights[:, None])

    # ---------------------------------------------------------------- surprisal
    @property
    def is_masked_model(self) -> bool:
        """Whether surprisal takes a pass for each token."""
        model = self._state.model
        return model is not None and "fill_mask" in model.abilities and model.family == "encoder"

    @property
    def predicts(self) -> bool:
        """Whether the model says anything about words."""
        model = self._state.model
        return model is not None and bool(model.abilities & {"fill_mask", "generate"})  # words: classes have no surprisal

    def surprisal(self) -> Values | None:
        """Bits of each token that is shown; None where they have not been computed for it."""
        captured = self._state.captured
        if self._surprisal is None or captured is None or self._surprisal[0] != _read(captured):
            return None
        shown, found = self._shown, self._surprisal[1]
        return shown.along({shown.predicted: (found.ids, found.bits)})

    @property
    def _surprising(self) -> SurprisalRequest | None:
        captured = self._state.captured
        return None if captured is None else SurprisalRequest(captured)

    # ---------------------------------------------------------------- attribution
    @property
    def explained(self) -> tuple[Prediction, Candidate] | None:
        """The prediction that is attributed, and which of its candidates: what was chosen, else at the pinned token, else the first."""
        state = self._state
        pinned = state.pinned.query
        pieces = state.queries.pieces_of(pinned) if pinned is not None and pinned < len(state.queries) else range(0)
        return explained(state.predictions, state.outcome, pieces)

    @property
    def _attributing(self) -> AttributionRequest | None:
        """Of the present prediction."""
        found, captured = self.explained, self._state.captured
        if found is None or captured is None:
            return None
        n_tokens = len(captured.axis("decoder" if "decoder" in captured.kinds else captured.kinds[0]).queries)
        return AttributionRequest(captured, target_of(*found, n_tokens))

    def attribution(self) -> Values | None:
        """Gradient × attention of each token that is shown; stale if it is of another prediction."""
        wanted = self._attributing
        if self._attribution is None or wanted is None or self._attribution[0] != _read(wanted.record):
            return None
        found = self._attribution[1]
        numbers: Numbers = {"source": (found.ids, found.source)}
        if found.target_ids:
            numbers = {**numbers, "target": (found.target_ids, found.target)}
        return self._shown.along(numbers, stale=wanted.target != found.predicted)

    @property
    def _rollout(self) -> RolloutRequest | None:
        """Of the prediction's token, or, without one, of the token in focus."""
        state, captured = self._state, self._state.captured
        if captured is None:
            return None
        last = len(captured.axis(state.kind).queries) - 1
        focus = next(iter(chosen_tokens(self._state, "query")), None)
        found = self.explained
        at = None if found is None else read_at(*found)
        if at is None:
            at = last if focus is None else state.queries.pieces_of(focus)[0]
        return RolloutRequest(captured, state.kind, min(at, last))

    def rollout(self) -> Values | None:
        """Shares of each token that is shown; stale if they are of another token."""
        rolled = self._rollouts.value
        if rolled is None or rolled.request.record is not self._state.captured:
            return None
        wanted, found = self._rollout, rolled.request
        axis = found.record.axis(found.kind).keys
        shown = self._shown
        numbers: Numbers = {shown.text_of(shown.keys): (tuple(token.id for token in axis.tokens), rolled.shares)}
        return shown.along(numbers, stale=found != wanted) if found.kind == self._state.kind else None

    # ---------------------------------------------------------------- asking and answers
    def _wanted(self, what: Computed) -> SurprisalRequest | AttributionRequest | RolloutRequest | None:
        if what == "surprisal":
            return self._surprising
        return self._attributing if what == "attribution" else self._rollout

    def ask_for(self, what: Computed) -> None:
        """Let it be computed: by the model, which shows as busy, or from the record."""
        wanted, answer = self._wanted(what), self._computed[what]
        if answer.error is not None:
            answer.drop()
        if isinstance(wanted, RolloutRequest):
            answer.ask(wanted)
        elif wanted is not None:
            self._explorer.ask(answer, wanted)

    def refusal(self, what: Computed) -> str:
        """Why it could not be computed, and the way out; "" if nobody asked, or it could."""
        answer = self._computed[what]
        return refusal_of(answer.error) if answer.error is not None and answer.request == self._wanted(what) else ""

    @Slot()
    def _on_came(self) -> None:
        """Numbers of a model outlive its record: the same text may be run again."""
        if self._surprisals.value is not None and self._surprisals.is_current:
            self._surprisal = _read(self._surprisals.request.record), self._surprisals.value
        if self._attributions.value is not None and self._attributions.is_current:
            self._attribution = _read(self._attributions.request.record), self._attributions.value
        self.changed.emit()


def _mean_of_sums(rows: FloatArray) -> FloatArray:
    """The mean over heads of the sums over positions, (n_heads, n_positions, n), of the numbers there are; NaN where there is none."""
    known = ~np.isnan(rows)
    sums, has = np.where(known, rows, np.float32(0)).sum(axis=1), known.any(axis=1)
    with np.errstate(invalid="ignore"):
        found: FloatArray = sums.sum(axis=0) / has.sum(axis=0, dtype=np.float32)
    return found


def _is_of_the_same(old: TokenWeightsRequest, wanted: TokenWeightsRequest) -> bool:
    """Whether only the token differs: the old numbers stay until the new ones are there."""
    return (old.record, old.kind, old.heads, old.side) == (
        wanted.record,
        wanted.kind,
        wanted.heads,
        wanted.side,
    )


def _read(record: AttentionRecord) -> Axes:
    """The tokens of all texts that a model had read."""
    return tuple(record.axis(kind).keys for kind in record.kinds)
