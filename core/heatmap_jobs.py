"""What the heatmap asks of a record besides cells: ranks, and sums over chosen rows and columns.

Nothing here imports torch, as in `core.view_jobs`. `core.heatmap_answers` carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.jobs import FloatArray, Head, Kind, Lens
from headscope.core.ranks import RankTable

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


@dataclass(frozen=True, slots=True)
class RankRequest:
    """Where each cell of a head stands among all of them; answers `Ranks`."""

    record: AttentionRecord
    kind: Kind
    head: Head
    lens: Lens = "weights"


@dataclass(frozen=True, slots=True, eq=False)
class Ranks:
    """What `request` asked for.

    Attributes
    ----------
    found : float32, (n_queries, n_keys), or RankTable
        `shares_below` of the head; of a large one the table that tells them.
    """

    request: RankRequest
    found: FloatArray | RankTable


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


HeatmapRequest = RankRequest | SumsRequest
