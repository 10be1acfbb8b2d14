"""Figures of the benchmarks: ratios of things measured side by side, with their spread and what is behind them."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

FRAME = 1 / 60
"""Seconds between two pictures of a usual screen."""


@dataclass(frozen=True)
class Figure:
    """One line of the report.

    Attributes
    ----------
    what, case : str
    ratio, low, high : float
        The median, and the smallest and the largest, unless `what` says otherwise.
    behind : str
        The times or sizes that were divided.
    rounds : int
        How many ratios there were.
    goal : float, optional
        What the ratio should not exceed.
    """

    what: str
    case: str
    ratio: float
    low: float
    high: float
    behind: str
    rounds: int
    goal: float | None = None


def side_by_side(what: str, case: str, ours: Callable[[], float], other: Callable[[], float], *, rounds: int) -> Figure:
    """The median over rounds of ours() / other(), which return seconds; they take turns, and so does who is first."""
    ours(), other()  # warms up
    pairs = []
    for turn in range(rounds):
        if turn % 2:
            mine, theirs = ours(), other()
        else:
            theirs, mine = other(), ours()
        pairs.append((mine, theirs))
    return compared(what, case, pairs)


def compared(what: str, case: str, pairs: Sequence[tuple[float, float]], goal: float | None = None) -> Figure:
    """The median ratio of pairs of seconds that were measured next to each other."""
    ratios = [mine / theirs for mine, theirs in pairs]
    mine, theirs = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
    behind = f"{mine:.3g} ms ÷ {theirs:.3g} ms"
    return Figure(what, case, statistics.median(ratios), min(ratios), max(ratios), behind, len(pairs), goal)


def against_a_frame(
    what: str, case: str, seconds: Sequence[float], *, share: float, beside: str = "", goal: float | None = None
) -> Figure:
    """Waits against a frame of the screen: the ratio is that of the quantile `share` (0.5: the median); `goal` is in seconds."""
    low, high = min(seconds) / FRAME, max(seconds) / FRAME
    behind = f"{spread(seconds)}, ÷ {FRAME * 1e3:.1f} ms{beside}"
    most = None if goal is None else goal / FRAME
    return Figure(what, case, quantile(seconds, share) / FRAME, low, high, behind, len(seconds), most)


def spread(seconds: Sequence[float]) -> str:
    """Median, 99th percentile and worst, in words."""
    median, late, worst = (quantile(seconds, share) * 1e3 for share in (0.5, 0.99, 1.0))
    return f"median {median:.1f} · p99 {late:.1f} · worst {worst:.1f} ms"


def quantile(numbers: Sequence[float], share: float) -> float:
    """The smallest number that at least `share` of `numbers` (0 to 1) do not exceed: one that was really measured."""
    ordered = sorted(numbers)
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def seconds_of(do: Callable[[], object]) -> Callable[[], float]:
    """`do` as something that returns how long it took."""

    def timed() -> float:
        began = time.perf_counter()
        do()
        return time.perf_counter() - began

    return timed
