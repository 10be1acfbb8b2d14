"""The first picture is there with the first paint: kept as numbers, marked, confirmed by the model, and believed only if sound."""

import json
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSettings

from headscope.core.options import Sampling
from headscope.gui.app.application import create_window
from headscope.gui.session.kept_picture import MOST_BYTES, KeptPicture, picture_file, read_picture
from headscope.gui.session.selection import Cell
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.preferences_dialog import SettingsDialog
from headscope.gui.window.status import StatusPanel
from headscope.resources import first_picture_file
from tests.allowed import of_weights
from tests.first_picture import computed
from tests.real_window import close, has_run, wait_until

TEXT = "the dog behind the cats [MASK] in the garden ."


def is_on_screen(window: MainWindow) -> bool:
    return window.panel("heatmap").view.picture is not None


def shown(window: MainWindow) -> np.ndarray:
    return window.panel("heatmap").view.picture.weights


def status(window: MainWindow) -> str:
    return window.findChild(StatusPanel)._right.text()


@pytest.fixture
def started(settings: QSettings):
    """Opens windows as a start does, without a name of a model."""
    windows = []

    def start(*, until: Callable[[MainWindow], bool] | None = None) -> MainWindow:
        window = create_window(None, None, settings)
        windows.append(window)
        painted: list[bool] = []
        window.first_painted.connect(lambda: painted.append(True))
        window.show()
        wait_until(lambda: bool(painted) if until is None else until(window))
        return window

    yield start
    for window in windows:
        close(window)


@pytest.fixture
def used(started, settings: QSettings) -> Path:
    """A file of a session in which another text and head were looked at."""
    window = started(until=has_run)
    window.state.update(text=TEXT)
    window.explorer.run()
    wait_until(lambda: window.state.run.text == TEXT and has_run(window))
    window.explorer.select_head((0, 2))
    wait_until(lambda: window.state.head == (0, 2))
    close(window)
    return picture_file(settings)


# ---------------------------------------------------------------- what is shipped
def test_the_shipped_picture_is_what_the_model_computes() -> None:
    kept, now = read_picture(first_picture_file()), computed()
    assert (kept.source, kept.prompt, kept.kind, kept.head) == (now.source, now.prompt, now.kind, now.head)
    assert (kept.queries, kept.keys) == (now.queries, now.keys)
    np.testing.assert_allclose(kept.weights, now.weights, rtol=0, atol=of_weights(now.weights))


def test_the_first_start_paints_it_with_the_first_paint(started) -> None:
    window = started()
    assert is_on_screen(window) and window.state.kept and window.state.record is None
    np.testing.assert_array_equal(shown(window), read_picture(first_picture_file()).weights)
    assert window.state.text == read_picture(first_picture_file()).prompt.text
    assert "being confirmed" in status(window)


def test_the_model_confirms_it_and_nothing_else_changes(started) -> None:
    window = started()
    before, text, head = shown(window).copy(), window.state.text, window.state.head
    window.state.update(hover=Cell(6, 2))
    places = {name: dock.geometry() for name, dock in window.desk.docks.items()}
    wait_until(lambda: has_run(window))
    assert not window.state.kept and window.state.record is not None
    np.testing.assert_allclose(shown(window), before, rtol=0, atol=of_weights(before))
    assert (window.state.text, window.state.head, window.state.hover) == (text, head, Cell(6, 2))
    assert {name: dock.geometry() for name, dock in window.desk.docks.items()} == places
    assert "being confirmed" not in status(window)
    assert window.state.undoable == 0


def test_another_model_s_example_replaces_the_shipped_one(started) -> None:
    window = started(until=has_run)
    window.explorer.load("toy:tales")
    wait_until(lambda: window.state.model.name == "toy:tales" and has_run(window))
    assert window.state.text != read_picture(first_picture_file()).prompt.text


