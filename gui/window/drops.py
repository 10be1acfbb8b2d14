"""Drops: a text file, a model's folder or a .gguf file that is dropped on the window is opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, QObject, Slot

from headscope.gui.control.exporter import FoundFile

if TYPE_CHECKING:
    from headscope.gui.window.main_window import MainWindow


def dropped_file(data: QMimeData) -> Path | None:
    """The first file or folder of this computer that is dragged, if any."""
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    return Path(paths[0]) if paths else None


class FileOpener(QObject):
    """Opens what is dropped or chosen: a model, or a text in the place of the text, which comes back with undo.

    The file is looked at in the lane of the files: a disk that does not answer holds up no window.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        window.explorer.exporter.was_read.connect(self._use)

    def open(self, path: Path) -> None:
        """Look at the file, and open it."""
        self._window.explorer.exporter.read(path)

    @Slot(object)
    def _use(self, found: FoundFile) -> None:
        window = self._window
        if found.text is None:
            window.picker.load(str(found.path))
            return
        window.state.update(text=found.text, text_pair="", target="")
        if window.state.model is not None:
            window.explorer.run()
