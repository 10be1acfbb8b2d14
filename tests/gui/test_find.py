"""Ctrl+F: found tokens are marked in every view, Enter goes on to the next, Escape ends it."""

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from headscope.core.text.tokens import Units
from headscope.gui.session.find import Find
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.window.main_window import MainWindow
from tests.gui.screen import PATIENCE, shown
from tests.tiny_models import write_encoder_decoder

TEXT = "the cats near the dog sleep . the dog barks ."
CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier


@pytest.fixture
def window(shared_window: MainWindow, qtbot) -> MainWindow:
    window = shared_window
    window.resize(1600, 1000)
    window.state.update(text=TEXT, pinned=Cell(), marks=Marks(), hover=Cell())
    window.explorer.run()
    qtbot.waitUntil(lambda: window.state.queries.text == TEXT and window.state.busy is None, timeout=PATIENCE)
    yield window
    window.find_bar.end()
    window.find_bar.field.clear()
    window.state.update(units=Units(), pinned=Cell()) if window.state.record is None else window.explorer.set_units(Units())
    qtbot.waitUntil(lambda: window.state.units == Units() and window.state.queries.pieces is None, timeout=PATIENCE)


def search(qtbot, window: MainWindow, query: str) -> None:
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow, timeout=PATIENCE)
    qtbot.keyClick(window, Qt.Key.Key_F, CTRL)
    qtbot.waitUntil(window.find_bar.isVisible, timeout=PATIENCE)
    qtbot.keyClicks(window.find_bar.field, query)


def positions(window: MainWindow, word: str) -> list[int]:
    return [at for at, label in enumerate(window.state.queries.labels) if label == word]


def test_enter_goes_round_and_shift_enter_back(qtbot, window: MainWindow) -> None:
    search(qtbot, window, "dog")
    field, bar = window.find_bar.field, window.find_bar
    first, second = positions(window, "dog")
    assert bar.count.text() == "1 of 2"
    assert window.state.pinned == Cell(query=first)
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert (bar.count.text(), window.state.pinned) == ("2 of 2", Cell(query=second))
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert (bar.count.text(), window.state.pinned) == ("1 of 2", Cell(query=first))
    qtbot.keyClick(field, Qt.Key.Key_Return, SHIFT)
    assert (bar.count.text(), window.state.pinned) == ("2 of 2", Cell(query=second))
    qtbot.keyClicks(field, "s")
    assert (bar.count.text(), window.state.find.matches) == ("No match", ())
    qtbot.keyClick(field, Qt.Key.Key_Return)  # of none
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert not bar.isVisible() and window.state.find == Find()


def test_a_search_begins_where_one_is(qtbot, window: MainWindow) -> None:
    second = positions(window, "dog")[1]
    window.state.update(pinned=Cell(query=second))
    search(qtbot, window, "dog")
    assert (window.find_bar.count.text(), window.state.pinned) == ("2 of 2", Cell(query=second))


def test_escape_gives_the_keyboard_back(qtbot, window: MainWindow) -> None:
    view = window.panel("heatmap").view
    view.setFocus()
    search(qtbot, window, "cats")
    qtbot.keyClick(window.find_bar.field, Qt.Key.Key_Escape)
    assert window.focusWidget() is view


def test_nothing_moves_when_the_bar_comes(qtbot, window: MainWindow) -> None:
    def places() -> list[tuple[int, int, int, int]]:
        parts = (window.desk, window.text, window.statusBar(), window.text.strip)
        return [part.geometry().getRect() for part in parts]

    before = places()
    search(qtbot, window, "cats near")
    QApplication.processEvents()
    assert places() == before


def marked(window: MainWindow, part, point: QPoint) -> bool:
    """Whether the ground at a point of a widget is the mark's colour and not the panel's."""
    color = QColor(shown(part).pixelColor(point))
    return color.blue() < min(color.red(), color.green()) - 40


