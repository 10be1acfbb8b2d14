"""Frames: how long from a move of the mouse until everything that follows it is painted, in the real window at 1920 × 1080.

The window is painted by Qt's software renderer, with all its docks, so that a frame holds what the other views do as well. A frame
begins when the event reaches the widget and ends when the picture it belongs to, and whatever else had to be painted, has been
painted into the window's buffer; what the lanes answer meanwhile is part of the frame in which it arrives. Each frame is followed by
the repaint of an empty QWidget of the same size, which tells what the machine can do at that moment; and beside the time stands
the processor's time of the GUI thread alone, which is the frame's cost on a machine that nobody else uses.

Attention is given as arrays: rows of a softmax that look at the token before, at the first token and, by chance, at others.
Weights and thumbnails are there before the first frame, as for a user who has looked for a moment; "head switch" is between heads
that were looked at (bench_switch has those that were not).
"""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import count, cycle

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent, QWheelEvent
from PySide6.QtWidgets import QApplication, QWidget

from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.record import AttentionRecord
from headscope.gui.views.links.widget import LinkView
from headscope.gui.window.main_window import MainWindow
from tests.benchmarks.figures import Figure, against_a_frame, spread
from tests.benchmarks.watches import PaintWatch
from tests.real_window import live, opened_on, wait_until

FRAMES = 200
WARM_UP = 5
_CALM = 0.5  # seconds for what is computed when nobody waits
NONE, LEFT = Qt.MouseButton.NoButton, Qt.MouseButton.LeftButton
Do = Callable[[], None]


def figures() -> list[Figure]:
    """Heatmap, links and grid of heads; medians, the spread has the best and the worst frame."""
    made = []
    for n_tokens in (128, 512, 2048, 4096):
        made += _of_heatmap(n_tokens)
    for n_tokens in (128, 512):
        made += _of_links(n_tokens)
    for n_layers, n_heads in ((12, 12), (24, 16), (32, 32)):
        made += _of_grid(n_layers, n_heads)
    return made


def attention(n_layers: int, n_heads: int, n_tokens: int) -> AttentionRecord:
    """As a model's: rows look at the token before and at the first one, more or less, and at some others."""
    rng = np.random.default_rng(n_tokens)
    weights = np.empty((n_layers, n_heads, n_tokens, n_tokens), np.float32)
    rows = np.arange(n_tokens)
    for head in weights.reshape(-1, n_tokens, n_tokens):
        scores = rng.standard_normal((n_tokens, n_tokens), np.float32) * 2
        scores[rows[1:], rows[:-1]] += rng.uniform(0, 12)
        scores[:, 0] += rng.uniform(0, 10)
        head[:] = np.exp(scores - scores.max(axis=1, keepdims=True))
        head /= head.sum(axis=1, keepdims=True)
    return record_of(weights, [f"word{position}" for position in range(n_tokens)])


# ---------------------------------------------------------------- what is measured
def _of_heatmap(n_tokens: int) -> list[Figure]:
    with opened_on(attention(1, 2, n_tokens)) as window:
        _settle(window)
        view, case = window.panel("heatmap").view, f"heatmap, {n_tokens:,} tokens"
        frames = Frames(view)
        plot = view.layout_now().plot
        points = _points(plot)
        hover = frames.figure("hover", case, partial(_move_along, view, points))
        heads = cycle([(0, 1), (0, 0)])
        switch = Frames(view, window.panel("links").view.viewport()).figure(
            "head switch", case, lambda: window.explorer.select_head(next(heads))
        )
        for _ in range(4):  # half of the tokens, or fewer
            _wheel(view, plot.center(), 1)
        _press(view, plot.center())
        places = _to_and_fro(plot)
        pan = frames.figure("pan", case, partial(_move_along, view, places, LEFT))
        _release(view, plot.center())
        turns = cycle([1] * 8 + [-1] * 8)
        zoom = frames.figure("zoom", case, lambda: _wheel(view, plot.center(), next(turns)))
        return [hover, switch, pan, zoom]


def _of_links(n_tokens: int) -> list[Figure]:
    made = []
    with opened_on(attention(1, 12, n_tokens)) as window:
        for n_heads in (1, 12):
            heads = tuple((0, head) for head in range(n_heads))
            window.explorer.select_heads((0, 0), heads)
            _settle(window)
            view, case = window.panel("links").view, f"links, {n_tokens} tokens, {n_heads} heads"
            points = _points_on_tokens(view)
            made.append(Frames(view.viewport()).figure("hover", case, partial(_move_along, view.viewport(), points)))
    return made


