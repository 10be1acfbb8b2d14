"""How soon a chosen head is on the screen: from `select_head` until heatmap and links of that head are painted."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence

from headscope.core.vocabulary import Head
from headscope.gui.window.main_window import MainWindow
from tests.benchmarks.figures import Figure, against_a_frame, compared
from tests.benchmarks.watches import PaintWatch
from tests.installed_models import REACTION, STORY, albert, smollm2
from tests.real_window import has_settled, live, opened, wait_until

SWITCHES = 60
_GOAL, _GOAL_OF_LONG, _LONG = 0.020, 0.033, 513
"""Seconds, of the 99th percentile; for texts of that many tokens or more."""
TALE = "once upon a time a brave mouse named Mia lived in a castle . "


def figures() -> list[Figure]:
    """The real window at 1920 × 1080, with few tokens and with many."""
    return [
        *_switches("toy:grammar", "toy:grammar", None),
        *_switches("toy:tales", "toy:tales", TALE * 4),
        *_switches("ALBERT (rxnmapper)", str(albert()), ".".join([REACTION] * 12)),
        *_switches("SmolLM2-135M", str(smollm2()), STORY * 21),
    ]


def _switches(name: str, source: str, text: str | None) -> list[Figure]:
    """First-time heads where a model has enough of them, then heads that are in the cache, beside painting alone."""
    with opened(source, text) as window:
        wait_until(lambda: has_settled(window))
        live(1.0)
        case = f"{name}, {len(window.state.queries)} tokens"
        what = "head switch, p99 ÷ a 60 Hz frame"
        goal = _GOAL if len(window.state.queries) < _LONG else _GOAL_OF_LONG
        switch = _Switch(window)
        made = []
        heads = _other_heads(window, SWITCHES)
        if len(heads) == SWITCHES:
            seconds = [switch.to(head)[0] for head in heads]
            made.append(against_a_frame(what, f"{case}, first time", seconds, share=0.99, goal=goal))
        heads = list(itertools.islice(itertools.cycle([window.state.head, *heads[: SWITCHES // 2]]), 1, SWITCHES + 1))
        pairs, whole = _in_turns(switch, heads)
        seconds = [ours for ours, _ in pairs]
        made.append(against_a_frame(what, f"{case}, in the cache", seconds, share=0.99, goal=goal))
        made.append(against_a_frame("the same, until the last line ÷ a 60 Hz frame", case, whole, share=0.5))
        made.append(compared("head switch ÷ painting the same two pictures alone", case, pairs))
        return made


def _in_turns(switch: _Switch, heads: Sequence[Head]) -> tuple[list[tuple[float, float]], list[float]]:
    pairs, whole = [], []
    for head in heads:
        ours, with_every_line = switch.to(head)
        pairs.append((ours, switch.paint_alone()))
        whole.append(with_every_line)
    return pairs, whole


def _other_heads(window: MainWindow, most: int) -> list[Head]:
    """Heads that have not been looked at, `most` or as many as there are."""
    record, kind = window.state.record, window.state.kind
    heads = itertools.product(range(record.n_layers(kind)), range(record.n_heads(kind)))
    return [head for head in heads if head not in window.state.weights][:most]


class _Switch:
    """Chooses heads and sees when they are painted."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._heatmap, self._links = window.panel("heatmap").view, window.panel("links").view
        self._painted: dict[str, object] = {}
        PaintWatch(self._heatmap, self._on_heatmap)
        PaintWatch(self._links.viewport(), self._on_links)

    def to(self, head: Head) -> tuple[float, float]:
        """Seconds until both pictures of `head` are painted, and until the last of the links is."""
        live(0.02)
        assert head != self._window.state.head
        began = time.perf_counter()
        self._window.explorer.select_head(head)
        wait_until(lambda: self._window.state.head == head and self._are_painted())
        painted = time.perf_counter() - began
        self._paint_every_line()
        return painted, time.perf_counter() - began

    def paint_alone(self) -> float:
        """Seconds for the same two pictures, made and painted anew, with nothing else."""
        live(0.02)
        began = time.perf_counter()
        self._heatmap.set_picture(self._window.panel("heatmap").figure())
        self._heatmap.repaint()
        self._links.set_picture(self._window.panel("links").figure())
        self._links.viewport().repaint()
        painted = time.perf_counter() - began
        self._paint_every_line()
        return painted

    def _paint_every_line(self) -> None:
        """A frame shows as many lines as it has time for, the strongest first; wait for the frame that shows them all."""
        if not self._links.is_complete:
            wait_until(lambda: self._links.is_complete)
            self._links.viewport().repaint()

    def _are_painted(self) -> bool:
        return self._painted == {"heatmap": self._heatmap.picture, "links": self._links.picture}

    def _on_heatmap(self) -> None:
        self._painted["heatmap"] = self._heatmap.picture

    def _on_links(self) -> None:
        self._painted["links"] = self._links.picture
