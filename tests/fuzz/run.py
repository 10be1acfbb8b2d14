"""Worker processes that open case after case, each watched from outside: its time, its memory, and whether it lives."""

from __future__ import annotations

import json
import queue
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from tests.fuzz.corpus import KINDS, write_corpus
from tests.fuzz.mutate import mutated

SECONDS = 15.0
"""Of the processor, of a worker with its children; wall time counts only where nothing happens."""
WALL_SECONDS = 120.0
MEMORY = 2**30
"""Bytes beyond what the worker had before the case, its children included."""
_CASES_OF_A_WORKER = 400
_QUICK_SECONDS = 4.0
_POLL_SECONDS = 0.1


@dataclass(frozen=True, slots=True)
class Case:
    """One spoiled file; the same for the same seed."""

    kind: str
    number: int
    seed: int

    def content(self, corpus: Path) -> bytes:
        """What stands in it."""
        kind = KINDS[self.kind]
        chance = random.Random(f"{self.seed}/{self.kind}/{self.number}")
        return mutated((corpus / kind.base / kind.file).read_bytes(), kind.mutate, chance)


def cases(n_files: int, seed: int, kinds: Sequence[str] | None = None) -> list[Case]:
    """As many of each kind, in turn; of templates, each of which takes a second, fewer."""
    chosen = kinds or [name for name, kind in KINDS.items() for _ in range(1 if kind.mutate == "template" else 4)]
    counts: Counter[str] = Counter()
    found = []
    for number in range(n_files):
        kind = chosen[number % len(chosen)]
        found.append(Case(kind, counts[kind], seed))
        counts[kind] += 1
    return found


def run(wanted: Sequence[Case], n_workers: int, findings: Path) -> Iterator[dict[str, Any]]:
    """The verdict of each case, as they come."""
    with tempfile.TemporaryDirectory(prefix="headscope-fuzz-") as folder:
        corpus = write_corpus(Path(folder) / "corpus")
        waiting: queue.Queue[Case] = queue.Queue()
        for case in wanted:
            waiting.put(case)
        answers: queue.Queue[dict[str, Any] | None] = queue.Queue()
        watchers = [
            threading.Thread(target=_watch, args=(waiting, answers, corpus, Path(folder) / f"worker-{number}", findings))
            for number in range(n_workers)
        ]
        for watcher in watchers:
            watcher.start()
        left = n_workers
        while left:
            verdict = answers.get()
            if verdict is None:
                left -= 1
            else:
                yield verdict


def _watch(
    waiting: queue.Queue[Case], answers: queue.Queue[dict[str, Any] | None], corpus: Path, place: Path, findings: Path
) -> None:
    pair = {way: Worker(corpus, place / way, way) for way in ("direct", "guarded")}
    try:
        while True:
            try:
                case = waiting.get_nowait()
            except queue.Empty:
                return
            verdict = {}
            if KINDS[case.kind].mutate != "template":  # every other one of them does not end
                verdict = _opened(pair, "direct", case, corpus, place)
            if not verdict or verdict["verdict"] == "finding":
                verdict = _opened(pair, "guarded", case, corpus, place)
            if verdict["verdict"] == "finding":
                findings.mkdir(parents=True, exist_ok=True)
                (findings / f"{case.kind}-{case.seed}-{case.number}").write_bytes(case.content(corpus))
            answers.put(verdict)
    finally:
        for worker in pair.values():
            worker.end()
        answers.put(None)


def _opened(pair: dict[str, Worker], way: str, case: Case, corpus: Path, place: Path) -> dict[str, Any]:
    """The verdict of a worker that is still good."""
    if pair[way].n_cases >= _CASES_OF_A_WORKER or not pair[way].lives:
        pair[way].end()
        pair[way] = Worker(corpus, place / way, way)
    return pair[way].open(case, SECONDS if way == "guarded" else _QUICK_SECONDS)


class Worker:
    """A process, and what is seen of it from outside."""

    def __init__(self, corpus: Path, place: Path, way: str) -> None:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.fuzz.worker", str(corpus), str(place), way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._process.stdout is not None
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._seen = psutil.Process(self._process.pid)
        self.n_cases = 0
        self._lines.get()  # it is ready

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def open(self, case: Case, most_seconds: float) -> dict[str, Any]:
        """The verdict: what the worker says, or why it was ended."""
        return {"kind": case.kind, "number": case.number} | self._ask([case.kind, case.number, case.seed], most_seconds)

    def open_path(self, path: Path, most_seconds: float) -> dict[str, Any]:
        """The same for a model that is somewhere else."""
        return self._ask([str(path)], most_seconds)

    def _ask(self, asked: list[Any], most_seconds: float) -> dict[str, Any]:
        self.n_cases += 1
        about: dict[str, Any] = {}
        assert self._process.stdin is not None
        try:
            before, had = self._used()
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
        except (OSError, psutil.Error):
            return about | {"verdict": "finding", "why": "the process had ended before"}
        started, most, used = time.monotonic(), 0, before
        while True:
            try:
                line = self._lines.get(timeout=_POLL_SECONDS)
            except queue.Empty:
                line = None
            try:
                used, memory = self._used()
                most = max(most, memory - had)
            except psutil.Error:
                pass
            seconds = round(used - before, 2)
            about |= {"seconds": seconds, "megabytes": most >> 20}
            if line == "":
                return about | {"verdict": "finding", "why": f"the process ended with {self._process.wait()}"}
            if seconds > most_seconds or time.monotonic() - started > WALL_SECONDS or most > MEMORY:
                self.end()
                return about | {"verdict": "finding", "why": f"{seconds} s of the processor, {most >> 20} MB"}
            if line:
                return about | json.loads(line)

    def _used(self) -> tuple[float, int]:
        """Seconds of the processor and bytes, with children, also those that have ended."""
        times = self._seen.cpu_times()
        seconds, memory = times.user + times.system + times.children_user + times.children_system, self._seen.memory_info().rss
        for child in self._seen.children(recursive=True):
            try:
                inner = child.cpu_times()
                seconds, memory = seconds + inner.user + inner.system, memory + child.memory_info().rss
            except psutil.Error:
                continue
        return seconds, memory

    def end(self) -> None:
        """Its children end with it."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue
