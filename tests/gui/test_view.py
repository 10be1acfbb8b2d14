"""view(attentions, tokens): a window on attention that somebody has already."""

import numpy as np
from PySide6.QtWidgets import QApplication

from headscope.gui import view
from headscope.gui.main_window import MainWindow

TOKENS = ["the", "cat", "sat", "down"]


def test_a_window_shows_given_weights_and_says_that_there_is_no_model(qtbot, qapp, monkeypatch, settings) -> None:
    monkeypatch.setattr("headscope.gui.app.QSettings", lambda: settings)
    weights = np.full((2, 3, 4, 4), 0.25)
    weights[1, 2] = np.eye(4)
    window = view(weights, TOKENS)
    assert isinstance(window, MainWindow)
    assert QApplication.instance() is qapp
    qtbot.addWidget(window)
    state = window.state
    qtbot.waitUntil(lambda: state.shown is not None and state.thumbnails is not None)
    window.explorer.select_head((1, 2))
    qtbot.waitUntil(lambda: state.head == (1, 2))
    np.testing.assert_array_equal(state.shown, np.eye(4, dtype=np.float32))
    assert window.text.strip.axis.labels == tuple(TOKENS)
    assert window.heads.view.layout_now.n_heads == 3
    window.explorer.run()
    assert state.notice.message == "No model is open."
    window.close()
