"""Appearance: light or dark, as the system has it or as the user wants it, and what type looks like."""

from __future__ import annotations

from PySide6.QtCore import QObject, Qt, Slot
from PySide6.QtWidgets import QApplication

from headscope.gui.paint.stylesheet import stylesheet
from headscope.gui.paint.theme import TypeStyle, palette_of, set_type_style, text_font, theme_of
from headscope.gui.session.preferences import LOOKS, TYPE_SIZES, Preferences
from headscope.gui.session.session import Session

_PRESENTING = 1.5
"""How much larger type is for an audience."""


class Appearance(QObject):
    """Gives the application its palette, style sheet and font, and the state its `dark`."""

    def __init__(self, state: Session, preferences: Preferences, parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._preferences = preferences
        self._applied: tuple[bool, TypeStyle] | None = None
        QApplication.styleHints().colorSchemeChanged.connect(self._apply)
        preferences.changed.connect(self._apply)
        state.changed.connect(self._on_changed)
        self._apply()

    @property
    def choice(self) -> str:
        """One of `LOOKS`."""
        return self._preferences.look

    def choose(self, choice: str) -> None:
        """Light, dark, or as the system has it; remembered."""
        self._preferences.look = choice if choice in LOOKS else "system"

    def choose_type(self, percent: int) -> None:
        """Type of this size, one of `TYPE_SIZES`; remembered."""
        self._preferences.type_size = percent

    def step_type(self, by: int) -> None:
        """The next larger or smaller type."""
        at = TYPE_SIZES.index(self._preferences.type_size) + by
        self.choose_type(TYPE_SIZES[min(max(at, 0), len(TYPE_SIZES) - 1)])

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        if "presenting" in names:
            self._apply()

    @Slot()
    def _apply(self) -> None:
        system_dark = QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = system_dark if self.choice == "system" else self.choice == "dark"
        scale = self._preferences.type_size / 100 * (_PRESENTING if self._state.presenting else 1)
        style = TypeStyle(self._preferences.typeface, scale)
        before, self._applied = self._applied, (dark, style)
        if self._applied == before:
            return
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        if before is None or before[1] != style:
            set_type_style(style)
            application.setFont(text_font(tabular=True))
        theme = theme_of(dark)
        application.setPalette(palette_of(theme))
        application.setStyleSheet(stylesheet(theme))
        if self._state.dark == dark:
            self._state.changed.emit(frozenset({"dark"}))  # other type: all is to be painted anew
        else:
            self._state.update(dark=dark)
