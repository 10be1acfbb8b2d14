"""Which links of a map are chosen: weak ones left out, or all but the fewest that carry most of each row; of a pair, one direction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from headscope.core.attention.head_map import FAINTEST, HeadMap, HeadOverview, Strong
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import FloatArray

_PER_STEP = 1 << 16  # cells looked at between two looks at the clock
_REACHED = 1e-6  # weights are float32: a share that is missed by less is reached

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Choice:
    """What is drawn.

    Attributes
    ----------
    at_least : float
        Links nearer to 0 are left out; not looked at if `mass` is given.
    mass : float, optional
        Of each query, only the fewest links that carry at least this share of its weights, as in exBERT (Hoover et al. 2020).
        Numbers that are no shares of a whole have none.
    segments : (int, int), optional
        Only links from tokens of the first segment to those of the second; a row is then what this leaves of it.
    """

    at_least: float = 0.0
    mass: float | None = None
    segments: tuple[int, int] | None = None

    @property
    def is_all(self) -> bool:
        """Whether nothing is left out."""
        return self.mass is None and self.at_least <= 0 and self.segments is None


class HeadChoice:
    """What a `Choice` leaves of one head.

    `prepare` must have run to its end before anything else is asked.

    Attributes
    ----------
    sums : float64, (n_queries,)
        The whole weight of each query, those that are left out among it; 0 of numbers that are no shares of a whole.
    exact : bool
        Whether `sums` are; else they are what is known at least.
    """

    def __init__(
        self,
        weights: HeadMap,
        choice: Choice,
        queries: TokenAxis,
        keys: TokenAxis,
        lens: Lens = WEIGHTS,
        largest: float = 1.0,
    ) -> None:
        self.weights = weights
        self.choice = choice
        self.lens = lens
        faintest = FAINTEST * largest
        first, second = (None, None) if choice.segments is None else choice.segments
        self.queries, self.keys = _within(queries, first), _within(keys, second)
        self.floor = max(choice.at_least, faintest) if choice.mass is None else faintest
        n_queries = weights.shape[0]
        self.sums = np.zeros(n_queries)
        self.exact = True
        self._last_weight = np.full(n_queries, np.inf, np.float32)  # the weakest chosen link of each row,
        self._last_key = np.zeros(n_queries, np.int32)  # of equally strong ones the last
        if isinstance(weights, HeadOverview):
            self.exact = weights.exact
        self._work: Iterator[None] | None = self._prepare()

    @property
    def is_ready(self) -> bool:
        """Whether it is prepared."""
        return self._work is None

    def prepare(self) -> Iterator[None]:
        """Look at all rows, or at what is left of them; pauses after every few."""
        for _ in self._work or ():  # not `yield from`: who stops half-way must not end the work for the next
            yield
        self._work = None

    def _prepare(self) -> Iterator[None]:
        n_queries, n_keys = self.weights.shape
        step = max(1, _PER_STEP // max(1, n_keys))
        if isinstance(self.weights, HeadOverview) and self.choice.mass is None:
            step = max(1, n_queries)  # the sums are known
        for start in range(0, n_queries, step):
            rows = range(start, min(start + step, n_queries))
            of_rows = self._sums(rows)
            self.sums[rows.start : rows.stop] = of_rows
            if self.choice.mass is not None:
                self._cut(rows, of_rows, self.choice.mass)
            yield

    def _sums(self, rows: range) -> npt.NDArray[np.float64]:
        if not self.lens.is_share:
            return np.zeros(len(rows))
        if not isinstance(self.weights, HeadOverview):
            return np.asarray(self.weights[rows.start : rows.stop].sum(axis=1, dtype=np.float64))
        if not self.weights.exact:
            return np.zeros(len(rows))  # of which no link is known
        return self.weights.given[rows.start : rows.stop].astype(np.float64)

    def _cut(self, rows: range, sums: npt.NDArray[np.float64], share: float) -> None:
        """Find the weakest link of each row that is still needed."""
        strong = _strong(self.weights, rows)
        inside = self._in_segments(strong[0], strong[1])
        query, key, weight = strong[0][inside], strong[1][inside], strong[2][inside]
        if self.choice.segments is not None:
            sums = self._sums_of_keys(rows, query, weight)
        order = np.argsort(2.0 * query - weight, kind="stable")  # row by row, the strongest first, of equal ones the first key
        query, key, weight = query[order], key[order], weight[order]
        before = np.cumsum(weight, dtype=np.float64) - weight
        at = query - rows.start
        starts = np.searchsorted(at, np.arange(len(rows)))
        if len(query):
            before -= before[np.minimum(starts, len(query) - 1)][at]
        needed = before < (share * sums - _REACHED)[at]
        last = starts + np.bincount(at[needed], minlength=len(rows)) - 1
        some = last >= starts
        self._last_weight[rows.start : rows.stop][some] = weight[last[some]]
        self._last_key[rows.start : rows.stop][some] = key[last[some]]

    def _sums_of_keys(self, rows: range, query: npt.NDArray[np.int32], weight: FloatArray) -> npt.NDArray[np.float64]:
        """What the segments leave of each row."""
        if isinstance(self.weights, HeadOverview) or self.keys is None:
            return _row_sums(rows, query, weight)
        return np.asarray(self.weights[rows.start : rows.stop, self.keys].sum(axis=1, dtype=np.float64))

    def _in_segments(self, query: npt.NDArray[np.integer], key: npt.NDArray[np.integer]) -> Mask:
        inside = np.ones(len(query), bool)
        if self.queries is not None and self.keys is not None:
            inside = self.queries[query] & self.keys[key]
        return inside

    def strength(self, weight: FloatArray) -> FloatArray:
        """How far numbers are from 0."""
        return np.abs(weight) if self.lens.is_signed else weight

    def chosen(self, query: npt.NDArray[np.integer], key: npt.NDArray[np.integer], weight: FloatArray) -> Mask:
        """Which of these links are chosen."""
        inside = self._in_segments(query, key) & (self.strength(weight) >= self.floor)
        if self.choice.mass is not None:
            last = self._last_weight[query]
            inside &= (weight > last) | ((weight == last) & (key <= self._last_key[query]))
        return inside


def unknown_of(choices: Sequence[HeadChoice]) -> float:
    """From where on all links are known, where overviews do not know all that could be seen; else 0."""
    known = [each.weights.faintest for each in choices if isinstance(each.weights, HeadOverview) and not each.lens.is_share]
    most = max(known, default=0.0)
    return most if any(most > each.floor for each in choices) else 0.0


def _within(axis: TokenAxis, segment: int | None) -> Mask | None:
    """Which tokens are of a segment; None: all."""
    return None if segment is None else np.array([token.segment == segment for token in axis.tokens], bool)


def _strong(weights: HeadMap, rows: range) -> Strong:
    """All links of some rows that could be seen."""
    if isinstance(weights, HeadOverview):
        queries, keys, strong = weights.strong
        inside = slice(*np.searchsorted(queries, (rows.start, rows.stop)))
        return queries[inside], keys[inside], strong[inside]
    part = weights[rows.start : rows.stop]
    query, key = np.nonzero(part >= FAINTEST)
    return (query + rows.start).astype(np.int32), key.astype(np.int32), part[query, key]


def _row_sums(rows: range, query: npt.NDArray[np.int32], weight: FloatArray) -> npt.NDArray[np.float64]:
    return np.bincount(query - rows.start, weights=weight, minlength=len(rows)).astype(np.float64)
