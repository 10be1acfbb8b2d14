"""How long the window takes from the start of the process: to its first paint, and to its first picture."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from tests.benchmarks.figures import Figure, compared

ROUNDS = 5
_CHILD = Path(__file__).with_name("child.py")


def figures() -> list[Figure]:
    """Against a process that opens an empty PySide6 window, in turns."""
    _words("window"), _words("empty")  # the first start reads everything from the disk
    rounds = [(_words("window"), _words("empty")["painted"]) for _ in range(ROUNDS)]
    case = "toy:grammar, 1920 × 1080"
    return [
        compared("process start to the window's first paint ÷ an empty PySide6 window's", case, _pairs(rounds, "painted")),
        compared("process start to the first picture ÷ an empty PySide6 window's", case, _pairs(rounds, "picture")),
    ]


def _pairs(rounds: list[tuple[dict[str, float], float]], word: str) -> list[tuple[float, float]]:
    return [(ours[word], empty) for ours, empty in rounds]


def _words(mode: str) -> dict[str, float]:
    """Seconds from the start of a child to each word that it says."""
    began = time.perf_counter()
    with subprocess.Popen([sys.executable, _CHILD, mode], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        told = {line.strip(): time.perf_counter() - began for line in child.stdout}
    if child.returncode:
        raise RuntimeError(f"{_CHILD.name} {mode} ended with {child.returncode}")
    return told
