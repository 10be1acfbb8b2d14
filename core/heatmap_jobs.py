"""What the heatmap asks of a record besides weights: scores before the softmax, ranks, sums over chosen rows and columns.

Nothing here imports torch, as in `core.view_jobs`. `core.heatmap_answers` carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.jobs import FloatArray, Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


@dataclass(frozen=True, slots=True)
class ScoresRequest:
    """Scores of a part of a head's map, at most `height` × `width` pixels, exact maxima; answers `Scores`."""

    record: AttentionRecord
    kind: Kind
    head: Head
    rows: range
    keys: range
    height: int
    width: int


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """float32 (height, width), NaN where no query may see a key: what `request` asked for."""

    request: ScoresRequest
    picture: FloatArray


@dataclass(frozen=True, slots=True)
class ScoreRowRequest:
    """One query's scores; answers `ScoreRow`."""

    record: AttentionRecord
    kind: Kind
    head: Head
    query: int


@dataclass(frozen=True, slots=True, eq=False)
class ScoreRow:
    """float32 (n_keys,): what `request` asked for."""

    request: ScoreRowRequest
    scores: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class RankRequest:
    """Where each of a head's `values` stands among all of them; answers `Ranks`."""

    record: AttentionRecord
    values: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """float32 like the values: the share of cells with a smaller value, in 255 steps; NaN where there is none."""

    request: RankRequest
    shares: FloatArray


@dataclass(frozen=True, slots=True)
class SumsRequest:
    """Weights of a large head summed over chosen queries and over chosen keys; answers `Sums`."""

    record: AttentionRecord
    kind: Kind
    head: Head
    queries: tuple[int, ...]
    keys: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """What `request` asked for.

    Attributes
    ----------
    received : float32 (n_keys,), or None without `queries`
        What each key gets from the chosen queries together.
    given : float32 (n_queries,), or None without `keys`
        What each query gives to the chosen keys together.
    """

    request: SumsRequest
    received: FloatArray | None
    given: FloatArray | None


HeatmapRequest = ScoresRequest | ScoreRowRequest | RankRequest | SumsRequest
