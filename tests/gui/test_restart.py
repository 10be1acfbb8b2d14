"""The next start begins where the last one ended: with its model, its text and its head."""

import json
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QSettings

from headscope.gui.app.application import create_window
from tests.gui.screen import PATIENCE, settle
from tests.real_window import close, has_run, wait_until
from tests.tiny_models import write_decoder


@pytest.fixture
def start(qapp, settings: QSettings):
    """Starts the program as a user does, who names no model."""
    windows = []

    def start_(text: str | None = None):
        window = create_window(None, text, settings)
        windows.append(window)
        window.show()
        wait_until(lambda: has_run(window))
        return window

    yield start_
    for window in windows:
        close(window)


def test_model_text_pair_and_head_come_back_and_nothing_can_be_undone(qtbot, open_window: Callable, start: Callable) -> None:
    first = open_window("toy:tales", "once upon a time a dog")
    first.explorer.select_head((2, 3))
    qtbot.waitUntil(lambda: first.state.head == (2, 3), timeout=PATIENCE)
    weights = first.state.shown.copy()
    close(first)
    state = start().state
    assert (state.model.source, state.text, state.queries.text, state.head) == (
        "toy:tales",
        "once upon a time a dog",
        "once upon a time a dog",
        (2, 3),
    )
    np.testing.assert_array_equal(state.shown, weights)
    assert state.undoable == 0


def test_a_text_that_is_given_comes_before_the_last_one(open_window: Callable, start: Callable) -> None:
    close(open_window("toy:tales", "once upon a time a dog"))
    window = start("once upon a time a cat")
    assert (window.state.model.source, window.state.queries.text) == ("toy:tales", "once upon a time a cat")


def test_what_is_damaged_or_gone_or_forgotten_begins_anew(
    tmp_path, open_window: Callable, settings: QSettings, start: Callable
) -> None:
    gone = {
        "source": str(tmp_path / "gone"),
        "prompt": {"text": "x", "text_pair": "", "target": ""},
        "kind": "encoder",
        "head": [0, 0],
    }
    damaged = ("nonsense", "[]", "{}", json.dumps({**gone, "head": [-1, 0]}), json.dumps({**gone, "kind": 3}), json.dumps(gone))
    for kept in damaged:
        settings.setValue("session/last", kept)
        window = start() if kept == damaged[-1] else create_window(None, None, settings)
        assert window.state.text != "x"
        if kept == damaged[-1]:
            assert window.state.model.source == "toy:grammar"
        close(window)
    close(open_window("toy:tales", "once upon a time a dog"))
    window = start()
    window.recent.forget()
    assert settings.value("session/last") is None


def test_a_head_that_the_files_do_not_have_any_more_is_the_nearest(
    qtbot, tmp_path, settings: QSettings, start: Callable
) -> None:
    folder = write_decoder(tmp_path / "gpt2")
    prompt = {"text": "the cat", "text_pair": "", "target": ""}
    settings.setValue("session/last", json.dumps({"source": str(folder), "prompt": prompt, "kind": "cross", "head": [70, 80]}))
    window = start()
    settle(qtbot, window.state)
    record = window.state.record
    assert (window.state.kind, window.state.text) == ("decoder", "the cat")
    assert window.state.head == (record.n_layers("decoder") - 1, record.n_heads("decoder") - 1)
