"""The palette finds every command, head, layout, example, text and model, and does what is chosen."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QMenu

from headscope.core.attention.lens import SCORES
from headscope.gui.commands.gesture import Gesture
from headscope.gui.commands.menus import MENUS
from headscope.gui.views.generation.language_fields import LanguageFields
from headscope.gui.widgets.drawing_fields import GibbsFields, SamplingFields
from headscope.gui.window.actions import COMMANDS
from headscope.gui.window.gestures import GESTURES
from headscope.gui.window.help import ShortcutSheet
from headscope.gui.window.layouts import EXPLORE
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.palette.entries import entries_for
from headscope.gui.window.palette.fuzzy import score
from headscope.gui.window.palette.popup import Palette
from headscope.gui.window.views import VIEWS
from tests.gui.screen import PATIENCE, n_colors, settle, shown

CTRL = Qt.KeyboardModifier.ControlModifier


@pytest.fixture
def window(qtbot, shared_window: MainWindow) -> MainWindow:
    """The file's own, laid out as on the first day."""
    shared_window.choose_layout(EXPLORE.id)
    shared_window.activateWindow()
    qtbot.waitUntil(shared_window.isActiveWindow)
    return shared_window


@pytest.fixture
def own_window(open_window: Callable) -> MainWindow:
    """For tests that leave it otherwise than it was."""
    return open_window("toy:grammar")


@pytest.fixture
def palette(qtbot, window: MainWindow) -> Iterator[Palette]:
    qtbot.keyClick(window, Qt.Key.Key_K, CTRL)
    palette = QApplication.activePopupWidget()
    assert isinstance(palette, Palette)
    yield palette
    if (left := QApplication.activePopupWidget()) is not None:
        left.close()


def found(palette: Palette) -> list[str]:
    model = palette.list.model()
    return [model.index(row, 0).data() for row in range(model.rowCount())]


# ---------------------------------------------------------------- matching
@pytest.mark.parametrize(
    ("query", "best", "others"),
    [
        ("nxhd", "Next head", ["Next layer", "Export…"]),
        ("export", "Export…", ["Exit a port", "Previous head"]),
        ("all heads", "All heads of the layer", ["All links", "Heads"]),
        ("ÉXP", "Export…", ["Presentation"]),
    ],
)
def test_letters_in_their_order_find_a_command_and_word_beginnings_count_most(query: str, best: str, others: list) -> None:
    scores = {text: score(query, text) for text in (best, *others)}
    assert scores[best] is not None
    assert all(value is None or value < scores[best] for text, value in scores.items() if text != best)


def test_letters_that_are_not_there_find_nothing() -> None:
    assert score("xyz", "Next head") is None
    assert score("daeh", "head") is None
    assert score("", "Next head") == 0


# ---------------------------------------------------------------- doing
def test_enter_does_what_was_found_and_closes(qtbot, window: MainWindow, palette: Palette) -> None:
    qtbot.keyClicks(palette.field, "compare")
    assert found(palette)[0] == "Compare"
    assert n_colors(shown(palette.list.viewport())) > 10
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.desk.layout_now.id == "compare")
    assert QApplication.activePopupWidget() is None


@pytest.mark.parametrize("name", ["heatmap", "text"], ids=["in front", "behind a tab"])
def test_a_view_that_is_looked_for_is_seen_afterwards_wherever_it_was(
    qtbot, window: MainWindow, palette: Palette, name: str
) -> None:
    qtbot.keyClicks(palette.field, window.desk.docks[name].windowTitle())
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.desk.docks[name].isAncestorOf(window.focusWidget()))
    assert window.desk.is_seen(name)


def test_numbers_find_a_head(qtbot, window: MainWindow, palette: Palette) -> None:
    for query in ("1 2", "layer 1 head 2", "L1H2", "1.2"):
        palette.field.clear()
        qtbot.keyClicks(palette.field, query)
        assert found(palette)[0] == "layer 1 · head 2"
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: window.state.head == (1, 2), timeout=PATIENCE)


def test_what_cannot_be_done_is_grey_and_does_nothing(qtbot, window: MainWindow, palette: Palette) -> None:
    head = window.state.head
    qtbot.keyClicks(palette.field, "9.9")
    assert not palette._entries[0].enabled
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.wait(0)
    assert palette.isVisible()
    assert window.state.head == head
    palette.field.clear()
    qtbot.keyClicks(palette.field, "stop")
    assert found(palette)[0] == "Stop"
    assert not palette._entries[0].enabled


def test_arrow_keys_move_in_the_list_and_escape_closes(qtbot, window: MainWindow, palette: Palette) -> None:
    for key, row in ((Qt.Key.Key_Down, 1), (Qt.Key.Key_Down, 2), (Qt.Key.Key_Up, 1), (Qt.Key.Key_PageUp, 0)):
        qtbot.keyClick(palette.field, key)
        assert palette.list.row == row
        assert palette.hint.text() == palette._entries[row].hint
    qtbot.keyClick(palette.field, Qt.Key.Key_Escape)
    assert QApplication.activePopupWidget() is None