def test_every_view_marks_every_match(qtbot, window: MainWindow) -> None:
    """All tokens that "dog barks" and "dog sleep" touch, in each picture that has labels; and no others."""
    search(qtbot, window, "the dog")
    found = set(window.state.find.queries)
    assert found == {4, 5, 8, 9}
    window.state.update(pinned=Cell(), hover=Cell())
    for view in ("heatmap", "links", "text", "heads_by_token"):
        window.bring_view(view)
        QApplication.processEvents()
        panel = window.panel(view)
        if view == "heads_by_token":
            window.state.update(pinned=Cell(query=1))
            qtbot.waitUntil(lambda panel=panel: panel.view.picture is not None, timeout=PATIENCE)
        target = getattr(panel.view, "viewport", lambda panel=panel: panel.view)()
        ratio = target.devicePixelRatioF()
        for at in range(len(window.state.queries)):
            point = ground_of(view, panel, at)
            assert marked(window, target, point * ratio) == (at in found), (view, at)
    strip = window.text.strip
    for at in range(len(window.state.queries)):
        box = strip._box(at)
        assert marked(window, strip.viewport(), QPoint(int(box.left()) + 6, int(box.center().y()) - 8)) == (at in found), at
    window.find_bar.end()
    assert not marked(window, strip.viewport(), QPoint(int(strip._box(5).left()) + 6, int(strip._box(5).center().y()) - 8))


def ground_of(view: str, panel, at: int) -> QPoint:
    """A point beside a query's word that is ground, in the viewport."""
    if view == "heatmap":
        layout = panel.view.layout_now()
        return QPoint(int(layout.plot.left()) - 4, int(layout.cell_rect(at, 0).center().y()))
    if view == "links":
        box = panel.view.layout_now.label_box(at, left=True)
        return QPoint(int(box.right()) + 1, int(box.center().y()) - 5)
    if view == "text":
        box = panel.view.text_layout.boxes_of(at)[0].translated(panel.view._origin())
        return QPoint(int(box.center().x()), int(box.top()) + 3)
    box = panel.view._shown_layout().box(at, 0)
    return QPoint(2, int(box.center().y()))


def test_marks_follow_the_units(qtbot, window: MainWindow) -> None:
    search(qtbot, window, "dog")
    window.explorer.set_units(Units("sentences", "hidden"))
    qtbot.waitUntil(lambda: len(window.state.queries) == 2, timeout=PATIENCE)
    assert [list(match.queries) for match in window.state.find.matches] == [[0], [1]]
    assert {window.text.strip.axis.labels[at] for at in window.text.strip._found} >= {"dog", "barks", "cats"}


def test_another_text_is_searched_anew_and_nothing_is_pinned_for_it(qtbot, window: MainWindow) -> None:
    search(qtbot, window, "dog")
    window.state.update(text="the dog sleep .", pinned=Cell())
    window.explorer.run()
    qtbot.waitUntil(lambda: len(window.state.queries) == 6, timeout=PATIENCE)
    assert [list(match.queries) for match in window.state.find.matches] == [[2]]
    assert window.state.pinned == Cell() and window.find_bar.count.text() == "1 found"


def test_source_and_target_are_both_searched(qtbot, open_window, tmp_path) -> None:
    """Cross-attention: keys are the source, queries the target."""
    window = open_window(str(write_encoder_decoder(tmp_path / "model")), wait=False)
    qtbot.waitUntil(lambda: window.state.model is not None and window.state.busy is None, timeout=PATIENCE)
    window.state.update(text="the cat sleeps", target="the cat")
    window.explorer.run()
    qtbot.waitUntil(lambda: window.state.run is not None and window.state.busy is None, timeout=PATIENCE)
    window.explorer.set_kind("cross")
    qtbot.waitUntil(lambda: window.state.kind == "cross", timeout=PATIENCE)
    search(qtbot, window, "cat")
    matches = window.state.find.matches
    assert [bool(match.keys) for match in matches] == [True, False]
    assert [bool(match.queries) for match in matches] == [False, True]
    assert window.state.pinned == Cell(key=matches[0].keys[0])
    qtbot.keyClick(window.find_bar.field, Qt.Key.Key_Return)
    assert window.state.pinned == Cell(query=matches[1].queries[0])


