"""make bench: what capture costs and how fast the screen answers, as ratios of things measured side by side in one run.

Pairs are measured alternately and compared round by round; the median of the ratios is printed with its spread. Machines
are shared and noisy: a lone time would tell more about the neighbours than about us, so times stand only beside the ratio.
Waits that the user sees are divided by a frame of a 60 Hz screen. Written to bench-results/ as JSON, a Markdown table
and a plot.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import asdict
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")  # what the offscreen platform cannot do
sys.path.insert(0, str(Path(__file__).parents[2]))

from headscope.core.files.atomic import atomic_write
from tests.benchmarks.figures import Figure
from tests.benchmarks.plot import svg

PARTS = ("start", "latency", "switch", "frames", "core", "thumbnails", "generation", "memory", "sweep", "accelerator")
"""Modules bench_<part> with a function `figures`. The processes come first: they want the machine for themselves."""


def report(figures: list[Figure], folder: Path) -> None:
    """Print the table and write it as JSON and Markdown."""
    lines = ["| what | case | ratio | goal | spread | behind it | rounds |", "|---|---|---|---|---|---|---|"]
    lines += [
        f"| {f.what} | {f.case} | **{f.ratio:.3g}** | {'' if f.goal is None else f'≤ {f.goal:.3g}'} "
        f"| {f.low:.3g} – {f.high:.3g} | {f.behind} | {f.rounds} |"
        for f in figures
    ]
    print("\n".join(lines))
    folder.mkdir(parents=True, exist_ok=True)
    packages = {name: version(name) for name in ("torch", "transformers", "PySide6-Essentials")}
    about = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()} | packages
    for name, text in (
        ("bench.json", json.dumps({"about": about, "figures": [asdict(f) for f in figures]}, indent=1, ensure_ascii=False)),
        ("bench.md", "\n".join(lines) + "\n"),
        ("bench.svg", svg(figures)),
    ):
        with atomic_write(folder / name) as path:
            path.write_text(text, encoding="utf-8")
    print(f"\nwritten: {folder / 'bench.json'}, bench.md and bench.svg")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("bench-results"), help="the folder to write to")
    parser.add_argument("--only", choices=PARTS, action="append", help="this part; may be given several times")
    options = parser.parse_args()
    figures: list[Figure] = []
    for part in options.only or PARTS:
        print(f"measuring: {part}", file=sys.stderr, flush=True)
        measure: Callable[[], list[Figure]] = import_module(f"tests.benchmarks.bench_{part}").figures
        figures += measure()
    report(figures, options.out)


if __name__ == "__main__":
    main()
