"""Tokens that are picked out of a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Picked:
    """The tokens whose links are shown before all others (positions from 0).

    Attributes
    ----------
    query, key : int, optional
        The one that is pointed at or pinned; both: the link between them, among those of the query.
    queries, keys : tuple of int
        Several that were picked out; numbers are then sums over them.
    """

    query: int | None = None
    key: int | None = None
    queries: tuple[int, ...] = ()
    keys: tuple[int, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether there is one."""
        return self.query is not None or self.key is not None or self.several

    @property
    def several(self) -> bool:
        """Whether tokens were picked out."""
        return bool(self.queries or self.keys)

    @property
    def all_queries(self) -> frozenset[int]:
        """Every query that is picked in any way."""
        return frozenset(self.queries if self.query is None else (*self.queries, self.query))

    @property
    def all_keys(self) -> frozenset[int]:
        """Every key that is picked in any way."""
        return frozenset(self.keys if self.key is None else (*self.keys, self.key))

    def within(self, n_queries: int, n_keys: int) -> Picked:
        """Those that are on axes of this length."""
        query = self.query if self.query is not None and self.query < n_queries else None
        key = self.key if self.key is not None and self.key < n_keys else None
        return Picked(query, key, tuple(q for q in self.queries if q < n_queries), tuple(k for k in self.keys if k < n_keys))

    def moved(self, queries: range, keys: range) -> Picked:
        """Those in a part of the axes, counted from where it begins."""
        query = self.query - queries.start if self.query is not None and self.query in queries else None
        key = self.key - keys.start if self.key is not None and self.key in keys else None
        some = tuple(at - queries.start for at in self.queries if at in queries)
        return Picked(query, key, some, tuple(at - keys.start for at in self.keys if at in keys))


NOTHING = Picked()
