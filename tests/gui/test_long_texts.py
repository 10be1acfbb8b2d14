"""Texts too long for whole matrices: pictures, exact parts, rows and links in the real window; and what to do when memory is short."""

from __future__ import annotations

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QPushButton

from headscope.core import load_model
from headscope.core.attention.head_map import FAINTEST, HeadOverview
from headscope.core.attention.maps import overview
from headscope.core.forward import budget
from headscope.core.keep import Keep, Offer
from headscope.gui.control.exporter import HeadExport
from headscope.gui.paint.picked import Picked
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.notice_bar import NoticeBar
from headscope.gui.window.status import StatusPanel
from headscope.gui.words.notices import Notice, label_of
from tests import allowed
from tests.gui.screen import PATIENCE, settle, shown, values

TALE = "once upon a time a brave mouse named Mia lived in a castle . " * 9
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def long_window(qtbot, open_window, monkeypatch: pytest.MonkeyPatch) -> MainWindow:
    """A text of some hundred tokens, which counts as large."""
    monkeypatch.setattr(overview, "LARGE_CELLS", 1000)
    window = open_window("toy:tales", TALE)
    qtbot.waitUntil(lambda: isinstance(window.state.shown, HeadOverview) and window.state.shown.exact, timeout=PATIENCE)
    return window


def matrix(window: MainWindow) -> np.ndarray:
    state = window.state
    return state.record.attention_weights(*state.head, state.kind)


def cells_shown(window: MainWindow) -> QImage:
    """The heatmap's cells as they are on the screen."""
    view = window.panel("heatmap").view
    plot = view.layout_now().plot.toAlignedRect().adjusted(1, 1, -1, -1)
    return shown(view).copy(plot)


def test_the_heatmap_of_a_long_text_looks_as_its_matrix_would(long_window: MainWindow) -> None:
    state, view = long_window.state, long_window.panel("heatmap").view
    before = values(cells_shown(long_window))
    view.set_picture(type(view.picture)(matrix(long_window), state.queries, state.keys))
    assert np.mean(before == values(cells_shown(long_window))) > 0.99


def _tells(qtbot, window: MainWindow, across: float, down: float) -> bool:
    """Point there, wherever the layout has it by now; whether the value is known."""
    view, state = window.panel("heatmap").view, window.state
    plot = view.layout_now().plot
    at = QPointF(plot.left() + across * plot.width(), plot.top() + down * plot.height()).toPoint()
    qtbot.mouseMove(view, at - QPoint(1, 0))
    qtbot.mouseMove(view, at)
    return state.value(state.hover.query, state.hover.key) is not None


def test_the_value_under_the_mouse_is_exact(qtbot, long_window: MainWindow) -> None:
    state, whole = long_window.state, matrix(long_window)
    status = long_window.findChild(StatusPanel)
    for across, down in ((0.3, 0.8), (0.01, 0.5), (0.7, 0.75)):
        qtbot.waitUntil(lambda at=(across, down): _tells(qtbot, long_window, *at), timeout=PATIENCE)
        value = float(whole[state.hover.query, state.hover.key])
        told = status._left.text().rsplit("  ", 1)[1]
        assert state.value(state.hover.query, state.hover.key) == pytest.approx(value, abs=allowed.of_blocks(whole))
        assert float(told) == pytest.approx(value, rel=0.006, abs=allowed.of_decimals(4)), "or three digits"
        assert float(told) > 0, "however small"


