"""Cards: the rounded sheets that panels lie on, in the middle of the window and as docks."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QDockWidget, QFrame, QHBoxLayout, QScrollArea, QToolButton, QVBoxLayout, QWidget

from headscope.gui.widgets.plain import Label, plain
from headscope.gui.widgets.tab_order import move_focus
from headscope.gui.widgets.veil import Veil

_SMALLEST = QSize(96, 48)
_BELOW_TABS = 8
"""Pixels between tabs and what they show."""


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
            label = Label(title)
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
    """

    def __init__(self, name: str, title: str, parent: QWidget | None = None) -> None:
        super().__init__(title, parent)
        self.setObjectName(name)
        self._float = _flat_button(self.tr("Float this view in its own window, or dock it again"))
        self._float.clicked.connect(self._toggle_floating)
        self._close = _flat_button(self.tr("Close this view; the View menu brings it back"))
        self._close.clicked.connect(self.close)
        self._bar = bar = _TitleBar()
        bar.setObjectName("dockTitle")
        row = QHBoxLayout(bar)
        row.setContentsMargins(16, 6, 8, 2)
        row.setSpacing(0)
        self._title = Label(title)
        self._title.setObjectName("cardTitle")
        bar.setToolTip(self.tr("Drag to dock this view beside or onto another, or to float it"))
        row.addWidget(self._title, 1)
        row.addWidget(self._float)
        row.addWidget(self._close)
        self.setTitleBarWidget(bar)
        body = QFrame()
        body.setObjectName("dockBody")
        self._column = column = QVBoxLayout(body)
        column.setContentsMargins(1, 0, 1, 1)
        self._room = _Room(title)
        column.addWidget(self._room)
        self.veil = Veil(body)
        self.setWidget(body)
        self.setAccessibleName(title)

    def fill(self, panel: QWidget) -> None:
        """Put into it what it shows. Until then it is as large and lies where it would with it."""
        self._room.setWidget(panel)

    def set_title(self, title: str) -> None:
        """Say what it shows, here and on its tab."""
        self.setWindowTitle(title)
        self._title.setText(title)

    def show_title(self, shown: bool) -> None:
        """Say what it is, or leave that to its tab, which floats and closes it as well."""
        self._bar.fold(not shown)
        self._column.setContentsMargins(1, 0 if shown else _BELOW_TABS, 1, 1)

    @property
    def shows_title(self) -> bool:
        """Whether it has a title of its own now."""
        return not self._bar.is_folded

    def show_buttons(self, shown: bool) -> None:
        """Offer to float and to close it, or not."""
        self._float.setVisible(shown)
        self._close.setVisible(shown)

    def set_icons(self, float_: QIcon, close: QIcon) -> None:
        """The drawings in the colours of the theme."""
        self._float.setIcon(float_)
        self._close.setIcon(close)

    @Slot()
    def _toggle_floating(self) -> None:
        self.setFloating(not self.isFloating())


class _TitleBar(QFrame):
    """The row of a title; Qt reserves what it asks for, even if it is hidden."""

    def __init__(self) -> None:
        super().__init__()
        self.is_folded = False

    def fold(self, folded: bool) -> None:
        """Take no room, or what is in the row needs."""
        if folded != self.is_folded:
            self.is_folded = folded
            for child in self.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
                child.setVisible(not folded)
            self.updateGeometry()

    def sizeHint(self) -> QSize:
        return QSize(0, 1) if self.is_folded else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        return QSize(0, 1) if self.is_folded else super().minimumSizeHint()


class _Room(QScrollArea):
    """Gives a panel at least the size it needs, and scrolls where a dock is smaller: no panel keeps others, or the window, large."""

    def __init__(self, title: str) -> None:
        super().__init__()
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(title)
        self.setWidgetResizable(True)

    def focusNextPrevChild(self, forwards: bool) -> bool:
        return move_focus(self.window(), forwards=forwards)  # Qt would scroll a large view's end into sight

    def minimumSizeHint(self) -> QSize:
        return _SMALLEST


def _flat_button(name: str) -> QToolButton:
    button = QToolButton()
    button.setObjectName("flat")
    button.setToolTip(plain(name))
    button.setAccessibleName(name)
    return button
