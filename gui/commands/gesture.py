"""Gesture: what a movement of the mouse or a key does inside a view, for the sheet of shortcuts. The view itself does it."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication


@dataclass(frozen=True, slots=True)
class Gesture:
    """How and to what end, in English; the context is "gestures"."""

    how: str
    what: str

    @property
    def words(self) -> tuple[str, str]:
        """Both in the user's language."""
        translate = QCoreApplication.translate
        return translate("gestures", self.how), translate("gestures", self.what)