def test_zooming_in_asks_for_the_part_and_shows_its_cells(qtbot, long_window: MainWindow, monkeypatch) -> None:
    state, view = long_window.state, long_window.panel("heatmap").view
    *_, coarse = state.record.overview(*state.head, state.kind, size=8)
    state.update(weights={state.head: coarse})
    for _ in range(6):
        view._zoom(0.7, None)
    rows = range(*(int(edge) for edge in (view._view.top(), view._view.bottom())))
    qtbot.waitUntil(lambda: state.part is not None and rows[0] in state.part.request.rows, timeout=PATIENCE)
    qtbot.waitUntil(lambda: view.picture.cells.part is not None, timeout=PATIENCE)
    part = state.part.request
    whole = matrix(long_window)[part.rows.start : part.rows.stop, part.keys.start : part.keys.stop]
    assert state.part.picture == pytest.approx(whole, abs=allowed.of_blocks(whole))
    fine = values(cells_shown(long_window))
    view.set_picture(type(view.picture)(matrix(long_window), state.queries, state.keys))
    assert np.mean(fine == values(cells_shown(long_window))) > 0.99


def test_the_links_of_a_long_text_are_those_of_its_matrix(qtbot, long_window: MainWindow) -> None:
    panel = long_window.panel("links")
    layout = panel.view.layout_now
    found = panel.view.picture.links(layout)
    rows = layout.visible(len(long_window.state.queries))
    whole = matrix(long_window)
    rounding = allowed.of_blocks(whole)
    seen = np.zeros_like(whole, bool)
    seen[rows.start : rows.stop], seen[:, rows.start : rows.stop] = True, True
    strong, perhaps = (set(zip(*np.nonzero(seen & (whole >= FAINTEST + by)), strict=True)) for by in (rounding, -rounding))
    assert strong <= set(zip(found.query.tolist(), found.key.tolist(), strict=True)) <= perhaps
    assert len(perhaps) - len(strong) < 0.01 * len(strong)
    one = panel.view.picture.links(layout, Picked(key=5))
    strong, perhaps = (set(np.flatnonzero(whole[:, 5] >= FAINTEST + by).tolist()) for by in (rounding, -rounding))
    assert strong <= set(one.query.tolist()) <= perhaps


def test_another_head_of_a_long_text(qtbot, long_window: MainWindow) -> None:
    state = long_window.state
    long_window.explorer.select_head((2, 1))
    qtbot.waitUntil(lambda: state.head == (2, 1) and state.shown.exact, timeout=PATIENCE)
    whole = matrix(long_window)
    assert state.shown.picture.max() == pytest.approx(whole.max(), abs=allowed.of_blocks(whole))
    assert "approximate" not in long_window.panel("heatmap")._title.text()


def test_a_head_of_a_long_text_is_exported_whole(qtbot, long_window: MainWindow, tmp_path) -> None:
    state = long_window.state
    long_window.explorer.export(HeadExport(tmp_path / "a.npz", state.record, state.kind, state.head, "toy:tales"))
    qtbot.waitUntil(lambda: (tmp_path / "a.npz").exists(), timeout=PATIENCE)
    settle(qtbot, state)
    with np.load(tmp_path / "a.npz") as data:
        whole = matrix(long_window)
        np.testing.assert_allclose(data["attention"], whole, atol=allowed.of_blocks(whole))


def test_heads_in_sight_are_drawn_first(qtbot, open_window, monkeypatch) -> None:
    window = open_window("toy:tales", TALE)
    pictures = window.explorer._pictures
    thumbnails = pictures._thumbnails
    qtbot.waitUntil(lambda: not thumbnails.missing(), timeout=PATIENCE)
    thumbnails.begin(window.state.record, window.state.kind, "max")
    assert thumbnails.missing(range(2, 3)) == (2, 0, 1)
    asked = []
    monkeypatch.setattr(pictures._lane, "submit", lambda request: asked.append(request) or 0)
    pictures._order = (0, 1, 2)
    pictures.see_layers(range(2, 3))
    assert [request.layers for request in asked] == [(2, 0, 1)]
    pictures.see_layers(range(1, 3))  # what is being drawn is in sight
    assert len(asked) == 1


