"""The look of buttons, fields, menus, docks and bars: flat, calm, one accent, all colours from the theme."""

from __future__ import annotations

from string import Template

from headscope.gui.paint.theme import SMALL_SIZE, Theme, scaled, text_font
from headscope.resources import icon_file

_SHEET = Template("""
QMainWindow { background: $ground; }
QMainWindow::separator { background: $ground; width: 8px; height: 8px; }
QMainWindow::separator:hover, QSplitter::handle:hover { background: $line; }
QSplitter::handle { background: transparent; }
QSplitter::handle:horizontal { width: 8px; }

QMenuBar { background: $panel; padding: 2px 8px; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; color: $muted; }
QMenuBar::item:selected { background: $soft; color: $text; }
QMenu { background: $panel; border: 1px solid $line; border-radius: 8px; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 24px; border-radius: 4px; color: $text; }
QMenu::item:selected { background: $soft; }
QMenu::item:disabled { color: $muted; }
QMenu::section, QMenu QLabel#hint { color: $muted; padding: 8px 12px 4px 12px; font-size: ${small}px; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }

QWidget#toolbar { background: $panel; border-bottom: 1px solid $line; }
QLabel#wordmark { font-weight: 600; font-size: ${large}px; }
QFrame#card { background: $panel; border: 1px solid $line; border-radius: 10px; }
QFrame#dockTitle { background: $panel; border: 1px solid $line; border-bottom: none;
    border-top-left-radius: 10px; border-top-right-radius: 10px; }
QFrame#dockBody { background: $panel; border: 1px solid $line; border-top: none;
    border-bottom-left-radius: 10px; border-bottom-right-radius: 10px; }
QLabel#cardTitle { font-weight: 600; }
QLabel#muted { color: $muted; }

QPushButton, QToolButton { background: $ground; color: $text; border: 1px solid $line; border-radius: 6px; padding: 5px 12px; }
QPushButton:hover, QToolButton:hover { background: $soft; }
QPushButton:pressed, QToolButton:pressed { background: $line; }
QPushButton:disabled, QToolButton:disabled { color: $muted; }
QPushButton:focus, QToolButton:focus { border-color: $accent; }
QPushButton#primary { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton#primary:hover { background: $accent_strong; }
QPushButton#primary:disabled { background: $line; color: $muted; border-color: $line; }
QPushButton#primary:focus { border: 2px solid $text; padding: 4px 11px; }
QToolButton::menu-indicator, QPushButton::menu-indicator { image: none; width: 0; }
QToolButton#flat, QPushButton#flat { background: transparent; border-color: transparent; padding: 2px 6px; }
QToolButton#flat[tight="true"] { padding: 2px; }
QToolButton#flat:hover, QPushButton#flat:hover { background: $soft; }
QPushButton#link { background: transparent; border: 1px solid transparent; text-align: left; padding: 3px 7px; margin: 0 8px;
    font-weight: 600; }
QPushButton#link:hover { background: $soft; }
QPushButton#link:focus { border-color: $accent; }
QScrollArea, QScrollArea > QWidget > QWidget { background: transparent; }
QToolButton#flat:focus, QPushButton#flat:focus { border-color: $accent; }
QToolButton#flat:checked, QPushButton#flat:checked { background: $soft; color: $accent; border-color: $line; }
QToolButton#flat:checked:focus { border-color: $accent; }

QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QLineEdit, QPlainTextEdit, QTextEdit, QSpinBox, QDoubleSpinBox, QComboBox {
    background: $panel; color: $text; border: 1px solid $line; border-radius: 6px; padding: 4px 8px;
    selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QSpinBox:focus, QDoubleSpinBox:focus, QComboBox:focus {
    border-color: $accent; }
QPlainTextEdit#prompt { padding: 1px 2px; }
QPlainTextEdit#prompt:hover { border-color: $muted; }
QPlainTextEdit#prompt:focus { border-color: $accent; }
QSpinBox:disabled, QDoubleSpinBox:disabled, QComboBox:disabled { color: $muted; background: $ground; }
QAbstractSpinBox QLineEdit { border: none; padding: 0 8px; background: transparent; }
QComboBox QLineEdit { border: none; padding: 0; background: transparent; }
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0; border: none; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: url($chevron); width: 16px; height: 16px; }
QComboBox QAbstractItemView, QListView#completions { background: $panel; border: 1px solid $line; selection-background-color: $soft;
    selection-color: $text; }
QRadioButton, QCheckBox { spacing: 8px; }
QRadioButton::indicator, QCheckBox::indicator { width: 14px; height: 14px; border: 1px solid $muted; background: $ground; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator { border-radius: 4px; }
QRadioButton::indicator:checked { width: 6px; height: 6px; border: 5px solid $accent; background: $on_accent; }
QCheckBox::indicator:checked { border-color: $accent; background: $accent; image: url($check); }
QRadioButton:focus, QCheckBox:focus { color: $accent; }
QRadioButton::indicator:disabled, QCheckBox::indicator:disabled { border-color: $line; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 4px; margin: 1px; min-width: 24px; min-height: 24px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QSlider::groove:horizontal { height: 4px; border-radius: 2px; background: $line; }
QSlider::sub-page:horizontal { border-radius: 2px; background: $accent; }
QSlider::handle:horizontal { width: 12px; height: 12px; margin: -5px 0; border-radius: 7px; background: $panel;
    border: 1px solid $muted; }
QSlider::handle:horizontal:hover, QSlider::handle:horizontal:focus { border-color: $accent; }
QProgressBar { background: $soft; border: none; border-radius: 3px; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }
QTabBar QToolButton { padding: 0; }
QTabBar::tab { color: $muted; padding: 6px 10px; border: none; border-bottom: 2px solid transparent; background: transparent; }
QTabBar::tab:selected { color: $text; border-bottom-color: $accent; font-weight: 600; }
QToolTip { background: $text; color: $panel; border: none; padding: 4px 8px; }
QFrame#palette { background: $panel; border: 1px solid $line; border-radius: 10px; }
QListView { background: $panel; border: 1px solid transparent; outline: none; }
QListView:focus { border-color: $accent; }
QStatusBar { background: $ground; color: $muted; border-top: 1px solid $line; }
QStatusBar::item { border: none; }
QFrame#notice { background: $panel; border: 1px solid $line; border-left: 4px solid $accent; border-radius: 6px; }
QFrame#notice[level="error"] { border-left-color: $error; }
""")

