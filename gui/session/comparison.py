"""Before: which predictions of an earlier run of the same text the present ones are compared with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from headscope.core.forward.model_info import ModelInfo
from headscope.core.predict.results import Prediction
from headscope.core.requests.runs import FillRequest, ForkRequest, GenerateRequest, ModelRequest
from headscope.core.run import RunResult
from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.session.axis_moves import is_edit

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

Ids = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """What a model predicted in a text of these tokens."""

    ids: Ids = ()
    predictions: tuple[Prediction, ...] = ()
    tokens: tuple[Token, ...] = ()


class Before:
    """Remembers what was predicted, and answers with it in the places of the present predictions."""

    def __init__(self) -> None:
        self._source: ModelInfo | None = None
        self._latest = _Said()
        self._earlier = _Said()  # what `_latest` is compared with
        self._kept: _Said | None = None

    @property
    def is_kept(self) -> bool:
        """Whether all runs are compared with the same one."""
        return self._kept is not None

    def keep(self, kept: bool) -> tuple[Prediction, ...]:
        """Compare all further runs of this text and its edits with the present one, or each with the run before it again."""
        self._kept = self._latest if kept else None
        return () if kept else self._answer()

    def after(self, request: ModelRequest, result: RunResult, model: ModelInfo | None) -> tuple[Prediction, ...]:
        """What to compare a run's predictions with: none of another model's, and nothing with what was written or filled."""
        if model is not self._source:
            self._source, self._latest, self._earlier, self._kept = model, _Said(), _Said(), None
        tokens = predicted_axis(result.record, model).tokens
        said = _Said(tuple(token.id for token in tokens), result.predictions, tokens)
        if not is_edit(self._latest.tokens, said.tokens):  # of another text nothing is compared
            self._latest, self._earlier, self._kept = said, _Said(), None
        if said != self._latest:
            self._earlier, self._latest = self._latest, said
        return () if isinstance(request, FillRequest | ForkRequest | GenerateRequest) else self._answer()

    def _answer(self) -> tuple[Prediction, ...]:
        earlier = self._kept or self._earlier
        return () if earlier is self._latest else counterparts(earlier.predictions, earlier.ids, self._latest)


def counterparts(old: tuple[Prediction, ...], ids: Ids, new: _Said) -> tuple[Prediction, ...]:
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


def _of_whole_texts(old: tuple[Prediction, ...], new: _Said, moved: list[int | None]) -> tuple[Prediction, ...]:
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
