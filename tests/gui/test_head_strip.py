"""The strip of heads: every number that of the record, every head and token a click away."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt

from headscope.core.attention.from_arrays import record_of
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.heads_by_token.paint import ROW, HeadStripPicture
from headscope.gui.views.heads_by_token.panel import HeadStripPanel
from headscope.gui.views.heads_by_token.widget import HeadStripView
from tests import allowed
from tests.gui.screen import said, words

PATIENCE = 30_000
LEFT = Qt.MouseButton.LeftButton
CONTROL = Qt.KeyboardModifier.ControlModifier
THEME = theme_of(dark=False)


@pytest.fixture
def explorer(qapp) -> Iterator[Explorer]:
    explorer = Explorer(Session())
    yield explorer
    assert explorer.close()


@pytest.fixture
def panel(qtbot, explorer: Explorer) -> HeadStripPanel:
    """Shown, after toy:grammar's first run, with token 2 pinned."""
    explorer.load("toy:grammar")
    panel = HeadStripPanel(explorer.state, explorer)
    qtbot.addWidget(panel)
    panel.resize(420, 320)
    panel.show()
    qtbot.waitUntil(lambda: explorer.state.run is not None and explorer.state.busy is None, timeout=PATIENCE)
    explorer.state.update(pinned=Cell(query=2))
    wait_for(qtbot, panel, 2)
    return panel


def wait_for(qtbot, panel: HeadStripPanel, *positions: int, side: str = "query", layer: int | None = None) -> None:
    """Until the strip shows these tokens."""
    layer = panel._state.head[0] if layer is None else layer

    def shows() -> bool:
        found = panel._answer.value
        request = None if found is None or panel.view.picture is None else found.request
        return request is not None and (request.positions, request.side, request.heads[0][0]) == (positions, side, layer)

    qtbot.waitUntil(shows, timeout=PATIENCE)


def move(qtbot, view: HeadStripView, point: QPoint) -> None:
    qtbot.mouseMove(view.viewport(), QPoint(1, 1))  # the mouse may be there already, from the test before
    qtbot.mouseMove(view.viewport(), point)


# ---------------------------------------------------------------- numbers
def test_each_head_of_the_layer_shows_what_the_token_looks_at(explorer, panel: HeadStripPanel) -> None:
    layer = explorer.state.head[0]
    rows = explorer.state.record.layer_weights(layer, "encoder", slice(2, 3))[:, 0]
    assert np.array_equal(panel.view.picture.weights, rows)
    assert f"attends to · layer {layer}" in panel.title.text()
    assert f"{rows.max():.4f}" in panel.scale.scale.largest


def test_or_who_looks_at_it(qtbot, explorer, panel: HeadStripPanel) -> None:
    qtbot.mouseClick(panel.sides["key"], LEFT)
    wait_for(qtbot, panel, 2, side="key")
    columns = explorer.state.record.layer_weights(explorer.state.head[0], "encoder")[:, :, 2]
    np.testing.assert_allclose(panel.view.picture.weights, columns, atol=allowed.of_blocks(columns))
    assert "is attended by" in panel.title.text()


def test_marked_tokens_are_summed_and_the_title_says_so(qtbot, explorer, panel: HeadStripPanel) -> None:
    explorer.state.update(marks=Marks(queries=(2, 5)))
    wait_for(qtbot, panel, 2, 5)
    rows = explorer.state.record.layer_weights(explorer.state.head[0], "encoder")[:, [2, 5]].sum(axis=1)
    np.testing.assert_allclose(panel.view.picture.weights, rows, atol=allowed.of_sums())
    assert "sum of 2 tokens" in panel.title.text()


def test_the_exact_value_under_the_mouse_is_told(qtbot, explorer, panel: HeadStripPanel) -> None:
    move(qtbot, panel.view, panel.view.point_of(4, 1))
    value = explorer.state.record.cell(explorer.state.head[0], 1, 2, 4)
    assert panel.scale.note == f"head 1 · {explorer.state.queries.labels[4]}  {value:.4f}"


