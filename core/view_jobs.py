"""What the view lane is asked to do with records that exist, and what it answers: frozen requests and arrays.

Nothing here imports torch, as in `core.jobs`. `core.views` carries them out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import numpy.typing as npt

from headscope.core.arithmetic_jobs import ArithmeticRequest
from headscope.core.heatmap_jobs import HeatmapRequest
from headscope.core.jobs import FloatArray, Head, Kind, Lens
from headscope.core.metrics_jobs import MetricsRequest
from headscope.core.token_jobs import LooksRequest, RolloutRequest

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

IntArray = npt.NDArray[np.int32]
Pooling = Literal["max", "mean"]
"""What a pixel that covers several weights shows."""
FAINTEST: Final = 0.5 / 255
"""A weight under this changes no pixel: a softmax row has at most 510 others."""
Strong = tuple[IntArray, IntArray, FloatArray]
"""Queries, keys and weights, row by row."""


@dataclass(frozen=True, slots=True, eq=False)
class HeadOverview:
    """What is shown of a head whose matrix is too large to be sent whole.

    Attributes
    ----------
    shape : (n_queries, n_keys)
    picture : float32, (height, width)
        Each pixel the maximum of the cells it covers.
    row_picture : float32, (height, width)
        The same of cells divided by the largest of their row.
    received : float32, (n_keys,)
        Mean weight that each key receives.
    given : float32, (n_queries,)
        What each query's weights sum to.
    strong : Strong
        Every weight of at least `FAINTEST`; none if not `exact`.
    exact : bool
        False: of some rows alone, while the others are computed.
    """

    shape: tuple[int, int]
    picture: FloatArray
    row_picture: FloatArray
    received: FloatArray
    given: FloatArray
    strong: Strong
    exact: bool

    @property
    def nbytes(self) -> int:
        """Memory it takes."""
        return sum(array.nbytes for array in (self.picture, self.row_picture, self.received, self.given, *self.strong))

    def row(self, query: int) -> FloatArray:
        """(n_keys,), weights under `FAINTEST` as 0."""
        queries, keys, weights = self.strong
        found = slice(*np.searchsorted(queries, (query, query + 1)))
        row = np.zeros(self.shape[1], np.float32)
        row[keys[found]] = weights[found]
        return row

    def column(self, key: int) -> FloatArray:
        """(n_queries,), weights under `FAINTEST` as 0."""
        queries, keys, weights = self.strong
        found = keys == key
        column = np.zeros(self.shape[0], np.float32)
        column[queries[found]] = weights[found]
        return column


HeadMap = FloatArray | HeadOverview
"""The weights (n_queries, n_keys) of a head, or what stands for them."""


@dataclass(frozen=True, slots=True)
class WeightsRequest:
    """The weights of some heads; answers `HeadWeights`, and streams one before with what can be had at once of large ones."""

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
class PartRequest:
    """A part of a head's map as a picture of at most `height` × `width` pixels, exact maxima; answers `Part`.

    `by_row`: of weights divided by the largest of their row.
    """

    record: AttentionRecord
    kind: Kind
    head: Head
    rows: range
    keys: range
    height: int
    width: int
    lens: Lens = "weights"
    by_row: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What `request` asked for.

    Attributes
    ----------
    picture : float32, (height, width)
        NaN where no query may see a key, of scores.
    before_edits : bool
        They are scores, and the run changed weights of the head after the softmax of these.
    """

    request: PartRequest
    picture: FloatArray
    before_edits: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """How many queries and keys it is of."""
        return len(self.request.rows), len(self.request.keys)

    @property
    def is_whole(self) -> bool:
        """Whether each pixel is a single cell."""
        return self.picture.shape == self.shape


@dataclass(frozen=True, slots=True)
class RowRequest:
    """One query's weights or scores of a head; answers `Row`."""

    record: AttentionRecord
    kind: Kind
    head: Head
    query: int
    lens: Lens = "weights"


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """float32 (n_keys,), NaN where the query may not see a key, of scores: what `request` asked for."""

    request: RowRequest
    values: FloatArray


@dataclass(frozen=True, slots=True)
class StepRowsRequest:
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


@dataclass(frozen=True, slots=True)
class ThumbnailsRequest:
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
    """float32 (n_layers, n_heads, height, width), each pixel of the cells it covers; NaN where not computed yet.

    `height` is min(size, n_queries), `width` min(size, n_keys).
    """

    record: AttentionRecord
    kind: Kind
    pictures: FloatArray
    how: Pooling = "max"


ViewRequest = (
    WeightsRequest
    | PartRequest
    | RowRequest
    | StepRowsRequest
    | ThumbnailsRequest
    | MetricsRequest
    | HeatmapRequest
    | ArithmeticRequest
    | LooksRequest
    | RolloutRequest
)
