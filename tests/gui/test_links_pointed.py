"""A cell that is pointed at in the heatmap: its row's links, with this one told apart, however weak it is."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from headscope.gui.paint.picked import Picked
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.views.links.paint.arcs import ArcsPicture
from headscope.gui.views.links.paint.choice import Choice
from headscope.gui.views.links.paint.lines import Links
from headscope.gui.views.links.paint.links import LinksPicture
from headscope.gui.views.links.widget import LinkView
from headscope.gui.window.main_window import MainWindow
from tests.gui.screen import PATIENCE, settle, shown, words

THEME = theme_of(dark=False)


@pytest.fixture
def window(qtbot, settings, open_window: Callable[..., MainWindow]) -> MainWindow:
    settings.setValue("appearance", "light")
    window = open_window("toy:grammar")
    settle(qtbot, window.state)
    return window


def point_at(qtbot, window: MainWindow, query: int, key: int) -> None:
    view = window.panel("heatmap").view
    qtbot.mouseMove(view, QPoint(1, 1))
    qtbot.mouseMove(view, view.layout_now().cell_rect(query, key).center().toPoint())
    assert window.state.hover == Cell(query, key)


@pytest.mark.parametrize("arcs", [False, True], ids=["links", "arcs"])
def test_a_weak_cell_shows_its_rows_links_and_itself(qtbot, window: MainWindow, arcs: bool) -> None:
    state, panel = window.state, window.panel("links")
    panel.threshold.setValue(20)
    if arcs:
        qtbot.mouseClick(panel.arcs, Qt.MouseButton.LeftButton)
    weights = np.asarray(state.weights[state.head])
    query = next(row for row in range(len(weights)) if weights[row].max() > 0.4 and row != weights[row].argmax())
    key = next(at for at in np.argsort(weights[query]) if at not in (query, weights[query].argmax()))
    assert weights[query, key] < 0.2
    point_at(qtbot, window, query, int(key))
    picture, layout = panel.view.picture, panel.view.layout_now
    links = picture.links(layout, panel.view._picked)
    assert set(links.query.tolist()) == {query}
    assert set(links.key.tolist()) == {at for at in range(len(weights)) if weights[query, at] >= 0.2}
    qtbot.waitUntil(lambda: panel.view.is_complete, timeout=PATIENCE)
    with_it = shown(panel.view.viewport())
    qtbot.mouseMove(window.panel("heatmap").view, QPoint(1, 1))
    state.update(hover=Cell(query))
    qtbot.waitUntil(lambda: panel.view.is_complete, timeout=PATIENCE)
    without = shown(panel.view.viewport())
    assert with_it != without, "the link that is pointed at is told apart"


@pytest.mark.parametrize("kind", [LinksPicture, ArcsPicture])
def test_the_link_that_is_pointed_at_is_dashed_and_one_that_is_masked_is_no_link(qtbot, kind: type) -> None:
    weights = np.array([[1, 0, 0], [0.9, 0.1, 0], [0.01, 0.4, 0.59]], np.float32)
    view = LinkView()
    qtbot.addWidget(view)
    view.resize(600, 400)
    view.set_picture(kind({(0, 0): weights}, words(3), words(3), choice=Choice(at_least=0.2)))
    view.show()
    qtbot.waitUntil(lambda: view.is_complete, timeout=PATIENCE)
    panel, head = (np.array(QColor(name).getRgb()[:3]) for name in (THEME.panel, THEME.heads[0]))

    def strength(picked: Picked, key: int) -> float:
        """Of the strongest pixel in the middle of the link from the query, 1 if it is the head's colour."""
        view.set_picked(picked)
        view.grab()
        qtbot.waitUntil(lambda: view.is_complete, timeout=PATIENCE)
        place = np.array([picked.query]), np.array([key])
        (curve,) = view.layout_now.ends.curves(Links(np.array([0]), *place, np.ones(1, np.float32), 1))
        x, y = (curve.reshape(4, 2) * [[1], [3], [3], [1]]).sum(axis=0) / 8
        image = shown(view.viewport())
        near = [image.pixelColor(int(x) + dx, int(y) + dy).getRgb()[:3] for dx in range(-9, 10) for dy in range(-2, 3)]
        return float(max((panel - np.array(color)) @ (panel - head) / ((panel - head) @ (panel - head)) for color in near))

    assert strength(Picked(2), 0) < 0.3, "too weak to be drawn"
    assert strength(Picked(2, 0), 0) > 0.4, "dashes of grey, whatever it weighs"
    assert strength(Picked(1, 2), 2) < 0.3, "a masked key: there is no link"
