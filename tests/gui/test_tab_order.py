"""Tab goes through everything, as one reads, and what has the keyboard is seen to have it."""

import itertools

import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QApplication, QTabBar, QWidget

from headscope.gui.widgets.tab_order import in_rows, reading_order
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.views import VIEWS
from tests.gui.screen import shown

VIEW_IDS = [view.id for view in VIEWS]


@pytest.fixture(params=[(1280, 800), (1920, 1080)], ids=["laptop", "projector"])
def window(request: pytest.FixtureRequest, shared_window: MainWindow, qtbot) -> MainWindow:
    shared_window.resize(*request.param)
    shared_window.reset_layout()
    shared_window.activateWindow()
    qtbot.waitUntil(shared_window.isActiveWindow)
    QApplication.processEvents()
    return shared_window


def walked(qtbot, window: MainWindow, key: Qt.Key = Qt.Key.Key_Tab) -> list[QWidget]:
    """Where the keyboard comes from the text on, until it comes back."""
    window.edit_text()
    first = window.focusWidget()
    found = [first]
    for _ in range(200):
        qtbot.keyClick(window.focusWidget(), key)
        QApplication.processEvents()
        if window.focusWidget() is first:
            return found
        found.append(window.focusWidget())
    raise AssertionError("Tab does not come back")


def test_tab_reaches_every_control_of_every_view(qtbot, window: MainWindow) -> None:
    for id_ in VIEW_IDS:
        window.bring_view(id_)
        QApplication.processEvents()
        found = walked(qtbot, window)
        assert len(set(map(id, found))) == len(found)
        panel = window.panel(id_)
        wanted = [widget for widget in reading_order(window) if panel.isAncestorOf(widget)]  # groups of buttons have one stop
        assert [widget for widget in wanted if widget not in found] == [], id_
        mine = [at for at, widget in enumerate(found) if panel.isAncestorOf(widget)]
        assert mine == list(range(mine[0], mine[0] + len(mine))) if mine else True, id_  # nothing of others between


def test_shift_tab_goes_back(qtbot, window: MainWindow) -> None:
    window.bring_view("heatmap")
    walked(qtbot, window)  # a group of buttons has one stop from the first visit on: Qt sees to that
    window.edit_text()
    for _ in range(20):
        now = window.focusWidget()
        qtbot.keyClick(now, Qt.Key.Key_Tab)
        after = window.focusWidget()
        qtbot.keyClick(after, Qt.Key.Key_Backtab)
        assert window.focusWidget() is now
        after.setFocus()


def test_controls_come_before_the_picture_that_is_under_them(qtbot, window: MainWindow) -> None:
    for id_ in ("heatmap", "links", "heads", "text"):
        window.bring_view(id_)
        QApplication.processEvents()
        panel = window.panel(id_)
        tops = [widget.mapTo(panel, QPoint(0, 0)).y() for widget in reading_order(window) if panel.isAncestorOf(widget)]
        assert len(tops) > 1
        assert all(after >= before - 12 for before, after in itertools.pairwise(tops)), id_


def in_sight(widget: QWidget) -> QRect:
    """The part of it that no ancestor cuts off."""
    seen, place, part = widget.rect(), QPoint(0, 0), widget
    while (above := part.parentWidget()) is not None and not part.isWindow():
        place = part.mapToParent(place)
        seen = QRect(part.mapToParent(seen.topLeft()), seen.size()) & above.rect()
        part = above
    return seen


def test_what_has_the_keyboard_is_in_sight_and_looks_it(qtbot, window: MainWindow) -> None:
    """Of what is larger than its place the top left; no panel is scrolled to where it has nothing."""
    unseen, alike = set(), set()
    for id_ in VIEW_IDS:
        window.bring_view(id_)
        QApplication.processEvents()
        pictures = {}
        for widget in walked(qtbot, window):
            qtbot.keyClick(window.focusWidget(), Qt.Key.Key_Tab)
            widget = window.focusWidget()
            QApplication.processEvents()
            seen, name = in_sight(widget), f"{id_}: {type(widget).__name__} {widget.accessibleName()}"
            if widget.width() * widget.height() and (
                seen.width() < min(widget.width(), 60) or seen.height() < min(widget.height(), 16)
            ):
                unseen.add(name)
            pictures[name] = widget, shown(widget)
        for name, (widget, focused) in pictures.items():
            (window.text.strip if widget is window.text.text else window.text.text).setFocus()
            QApplication.processEvents()
            if widget.width() * widget.height() and not isinstance(widget, QTabBar) and shown(widget) == focused:
                alike.add(name)
    assert unseen == set()
    assert alike == set()


def test_bars_of_tabs_that_qt_put_aside_are_no_stops(window: MainWindow) -> None:
    bars = [widget for widget in reading_order(window) if isinstance(widget, QTabBar)]
    assert bars
    assert all(bar.count() > 1 and not bar.visibleRegion().isEmpty() for bar in bars)


def test_rows() -> None:
    places = {"a": (0, 0, 50, 20), "b": (60, 4, 50, 12), "c": (0, 30, 200, 100), "d": (120, 0, 10, 0)}
    made = [(name, QRect(*place)) for name, place in places.items()]
    assert in_rows(made) == ["a", "b", "d", "c"]
