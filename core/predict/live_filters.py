"""What sampling filters do to a distribution, fast enough to follow a slider: `core.predict.sampling` in numpy.

Order, definitions and ties are those of `core.predict.sampling.stages_of`. Nothing here imports torch: the window computes it.
A cut leaves few tokens, so from there on only those are looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headscope.core.errors import HeadscopeError
from headscope.core.options import ORDER, Sampling
from headscope.core.predict.results import FilterStage
from headscope.core.predict.rule_effects import RuleEffect, in_order, penalty
from headscope.core.vocabulary import Filter, FloatArray

Doubles = npt.NDArray[np.float64]
Ids = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class _Left:
    """A distribution: the ids that are left, ascending (None: all), their probabilities, and the mass they had before."""

    ids: Ids | None
    values: Doubles
    mass: float

    def of(self, ids: Sequence[int]) -> Doubles:
        """Probabilities of any ids."""
        wanted = np.asarray(ids, np.int64)
        if self.ids is None:
            return self.values[wanted]
        at = np.minimum(np.searchsorted(self.ids, wanted), len(self.ids) - 1)
        return np.where(self.ids[at] == wanted, self.values[at], 0.0)

    def cut(self, kept: npt.NDArray[np.bool_]) -> _Left:
        """What is kept, renormalised."""
        at = np.flatnonzero(kept)
        values = self.values[at]
        mass = float(values.sum())
        return _Left(at if self.ids is None else self.ids[at], values / mass, mass)

    def reshaped(self, logits: Doubles) -> _Left:
        """The softmax of other logits in the place of a whole distribution."""
        values = softmax(logits)
        return _Left(None, values, float(self.values.sum(where=values > 0)))


@dataclass(frozen=True, slots=True)
class Filtered:
    """What the filters make of a distribution.

    Attributes
    ----------
    stages : tuple of FilterStage
        The model's own distribution, then each filter that is on, in order; with the probabilities of the ids asked about.
    most_probable : int
        The id that is most probable after all filters (the first among equals).
    """

    stages: tuple[FilterStage, ...]
    most_probable: int


class LiveFilters:
    """The next token's distribution, ready to be filtered again and again.

    Parameters
    ----------
    logits : float32, (vocabulary,)
        As the model gives them.
    written : sequence of int
        Ids of the text so far, for the repetition penalty.
    effects : sequence of RuleEffect
        Of the model's rules at this place.
    """

    def __init__(self, logits: FloatArray, written: Sequence[int] = (), effects: Sequence[RuleEffect] = ()) -> None:
        self._logits = logits.astype(np.float64)
        self._written = tuple(written)
        self._effects = tuple(effects)
        self._model = _Left(None, softmax(self._logits), 1.0)
        self._ruled: tuple[tuple[float, frozenset[str]], list[tuple[Filter, _Left]], Doubles] | None = None

    def filtered(self, sampling: Sampling, ids: Sequence[int], without: frozenset[str] = frozenset()) -> Filtered:
        """Filter as `sampling` says, at temperature 0 only by the repetition penalty and the rules.

        Parameters
        ----------
        sampling : Sampling
        ids : sequence of int
            Tokens whose probabilities after each filter are wanted.
        without : frozenset of str
            Rules that are switched off.

        Raises
        ------
        HeadscopeError
            ``no_token_left`` if the rules strike out every token.
        """
        reported, left = [], self._model
        for name, left in self._stages(sampling, without):
            n_kept = int(np.count_nonzero(left.values))
            reported.append(FilterStage(name, n_kept, min(left.mass, 1.0), tuple(left.of(ids).tolist())))
        best = int(np.argmax(left.values))
        return Filtered(tuple(reported), best if left.ids is None else int(left.ids[best]))

    def _stages(self, sampling: Sampling, without: frozenset[str]) -> Iterator[tuple[Filter, _Left]]:
        yield "model", self._model
        stages, logits = self._after_rules(sampling.repetition_penalty, without)
        yield from stages
        if sampling.temperature == 0:
            return
        left = stages[-1][1] if stages else self._model
        if sampling.temperature != 1:
            left = left.reshaped((logits - logits.max()) / sampling.temperature)
            yield "temperature", left
        cuts: list[tuple[Filter, Callable[[Doubles], npt.NDArray[np.bool_]]]] = [
            (effect.rule, effect.kept) for effect in self._effects if effect.how == "cut" and effect.rule not in without
        ]
        if sampling.top_k > 0:
            cuts.append(("top_k", lambda values: _top_k(values, sampling.top_k)))
        if sampling.top_p < 1:
            cuts.append(("top_p", lambda values: _top_p(values, sampling.top_p)))
        if sampling.min_p > 0:
            cuts.append(("min_p", lambda values: values >= sampling.min_p * values.max()))
        for name, kept in sorted(cuts, key=lambda cut: ORDER.index(cut[0])):
            left = left.cut(kept(left.values))
            yield name, left

    def _after_rules(self, factor: float, without: frozenset[str]) -> tuple[list[tuple[Filter, _Left]], Doubles]:
        """The stages of the rules and the penalty, and the logits behind them; kept while a slider moves something else."""
        if self._ruled is not None and self._ruled[0] == (factor, without):
            return self._ruled[1:]
        effects = [effect for effect in self._effects if effect.rule not in without]
        if factor != 1:
            effects.append(penalty("repetition_penalty", self._written, factor, len(self._logits)))
        stages: list[tuple[Filter, _Left]] = []
        logits, left = self._logits, self._model
        for effect in in_order(effects):
            logits = effect.applied(logits).astype(np.float64, copy=False)
            if not np.isfinite(logits).any():
                raise HeadscopeError("no_token_left", rule=effect.rule)
            after = left.reshaped(logits)
            if effect.moves or not np.array_equal(after.values > 0, left.values > 0):
                left = after
                stages.append((effect.rule, left))
        self._ruled = (factor, without), stages, logits
        return stages, logits


def softmax(logits: Doubles) -> Doubles:
    """Probabilities in float64; sums to 1."""
    values: Doubles = np.exp(logits - logits.max())
    values /= values.sum()
    return values


def _top_k(values: Doubles, k: int) -> npt.NDArray[np.bool_]:
    """The `k` most probable and those that equal the last of them."""
    k = min(k, len(values))
    kept: npt.NDArray[np.bool_] = values >= np.partition(values, -k)[-k]
    return kept


def _top_p(values: Doubles, p: float) -> npt.NDArray[np.bool_]:
    """The smallest set of most probable tokens whose mass is at least `p`; among equals, the first.

    Only the values are sorted, not the tokens: twenty times as fast.
    """
    in_order = np.sort(values)[::-1]
    n_kept = int(np.searchsorted(np.cumsum(in_order) - in_order, p))
    last = in_order[n_kept - 1]
    kept: npt.NDArray[np.bool_] = values > last
    kept[np.flatnonzero(values == last)[: n_kept - np.count_nonzero(kept)]] = True
    return kept
