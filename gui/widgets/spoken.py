"""Spoken: what a painted view says to who cannot see it, when the mouse or the keyboard comes to something in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from PySide6.QtCore import QElapsedTimer, QObject, QTimer, Signal, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QWidget

try:
    from PySide6.QtGui import QAccessibleAnnouncementEvent
except ImportError:  # before Qt 6.8: readers hear that the description has changed
    QAccessibleAnnouncementEvent = None  # type: ignore[assignment, misc]

LEAST_APART: Final = 100
"""Milliseconds between two sentences: a mouse that crosses a map must not bury its reader."""


class Spoken(QObject):
    """Says things as a widget's accessible description, and tells screen readers; at most ten a second, the latest wins.

    Signals
    -------
    said(str)
        What is heard.
    """

    said = Signal(str)

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self._widget = widget
        self._words: Callable[[], str] | None = None
        self._since = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._say)

    def say(self, words: Callable[[], str]) -> None:
        """Say what `words` gives: now, or when the last sentence is old enough and nothing newer has come."""
        self._words = words
        if self._timer.isActive():
            return
        wait = LEAST_APART - self._since.elapsed() if self._since.isValid() else 0
        if wait > 0:
            self._timer.start(wait)
        else:
            self._say()

    @Slot()
    def _say(self) -> None:
        words = "" if self._words is None else self._words()
        self._words = None
        if not words or words == self._widget.accessibleDescription():
            return
        self._since.start()
        self._widget.setAccessibleDescription(words)  # Qt tells readers that it has changed
        if QAccessible.isActive():
            if QAccessibleAnnouncementEvent is not None:
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self._widget, words))
            else:
                QAccessible.updateAccessibility(QAccessibleEvent(self._widget, QAccessible.Event.DescriptionChanged))
        self.said.emit(words)
