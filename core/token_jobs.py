"""What is asked about single tokens of a text, and what is answered: numbers along the tokens, for the text view and the strip.

Nothing here imports torch. `LooksRequest` and `RolloutRequest` ask a record, the others the model about a record's tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from headscope.core.jobs import FloatArray, Head, Kind
from headscope.core.predict.classes import Target

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

Side = Literal["query", "key"]


# ---------------------------------------------------------------- of records
@dataclass(frozen=True, slots=True)
class LooksRequest:
    """What several heads have to do with some tokens; answers `Looks`.

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


@dataclass(frozen=True, slots=True)
class StripRequest(LooksRequest):
    """The strip's: a request of its own, so that it does not replace the text's."""


@dataclass(frozen=True, slots=True)
class TextRequest(LooksRequest):
    """The text view's."""


@dataclass(frozen=True, slots=True, eq=False)
class Looks:
    """float32 (n_heads, n_keys) of queries, (n_heads, n_queries) of keys: what `request` asked for, in the order of its heads."""

    request: LooksRequest
    weights: FloatArray


@dataclass(frozen=True, slots=True)
class RolloutRequest:
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
class SurprisalRequest:
    """How unexpected each of the tokens is that `record` is of; answers `Surprisal`. See `headscope.core.predict.surprisal`."""

    record: AttentionRecord


@dataclass(frozen=True, slots=True, eq=False)
class Surprisal:
    """How unexpected each token is.

    Attributes
    ----------
    ids : tuple of int
        The tokens as the model read them: of an encoder-decoder model the target's.
    bits : float32, (len(ids),)
        −log2 of the token's probability; NaN where nothing predicts it: the first, those the tokenizer added, masks.
    pseudo : bool
        Given the tokens on both sides, by a masked model, and not only those before.
    """

    ids: tuple[int, ...]
    bits: FloatArray
    pseudo: bool


@dataclass(frozen=True, slots=True)
class AttributionRequest:
    """What a prediction owes to each of the tokens that `record` is of, by gradient × attention; answers `Attribution`.

    `target` is what is explained; the most probable outcome of the first prediction if nothing of it is given.
    """

    record: AttentionRecord
    target: Target = field(default_factory=Target)


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """What a prediction owes to each token.

    Attributes
    ----------
    predicted : Target
        What is predicted where, with nothing left open.
    ids, target_ids : tuple of int
        The tokens as the model read them; no target where there is none.
    source, target : float32, (len(ids),) and (len(target_ids),)
        Logits, 0 and more.
    """

    predicted: Target
    ids: tuple[int, ...]
    source: FloatArray
    target_ids: tuple[int, ...]
    target: FloatArray
