"""What is looked for in the text, and where it was found."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from headscope.core.text.tokens import TokenAxis
from headscope.gui.session.selection import Cell


@dataclass(frozen=True, slots=True)
class Match:
    """A place where it was found: the queries and keys that it touches, the same positions where both are one text."""

    queries: range = range(0)
    keys: range = range(0)

    @property
    def cell(self) -> Cell:
        """What is pinned when one comes to it: its first token, as a query if it is one."""
        return Cell(query=self.queries[0]) if self.queries else Cell(key=self.keys[0])


@dataclass(frozen=True)
class Find:
    """A search.

    Attributes
    ----------
    query : str
        Empty: nothing is looked for.
    matches : tuple of Match
        In reading order; those of the source first where queries are another text.
    current : int, optional
        Which of them one has come to.
    """

    query: str = ""
    matches: tuple[Match, ...] = ()
    current: int | None = None

    @cached_property
    def queries(self) -> frozenset[int]:
        """All queries that matches touch."""
        return frozenset(at for match in self.matches for at in match.queries)

    @cached_property
    def keys(self) -> frozenset[int]:
        """All keys that matches touch."""
        return frozenset(at for match in self.matches for at in match.keys)

    @property
    def cell(self) -> Cell:
        """The one that one has come to; none."""
        return Cell() if self.current is None else self.matches[self.current].cell


def matches_of(query: str, queries: TokenAxis, keys: TokenAxis) -> tuple[Match, ...]:
    """Where `query` stands on both axes."""
    from headscope.core.text.find import find_in  # not before something is looked for

    if queries is keys:
        return tuple(Match(positions, positions) for positions in find_in(queries, query))
    return (
        *(Match(keys=positions) for positions in find_in(keys, query)),
        *(Match(queries=positions) for positions in find_in(queries, query)),
    )
