"""make bertviz: the same attention of a 12 × 12 model in BertViz, its page in headless Chromium, and in Headscope, side by side.

Each picture is made in a process of its own. A time runs from arrays in memory to the finished picture; imports, Qt's and
Chromium's own start are over before it begins. BertViz's memory is that of Chromium's renderer alone, Headscope's that of its whole
process with Python, torch and the arrays, each at its peak. Needs pip, npm and Chromium with its driver, see the Makefile.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
os.environ.setdefault("QT_LOGGING_RULES", "default.warning=false")

import numpy as np

LENGTHS = (64, 128, 256, 512)
VIEWS = ("head view", "model view")
N_LAYERS = N_HEADS = 12
PATIENCE = 120.0
"""Seconds after which a picture counts as none."""
_LINES = {"head view": N_HEADS, "model view": N_LAYERS * N_HEADS}
"""Heads whose weights BertViz draws, each an SVG line."""


def attention(n_tokens: int) -> np.ndarray:
    """(layer, head, query, key), float32: sharp and reproducible."""
    scores = np.random.default_rng(n_tokens).normal(scale=3, size=(N_LAYERS, N_HEADS, n_tokens, n_tokens)).astype(np.float32)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True)


def words(n_tokens: int) -> list[str]:
    return [f"word{number}" for number in range(n_tokens)]


# ---------------------------------------------------------------- one picture, in a process of its own
def bertviz(view: str, n_tokens: int, scripts: Path) -> dict[str, float]:
    """Python's part of BertViz, then its page."""
    import torch
    from bertviz import head_view, model_view
    from selenium import webdriver

    layers = [torch.from_numpy(layer)[None] for layer in attention(n_tokens)]
    options = webdriver.ChromeOptions()
    for flag in ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--window-size=1920,1080"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options, webdriver.ChromeService(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver")))
    driver.set_page_load_timeout(PATIENCE)
    driver.set_script_timeout(PATIENCE)
    try:
        driver.get("about:blank")
        began = time.perf_counter()
        make = head_view if view == "head view" else model_view
        page = make(layers, words(n_tokens), html_action="return").data
        for online in ("require.js/2.3.6/require.min", "d3/5.7.0/d3.min", "jquery/2.0.0/jquery.min"):
            page = page.replace(f"https://cdnjs.cloudflare.com/ajax/libs/{online}", online.rsplit("/", 1)[-1])
        (scripts / "page.html").write_text(page, encoding="utf-8")
        made = time.perf_counter() - began
        driver.get((scripts / "page.html").resolve().as_uri())
        driver.execute_async_script(_WHEN_DRAWN, _LINES[view] * n_tokens**2)
        return {"seconds": time.perf_counter() - began, "python": made, "bytes": _renderer_bytes(driver.service.process.pid)}
    finally:
        driver.quit()


_WHEN_DRAWN = """
const [wanted, done] = arguments;
function look() {
  if (document.getElementsByTagName("line").length >= wanted)
    requestAnimationFrame(() => requestAnimationFrame(done));
  else setTimeout(look, 20);
}
look();
"""