def _of_grid(n_layers: int, n_heads: int) -> list[Figure]:
    with opened_on(attention(n_layers, n_heads, 64)) as window:
        _settle(window)
        grid, case = window.panel("heads").view, f"grid, {n_layers * n_heads:,} heads"
        viewport, layout = grid.viewport(), grid.layout_now
        heads = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
        boxes = [layout.box(head) for head in heads]
        middles = [box.center() for box in boxes if layout.cells.contains(box)]
        random.Random(0).shuffle(middles)
        places = cycle(middles)
        hover = Frames(viewport).figure("hover", case, partial(_move_along, viewport, places))
        frames = Frames(viewport, window.panel("heatmap").view, window.panel("links").view.viewport())
        select = frames.figure("select", case, lambda: _press(viewport, next(places)))
        return [hover, select]


class Frames:
    """Frames of some widgets of a window; the first is compared with an empty one."""

    def __init__(self, *widgets: QWidget) -> None:
        self._widgets = set(widgets)
        self._painted: set[QWidget] = set()
        for widget in widgets:
            PaintWatch(widget, lambda widget=widget: self._painted.add(widget))
        self._empty = QWidget()
        self._empty.resize(widgets[0].size())
        self._empty.show()

    def figure(self, what: str, case: str, do: Do) -> Figure:
        """`FRAMES` frames that `do` asks for."""
        frames = [(*self._seconds(do), self._seconds_of_empty()) for _ in range(WARM_UP + FRAMES)][WARM_UP:]
        seconds, busy, empty = zip(*frames, strict=True)
        ratio = statistics.median(ours / theirs for ours, _, theirs in frames)
        beside = f"; processor {spread(busy)}; {ratio:.3g} × an empty widget ({statistics.median(empty) * 1e3:.2f} ms)"
        return against_a_frame(f"{what} ÷ a 60 Hz frame", case, seconds, share=0.5, beside=beside)

    def _seconds(self, do: Do) -> tuple[float, float]:
        """On the clock, and of the processor."""
        self._painted.clear()
        began, busy = time.perf_counter(), time.thread_time()
        do()
        wait_until(lambda: self._painted >= self._widgets)
        return time.perf_counter() - began, time.thread_time() - busy

    def _seconds_of_empty(self) -> float:
        began = time.perf_counter()
        self._empty.repaint()
        return time.perf_counter() - began


# ---------------------------------------------------------------- the hand
def _settle(window: MainWindow) -> None:
    """Until all that can be computed beforehand is there."""

    def is_settled() -> bool:
        pictures = window.state.thumbnails
        return pictures is not None and not np.isnan(pictures).any() and window.panel("links").view.is_complete

    wait_until(is_settled)
    live(_CALM)


def _points(area: QRectF) -> Iterator[QPointF]:
    """Anywhere in an area, each far from the one before."""
    rng = random.Random(0)
    for turn in count():
        half = area.width() / 2
        yield QPointF(area.left() + turn % 2 * half + rng.random() * half, area.top() + rng.random() * area.height())


def _points_on_tokens(view: LinkView) -> Iterator[QPointF]:
    """Tokens of both sides, each another than the one before."""
    before: object = (None, None)
    for point in _points(QRectF(view.viewport().rect())):
        token = view.picture.token_at(view.layout_now, point)
        if token not in ((None, None), before):
            before = token
            yield point


def _to_and_fro(area: QRectF) -> Iterator[QPointF]:
    """A hand that drags a picture about, 12 pixels a frame."""
    there = [QPointF(12.0 * step, 9.0 * step) for step in range(1, 12)]
    return (area.center() + offset for offset in cycle([*there, *reversed(there)]))


def _move_along(widget: QWidget, points: Iterator[QPointF], held: Qt.MouseButton = NONE) -> None:
    _mouse(QEvent.Type.MouseMove, widget, next(points), NONE, held)


def _press(widget: QWidget, point: QPointF) -> None:
    _mouse(QEvent.Type.MouseButtonPress, widget, point, LEFT, LEFT)


def _release(widget: QWidget, point: QPointF) -> None:
    _mouse(QEvent.Type.MouseButtonRelease, widget, point, LEFT, NONE)


def _mouse(kind: QEvent.Type, widget: QWidget, point: QPointF, button: Qt.MouseButton, held: Qt.MouseButton) -> None:
    there = widget.mapToGlobal(point)
    QApplication.sendEvent(widget, QMouseEvent(kind, point, there, button, held, Qt.KeyboardModifier.NoModifier))


def _wheel(widget: QWidget, point: QPointF, notches: int) -> None:
    there, rotated, phase = widget.mapToGlobal(point), QPoint(0, 120 * notches), Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(point, there, QPoint(), rotated, NONE, Qt.KeyboardModifier.NoModifier, phase, False)
    QApplication.sendEvent(widget, event)
