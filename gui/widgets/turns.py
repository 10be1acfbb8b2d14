"""Turns: large widgets are painted one after another, each in a turn of the event loop, so that clicks and keys come in between.

All that Qt is asked to paint meanwhile it paints at once, and half a dozen large views take longer together than anybody waits for a
click. What a view has to show is set at once; it is only painted a moment later.
"""

from __future__ import annotations

from weakref import ReferenceType, ref

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QAbstractScrollArea, QWidget
from shiboken6 import isValid


class _Turns(QObject):
    """Whose turn it is to be painted, in all windows of this process."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: dict[int, tuple[int, ReferenceType[QWidget]]] = {}
        self._next = QTimer(self, singleShot=True, interval=0)
        self._next.timeout.connect(self._take_one)

    def ask(self, widget: QWidget, rank: int) -> None:
        """Paint `widget` when it is its turn; those of a lower rank before others, else the one that asked first."""
        known = self._waiting.get(id(widget))
        if known is None or known[1]() is not widget:
            self._waiting[id(widget)] = rank, ref(widget)
        if not self._next.isActive():
            self._next.start()

    @Slot()
    def _take_one(self) -> None:
        while self._waiting:
            key = min(self._waiting, key=lambda key: self._waiting[key][0])  # the first of the lowest
            widget = self._waiting.pop(key)[1]()
            if widget is not None and isValid(widget) and widget.isVisible():  # what is hidden is painted when it is shown
                (widget.viewport() if isinstance(widget, QAbstractScrollArea) else widget).update()
                break
        if self._waiting:
            self._next.start()


_turns = _Turns()


def paint_in_turn(widget: QWidget, rank: int = 1) -> None:
    """Ask for `widget` to be painted soon; as often as one likes until then.

    Parameters
    ----------
    widget : QWidget
        A class of ours: of Qt's own objects, as a viewport, Python is not told when they are gone. Of an area that scrolls what it
        scrolls is painted.
    rank : int
        0 for the pictures that are looked at, 1 for others.
    """
    _turns.ask(widget, rank)
