"""What is asked about single tokens of a text, and what is answered: numbers along the tokens, for the text view and the strip.

Nothing here imports torch. `TokenWeightsRequest` and `RolloutRequest` ask a record, the others the model about a record's tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.attention.head_map import Side
from headscope.core.requests.request import Request
from headscope.core.vocabulary import FloatArray, Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


# ---------------------------------------------------------------- of records
@dataclass(frozen=True, slots=True)
class TokenWeightsRequest(Request["TokenWeights"]):
    """What several heads have to do with some tokens; answers `TokenWeights`.

    Attributes
    ----------
    positions : tuple of int
        Summed over.
    side : Side
        What `positions` are: of queries, what they look at; of keys, who looks at them (all rows are computed, block by block).
    """

    record: AttentionRecord
    kind: Kind
    heads: tuple[Head, ...]
    positions: tuple[int, ...]
    side: Side


@dataclass(frozen=True, slots=True, eq=False)
class TokenWeights:
    """float32 (n_heads, n_keys) of queries, (n_heads, n_queries) of keys: what `request` asked for, in the order of its heads."""

    request: TokenWeightsRequest
    weights: FloatArray


@dataclass(frozen=True, slots=True)
class RolloutRequest(Request["RolledOut"]):
    """How much of each token has reached `query` after the last layer, by attention rollout; answers `RolledOut`."""

    record: AttentionRecord
    kind: Kind
    query: int


@dataclass(frozen=True, slots=True, eq=False)
class RolledOut:
    """float32 (n_keys,), sums to 1: what `request` asked for."""

    request: RolloutRequest
    shares: FloatArray


# ---------------------------------------------------------------- of the model


@dataclass(frozen=True, slots=True)
class StepRowsRequest(Request["StepRows"]):
    """What each head of a layer looked at from one query, that of a step's record which chose a token; answers `StepRows`."""

    record: AttentionRecord
    kind: Kind
    layer: int
    query: int


@dataclass(frozen=True, slots=True, eq=False)
class StepRows:
    """float32 (n_heads, n_keys): what `request` asked for."""

    request: StepRowsRequest
    weights: FloatArray
