"""Nasty texts pasted into the real window: it stays alive, keeps what was typed, and shows an answer or one sentence."""

from __future__ import annotations

from pathlib import Path
from unicodedata import category

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from headscope.gui.window.main_window import MainWindow
from tests.gui.screen import PATIENCE
from tests.nasty import MODELS, names, nasty, write_models


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_models(tmp_path_factory.mktemp("models"))


def paste(qtbot, window: MainWindow, text: str) -> str:
    """Over all that is there, and Enter; what the field has made of it."""
    field = window.text.text
    field.setFocus()
    field.selectAll()
    QApplication.clipboard().setText(text)
    field.paste()
    shown = field.toPlainText()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    return shown


def wait_for_an_answer(qtbot, window: MainWindow, before: object) -> None:
    """Another run than the one before, or a sentence."""
    state = window.state
    qtbot.waitUntil(lambda: state.busy is None and (state.run is not before or state.notice is not None), timeout=PATIENCE)


def drawable(label: str) -> bool:
    """Letters of somebody's own font, and what shapes letters, count as such."""
    return bool(label) and all(each.isprintable() or each in "\u200c\u200d" or category(each) == "Co" for each in label)


@pytest.mark.parametrize("kind", MODELS)
def test_the_window_outlives_every_nasty_text(qtbot, open_window, folders: dict[str, Path], kind: str) -> None:
    window = open_window(str(folders[kind]), "the cat")
    state = window.state
    each = [name for number, name in enumerate(names()) if number % len(MODELS) == MODELS.index(kind)]
    each = [name for name in each if name != "a million letters of one word"]  # as long as a million characters
    for name in [*each, "only blanks", "special tokens", "lone surrogates"]:
        before = state.run
        typed = paste(qtbot, window, nasty(name, ("[MASK]", "<s>", "[CLS]")))
        wait_for_an_answer(qtbot, window, before)
        assert window.text.text.toPlainText() == typed == state.text, name
        if state.notice is not None and state.run is before:
            assert "inside Headscope" not in state.notice.message, name
            assert len(state.notice.message) <= 300
        else:
            assert state.run.text == typed, name
            labels = state.captured.axis("encoder").queries.labels
            assert all(drawable(label) for label in labels), name
    paste(qtbot, window, "the cat is")
    window.grab()
    qtbot.waitUntil(lambda: state.run is not None and state.run.text == "the cat is" and state.busy is None, timeout=PATIENCE)