def _renderer_bytes(driver: int) -> float:
    """The peak of Chromium's largest renderer among the descendants of the driver."""
    parents, peaks = {}, {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                status = dict(line.split(":", 1) for line in (folder / "status").read_text().splitlines() if ":" in line)
                command = (folder / "cmdline").read_bytes()
            except (OSError, ValueError):
                continue  # it ended meanwhile
            parents[int(folder.name)] = int(status["PPid"])
            if b"--type=renderer" in command:
                peaks[int(folder.name)] = 1024.0 * int(status["VmHWM"].split()[0])

    def is_ours(process: int) -> bool:
        return process == driver or (process in parents and is_ours(parents[process]))

    return max(peak for process, peak in peaks.items() if is_ours(process))


def headscope(view: str, n_tokens: int, _scripts: Path) -> dict[str, float]:
    """The window until the links of all heads of a layer, or the pictures of all heads, are on the screen."""
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from headscope.core.attention.from_arrays import record_of
    from headscope.gui.app.application import create_record_window, prepare
    from tests.real_window import wait_until

    application = QApplication([])
    prepare(application)
    weights, tokens = attention(n_tokens), words(n_tokens)
    with TemporaryDirectory() as folder:
        began = time.perf_counter()
        window = create_record_window(record_of(weights, tokens), QSettings(f"{folder}/s.ini", QSettings.Format.IniFormat))
        window.resize(1920, 1080)
        window.show()
        state = window.state
        wait_until(lambda: state.shown is not None)
        if view == "head view":
            for head in range(1, N_HEADS):
                window.explorer.select_head((0, head), extend=True)
            wait_until(lambda: len(state.weights) == N_HEADS and window.panel("links").view.is_complete)
        else:
            wait_until(lambda: state.thumbnails is not None and not np.isnan(state.thumbnails).any())
        application.processEvents()
        window.repaint()
        seconds = time.perf_counter() - began
        window.close()
    import resource

    return {"seconds": seconds, "bytes": 1024.0 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss}


# ---------------------------------------------------------------- all of them
WAYS: dict[str, Callable[[str, int, Path], dict[str, float]]] = {"bertviz": bertviz, "headscope": headscope}


def measured(way: str, view: str, n_tokens: int, scripts: Path) -> dict[str, float] | None:
    """What a process of its own says; None if it gave no picture in time."""
    command = [sys.executable, __file__, "--one", way, view, str(n_tokens), "--scripts", str(scripts)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
    try:
        told, complaint = process.communicate(timeout=2 * PATIENCE)
    except subprocess.TimeoutExpired:
        return None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # a browser that gives no answer does not end with its driver
    if process.returncode:
        print(complaint.strip().splitlines()[-1:], file=sys.stderr)
        return None
    found: dict[str, float] = json.loads(told.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scripts", type=Path, required=True, help="a folder with require.min.js, d3.min.js and jquery.min.js")
    parser.add_argument("--out", type=Path, default=Path("bench-results"))
    parser.add_argument("--one", nargs=3, metavar=("WAY", "VIEW", "TOKENS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        way, view, n_tokens = options.one
        print(json.dumps(WAYS[way](view, int(n_tokens), options.scripts)))
        return
    lines = [
        "| view | tokens | BertViz | its memory | Headscope | its memory | BertViz ÷ Headscope |",
        "|---|---|---|---|---|---|---|",
    ]
    rows = []
    for view in VIEWS:
        gave_up = False
        for n_tokens in LENGTHS:
            theirs = None if gave_up else measured("bertviz", view, n_tokens, options.scripts)
            gave_up = theirs is None  # a longer text would take longer still
            ours = measured("headscope", view, n_tokens, options.scripts)
            rows.append({"view": view, "tokens": n_tokens, "bertviz": theirs, "headscope": ours})
            lines.append(_line(view, n_tokens, theirs, ours))
            print(lines[-1], flush=True)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "beside_bertviz.json").write_text(json.dumps(rows, indent=1), encoding="utf-8")
    (options.out / "beside_bertviz.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _line(view: str, n_tokens: int, theirs: dict[str, float] | None, ours: dict[str, float] | None) -> str:
    assert ours is not None, "Headscope gave no picture"
    other, memory, ratio = f"nothing in {PATIENCE:.0f} s", "", ""
    if theirs is not None:
        other, memory = f"{theirs['seconds']:.1f} s", f"{theirs['bytes'] / 1e9:.2f} GB"
        ratio = f"{theirs['seconds'] / ours['seconds']:.0f} ×"
    return f"| {view} | {n_tokens} | {other} | {memory} | {ours['seconds']:.2f} s | {ours['bytes'] / 1e9:.2f} GB | {ratio} |"


if __name__ == "__main__":
    main()
