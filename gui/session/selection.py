"""What is pointed at, pinned and marked; and how the rows of links are paired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Cell:
    """What the mouse points at: a query, a key, or both (positions from 0)."""

    query: int | None = None
    key: int | None = None


@dataclass(frozen=True, slots=True)
class Marks:
    """Rows and columns that were picked out to be compared or summed (positions from 0, in the order they were picked)."""

    queries: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()


Pairing = Literal["all", "AA", "AB", "BA", "BB"]
"""Which links of a sentence pair are shown: "AB" those of the first sentence's queries to the second's keys."""
