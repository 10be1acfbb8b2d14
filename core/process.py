"""What belongs to the whole process, and so to whoever runs it: logs, warnings, chance, threads. Imports no torch.

The instrument changes it for the length of a block at most. The command line and the window run a process of their own: they say so
by `own`, and set it for good.
"""

from __future__ import annotations

import logging
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np

LIBRARIES: Final = ("transformers", "huggingface_hub", "accelerate", "bitsandbytes")
_OF_OUR_OWN: Final = {"TRANSFORMERS_VERBOSITY": "error", "HF_HUB_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1"}
"""What libraries read when they are imported, which would undo what was set before."""


def own() -> None:
    """This process is ours: libraries say only what is an error, and one core stays with the window.

    With every core taken, torch gets about ten times slower, not faster. To be called before anything is computed; what somebody has
    set in the environment stays.
    """
    for name, value in _OF_OUR_OWN.items():
        os.environ.setdefault(name, value)
    for library in LIBRARIES:
        logging.getLogger(library).setLevel(logging.ERROR)
    if transformers := sys.modules.get("transformers"):  # else it reads the environment
        transformers.logging.disable_progress_bar()
    if "OMP_NUM_THREADS" not in os.environ:
        n_threads = max(1, (os.cpu_count() or 2) - 1)
        os.environ["OMP_NUM_THREADS"] = str(n_threads)
        if torch := sys.modules.get("torch"):
            torch.set_num_threads(n_threads)


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
