"""Drops: a text file, a model's folder or a .gguf file that is dropped on the window is opened."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QObject, Slot

from headscope.gui.context import Context
from headscope.gui.control.exporter import FoundFile


def dropped_file(data: QMimeData) -> Path | None:
    """The first file or folder of this computer that is dragged, if any."""
    paths = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    return Path(paths[0]) if paths else None


class FileOpener(QObject):
    """Opens what is dropped or chosen: a model, or a text in the place of the text, which comes back with undo.

    The file is looked at in the lane of the files: a disk that does not answer holds up no window.
    """

    def __init__(self, context: Context, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        context.explorer.exporter.was_read.connect(self._use)

    def open(self, path: Path) -> None:
        """Look at the file, and open it."""
        self._context.explorer.exporter.read(path)

    @Slot(object)
    def _use(self, found: FoundFile) -> None:
        context = self._context
        if found.text is None:
            context.window.open_model(str(found.path))
            return
        with context.session.doing("open text"):
            context.session.update(text=found.text, text_pair="", target="")
        if context.session.model is not None:
            context.explorer.run()
