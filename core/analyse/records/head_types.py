"""What is measured of every head, how heads are named after that, and what the view lane is asked and answers about it.

Nothing here imports torch; `head_metrics` measures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

from headscope.core.vocabulary import FloatArray, Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.head_map import Pooling
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.text.tokens import TokenAxis

Metric = Literal[
    "entropy",
    "relative_entropy",
    "confidence",
    "distance",
    "first",
    "previous",
    "next",
    "same",
    "special",
    "separator",
    "induction",
    "duplicate",
    "rest",
    "rest_entropy",
    "rest_relative_entropy",
    "rest_previous",
    "rest_next",
    "rest_same",
    "rest_induction",
    "rest_duplicate",
    "probe_previous",
    "probe_induction",
    "probe_duplicate",
]
"""What `core.analyse.head_metrics` and `head_probe` say of each. Entropies are in bits, distance in tokens, all others are shares
from 0 to 1."""
PROBE_METRICS: Final[tuple[Metric, ...]] = ("probe_previous", "probe_induction", "probe_duplicate")
"""What is measured on a probe."""
METRICS: Final[tuple[Metric, ...]] = tuple(metric for metric in get_args(Metric) if metric not in PROBE_METRICS)
"""What is measured of a text."""
ALL_METRICS: Final[tuple[Metric, ...]] = (*METRICS, *PROBE_METRICS)
OF_REST: Final[Mapping[Metric, Metric]] = {
    "entropy": "rest_entropy",
    "relative_entropy": "rest_relative_entropy",
    "previous": "rest_previous",
    "next": "rest_next",
    "same": "rest_same",
    "induction": "rest_induction",
    "duplicate": "rest_duplicate",
}
"""The same metric of the rest: of attention that goes neither to the first token nor to special tokens."""

HeadType = Literal["previous", "next", "same", "induction", "duplicate", "special", "first", "broad", "mixed"]
"""What a head does for the most part; "mixed": none of it."""
HEAD_TYPES: Final[tuple[HeadType, ...]] = get_args(HeadType)
SINK_TYPES: Final[frozenset[HeadType]] = frozenset({"first", "special"})
"""Those of heads whose attention goes to tokens for want of a better place."""

MAJORITY: Final = 0.5
"""A share over this names a positional head (Clark et al. 2019: more than half on the previous or the next token); this
program holds a same-token, an induction and a duplicate-token head to it too."""
SPECIAL_SHARE: Final = 0.6
"""A share over this names a head of special tokens (Clark et al. 2019)."""
SINK_SHARE: Final = 0.3
"""A share over this on the first key names an attention sink (Gu et al. 2024)."""
BROAD_BITS: Final = 3.8 / math.log(2)
"""An entropy over 3.8 nats is broad (Clark et al. 2019)."""
BROAD_RELATIVE: Final = 0.9
"""So is one over this share of what can be had: texts of up to 44 tokens cannot reach 3.8 nats. This program's own threshold."""
REST_SHARE: Final = 0.05
"""What must go to the rest for a second type to be told: of less than a twentieth of the attention, too little reaches the output
to name a head after. This program's own threshold."""
_THRESHOLDS: Final[Mapping[Metric, float]] = {
    "entropy": BROAD_BITS, "relative_entropy": BROAD_RELATIVE, "first": SINK_SHARE, "special": SPECIAL_SHARE,
    "previous": MAJORITY, "next": MAJORITY, "same": MAJORITY, "induction": MAJORITY, "duplicate": MAJORITY,
}  # fmt: skip
THRESHOLDS: Final[Mapping[Metric, float]] = {
    **_THRESHOLDS,
    **{of_rest: _THRESHOLDS[metric] for metric, of_rest in OF_REST.items()},
    "rest": REST_SHARE,
}
"""What a head has to be over in a metric to be named after it."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadMetrics:
    """What was measured of a record's heads.

    Attributes
    ----------
    record, kind
        What it was measured of.
    values : mapping of Metric to float32, (n_layers, n_heads)
        NaN where a metric has no meaning, and of layers that were not measured yet.
    averages : mapping of "max" and "mean" to float32, (n_layers, min(size, n_queries), min(size, n_keys))
        The exact mean of a layer's heads as a picture, each pixel the maximum or the mean of the cells it covers; NaN if not
        measured yet.
    types : mapping of Head to HeadType
        Of the heads that were measured.
    second_types : mapping of Head to HeadType
        What heads of the types "first" and "special" do with the rest of their attention, where that is enough to say.
    """

    record: AttentionRecord
    kind: Kind
    values: Mapping[Metric, FloatArray]
    averages: Mapping[Pooling, FloatArray]
    types: Mapping[Head, HeadType]
    second_types: Mapping[Head, HeadType]

    @property
    def measured(self) -> frozenset[int]:
        """The layers that were."""
        return frozenset(layer for layer, _ in self.types)

    def of(self, head: Head) -> dict[Metric, float]:
        """All that was measured of one head."""
        return {metric: float(values[head]) for metric, values in self.values.items()}

    def types_of(self, head: Head) -> tuple[HeadType, ...]:
        """Its type, and its second one if it has one; empty if it was not measured."""
        return tuple(types[head] for types in (self.types, self.second_types) if head in types)

    def beside(self, probe: HeadProbe | None) -> HeadMetrics:
        """With what was measured on a probe among `values`: NaN if nothing was, or of heads of another kind or number."""
        shape = self.values["entropy"].shape
        fits = probe is not None and probe.kind == self.kind and probe.values["entropy"].shape == shape
        found = probe.scores if probe is not None and fits else {}
        nothing = np.full_like(self.values["entropy"], np.nan)
        return replace(self, values={**self.values, **{metric: found.get(metric, nothing) for metric in PROBE_METRICS}})

    def ranked(self, metric: Metric, *, smallest_first: bool = False) -> list[Head]:
        """All heads by a metric, largest first; equal ones by layer and head, those without it last."""
        values = self.values[metric]
        keys = values if smallest_first else -values
        order = np.argsort(keys, axis=None, kind="stable")  # NaN comes last either way
        return [(int(at) // values.shape[1], int(at) % values.shape[1]) for at in order]


@dataclass(frozen=True, slots=True, eq=False)
class HeadProbe:
    """What was measured of a model's heads on random tokens that are repeated; see `headscope.core.analyse.probing`.

    Attributes
    ----------
    seed, length, repeats : int
        How many tokens were drawn from which seed, and how often they stand there.
    tokens : TokenAxis
        What was read.
    kind : Kind
    values : mapping of Metric to float32, (n_layers, n_heads)
        All `METRICS` of what was read.
    types, second_types : mapping of Head to HeadType
        As in `HeadMetrics`.
    """

    seed: int
    length: int
    repeats: int
    tokens: TokenAxis
    kind: Kind
    values: Mapping[Metric, FloatArray]
    types: Mapping[Head, HeadType]
    second_types: Mapping[Head, HeadType]

    @property
    def scores(self) -> dict[Metric, FloatArray]:
        """float32 (n_layers, n_heads) of each of `PROBE_METRICS`."""
        return {metric: self.values[_ON_TEXT[metric]] for metric in PROBE_METRICS}

    def type_of(self, head: Head) -> HeadType | None:
        """What a head does on the probe, beside an attention sink if there is enough to say; None if it was not measured."""
        return self.second_types.get(head, self.types.get(head))


_ON_TEXT: Final[Mapping[Metric, Metric]] = {
    "probe_previous": "previous",
    "probe_induction": "induction",
    "probe_duplicate": "duplicate",
}


def head_type(metrics: Mapping[Metric, float]) -> HeadType:
    """What a head does for the most part, by the first of these that holds.

    1. "broad": relative entropy over `BROAD_RELATIVE`. It comes first because in a very short text an even spread gives any
       key more than a threshold.
    2. "previous", "next", "same", "induction", "duplicate": the largest of these shares, if over `MAJORITY`.
    3. "special": over `SPECIAL_SHARE` on special tokens, and not most of that on the first token.
    4. "first": over `SINK_SHARE` on the first key.
    5. "broad": entropy over `BROAD_BITS`.
    6. "mixed".

    Parameters
    ----------
    metrics : mapping of Metric to float
        NaN, or left out, where one has no meaning: it names no head.

    Notes
    -----
    A name tells what a head does in one text. It may do something else in another, and it tells nothing of what that is good for.
    """

    def value(metric: Metric) -> float:
        found = metrics.get(metric, math.nan)
        return -math.inf if math.isnan(found) else found

    if value("relative_entropy") > BROAD_RELATIVE:
        return "broad"
    shares: tuple[HeadType, ...] = ("previous", "next", "same", "induction", "duplicate")
    largest = max(shares, key=lambda name: value(name))  # type: ignore[arg-type]  # each is a metric's name as well
    if value(largest) > MAJORITY:  # type: ignore[arg-type]
        return largest
    if value("special") > SPECIAL_SHARE and value("first") <= value("special") / 2:
        return "special"
    if value("first") > SINK_SHARE:
        return "first"
    return "broad" if value("entropy") > BROAD_BITS else "mixed"


def second_type(metrics: Mapping[Metric, float]) -> HeadType | None:
    """What a head of type "first" or "special" does with the rest of its attention.

    Most heads of a decoder put what they have no use for on the first token (Xiao et al. 2023; Gu et al. 2024), and many of BERT's on
    [SEP] (Clark et al. 2019): that names them all alike. Without these tokens, and the rest renormalised, `head_type` tells them apart.

    Parameters
    ----------
    metrics : mapping of Metric to float

    Returns
    -------
    HeadType or None
        None for heads of other types, and where less than `REST_SHARE` goes to the rest.

    References
    ----------
    Xiao et al., Efficient Streaming Language Models with Attention Sinks, 2023.
    Gu et al., When Attention Sink Emerges in Language Models: An Empirical View, 2024.
    Clark, Khandelwal, Levy and Manning, What Does BERT Look At?, 2019, section 3.2.
    """
    if head_type(metrics) not in SINK_TYPES or not metrics.get("rest", math.nan) >= REST_SHARE:
        return None
    return head_type({metric: metrics.get(of_rest, math.nan) for metric, of_rest in OF_REST.items()})
