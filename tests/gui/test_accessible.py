"""Whoever cannot see the screen hears what everything on it is."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QAccessible
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractScrollArea,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QLabel,
    QLineEdit,
    QScrollArea,
    QScrollBar,
    QTabBar,
    QWidget,
)

from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.views import VIEWS

VIEW_IDS = tuple(view.id for view in VIEWS)
INTERACTIVE = (
    QAbstractButton, QAbstractItemView, QAbstractScrollArea, QAbstractSlider, QAbstractSpinBox, QComboBox, QDockWidget, QLineEdit, QTabBar,
)  # fmt: skip


def parts(root: QWidget) -> list[QWidget]:
    """What can be used by mouse or keyboard; scroll bars and the inner parts of fields belong to what they are in."""
    found = []
    for widget in [root, *root.findChildren(QWidget)]:
        parent = widget.parentWidget()
        if isinstance(widget, QScrollBar) or widget.objectName().startswith("qt_") or isinstance(parent, QTabBar):
            continue
        inside = isinstance(parent, QAbstractSpinBox | QComboBox) or is_list_of_a_box(widget)
        inside |= isinstance(widget, QScrollArea) and widget.focusPolicy() == Qt.FocusPolicy.NoFocus  # gives room, does nothing
        inside |= isinstance(widget, QLabel) and not widget.isVisible() and not widget.text()
        if not inside and (isinstance(widget, INTERACTIVE) or widget.focusPolicy() != Qt.FocusPolicy.NoFocus):
            found.append(widget)
    return found


def is_list_of_a_box(widget: QWidget) -> bool:
    """Whether it drops down from a QComboBox."""
    frame = widget.parentWidget()
    return isinstance(widget, QAbstractItemView) and frame is not None and isinstance(frame.parentWidget(), QComboBox)


def name_of(widget: QWidget) -> str:
    """As a screen reader would say it."""
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Name)


def nameless(root: QWidget) -> list[str]:
    path = lambda widget: f"{type(widget.parentWidget()).__name__} › {type(widget).__name__} {widget.objectName()}"  # noqa: E731
    return [path(widget) for widget in parts(root) if not name_of(widget).strip()]


def test_nothing_in_the_window_is_nameless(shared_window: MainWindow) -> None:
    window = shared_window
    for name in VIEW_IDS:
        window.desk.bring(name)
        QApplication.processEvents()
    assert len(parts(window)) > 60
    assert nameless(window) == []


def test_nothing_in_dialogs_is_nameless(shared_window: MainWindow) -> None:
    window = shared_window
    for id_ in ("settings", "shortcuts", "about", "export"):
        window.commands.action(id_).trigger()
        dialog = next(child for child in window.findChildren(QDialog) if child.isVisible())
        assert dialog.windowTitle()
        assert nameless(dialog) == [], id_
        dialog.close()
    window.show_palette()
    assert nameless(QApplication.activePopupWidget()) == []
    QApplication.activePopupWidget().close()


def test_buttons_without_words_say_what_they_do(shared_window: MainWindow) -> None:
    window = shared_window
    silent = [button for button in window.findChildren(QAbstractButton) if not button.text() and button.objectName() == "flat"]
    assert silent
    assert all(button.toolTip() and button.accessibleName() for button in silent)


def test_the_status_says_what_is_looked_at_and_how_it_was_computed(shared_window: MainWindow) -> None:
    window = shared_window
    window.explorer.select_head((1, 2))
    window.state.update(pinned=window.state.pinned.__class__(6, 2))
    said = [name_of(widget) for widget in window.statusBar().findChildren(QWidget)]
    assert any("layer" in words and "→ keys" in words for words in said)
    assert any("exact" in words for words in said)
