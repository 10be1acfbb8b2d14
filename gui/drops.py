"""Drops: a text file, a model's folder or a .gguf file that is dropped on the window is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData

from headscope.core.errors import HeadscopeError
from headscope.core.files.text_file import read_text_file
from headscope.gui.messages import notice_of

if TYPE_CHECKING:
    from headscope.gui.main_window import MainWindow


def dropped_file(data: QMimeData) -> Path | None:
    """The first file or folder of this computer that is dragged, if any."""
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    return Path(paths[0]) if paths else None


def open_dropped(window: MainWindow, path: Path) -> None:
    """Open a model, or put a text in the place of the text and run it; the text before comes back with undo."""
    if path.is_dir() or path.suffix.lower() == ".gguf":
        window.picker.load(str(path))
        return
    try:
        text = read_text_file(path)
    except HeadscopeError as error:
        window.state.update(notice=notice_of(error))
        return
    window.state.update(text=text, text_pair="", target="")
    if window.state.model is not None:
        window.explorer.run()