def test_of_a_long_text_columns_come_in_blocks_and_are_exact(qtbot, explorer) -> None:
    weights = np.random.default_rng(1).dirichlet(np.ones(700), size=(2, 3, 700)).astype(np.float32)
    panel = HeadStripPanel(explorer.state, explorer)
    qtbot.addWidget(panel)
    panel.show()
    explorer.show_record(record_of(weights, [f"w{number}" for number in range(700)]))
    qtbot.waitUntil(lambda: explorer.state.record is not None, timeout=PATIENCE)
    panel.set_side("key")
    explorer.state.update(pinned=Cell(key=650))
    wait_for(qtbot, panel, 650, side="key")
    np.testing.assert_allclose(panel.view.picture.weights, weights[0, :, :, 650], atol=allowed.of_sums(1))
    label = panel.view.label_point(650).y()
    assert 0 < label < panel.view.viewport().height()  # in sight


def test_the_old_strip_stays_until_the_new_one_is_there_and_is_then_of_the_new_text(qtbot, explorer, panel) -> None:
    old, then = panel.view.picture, []

    def look(names: frozenset[str]) -> None:
        if "record" in names:
            panel.view.pointed.emit(4, 1)  # a row of the text before
            then.append((panel.view.picture, explorer.state.hover))

    explorer.state.changed.connect(look)
    explorer.state.update(text="the keys of the cabinet [MASK] in the old garden .")  # whose pin goes with it
    explorer.run()
    qtbot.waitUntil(lambda: panel.view.picture is not old, timeout=PATIENCE)
    assert then == [(old, Cell())]
    assert panel.view.picture.axis is explorer.state.keys
    assert "garden" in panel.view.picture.axis.text


# ---------------------------------------------------------------- heads
def test_a_click_chooses_a_head_and_ctrl_adds_one(qtbot, explorer, panel: HeadStripPanel) -> None:
    layer = explorer.state.head[0]
    qtbot.mouseClick(panel.view.viewport(), LEFT, pos=panel.view.point_of(3, 1))
    qtbot.waitUntil(lambda: explorer.state.head == (layer, 1), timeout=PATIENCE)
    qtbot.mouseClick(panel.view.viewport(), LEFT, CONTROL, panel.view.point_of(3, 2))
    qtbot.waitUntil(lambda: explorer.state.heads == ((layer, 1), (layer, 2)), timeout=PATIENCE)
    assert set(panel.view._colors) == {1, 2}


def test_a_head_under_the_mouse_is_previewed(qtbot, explorer, panel: HeadStripPanel) -> None:
    qtbot.waitUntil(lambda: explorer.state.thumbnails is not None and not np.isnan(explorer.state.thumbnails).any())
    move(qtbot, panel.view, panel.view.point_of(3, 2))
    assert panel.view.preview.isVisible()
    assert panel.view.preview.name == f"layer {explorer.state.head[0]} · head 2"
    move(qtbot, panel.view, panel.view.label_point(3))
    assert not panel.view.preview.isVisible()


def test_the_layer_is_chosen_by_its_field_and_follows_the_head(qtbot, explorer, panel: HeadStripPanel) -> None:
    other = 1 - explorer.state.head[0]
    panel.layer.setFocus()
    qtbot.keyClick(panel.layer, Qt.Key.Key_Up if other else Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: explorer.state.head[0] == other, timeout=PATIENCE)
    wait_for(qtbot, panel, 2, layer=other)
    explorer.select_head((1 - other, 0))
    wait_for(qtbot, panel, 2, layer=1 - other)
    assert panel.layer.value() == 1 - other


# ---------------------------------------------------------------- tokens
def test_a_row_under_the_mouse_lights_its_token_everywhere(qtbot, explorer, panel: HeadStripPanel) -> None:
    move(qtbot, panel.view, panel.view.point_of(4, 1))
    assert explorer.state.hover == Cell(2, 4)
    move(qtbot, panel.view, QPoint(panel.view.viewport().width() - 2, panel.view.viewport().height() - 2))
    assert explorer.state.hover == Cell()


def test_a_token_that_is_pointed_at_elsewhere_is_lit_here(explorer, panel: HeadStripPanel) -> None:
    before = panel.view.viewport().grab().toImage()
    explorer.state.update(hover=Cell(2, 5))
    assert panel.view.viewport().grab().toImage() != before


def test_without_a_pin_the_strip_stays_while_the_mouse_goes_over_it(qtbot, explorer, panel: HeadStripPanel) -> None:
    explorer.state.update(pinned=Cell(), hover=Cell())
    assert panel.view.picture is not None
    move(qtbot, panel.view, panel.view.point_of(4, 1))
    assert explorer.state.hover == Cell(2, 4)
    assert panel.title.text().startswith("“") and not explorer.questions.is_busy


