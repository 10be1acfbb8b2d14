"""The palette of the window around a widget."""

from __future__ import annotations

from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget


def colors_of(widget: QWidget) -> QPalette:
    """The window's palette: a widget's own may be that of the program whose guest the window is, which Qt lets shine through."""
    while (around := widget.parentWidget()) is not None:
        widget = around
    return widget.palette()
