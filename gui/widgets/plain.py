"""Texts as they are: Qt takes what looks like a tag for one, and `<s>` would strike its own line through."""

from __future__ import annotations

from html import escape

from PySide6 import QtGui
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QWidget


def plain(tip: str) -> str:
    """A tool tip that shows `tip` letter by letter; Qt has no plain tool tips."""
    if not QtGui.Qt.mightBeRichText(tip):  # PySide has it there
        return tip
    return f"<span>{escape(tip, quote=False).replace(chr(10), '<br>')}</span>"


class Label(QLabel):
    """A label that shows its text letter by letter."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setText(text)
