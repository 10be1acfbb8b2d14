"""Appearance: light or dark, as the system has it or as the user wants it, and what type looks like."""

from __future__ import annotations

from weakref import WeakSet

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QApplication, QStyle, QStyleFactory, QWidget

from headscope.gui.paint.fonts import load_fonts
from headscope.gui.paint.stylesheet import stylesheet
from headscope.gui.paint.theme import Theme, TypeStyle, palette_of, set_type_style, text_font, theme_of
from headscope.gui.session.preferences import LOOKS, TYPE_SIZES, Preferences
from headscope.gui.session.session import Session

_PRESENTING = 1.5
"""How much larger type is for an audience."""
_STYLE = "Fusion"
_OURS = "headscopeOwns"


def take_over(application: QApplication) -> None:
    """From now on this application looks as our windows do. Any other keeps its own looks: there, only our windows have ours."""
    application.setProperty(_OURS, True)
    application.setStyle(_STYLE)
    load_fonts()
    application.setFont(text_font(tabular=True))


def _style_for_guests(application: QApplication) -> QStyle:
    """One for all of our windows: it has to outlive them, down to their last part."""
    style = application.findChild(QStyle, _OURS)
    if style is None:
        style = QStyleFactory.create(_STYLE)
        style.setObjectName(_OURS)
        style.setParent(application)
    return style


class _Type(QObject):
    """What type looks like is a matter of the whole process: painters keep what they measured.

    Signals
    -------
    changed
    """

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.presenting: WeakSet[Appearance] = WeakSet()


_type = _Type()


class Appearance(QObject):
    """Gives the window its palette, style sheet and font, and the state its `dark`. An application of our own gets them as a whole."""

    def __init__(self, state: Session, preferences: Preferences, window: QWidget) -> None:
        super().__init__(window)
        self._state = state
        self._preferences = preferences
        self._applied: tuple[bool, TypeStyle] | None = None
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        self._dressed: QApplication | QWidget = application if application.property(_OURS) else window
        if self._dressed is window:
            load_fonts()
            window.setStyle(_style_for_guests(application))
        QApplication.styleHints().colorSchemeChanged.connect(self._apply)
        preferences.changed.connect(self._apply)
        _type.changed.connect(self._apply)
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
            (_type.presenting.add if self._state.presenting else _type.presenting.discard)(self)
            self._apply()

    @Slot()
    def _apply(self) -> None:
        system_dark = QApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        dark = system_dark if self.choice == "system" else self.choice == "dark"
        scale = self._preferences.type_size / 100 * (_PRESENTING if _type.presenting else 1)
        style = TypeStyle(self._preferences.typeface, scale)
        before, self._applied = self._applied, (dark, style)
        if self._applied == before:
            return
        if before is None or before[1] != style:
            set_type_style(style)
        self._dress(theme_of(dark))
        if self._state.dark == dark:
            self._state.changed.emit(frozenset({"dark"}))  # other type: all is to be painted anew
        else:
            self._state.update(dark=dark)
        if before is not None and before[1] != style:
            _type.changed.emit()  # other windows follow

    def _dress(self, theme: Theme) -> None:
        is_guest = self._dressed is not QApplication.instance()
        self._dressed.setFont(text_font(tabular=True))
        self._dressed.setPalette(palette_of(theme))
        self._dressed.setStyleSheet(stylesheet(theme, is_guest=is_guest))  # also the same one: it hands the font on
