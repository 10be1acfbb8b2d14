"""Every GUI test ends with its threads ended and its exceptions told; none touches the user's settings."""

import gc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, QThread
from PySide6.QtWidgets import QApplication

from headscope.gui.paint.stylesheet import stylesheet
from headscope.gui.paint.theme import TypeStyle, set_type_style, text_font, theme_of, type_style
from headscope.gui.window.main_window import MainWindow
from tests.real_window import close, has_run, wait_until


@pytest.fixture(scope="session")
def qapp(qapp: QApplication) -> QApplication:
    """The application as it is outside tests: style, fonts, language."""
    from headscope.gui.app.application import prepare

    prepare(qapp)
    return qapp


@pytest.fixture(scope="session", autouse=True)
def nobody_s_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """What is kept under a program's own name is kept elsewhere."""
    QSettings.setPath(QSettings.Format.NativeFormat, QSettings.Scope.UserScope, str(tmp_path_factory.mktemp("settings")))


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    return QSettings(str(tmp_path / "settings.ini"), QSettings.Format.IniFormat)


_MANY_THINGS = 150_000
"""Looking at torch's objects after each test would take as long as the tests; what is there already is set aside."""


_SHARED: set[QThread] = set()
"""Threads of the window that the tests of a file share: they run on between the tests."""


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    yield
    # By type() and not isinstance(): that asks the object for its class, and torch has objects that warn when they are asked.
    things = gc.get_objects()
    threads = [thing for thing in things if issubclass(type(thing), QThread) and thing not in _SHARED]
    running = [thread.objectName() for thread in threads if _is_running(thread)]
    assert not running, f"threads left running: {running}"
    if len(things) > _MANY_THINGS:
        del things, threads
        gc.collect()
        gc.freeze()


def _is_running(thread: QThread) -> bool:
    from shiboken6 import isValid

    return isValid(thread) and thread is not QApplication.instance().thread() and thread.isRunning()


@pytest.fixture(autouse=True)
def type_is_as_usual(qapp: QApplication) -> Iterator[None]:
    """A window that is gone leaves its type behind, which the next one takes back: tests of parts alone begin anew."""
    yield
    if type_style() != TypeStyle():
        set_type_style(TypeStyle())
        qapp.setFont(text_font(tabular=True))
        qapp.setStyleSheet(stylesheet(theme_of(dark=False)))


@pytest.fixture
def open_window(qtbot, settings: QSettings) -> Iterator[Callable]:
    """Opens the real window and waits for its first picture; closes it in the end."""
    from headscope.gui.app.application import create_window

    windows = []

    def open_(model: str = "toy:grammar", text: str | None = None, *, wait: bool = True):
        window = create_window(model, text, settings)
        windows.append(window)
        window.show()
        if wait:
            qtbot.waitUntil(lambda: window.state.run is not None and window.state.busy is None, timeout=60_000)
        return window

    yield open_
    for window in windows:
        close(window)


@pytest.fixture(scope="module")
def shared_window(qapp: QApplication, tmp_path_factory: pytest.TempPathFactory) -> Iterator[MainWindow]:
    """toy:grammar in the light look, opened once a file: for tests that only read, or leave the window as it was."""
    settings = QSettings(str(tmp_path_factory.mktemp("settings") / "settings.ini"), QSettings.Format.IniFormat)
    settings.setValue("appearance", "light")
    from headscope.gui.app.application import create_window

    window = create_window("toy:grammar", None, settings)
    window.show()
    wait_until(lambda: has_run(window))
    _SHARED.update(thing for thing in gc.get_objects() if issubclass(type(thing), QThread))  # also those that start later
    yield window
    _SHARED.clear()
    close(window)
