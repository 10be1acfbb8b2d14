"""Picking tokens out: one rule, in whichever view it is done."""

from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QWidget

from headscope.gui.control.explorer import Explorer
from headscope.gui.session.chosen_tokens import mark
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.heatmap.panel import HeatmapPanel
from headscope.gui.views.links.panel import LinksPanel
from headscope.gui.views.text.panel import ReadingPanel
from tests.gui.screen import random_weights, words

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier


@pytest.mark.parametrize(
    ("marks", "pinned", "cell", "after"),
    [
        (Marks(), Cell(), Cell(query=2), Marks((2,))),
        (Marks((2,)), Cell(), Cell(query=4), Marks((2, 4))),
        (Marks((2, 4)), Cell(), Cell(query=2), Marks((4,))),
        (Marks((2,)), Cell(), Cell(key=2), Marks((2,), (2,))),
        (Marks((2,)), Cell(), Cell(2, 5), Marks((2,), (5,))),
        (Marks((2, 3), (5,)), Cell(), Cell(2, 5), Marks((3,))),
        (Marks(), Cell(query=1), Cell(query=3), Marks((1, 3))),
        (Marks(), Cell(query=1), Cell(query=1), Marks()),
        (Marks(), Cell(key=1), Cell(query=3), Marks((3,), (1,))),
        (Marks((1, 3)), Cell(query=3), Cell(query=5), Marks((1, 3, 5))),
        (Marks(), Cell(1, 0), Cell(query=3), Marks((3,))),
    ],
)
def test_tokens_are_picked_out_beside_the_pinned_one_or_let_go_if_all_of_them_are(
    marks: Marks, pinned: Cell, cell: Cell, after: Marks
) -> None:
    state = Session()
    state.update(marks=marks, pinned=pinned)
    mark(state, cell)
    assert state.marks == after
    assert state.pinned == (pinned if None not in (pinned.query, pinned.key) else Cell())


@pytest.fixture
def explorer(qapp) -> Iterator[Explorer]:
    explorer = Explorer(Session())
    yield explorer
    assert explorer.close()


def in_heatmap(panel: HeatmapPanel, query: int) -> tuple[QWidget, QPoint]:
    layout = panel.view.layout_now()
    return panel.view, QPoint(int(layout.plot.left()) - 20, round(layout.cell_rect(query, 0).center().y()))


def in_links(panel: LinksPanel, query: int) -> tuple[QWidget, QPoint]:
    return panel.view.viewport(), panel.view.layout_now.label_box(query, left=True).center().toPoint()


def in_text(panel: ReadingPanel, query: int) -> tuple[QWidget, QPoint]:
    return panel.view.viewport(), panel.view.point_of(query)


@pytest.mark.parametrize(
    ("panel_of", "place_of"), [(HeatmapPanel, in_heatmap), (LinksPanel, in_links), (ReadingPanel, in_text)]
)
def test_ctrl_clicks_do_the_same_in_the_heatmap_the_links_and_the_text(
    qtbot, explorer: Explorer, panel_of: type[QWidget], place_of: Callable[..., tuple[QWidget, QPoint]]
) -> None:
    state, tokens = explorer.state, words(6)
    panel = panel_of(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(600, 500)
    panel.show()
    state.update(queries=tokens, keys=tokens, weights={(0, 0): random_weights(6, 6)}, pinned=Cell(query=1))
    seen = []
    for query in (3, 4, 3):
        widget, place = place_of(panel, query)
        qtbot.mouseClick(widget, LEFT, CTRL, place)
        seen.append((state.marks.queries, state.pinned))
    assert seen == [((1, 3), Cell()), ((1, 3, 4), Cell()), ((1, 4), Cell())]
