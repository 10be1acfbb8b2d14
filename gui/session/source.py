"""Source: which run a picture is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Which: TypeAlias = Literal["a", "b"]


@dataclass(frozen=True, slots=True)
class Source:
    """A run, or the difference of two.

    Attributes
    ----------
    run : "a" or "b"
        A is the reference: the run before, or one that the user keeps. B is the run that is looked at: the newest.
    minus : "a", "b" or None
        The run whose weights are taken off those of `run`.
    """

    run: Which = "b"
    minus: Which | None = None

    @property
    def id(self) -> str:
        """Of its command."""
        return self.run if self.minus is None else "difference"

    @property
    def name(self) -> str:
        """As the screen says it: "A", "B", "B − A"."""
        return self.run.upper() if self.minus is None else f"{self.run.upper()} − {self.minus.upper()}"


A, B, DIFFERENCE = Source("a"), Source(), Source("b", "a")
SOURCES = (A, B, DIFFERENCE)
