"""The application: name, language, and its windows."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QCoreApplication, QLocale, QObject, QSettings, QThread, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication
from shiboken6 import isValid

from headscope.core.errors import unexpected
from headscope.core.process import own
from headscope.gui.app.first_picture import first_picture
from headscope.gui.app.interrupts import interrupts
from headscope.gui.control.appearance import take_over
from headscope.gui.control.explorer import Explorer
from headscope.gui.session.last_session import last_session, last_views
from headscope.gui.session.session import Session
from headscope.gui.session.settings_file import Settings
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.views import VIEWS
from headscope.gui.words.language import has_language, set_language
from headscope.gui.words.notices import notice_of
from headscope.resources import icon_file

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.model import Model

FIRST_MODEL = "toy:grammar"


class _Opening(QObject):
    """What the window does once it is on the screen, with all that is seen of it."""

    def __init__(self, window: MainWindow, model: str | Model) -> None:
        super().__init__(window)
        self._window = window
        self._model = model
        window.filled.connect(self._begin)

    @Slot()
    def _begin(self) -> None:
        self._window.filled.disconnect(self._begin)
        if isinstance(self._model, str):
            self._window.picker.load(self._model)
        else:
            self._window.explorer.adopt(self._model)
        self._window.explorer.refresh_catalogue()


def prepare(application: QApplication) -> None:
    """Make an application that is nobody else's ours: its name, style, fonts and language."""
    application.setApplicationName("Headscope")
    application.setOrganizationName("Headscope")
    application.setWindowIcon(QIcon(str(icon_file("headscope"))))
    take_over(application)
    set_language(application, QLocale.system())


def create_window(model: str | Model | None = None, text: str | None = None, settings: QSettings | None = None) -> MainWindow:
    """The window, not yet shown; it loads `model` and runs `text` (or its first example) once it is painted.

    Parameters
    ----------
    model : str or Model, optional
        What `load_model` takes, or one that is in memory; if not given the one that was open last, with its text and head,
        or else the first toy.
    settings : QSettings, optional
        The user's own if not given.
    """
    settings = settings or _own_settings()
    last = last_session(settings) if model is None else None
    values = {} if last is None else last.values
    if text is not None:
        values |= {"text": text, "text_pair": "", "target": ""}
    source = model or (FIRST_MODEL if last is None else last.source)
    picture = first_picture(source, last, settings) if isinstance(source, str) and text is None else None
    window = _window(settings, **(values if picture is None else values | picture.values))
    if last is None and picture is not None:
        window.explorer.begin_with_example()
    _Opening(window, source)
    return window


def _own_settings() -> QSettings:
    return Settings("Headscope", "Headscope")


def _window(settings: QSettings, **values: Any) -> MainWindow:
    application = QCoreApplication.instance()
    if application is not None and not has_language(application):  # somebody else's
        set_language(application, QLocale.system())
    state = Session()
    state.update(**last_views(settings, [view.settings for view in VIEWS]), **values)
    explorer = Explorer(state)
    window = MainWindow(state, explorer, settings)
    state.setParent(window)
    explorer.setParent(window)
    return window


def create_record_window(record: AttentionRecord, settings: QSettings | None = None) -> MainWindow:
    """The window with a record and no model, not yet shown."""
    window = _window(settings or _own_settings())
    window.state.update(text=record.axis(record.kinds[0]).queries.text)
    window.explorer.show_record(record)
    return window


def view_record(record: AttentionRecord) -> MainWindow | None:
    """Open a window on a record; see `headscope.gui.view`."""
    return _opened(lambda: create_record_window(record))


def view_model(model: Model, text: str | None = None) -> MainWindow | None:
    """Open a window on a model that is in memory; see `headscope.gui.open_model`."""
    return _opened(lambda: create_window(model, text))


_started: list[QApplication] = []
"""The application, if one of the two functions above had to start it: then nobody but they runs it, each time anew."""


def _opened(create: Callable[[], MainWindow]) -> MainWindow | None:
    """The window, if somebody else's program shows it; else None, after it was closed.

    Raises
    ------
    KeyboardInterrupt
        Ctrl+C, or a notebook's "interrupt", closed it.
    """
    running = QApplication.instance()
    if running is None:
        _started[:] = [QApplication(sys.argv[:1])]
        prepare(_started[0])
    window = create()
    explorer = window.explorer
    window.show()
    if QApplication.instance() not in _started or QThread.currentThread().loopLevel() > 0:
        return window
    with interrupts(window.close) as heard:
        _started[0].exec()
        _wait_for(explorer)
    if heard.came:
        raise KeyboardInterrupt
    return None


def _wait_for(explorer: Explorer) -> None:
    """Until nothing computes any more with what the caller has lent."""
    while not explorer.close():
        pass


def run_app(model: str | None = None, text: str | None = None) -> int:
    """Open the window in a process of its own and stay until it is closed; the exit code."""
    own()
    application = QApplication(sys.argv[:1])
    prepare(application)
    window = create_window(model, text)
    explorer = window.explorer  # a window that is closed has nothing more
    with interrupts(window.close, (signal.SIGINT, signal.SIGTERM)), _exceptions_shown_in(window):
        window.show()
        code = int(application.exec())
        if not explorer.close():
            # A library is busy in the other thread and does not look up: tearing Qt down under it would crash.
            sys.stdout.flush()
            os._exit(code)
    return code


@contextmanager
def _exceptions_shown_in(window: MainWindow) -> Iterator[None]:
    """A bug in the window itself becomes a notice as well, beside its traceback on the terminal."""
    before = sys.excepthook

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        if isValid(window):
            window.state.update(notice=notice_of(unexpected(error)))

    sys.excepthook = show
    try:
        yield
    finally:
        sys.excepthook = before
