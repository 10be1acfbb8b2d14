"""What belongs to the whole process, and so to whoever runs it: logs, warnings, chance, threads.

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
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import torch

from headscope.core.counted import Counted

_LIBRARIES: Final = ("transformers", "huggingface_hub", "accelerate", "bitsandbytes")


def own() -> None:
    """This process is ours: libraries say only what is an error, and one core stays with the window.

    With every core taken, torch gets about ten times slower, not faster.
    """
    for library in _LIBRARIES:
        logging.getLogger(library).setLevel(logging.ERROR)
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 2) - 1))


@contextmanager
def _quiet() -> Iterator[None]:
    loggers = [logging.getLogger(library) for library in _LIBRARIES]
    before = [(logger, logger.level) for logger in loggers]
    bars: Any = getattr(sys.modules.get("transformers"), "logging", None)
    had_bars = bars is not None and bars.is_progress_bar_enabled()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.ERROR)
        if had_bars:
            bars.disable_progress_bar()
        try:
            yield
        finally:
            for logger, level in before:
                logger.setLevel(level)
            if had_bars:
                bars.enable_progress_bar()


QUIET: Final = Counted(_quiet)
"""Inside `QUIET.held()` libraries do not warn of what we have looked at ourselves, and draw no bars."""


@contextmanager
def randomness_kept() -> Iterator[None]:
    """Whatever draws random numbers inside: those that come after are the ones that would have come."""
    plain, ours, theirs = random.getstate(), torch.get_rng_state(), np.random.get_state()
    accelerators = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    try:
        yield
    finally:
        random.setstate(plain)
        torch.set_rng_state(ours)
        np.random.set_state(theirs)
        if accelerators:
            torch.cuda.set_rng_state_all(accelerators)
