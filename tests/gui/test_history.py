"""Undo and redo of every selection and edit, with real keys in the real window."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction

from headscope.core.text.tokens import Reading
from headscope.gui.control.history import DEPTH
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.window.main_window import MainWindow
from tests.gui.screen import PATIENCE, settle

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(qtbot, settings, open_window: Callable) -> MainWindow:
    window = open_window("toy:grammar")
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def undo(qtbot, window: MainWindow) -> None:
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Z, CTRL)
    settle(qtbot, window.state)


def redo(qtbot, window: MainWindow) -> None:
    qtbot.keyClick(window.focusWidget() or window, Qt.Key.Key_Z, CTRL | SHIFT)
    settle(qtbot, window.state)


def select(qtbot, window: MainWindow, head: tuple[int, int], *, extend: bool = False) -> None:
    window.explorer.select_head(head, extend)
    qtbot.waitUntil(lambda: window.state.head == head, timeout=PATIENCE)


def assert_picture_is_right(state: Session) -> None:
    """The weights on the screen are those of the head, in the units, that the state names."""
    assert state.heads == tuple(state.weights)
    np.testing.assert_array_equal(state.shown, state.record.attention_weights(*state.head, state.kind))


def test_a_fresh_window_has_nothing_to_undo(window: MainWindow) -> None:
    assert (window.state.undoable, window.state.redoable) == (1, 0)  # the example took the place of an empty text
    assert not window.commands.action("redo").isEnabled()


def test_chosen_heads_come_back_with_their_weights(qtbot, window: MainWindow) -> None:
    state = window.state
    select(qtbot, window, (0, 1))
    select(qtbot, window, (1, 2), extend=True)
    before = state.heads
    select(qtbot, window, (0, 0))
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.heads == before == ((0, 1), (1, 2)), timeout=PATIENCE)
    assert state.head == (1, 2)
    assert_picture_is_right(state)
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.heads == ((0, 1),), timeout=PATIENCE)
    redo(qtbot, window)
    redo(qtbot, window)
    qtbot.waitUntil(lambda: state.heads == ((0, 0),), timeout=PATIENCE)
    assert_picture_is_right(state)
    assert state.redoable == 0


def test_typing_is_one_change_and_ctrl_z_in_the_field_is_the_windows(qtbot, window: MainWindow) -> None:
    state, field = window.state, window.text.text
    text, count = state.text, state.undoable
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    field.selectAll()
    qtbot.keyClicks(field, "dogs bark .")
    assert state.undoable == count + 1
    state.pin(Cell(1, 1))
    undo(qtbot, window)
    assert (state.pinned, state.text) == (Cell(), "dogs bark .")
    undo(qtbot, window)
    assert state.text == field.toPlainText() == text
    redo(qtbot, window)
    assert state.text == field.toPlainText() == "dogs bark ."


def test_a_text_that_was_run_comes_back_with_its_picture_and_its_pin(qtbot, window: MainWindow) -> None:
    state = window.state
    text, pin = state.text, Cell(6, 2)
    state.pin(pin)
    window.text.text.selectAll()
    qtbot.keyClicks(window.text.text, "cats sleep .")
    qtbot.keyClick(window.text.text, Qt.Key.Key_Return)
    settle(qtbot, state)
    assert state.queries.text == "cats sleep ."
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.queries.text == text and state.pinned == pin, timeout=PATIENCE)
    assert state.text == text
    assert_picture_is_right(state)
    redo(qtbot, window)
    qtbot.waitUntil(lambda: state.queries.text == "cats sleep .", timeout=PATIENCE)
    assert (state.undoable, state.redoable) == (3, 0)


def test_units_marks_lens_and_pairs_come_back_together(qtbot, window: MainWindow) -> None:
    state = window.state
    marks = Marks(queries=(3, 8))
    state.update(marks=marks)
    window.explorer.set_reading(Reading("words", "hidden"))
    qtbot.waitUntil(lambda: state.reading.units == "words", timeout=PATIENCE)
    assert state.marks != marks  # positions of words
    state.update(lens="scores")
    state.update(pairing="AB")
    undo(qtbot, window)
    assert (state.pairing, state.lens) == ("all", "scores")
    undo(qtbot, window)
    assert state.lens == "weights"
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.reading == Reading() and state.marks == marks, timeout=PATIENCE)
    assert_picture_is_right(state)
    undo(qtbot, window)
    assert state.marks == Marks()
    assert state.redoable == 4
    for _ in range(4):
        redo(qtbot, window)
    qtbot.waitUntil(lambda: state.reading.units == "words" and state.pairing == "AB", timeout=PATIENCE)
    assert_picture_is_right(state)


def test_a_generation_is_one_change(qtbot, open_window: Callable) -> None:
    window = open_window("toy:tales", "once upon a time")
    state, count = window.state, window.state.undoable
    window.panel("generation").fields.max_new_tokens.setValue(6)
    window.commands.action("generate").trigger()
    settle(qtbot, state)
    assert state.text != "once upon a time"
    assert state.undoable == count + 1
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.queries.text == state.text == "once upon a time", timeout=PATIENCE)
    redo(qtbot, window)
    qtbot.waitUntil(lambda: state.queries.text == state.text != "once upon a time", timeout=PATIENCE)


def test_steps_that_were_looked_at_come_back(qtbot, open_window: Callable) -> None:
    window = open_window("toy:tales", "once upon a time")
    state = window.state
    window.panel("generation").fields.max_new_tokens.setValue(5)
    window.commands.action("generate").trigger()
    settle(qtbot, state)
    count = state.undoable
    for step in (1, 3):
        window.explorer.show_step(step)
        qtbot.waitUntil(lambda step=step: state.step == step, timeout=PATIENCE)
    assert state.undoable == count + 2
    for step in (1, None):
        undo(qtbot, window)
        qtbot.waitUntil(lambda step=step: state.step == step, timeout=PATIENCE)
    assert_picture_is_right(state)
    assert len(state.steps) == 5
    redo(qtbot, window)
    qtbot.waitUntil(lambda: state.step == 1, timeout=PATIENCE)
    assert_picture_is_right(state)
    assert len(state.queries) == len(state.steps[1].record.axis("decoder").queries)


def test_a_new_change_after_an_undo_ends_what_could_be_redone(window: MainWindow) -> None:
    window.state.pin(Cell(1, 1))
    window.history.undo()
    assert window.state.redoable == 1
    window.state.pin(Cell(2, 2))
    assert window.state.redoable == 0
    window.history.redo()
    assert window.state.pinned == Cell(2, 2)


def test_the_latest_changes_are_kept(window: MainWindow) -> None:
    for number in range(DEPTH + 50):
        window.state.update(pinned=Cell(number % 8, number % 7))
    assert window.state.undoable == DEPTH
    for _ in range(DEPTH + 5):
        window.history.undo()
    assert window.state.undoable == 0
    assert window.state.pinned == Cell(49 % 8, 49 % 7)


def test_hovering_and_results_are_no_changes(qtbot, window: MainWindow) -> None:
    count = window.state.undoable
    window.state.update(hover=Cell(1, 1))
    window.explorer.run()
    settle(qtbot, window.state)
    assert window.state.undoable == count


def test_what_another_model_does_not_have_is_left_out(qtbot, window: MainWindow) -> None:
    state = window.state
    select(qtbot, window, (1, 3))
    select(qtbot, window, (1, 2))
    window.explorer.load("toy:tales")
    qtbot.waitUntil(lambda: state.kind == "decoder" and state.busy is None, timeout=PATIENCE)
    head = state.head
    for _ in range(state.undoable):
        window.history.undo()
        settle(qtbot, state)
    assert state.kind == "decoder"
    assert state.head == head
    select(qtbot, window, (2, 3))
    assert state.undoable == 1  # the history goes on


def test_commands_of_the_edit_menu_do_it_and_say_when_they_can(window: MainWindow) -> None:
    action: Callable[[str], QAction] = window.commands.action
    window.state.pin(Cell(1, 1))
    action("undo").trigger()
    assert window.state.pinned == Cell()
    assert action("redo").isEnabled()
    action("redo").trigger()
    assert window.state.pinned == Cell(1, 1)
    assert not action("redo").isEnabled()
