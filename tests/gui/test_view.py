"""view(attentions, tokens) and open_model(model, tokenizer): a window on what somebody has already."""

from pathlib import Path

import numpy as np
from PySide6.QtWidgets import QApplication

from headscope.gui import open_model, view
from headscope.gui.window.main_window import MainWindow
from tests.real_window import close
from tests.tiny_models import write_decoder

TOKENS = ["the", "cat", "sat", "down"]


def test_a_window_shows_given_weights_and_says_that_there_is_no_model(qtbot, qapp) -> None:
    weights = np.full((2, 3, 4, 4), 0.25)
    weights[1, 2] = np.eye(4)
    window = view(weights, TOKENS)
    assert isinstance(window, MainWindow)
    assert QApplication.instance() is qapp
    state = window.state
    qtbot.waitUntil(lambda: state.shown is not None and state.thumbnails is not None)
    window.explorer.select_head((1, 2))
    qtbot.waitUntil(lambda: state.head == (1, 2))
    np.testing.assert_array_equal(state.shown, np.eye(4, dtype=np.float32))
    assert window.text.strip.axis.labels == tuple(TOKENS)
    assert window.panel("heads").view.layout_now.n_heads == 3
    window.explorer.run()
    assert state.notice.message == "No model is open."
    close(window)


def test_a_window_shows_a_model_that_is_in_memory_and_gives_it_back(qtbot, qapp, tmp_path: Path) -> None:
    from transformers import AutoTokenizer, GPT2LMHeadModel

    folder = write_decoder(tmp_path / "gpt2")
    module = GPT2LMHeadModel.from_pretrained(folder).train()
    before = module.config._attn_implementation
    window = open_model(module, AutoTokenizer.from_pretrained(folder), text="the cat")
    state = window.state
    qtbot.waitUntil(lambda: state.run is not None and state.busy is None, timeout=60_000)
    assert state.run.text == "the cat"
    assert (state.model.name, state.model.checkpoint) == ("gpt2", "in memory")
    assert module.training, "it is in evaluation mode during our passes alone"
    assert window.picker.recent == []  # it cannot be opened again by a name
    run = state.run
    window.picker.place("cpu", "bfloat16")  # nor read anew in another format
    window.explorer.run()
    qtbot.waitUntil(lambda: state.run is not run and state.busy is None)
    assert state.notice is None
    assert state.model.dtype == "float32"
    close(window)
    assert module.training
    assert module.config._attn_implementation == before
