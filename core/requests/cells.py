"""What is asked about cells, rows and parts of one head's map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from headscope.core.attention.ranks import RankTable
from headscope.core.requests.request import Request
from headscope.core.vocabulary import FloatArray, Head, Kind

if TYPE_CHECKING:
    from headscope.core.analyse.records.arithmetic_numbers import Arithmetic  # noqa: F401 - an answer
    from headscope.core.attention.record import AttentionRecord


@dataclass(frozen=True, slots=True)
class PartRequest(Request["Part"]):
    """A part of a head's map as a picture of at most `height` × `width` pixels, exact maxima; answers `Part`.

    What its numbers are, the record's lens says. `by_row`: of weights divided by the largest of their row.
    """

    record: AttentionRecord
    kind: Kind
    head: Head
    rows: range
    keys: range
    height: int
    width: int
    by_row: bool = False


@dataclass(frozen=True, slots=True)
class RowRequest(Request["Row"]):
    """One query's numbers of a head; answers `Row`."""

    record: AttentionRecord
    kind: Kind
    head: Head
    query: int


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """float32 (n_keys,), NaN where the record's lens has no number: what `request` asked for."""

    request: RowRequest
    values: FloatArray


@dataclass(frozen=True, slots=True)
class ArithmeticRequest(Request["Arithmetic"]):
    """Where the weight of a cell comes from; answers `Arithmetic`. The record may be one in words, and the cell one of its."""

    record: AttentionRecord
    kind: Kind
    layer: int
    head: int
    query: int
    key: int


@dataclass(frozen=True, slots=True)
class RankRequest(Request["Ranks"]):
    """Where each cell of a head stands among all of them; answers `Ranks`."""

    record: AttentionRecord
    kind: Kind
    head: Head


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
class SumsRequest(Request["Sums"]):
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


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """What `request` asked for.

    Attributes
    ----------
    picture : float32, (height, width)
        NaN where the record's lens has no number.
    """

    request: PartRequest
    picture: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """How many queries and keys it is of."""
        return len(self.request.rows), len(self.request.keys)

    @property
    def is_whole(self) -> bool:
        """Whether each pixel is a single cell."""
        return self.picture.shape == self.shape
