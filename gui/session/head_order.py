"""HeadOrder: in what order the grid shows heads, and which of them it sets back."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np

from headscope.core.analyse.records.head_types import PROBE_METRICS, HeadMetrics, HeadType, Metric
from headscope.core.vocabulary import Head


@dataclass(frozen=True, slots=True)
class HeadOrder:
    """In what order the grid shows heads, and which of them it sets back.

    Attributes
    ----------
    sort : Metric or None
        Largest first; None: by layer and head.
    smallest_first : bool
    types : frozenset of HeadType
        Which are let through, be it by their second type; empty: all.
    minimum : (Metric, float) or None
        What a head must have at least; heads that a metric has no meaning for do not.
    averages : bool
        Show each layer's average instead of heads.
    """

    sort: Metric | None = None
    smallest_first: bool = False
    types: frozenset[HeadType] = frozenset()
    minimum: tuple[Metric, float] | None = None
    averages: bool = False

    @property
    def filters(self) -> bool:
        """Whether any head can be set back."""
        return bool(self.types) or self.minimum is not None

    def set_back(self, metrics: HeadMetrics) -> frozenset[Head]:
        """Heads that the filter does not let through; those that were not measured yet are."""
        if not self.filters:
            return frozenset()
        found = set()
        if self.types:
            found = {head for head in metrics.types if self.types.isdisjoint(metrics.types_of(head))}
        if self.minimum is not None and not _is_of_no_probe(self.minimum[0], metrics):
            metric, least = self.minimum
            below = ~(metrics.values[metric] >= least)
            found |= {(layer, head) for layer, head in np.argwhere(below).tolist() if layer in metrics.measured}
        return frozenset(found)

    def sorted(self, metrics: HeadMetrics) -> list[Head]:
        """The heads that are let through, in order."""
        assert self.sort is not None
        out = self.set_back(metrics)
        ranked = metrics.ranked(self.sort, smallest_first=self.smallest_first)
        return [head for head in ranked if head in metrics.types and head not in out]

    def values_of(self, metrics: HeadMetrics) -> dict[Head, str]:
        """What each head is sorted by, in a few figures; nothing if heads are not sorted."""
        if self.sort is None:
            return {}
        values = metrics.values[self.sort].tolist()
        return {
            (layer, head): "–" if isnan(values[layer][head]) else f"{values[layer][head]:.2f}" for layer, head in metrics.types
        }


def _is_of_no_probe(metric: Metric, metrics: HeadMetrics) -> bool:
    """Whether nothing was measured on a probe yet, so that a minimum on it filters nothing."""
    return metric in PROBE_METRICS and bool(np.isnan(metrics.values[metric]).all())
