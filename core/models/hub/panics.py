"""Panics of libraries in Rust: pyo3's PanicException is no Exception, and would end a thread or a program."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from headscope.core.errors import HeadscopeError, reason_of


@contextmanager
def panics_as(refusal: Callable[[str], HeadscopeError]) -> Iterator[None]:
    """Inside the block a panic is raised as what `refusal` makes of its reason; all else goes through."""
    try:
        yield
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise refusal(reason_of(error)) from None
