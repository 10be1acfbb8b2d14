"""What can be done with a file that was just written."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QCoreApplication, QMimeData, QUrl
from PySide6.QtGui import QDesktopServices, QGuiApplication, QImage


def saved_choices() -> list[str]:
    """In the order of `use_saved`."""
    translate = QCoreApplication.translate
    return [translate("saved", "Open"), translate("saved", "Show in folder"), translate("saved", "Copy")]


def use_saved(path: Path, which: int) -> None:
    """Open the file, show its folder, or put it on the clipboard: the file itself, its path, and a picture's dots."""
    if which == 0:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path)))
    elif which == 1:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent)))
    else:
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(path))])
        data.setText(str(path))
        if path.suffix.lower() == ".png":
            data.setImageData(QImage(str(path)))
        QGuiApplication.clipboard().setMimeData(data)
