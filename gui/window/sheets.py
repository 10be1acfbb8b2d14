"""What opens above the window: export, settings, palette, help. Each is read from the disk when it is opened first, not at the start."""

from __future__ import annotations

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QMainWindow

from headscope.gui.context import Context
from headscope.gui.session.preferences import Preferences
from headscope.gui.window.actions import Actions
from headscope.gui.window.views import VIEWS


def open_export(context: Context, settings: QSettings, window: QMainWindow) -> None:
    """Ask what to write, and where."""
    from headscope.gui.window.export_dialog import ExportDialog

    figures = {figure: context.window.panel(view.id) for view in VIEWS for figure in view.figures}
    ExportDialog(context.session, context.explorer, figures, settings, window).open()


def open_palette(context: Context, actions: Actions, window: QMainWindow) -> None:
    """Let the user find a command, a head, an example, a model."""
    from headscope.gui.window.palette.popup import Palette

    Palette(context, actions, window).open()


def open_settings(context: Context, preferences: Preferences, window: QMainWindow) -> None:
    """Show what the user likes."""
    from headscope.gui.window.preferences_dialog import SettingsDialog

    SettingsDialog(context.session, preferences, context.recent, window).show()


def open_shortcuts(actions: Actions, window: QMainWindow) -> None:
    """Show all keys and gestures."""
    from headscope.gui.window.help import show_shortcuts

    show_shortcuts(actions, window)


def open_about(window: QMainWindow) -> None:
    """Show what this program is."""
    from headscope.gui.window.help import show_about

    show_about(window)
