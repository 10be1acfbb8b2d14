"""How long the window takes from the start of the process, to its first paint and its first picture; and the command line on a toy."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.figures import Figure, compared

ROUNDS = 5
_CHILD = Path(__file__).with_name("child.py")
_PICTURE, _COMMAND = 3.0, 1.3
"""Goals."""
_SURROUNDINGS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed program has its bytecode: without it, children would compile ours anew at each start, and never others'."""


def figures() -> list[Figure]:
    """Against a process that opens an empty PySide6 window, in turns."""
    _words("window"), _words("empty")  # the first start reads everything from the disk
    rounds = [(_words("window"), _words("empty")["painted"]) for _ in range(ROUNDS)]
    case = "toy:grammar, 1920 × 1080"
    return [
        compared(
            "process start to the window's first paint ÷ an empty PySide6 window's", case, _pairs(rounds, "painted"), _PICTURE
        ),
        compared("process start to the first picture ÷ an empty PySide6 window's", case, _pairs(rounds, "picture"), _PICTURE),
        _command(),
    ]


def _command() -> Figure:
    """`headscope predict` on a toy, against the import of torch alone."""
    start = "import sys; from headscope.gui.app.command_line import main; sys.exit(main())"
    ours = [sys.executable, "-c", start, "predict", "--model", "toy:grammar", "--text", "the keys [MASK] rusty ."]
    bare = [sys.executable, "-c", "import torch"]
    _seconds(ours), _seconds(bare)
    pairs = [(_seconds(ours), _seconds(bare)) for _ in range(ROUNDS)]
    return compared('headscope predict ÷ python -c "import torch"', "toy:grammar", pairs, _COMMAND)


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=_SURROUNDINGS)
    return time.perf_counter() - began


def _pairs(rounds: list[tuple[dict[str, float], float]], word: str) -> list[tuple[float, float]]:
    return [(ours[word], empty) for ours, empty in rounds]


def _words(mode: str) -> dict[str, float]:
    """Seconds from the start of a child to each word that it says."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, _CHILD, mode], stdout=subprocess.PIPE, text=True, env=_SURROUNDINGS) as child:
        assert child.stdout is not None
        told = {line.strip(): time.perf_counter() - began for line in child.stdout}
    if child.returncode:
        raise RuntimeError(f"{_CHILD.name} {mode} ended with {child.returncode}")
    return told
