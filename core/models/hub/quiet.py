"""Libraries warn of what we have looked at ourselves."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quiet() -> Iterator[None]:
    """Without their warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
