"""What the view lane is asked to do with records that exist, and what it answers: frozen requests and arrays.

Nothing here imports torch; `core.engine` carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.attention.head_map import HeadMap, Pooling
from headscope.core.requests.request import Request
from headscope.core.vocabulary import FloatArray, Head, Kind

if TYPE_CHECKING:
    from headscope.core.analyse.records.head_types import HeadMetrics  # noqa: F401 - an answer
    from headscope.core.attention.record import AttentionRecord


@dataclass(frozen=True, slots=True)
class WeightsRequest(Request["HeadWeights"]):
    """The maps of some heads, of what the record's lens shows; answers `HeadWeights`, and streams one before with what can be had at once of large ones."""

    record: AttentionRecord
    kind: Kind
    heads: tuple[Head, ...]


@dataclass(frozen=True, slots=True)
class HeadWeights:
    """The map of each asked head."""

    record: AttentionRecord
    kind: Kind
    weights: dict[Head, HeadMap]


@dataclass(frozen=True, slots=True)
class ThumbnailsRequest(Request["Thumbnails"]):
    """Small pictures of all heads; streams `Thumbnails` after each layer and answers the last.

    `layers` is their order, first to last if not given; those that are not in it are left out (NaN): a request that was put off
    for something more urgent is asked again for the rest.
    """

    record: AttentionRecord
    kind: Kind
    layers: tuple[int, ...] | None = None
    size: int = 32
    how: Pooling = "max"


@dataclass(frozen=True, slots=True)
class Thumbnails:
    """float32 (n_layers, n_heads, height, width), each pixel of the cells it covers; NaN where not computed yet, -inf where the
    record's lens has no number.

    `height` is min(size, n_queries), `width` min(size, n_keys).
    """

    record: AttentionRecord
    kind: Kind
    pictures: FloatArray
    how: Pooling = "max"


@dataclass(frozen=True, slots=True)
class MetricsRequest(Request["HeadMetrics"]):
    """All that is measured of all heads; streams `HeadMetrics` after each layer and answers the last.

    `layers` is their order, first to last if not given; those that are not in it are left out (NaN). `size` limits the pixels along
    a side of the layers' average pictures.
    """

    record: AttentionRecord
    kind: Kind
    layers: tuple[int, ...] | None = None
    size: int = 32
