"""What the benchmarks see of the window: its paint events, and how late its timers are."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtWidgets import QWidget


class PaintWatch(QObject):
    """Sees a widget's paint events before the widget does, and calls back."""

    def __init__(self, widget: QWidget, painted: Callable[[], None]) -> None:
        super().__init__(widget)
        self._painted = painted
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            self._painted()
        return False


class Lateness(QObject):
    """How late a timer of 5 ms fires: how long a click would have waited.

    A stall swallows ticks; each of them counts, with the time it would have waited.
    """

    PERIOD = 0.005

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._waits: list[float] = []
        self._last = time.perf_counter()
        self._timer = QTimer(self)
        self._timer.setTimerType(Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self._timer.start(round(self.PERIOD * 1000))

    def take(self) -> list[float]:
        """The seconds of all ticks since the last call."""
        waits, self._waits = self._waits, []
        return waits

    def _tick(self) -> None:
        now = time.perf_counter()
        wait, self._last = now - self._last - self.PERIOD, now
        self._waits.append(max(0.0, wait))
        while wait > self.PERIOD:
            wait -= self.PERIOD
            self._waits.append(wait)