# ---------------------------------------------------------------- too little memory
def test_what_would_fit_is_offered_as_buttons_and_one_click_takes_it(qtbot, open_window, monkeypatch) -> None:
    window = open_window("toy:tales", TALE)
    state = window.state
    before, n = state.record, len(state.queries)
    needed = budget.estimate(load_model("toy:tales", device="cpu"), {"decoder": (n, n)}, Keep()).needed
    monkeypatch.setattr(budget, "free_memory", lambda _place: needed - before.nbytes // 4)
    window.explorer.run()
    qtbot.waitUntil(lambda: state.notice is not None, timeout=PATIENCE)
    assert state.record is before, "the last picture stays"
    assert state.text == TALE
    labels = [button.text() for button in window.notice.choices]
    assert labels[0] == "Keep the record in half precision"
    assert labels[1].startswith("Keep 2 layers")
    assert labels[2].startswith("Shorten the text to ")
    assert all(button.isVisible() for button in window.notice.choices)
    qtbot.mouseClick(window.notice.choices[0], LEFT)
    qtbot.waitUntil(lambda: state.record is not before and state.busy is None, timeout=PATIENCE)
    assert state.record.kept == Keep(half=True)
    assert state.notice is None
    assert not window.notice.isVisible()
    assert "half precision, weights approximate" in window.findChild(StatusPanel)._right.text()


def test_a_shortened_text_comes_back_with_undo(qtbot, open_window) -> None:
    window = open_window("toy:tales", TALE)
    state = window.state
    state.update(notice=Notice("error", "Too much.", "", offers=(Offer(Keep(), TALE[:60], 14),)))
    (button,) = window.notice.choices
    assert button.text() == "Shorten the text to 14 tokens"
    qtbot.mouseClick(button, LEFT)
    qtbot.waitUntil(lambda: len(state.queries) < 20 and state.busy is None, timeout=PATIENCE)
    assert state.text == TALE[:60]
    window.edit_text()
    qtbot.keyClick(window.text.focusWidget(), Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert state.text == TALE


def test_with_some_layers_kept_the_nearest_head_is_shown_and_others_say_why_not(qtbot, open_window) -> None:
    window = open_window("toy:tales", TALE)
    state = window.state
    window.explorer.select_head((1, 2))
    qtbot.waitUntil(lambda: state.head == (1, 2), timeout=PATIENCE)
    window.explorer.run(Keep(layers=(0, 2)))
    qtbot.waitUntil(lambda: state.record.kept.layers == (0, 2), timeout=PATIENCE)
    assert state.head == (0, 2)
    assert "2 of 3 layers kept" in window.findChild(StatusPanel)._right.text()
    qtbot.waitUntil(lambda: state.thumbnails is not None and not np.isnan(state.thumbnails[2]).any(), timeout=PATIENCE)
    window.explorer.select_head((1, 1))
    qtbot.waitUntil(lambda: state.notice is not None, timeout=PATIENCE)
    assert window.notice.text.startswith("The attention of layer 1 was not kept.")
    assert state.head == (0, 2)


def test_buttons_of_an_older_notice_go(qtbot) -> None:
    bar = NoticeBar()
    qtbot.addWidget(bar)
    bar.show_notice("error", "One.", "", "", ["a", "b"])
    bar.show_notice("info", "Two.", "", "")
    assert bar.choices == []
    assert not [button for button in bar.findChildren(QPushButton) if button.isVisible() and button.text() in "ab"]


@pytest.mark.parametrize(
    ("offer", "label"),
    [
        (Offer(Keep("host")), "Keep the record in the computer's memory"),
        (Offer(Keep("host", half=True)), "Keep the record in memory, in half precision"),
        (Offer(Keep(half=True)), "Keep the record in half precision"),
        (Offer(Keep(layers=(0, 5))), "Keep 2 layers"),
        (Offer(Keep(half=True, layers=(0, 5))), "Keep 2 layers, in half precision"),
        (Offer(Keep(), "a", 5120), "Shorten the text to 5120 tokens"),
    ],
)
def test_every_offer_has_its_words(offer: Offer, label: str) -> None:
    assert label_of(offer) == label