def test_a_page_of_text_is_scrolled_to_the_match(qtbot, window: MainWindow) -> None:
    text = " ".join(["the cats near the dog sleep ."] * 8 + ["the bird sings ."])
    window.state.update(text=text)
    window.explorer.run()
    qtbot.waitUntil(lambda: window.state.queries.text == text and window.state.busy is None, timeout=PATIENCE)
    last = len(window.state.queries) - 5
    links, strip = window.panel("links").view, window.text.strip
    search(qtbot, window, "the bird")
    assert window.state.pinned == Cell(query=last)
    qtbot.waitUntil(lambda: last in links.layout_now.visible(len(window.state.queries)), timeout=PATIENCE)
    qtbot.waitUntil(lambda: strip.viewport().rect().contains(strip.point_of(last)), timeout=PATIENCE)


def test_a_search_is_one_change_however_many_matches_it_goes_through(qtbot, window: MainWindow) -> None:
    state, field = window.state, window.find_bar.field
    state.update(pinned=Cell(query=1))
    before = state.undoable
    search(qtbot, window, "dog")
    for _ in range(3):
        qtbot.keyClick(field, Qt.Key.Key_Return)
    at = state.pinned
    assert (state.undoable, state.undo_of) == (before + 1, "find")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    search(qtbot, window, "cats")
    assert state.undoable == before + 2, "another search is another change"
    window.find_bar.end()
    window.history.undo()
    assert state.pinned == at
    window.history.undo()
    assert state.pinned == Cell(query=1)
    window.history.redo()
    assert state.pinned == at


def test_what_is_pinned_during_a_search_is_a_change_of_its_own(qtbot, window: MainWindow) -> None:
    state = window.state
    before = state.undoable
    search(qtbot, window, "dog")
    state.pin(Cell(query=2))
    qtbot.keyClick(window.find_bar.field, Qt.Key.Key_Return)
    assert state.undoable == before + 3


def test_steps_of_a_generation_are_marked(qtbot, open_window) -> None:
    """In the film strip and in the list: the tokens that were found, and no others; the match that one comes to is in sight."""
    window = open_window("toy:tales", "once upon a time")
    window.resize(1600, 1000)
    window.panel("generation").fields.max_new_tokens.setValue(30)
    window.commands.action("generate").trigger()
    qtbot.waitUntil(lambda: len(window.state.steps) == 30 and window.state.busy is None, timeout=PATIENCE)
    words = [step.token.text for step in window.state.steps]
    word = next(word for word in words if words.count(word) > 1)
    for view in ("generation", "film_strip"):
        window.bring_view(view)
        QApplication.processEvents()
    found = {at for at, each in enumerate(words) if word in each.casefold()}  # parts of words are found, too
    assert 0 < len(found) < 30
    search(qtbot, window, word)
    film, steps = window.panel("film_strip").strip, window.panel("generation").list
    assert steps.found == found
    for _ in window.state.find.matches:
        qtbot.keyClick(window.find_bar.field, Qt.Key.Key_Return)
        here = window.state.pinned.query
        step = next((at for at in found if len(window.state.queries) - 30 + at == here), None)
        if step is not None:
            assert film.viewport().rect().contains(film.box(0, step).toRect().center())
    window.state.update(pinned=Cell(), hover=Cell())
    ratio = film.devicePixelRatioF()
    for at in range(30):
        film.reveal(at)
        QApplication.processEvents()
        box = film.box(0, at)
        ground = QPoint(int(box.left()) + 8, int(box.center().y()))
        assert marked(window, film.viewport(), ground * ratio) == (at in found), at
    window.bring_view("generation")
    for at in range(30):
        steps.reveal(at)
        QApplication.processEvents()
        row = steps.visualRect(steps.model().index(at, 0))
        ground = QPoint(row.left() + 15, row.center().y() - 7)
        assert marked(window, steps.viewport(), ground * ratio) == (at in found), at
