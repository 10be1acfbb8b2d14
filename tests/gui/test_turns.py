"""Large views are painted one after another, so that clicks come in between; what is hidden is not painted, and does nothing."""

from collections import Counter

import pytest
from PySide6.QtCore import QEvent, QObject
from PySide6.QtWidgets import QAbstractScrollArea, QWidget

from headscope.core.options import Sampling
from headscope.gui.widgets.turns import paint_in_turn
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.views import VIEWS
from tests.benchmarks.watches import PaintWatch
from tests.real_window import has_settled, live, wait_until


class Frames(QObject):
    """Which of some widgets are painted by each of a window's updates."""

    def __init__(self, window: MainWindow, widgets: dict[str, QWidget]) -> None:
        super().__init__(window)
        self.frames: list[list[str]] = []
        window.installEventFilter(self)
        for name, widget in widgets.items():
            PaintWatch(widget, lambda name=name: self.frames[-1].append(name) if self.frames else None)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.UpdateRequest:
            self.frames.append([])
        return False

    def take(self) -> list[list[str]]:
        """Those of the updates since the last call in which any was painted."""
        frames, self.frames = [frame for frame in self.frames if frame], []
        return frames


def painted(window: MainWindow, view: str) -> QWidget:
    widget = window.panel(view).view
    return widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget


@pytest.fixture
def window(open_window) -> MainWindow:
    window = open_window("toy:tales")
    window.resize(1920, 1080)
    window.reset_layout()
    wait_until(lambda: has_settled(window))
    live(0.3)
    return window


def test_each_large_view_has_a_turn_of_its_own_and_the_pictures_come_first(window: MainWindow) -> None:
    large = {name: painted(window, name) for name in ("heads", "heatmap", "links", "heads_by_token")}
    frames = Frames(window, large)
    for name in large:
        paint_in_turn(window.panel(name).view, rank=0 if name in ("heatmap", "links") else 1)
    live(0.3)
    assert frames.take() == [["heatmap"], ["links"], ["heads"], ["heads_by_token"]]


def test_what_asks_several_times_has_one_turn(window: MainWindow) -> None:
    view = painted(window, "heatmap")
    frames = Frames(window, {"heatmap": view})
    for _ in range(3):
        paint_in_turn(view)
    live(0.2)
    assert frames.take() == [["heatmap"]]


def test_another_head_is_painted_by_the_heatmap_then_by_the_links(window: MainWindow) -> None:
    frames = Frames(window, {name: painted(window, name) for name in ("heatmap", "links")})
    other = next(head for head in ((0, 1), (1, 1)) if head != window.state.head)
    window.explorer.select_head(other)
    wait_until(lambda: window.state.head == other)
    live(0.3)
    seen = frames.take()
    assert seen[:2] == [["heatmap"], ["links"]]
    assert all(len(frame) == 1 for frame in seen)


def test_a_widget_that_is_freed_before_its_turn_has_none(qtbot, window: MainWindow) -> None:
    class Mine(QWidget):
        pass

    gone, stays = Mine(window), Mine(window)
    gone.show(), stays.show()
    frames = Frames(window, {"stays": stays})
    live(0.1)
    frames.take()
    paint_in_turn(gone), paint_in_turn(stays)
    gone.deleteLater()
    live(0.2)
    assert ["stays"] in frames.take()


def test_hidden_views_are_not_painted_while_a_model_writes(window: MainWindow) -> None:
    for view in VIEWS:
        window.panel(view.id)
    hidden = [view.id for view in VIEWS if not window.is_view_seen(view.id)]
    assert hidden
    counts: Counter[str] = Counter()
    for name in hidden:
        for widget in (window.panel(name), *window.panel(name).findChildren(QWidget)):
            PaintWatch(widget, lambda name=name: counts.update([name]))
    window.explorer.generate(20, Sampling(temperature=1.0, seed=1))
    wait_until(lambda: window.state.busy is None and len(window.state.steps) > 0)
    live(0.3)
    assert counts == Counter()


def test_reports_of_progress_ask_no_command_whether_it_is_possible(window: MainWindow) -> None:
    from headscope.gui.words.notices import busy_at

    refreshed: list[bool] = []
    window.state.update(busy=busy_at("generating"))
    window.commands.refreshed.connect(lambda: refreshed.append(True))
    for n in range(20):
        window.state.update(busy=busy_at("running" if n % 2 else "generating"))
    live(0.3)
    assert refreshed == []
    window.state.update(busy=None)
    assert refreshed == [True]
