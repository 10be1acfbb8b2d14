"""Appearance: light or dark, as the system has it or as the user wants it."""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QObject, QSettings, Qt, Slot
from PySide6.QtWidgets import QApplication

from headscope.gui.paint.stylesheet import stylesheet
from headscope.gui.paint.theme import palette_of, theme_of
from headscope.gui.state import ExplorerState

CHOICES: Final = ("system", "light", "dark")
_KEY = "appearance"


class Appearance(QObject):
    """Gives the application its palette and style sheet, and the state its `dark`."""

    def __init__(self, state: ExplorerState, settings: QSettings, parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._settings = settings
        self._applied: bool | None = None
        QApplication.styleHints().colorSchemeChanged.connect(self._apply)
        self._apply()

    @property
    def choice(self) -> str:
        """One of `CHOICES`."""
        chosen = str(self._settings.value(_KEY, "system"))
        return chosen if chosen in CHOICES else "system"

    def choose(self, choice: str) -> None:
        """Light, dark, or as the system has it; remembered."""
        self._settings.setValue(_KEY, choice)
        self._apply()

    @Slot()
    def _apply(self) -> None:
        system_dark = QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = system_dark if self.choice == "system" else self.choice == "dark"
        if dark == self._applied:
            return
        self._applied = dark
        theme = theme_of(dark)
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        application.setPalette(palette_of(theme))
        application.setStyleSheet(stylesheet(theme))
        self._state.update(dark=dark)
