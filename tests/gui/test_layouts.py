"""All views are docks: layouts by name, docks that close, float and come to the front, and a presentation."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QApplication, QScrollArea, QTabBar

from headscope.gui.paint.theme import text_font, type_style
from headscope.gui.window.field_button import FieldButton
from headscope.gui.window.layouts import EXPLORE, LAYOUTS, Split, Tabs
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.views import VIEWS
from tests.gui.screen import PATIENCE, settle, shown, values

VIEW_IDS = tuple(name for view in VIEWS for name in (view.id, *([view.reference_id] if view.of_reference else [])))
SIZE = QSize(1280, 800)


@pytest.fixture
def window(qtbot, shared_window: MainWindow) -> MainWindow:
    """The file's own, laid out as on the first day."""
    window = shared_window
    window.resize(SIZE)
    window.choose_layout(EXPLORE.id)
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    return window


def seen(window: MainWindow) -> set[str]:
    QApplication.processEvents()
    return {name for name in VIEW_IDS if window.desk.is_seen(name)}


def leaves(part: Split | Tabs) -> list[Tabs]:
    return [part] if isinstance(part, Tabs) else [leaf for inner in part.parts for leaf in leaves(inner)]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_a_layout_shows_the_first_of_its_tabs_and_fits_a_small_screen(window: MainWindow, layout) -> None:
    window.commands.action(f"layout_{layout.id}").trigger()
    tabs = leaves(layout.plan)
    assert seen(window) == {tab.names[0] for tab in tabs}
    assert {name for name in VIEW_IDS if window.desk.is_open(name)} == {name for tab in tabs for name in tab.names}
    assert window.size() == SIZE
    assert [action.isChecked() for action in layout_actions(window)] == [other is layout for other in LAYOUTS]
    for tab in tabs:
        dock = window.desk.docks[tab.names[0]]
        assert dock.widget().width() >= dock.widget().minimumSizeHint().width()
        assert dock.widget().height() >= dock.widget().minimumSizeHint().height()


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_a_large_window_has_more_views_side_by_side(window: MainWindow, layout) -> None:
    window.resize(2560, 1440)
    window.choose_layout(layout.id)
    tabs = leaves(layout.roomy or layout.plan)
    assert seen(window) == {tab.names[0] for tab in tabs}
    assert len(tabs) >= len(leaves(layout.plan))
    assert {name for tab in tabs for name in tab.names} == {name for tab in leaves(layout.plan) for name in tab.names}
    window.resize(SIZE)
    window.choose_layout(layout.id)
    assert seen(window) == {tab.names[0] for tab in leaves(layout.plan)}


def layout_actions(window: MainWindow) -> list:
    return [window.commands.action(f"layout_{layout.id}") for layout in LAYOUTS]


def test_layouts_are_shares_of_any_size(window: MainWindow) -> None:
    shares = []
    for size in (QSize(1600, 1000), QSize(2560, 1440)):
        window.resize(size)
        window.choose_layout("present")
        QApplication.processEvents()
        shares.append(window.desk.docks["heatmap"].width() / window.desk.width())
    assert shares == pytest.approx([0.56, 0.56], abs=0.01)


def test_every_view_is_in_a_layout_and_has_a_command(window: MainWindow) -> None:
    assert set(window.desk.docks) == set(VIEW_IDS)
    assert {name for tab in leaves(EXPLORE.plan) for name in tab.names} == {view.id for view in VIEWS}
    for name in VIEW_IDS:
        assert window.commands.action(f"view_{name}").text() == window.desk.docks[name].windowTitle()


def test_a_views_command_brings_it_to_the_front_closes_it_and_opens_it(qtbot, window: MainWindow) -> None:
    action = window.commands.action("view_text")
    assert "text" not in seen(window)  # behind the heatmap
    action.trigger()
    assert "text" in seen(window)
    assert "heatmap" not in seen(window)
    action.trigger()
    assert not window.desk.is_open("text")
    assert not action.isChecked()
    action.trigger()
    assert "text" in seen(window)
    assert action.isChecked()


