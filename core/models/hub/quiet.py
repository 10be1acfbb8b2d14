"""Quiet blocks: libraries neither warn nor draw bars inside them."""

from __future__ import annotations

import logging
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

from headscope.core.counted import Counted
from headscope.core.process import LIBRARIES


@contextmanager
def _quiet() -> Iterator[None]:
    with ExitStack() as undo:
        filters: Any = warnings.filters
        silent = ("ignore", None, Warning, None, 0)
        filters.insert(0, silent)
        undo.callback(_taken_out, silent, filters)
        for library in LIBRARIES:
            logger = logging.getLogger(library)
            undo.callback(_given_back, logger, logger.level)
            logger.setLevel(logging.ERROR)
        if "transformers" in sys.modules:
            from headscope.core.models.hub import compat  # imports transformers

            undo.enter_context(compat.no_bars())
        yield


def _taken_out(silent: object, filters: list[Any]) -> None:
    """Also from the copy that `warnings.catch_warnings` of another thread has made, or given back, meanwhile."""
    now: Any = warnings.filters
    for each in (filters, now):
        each[:] = [one for one in each if one is not silent]


def _given_back(logger: logging.Logger, level: int) -> None:
    if logger.level == logging.ERROR:  # else somebody has set it meanwhile
        logger.setLevel(level)


QUIET: Final = Counted(_quiet)
"""Inside `QUIET.held()` libraries do not warn of what we have looked at ourselves, and draw no bars."""
