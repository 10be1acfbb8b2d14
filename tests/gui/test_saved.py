"""The notice about a file that was written: what it offers, and that it goes by itself."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, Qt, QUrl, Slot
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QApplication

from headscope.gui.control.exporter import PictureExport
from headscope.gui.paint.figure import FigureOptions
from headscope.gui.window.main_window import MainWindow
from headscope.gui.words.notices import Notice
from tests.gui.screen import PATIENCE


class Opener(QObject):
    """Opens no program, but knows what was to be opened."""

    def __init__(self) -> None:
        super().__init__()
        self.urls: list[QUrl] = []

    @Slot(QUrl)
    def open(self, url: QUrl) -> None:
        self.urls.append(url)


@pytest.fixture
def window(open_window: Callable) -> MainWindow:
    return open_window("toy:grammar")


def saved(qtbot, window: MainWindow, path: Path) -> None:
    """Write the heatmap."""
    window.explorer.export(PictureExport(path, window.panel("heatmap").figure(), FigureOptions(dpi=72)))
    qtbot.waitUntil(lambda: window.notice.isVisible() and window.state.notice.path == path, timeout=PATIENCE)


def test_a_saved_file_can_be_opened_shown_and_copied(qtbot, window: MainWindow, tmp_path: Path) -> None:
    path = tmp_path / "head.png"
    saved(qtbot, window, path)
    assert window.notice.text == f"Saved {path}"
    assert [button.text() for button in window.notice.choices] == ["Open", "Show in folder", "Copy"]
    opener = Opener()
    QDesktopServices.setUrlHandler("file", opener, "open")
    for button in window.notice.choices:
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    QDesktopServices.unsetUrlHandler("file")
    assert opener.urls == [QUrl.fromLocalFile(str(path)), QUrl.fromLocalFile(str(tmp_path))]
    data = QApplication.clipboard().mimeData()
    assert (data.text(), data.urls(), data.hasImage()) == (str(path), [QUrl.fromLocalFile(str(path))], True)


def test_the_notice_goes_by_itself_but_an_error_stays(qtbot, window: MainWindow, tmp_path: Path) -> None:
    saved(qtbot, window, tmp_path / "head.pdf")
    assert window.notice.is_fading
    window.notice._fading.start(1)
    qtbot.waitUntil(lambda: window.state.notice is None and not window.notice.isVisible(), timeout=PATIENCE)
    window.state.update(notice=Notice("error", "No."))
    assert window.notice.isVisible()
    assert not window.notice.is_fading


def test_the_notice_stays_while_the_keyboard_is_in_it(qtbot, window: MainWindow, tmp_path: Path) -> None:
    saved(qtbot, window, tmp_path / "head.pdf")
    window.notice.choices[0].setFocus()
    qtbot.waitUntil(window.notice.choices[0].hasFocus, timeout=PATIENCE)
    window.notice._fade()
    assert window.notice.isVisible()
    assert window.notice.is_fading
    window.text.setFocus()
    qtbot.waitUntil(lambda: not window.notice.choices[0].hasFocus(), timeout=PATIENCE)
    window.notice._fade()
    assert not window.notice.isVisible()
