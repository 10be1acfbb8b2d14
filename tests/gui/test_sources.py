"""Two runs of one text: A, the reference, and B, the newest; in all views one after the other, or side by side."""

import threading
from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QToolButton

from headscope.core import load_model
from headscope.gui.session import comparison
from headscope.gui.session.selection import Cell
from headscope.gui.session.source import DIFFERENCE, A, B
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.source_switch import SourceSwitch
from headscope.gui.window.status import StatusPanel

PATIENCE = 60_000
ONE, OTHER = "the keys of the cabinet [MASK] rusty .", "the key of the cabinet [MASK] rusty ."
LEFT = Qt.MouseButton.LeftButton


def run(qtbot, window: MainWindow, text: str) -> None:
    before = window.state.run
    window.state.update(text=text)
    window.explorer.run()
    qtbot.waitUntil(lambda: window.state.run is not before and window.state.busy is None, timeout=PATIENCE)


@pytest.fixture
def window(qtbot, open_window: Callable) -> MainWindow:
    """A text, and then the same with another word."""
    window = open_window("toy:grammar", ONE)
    run(qtbot, window, OTHER)
    return window


def button(window: MainWindow, source) -> QToolButton:
    (switch,) = window.findChildren(SourceSwitch)
    return switch.buttons[source]


def choose(qtbot, window: MainWindow, source) -> None:
    qtbot.mouseClick(button(window, source), LEFT)
    qtbot.waitUntil(lambda: window.state.source == source, timeout=PATIENCE)


def plain(text: str) -> tuple[np.ndarray, list[float]]:
    """The weights of layer 1, head 3, and the mask's probabilities, asked of a model that no window has."""
    run_ = load_model("toy:grammar").run(text)
    return run_.record.attention_weights(1, 3), [each.probability for each in run_.predictions[0].candidates]


# ---------------------------------------------------------------- one after the other
def test_the_run_before_is_the_reference_and_can_be_looked_at(qtbot, window: MainWindow) -> None:
    state = window.state
    assert state.reference.prompt.text == ONE and state.run.prompt.text == OTHER
    assert state.run.model is state.model and not state.run.edits
    window.explorer.select_head((1, 3))
    for source, text in ((A, ONE), (B, OTHER)):
        choose(qtbot, window, source) if source != state.source else None
        weights, probabilities = plain(text)
        np.testing.assert_array_equal(state.shown, weights)
        assert [each.probability for each in state.predictions[0].candidates] == probabilities
        assert "".join(state.queries.labels) == "[CLS]" + text.replace(" ", "") + "[SEP]"
        assert state.text == OTHER, "what is written is the text of B"


def test_every_picture_says_whose_it_is(qtbot, window: MainWindow) -> None:
    titles = {name: dock.windowTitle() for name, dock in window.desk.docks.items()}
    assert titles["heatmap"] == "Heatmap"
    choose(qtbot, window, A)
    assert window.desk.docks["heatmap"].windowTitle() == "Heatmap · A"
    assert window.desk.docks["predictions"].windowTitle() == "Predictions · A"
    assert window.desk.docks["generation"].windowTitle() == "Generation", "settings are of no run"
    assert window.text.count.text().startswith("A: 10 tokens")
    choose(qtbot, window, B)
    assert {name: dock.windowTitle() for name, dock in window.desk.docks.items()} == titles


def test_the_next_run_is_shown_and_what_was_newest_is_the_reference(qtbot, window: MainWindow) -> None:
    choose(qtbot, window, A)
    run(qtbot, window, OTHER.replace("cabinet", "house"))
    assert window.state.source == B
    assert window.state.reference.prompt.text == OTHER


def test_a_reference_that_is_kept_stays_through_edits_and_ends_with_the_text(qtbot, window: MainWindow) -> None:
    state = window.state
    window.commands.action("keep_reference").trigger()
    assert state.reference is None, "it is the newest run itself"
    assert not button(window, A).isEnabled()
    for word in ("house", "farmer"):
        run(qtbot, window, OTHER.replace("cabinet", word))
        assert state.reference.prompt.text == OTHER
    assert state.reference_kept and window.commands.action("keep_reference").isChecked()
    window.commands.action("keep_reference").trigger()
    assert state.reference.prompt.text == OTHER.replace("cabinet", "house")
    run(qtbot, window, "she barks")
    assert state.reference is None and state.before == ()


def test_nothing_is_compared_before_a_text_was_run_twice(qtbot, open_window: Callable) -> None:
    window = open_window("toy:grammar", ONE)
    assert window.state.reference is None
    (switch,) = window.findChildren(SourceSwitch)
    assert switch.isHidden()
    assert not window.commands.action("source_a").isEnabled()
    window.explorer.sources.show(A)
    assert window.state.source == B


