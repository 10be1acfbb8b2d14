"""Undo and redo of every selection and edit, with real keys in the real window."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction

from headscope.core.attention.lens import SCORES, WEIGHTS
from headscope.core.models.examples import examples_for
from headscope.core.text.tokens import Units
from headscope.gui.control.history import DEPTH
from headscope.gui.session.document import LOOKS, PLACES, PLAIN, Document
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.window.main_window import MainWindow
from headscope.gui.words.changes import CHANGES
from tests.gui.screen import PATIENCE, settle
from tests.tiny_models import write_decoder

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
    assert (window.state.undoable, window.state.redoable) == (0, 0)
    text = window.state.text
    for id_ in ("undo", "redo"):
        assert not window.commands.action(id_).isEnabled()
    window.history.undo()
    assert window.state.text == text != ""


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
    assert (state.undoable, state.redoable) == (2, 0)


def test_units_marks_lens_and_pairs_come_back_together(qtbot, window: MainWindow) -> None:
    state = window.state
    marks = Marks(queries=(3, 8))
    state.update(marks=marks)
    window.explorer.set_units(Units(special="hidden"))
    qtbot.waitUntil(lambda: state.units.special == "hidden", timeout=PATIENCE)
    assert state.marks != marks  # positions among fewer tokens
    window.explorer.set_lens(SCORES)
    qtbot.waitUntil(lambda: state.lens == SCORES, timeout=PATIENCE)
    assert np.array_equal(state.shown, state.record.inner.attention_scores(*state.head), equal_nan=True)
    state.update(pairing="AB")
    undo(qtbot, window)
    assert (state.pairing, state.lens) == ("all", SCORES)
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.lens == WEIGHTS, timeout=PATIENCE)
    assert state.record.inner is None
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.units == Units() and state.marks == marks, timeout=PATIENCE)
    assert_picture_is_right(state)
    undo(qtbot, window)
    assert state.marks == Marks()
    assert state.redoable == 4
    for _ in range(4):
        redo(qtbot, window)
    qtbot.waitUntil(lambda: state.units.special == "hidden" and state.pairing == "AB", timeout=PATIENCE)
    assert state.lens == SCORES
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


def test_another_model_is_one_change_and_comes_back_with_its_own_text_head_and_pin(qtbot, window: MainWindow) -> None:
    state, count = window.state, window.state.undoable
    select(qtbot, window, (1, 2))
    state.pin(Cell(2, 3))
    grammar, text = state.model, state.text
    window.explorer.load("toy:tales")
    qtbot.waitUntil(lambda: state.kind == "decoder" and state.busy is None, timeout=PATIENCE)
    tale = state.text
    assert tale != text
    assert (state.undoable, state.undo_of) == (count + 3, "open model")
    seen = watch(window)
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.kind == "encoder" and state.pinned == Cell(2, 3) and state.busy is None, timeout=PATIENCE)
    assert (state.model.source, state.model.dtype, state.text, state.head) == (grammar.source, grammar.dtype, text, (1, 2))
    assert_picture_is_right(state)
    assert state.queries.text == window.text.text.toPlainText() == text
    undo(qtbot, window)
    assert (state.pinned, state.head) == (Cell(), (1, 2))
    redo(qtbot, window)
    assert state.redo_of == "open model"
    redo(qtbot, window)
    qtbot.waitUntil(lambda: state.kind == "decoder" and state.busy is None, timeout=PATIENCE)
    assert state.queries.text == state.text == tale
    assert seen <= {("toy:grammar", text), ("toy:tales", tale)}, "no model ever had the other's text"
    select(qtbot, window, (2, 3))
    assert state.undo_of == "head"  # the history goes on


def watch(window: MainWindow) -> set[tuple[str, str]]:
    """Which model is seen with which tokens, from now on."""
    seen = set()
    window.state.changed.connect(lambda _names: seen.add((window.state.model.source, window.state.queries.text)))
    return seen


def test_undo_while_another_model_opens_stays_with_the_model_that_is_seen(qtbot, window: MainWindow) -> None:
    state, text = window.state, window.state.text
    window.text.text.selectAll()
    qtbot.keyClicks(window.text.text, "cats sleep .")
    qtbot.keyClick(window.text.text, Qt.Key.Key_Return)
    settle(qtbot, state)
    seen = watch(window)
    window.explorer.load("toy:tales")
    undo(qtbot, window)
    qtbot.waitUntil(lambda: state.queries.text == text and state.busy is None, timeout=PATIENCE)
    assert (state.model.source, state.text) == ("toy:grammar", text)
    window.explorer.run()
    settle(qtbot, state)
    assert (state.model.source, state.kind, state.queries.text) == ("toy:grammar", "encoder", text)
    assert {model for model, _ in seen} == {"toy:grammar"}


def test_a_model_that_is_gone_by_now_leaves_everything_as_it_is(qtbot, open_window: Callable, tmp_path: Path) -> None:
    folder = write_decoder(tmp_path / "gpt2")
    window = open_window(str(folder), "the cat")
    state = window.state
    window.explorer.load("toy:tales")
    qtbot.waitUntil(lambda: state.model.source == "toy:tales" and state.busy is None, timeout=PATIENCE)
    record, text = state.record, state.text
    shutil.rmtree(folder)
    window.history.undo()
    qtbot.waitUntil(lambda: state.notice is not None and state.busy is None, timeout=PATIENCE)
    assert state.notice.level == "error"
    assert (state.model.source, state.record, state.text) == ("toy:tales", record, text)
    window.explorer.run()
    settle(qtbot, state)
    assert state.queries.text == text


def test_each_change_has_a_name_that_the_menu_says(qtbot, window: MainWindow) -> None:
    state, action = window.state, window.commands.action
    text = state.text
    window.explorer.editing.mask_token(2)
    settle(qtbot, state)
    assert action("undo").text() == "Undo mask token"
    window.explorer.editing.use_candidate(state.predictions[0], state.predictions[0].candidates[1])
    settle(qtbot, state)
    assert action("undo").text() == "Undo choose candidate"
    select(qtbot, window, (0, 1))
    assert action("undo").text() == "Undo choose head"
    select(qtbot, window, (0, 2), extend=True)
    assert action("undo").text() == "Undo choose heads"
    state.pin(Cell(1, 1))
    assert action("undo").text() == "Undo pin"
    state.pin(Cell(1, 1))
    assert action("undo").text() == "Undo unpin"
    window.explorer.use_example(examples_for(state.model)[1])
    settle(qtbot, state)
    assert action("undo").text() == "Undo choose example"
    undo(qtbot, window)
    assert (action("undo").text(), action("redo").text()) == ("Undo unpin", "Redo choose example")
    for _ in range(6):
        undo(qtbot, window)
    assert (state.text, state.head, action("undo").text()) == (text, (1, 3), "Undo")
    assert not action("undo").isEnabled()


def test_every_change_of_the_document_has_words(window: MainWindow) -> None:
    now = Document.of(window.state)
    assert {*PLAIN, *PLACES, *LOOKS, "text"} - {"heads"} <= CHANGES.keys()
    assert set(now.differs_in(replace(now, head=(0, 0), pinned=Cell(1, 1)))) == {"head", "pinned"}
    assert all(undo.startswith("Undo") and redo.startswith("Redo") for undo, redo in CHANGES.values())


def test_random_changes_are_taken_back_and_made_again_exactly(qtbot, window: MainWindow) -> None:
    state, rng = window.state, np.random.default_rng(3)
    documents = [Document.of(state)]
    for number in range(20):
        match int(rng.integers(5)):
            case 0:
                window.explorer.select_head((int(rng.integers(2)), int(rng.integers(4))), bool(rng.integers(2)))
            case 1:
                state.pin(Cell(int(rng.integers(6)), int(rng.integers(6))))
            case 2:
                state.update(pairing=("all", "AB")[number % 2])
            case 3:
                window.explorer.set_units(Units(("tokens", "words")[int(rng.integers(2))]))
            case 4:
                one, other, *_ = examples_for(state.model)
                window.explorer.use_example(other if state.text == one.text else one)
        settle(qtbot, state)
        qtbot.waitUntil(lambda: window.explorer.head == state.head and window.explorer.units == state.units, timeout=PATIENCE)
        if Document.of(state) != documents[-1]:
            documents.append(Document.of(state))
    assert state.undoable == len(documents) - 1
    for expected in reversed(documents[:-1]):
        window.history.undo()
        qtbot.waitUntil(lambda expected=expected: Document.of(state) == expected and state.busy is None, timeout=PATIENCE)
        assert_picture_is_right(state)
    for expected in documents[1:]:
        window.history.redo()
        qtbot.waitUntil(lambda expected=expected: Document.of(state) == expected and state.busy is None, timeout=PATIENCE)
        assert state.queries.text == state.text or state.text_pair


def test_commands_of_the_edit_menu_do_it_and_say_when_they_can(window: MainWindow) -> None:
    action: Callable[[str], QAction] = window.commands.action
    window.state.pin(Cell(1, 1))
    action("undo").trigger()
    assert window.state.pinned == Cell()
    assert action("redo").isEnabled()
    action("redo").trigger()
    assert window.state.pinned == Cell(1, 1)
    assert not action("redo").isEnabled()
