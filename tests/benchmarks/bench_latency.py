"""How long the window would leave a click unanswered while a model loads and while it writes, beside the idle window."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.benchmarks.figures import Figure, against_a_frame, spread

_GOAL = 0.025
"""Seconds, of the 99th percentile while a model writes."""
_CHILD = Path(__file__).with_name("child.py")


def figures() -> list[Figure]:
    """Of one fresh process, so that torch's import is in it; the ratio is that of the 99th percentile."""
    ran = subprocess.run([sys.executable, _CHILD, "latency"], stdout=subprocess.PIPE, text=True, check=True)
    phases: dict[str, list[float]] = json.loads(ran.stdout.splitlines()[-1])
    idle = f"; idle: {spread(phases['idle'])}"
    what = "GUI thread's lateness, p99 ÷ a 60 Hz frame"
    return [
        against_a_frame(
            what, case, seconds, share=0.99, beside="" if case == "idle" else idle, goal=_GOAL if "writes" in case else None
        )
        for case, seconds in phases.items()
    ]
