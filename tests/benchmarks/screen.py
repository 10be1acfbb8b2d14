"""The real window for benchmarks: opened without the user's settings, its paint events watched, its timers' lateness noted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from PySide6.QtCore import QEvent, QEventLoop, QObject, QSettings, Qt, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from headscope.gui.app import create_window, prepare
from headscope.gui.main_window import MainWindow

SIZE = (1920, 1080)
PATIENCE = 180.0
"""Seconds after which a wait is given up: something is broken."""


@contextmanager
def opened(model: str, text: str | None = None) -> Iterator[MainWindow]:
    """The window, shown, its model about to be loaded; closed in the end."""
    application = QApplication.instance()
    if application is None:
        application = QApplication([])
        prepare(application)
    with TemporaryDirectory() as folder:
        window = create_window(model, text, QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat))
        window.resize(*SIZE)
        window.show()
        try:
            yield window
        finally:
            window.close()
            window.deleteLater()
            application.processEvents()


def has_run(window: MainWindow) -> bool:
    """Whether the first picture is there and nothing is under way."""
    return window.state.run is not None and window.state.busy is None


def wait_until(condition: Callable[[], bool]) -> None:
    """Let the application live until the condition holds; it is looked at after each batch of events."""
    end = time.monotonic() + PATIENCE
    application = QApplication.instance()
    assert application is not None
    while not condition():
        application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents, 20)
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came in {PATIENCE:.0f} s")


def live(seconds: float) -> None:
    """Let the application live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()


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
