"""Thousands of events in any order: nothing may break, whatever the user's hands do."""

import random
from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, QTimer, Slot
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QWidget

from headscope.gui.window.main_window import MainWindow
from tests.gui.screen import settle

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Notices(QObject):
    """Every notice that was shown."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._state = window.state
        self.messages: list[str] = []
        self._state.changed.connect(self.on_changed)

    @Slot(frozenset)
    def on_changed(self, names: frozenset[str]) -> None:
        if "notice" in names and self._state.notice is not None:
            self.messages.append(self._state.notice.message)

    @property
    def bugs(self) -> list[str]:
        return [message for message in self.messages if "inside Headscope" in message]


def move_mouse(widget: QWidget, point: QPoint) -> None:
    local, around = QPointF(point), QPointF(widget.mapToGlobal(point))
    QApplication.sendEvent(
        widget, QMouseEvent(QEvent.Type.MouseMove, local, around, Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, NONE)
    )


def anywhere(chance: random.Random, widget: QWidget) -> QPoint:
    return QPoint(chance.randrange(max(1, widget.width())), chance.randrange(max(1, widget.height())))


def test_30000_mouse_moves_over_every_picture(qtbot, open_window: Callable) -> None:
    """PySide6 6.12.0 lost a reference to None at each of them and aborted Python 3.11 after a second."""
    window = open_window("toy:grammar")
    notices, chance = Notices(window), random.Random(0)
    views = (
        window.panel("heatmap").view,
        window.panel("links").view.viewport(),
        window.panel("heads").view.viewport(),
        window.text.strip.viewport(),
    )
    hovers = set()
    for number in range(30_000):
        view = views[number // 50 % len(views)]
        move_mouse(view, anywhere(chance, view))
        hovers.add(window.state.hover)
        if number % 500 == 0:
            QApplication.processEvents()
    assert len(hovers) > 60
    assert notices.messages == []


# ---------------------------------------------------------------- clicks and keys
KEYS = [
    getattr(Qt.Key, f"Key_{name}")
    for name in (
        *("Left", "Right", "Up", "Down", "Home", "End", "PageUp", "PageDown", "Return", "Space", "Tab", "Escape", "Backspace"),
        *("Delete", "Plus", "Minus", "0", "A", "BracketLeft", "F5"),
    )
]
MODIFIERS = (
    NONE,
    NONE,
    NONE,
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
    Qt.KeyboardModifier.AltModifier,
)


class Closer(QTimer):
    """Closes each menu and dialog soon after it has opened."""

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self.timeout.connect(self.close_all)
        self.start(10)

    @Slot()
    def close_all(self) -> None:
        if (popup := QApplication.activePopupWidget()) is not None:
            popup.close()
        for dialog in self._window.findChildren(QDialog):
            dialog.close()


def do_something(chance: random.Random, window: MainWindow) -> None:
    """A click or a key at random, where a user could make it."""
    widgets = [
        widget for widget in window.findChildren(QWidget) if widget.isVisible() and widget.isEnabled() and widget.width() > 1
    ]
    widget, modifiers = chance.choice(widgets), chance.choice(MODIFIERS)
    match chance.randrange(8):
        case 0 | 1 | 2:
            QTest.mouseClick(widget, LEFT, modifiers, anywhere(chance, widget))
        case 3:
            view = chance.choice(
                (
                    window.panel("heatmap").view,
                    window.panel("heads").view.viewport(),
                    window.text.strip.viewport(),
                    window.panel("links").view.viewport(),
                )
            )
            QTest.mouseClick(view, LEFT, modifiers, anywhere(chance, view))
        case 4:
            QTest.mouseDClick(widget, LEFT, NONE, anywhere(chance, widget))
        case 5:
            move_mouse(widget, anywhere(chance, widget))
        case _:
            QTest.keyClick(QApplication.focusWidget() or window, chance.choice(KEYS), modifiers)


@pytest.mark.parametrize(("seed", "model"), [(1, "toy:grammar"), (2, "toy:tales")])
def test_clicks_and_keys_in_any_order_break_nothing(qtbot, open_window: Callable, seed: int, model: str) -> None:
    QApplication.setAttribute(Qt.ApplicationAttribute.AA_DontUseNativeDialogs)
    window = open_window(model)
    notices, chance, closer = Notices(window), random.Random(seed), Closer(window)
    for number in range(400):
        do_something(chance, window)
        if number % 3 == 0:
            QApplication.processEvents()
    closer.close_all()
    closer.stop()
    window.explorer.stop()
    settle(qtbot, window.state)
    assert notices.bugs == []
    window.state.update(text="the cat sleeps .", text_pair="")
    window.explorer.run()
    settle(qtbot, window.state)
    assert window.state.queries.text == "the cat sleeps ."
