"""What README and HOUSE say that an addition takes: one entry of a table, and menus, palette, dialogs and the command line have it."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QByteArray, Qt
from PySide6.QtWidgets import QLabel

from headscope.core import load_model
from headscope.core.cli.main import create_parser
from headscope.core.files import numbers
from headscope.core.files.numbers import HeadNumbers, NumberFormat
from headscope.core.job import Job
from headscope.gui.app import export_command
from headscope.gui.commands import run
from headscope.gui.commands.command import Command, has_model
from headscope.gui.paint import formats
from headscope.gui.paint.formats import PictureFormat
from headscope.gui.window import actions
from headscope.gui.window.export_dialog import ExportDialog
from headscope.gui.window.help import show_shortcuts

PATIENCE = 60_000


def _lengthen(context) -> None:
    context.session.update(text=context.session.text + " !")


MINE = Command("lengthen", "run", "Lengthen the text", "Ctrl+Alt+L", "Add an exclamation mark.", _lengthen, has_model)


def test_a_command_is_an_entry_of_a_table(qtbot, open_window, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "RUN", (*run.RUN, MINE))
    for module in ("actions", "menus", "help", "palette.entries"):
        monkeypatch.setattr(f"headscope.gui.window.{module}.COMMANDS", actions.ordered((*actions.COMMANDS, MINE)))
    window = open_window("toy:grammar", "the keys are rusty .")
    (menu,) = [each for each in window.menuBar().actions() if each.text().replace("&", "") == "Run"]
    assert "Lengthen the text" in [each.text() for each in menu.menu().actions()]
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    window.text.text.setFocus()
    qtbot.keyClick(window.text.text, Qt.Key.Key_L, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier)
    assert window.state.text == "the keys are rusty . !"
    sheet = show_shortcuts(window.commands, window)
    words = " ".join(label.text() for label in sheet.findChildren(QLabel))
    assert "Lengthen the text" in words and "Ctrl+Alt+L" in words
    sheet.close()


def test_a_form_of_pictures_is_an_entry_of_a_table(qtbot, open_window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    note = "The size, in words."
    mine = PictureFormat(note, lambda scene: QByteArray(f"{scene.size.width():.0f}".encode()))
    monkeypatch.setitem(formats.PICTURE_FORMATS, ".size", mine)
    window = open_window("toy:grammar", "the keys are rusty .")
    window.export()
    dialog = window.findChild(ExportDialog)
    dialog.what.setCurrentIndex(dialog.what.findData("heatmap"))
    assert dialog.form.findData("size") >= 0
    dialog.form.setCurrentIndex(dialog.form.findData("size"))
    qtbot.waitUntil(lambda: note in dialog.note.text(), timeout=PATIENCE)
    dialog.close()
    assert _export(tmp_path / "head.size") == 0
    assert int((tmp_path / "head.size").read_text()) > 100


def test_a_form_of_numbers_is_an_entry_of_a_table(open_window, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write(path: Path, of: HeadNumbers, _: Job) -> None:
        path.write_text(f"{of.model} {of.head} {of.weights.sum():.3f}")

    monkeypatch.setitem(numbers.NUMBER_FORMATS, ".sum", NumberFormat("The sum of a head.", write))
    weights = load_model("toy:grammar").capture("the keys are rusty .").attention_weights(1, 3)
    assert _export(tmp_path / "head.sum") == 0
    assert (tmp_path / "head.sum").read_text() == f"toy:grammar (1, 3) {np.sum(weights):.3f}"


def _export(path: Path) -> int:
    parser, commands = create_parser()
    export_command.add(commands)
    given = ["export", "--model", "toy:grammar", "--text", "the keys are rusty .", "--head", "1.3", "--out", str(path)]
    arguments = parser.parse_args(given)
    return arguments.command(arguments)
