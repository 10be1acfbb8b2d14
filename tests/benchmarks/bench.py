"""make bench: what capture costs and how fast the screen answers, as ratios of things measured side by side in one run.

Every pair is measured alternately and compared round by round; the median of the ratios is printed with its spread. Machines
are shared and noisy: a lone time would tell more about the neighbours than about us, so times stand only beside the ratio.
Written to bench-results/ as JSON and Markdown.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
sys.path.insert(0, str(Path(__file__).parent))


@dataclass(frozen=True)
class Figure:
    """One line of the report: `ratio` of `what`, its spread over the rounds, and the two times or sizes behind it."""

    what: str
    case: str
    ratio: float
    low: float
    high: float
    behind: str
    rounds: int


def side_by_side(what: str, case: str, ours: Callable[[], object], other: Callable[[], object], *, rounds: int) -> Figure:
    """The median over rounds of time(ours) / time(other), measured alternately; one round warms up."""
    ours(), other()
    pairs = []
    for turn in range(rounds):
        first, second = (ours, other) if turn % 2 else (other, ours)
        t0 = time.perf_counter()
        first()
        t1 = time.perf_counter()
        second()
        t2 = time.perf_counter()
        pairs.append((t1 - t0, t2 - t1) if turn % 2 else (t2 - t1, t1 - t0))
    ratios = sorted(mine / theirs for mine, theirs in pairs)
    mine, theirs = (statistics.median(column) * 1e3 for column in zip(*pairs, strict=True))
    return Figure(what, case, statistics.median(ratios), ratios[0], ratios[-1], f"{mine:.2f} ms ÷ {theirs:.2f} ms", rounds)


def report(figures: list[Figure], folder: Path) -> None:
    """Print the table and write it as JSON and Markdown."""
    from headscope.core.files import atomic_write

    lines = ["| what | case | ratio | spread | behind it | rounds |", "|---|---|---|---|---|---|"]
    lines += [
        f"| {f.what} | {f.case} | **{f.ratio:.3g}** | {f.low:.3g} – {f.high:.3g} | {f.behind} | {f.rounds} |" for f in figures
    ]
    print("\n".join(lines))
    folder.mkdir(parents=True, exist_ok=True)
    about = {"python": platform.python_version(), "system": platform.platform(), "cores": os.cpu_count()}
    for name, text in (
        ("bench.json", json.dumps({"about": about, "figures": [asdict(f) for f in figures]}, indent=1, ensure_ascii=False)),
        ("bench.md", "\n".join(lines) + "\n"),
    ):
        with atomic_write(folder / name) as path:
            path.write_text(text, encoding="utf-8")
    print(f"\nwritten: {folder / 'bench.json'}, {folder / 'bench.md'}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--only", choices=["core", "screen"], help="only this half")
    options = parser.parse_args()
    figures: list[Figure] = []
    if options.only != "screen":
        from bench_core import core_figures

        figures += core_figures()
    if options.only != "core":
        from bench_screen import screen_figures

        figures += screen_figures()
    report(figures, options.out)


if __name__ == "__main__":
    main()