def test_a_click_does_it(qtbot, window: MainWindow, palette: Palette) -> None:
    qtbot.keyClicks(palette.field, "dark")
    box = palette.list.visualRect(palette.list.model().index(found(palette).index("Dark"), 0))
    qtbot.mouseClick(palette.list.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    qtbot.waitUntil(lambda: window.state.dark)
    assert window.appearance.choice == "dark"
    window.appearance.choose("light")


def test_examples_models_and_recent_texts_are_found(qtbot, own_window: MainWindow) -> None:
    window = own_window
    qtbot.waitUntil(lambda: window.state.catalogue is not None, timeout=PATIENCE)
    groups = {
        entry.group: entry
        for query in ("kite to", "toy:tales", "cabinet")
        for entry in entries_for(window.context, window.commands, query)[:6]
    }
    assert {"Example", "Model", "Recent text"} <= set(groups)
    next(entry for entry in entries_for(window.context, window.commands, "toy:tales") if entry.group == "Model").do()
    qtbot.waitUntil(lambda: window.state.model.name == "toy:tales" and window.state.busy is None, timeout=PATIENCE)


def test_nothing_found_is_said(qtbot, window: MainWindow, palette: Palette) -> None:
    qtbot.keyClicks(palette.field, "qqqqq")
    assert palette.nothing.isVisible()
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    assert palette.isVisible()


def test_every_command_is_found_by_its_own_words_and_explains_itself(window: MainWindow) -> None:
    for command in COMMANDS:
        assert command.words in [entry.words for entry in entries_for(window.context, window.commands, command.words)[:4]], (
            command.id
        )
        assert command.menu in MENUS
        assert command.help.endswith("."), command.id
        assert len(command.help) > 10
        assert window.commands.action(command.id).toolTip() == command.hint


def test_every_shortcut_works_while_the_cursor_is_in_the_text(qtbot, own_window: MainWindow) -> None:
    window = own_window
    window.activateWindow()
    field = window.text.text
    field.setFocus()
    qtbot.waitUntil(field.hasFocus)
    text, given = field.toPlainText(), []
    for command in COMMANDS:
        action = window.commands.action(command.id)
        action.triggered.disconnect()
        action.triggered.connect(lambda _checked=False, id_=command.id: given.append(id_))
        action.setEnabled(command.id != "stop_presenting")  # Esc is either's
    for command in COMMANDS:
        for keys in window.commands.action(command.id).shortcuts():
            qtbot.keySequence(field, keys)
            if command.id != "stop_presenting":
                assert given.pop() == command.id, keys.toString()
    assert field.toPlainText() == text


# ---------------------------------------------------------------- the sheet of shortcuts
def gestures() -> dict[str, tuple[Gesture, ...]]:
    return GESTURES | {view.title: view.gestures for view in VIEWS if view.gestures}


def test_the_sheet_lists_keys_and_gestures_by_menu_and_is_searched(qtbot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F1)
    sheet = window.findChild(ShortcutSheet)
    assert len(sheet.rows) == len(COMMANDS) + sum(map(len, gestures().values()))
    assert ("Next head", "Alt+Right") in sheet.rows
    qtbot.keyClicks(sheet.field, "zoom")
    assert ("Zoom", "Wheel, + and −") in sheet.rows
    assert ("Next head", "Alt+Right") not in sheet.rows
    headings = [label.text() for label in sheet.findChildren(QLabel, "cardTitle") if not label.isHidden()]
    assert "Mouse and keys in Heatmap" in headings
    assert "Run" not in headings
    sheet.field.clear()
    qtbot.keyClicks(sheet.field, "alt+right")
    assert ("Next head", "Alt+Right") in sheet.rows
    qtbot.keyClick(sheet, Qt.Key.Key_Escape)
    assert not sheet.isVisible()


def test_the_sheet_says_nothing_twice(qtbot, window: MainWindow) -> None:
    qtbot.keyClick(window, Qt.Key.Key_F1)
    sheet = window.findChild(ShortcutSheet)
    for view, here in gestures().items():
        assert len({gesture.how for gesture in here}) == len({gesture.what for gesture in here}) == len(here), view
    headings = [label.text() for label in sheet.findChildren(QLabel, "cardTitle")]
    assert len(set(headings)) == len(headings)
    sheet.close()


# ---------------------------------------------------------------- letters with Alt
def letters_of(texts: list[str]) -> list[str]:
    found = [QKeySequence.mnemonic(text).toString() for text in texts]
    return [letter for letter in found if letter]


def test_every_menu_opens_with_a_letter_of_its_own(qtbot, own_window: MainWindow) -> None:
    bar = own_window.menuBar()
    letters = letters_of([action.text() for action in bar.actions()])
    assert len(letters) == len(bar.actions()) == len(set(letters))
    for action, letter in zip(bar.actions(), letters, strict=True):
        qtbot.keyClick(own_window, letter[-1].lower(), Qt.KeyboardModifier.AltModifier)
        assert QApplication.activePopupWidget() is action.menu(), letter
        action.menu().close()


def test_letters_of_menus_and_fields_do_not_meet(window: MainWindow) -> None:
    """Where two have one, Alt only goes from one to the other; the fields of filling and of writing are never there together."""
    window.panel("generation")  # which is made when it is asked for
    menus = [action.text() for action in window.menuBar().actions()]
    fields = {
        kind: [label.text() for label in panel.findChildren(QLabel) if label.buddy() is not None]
        + [button.text() for button in panel.findChildren(QAbstractButton)]
        for kind in (GibbsFields, SamplingFields, LanguageFields)
        for panel in window.findChildren(kind)
    }
    for together in ((GibbsFields,), (SamplingFields, LanguageFields)):
        letters = letters_of([*menus, *(text for kind in together for text in fields[kind])])
        assert len(letters) > len(menus)
        assert len(set(letters)) == len(letters), sorted(letters)
    for menu in window.findChildren(QMenu):
        inside = letters_of([action.text() for action in menu.actions()])
        assert len(set(inside)) == len(inside), menu.title()


# ---------------------------------------------------------------- commands on what is looked at
def do(qtbot, window: MainWindow, id_: str) -> None:
    action = window.commands.action(id_)
    assert action.isEnabled(), id_
    action.trigger()
    settle(qtbot, window.state)


def test_units_special_tokens_lens_and_pairs_are_chosen_by_command(qtbot, own_window: MainWindow) -> None:
    window = own_window
    state = window.state
    for id_ in ("units_words", "special_hidden"):
        do(qtbot, window, id_)
    qtbot.waitUntil(lambda: (state.units.of, state.units.special) == ("words", "hidden"), timeout=PATIENCE)
    do(qtbot, window, "units_tokens")
    do(qtbot, window, "lens_scores")
    qtbot.waitUntil(lambda: state.lens == SCORES, timeout=PATIENCE)
    checked = {id_ for id_ in ("units_tokens", "units_words", "special_shown", "special_hidden", "lens_weights", "lens_scores")
               if window.commands.action(id_).isChecked()}  # fmt: skip
    assert checked == {"units_tokens", "special_hidden", "lens_scores"}
    assert not window.commands.action("pairing_AB").isEnabled()
    do(qtbot, window, "lens_weights")
    do(qtbot, window, "special_shown")
    state.update(text="Tom lost the kite .", text_pair="he was tired .")
    do(qtbot, window, "run")
    qtbot.waitUntil(lambda: window.commands.action("pairing_AB").isEnabled(), timeout=PATIENCE)
    do(qtbot, window, "pairing_AB")
    assert state.pairing == "AB"


def test_all_heads_of_the_layer_and_only_one(qtbot, window: MainWindow) -> None:
    state = window.state
    window.explorer.select_head((1, 2))
    qtbot.waitUntil(lambda: state.head == (1, 2), timeout=PATIENCE)
    do(qtbot, window, "whole_layer")
    qtbot.waitUntil(lambda: state.heads == ((1, 0), (1, 1), (1, 2), (1, 3)), timeout=PATIENCE)
    assert state.head == (1, 2)
    do(qtbot, window, "one_head")
    assert state.heads == ((1, 2),)


def test_whatever_is_chosen_actions_are_as_their_rules_say(qtbot, own_window: MainWindow) -> None:
    window = own_window

    def stale() -> list[str]:
        found = []
        for command in COMMANDS:
            action, is_checked = (
                window.commands.action(command.id),
                command.checked is not None and command.checked(window.context),
            )
            if (action.isEnabled(), action.isChecked()) != (command.enabled(window.state), is_checked):
                found.append(command.id)
        return found

    choices = (
        "next_head",
        "whole_layer",
        "one_head",
        "sort_entropy",
        "undo",
        "redo",
        "units_words",
        "lens_scores",
        "clear_marks",
    )
    for choice in choices:
        window.commands.action(choice).trigger()
        settle(qtbot, window.state)
        assert stale() == [], choice


def test_steps_of_a_generation_are_walked_through(qtbot, open_window: Callable) -> None:
    window = open_window("toy:tales", "once upon a time")
    state = window.state
    assert not window.commands.action("previous_step").isEnabled()
    window.panel("generation").fields.max_new_tokens.setValue(4)
    do(qtbot, window, "generate")
    do(qtbot, window, "previous_step")
    qtbot.waitUntil(lambda: state.step == 2, timeout=PATIENCE)
    do(qtbot, window, "previous_step")
    qtbot.waitUntil(lambda: state.step == 1, timeout=PATIENCE)
    do(qtbot, window, "next_step")
    qtbot.waitUntil(lambda: state.step == 2, timeout=PATIENCE)
    do(qtbot, window, "last_step")
    qtbot.waitUntil(lambda: state.step is None, timeout=PATIENCE)


def test_the_tool_bars_find_button_opens_the_palette(qtbot, window: MainWindow) -> None:
    qtbot.mouseClick(window.toolbar.search, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    palette = QApplication.activePopupWidget()
    assert isinstance(palette, Palette)
    palette.close()
