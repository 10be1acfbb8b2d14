"""What belongs to the whole process, and so to whoever runs it: logs, warnings, chance, threads. Imports no torch.

The instrument changes it for the length of a block at most. The command line and the window run a process of their own: they say so
by `own`, and set it for good.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import numpy as np

from headscope.core.counted import Counted

_LIBRARIES: Final = ("transformers", "huggingface_hub", "accelerate", "bitsandbytes")
_OF_OUR_OWN: Final = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
"""What libraries read when they are imported, which would undo what was set before."""


def own() -> None:
    """This process is ours: libraries say only what is an error, and one core stays with the window.

    With every core taken, torch gets about ten times slower, not faster. To be called before anything is computed; what somebody has
    set in the environment stays.
    """
    for name, value in _OF_OUR_OWN.items():
        os.environ.setdefault(name, value)
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(logging.ERROR)
    if transformers := sys.modules.get("transformers"):  # else it reads the environment
        transformers.logging.disable_progress_bar()
    if "OMP_NUM_THREADS" not in os.environ:
        n_threads = max(1, (os.cpu_count() or 2) - 1)
        os.environ["OMP_NUM_THREADS"] = str(n_threads)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(n_threads)


@contextmanager
def _quiet() -> Iterator[None]:
    with ExitStack() as undo:
        filters: Any = warnings.filters
        silent = ("ignore", None, Warning, None, 0)
        filters.insert(0, silent)
        undo.callback(_taken_out, silent, filters)
        for library in _LIBRARIES:
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


@contextmanager
def randomness_kept() -> Iterator[None]:
    """Whatever draws random numbers inside: those that come after are the ones that would have come."""
    import torch

    plain, ours, theirs = random.getstate(), torch.get_rng_state(), np.random.get_state()
    accelerators = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        random.setstate(plain)
        torch.set_rng_state(ours)
        np.random.set_state(theirs)
        if accelerators:
            torch.cuda.set_rng_state_all(accelerators)
