"""The two small windows of the Help menu; neither stands in the way of the main one."""

from __future__ import annotations

from importlib.metadata import version

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QDialog, QGridLayout, QLabel, QVBoxLayout, QWidget


def _dialog(parent: QWidget, title: str) -> QDialog:
    dialog = QDialog(parent)
    dialog.setWindowTitle(title)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return dialog


def show_shortcuts(parent: QWidget, actions: list[QAction]) -> QDialog:
    """A table of the actions that have keys."""
    dialog = _dialog(parent, QCoreApplication.translate("help", "Shortcuts"))
    grid = QGridLayout(dialog)
    grid.setContentsMargins(24, 20, 24, 20)
    grid.setHorizontalSpacing(32)
    grid.setVerticalSpacing(8)
    for row, action in enumerate(action for action in actions if action.shortcuts()):
        keys = [key.toString(QKeySequence.SequenceFormat.NativeText) for key in action.shortcuts()]
        grid.addWidget(QLabel(action.text().replace("&", "")), row, 0)
        label = QLabel("  ".join(keys))
        label.setObjectName("muted")
        grid.addWidget(label, row, 1)
    dialog.show()
    return dialog


def show_about(parent: QWidget) -> QDialog:
    """What this program is, and its licence."""
    dialog = _dialog(parent, QCoreApplication.translate("help", "About Headscope"))
    column = QVBoxLayout(dialog)
    column.setContentsMargins(24, 20, 24, 20)
    name = QLabel("Headscope")
    name.setObjectName("wordmark")
    column.addWidget(name)
    number = QLabel(QCoreApplication.translate("help", "Version {0}").format(version("headscope")))
    number.setObjectName("muted")
    column.addWidget(number)
    sentence = QCoreApplication.translate(
        "help",
        "A desktop instrument for looking into transformer attention: exact, offline, at any length.\n"
        "Apache License 2.0; the typeface Inter under the SIL Open Font License.",
    )
    column.addWidget(QLabel(sentence))
    dialog.show()
    return dialog
