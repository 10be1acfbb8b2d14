"""The user's settings: Qt's, which are written whole and under a lock, but for one thing."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QSettings

from headscope.core.files.atomic import has_room

_MARGIN: Final = 2**16
"""Bytes that the other settings may have grown by since they were written last."""


class Settings(QSettings):
    """Where a disk ends Qt cuts its file of settings off, and loses those behind: what finds no room there is not kept."""

    def setValue(self, key: str, value: Any) -> None:
        file = Path(self.fileName())
        known = file.stat().st_size if file.exists() else 0
        if not file.parent.exists() or has_room(file.parent, known + 4 * len(str(value)) + _MARGIN):
            super().setValue(key, value)