def test_a_record_that_is_too_large_is_not_kept_unless_asked_for(qtbot, window: MainWindow, monkeypatch) -> None:
    monkeypatch.setattr(comparison, "_MOST_BYTES", 1)
    run(qtbot, window, ONE)
    assert window.state.reference is None and window.state.before, "its predictions are"
    window.explorer.sources.keep(True)
    run(qtbot, window, OTHER)
    assert window.state.reference.prompt.text == ONE


def test_undo_takes_back_the_choice_of_a_run(qtbot, window: MainWindow) -> None:
    choose(qtbot, window, A)
    assert window.state.undo_of == "source"
    window.undo()
    qtbot.waitUntil(lambda: window.state.source == B, timeout=PATIENCE)
    np.testing.assert_array_equal(window.state.shown, window.state.run.record.attention_weights(*window.state.head))
    window.redo()
    qtbot.waitUntil(lambda: window.state.source == A, timeout=PATIENCE)
    assert window.state.predictions == window.state.reference.predictions


def test_a_click_on_a_token_of_the_reference_edits_its_text(qtbot, window: MainWindow) -> None:
    choose(qtbot, window, A)
    before = window.state.run
    window.explorer.editing.mask_token(2)
    qtbot.waitUntil(lambda: window.state.run is not before and window.state.busy is None, timeout=PATIENCE)
    assert window.state.text == "the [MASK] of the cabinet [MASK] rusty ."


# ---------------------------------------------------------------- side by side
@pytest.fixture
def beside(qtbot, window: MainWindow) -> MainWindow:
    window.resize(1920, 1080)
    window.choose_layout("compare")
    session = window.explorer.beside.session
    qtbot.waitUntil(lambda: window.state.beside and session.shown is not None, timeout=PATIENCE)
    return window


def test_the_layout_compare_shows_both_runs(qtbot, beside: MainWindow) -> None:
    beside.explorer.select_head((1, 3))
    panel, other = beside.panel("heatmap_of_reference"), beside.panel("heatmap")
    qtbot.waitUntil(lambda: panel.view.picture.head == other.view.picture.head == (1, 3), timeout=PATIENCE)
    for each, text in ((panel, ONE), (other, OTHER)):
        np.testing.assert_array_equal(each.view.picture.weights, plain(text)[0])
    links = beside.panel("links_of_reference").figure()
    np.testing.assert_array_equal(links.weights[1, 3], plain(ONE)[0])
    assert beside.desk.docks["heatmap"].windowTitle() == "Heatmap · B"
    assert beside.desk.docks["heatmap_of_reference"].windowTitle() == "Heatmap of A"


def test_the_same_tokens_are_pointed_at_in_both_wherever_that_is_done(qtbot, beside: MainWindow) -> None:
    state, session = beside.state, beside.explorer.beside.session
    view = beside.panel("heatmap_of_reference").view
    center = view.layout_now().cell_rect(6, 3).center()
    qtbot.mouseClick(view, LEFT, pos=QPoint(round(center.x()), round(center.y())))
    assert session.pinned == state.pinned == Cell(6, 3)
    state.update(pinned=Cell(5, 2))
    assert session.pinned == Cell(5, None), "the word of that place is another one"


def test_heads_units_and_a_new_run_are_followed(qtbot, beside: MainWindow) -> None:
    state, session = beside.state, beside.explorer.beside.session
    beside.explorer.select_heads((0, 1), ((0, 1), (1, 2)))
    qtbot.waitUntil(lambda: session.head == (0, 1) and session.heads == ((0, 1), (1, 2)), timeout=PATIENCE)
    beside.commands.action("special_hidden").trigger()
    qtbot.waitUntil(lambda: session.units == state.units and len(session.queries) == 8, timeout=PATIENCE)
    run(qtbot, beside, OTHER.replace("cabinet", "house"))
    qtbot.waitUntil(lambda: "key" in session.queries.labels, timeout=PATIENCE)
    assert session.captured is state.reference.record


def test_what_is_not_seen_follows_nothing(qtbot, beside: MainWindow) -> None:
    session = beside.explorer.beside.session
    beside.choose_layout("explore")
    qtbot.waitUntil(lambda: not beside.state.beside, timeout=PATIENCE)
    before = session.head, session.captured
    beside.explorer.select_head((0, 0))
    run(qtbot, beside, ONE)
    assert (session.head, session.captured) == before
    assert not any(lane.is_busy for lane in beside.explorer.beside.lanes)


# ---------------------------------------------------------------- while another run is under way
class _Waits:
    """Makes a model's pass wait until it is let go on, as a large one's would."""

    def __init__(self) -> None:
        self.go_on = threading.Event()

    def __call__(self, *_args: object) -> None:
        assert self.go_on.wait(PATIENCE / 1000)


