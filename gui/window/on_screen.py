"""Windows that come back from what was kept of them, on to a screen that is there now."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QRect, QSize
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

_TITLE: Final = 24
"""Pixels at the upper edge by which a window is moved."""
_LEAST_SEEN: Final = 96
"""Pixels of that edge that can be grasped."""
_LEAST: Final = QSize(200, 120)
"""A smaller window is damaged data, and no choice."""


def bring_onto_screen(window: QWidget) -> None:
    """Move a window whose upper edge is on no screen on to one, whole, and make one that cannot be seen large enough.

    Qt does so for screens that are gone; what it restores of damaged data may be anywhere.
    """
    lies = window.geometry()
    screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
    edge = QRect(lies.left(), lies.top(), lies.width(), _TITLE)
    seen = max((edge.intersected(room) for room in screens), key=QRect.width)
    if seen.width() >= min(_LEAST_SEEN, lies.width()) and lies.size().expandedTo(_LEAST) == lies.size():
        return
    room = max(screens, key=lambda room: _area(room.intersected(lies)))  # the first, the user's own, if all are as far
    size = lies.size().expandedTo(_LEAST).boundedTo(room.size())
    left = max(room.left(), min(lies.left(), room.right() + 1 - size.width()))
    top = max(room.top(), min(lies.top(), room.bottom() + 1 - size.height()))
    window.setGeometry(left, top, size.width(), size.height())


def _area(rect: QRect) -> int:
    return rect.width() * rect.height() if rect.isValid() else 0
