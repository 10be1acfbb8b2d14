"""What a pass takes beyond the loaded model: with capture, bare, and with eager attention's matrices.

Each is a process of its own that loads the model, runs a few tokens (so that all weights are in memory), and then the text, while
a thread looks at the process's resident memory every millisecond; the peak minus what was there before counts. Where eager
attention would not fit, its matrices alone (layers × heads × tokens² × 4 bytes) stand for it.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil

from headscope.core.errors import readable_bytes
from tests.benchmarks.figures import Figure

CHILD = Path(__file__).with_name("child.py")
CASES = (
    ("ALBERT (rxnmapper)", "albert", 512, 96),
    ("SmolLM2-135M", "smollm2", 512, 270),
    ("SmolLM2-135M", "smollm2", 2048, 270),
)
LONG = ("SmolLM2-135M", "smollm2", 8192, 270)
LONG_NEEDS = 8 << 30


def figures() -> list[Figure]:
    """Of two models at 512 and 2,048 tokens, and at 8,192 where 8 GB are free."""
    found = []
    for name, model, n_tokens, _ in CASES:
        ours, bare, eager = (_peak(model, n_tokens, way) for way in ("capture", "bare", "eager"))
        case = f"{name}, {n_tokens} tokens"
        found += [
            _figure("memory of a pass with capture ÷ with eager attention", case, ours, eager),
            _figure("memory of a pass with capture ÷ bare", case, ours, bare),
        ]
    if psutil.virtual_memory().available > LONG_NEEDS:
        name, model, n_tokens, n_heads = LONG
        ours = _peak(model, n_tokens, "capture")
        matrices = n_heads * n_tokens**2 * 4
        found.append(
            _figure("memory of a pass with capture ÷ eager's matrices alone", f"{name}, {n_tokens} tokens", ours, matrices)
        )
    return found


def _peak(model: str, n_tokens: int, way: str) -> int:
    command = [sys.executable, str(CHILD), "peak", model, str(n_tokens), way]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-1])


def _figure(what: str, case: str, ours: int, other: int) -> Figure:
    ratio = ours / other
    return Figure(what, case, ratio, ratio, ratio, f"{readable_bytes(ours)} ÷ {readable_bytes(other)}", 1)
