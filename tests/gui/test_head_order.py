"""The order of the grid of heads: undone like any other choice, a command for each part of it, and a legend that is always seen."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication

from headscope.core.analyse.records.head_types import HEAD_TYPES, METRICS
from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.record import AttentionRecord
from headscope.gui.app.application import create_record_window
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.palette.entries import entries_for
from tests.gui.screen import PATIENCE
from tests.real_window import close

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def window(qtbot, open_window: Callable) -> MainWindow:
    window = open_window("toy:grammar")
    window.activateWindow()
    qtbot.waitUntil(lambda: window.isActiveWindow() and window.panel("heads").measuring.is_complete, timeout=PATIENCE)
    return window


def heads_in_order(window: MainWindow) -> list[tuple[int, int]]:
    return [head for row in window.panel("heads").view.layout_now.placed.rows for head in row]


def ranked(window: MainWindow, metric: str) -> list[tuple[int, int]]:
    values = window.panel("heads").measuring.metrics.values[metric]
    return sorted(np.ndindex(values.shape), key=lambda head: -values[head])


# ---------------------------------------------------------------- undo and redo
def test_each_choice_in_the_bar_is_undone_and_redone_by_keys(qtbot, window: MainWindow) -> None:
    state, bar = window.state, window.panel("heads").bar
    count = state.undoable
    bar.sort_by["entropy"].trigger()
    bar.smallest_first.trigger()
    bar.types["mixed"].trigger()
    bar.averages.trigger()
    orders = [
        HeadOrder(),
        HeadOrder("entropy"),
        HeadOrder("entropy", True),
        HeadOrder("entropy", True, frozenset({"mixed"})),
        HeadOrder("entropy", True, frozenset({"mixed"}), averages=True),
    ]
    assert state.head_order == orders[-1]
    assert state.undoable == count + 4
    for order in orders[-2::-1]:
        qtbot.keyClick(window, Qt.Key.Key_Z, CTRL)
        assert state.head_order == bar.order == order
        assert bar.sort_by[order.sort].isChecked()
        assert bar.smallest_first.isChecked() == order.smallest_first
        assert bar.types["mixed"].isChecked() == bool(order.types)
        assert not bar.averages.isChecked()
    assert heads_in_order(window) == list(np.ndindex(2, 4))
    qtbot.keyClick(window, Qt.Key.Key_Z, CTRL | SHIFT)
    assert heads_in_order(window) == ranked(window, "entropy")


def test_a_minimum_is_one_change_however_it_is_typed(qtbot, window: MainWindow) -> None:
    state, bar = window.state, window.panel("heads").bar
    bar.measure.setCurrentIndex(METRICS.index("confidence"))
    bar.sort_by["same"].trigger()
    count = state.undoable
    bar.minimum.selectAll()
    qtbot.keyClicks(bar.minimum, "0.25")
    qtbot.keyClick(bar.minimum, Qt.Key.Key_Up)
    assert bar.minimum.text() == "0.30"
    assert state.head_order.minimum == ("confidence", 0.3)
    assert state.undoable == count + 1
    bar.sort_by["next"].trigger()
    bar.minimum.setValue(0.5)
    assert state.undoable == count + 3, "after another choice it is a change of its own"
    bar.everything.trigger()
    assert bar.minimum.value() == 0
    bar.measure.setCurrentIndex(METRICS.index("entropy"))
    window.history.undo()
    assert (bar.measure.currentData(), bar.minimum.value()) == ("confidence", 0.5)
    assert "Confidence ≥ 0.50" in bar.filter.toolTip()
    for _ in range(3):
        window.history.undo()
    assert state.head_order == HeadOrder("same")
    assert bar.minimum.value() == 0


# ---------------------------------------------------------------- commands
def test_a_command_sorts_by_each_metric(window: MainWindow) -> None:
    for metric in METRICS:
        action = window.commands.action(f"sort_{metric}")
        action.trigger()
        assert window.state.head_order == HeadOrder(metric)
        assert window.panel("heads").bar.sort_by[metric].isChecked()
        assert action.isChecked()
        assert not window.commands.action("sort_layers").isChecked()
        values = window.panel("heads").measuring.metrics.values[metric]
        in_order = sorted(values.ravel(), key=lambda value: (np.isnan(value), -value))
        np.testing.assert_array_equal([values[head] for head in heads_in_order(window)], in_order)


def test_commands_reverse_filter_average_and_go_back(window: MainWindow) -> None:
    do = lambda id_: window.commands.action(id_).trigger()  # noqa: E731
    state, n_heads = window.state, 8
    assert not window.commands.action("smallest_first").isEnabled()
    do("sort_distance")
    do("smallest_first")
    assert heads_in_order(window) == ranked(window, "distance")[::-1]
    types = window.panel("heads").measuring.metrics.types
    do("type_mixed")
    do("type_broad")
    assert set(heads_in_order(window)) == {head for head, type_ in types.items() if type_ in ("mixed", "broad")}
    do("type_broad")
    assert state.head_order.types == {"mixed"}
    assert window.panel("heads").legend.buttons["mixed"].isChecked()
    do("all_heads")
    assert len(heads_in_order(window)) == n_heads
    assert not window.commands.action("all_heads").isEnabled()
    do("averages")
    assert window.panel("heads").bar.averages.isChecked()
    assert window.panel("heads").summary.text() == "2 averages"
    do("sort_layers")
    assert state.head_order == HeadOrder(smallest_first=True)
    assert heads_in_order(window) == list(np.ndindex(2, 4))


def test_every_order_is_in_the_palette_as_its_menu_is_read(window: MainWindow) -> None:
    for query, id_ in (("sort entropy", "sort_entropy"), ("show only induction", "type_induction"), ("averages", "averages")):
        found = entries_for(window.context, window.commands, query)[0]
        assert found.hint == window.commands.action(id_).toolTip(), query
    entries_for(window.context, window.commands, "sort distance")[0].do()
    assert window.state.head_order.sort == "distance"


def test_an_order_is_shown_where_it_can_be_seen(qtbot, window: MainWindow) -> None:
    window.desk.docks["heads"].close()
    assert not window.desk.is_seen("heads")
    window.commands.action("sort_entropy").trigger()
    qtbot.waitUntil(lambda: window.desk.is_seen("heads"))
    assert window.state.head_order.sort == "entropy"


def test_a_window_on_a_model_that_is_named_begins_in_its_order(window: MainWindow, open_window: Callable) -> None:
    window.commands.action("sort_entropy").trigger()
    window.commands.action("type_mixed").trigger()
    window.close()
    assert open_window("toy:grammar").state.head_order == HeadOrder()


# ---------------------------------------------------------------- the legend
def with_most_types(n_tokens: int = 1000, period: int = 40) -> AttentionRecord:
    """A text that repeats itself, and a head of each type that needs no special tokens."""
    at, weights = np.arange(n_tokens), np.zeros((10, n_tokens, n_tokens), np.float32)
    keys = {
        "previous": at - 1, "next": np.minimum(at + 1, n_tokens - 1), "same": at, "duplicate": at - period,
        "induction": at - period + 1, "first": np.zeros_like(at),
    }  # fmt: skip
    for head, looked_at in enumerate(keys.values()):
        weights[head, at, np.maximum(looked_at, 0)] = 1
    weights[6] = 1 / n_tokens
    for head in (7, 8, 9):
        for by, weight in ((1, 0.4), (2, 0.35), (3, 0.25)):
            weights[head, at, (at - by) % n_tokens] += weight
    return record_of(weights[None], [f"word{number % period}" for number in range(n_tokens)])


@pytest.fixture
def long_window(qtbot, settings) -> Iterator[MainWindow]:
    window = create_record_window(with_most_types(), settings)
    window.resize(1280, 800)
    window.show()
    window.reset_layout()
    qtbot.waitUntil(lambda: window.panel("heads").measuring.is_complete, timeout=PATIENCE)
    yield window
    close(window)


@pytest.mark.parametrize("percent", [100, 110, 125])
def test_with_a_long_text_in_a_small_window_bar_and_legend_are_seen_whole(long_window: MainWindow, percent: int) -> None:
    window, heads = long_window, long_window.panel("heads")
    window.appearance.choose_type(percent)
    QApplication.processEvents()
    assert (window.width(), window.height()) == (1280, 800)
    shown = [type_ for type_, button in heads.legend.buttons.items() if button.isVisible()]
    assert shown == [type_ for type_ in HEAD_TYPES if type_ != "special"]
    for button in (*heads.legend.buttons.values(), *heads.bar.findChildren(QAbstractButton)):
        if button.isVisible():
            assert button.visibleRegion().boundingRect() == button.rect(), button.text()
            assert button.width() >= button.sizeHint().width(), button.text()
    assert heads.view.height() >= 120
