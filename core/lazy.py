"""Names that a package hands on from its modules, imported when they are first asked for: torch takes a second."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def names_from(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """A module's ``__getattr__``.

    Parameters
    ----------
    package : str
        The package that hands the names on.
    homes : mapping of str to str
        Each name, and the module that has it.

    Raises
    ------
    AttributeError
        By what is returned, for any other name.
    """

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(homes[name]), name)

    return get