def test_a_click_on_a_label_makes_it_the_token_that_is_looked_at(qtbot, explorer, panel: HeadStripPanel) -> None:
    qtbot.mouseClick(panel.view.viewport(), LEFT, pos=panel.view.label_point(5))
    assert explorer.state.pinned == Cell(query=5)
    wait_for(qtbot, panel, 5)


def test_the_keyboard_does_all_that(qtbot, explorer, panel: HeadStripPanel) -> None:
    layer = explorer.state.head[0]
    panel.view.setFocus()
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right):
        qtbot.keyClick(panel.view, key)
    assert explorer.state.hover == Cell(2, 2)
    assert panel.scale.note.startswith("head 1")
    qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: explorer.state.head == (layer, 1), timeout=PATIENCE)
    qtbot.keyClick(panel.view, Qt.Key.Key_Escape)
    assert explorer.state.pinned == Cell()


def test_a_hidden_panel_asks_nothing(explorer, panel: HeadStripPanel) -> None:
    panel.hide()
    explorer.state.update(pinned=Cell(query=6))
    assert not explorer.questions.is_busy


# ---------------------------------------------------------------- the picture
def test_without_a_token_the_strip_says_what_to_do(qtbot, explorer) -> None:
    panel = HeadStripPanel(explorer.state, explorer)
    qtbot.addWidget(panel)
    panel.show()
    assert "first run" in panel.view._hint
    explorer.show_record(record_of(np.eye(3, dtype=np.float32), ["a", "b", "c"]))
    qtbot.waitUntil(lambda: explorer.state.record is not None, timeout=PATIENCE)
    assert "Point at a word" in panel.view._hint


def test_cells_have_the_ramps_colours(qtbot) -> None:
    weights = np.array([[0.0, 0.25, 0.5], [1.0, 0.0, 0.75]], np.float32)
    view = HeadStripView()
    qtbot.addWidget(view)
    view.resize(260, 160)
    view.show()
    view.set_picture(HeadStripPicture(weights, words(3)), (0,))
    image = view.viewport().grab().toImage()
    for head in range(2):
        for token in range(3):
            color = THEME.ramp[round(255 * weights[head, token])]
            assert image.pixelColor(view.point_of(token, head)).getRgb()[:3] == tuple(color)


@pytest.mark.parametrize("place", [0, 1234, 4095])
def test_seen_whole_no_strong_weight_is_lost(qtbot, place: int) -> None:
    weights = np.zeros((3, 4096), np.float32)
    weights[1, place] = 1
    view = HeadStripView()
    qtbot.addWidget(view)
    view.resize(260, 300)
    view.show()
    view.set_picture(HeadStripPicture(weights, words(4096)), ())
    assert view.verticalScrollBar().maximum() > 0
    view.set_whole(True)
    assert view.verticalScrollBar().maximum() == 0
    image = view.viewport().grab().toImage()
    x = view.point_of(place, 1).x()
    column = [image.pixelColor(x, y).getRgb()[:3] for y in range(image.height())]
    assert column.count(tuple(THEME.ramp[255])) == 1


def test_rows_can_be_read_and_many_heads_are_scrolled(qapp) -> None:
    picture = HeadStripPicture(np.zeros((64, 512), np.float32), words(512))
    layout = picture.layout(QRectF(0, 0, 300, 400), QPointF(0, 0))
    assert layout.row == ROW
    assert layout.width > 300
    assert layout.height > 400
    assert len(layout.visible) < 25
    assert layout.token_at(layout.box(7, 3).center()) == 7
    assert layout.head_at(layout.box(7, 3).center()) == 3


def test_the_view_tells_heads_and_tokens_apart(qtbot) -> None:
    view = HeadStripView()
    qtbot.addWidget(view)
    view.resize(260, 160)
    view.show()
    view.set_picture(HeadStripPicture(np.zeros((2, 3), np.float32), words(3)), ())
    heads, tokens = said(view.head_chosen), said(view.token_chosen)
    qtbot.mouseClick(view.viewport(), LEFT, pos=QPoint(view.point_of(0, 1).x(), 4))  # the head's number
    qtbot.mouseClick(view.viewport(), LEFT, pos=view.label_point(2))
    assert heads == [(1, False)]
    assert tokens == [(2,)]
