"""A part of a library that its makers may move, and what happens without it. Imports no torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from typing import Any

from headscope.core.errors import HeadscopeError
from headscope.core.sentences import sentence


@dataclass(frozen=True, slots=True)
class Feature:
    """A part of a library that its makers may move.

    Parameters
    ----------
    path : str
        ``"module:name"``; a dotted name is an attribute of an attribute.
    without : str
        The code of the sentence that says what happens without it.
    works : callable
        Whether what is found there still is what is needed.
    """

    path: str
    without: str
    works: Callable[[Any], bool] = lambda _: True

    @property
    def library(self) -> str:
        return self.path.partition(".")[0].partition(":")[0]

    @property
    def is_here(self) -> bool:
        return self._found() is not None

    def get(self) -> Any:
        """The part itself.

        Raises
        ------
        HeadscopeError
            ``library_unfit`` if this release of the library does not have it.
        """
        found = self._found()
        if found is None:
            raise HeadscopeError(
                "library_unfit", library=f"{self.library} {version(self.library)}", reason=sentence(self.without)
            )
        return found

    def set(self, value: Any) -> None:
        """Put another value in its place."""
        self.get()
        module, _, names = self.path.partition(":")
        *holders, name = names.split(".")
        holder: Any = import_module(module)
        for each in holders:
            holder = getattr(holder, each)
        setattr(holder, name, value)

    def _found(self) -> Any:
        module, _, names = self.path.partition(":")
        try:
            found: Any = import_module(module)
            for name in names.split("."):
                found = getattr(found, name)
        except (ImportError, AttributeError):
            return None
        return found if self.works(found) else None