_GUEST = Template("""
* { color: $text; font-family: $families; font-size: ${usual}px; }
QDialog { background: $ground; }
QAbstractScrollArea { background: $panel; }
QPlainTextEdit, QLineEdit { placeholder-text-color: $muted; }
*:disabled { color: $muted; }
""")
"""Under a style sheet Qt hands a window's palette on to none of its parts, and its font not to menus and dialogs. What paints itself asks `colors_of`."""


def stylesheet(theme: Theme, *, is_guest: bool = False) -> str:
    """The style sheet in one look; `is_guest`: of a window whose application has looks of its own."""
    if is_guest:
        families = ", ".join(f'"{family}"' for family in text_font().families())
        guest = _GUEST.substitute(
            text=theme.text,
            muted=theme.muted,
            ground=theme.ground,
            panel=theme.panel,
            families=families,
            usual=text_font().pixelSize(),
        )
        return guest + stylesheet(theme)
    strong = theme.color("accent").darker(112) if not theme.dark else theme.color("accent").lighter(112)
    return _SHEET.substitute(
        ground=theme.ground,
        panel=theme.panel,
        line=theme.line,
        text=theme.text,
        muted=theme.muted,
        accent=theme.accent,
        accent_strong=strong.name(),
        on_accent=theme.on_accent,
        soft=theme.soft,
        error=theme.error,
        small=scaled(SMALL_SIZE),
        large=scaled(15),
        check=icon_file("check").as_posix(),
        chevron=icon_file("chevron").as_posix(),
    )
