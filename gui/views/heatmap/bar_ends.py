"""BarEnds: the two ends of a colour bar while they are dragged or moved by keys."""

from __future__ import annotations

_CLOSEST = 0.01  # how near the ends may come to each other


class BarEnds:
    """Which end is held, and where the other one is.

    Attributes
    ----------
    mirrored : bool
        Both ends move together, as far from the middle as each other: colours that diverge from 0 stay centred there.
    """

    def __init__(self) -> None:
        self.mirrored = False
        self._ends: tuple[float, float] | None = None
        self._lower = False

    @property
    def is_held(self) -> bool:
        return self._ends is not None

    def take(self, ends: tuple[float, float], place: float) -> None:
        """Take hold of the end that is nearer to `place`; of two at one place the one that has room to move."""
        low, high = ends
        self._ends, self._lower = ends, abs(place - low) < abs(place - high)

    def let_go(self) -> None:
        self._ends = None

    def moved(self, place: float) -> tuple[float, float]:
        """Where the ends are when the one that is held is at `place`."""
        assert self._ends is not None
        return self._with(self._ends, place, lower=self._lower)

    def stepped(self, ends: tuple[float, float], step: float, *, lower: bool) -> tuple[float, float]:
        """Where they are when one of `ends` goes a step up (or down)."""
        return self._with(ends, ends[not lower] + step, lower=lower)

    def _with(self, ends: tuple[float, float], place: float, *, lower: bool) -> tuple[float, float]:
        place = min(1.0, max(0.0, place))
        if self.mirrored:
            reach = max(_CLOSEST / 2, 0.5 - place if lower else place - 0.5)
            return 0.5 - reach, 0.5 + reach
        low, high = ends
        return (min(place, high - _CLOSEST), high) if lower else (low, max(place, low + _CLOSEST))
