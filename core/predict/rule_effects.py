"""What a rule does to the next token's distribution at one place of a text, in numpy: for the model's steps and for the window.

References
----------
Keskar et al., CTRL, 2019, section 4.1 (repetition penalty).
Paulus et al., A Deep Reinforced BaseModel for Abstractive Summarization, 2017, section 2.5 (no n-gram twice).
Meister et al., Locally Typical Sampling, 2023 (typical-p).
Hewitt et al., Truncation Sampling as Language BaseModel Desmoothing, 2022 (epsilon and eta).
Potraghloo et al., Top-H Decoding, 2025 (top-h).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from headscope.core.options import CUTS, ORDER
from headscope.core.vocabulary import Filter

Scores = npt.NDArray[np.floating[Any]]
Kept = npt.NDArray[np.bool_]

_LARGEST: Final = float(np.finfo(np.float32).max)
"""What transformers writes for infinity where a model's settings say `remove_invalid_values`."""
_TOP_H_LOOKS_AT: Final = 100
"""Tokens; transformers' `TopHLogitsWarper` looks at no more."""


@dataclass(frozen=True, slots=True, eq=False)
class RuleEffect:
    """What one rule does at one place.

    Attributes
    ----------
    rule : Filter
    how : str
        "strike": `ids` cannot follow. "only": nothing else can; their scores become 0. "add": `amounts` are added to their scores.
        "penalise": their scores are divided by `amounts`, multiplied if they are negative. "lengthen": `amounts` times their size
        is added. "finite": infinite scores become the largest numbers. "cut": the rule cuts probabilities by `amounts`, see `kept`.
        "normalise": the scores' exponentials sum to 1 again.
    ids : int64, (n,)
    amounts : float64, (n,) or ()
    """

    rule: Filter
    how: Literal["strike", "only", "add", "penalise", "lengthen", "finite", "cut", "normalise"]
    ids: npt.NDArray[np.int64]
    amounts: npt.NDArray[np.float64]

    @property
    def moves(self) -> bool:
        """Whether it moves the scores of tokens that stay, and does not only strike tokens out."""
        return self.how in ("add", "penalise", "lengthen")

    def applied(self, scores: Scores) -> Scores:
        """Other scores (vocabulary,): logits, or log-probabilities in a beam search."""
        if self.how == "finite":
            return np.nan_to_num(scores, nan=0.0, posinf=_LARGEST, neginf=-_LARGEST)
        if self.how == "normalise":
            largest = scores.max()
            normalised: Scores = scores - (largest + np.log(np.exp(scores - largest).sum()))
            return normalised
        changed = np.full_like(scores, -np.inf) if self.how == "only" else scores.copy()
        found = scores[self.ids]
        changed[self.ids] = _CHANGES[self.how](found, self.amounts)
        return changed

    def kept(self, probabilities: npt.NDArray[np.float64]) -> Kept:
        """Which tokens a rule that cuts leaves, of probabilities that sum to 1."""
        return _CUTS[self.rule](probabilities, float(self.amounts))


def in_order(effects: Iterable[RuleEffect]) -> list[RuleEffect]:
    """The effects that change scores, in transformers' order."""
    return sorted((effect for effect in effects if effect.rule not in CUTS), key=lambda effect: ORDER.index(effect.rule))


def penalty(rule: Filter, ids: Iterable[int], factor: float, n_vocabulary: int) -> RuleEffect:
    """Tokens that stand in `ids` come less for a factor above 1, more below it."""
    known = np.array(sorted({id_ for id_ in ids if id_ < n_vocabulary}), np.int64)
    return RuleEffect(rule, "penalise", known, np.asarray(factor, np.float64))


def _lengthened(found: Scores, amounts: Scores) -> Scores:
    with np.errstate(invalid="ignore"):
        return np.where(np.isfinite(found), found + np.abs(found) * amounts, found)


_CHANGES: Final[dict[str, Callable[[Scores, Scores], Scores]]] = {
    "strike": lambda found, _: np.full_like(found, -np.inf),
    "only": lambda found, _: np.zeros_like(found),
    "add": lambda found, amounts: found + amounts,
    "penalise": lambda found, amounts: np.where(found < 0, found * amounts, found / amounts),
    "lengthen": _lengthened,
}


# ---------------------------------------------------------------- rules that cut probabilities; at least one token is kept
def _typical(values: npt.NDArray[np.float64], mass: float) -> Kept:
    """The tokens whose surprisal is nearest to the entropy, until their mass is at least `mass`."""
    with np.errstate(divide="ignore"):
        surprisal = -np.log(values)
    distance = np.abs(surprisal - _entropy(values))
    order = np.argsort(distance, kind="stable")
    last = min(int((np.cumsum(values[order]) < mass).sum()), len(values) - 1)
    kept: Kept = distance <= distance[order[last]]
    return kept


def _epsilon(values: npt.NDArray[np.float64], least: float) -> Kept:
    kept: Kept = (values >= least) | (values == values.max())
    return kept


def _eta(values: npt.NDArray[np.float64], epsilon: float) -> Kept:
    return _epsilon(values, min(epsilon, float(np.sqrt(epsilon) * np.exp(-_entropy(values)))))


def _top_h(values: npt.NDArray[np.float64], share: float) -> Kept:
    """The most probable tokens while their part of the entropy is at most `share` of it."""
    order = np.argsort(-values, kind="stable")[:_TOP_H_LOOKS_AT]
    first = values[order] / values[order].sum()
    parts = -first * np.log(np.maximum(first, np.finfo(np.float64).tiny))
    kept = np.zeros(len(values), dtype=bool)
    kept[order[np.cumsum(parts) <= share * parts.sum()]] = True
    kept[order[0]] = True
    return kept


def _entropy(values: npt.NDArray[np.float64]) -> float:
    """In nats."""
    some = values[values > 0]
    return float(-(some * np.log(some)).sum())


_CUTS: Final[dict[str, Callable[[npt.NDArray[np.float64], float], Kept]]] = {
    "typical_p": _typical,
    "epsilon_cutoff": _epsilon,
    "eta_cutoff": _eta,
    "top_h": _top_h,
}