def test_nothing_slow_is_imported_before_the_first_paint(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from PySide6.QtCore import QSettings\n"
        "from PySide6.QtWidgets import QApplication\n"
        "from headscope.gui.app.application import create_window, prepare\n"
        "application = QApplication([]); prepare(application)\n"
        f"settings = QSettings({str(tmp_path / 's.ini')!r}, QSettings.Format.IniFormat)\n"
        "window = create_window(None, None, settings)\n"
        "def told():\n"
        "    print(*sorted(name for name in sys.modules)); window.close()\n"
        "window.first_painted.connect(told); window.show(); application.exec()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=dict(os.environ))
    loaded = set(ran.stdout.split())
    assert "headscope.gui.views.heatmap.panel" in loaded
    slow = {"torch", "transformers", "safetensors", "regex", "pyqtgraph", "headscope.core.engine.engine"}
    assert loaded & slow == set()
    views = {name.split(".")[3] for name in loaded if name.startswith("headscope.gui.views.") and name.endswith(".panel")}
    assert views == {"heatmap"}


# ---------------------------------------------------------------- what is kept
def test_the_last_head_comes_back_with_the_first_paint(started, used: Path) -> None:
    assert used.stat().st_size <= MOST_BYTES
    window = started()
    assert window.state.kept and is_on_screen(window)
    assert (window.state.text, window.state.head) == (TEXT, (0, 2))
    before = shown(window).copy()
    wait_until(lambda: has_run(window))
    np.testing.assert_array_equal(shown(window), before)  # bit for bit, on the same computer
    assert not window.state.kept


def test_hover_says_a_cell_s_value_before_the_model_is_there(started, used: Path) -> None:
    window = started()
    window.state.update(hover=Cell(1, 2))
    assert window.state.value(1, 2) == read_picture(used).weights[1, 2]
    assert f"{read_picture(used).queries.tokens[1].text} →" in window.findChild(StatusPanel)._left.text()


def test_numbers_that_the_model_does_not_confirm_are_replaced(started, used: Path) -> None:
    kept = read_picture(used)
    used.write_bytes(replace(kept, weights=kept.weights[::-1].copy()).to_bytes())
    window = started()
    np.testing.assert_array_equal(shown(window), kept.weights[::-1])
    wait_until(lambda: has_run(window))
    np.testing.assert_array_equal(shown(window), kept.weights)


def test_another_head_that_is_chosen_meanwhile_waits_for_the_model(started, used: Path) -> None:
    window = started()
    window.explorer.select_head((1, 1))
    assert window.state.shown is None
    wait_until(lambda: has_run(window))
    assert window.state.head == (1, 1)
    assert window.state.shown is not None


def test_commands_that_need_the_run_wait_for_it(started) -> None:
    window = started()
    assert not window.commands.action("export").isEnabled()
    wait_until(lambda: has_run(window))
    assert window.commands.action("export").isEnabled()


def test_a_model_that_is_gone_leaves_no_picture(started, settings: QSettings, used: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()  # no model
    kept = read_picture(used)
    used.write_bytes(replace(kept, source=str(gone)).to_bytes())
    last = json.loads(settings.value("session/last"))
    settings.setValue("session/last", json.dumps(last | {"source": str(gone)}))
    window = started()
    assert window.state.kept
    wait_until(lambda: window.state.notice is not None and window.state.busy is None)
    assert not window.state.kept and window.state.shown is None
    assert window.state.text == TEXT


def test_what_was_written_or_read_otherwise_is_not_kept(started, used: Path) -> None:
    window = started(until=has_run)
    window.explorer.set_units(replace(window.state.units, of="words"))
    wait_until(lambda: window.state.units.of == "words")
    close(window)
    assert not used.exists()
    window = started()
    assert not window.state.kept


def test_a_text_that_is_too_long_is_not_kept(started, used: Path) -> None:
    window = started(until=has_run)
    window.explorer.load("toy:tales")
    wait_until(lambda: window.state.model.name == "toy:tales" and has_run(window))
    window.explorer.generate(120, Sampling(temperature=1.0, seed=3))
    wait_until(lambda: has_run(window) and len(window.state.steps) > 0)
    close(window)
    assert not used.exists()


# ---------------------------------------------------------------- who does not want it
def test_the_setting_removes_it_and_keeps_it_from_coming_back(started, used: Path) -> None:
    window = started(until=has_run)
    window.show_settings()
    dialog = window.findChild(SettingsDialog)
    dialog.keep_picture.setCurrentIndex(dialog.keep_picture.findData(False))
    dialog.keep_picture.activated.emit(dialog.keep_picture.currentIndex())
    dialog.close()
    assert not used.exists()
    close(window)
    assert not used.exists()
    window = started()
    assert not window.state.kept
    assert window.state.text == TEXT  # the session itself comes back


def test_clearing_recent_texts_clears_it(started, used: Path) -> None:
    window = started(until=has_run)
    window.recent.forget()
    assert not used.exists()


# ---------------------------------------------------------------- what is damaged
def damages(sound: bytes) -> dict[str, bytes]:
    line, _, numbers = sound.partition(b"\n")
    about = json.loads(line)

    def with_(**values: object) -> bytes:
        return json.dumps(about | values).encode() + b"\n" + numbers

    nan = struct.pack("<f", float("nan"))
    return {
        "empty": b"",
        "cut off": sound[:-3],
        "a number more": sound + nan,
        "not a number": sound[:-4] + nan,
        "no JSON": b"{" + sound,
        "no text": b"\xff\xfe\n" + numbers,
        "a list": b"[]\n" + numbers,
        "nested": b"[" * 50_000 + b"\n",
        "another version": with_(version=2),
        "no version": with_(version=None),
        "no tokens": with_(queries={**about["queries"], "tokens": []}),
        "tokens that are none": with_(queries={**about["queries"], "tokens": [1, 2]}),
        "a head below 0": with_(head=[-1, 0]),
        "too large": with_(source="x" * MOST_BYTES),
        "a pickle": b"\x80\x04\x95\x00\n" + numbers,
    }


@pytest.mark.parametrize("damage", damages(b'{"queries":{}}\n'))
def test_a_damaged_file_is_passed_over(started, used: Path, damage: str) -> None:
    used.write_bytes(damages(used.read_bytes())[damage])
    assert read_picture(used) is None
    if damage in ("cut off", "nested", "another version"):
        window = started()
        assert not window.state.kept
        assert window.state.notice is None
        wait_until(lambda: has_run(window))
        assert (window.state.text, window.state.head) == (TEXT, (0, 2))


def test_what_is_no_file_is_passed_over(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert read_picture(tmp_path / "pipe") is None
    assert read_picture(tmp_path) is None
    assert read_picture(tmp_path / "nothing") is None


def test_it_comes_back_as_it_was_written() -> None:
    kept = read_picture(first_picture_file())
    again = KeptPicture.from_bytes(kept.to_bytes())
    assert (again.queries, again.keys, again.prompt, again.head) == (kept.queries, kept.keys, kept.prompt, kept.head)
    np.testing.assert_array_equal(again.weights, kept.weights)
    other = replace(kept, keys=replace(kept.keys, tokens=kept.keys.tokens[:4]), weights=kept.weights[:, :4])
    np.testing.assert_array_equal(KeptPicture.from_bytes(other.to_bytes()).weights, kept.weights[:, :4])
