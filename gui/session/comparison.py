"""Reference: the earlier run of the same text that the newest one is compared with, and its predictions in the places of the newest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from headscope.core.forward.model_info import ModelInfo
from headscope.core.predict.results import Prediction
from headscope.core.requests.request import AnyModelRequest
from headscope.core.requests.runs import FillRequest, ForkRequest, GenerateRequest
from headscope.core.run import Run
from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.session.axis_moves import is_edit

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

Ids = tuple[int, ...]

_MOST_BYTES = 256 * 2**20
"""Of a record that is kept beside that of the newest run without anybody having asked for it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a model predicted in a text of these tokens, and the run, unless it is too large to be kept."""

    ids: Ids = ()
    predictions: tuple[Prediction, ...] = ()
    tokens: tuple[Token, ...] = ()
    run: Run | None = field(default=None, compare=False)

    @property
    def past(self) -> Ran:
        """As it is kept when another follows."""
        is_large = self.run is not None and self.run.record.nbytes > _MOST_BYTES
        return replace(self, run=None) if is_large else self


class Reference:
    """Remembers the run that the newest one is compared with: the one before an edit of the same text, or one that the user keeps."""

    def __init__(self) -> None:
        self._model: ModelInfo | None = None
        self._latest = Ran()
        self._earlier = Ran()  # what `_latest` is compared with
        self._kept: Ran | None = None
        self.predictions: tuple[Prediction, ...] = ()
        """The reference's, in the places of those of the newest run; none beside what was written or filled."""

    @property
    def is_kept(self) -> bool:
        """Whether all runs are compared with the same one."""
        return self._kept is not None

    @property
    def run(self) -> Run | None:
        """The reference; None if there is none, and if its record was too large to be kept."""
        ran = self._kept or self._earlier
        return None if ran is self._latest else ran.run

    def keep(self, kept: bool) -> None:
        """Compare all further runs of this text and its edits with the present one, or each with the run before it again."""
        self._kept = self._latest if kept else None
        self._compare()

    def add(self, request: AnyModelRequest, run: Run, model: ModelInfo | None) -> None:
        """A run is the newest: what was before it is its reference, but none of another model, or of another text."""
        if model is not self._model:
            self._model, self._latest, self._earlier, self._kept = model, Ran(), Ran(), None
        tokens = predicted_axis(run.record, model).tokens
        ran = Ran(tuple(token.id for token in tokens), run.predictions, tokens, run)
        if not is_edit(self._latest.tokens, ran.tokens):  # of another text nothing is compared
            self._earlier, self._kept = Ran(), None
        elif ran != self._latest:
            self._earlier = self._latest.past
        elif self._kept is self._latest:
            self._kept = ran
        self._latest = ran
        self._compare()
        if isinstance(request, FillRequest | ForkRequest | GenerateRequest):
            self.predictions = ()

    def _compare(self) -> None:
        earlier = self._kept or self._earlier
        same = earlier is self._latest
        self.predictions = () if same else counterparts(earlier.predictions, earlier.ids, self._latest)


def counterparts(old: tuple[Prediction, ...], ids: Ids, new: Ran) -> tuple[Prediction, ...]:
    """Those of `old`, made in a text of tokens `ids`, that have one of `new` in their place; at its position.

    The next token stands for the next token. A mask in the part that both texts begin or end with stands for itself; in what was
    edited between, the first for the first and so on, if there are as many.
    """
    start = _shared(ids, new.ids)
    end = min(_shared(ids[::-1], new.ids[::-1]), len(ids) - start, len(new.ids) - start)
    first, last = range(start), len(ids) - end
    shift = len(new.ids) - len(ids)
    if any(prediction.kind not in ("token", "tag") for prediction in (*old, *new.predictions)):
        return _of_whole_texts(
            old, new, [*range(start)] + [None] * (len(ids) - start - end) + [*range(len(new.ids) - end, len(new.ids))]
        )
    places = {prediction.position for prediction in new.predictions}
    fixed = {at: at if at in first else at + shift for at in (each.position for each in old) if at in first or at >= last}
    edited = [each.position for each in old if each.position not in fixed]
    others = sorted(places - set(fixed.values()))
    if len(edited) == len(others):
        fixed |= dict(zip(edited, others, strict=True))
    return tuple(
        replace(prediction, position=fixed[prediction.position])
        for prediction in old
        if fixed.get(prediction.position) in places
    )


def _of_whole_texts(old: tuple[Prediction, ...], new: Ran, moved: list[int | None]) -> tuple[Prediction, ...]:
    """A class stands for a class; the start of an answer for the start, token by token as far as tokens are the same.

    `moved` says where each of the old tokens is now, None for those that were edited.
    """
    found = []
    for prediction in new.predictions:
        for earlier in old:
            if earlier.place == prediction.place:
                at_ends = prediction.kind in ("start", "end")
                moved_there = _moved(earlier, moved, len(new.ids)) if at_ends else earlier
                found.append(replace(moved_there, position=prediction.position))
    return tuple(found)


def _moved(prediction: Prediction, moved: list[int | None], n_tokens: int) -> Prediction:
    """Of an end of an answer: the same probabilities at the tokens' new places; NaN, which counts as unknown, at new tokens."""
    logits = np.full(n_tokens, np.nan, np.float32)
    for old, new in enumerate(moved):
        if new is not None and prediction.logits is not None and old < len(prediction.logits):
            logits[new] = prediction.logits[old]
    pairs = ((candidate, moved[candidate.id]) for candidate in prediction.candidates if candidate.id < len(moved))
    candidates = tuple(replace(candidate, id=new) for candidate, new in pairs if new is not None)
    return replace(prediction, logits=logits, candidates=candidates)


def _shared(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens both begin with."""
    for at, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return at
    return min(len(one), len(other))


def predicted_axis(record: AttentionRecord, model: ModelInfo | None) -> TokenAxis:
    """The tokens of the side that a model predicts: where its masks are, or what it continues."""
    reads_source = model is not None and bool(model.abilities & {"fill_mask", "tag", "answer"})
    kind = record.kinds[0] if reads_source or "decoder" not in record.kinds else "decoder"
    return record.axis(kind).queries
