"""Notices, tokens and text under way move nothing that is on the screen, least of all under the pointer."""

from collections.abc import Callable

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect
from PySide6.QtGui import QEnterEvent
from PySide6.QtWidgets import QApplication, QWidget

from headscope.gui.window.main_window import MainWindow
from headscope.gui.words.notices import Notice
from tests.gui.screen import PATIENCE, settle


def places(window: MainWindow) -> dict[str, QRect]:
    """Where everything is that one looks at."""
    QApplication.processEvents()
    parts: dict[str, QWidget] = {name: dock for name, dock in window.desk.docks.items() if dock.isVisible()}
    return {name: QRect(part.mapTo(window, QPoint()), part.size()) for name, part in {**parts, "text": window.text}.items()}


@pytest.mark.parametrize("level", ["info", "error"])
@pytest.mark.parametrize("type_size", [100, 150])
def test_a_notice_moves_nothing_and_is_seen_whole(open_window: Callable, level: str, type_size: int) -> None:
    window = open_window("toy:grammar")
    window.appearance.choose_type(type_size)
    window.resize(1280, 800)
    before = places(window)
    long = "Something did not work, and this sentence says so at some length, as sentences of libraries do. " * 3
    window.state.update(notice=Notice(level, long, "Do something else.", "Details\nof it"))
    assert places(window) == before
    notice = window.notice
    room = notice.parentWidget().rect()
    assert notice.isVisible() and room.contains(notice.geometry())
    assert notice._sentence.height() >= notice._sentence.heightForWidth(notice._sentence.width())
    notice._more.setChecked(True)
    QApplication.processEvents()
    assert room.contains(notice.geometry())
    assert notice._details.isVisible()
    window.resize(1100, 700)
    QApplication.processEvents()
    assert notice.parentWidget().rect().contains(notice.geometry())
    window.resize(1280, 800)
    before = places(window)  # Qt shares a pixel out otherwise when docks were narrower in between
    window.state.update(notice=None)
    assert places(window) == before


def test_what_a_model_writes_moves_nothing_until_it_has_ended(qtbot, open_window: Callable) -> None:
    window = open_window("toy:tales", "once upon a time")
    window.resize(1100, 800)
    for _ in range(5):
        before = places(window)
    seen, state = [], window.state
    state.changed.connect(lambda names: "steps" in names and state.busy is not None and seen.append(places(window)))
    window.panel("generation").fields.max_new_tokens.setValue(60)
    window.commands.action("generate").trigger()
    qtbot.waitUntil(lambda: len(state.steps) == 60 and state.busy is None, timeout=PATIENCE)
    settle(qtbot, state)
    assert len(seen) > 3
    heights = [{name: (place.top(), place.height()) for name, place in there.items()} for there in (before, *seen)]
    assert all(there == heights[0] for there in heights)
    qtbot.waitUntil(lambda: window.text.height() > before["text"].height(), timeout=PATIENCE)  # then its rows have room


def test_the_strip_is_as_high_as_it_was_while_the_pointer_is_in_it(qtbot, open_window: Callable) -> None:
    window = open_window("toy:grammar")
    window.resize(1100, 800)
    QApplication.processEvents()
    strip, state = window.text.strip, window.state
    height = strip.height()
    at = QPointF(strip.point_of(2))
    QApplication.sendEvent(strip, QEnterEvent(at, at, at))
    state.update(text=" ".join(["the cats near the dog sleep ."] * 6))
    window.explorer.run()
    settle(qtbot, state)
    QApplication.processEvents()
    assert len(strip.axis) > 30
    assert strip.height() == height
    QApplication.sendEvent(strip, QEvent(QEvent.Type.Leave))
    QApplication.processEvents()
    qtbot.waitUntil(lambda: strip.height() > height, timeout=PATIENCE)


def test_a_text_of_one_line_stays_in_sight_after_it_was_written(qtbot, open_window) -> None:
    window = open_window("toy:tales", "once upon a time")
    window.resize(1600, 1000)
    window.panel("generation").fields.max_new_tokens.setValue(8)
    window.commands.action("generate").trigger()
    settle(qtbot, window.state)
    field = window.text.text
    QApplication.processEvents()
    assert field.document().size().height() == 1
    assert field.verticalScrollBar().value() == 0
    assert field.viewport().rect().contains(field.cursorRect().center())
