"""Where windows come back: on a screen, wherever they were, and whatever became of what was kept of them."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QByteArray, QRect, QSettings
from PySide6.QtWidgets import QApplication, QMainWindow

from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.on_screen import bring_onto_screen

FAR = [QRect(5000, 4000, 700, 500), QRect(20, -490, 700, 500)]


@pytest.fixture(autouse=True)
def room(qapp: QApplication) -> QRect:
    return qapp.primaryScreen().availableGeometry()


def kept_of(qtbot, place: QRect) -> bytes:
    window = QMainWindow()
    qtbot.addWidget(window)
    window.setGeometry(place)
    window.show()
    return window.saveGeometry().data()


@pytest.mark.parametrize("place", FAR)
def test_a_window_and_a_floating_view_that_were_on_another_screen_come_back_on_to_this_one(
    settings: QSettings, open_window: Callable[..., MainWindow], place: QRect, room: QRect
) -> None:
    first = open_window("toy:grammar", wait=False)
    first.desk.docks["links"].setFloating(True)
    first.desk.docks["links"].setGeometry(place)
    first.setGeometry(place)
    QApplication.processEvents()
    first.close()
    second = open_window("toy:grammar", wait=False)
    QApplication.processEvents()
    for window in (second, second.desk.docks["links"]):
        seen = window.geometry().intersected(room)
        assert window.isVisible()
        assert seen.top() == window.geometry().top()
        assert seen.width() > 90
        assert seen.height() > 90


def test_a_window_comes_back_whatever_became_of_the_numbers_that_were_kept(qtbot, room: QRect) -> None:
    kept = kept_of(qtbot, QRect(50, 60, 700, 500))
    for at in range(len(kept)):
        for damage in (0, 1, 127, 128, 255):
            damaged = kept[:at] + bytes([damage]) + kept[at + 1 :]
            window = QMainWindow()
            qtbot.addWidget(window)
            if window.restoreGeometry(QByteArray(damaged)):
                bring_onto_screen(window)
                seen = window.geometry().intersected(room)
                assert seen.width() > 90, (at, damage)
                assert seen.height() > 90, (at, damage)
                assert seen.top() == window.geometry().top(), (at, damage)


def test_damaged_numbers_in_the_settings_do_not_hide_the_window(
    qtbot, settings: QSettings, open_window: Callable[..., MainWindow], room: QRect
) -> None:
    kept = bytearray(kept_of(qtbot, QRect(50, 60, 700, 500)))
    kept[51] = 127  # the left edge, of which Qt believes anything
    lost = QMainWindow()
    qtbot.addWidget(lost)
    assert lost.restoreGeometry(QByteArray(bytes(kept)))
    assert not lost.geometry().intersects(room), "what Qt makes of it"
    settings.setValue("window/geometry", QByteArray(bytes(kept)))
    window = open_window("toy:grammar", wait=False)
    assert room.contains(window.geometry().topLeft())
    assert window.height() >= 400


def test_a_window_that_is_partly_aside_stays_where_it_was_put(qtbot, room: QRect) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    place = QRect(room.right() - 300, room.top() + 50, 700, 500)
    window.setGeometry(place)
    bring_onto_screen(window)
    assert window.geometry() == place
