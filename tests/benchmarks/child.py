"""A process of its own for the benchmarks: empty | window | latency | peak MODEL N_TOKENS WAY. What happens is told on stdout, a line each."""

from __future__ import annotations

import json
import sys
from pathlib import Path


def empty() -> None:
    """The least that a PySide6 window can be."""
    from PySide6.QtCore import QTimer
    from PySide6.QtGui import QPaintEvent
    from PySide6.QtWidgets import QApplication, QWidget

    class Empty(QWidget):
        def paintEvent(self, event: QPaintEvent) -> None:
            super().paintEvent(event)
            QTimer.singleShot(0, self, done)  # as MainWindow.first_painted

    def done() -> None:
        _tell("painted")
        application.quit()

    application = QApplication([])
    window = Empty()
    window.resize(1920, 1080)
    window.show()
    application.exec()


def window() -> None:
    """Headscope until its first picture."""
    from tests.benchmarks.watches import PaintWatch
    from tests.real_window import opened, wait_until

    with opened("toy:grammar") as shown:
        shown.first_painted.connect(lambda: _tell("painted"))
        seen: list[bool] = []
        PaintWatch(
            shown.panel("heatmap").view, lambda: seen.append(True) if shown.panel("heatmap").view.picture is not None else None
        )
        wait_until(lambda: bool(seen))
        _tell("picture")


def latency() -> None:
    """How late the GUI thread is while models load and write; JSON with the seconds of each phase."""
    from headscope.core.options import Sampling
    from tests.benchmarks.watches import Lateness
    from tests.installed_models import STORY, smollm2
    from tests.real_window import has_run, live, opened, wait_until

    phases: dict[str, list[float]] = {}

    def write(name: str, times: int) -> None:
        """Generate; the thumbnails and heads of the last step are made before it counts as done."""
        lateness.take()
        prompt = shown.state.text
        for seed in range(times):
            shown.state.update(text=prompt)  # a finished story would not go on
            shown.explorer.generate(40, Sampling(temperature=1.0, seed=seed))
            wait_until(lambda: shown.state.busy is None)
        phases[name] = lateness.take()
        live(1.0)

    with opened("toy:tales") as shown:
        painted: list[bool] = []
        shown.first_painted.connect(lambda: painted.append(True))
        wait_until(lambda: bool(painted))
        lateness = Lateness(shown)
        wait_until(lambda: has_run(shown))
        phases["toy:tales loads, torch is imported"] = lateness.take()
        live(2.0)
        lateness.take()
        live(4.0)
        phases["idle"] = lateness.take()
        write("toy:tales writes", 12)
        before = shown.state.model
        shown.explorer.load(str(smollm2()))
        wait_until(lambda: shown.state.model is not before and has_run(shown))
        phases["SmolLM2-135M loads, transformers is imported"] = lateness.take()
        live(1.0)
        shown.state.update(text=STORY * 4)
        write("SmolLM2-135M writes", 1)
    print(json.dumps(phases), flush=True)


def peak(name: str, n_tokens: str, way: str) -> None:
    """Bytes that a pass over a text takes at its height, beyond what was there before it; `way`: capture, bare or eager."""
    import threading

    import psutil
    import torch

    from headscope.core import load_model
    from tests.benchmarks.bench_core import text_of
    from tests.installed_models import albert, smollm2

    process, highest, stop = psutil.Process(), [0], threading.Event()

    def watch() -> None:
        while not stop.wait(0.001):
            highest[0] = max(highest[0], process.memory_info().rss)

    model = load_model(str({"albert": albert, "smollm2": smollm2}[name]()), device="cpu", dtype="float32")
    source, _ = model.encode(text_of(model, name, int(n_tokens)))
    model.capture(text_of(model, name, 8))
    if way == "bare":
        model.module.set_attn_implementation("sdpa")
    before = process.memory_info().rss
    watcher = threading.Thread(target=watch)
    watcher.start()
    if way == "capture":
        kept = model.observe(source, logits_to_keep=1)
    elif way == "eager":
        kept = model.eager_pass(model.inputs(source))
    else:
        with torch.inference_mode():
            kept = model.forward(model.inputs(source), logits_to_keep=1)
    stop.set()
    watcher.join()
    assert kept is not None
    _tell(str(max(highest[0], process.memory_info().rss) - before))


def _tell(word: str) -> None:
    print(word, flush=True)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    {"empty": empty, "window": window, "latency": latency, "peak": peak}[sys.argv[1]](*sys.argv[2:])
