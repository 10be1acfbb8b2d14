"""What belongs to a whole process is the user's: nothing of it is changed but by the command line and the window, who own theirs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import pytest
import transformers
from huggingface_hub import constants

from headscope.core.models.hub import download
from headscope.core.models.hub.quiet import QUIET

ROOT = Path(__file__).parents[2]


def in_a_process(*arguments: str) -> str:
    """What it prints."""
    unset = {"OMP_NUM_THREADS", "TRANSFORMERS_VERBOSITY", "HF_HUB_VERBOSITY", "HF_HUB_DISABLE_PROGRESS_BARS"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    done = subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_whatever_is_done_the_process_is_as_it_was(tmp_path: Path) -> None:
    changed = json.loads(in_a_process("-m", "tests.as_it_was", str(tmp_path)).splitlines()[-1])
    assert {"import", "load", "wrap", "train", "cancelled", "at once"} <= changed.keys()
    assert {step: what for step, what in changed.items() if what} == {}


OWN = """
import json, logging, os, sys
from headscope.gui.app.command_line import main
{before}
sys.argv[1:] = ["predict", "--model", sys.argv[1], "--text", "the [MASK] sat"]
main({arguments})
import torch, transformers
levels = [logging.getLogger(name).getEffectiveLevel() for name in ("transformers", "huggingface_hub", "accelerate", "bitsandbytes")]
print(json.dumps([torch.get_num_threads(), transformers.logging.is_progress_bar_enabled(), levels]))
"""


@pytest.mark.parametrize("before", ["", "import torch, transformers; transformers.AutoModel; torch.set_num_threads(7)"])
def test_the_command_line_owns_its_process_and_leaves_a_core_to_the_window(bert: Path, before: str) -> None:
    said = in_a_process("-c", OWN.format(before=before, arguments=""), str(bert))
    assert json.loads(said.splitlines()[-1]) == [max(1, (os.cpu_count() or 2) - 1), False, [logging.ERROR] * 4]


def test_the_command_line_within_somebodys_program_owns_nothing(bert: Path) -> None:
    before = "import torch, transformers; transformers.AutoModel; torch.set_num_threads(7)"
    said = in_a_process("-c", OWN.format(before=before, arguments="sys.argv[1:]"), str(bert))
    n_threads, draws_bars, (transformers_level, *_) = json.loads(said.splitlines()[-1])
    assert (n_threads, draws_bars, transformers_level) == (7, True, logging.WARNING)


def test_what_others_change_while_libraries_are_quiet_stays_theirs() -> None:
    logger, hub = logging.getLogger("transformers"), logging.getLogger("huggingface_hub")
    levels, filters = (logger.level, hub.level), list(warnings.filters)
    entered, leave = threading.Event(), threading.Event()

    def user() -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            entered.set()
            leave.wait(10)

    other = threading.Thread(target=user)
    try:
        with QUIET.held():
            other.start()
            assert entered.wait(10)
            assert hub.level == logging.ERROR
            logger.setLevel(logging.DEBUG)
        leave.set()
        other.join()
        assert (logger.level, hub.level) == (logging.DEBUG, levels[1])
        assert list(warnings.filters) == filters
    finally:
        leave.set()
        logger.setLevel(levels[0])


@pytest.mark.parametrize("draws", [True, False])
def test_bars_are_drawn_after_a_block_as_before_it(draws: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transformers.utils.logging, "_tqdm_active", draws)
    with QUIET.held(), QUIET.held():
        assert not transformers.logging.is_progress_bar_enabled()
    assert transformers.logging.is_progress_bar_enabled() == draws


def test_downloads_change_how_the_hub_is_read_for_their_own_time() -> None:
    before = constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE
    with download.IN_BLOCKS.held():
        assert (constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE) == (True, download.BLOCK_BYTES)
    assert before == (constants.HF_HUB_DISABLE_XET, constants.DOWNLOAD_CHUNK_SIZE)
