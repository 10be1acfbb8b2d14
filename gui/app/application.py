"""The application: style, fonts, language, and the one window."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QLocale, QObject, QSettings, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

from headscope.core.errors import unexpected
from headscope.core.process import own
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.fonts import load_fonts
from headscope.gui.paint.theme import text_font
from headscope.gui.session.session import Session
from headscope.gui.session.settings_file import Settings
from headscope.gui.window.main_window import MainWindow
from headscope.gui.words.language import has_language, set_language
from headscope.gui.words.notices import notice_of
from headscope.resources import icon_file

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.model import Model

FIRST_MODEL = "toy:grammar"


class _Opening(QObject):
    """What the window does once it is on the screen."""

    def __init__(self, window: MainWindow, model: str | Model) -> None:
        super().__init__(window)
        self._window = window
        self._model = model
        window.first_painted.connect(self._begin)

    @Slot()
    def _begin(self) -> None:
        if isinstance(self._model, str):
            self._window.picker.load(self._model)
        else:
            self._window.explorer.adopt(self._model)
        self._window.explorer.refresh_catalogue()


def prepare(application: QApplication) -> None:
    """Give the application its name, style, fonts and language."""
    application.setApplicationName("Headscope")
    application.setOrganizationName("Headscope")
    application.setWindowIcon(QIcon(str(icon_file("headscope"))))
    application.setStyle("Fusion")
    load_fonts()
    application.setFont(text_font(tabular=True))
    set_language(application, QLocale.system())


def create_window(model: str | Model | None = None, text: str | None = None, settings: QSettings | None = None) -> MainWindow:
    """The window, not yet shown; it loads `model` and runs `text` (or its first example) once it is painted.

    Parameters
    ----------
    model : str or Model, optional
        What `load_model` takes, or one that is in memory; the first toy if not given.
    settings : QSettings, optional
        The user's own if not given.
    """
    window = _window(settings)
    if text is not None:
        window.state.update(text=text)
    _Opening(window, model or FIRST_MODEL)
    return window


def _window(settings: QSettings | None) -> MainWindow:
    application = QCoreApplication.instance()
    if application is not None and not has_language(application):  # somebody else's
        set_language(application, QLocale.system())
    state = Session()
    explorer = Explorer(state)
    window = MainWindow(state, explorer, settings or Settings())
    state.setParent(window)
    explorer.setParent(window)
    return window


def create_record_window(record: AttentionRecord, settings: QSettings | None = None) -> MainWindow:
    """The window with a record and no model, not yet shown."""
    window = _window(settings)
    window.state.update(text=record.axis(record.kinds[0]).queries.text)
    window.explorer.show_record(record)
    return window


def view_record(record: AttentionRecord) -> MainWindow:
    """Open a window on a record, and stay until it is closed unless a Qt program is running already."""
    return _opened(lambda: create_record_window(record))


def view_model(model: Model, text: str | None = None) -> MainWindow:
    """Open a window on a model that is in memory, and stay until it is closed unless a Qt program is running already."""
    return _opened(lambda: create_window(model, text))


def _opened(create: Callable[[], MainWindow]) -> MainWindow:
    running = QApplication.instance()
    application = running if isinstance(running, QApplication) else QApplication(sys.argv[:1])
    if running is None:
        prepare(application)
    window = create()
    window.show()
    if running is None:
        _stay(application, window)
    return window


def run_app(model: str | None = None, text: str | None = None) -> int:
    """Open the window in a process of its own and stay until it is closed; the exit code."""
    own()
    application = QApplication(sys.argv[:1])
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    prepare(application)
    window = create_window(model, text)
    _show_exceptions_in(window)
    window.show()
    return _stay(application, window)


def _stay(application: QApplication, window: MainWindow) -> int:
    code = int(application.exec())
    if not window.explorer.close():
        # A library is busy in the other thread and does not look up: tearing Qt down under it would crash.
        sys.stdout.flush()
        os._exit(code)
    return code


def _show_exceptions_in(window: MainWindow) -> None:
    """A bug in the window itself becomes a notice as well, beside its traceback on the terminal."""

    def show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        sys.__excepthook__(kind, error, trace)
        window.state.update(notice=notice_of(unexpected(error)))

    sys.excepthook = show
