"""The real window outside pytest, for benchmarks and screenshots: with settings of its own, never the user's."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QEventLoop, QSettings, QTimer
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from headscope.gui.app.application import create_record_window, create_window, prepare
from headscope.gui.window.main_window import MainWindow

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_LOOK_MILLISECONDS = 20
PATIENCE = 180.0
"""Seconds after which a wait is given up: something is broken."""


@contextmanager
def opened(model: str, text: str | None = None, *, size: tuple[int, int] = (1920, 1080)) -> Iterator[MainWindow]:
    """The window in its light look, shown, its model about to be loaded; closed in the end."""
    with _shown(lambda settings: create_window(model, text, settings), size) as window:
        yield window


@contextmanager
def opened_on(record: AttentionRecord, *, size: tuple[int, int] = (1920, 1080)) -> Iterator[MainWindow]:
    """The same window on attention that is there already, without a model."""
    with _shown(lambda settings: create_record_window(record, settings), size) as window:
        yield window


@contextmanager
def _shown(create: Callable[[QSettings], MainWindow], size: tuple[int, int]) -> Iterator[MainWindow]:
    application = QApplication.instance()
    if application is None:
        application = QApplication([])
        prepare(application)
        application.setCursorFlashTime(0)  # pictures are the same each time
    with TemporaryDirectory() as folder:
        settings = QSettings(str(Path(folder) / "settings.ini"), QSettings.Format.IniFormat)
        settings.setValue("appearance", "light")
        window = create(settings)
        window.resize(*size)
        window.reset_layout()  # which follows the size, as on the first day
        window.show()
        try:
            yield window
        finally:
            close(window)


def close(window: MainWindow) -> None:
    """Close a window, if it is not closed by now, and wait until it is freed."""
    if isValid(window):
        window.close()
        wait_until(lambda: not isValid(window))


def has_run(window: MainWindow) -> bool:
    """Whether the first picture is there and nothing is under way.

    Raises
    ------
    RuntimeError
        If the window shows an error: there is nothing to wait for.
    """
    notice = window.state.notice
    if notice is not None and notice.level == "error":
        raise RuntimeError(f"{notice.message} {notice.details}")
    return window.state.run is not None and window.state.busy is None


def has_settled(window: MainWindow) -> bool:
    """Whether every head's thumbnail and every line is drawn too."""
    pictures = window.state.thumbnails
    return (
        has_run(window)
        and pictures is not None
        and not np.isnan(pictures).any()
        and (not window.panel("links").view.isVisible() or window.panel("links").view.is_complete)
    )


def wait_until(condition: Callable[[], bool]) -> None:
    """Let the application live until the condition holds; it is looked at after each batch of events.

    A timer wakes it now and then. (Given a time limit, processEvents would not sleep at all but spin, and leave Python's other
    threads a fraction of their speed.)
    """
    end = time.monotonic() + PATIENCE
    application = QApplication.instance()
    assert application is not None
    alarm = QTimer()
    alarm.start(_LOOK_MILLISECONDS)
    while not condition():
        application.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        if time.monotonic() > end:
            raise TimeoutError(f"nothing came in {PATIENCE:.0f} s")


def live(seconds: float) -> None:
    """Let the application live for a while."""
    loop = QEventLoop()
    QTimer.singleShot(round(seconds * 1000), loop.quit)
    loop.exec()
