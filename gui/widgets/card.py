"""Cards: the rounded sheets that panels lie on, in the middle of the window and as docks."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDockWidget, QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget


class Card(QFrame):
    """A panel on a sheet, under its title.

    Parameters
    ----------
    title : str
        Empty for none.
    panel : QWidget
    """

    def __init__(self, title: str, panel: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("card")
        column = QVBoxLayout(self)
        column.setContentsMargins(1, 1, 1, 1)
        column.setSpacing(0)
        if title:
            label = QLabel(title)
            label.setObjectName("cardTitle")
            label.setContentsMargins(15, 9, 8, 5)
            column.addWidget(label)
        column.addWidget(panel, 1)


class CardDock(QDockWidget):
    """A dock that looks like a card; its title can be dragged.

    Parameters
    ----------
    name : str
        For saving the layout.
    title : str
    panel : QWidget
    """

    def __init__(self, name: str, title: str, panel: QWidget, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        self._float = _flat_button(self.tr("Float"))
        self._float.clicked.connect(self._toggle_floating)
        self._close = _flat_button(self.tr("Close"))
        self._close.clicked.connect(self.close)
        bar = QFrame()
        bar.setObjectName("dockTitle")
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 6, 8, 2)
        row.setSpacing(0)
        label = QLabel(title)
        label.setObjectName("cardTitle")
        row.addWidget(label, 1)
        row.addWidget(self._float)
        row.addWidget(self._close)
        self.setTitleBarWidget(bar)
        body = QFrame()
        body.setObjectName("dockBody")
        column = QVBoxLayout(body)
        column.setContentsMargins(1, 0, 1, 1)
        column.addWidget(panel)
        self.setWidget(body)

    def set_icons(self, float_: QIcon, close: QIcon) -> None:
        """The drawings in the colours of the theme."""
        self._float.setIcon(float_)
        self._close.setIcon(close)

    @Slot()
    def _toggle_floating(self) -> None:
        self.setFloating(not self.isFloating())


def _flat_button(name: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("flat")
    button.setToolTip(name)
    button.setAccessibleName(name)
    return button
