"""The whole way with real clicks in the real window: from start to an exported file."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QAction, QColor
from PySide6.QtWidgets import QApplication, QDialog, QFileDialog
from shiboken6 import isValid

from headscope.core.models.examples import examples_for
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.window.actions import COMMANDS
from headscope.gui.window.export_dialog import ExportDialog
from headscope.gui.window.layouts import EXPLORE
from headscope.gui.window.main_window import MainWindow
from headscope.gui.words.notices import Busy
from tests import allowed
from tests.gui.screen import PATIENCE, color_of, n_colors, settle, shown, values
from tests.installed_models import REACTION, albert

LEFT, NONE, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
THEME = theme_of(dark=False)


@pytest.fixture
def window(qtbot, settings, open_window: Callable) -> MainWindow:
    settings.setValue("appearance", "light")
    return open_window("toy:grammar")


def click(qtbot, widget, point: QPoint | None = None, modifiers=NONE) -> None:
    qtbot.mouseClick(widget, LEFT, modifiers, point if point is not None else widget.rect().center())


def write(qtbot, window: MainWindow, text: str) -> None:
    """Type a text and press Enter."""
    window.text.text.selectAll()
    qtbot.keyClicks(window.text.text, text)
    qtbot.keyClick(window.text.text, Qt.Key.Key_Return)
    settle(qtbot, window.state)


def click_token(qtbot, window: MainWindow, label: str) -> None:
    strip = window.text.strip
    click(qtbot, strip.viewport(), strip.point_of(strip.axis.labels.index(label)))
    settle(qtbot, window.state)


def click_head(qtbot, window: MainWindow, head: tuple[int, int], modifiers=NONE) -> None:
    view = window.panel("heads").view
    click(qtbot, view.viewport(), view.layout_now.box(head).center().toPoint(), modifiers)


def wait_for_every_head(qtbot, window: MainWindow) -> None:
    state = window.state
    qtbot.waitUntil(lambda: state.thumbnails is not None and not np.isnan(state.thumbnails).any(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not window.explorer._pictures._lane.is_busy, timeout=PATIENCE)


def assert_picture_is_of(window: MainWindow, head: tuple[int, int]) -> None:
    """Heatmap and links show this head, cell by cell."""
    state, view = window.state, window.panel("heatmap").view
    weights = state.record.attention_weights(*head, state.kind)
    assert state.head == head
    np.testing.assert_array_equal(view.picture.weights, weights)
    np.testing.assert_array_equal(window.panel("links").view.picture.weights[head], weights)
    image, layout = shown(view), view.layout_now()
    for query, key in ((0, 0), (1, 1), (len(weights) - 1, 0)):
        assert image.pixelColor(layout.cell_rect(query, key).center().toPoint()) == color_of(weights[query, key], THEME)


def file_dialog(qtbot, parent) -> QFileDialog:
    qtbot.waitUntil(lambda: parent.findChild(QFileDialog) is not None)
    return parent.findChild(QFileDialog)


def export(qtbot, window: MainWindow, path: Path, what: str, form: str) -> None:
    """File → Export…, choose, click, name the file."""
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    window.commands.action("export").trigger()
    dialog = window.findChild(ExportDialog)
    dialog.what.setCurrentIndex(dialog.what.findData(what))
    dialog.form.setCurrentIndex(dialog.form.findData(form))
    click(qtbot, dialog.write)
    files = file_dialog(qtbot, dialog)
    files.selectFile(str(path))
    files.accept()
    qtbot.waitUntil(lambda: window.state.busy is None and path.exists(), timeout=PATIENCE)
    assert window.notice.text == f"Saved {path}"


# ---------------------------------------------------------------- from start to a file
def test_the_grammar_toy_from_start_to_an_exported_file(qtbot, window: MainWindow, tmp_path: Path) -> None:
    state = window.state
    assert window.isVisible()
    assert_picture_is_of(window, state.head)
    write(qtbot, window, "the keys near the cabinet are rusty .")
    click_token(qtbot, window, "are")
    assert state.text == "the keys near the cabinet [MASK] rusty ."
    assert window.text.text.toPlainText() == state.text
    block = window.panel("predictions").blocks[0]
    assert block.bars.bars[0].label == "are"
    row = next(row for row, bar in enumerate(block.bars.bars) if bar.label != "are")
    label = block.bars.bars[row].label
    click(qtbot, block.bars, block.bars.row_rect(row).center().toPoint())
    settle(qtbot, state)
    assert state.text == f"the keys near the cabinet {label} rusty ."
    wait_for_every_head(qtbot, window)
    click_head(qtbot, window, (1, 2))
    assert_picture_is_of(window, (1, 2))
    for key, head in ((Qt.Key.Key_Right, (1, 3)), (Qt.Key.Key_Up, (0, 3)), (Qt.Key.Key_Left, (0, 2))):
        qtbot.keyClick(window.panel("heads").view, key)
        assert_picture_is_of(window, head)
    click_head(qtbot, window, (1, 0), CTRL)
    assert state.heads == ((0, 2), (1, 0))
    assert set(window.panel("links").view.picture.weights) == {(0, 2), (1, 0)}
    links = window.panel("links").view
    qtbot.mouseMove(links.viewport(), links.layout_now.label_box(2, left=True).center().toPoint())
    assert state.hover == Cell(query=2)
    assert window.panel("heatmap").view._focus == (2, None)
    export(qtbot, window, tmp_path / "head.pdf", "heatmap", "pdf")
    export(qtbot, window, tmp_path / "heads.npz", "all_weights", "npz")
    with np.load(tmp_path / "heads.npz") as arrays:
        np.testing.assert_allclose(arrays["encoder_attention"][1, 0], state.shown, atol=allowed.of_blocks(state.shown))


def test_the_tales_toy_writes_stops_and_is_exported(qtbot, open_window: Callable, tmp_path: Path) -> None:
    window = open_window("toy:tales")
    state = window.state
    write(qtbot, window, "once upon a time")
    window.panel("generation").fields.max_new_tokens.setValue(5)
    click(qtbot, window.toolbar.generate)
    assert window.toolbar.stop.isEnabled()
    settle(qtbot, state)
    assert len(state.steps) == 5
    assert window.text.text.toPlainText() == state.text == state.steps[-1].text
    assert len(state.queries) == state.shown.shape[0] >= 8
    window.panel("generation").fields.max_new_tokens.setValue(100)
    window.panel("generation").fields.temperature.setValue(1.5)
    click(qtbot, window.toolbar.generate)
    qtbot.waitUntil(lambda: len(state.steps) >= 2, timeout=PATIENCE)
    click(qtbot, window.toolbar.stop)
    settle(qtbot, state)
    assert 2 <= len(state.steps) < 100
    assert not window.toolbar.stop.isEnabled()
    export(qtbot, window, tmp_path / "links.svg", "links", "svg")
    drawn = {element.text for element in ET.parse(tmp_path / "links.svg").getroot().iter()}
    assert set(state.queries.labels[:3]) <= drawn


def test_a_model_of_96_heads_from_start_to_an_exported_file(qtbot, open_window: Callable, tmp_path: Path) -> None:
    try:
        folder = albert()
    except FileNotFoundError:
        pytest.skip("the package rxnmapper is not installed")
    window = open_window(str(folder), REACTION)
    state = window.state
    assert state.notice is None
    assert state.model.layers == {"encoder": (12, 8)}
    wait_for_every_head(qtbot, window)
    click_head(qtbot, window, (10, 5))
    qtbot.waitUntil(lambda: state.head == (10, 5), timeout=PATIENCE)
    assert_picture_is_of(window, (10, 5))
    label = next(token.text for token in state.queries.tokens if token.text == "F")
    click_token(qtbot, window, label)
    assert len(state.predictions) == 1
    assert window.panel("predictions").blocks[0].bars.bars[0].label == "F"
    export(qtbot, window, tmp_path / "head.png", "heatmap", "png")


# ---------------------------------------------------------------- models
def with_model_menu(qtbot, window: MainWindow, act: Callable) -> None:
    """Open the model menu, do something in it; it must be closed again then."""
    menu = window.picker._model_button.menu()

    def later() -> None:
        act(menu)
        menu.close()

    QTimer.singleShot(0, window, later)
    window.commands.action("open_name").trigger()
    qtbot.waitUntil(lambda: not menu.isVisible())


def test_another_model_is_chosen_in_the_menu(qtbot, window: MainWindow) -> None:
    state = window.state
    qtbot.waitUntil(lambda: state.catalogue is not None, timeout=PATIENCE)
    with_model_menu(
        qtbot, window, lambda menu: next(action for action in menu.actions() if action.text().startswith("toy:tales")).trigger()
    )
    qtbot.waitUntil(lambda: state.model.name == "toy:tales" and state.busy is None, timeout=PATIENCE)
    assert window.picker._model_button.value == "toy:tales"
    assert state.kind == "decoder"
    assert not window.text.add_pair.isVisible()
    assert window.panel("generation").write.text() == "Generate"
    assert_picture_is_of(window, state.head)


@pytest.mark.parametrize("name", ["no-such/model", "/no/such/folder", "toy:nothing", "../..", "🙂"])
def test_a_name_that_is_no_model_is_said_and_everything_stays(qtbot, window: MainWindow, name: str) -> None:
    state = window.state
    write(qtbot, window, "the cat sleeps .")
    before = state.model, state.record, state.text, state.head
    picture = values(shown(window.panel("heatmap").view))

    def type_name(_menu) -> None:
        field = window.picker.name_field
        field.setText(name)
        qtbot.keyClick(field, Qt.Key.Key_Return)

    with_model_menu(qtbot, window, type_name)
    qtbot.waitUntil(lambda: state.notice is not None and state.busy is None, timeout=PATIENCE)
    assert window.notice.isVisible()
    assert window.notice.text
    assert "inside Headscope" not in window.notice.text
    assert (state.model, state.record, state.text, state.head) == before
    window._dismiss()
    assert not window.notice.isVisible()
    qtbot.waitUntil(lambda: np.array_equal(values(shown(window.panel("heatmap").view)), picture))
    write(qtbot, window, "cats sleep .")
    assert state.queries.text == "cats sleep ."


def test_every_example_is_chosen_in_its_menu(qtbot, window: MainWindow) -> None:
    state = window.state
    examples, actions = examples_for(state.model), window.menus.examples.actions()
    assert actions[len(examples)].isSeparator()
    for example, action in zip(examples, actions, strict=False):
        action.trigger()
        settle(qtbot, state)
        assert state.queries.text == window.text.text.toPlainText() == state.text == example.text
        assert window.text.pair.toPlainText() == (example.pair or "")
        assert state.head == (example.head or state.head)


# ---------------------------------------------------------------- commands in any state
def close_what_opened(window: MainWindow) -> None:
    """Menus and dialogs, whichever a command opened."""
    if (popup := QApplication.activePopupWidget()) is not None:
        popup.close()
    for dialog in window.findChildren(QDialog):
        dialog.close()


@pytest.mark.parametrize("when", ["before the model", "busy", "with a picture"])
def test_every_command_can_be_given_at_any_time(qtbot, open_window: Callable, when: str) -> None:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    window = open_window("toy:tales", wait=when != "before the model")
    closing = QTimer(window)
    closing.timeout.connect(lambda: close_what_opened(window))
    closing.start(20)
    assert window.commands.action("run").isEnabled() is (when != "before the model")
    for command in COMMANDS:
        if when == "busy" and window.state.busy is None:
            window.commands.action("generate").trigger()
        if command.id != "quit":
            window.commands.action(command.id).trigger()
            QApplication.processEvents()
    window.explorer.stop()
    settle(qtbot, window.state)
    assert window.state.notice is None or "inside Headscope" not in window.state.notice.message
    assert window.isVisible()
    closing.stop()
    close_what_opened(window)
    window.commands.action("quit").trigger()
    qtbot.waitUntil(lambda: not isValid(window))


def test_commands_move_from_head_to_head_and_stop_at_the_edges(qtbot, window: MainWindow) -> None:
    wait_for_every_head(qtbot, window)
    click_head(qtbot, window, (0, 0))
    heads = []
    for id_ in ("next_head", "next_layer", "next_layer", "previous_head", "previous_head", "previous_layer"):
        window.commands.action(id_).trigger()
        heads.append(window.state.head)
    assert heads == [(0, 1), (1, 1), (1, 1), (1, 0), (1, 0), (0, 0)]


def test_no_two_commands_have_the_same_keys(window: MainWindow) -> None:
    """Esc stops what is busy, and ends a presentation only when nothing is."""
    commands = [command for command in COMMANDS if command.id != "stop_presenting"]
    keys = [shortcut.toString() for command in commands for shortcut in window.commands.action(command.id).shortcuts()]
    assert len(keys) == len(set(keys))
    for busy in (None, Busy("")):
        window.state.update(busy=busy, presenting=True)
        assert window.commands.action("stop").isEnabled() is not window.commands.action("stop_presenting").isEnabled()
    window.state.update(busy=None, presenting=False)


def test_shortcuts_work_from_the_text_field(qtbot, window: MainWindow) -> None:
    state = window.state
    window.activateWindow()
    window.text.text.setFocus()
    qtbot.waitUntil(window.text.text.hasFocus)
    window.text.text.selectAll()
    qtbot.keyClicks(window.text.text, "dogs bark .")
    qtbot.keyClick(window.text.text, Qt.Key.Key_F5)
    settle(qtbot, state)
    assert state.queries.text == "dogs bark ."
    window.explorer.select_head((0, 0))
    qtbot.waitUntil(lambda: state.head == (0, 0), timeout=PATIENCE)
    qtbot.keyClick(window.text.text, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: state.head == (0, 1), timeout=PATIENCE)


# ---------------------------------------------------------------- looks and layout
def in_menus(window: MainWindow) -> dict[str, QAction]:
    """Every action in the menus and their submenus, by its words."""
    menus = [action.menu() for action in window.menuBar().actions()]
    for menu in menus:
        menus += [action.menu() for action in menu.actions() if action.menu() is not None]
    return {action.text(): action for menu in menus for action in menu.actions()}


def test_light_and_dark_repaint_everything(qtbot, window: MainWindow) -> None:
    looks = []
    for words in ("Dark", "Light"):
        in_menus(window)[words].trigger()
        theme = theme_of(words == "Dark")
        assert window.state.dark is theme.dark
        QApplication.processEvents()
        for view in (
            window.panel("heatmap").view,
            window.panel("links").view.viewport(),
            window.panel("heads").view.viewport(),
        ):
            assert QColor(int(values(shown(view))[1, 1])) == QColor(theme.panel), view
        seen = shown(window)
        assert (values(seen) == QColor(theme.panel).rgb()).mean() > 0.2
        assert n_colors(seen) > 100
        looks.append(values(seen))
    assert (looks[0] != looks[1]).mean() > 0.9
    assert window.appearance.choice == "light"


def test_layout_and_appearance_are_kept_for_the_next_start(qtbot, open_window: Callable) -> None:
    first = open_window("toy:grammar", wait=False)
    first.appearance.choose("dark")
    first.resize(first.minimumSizeHint().width(), 701)
    first.choose_layout("compare")
    first.desk.docks["predictions"].close()
    first.desk.docks["links"].setFloating(True)
    QApplication.processEvents()
    widths = [first.desk.docks[name].width() for name in ("heads", "heatmap")]
    first.close()
    second = open_window("toy:grammar", wait=False)
    QApplication.processEvents()
    assert second.height() == 701
    assert second.desk.layout_now.id == "compare"
    assert not second.desk.is_open("predictions")
    assert second.desk.docks["links"].isFloating()
    assert second.state.dark
    np.testing.assert_allclose([second.desk.docks[name].width() for name in ("heads", "heatmap")], widths, atol=30)
    second.commands.action("reset_layout").trigger()
    assert second.desk.is_open("predictions")
    assert not second.desk.docks["links"].isFloating()
    second.appearance.choose("light")


def test_on_a_much_smaller_screen_the_views_are_laid_anew(settings, open_window: Callable) -> None:
    first = open_window("toy:grammar", wait=False)
    first.resize(2560, 1440)
    first.reset_layout()
    QApplication.processEvents()
    assert first.desk.is_seen("text"), "beside the heatmap, in front of nothing"
    height = first.desk.height()
    first.close()
    settings.remove("window/geometry")  # Qt moves a window into the screen that is there
    second = open_window("toy:grammar", wait=False)
    QApplication.processEvents()
    assert second.desk.height() < 0.75 * height
    assert not second.desk.is_seen("text")
    assert second.desk.docks["text"] in second.desk.tabifiedDockWidgets(second.desk.docks["heatmap"])


def test_settings_that_are_nonsense_do_no_harm(settings, open_window: Callable) -> None:
    names = ("geometry", "docks", "desk", "layout_name")
    others = (
        "appearance",
        "type_size",
        "cache_size",
        "session/views",
        "models/recent",
        "models/device",
        "models/dtype",
        "texts/recent",
    )
    for name in (*(f"window/{name}" for name in names), *others):
        settings.setValue(name, "[non/sense")
    window = open_window("toy:grammar")
    assert window.isVisible()
    assert window.desk.layout_now is EXPLORE
    assert all(window.desk.is_seen(name) for name in ("heads", "heatmap", "links", "predictions"))
    assert (window.preferences.type_size, window.preferences.device, window.preferences.dtype) == (100, "auto", "auto")
    assert window.state.record is not None