def look_for_a_view(qtbot, window: MainWindow, words: str) -> None:
    """Ctrl+K, some letters of its name, Enter."""
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = QApplication.activePopupWidget()
    qtbot.keyClicks(palette.field, words)
    qtbot.keyClick(palette.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is None)
    QApplication.processEvents()


def assert_none_lies_over_another(window: MainWindow) -> None:
    places = {name: window.desk.docks[name].geometry() for name in seen(window)}
    for name, place in places.items():
        assert window.desk.rect().contains(place), name
        for other in places.keys() - {name}:
            assert not place.intersects(places[other]), (name, other)


LACKING = [
    (layout, name) for layout in LAYOUTS for name in VIEW_IDS if name not in {n for t in leaves(layout.plan) for n in t.names}
]


@pytest.mark.parametrize(("layout", "name"), LACKING, ids=lambda value: getattr(value, "id", value))
def test_a_view_that_a_layout_has_no_place_for_opens_beside_the_others(window: MainWindow, layout, name: str) -> None:
    window.choose_layout(layout.id)
    before = seen(window)
    shares = {each: window.desk.docks[each].width() for each in before}
    window.commands.action(f"view_{name}").trigger()
    assert seen(window) == before | {name}
    assert_none_lies_over_another(window)
    assert window.desk.docks[name].width() / window.desk.width() == pytest.approx(0.28, abs=0.03)
    for each in before:
        assert window.desk.docks[each].width() / shares[each] == pytest.approx(0.72, abs=0.05), each
    window.commands.action(f"view_{name}").trigger()
    assert seen(window) == before
    window.commands.action(f"view_{name}").trigger()
    assert_none_lies_over_another(window)
    window.choose_layout(layout.id)
    assert seen(window) == before


def test_a_view_that_no_layout_had_a_place_for_is_never_a_window_of_its_own(open_window: Callable) -> None:
    """Not even for a blink; offscreen, a window that was docked crashed Qt when it was freed."""
    window = open_window("toy:grammar")
    for name in ("heatmap_of_reference", "links_of_reference"):
        assert not window.desk.is_open(name)
        window.commands.action(f"view_{name}").trigger()
        QApplication.processEvents()
        assert window.desk.is_seen(name)
        assert window.desk.docks[name].windowHandle() is None
    assert_none_lies_over_another(window)


def test_views_found_by_name_in_a_presentation_stand_beside_its_pictures(qtbot, open_window: Callable) -> None:
    window = open_window("toy:grammar")
    window.resize(SIZE)
    before = seen(window)
    qtbot.keyClick(window, Qt.Key.Key_F11)
    look_for_a_view(qtbot, window, "predictions")
    assert seen(window) == {"heatmap", "links", "predictions"}
    assert_none_lies_over_another(window)
    look_for_a_view(qtbot, window, "heads by token")
    assert seen(window) == {"heatmap", "links", "predictions", "heads_by_token"}
    assert_none_lies_over_another(window)
    heights = [window.desk.docks[name].height() for name in ("predictions", "heads_by_token")]
    assert heights[0] == pytest.approx(heights[1], rel=0.1)
    look_for_a_view(qtbot, window, "logit lens")
    assert seen(window) == {"heatmap", "links", "predictions", "logit_lens"}, "on the one before, in front"
    assert_none_lies_over_another(window)
    assert window.panel("logit_lens").isAncestorOf(window.focusWidget())
    settle(qtbot, window.state)  # while the lens is computed, Escape stops that
    window.activateWindow()
    qtbot.waitUntil(window.isActiveWindow)
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: seen(window) == before)


def test_the_menu_that_qt_makes_of_views_opens_them_beside_the_others_too(qtbot, window: MainWindow) -> None:
    window.choose_layout("present")
    window.desk.docks["arithmetic"].toggleViewAction().trigger()
    qtbot.waitUntil(lambda: seen(window) == {"heatmap", "links", "arithmetic"})
    assert_none_lies_over_another(window)


def test_the_buttons_of_a_dock_float_and_close_it(qtbot, window: MainWindow) -> None:
    dock = window.desk.docks["links"]
    qtbot.mouseClick(dock._float, Qt.MouseButton.LeftButton)
    assert dock.isFloating()
    qtbot.waitUntil(lambda: dock.shows_title)
    qtbot.mouseClick(dock._float, Qt.MouseButton.LeftButton)
    assert not dock.isFloating()
    qtbot.mouseClick(dock._close, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not window.commands.action("view_links").isChecked())