def test_an_old_picture_is_dimmed_and_named_while_another_run_is_under_way(qtbot, open_window: Callable) -> None:
    model = load_model("toy:grammar")
    window = open_window(model, ONE)
    waits = _Waits()
    hook = model.module.register_forward_pre_hook(waits)
    dock = window.desk.docks["heatmap"]
    window.state.update(text=OTHER)
    window.explorer.run()
    try:
        assert dock.veil.isHidden(), "a run that takes a blink changes the picture at once"
        qtbot.waitUntil(dock.veil.isVisible, timeout=PATIENCE)
        assert dock.veil.accessibleName() == f"Earlier run: “{ONE}”"
        assert window.desk.docks["generation"].veil.isHidden()
    finally:
        waits.go_on.set()
        hook.remove()
    qtbot.waitUntil(lambda: window.state.run.prompt.text == OTHER and window.state.busy is None, timeout=PATIENCE)
    assert dock.veil.isHidden() and window.state.pending is None


def test_a_run_that_is_stopped_leaves_its_picture_undimmed(qtbot, open_window: Callable) -> None:
    model = load_model("toy:grammar")
    window = open_window(model, ONE)
    waits = _Waits()
    hook = model.module.register_forward_pre_hook(waits)
    window.explorer.run()
    dock = window.desk.docks["heatmap"]
    try:
        qtbot.waitUntil(dock.veil.isVisible, timeout=PATIENCE)
        window.explorer.stop()
    finally:
        waits.go_on.set()
        hook.remove()
    qtbot.waitUntil(lambda: window.state.busy is None, timeout=PATIENCE)
    assert dock.veil.isHidden()


# ---------------------------------------------------------------- B − A
def test_all_views_show_the_difference_of_the_two_runs(qtbot, window: MainWindow) -> None:
    state = window.state
    window.explorer.select_head((1, 3))
    choose(qtbot, window, DIFFERENCE)
    expected = plain(OTHER)[0] - plain(ONE)[0]
    np.testing.assert_array_equal(state.shown, expected)
    assert state.predictions == state.run.predictions and state.before
    heatmap, links = window.panel("heatmap"), window.panel("links")
    assert window.desk.docks["heatmap"].windowTitle() == "Heatmap · B − A"
    assert window.desk.docks["predictions"].windowTitle() == "Predictions · B"
    np.testing.assert_array_equal(heatmap.view.picture.weights, expected)
    np.testing.assert_array_equal(links.figure().weights[1, 3], expected)
    assert heatmap.view.picture.cells.lens.is_signed
    state.update(hover=Cell(6, 2))
    assert "B − A" in window.findChild(StatusPanel)._left.text()
    qtbot.waitUntil(lambda: state.thumbnails is not None and not np.isnan(state.thumbnails).any(), timeout=PATIENCE)
    np.testing.assert_array_equal(state.thumbnails[1, 3], expected)
    choose(qtbot, window, B)
    np.testing.assert_array_equal(state.shown, plain(OTHER)[0])


def test_the_difference_follows_units_and_lens(qtbot, window: MainWindow) -> None:
    state = window.state
    choose(qtbot, window, DIFFERENCE)
    window.commands.action("special_hidden").trigger()
    qtbot.waitUntil(lambda: len(state.queries) == 8, timeout=PATIENCE)
    one, other = (
        load_model("toy:grammar").capture(text).in_units(state.units).attention_weights(*state.head) for text in (OTHER, ONE)
    )
    np.testing.assert_array_equal(state.shown, one - other)
    window.commands.action("special_shown").trigger()
    window.commands.action("lens_scores").trigger()
    qtbot.waitUntil(lambda: state.lens.id == "scores" and len(state.queries) == 10, timeout=PATIENCE)
    one, other = (load_model("toy:grammar").capture(text).attention_scores(*state.head) for text in (OTHER, ONE))
    np.testing.assert_array_equal(state.shown, one - other)


def test_runs_of_other_lengths_have_no_difference(qtbot, window: MainWindow) -> None:
    run(qtbot, window, OTHER.replace("rusty", "very rusty"))
    assert window.state.reference is not None
    assert button(window, A).isEnabled() and not button(window, DIFFERENCE).isEnabled()
    window.explorer.sources.show(DIFFERENCE)
    assert window.state.source == B


def test_undo_takes_back_the_difference(qtbot, window: MainWindow) -> None:
    choose(qtbot, window, DIFFERENCE)
    window.undo()
    qtbot.waitUntil(lambda: window.state.source == B, timeout=PATIENCE)
    np.testing.assert_array_equal(window.state.shown, window.state.run.record.attention_weights(*window.state.head))


@pytest.mark.parametrize("source", [A, DIFFERENCE], ids=["A", "B − A"])
def test_no_picture_is_called_that_of_a_when_a_is_another_run(qtbot, window: MainWindow, source) -> None:
    window.explorer.sources.keep(True)
    for word in ("house", "farmer"):
        run(qtbot, window, OTHER.replace("cabinet", word))
    choose(qtbot, window, source)
    window.commands.action("keep_reference").trigger()
    assert window.state.reference.prompt.text == OTHER.replace("cabinet", "house")
    qtbot.waitUntil(lambda: window.state.source == B, timeout=PATIENCE)
    np.testing.assert_array_equal(window.state.shown, window.state.run.record.attention_weights(*window.state.head))
