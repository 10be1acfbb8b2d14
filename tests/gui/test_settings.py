"""Settings hold at once and for the next start; files that are dropped are opened; texts of late are kept."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QPointF, QSettings, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QComboBox, QWidget

from headscope.core.files.text_file import LARGEST_TEXT_FILE
from headscope.core.text.prompt import Prompt
from headscope.gui.paint.theme import type_style
from headscope.gui.session.preferences import Preferences
from headscope.gui.session.recent_prompts import MOST, RecentPrompts
from headscope.gui.session.session import Session
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.preferences_dialog import SettingsDialog
from tests.gui.screen import PATIENCE, settle


@pytest.fixture
def window(open_window: Callable) -> MainWindow:
    return open_window("toy:grammar")


@pytest.fixture
def dialog(qtbot, window: MainWindow) -> SettingsDialog:
    window.commands.action("settings").trigger()
    return window.findChild(SettingsDialog)


def choose(qtbot, box: QComboBox, data: object) -> None:
    """With the keyboard, as far down as it takes."""
    box.setFocus()
    while box.currentData() != data:
        qtbot.keyClick(box, Qt.Key.Key_Down if box.currentIndex() < box.findData(data) else Qt.Key.Key_Up)


# ---------------------------------------------------------------- settings
def test_settings_hold_at_once_and_for_the_next_start(qtbot, window: MainWindow, dialog, open_window: Callable) -> None:
    choose(qtbot, dialog.look, "dark")
    assert window.state.dark
    window.commands.action("larger_type").trigger()
    assert dialog.type_size.currentData() == 110
    choose(qtbot, dialog.type_size, 150)
    assert type_style().scale == 1.5
    choose(qtbot, dialog.cache_size, 512)
    assert window.explorer._pictures._cache.limit == 512 * 2**20
    choose(qtbot, dialog.dtype, "float16")
    qtbot.waitUntil(lambda: window.state.model.dtype == "float16" and window.state.busy is None, timeout=PATIENCE)
    window.close()
    second = open_window("toy:grammar")
    assert second.state.dark
    assert type_style().scale == 1.5
    assert second.state.model.dtype == "float16"
    assert second.state.undoable == 0  # settings that come back are no changes
    assert second.explorer._pictures._cache.limit == 512 * 2**20
    second.appearance.choose("light")
    second.appearance.choose_type(100)


def test_the_dialog_shows_what_holds(qtbot, settings: QSettings, open_window: Callable) -> None:
    settings.setValue("models/device", "cuda:7")  # one that is not here today stays chosen
    window = open_window("toy:grammar", wait=False)
    qtbot.waitUntil(lambda: window.state.notice is not None, timeout=PATIENCE)
    assert "cuda:7" in window.state.notice.message
    window.show_settings()
    assert window.findChild(SettingsDialog).device.currentData() == "cuda:7"
    window.preferences.device = "auto"
    window.picker.load("toy:grammar")
    qtbot.waitUntil(lambda: window.state.model is not None and window.state.busy is None, timeout=PATIENCE)


@pytest.mark.parametrize("nonsense", ["[non/sense", "-1", "1e9", b"\0", [], {"a": 1}, 99])
def test_damaged_values_count_as_not_set(tmp_path: Path, nonsense) -> None:
    settings = QSettings(str(tmp_path / "damaged.ini"), QSettings.Format.IniFormat)
    for key in ("appearance", "type_size", "models/device", "models/dtype", "cache_size"):
        settings.setValue(key, nonsense)
    kept = Preferences(settings)
    assert (kept.look, kept.type_size, kept.dtype, kept.cache_size) == ("system", 100, "auto", 256)
    assert kept.device in {"auto", "1e9"}  # which is asked for, and refused in a sentence


def test_type_steps_through_its_sizes_and_stops_at_the_ends(window: MainWindow) -> None:
    sizes = []
    for id_ in (*["larger_type"] * 6, *["smaller_type"] * 8, "usual_type"):
        window.commands.action(id_).trigger()
        sizes.append(window.preferences.type_size)
    assert sizes == [110, 125, 150, 175, 200, 200, 175, 150, 125, 110, 100, 90, 80, 80, 100]
    assert type_style().scale == 1.0


# ---------------------------------------------------------------- recent texts
def test_texts_that_were_run_are_kept_latest_first(qtbot, window: MainWindow, settings: QSettings) -> None:
    first = window.state.text
    for text in ("dogs bark .", "cats sleep .", first):
        window.state.update(text=text)
        window.explorer.run()
        settle(qtbot, window.state)
    expected = [first, "cats sleep .", "dogs bark ."]
    assert [text.text for text in window.recent.texts] == expected
    assert [text.text for text in RecentPrompts(window.state, settings, window).texts] == expected
    actions = window.menus.recent.actions()
    assert [action.text() for action in actions] == expected
    actions[1].trigger()
    settle(qtbot, window.state)
    assert window.state.queries.text == "cats sleep ."


def test_only_so_many_texts_are_kept_and_they_can_be_forgotten(qtbot, window: MainWindow, dialog) -> None:
    for number in range(MOST + 5):
        window.state.update(text=f"text {number}", run=replace(window.state.run, seconds=float(number)))
    assert len(window.recent.texts) == MOST
    assert window.recent.texts[0] == Prompt(f"text {MOST + 4}")
    dialog.forget.setEnabled(True)
    qtbot.mouseClick(dialog.forget, Qt.MouseButton.LeftButton)
    assert window.recent.texts == ()
    assert not window.menus.recent.isEnabled()


@pytest.mark.parametrize("kept", ["[", '{"a": 1}', '[1, {"text": 2}, {"text": "a"}]', 7])
def test_damaged_recent_texts_are_left_out(settings: QSettings, kept) -> None:
    settings.setValue("texts/recent", kept)
    assert RecentPrompts(Session(), settings).texts == ()


# ---------------------------------------------------------------- files that are dropped
def drop(target: QWidget, *paths: Path) -> bool:
    """Drag files onto a widget and let go, as the desktop would; whether they were taken."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    actions, button, keys = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(QPoint(20, 20), actions, data, button, keys)
    QApplication.sendEvent(target, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(target, QDropEvent(QPointF(20, 20), actions, data, button, keys))
    return True


def test_a_text_file_is_read_and_run_and_the_text_before_comes_back(qtbot, window: MainWindow, tmp_path: Path) -> None:
    path, before = tmp_path / "naïve file.txt", window.state.text
    path.write_bytes("the café\r\nis old .".encode("utf-16"))
    assert drop(window, path)
    settle(qtbot, window.state)
    assert window.state.text == "the café\nis old ."
    assert window.state.queries.text == window.state.text
    window.history.undo()
    qtbot.waitUntil(lambda: window.state.queries.text == before, timeout=PATIENCE)
    assert window.state.text == before


def test_a_file_that_is_no_text_or_too_long_is_refused_in_a_sentence(qtbot, window: MainWindow, tmp_path: Path) -> None:
    text = window.state.text
    binary, long, gone = tmp_path / "picture.png", tmp_path / "long.txt", tmp_path / "gone.txt"
    binary.write_bytes(b"\x89PNG\0\0\x01\xff")
    long.write_bytes(b"a " * (LARGEST_TEXT_FILE // 2 + 1))
    for path, said in ((binary, "is not a text file"), (long, "1 MB"), (gone, "cannot be read")):
        assert drop(window, path)
        qtbot.waitUntil(lambda: window.state.notice is not None, timeout=PATIENCE)
        assert said in window.state.notice.message
        assert window.state.text == text
        assert window.state.busy is None
        window._dismiss()


@pytest.mark.skipif(os.name == "nt", reason="files of POSIX")
def test_a_pipe_or_a_device_holds_up_no_window(qtbot, window: MainWindow, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.txt")
    os.mkfifo(tmp_path / "pipe.gguf")
    for path in (tmp_path / "pipe.txt", Path("/dev/zero"), tmp_path / "pipe.gguf"):
        assert drop(window, path)
        qtbot.waitUntil(lambda: window.state.notice is not None, timeout=PATIENCE)
        assert window.state.notice.message.startswith(str(path))
        window._dismiss()


def test_a_folder_is_opened_as_a_model(qtbot, window: MainWindow, tmp_path: Path) -> None:
    assert drop(window, tmp_path)
    qtbot.waitUntil(lambda: window.state.notice is not None, timeout=PATIENCE)
    assert "does not contain a model" in window.state.notice.message


def test_a_file_over_the_text_field_is_the_windows_and_text_is_the_fields(window: MainWindow, tmp_path: Path) -> None:
    field = window.text.text
    files, words = QMimeData(), QMimeData()
    files.setUrls([QUrl.fromLocalFile(str(tmp_path))])
    words.setText("dogs")
    assert not field.canInsertFromMimeData(files)
    assert field.canInsertFromMimeData(words)
    assert not drop(window, *[])


def test_the_open_text_command_asks_for_a_file(qtbot, window: MainWindow, tmp_path: Path) -> None:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    path = tmp_path / "story.txt"
    path.write_text("dogs bark .", encoding="utf-8")
    window.commands.action("open_text").trigger()
    from PySide6.QtWidgets import QFileDialog

    dialog = window.findChild(QFileDialog)
    dialog.selectFile(str(path))
    dialog.accept()
    settle(qtbot, window.state)
    assert window.state.text == "dogs bark ."