def test_a_title_stands_in_the_tab_or_in_a_row_of_its_own_which_takes_no_room_under_tabs(qtbot, window: MainWindow) -> None:
    window.choose_layout("compare")
    QApplication.processEvents()
    bar, at = tab_of(window, "Heatmap")
    docks = window.desk.docks
    for name, title in {"heatmap": False, "predictions": False}.items():
        assert docks[name].shows_title is title
        assert docks[name].widget().y() <= 1, "no empty row"
    assert bar.tabText(at) == "Heatmap"
    docks["heatmap"].setFloating(True)
    QApplication.processEvents()
    assert docks["heatmap"].shows_title and docks["heatmap"].widget().y() > 20


def tab_of(window: MainWindow, title: str) -> tuple[QTabBar, int]:
    bars = window.desk.findChildren(QTabBar)
    return next((bar, at) for bar in bars for at in range(bar.count()) if bar.tabText(at) == title)


@pytest.mark.parametrize("choice", ["Float", "Close"])
def test_a_tab_offers_to_float_and_to_close_its_view(qtbot, window: MainWindow, choice: str) -> None:
    bar, at = tab_of(window, "Heatmap")
    bar.customContextMenuRequested.emit(bar.tabRect(at).center())
    menu = QApplication.activePopupWidget()
    next(action for action in menu.actions() if action.text() == choice).trigger()
    menu.close()
    dock = window.desk.docks["heatmap"]
    assert dock.isFloating() if choice == "Float" else dock.isHidden()


def test_a_double_click_on_a_tab_floats_its_view(qtbot, window: MainWindow) -> None:
    bar, at = tab_of(window, "Heatmap")
    qtbot.mouseDClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(at).center())
    assert window.desk.docks["heatmap"].isFloating()


def test_f6_moves_the_keyboard_from_view_to_view(qtbot, window: MainWindow) -> None:
    settle(qtbot, window.state)
    window.desk.bring("predictions")  # the last of those that are seen
    visited = []
    for _ in range(3):
        window.commands.action("next_view").trigger()
        focus = window.focusWidget()
        visited.append(next(name for name in VIEW_IDS if window.desk.docks[name].isAncestorOf(focus)))
    assert visited == ["heads", "heatmap", "links"]
    window.commands.action("previous_view").trigger()
    assert window.desk.docks["heatmap"].isAncestorOf(window.focusWidget())


def test_the_keyboard_goes_with_the_tab(qtbot, window: MainWindow) -> None:
    window.desk.bring("heatmap")
    assert window.panel("heatmap").view.hasFocus()
    bar = next(bar for bar in window.desk.findChildren(QTabBar) if "Heatmap" in [bar.tabText(at) for at in range(bar.count())])
    text = next(at for at in range(bar.count()) if bar.tabText(at) == "Text")
    qtbot.mouseClick(bar, Qt.MouseButton.LeftButton, pos=bar.tabRect(text).center())
    qtbot.waitUntil(lambda: not window.panel("heatmap").isVisible())
    assert window.panel("text").isAncestorOf(window.focusWidget())


# ---------------------------------------------------------------- presentation
@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.id)
def test_a_presentation_opens_no_view_that_was_closed_before(qtbot, window: MainWindow, layout) -> None:
    window.choose_layout(layout.id)
    before, opened = seen(window), {name for name in VIEW_IDS if window.desk.is_open(name)}
    window.present(True)
    qtbot.waitUntil(lambda: seen(window) == {"heatmap", "links"})
    window.present(False)
    qtbot.waitUntil(lambda: seen(window) == before)
    assert {name for name in VIEW_IDS if window.desk.is_open(name)} == opened


def test_nothing_is_wider_than_before_when_a_presentation_has_ended(qtbot, window: MainWindow) -> None:
    before = {name: window.panel(name).minimumSizeHint().width() for name in VIEW_IDS if window.desk.is_seen(name)}
    window.present(True)
    qtbot.waitUntil(lambda: type_style().scale > 1)
    QApplication.processEvents()
    window.present(False)
    qtbot.waitUntil(lambda: seen(window) == set(before))
    after = {name: window.panel(name).minimumSizeHint().width() for name in before}
    assert after == before


