"""A window that is closed is gone, with all that it showed, its widgets and its threads; others live on."""

import gc
import weakref
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QSettings, QThread
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from headscope.core.models.load import load_model
from headscope.gui.app.application import create_record_window
from headscope.gui.lanes.lane import Lane
from headscope.gui.window.main_window import MainWindow
from tests.gui.screen import PATIENCE, settle
from tests.real_window import close, has_run


def n_alive(*types: type) -> list[int]:
    """How many objects of Qt there are of each type."""
    gc.collect()
    things = [thing for thing in gc.get_objects() if issubclass(type(thing), types)]
    return [sum(issubclass(type(thing), type_) and isValid(thing) for thing in things) for type_ in types]


def test_windows_on_a_record_leave_nothing_behind(qtbot, settings: QSettings) -> None:
    model = load_model("toy:grammar")
    before = n_alive(QThread, Lane, MainWindow), len(QApplication.allWidgets())
    gone = []
    for _ in range(4):
        window = create_record_window(model.capture("the keys of the cabinet [MASK] rusty ."), settings)
        window.show()
        qtbot.waitUntil(lambda window=window: window.state.thumbnails is not None, timeout=PATIENCE)
        gone += [weakref.ref(thing) for thing in (window.state.record, window.state, window.panel("heatmap"))]
        close(window)  # the variable still holds the window, and nothing through it
    gone.append(weakref.ref(window))
    del window
    assert (n_alive(QThread, Lane, MainWindow), len(QApplication.allWidgets())) == before
    assert [thing() for thing in gone] == [None] * len(gone)


def test_a_window_that_is_closed_while_its_model_writes_ends_its_threads_and_is_freed(open_window: Callable) -> None:
    before = n_alive(QThread)  # other tests of this process may have left theirs
    window = open_window("toy:tales", "once upon a time")
    record = weakref.ref(window.state.record)
    window.commands.action("generate").trigger()
    assert window.state.busy is not None
    close(window)
    assert n_alive(QThread) <= before
    assert record() is None


def test_a_window_that_is_closed_while_it_opens_a_model_is_freed(open_window: Callable) -> None:
    before = n_alive(QThread)
    window = open_window("toy:tales", wait=False)
    state = weakref.ref(window.state)
    window.explorer.load("toy:tales")
    close(window)
    del window
    gc.collect()
    assert n_alive(QThread) <= before
    assert state() is None


def test_of_two_windows_side_by_side_one_lives_on_without_the_other(qtbot, open_window: Callable) -> None:
    first, second = open_window("toy:grammar"), open_window("toy:tales", "once upon a time")
    first.explorer.select_head((1, 2))
    second.explorer.select_head((2, 3))
    qtbot.waitUntil(lambda: (first.state.head, second.state.head) == ((1, 2), (2, 3)), timeout=PATIENCE)
    close(first)
    second.explorer.select_head((0, 1))
    second.explorer.run()
    settle(qtbot, second.state)
    assert has_run(second)
    np.testing.assert_array_equal(second.state.shown, second.state.record.attention_weights(0, 1, "decoder"))


def test_what_is_set_in_one_window_holds_in_the_other(qtbot, open_window: Callable) -> None:
    first, second = open_window("toy:grammar"), open_window("toy:grammar")
    first.appearance.choose("dark")
    assert (first.state.dark, second.state.dark) == (True, True)
    first.preferences.cache_size = 64
    assert second.explorer._pictures._cache.limit == 64 * 2**20
    for text in ("one", "two"):
        window = first if text == "one" else second
        window.state.update(text=text)
        window.explorer.run()
        settle(qtbot, window.state)
    assert [prompt.text for prompt in second.recent.texts[:2]] == ["two", "one"]
    first.appearance.choose("light")
    second.present(True)
    assert first.font().pixelSize() == second.font().pixelSize() > 13, "type is of the process"
    close(second)
    assert first.font().pixelSize() == 13


def test_a_value_of_the_state_that_is_assigned_is_an_error_and_changes_nothing(open_window: Callable) -> None:
    state = open_window("toy:grammar").state
    head = state.head
    for name in ("head", "haed"):
        with pytest.raises(AttributeError, match=rf"Session\.{name} is set by update\({name}=…\)"):
            setattr(state, name, (1, 1))
    assert state.head == head
    state.update(head=(1, 1))
    assert state.head == (1, 1)
