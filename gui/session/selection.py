"""What is pointed at, pinned and marked; and how the rows of links are paired."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Cell:
    """What the mouse points at: a query, a key, or both (positions from 0)."""

    query: int | None = None
    key: int | None = None

    def within(self, n_queries: int, n_keys: int) -> Cell:
        """The part of it that a picture of this size has."""
        query = self.query if self.query is not None and self.query < n_queries else None
        key = self.key if self.key is not None and self.key < n_keys else None
        return self if (query, key) == (self.query, self.key) else Cell(query, key)


@dataclass(frozen=True, slots=True)
class Marks:
    """Rows and columns that were picked out to be compared or summed (positions from 0, in the order they were picked)."""

    queries: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()

    def within(self, n_queries: int, n_keys: int) -> Marks:
        """Those that a picture of this size has."""
        queries, keys = tuple(at for at in self.queries if at < n_queries), tuple(at for at in self.keys if at < n_keys)
        return self if (queries, keys) == (self.queries, self.keys) else Marks(queries, keys)


Pairing = Literal["all", "AA", "AB", "BA", "BB"]
"""Which links of a sentence pair are shown: "AB" those of the first sentence's queries to the second's keys."""