def test_f11_is_full_screen_with_large_type_and_escape_brings_everything_back(qtbot, open_window: Callable) -> None:
    window = open_window("toy:grammar")
    window.resize(SIZE)
    window.choose_layout("teach")
    QApplication.processEvents()
    before, height = seen(window), text_font().pixelSize()
    qtbot.keyClick(window, Qt.Key.Key_F11)
    assert window.isFullScreen()
    assert seen(window) == {"heatmap", "links"}
    assert not window.toolbar.isVisible()
    assert not window.menuBar().isVisible()
    assert text_font().pixelSize() == pytest.approx(1.5 * height, abs=1)
    assert window.statusBar().fontInfo().pixelSize() == text_font().pixelSize()
    qtbot.keyClick(window, Qt.Key.Key_Escape)
    assert not window.isFullScreen()
    assert seen(window) == before
    assert window.toolbar.isVisible()
    assert window.desk.layout_now.id == "teach"
    assert type_style().scale == 1.0


def test_a_window_closed_in_a_presentation_opens_as_it_was_before(qtbot, open_window: Callable) -> None:
    first = open_window("toy:grammar")
    first.present(True)
    first.close()
    second = open_window("toy:grammar", wait=False)
    assert second.desk.layout_now is EXPLORE
    assert "heads" in seen(second)
    assert not second.isFullScreen()
    assert type_style().scale == 1.0


def test_larger_type_makes_labels_of_every_view_larger(window: MainWindow) -> None:
    window.resize(2000, 1800)  # room for every line of the predictions, also in larger type
    window.reset_layout()
    for name in ("heatmap", "links", "predictions"):
        panel = window.panel(name)
        usual = ink(panel)
        window.commands.action("larger_type").trigger()
        window.commands.action("larger_type").trigger()
        QApplication.processEvents()
        assert ink(panel) > 1.15 * usual, name
        window.commands.action("usual_type").trigger()
        QApplication.processEvents()
        assert ink(panel) == pytest.approx(usual, rel=0.05), name


def ink(panel) -> int:
    """How many pixels have the light look's colour of text, or nearly so."""
    image = values(shown(panel))
    channels = [(image >> shift) & 0xFF for shift in (16, 8, 0)]
    near = [abs(channel.astype(int) - wanted) < 24 for channel, wanted in zip(channels, (0x1B, 0x24, 0x30), strict=True)]
    return int(np.logical_and.reduce(near).sum())


@pytest.mark.parametrize("size", [(1280, 800), (1920, 1080)])
def test_large_type_fits_the_screen_and_shows_what_is_chosen(qtbot, open_window, size: tuple[int, int]) -> None:
    """At 150 % the window is no wider than a laptop's screen, and the toolbar names model and device in full."""
    window = open_window("toy:grammar", "the keys of the cabinet [MASK] rusty .")
    window.resize(*size)
    window.preferences.type_size = 150
    qtbot.waitUntil(lambda: window.toolbar.height() > 50, timeout=PATIENCE)
    settle(qtbot, window.state)
    assert window.minimumSizeHint().width() <= 1280
    assert window.width() == size[0]
    for button in window.toolbar.picker.findChildren(FieldButton):
        assert button.elided == button.value, button.value
    assert window.toolbar.wordmark.isVisible() == (size[0] == 1920)


def test_a_text_of_one_line_needs_no_scroll_bar_beside_its_own(qtbot, open_window) -> None:
    window = open_window("toy:grammar", "the keys of the cabinet [MASK] rusty .")
    window.resize(1920, 1080)
    window.preferences.type_size = 150
    for view in ("text", "heads_by_token"):
        window.bring_view(view)
        settle(qtbot, window.state)
        panel = window.panel(view)
        room = next(part for part in window.desk.docks[view].findChildren(QScrollArea) if part.widget() is panel)
        qtbot.waitUntil(lambda room=room: room.verticalScrollBar().maximum() == 0, timeout=PATIENCE)
