"""The model menu: what is on this computer, and being rid of what GGUF files were unpacked to."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from headscope.core.errors import readable_bytes
from headscope.core.models.gguf_copies import cache_folder, kept_copies
from headscope.core.models.load import load_model
from headscope.gui.cli import main
from headscope.gui.main_window import MainWindow
from tests.tiny_models import write_gguf

PATIENCE = 30_000


@pytest.fixture
def two_copies(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("first.gguf", "second.gguf"):
        load_model(write_gguf(tmp_path / name), device="cpu")


def copies_menu(window: MainWindow):
    window.picker._fill_models()
    found = [
        action for action in window.picker._model_button.menu().actions() if action.text().startswith("Unpacked GGUF files")
    ]
    return found[0].menu() if found else None


def action_of(menu, words: str):
    return next(action for action in menu.actions() if action.text().startswith(words))


@pytest.mark.usefixtures("two_copies")
def test_copies_are_shown_with_their_place_and_size_and_deleted_by_one_click(qtbot, open_window: Callable) -> None:
    window = open_window()
    state = window.state
    qtbot.waitUntil(lambda: state.catalogue is not None, timeout=PATIENCE)
    sizes = [copy.size for copy in kept_copies()]
    menu = copies_menu(window)
    assert menu.menuAction().text().endswith(readable_bytes(sum(sizes)))
    assert str(cache_folder()) in menu.actions()[0].defaultWidget().text()
    deletion = action_of(menu, "Delete the copy of first.gguf")
    assert deletion.text().endswith(readable_bytes(sizes[0]))
    deletion.trigger()
    qtbot.waitUntil(lambda: len(state.catalogue.copies) == 1, timeout=PATIENCE)
    assert [copy.name for copy in kept_copies()] == ["second.gguf"]
    assert state.notice is None
    action_of(copies_menu(window), "Delete the copy of second.gguf").trigger()
    qtbot.waitUntil(lambda: state.catalogue.copies == (), timeout=PATIENCE)
    assert kept_copies() == ()
    assert copies_menu(window) is None


@pytest.mark.usefixtures("two_copies")
def test_all_copies_go_together_and_the_model_of_one_stays_open(qtbot, open_window: Callable, tmp_path: Path) -> None:
    window = open_window(str(tmp_path / "first.gguf"), "the cat")
    state = window.state
    qtbot.waitUntil(lambda: state.catalogue is not None and state.busy is None, timeout=PATIENCE)
    action_of(copies_menu(window), "Delete all copies").trigger()
    qtbot.waitUntil(lambda: state.catalogue.copies == (), timeout=PATIENCE)
    assert kept_copies() == ()
    before = state.run
    window.explorer.run()
    qtbot.waitUntil(lambda: state.run is not before and state.busy is None, timeout=PATIENCE)
    assert state.notice is None
    assert state.model.name == "first"


@pytest.mark.usefixtures("two_copies")
def test_the_command_line_lists_and_deletes_them(capsys) -> None:
    assert main(["models"]) == 0
    printed = capsys.readouterr().out
    assert str(cache_folder()) in printed
    assert "second.gguf" in printed
    assert main(["models", "--json"]) == 0
    copies = json.loads(capsys.readouterr().out)["gguf_copies"]
    assert [(copy["name"], copy["size"]) for copy in copies] == [(copy.name, copy.size) for copy in kept_copies()]
    assert main(["models", "--delete-copies", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["gguf_copies"] == []
    assert kept_copies() == ()
