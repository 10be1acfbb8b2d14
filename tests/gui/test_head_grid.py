"""The grid of heads: what its pictures show, and what mouse and keys choose."""

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage

from headscope.core.results import ModelInfo
from headscope.gui.explorer import Explorer
from headscope.gui.paint.head_grid import LEAST_CELL, HeadGridPicture
from headscope.gui.paint.theme import theme_of
from headscope.gui.panels.heads import HeadsPanel
from headscope.gui.state import ExplorerState
from headscope.gui.widgets.head_grid_view import HeadGridView

THEME = theme_of(dark=False)
CTRL = Qt.KeyboardModifier.ControlModifier
NONE = Qt.KeyboardModifier.NoModifier
LEFT = Qt.MouseButton.LeftButton


def color_of(weight: float) -> QColor:
    return QColor(*(int(channel) for channel in THEME.ramp[round(255 * weight)]))


# ---------------------------------------------------------------- the picture
@pytest.mark.parametrize("side", [20, 27, 32, 71])
def test_no_cell_is_lost_at_any_size(qapp, side: int) -> None:
    rng = np.random.default_rng(side)
    for _ in range(30):
        thumbnails = np.zeros((2, 3, 32, 24), np.float32)
        layer, head, query, key = (int(rng.integers(count)) for count in thumbnails.shape)
        thumbnails[layer, head, query, key] = 1
        picture = HeadGridPicture(2, 3, thumbnails)
        image = picture.atlas(side, 4, THEME)
        values = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width())
        bright = [(*np.divmod(y, side + 4), *np.divmod(x, side + 4)) for y, x in np.argwhere(values == color_of(1).rgb())]
        assert {(row, column) for row, _, column, _ in bright} == {(layer, head)}
        assert any(abs((y - 0.5) / side - (query + 0.5) / 32) < 0.05 for _, y, _, _ in bright)
        assert any(abs((x - 0.5) / side - (key + 0.5) / 24) < 0.05 for _, _, _, x in bright)


def test_what_is_not_computed_yet_is_calm_and_a_weight_of_zero_is_not_that(qapp) -> None:
    thumbnails = np.zeros((2, 1, 8, 8), np.float32)
    thumbnails[1] = np.nan
    image = HeadGridPicture(2, 1, thumbnails).atlas(20, 4, THEME)
    assert image.pixelColor(10, 10) == color_of(0)
    assert image.pixelColor(10, 34) == QColor(THEME.soft)


def test_a_head_can_be_scaled_to_its_own_maximum(qapp) -> None:
    thumbnails = np.full((1, 2, 4, 4), 0.1, np.float32)
    thumbnails[0, 1] = 0.4
    same = HeadGridPicture(1, 2, thumbnails).atlas(20, 4, THEME)
    own = HeadGridPicture(1, 2, thumbnails, each_to_its_maximum=True).atlas(20, 4, THEME)
    assert (same.pixelColor(10, 10), same.pixelColor(34, 10)) == (color_of(0.1), color_of(0.4))
    assert (own.pixelColor(10, 10), own.pixelColor(34, 10)) == (color_of(1), color_of(1))


@pytest.mark.parametrize(("n_layers", "n_heads"), [(2, 4), (6, 12), (30, 9), (32, 32)])
def test_every_head_is_found_where_it_is_drawn(qapp, n_layers: int, n_heads: int) -> None:
    picture = HeadGridPicture(n_layers, n_heads)
    layout = picture.layout(QRectF(0, 0, 420, 300), QPointF(15, 40))
    assert layout.side >= LEAST_CELL
    found = [
        head
        for head in np.ndindex(n_layers, n_heads)
        if layout.cells.contains(layout.box(head).center()) and layout.head_at(layout.box(head).center()) == head
    ]
    seen = [head for head in np.ndindex(n_layers, n_heads) if layout.cells.contains(layout.box(head).center())]
    assert found == seen
    assert seen
    assert layout.head_at(QPointF(2, 2)) is None


# ---------------------------------------------------------------- the view
@pytest.fixture
def view(qtbot) -> HeadGridView:
    view = HeadGridView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    view.set_picture(HeadGridPicture(6, 12, np.random.default_rng(0).random((6, 12, 16, 16), np.float32)))
    view.set_selection((0, 0), {(0, 0): 0})
    view.show()
    qtbot.waitExposed(view)
    return view


def chosen(view: HeadGridView) -> list[tuple]:
    told: list[tuple] = []
    view.chosen.connect(lambda head, extend: told.append((head, extend)))
    return told


def test_clicks_choose_add_and_leave_alone(qtbot, view: HeadGridView) -> None:
    told = chosen(view)
    point = view.layout_now.box((3, 5)).center().toPoint()
    qtbot.mouseClick(view.viewport(), LEFT, NONE, point)
    qtbot.mouseClick(view.viewport(), LEFT, CTRL, point)
    qtbot.mouseDClick(view.viewport(), LEFT, CTRL, point)
    assert told[0] == ((3, 5), False)
    assert told[1] == ((3, 5), True)
    assert told[-1] == ((3, 5), False)


def test_arrow_keys_choose_and_stop_at_the_edge(qtbot, view: HeadGridView) -> None:
    told = chosen(view)
    for key in (
        Qt.Key.Key_Right,
        Qt.Key.Key_Down,
        Qt.Key.Key_Up,
        Qt.Key.Key_Up,
        Qt.Key.Key_End,
        Qt.Key.Key_Right,
        Qt.Key.Key_Home,
    ):
        qtbot.keyClick(view, key)
    assert [head for head, _ in told] == [(0, 1), (1, 1), (0, 1), (0, 1), (0, 11), (0, 11), (0, 0)]
    assert not any(extend for _, extend in told)
    qtbot.keyClick(view, Qt.Key.Key_End, CTRL)
    assert told[-1] == ((5, 11), False)


def test_control_and_arrows_move_without_choosing(qtbot, view: HeadGridView) -> None:
    told = chosen(view)
    qtbot.keyClick(view, Qt.Key.Key_Down, CTRL)
    qtbot.keyClick(view, Qt.Key.Key_Right, CTRL)
    assert told == []
    qtbot.keyClick(view, Qt.Key.Key_Space, CTRL)
    qtbot.keyClick(view, Qt.Key.Key_Return)
    assert told == [((1, 1), True), ((1, 1), True)]


def test_keyboard_focus_is_visible(qtbot, view: HeadGridView) -> None:
    view.clearFocus()
    without = view.viewport().grab().toImage()
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    assert view.viewport().grab().toImage() != without


def test_selected_heads_are_framed_in_their_colours(view: HeadGridView) -> None:
    view.set_selection((2, 2), {(2, 2): 3, (4, 7): 5})
    shown = view.viewport().grab().toImage()
    for head, number in (((2, 2), 3), ((4, 7), 5)):
        box = view.layout_now.box(head)
        assert shown.pixelColor(round(box.left()) - 1, round(box.center().y())) == THEME.head_color(number)


def test_the_pictures_are_where_the_heads_are(view: HeadGridView) -> None:
    thumbnails = np.zeros((6, 12, 16, 16), np.float32)
    thumbnails[4, 9] = 1
    view.set_picture(HeadGridPicture(6, 12, thumbnails))
    shown = view.viewport().grab().toImage()
    dark = {head for head in np.ndindex(6, 12) if shown.pixelColor(view.layout_now.box(head).center().toPoint()) == color_of(1)}
    assert dark == {(4, 9)}


def test_a_thousand_heads_scroll_to_the_one_that_is_chosen(qtbot, view: HeadGridView) -> None:
    view.set_picture(HeadGridPicture(32, 32, np.zeros((32, 32, 8, 8), np.float32)))
    assert view.horizontalScrollBar().maximum() > 0
    assert view.verticalScrollBar().maximum() > 0
    view.set_selection((31, 31), {(31, 31): 0})
    layout = view.layout_now
    assert layout.cells.contains(layout.box((31, 31)))
    told = chosen(view)
    qtbot.mouseClick(view.viewport(), LEFT, NONE, layout.box((31, 31)).center().toPoint())
    assert told == [((31, 31), False)]


def test_hover_shows_name_and_larger_picture(qtbot, view: HeadGridView) -> None:
    qtbot.mouseMove(view.viewport(), view.layout_now.box((3, 5)).center().toPoint())
    preview = view._preview
    assert preview.isVisible()
    assert preview.name == "layer 3 · head 5"
    larger = QImage(view._picture.one((3, 5), 160, THEME))
    assert (larger.width(), larger.height()) == (160, 160)
    qtbot.mouseMove(view.viewport(), view.viewport().rect().bottomLeft())
    assert not preview.isVisible()


# ---------------------------------------------------------------- the panel
@pytest.fixture
def panel(qtbot) -> HeadsPanel:
    state = ExplorerState()
    explorer = Explorer(state)
    panel = HeadsPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(400, 400)
    panel.show()
    yield panel
    assert explorer.close()


def model(**layers: tuple[int, int]) -> ModelInfo:
    return ModelInfo(
        source="toy:test",
        name="test",
        family="encoder-decoder",
        architecture="Test",
        layers=layers,
        abilities=frozenset(),
        tier="fast",
        device="cpu",
        dtype="float32",
        max_tokens=None,
        mask_token=None,
        n_parameters=0,
        memory_bytes=0,
        checkpoint="toy",
    )


def test_a_model_shows_its_heads_before_their_pictures(panel: HeadsPanel) -> None:
    panel._state.update(model=model(encoder=(2, 4)), kind="encoder")
    assert panel.summary.text() == "2 × 4 heads"
    shown = panel.view.viewport().grab().toImage()
    assert shown.pixelColor(panel.view.layout_now.box((1, 3)).center().toPoint()) == QColor(THEME.soft)
    assert not panel.kinds


def test_clicks_reach_the_state_and_come_back_as_frames(qtbot, panel: HeadsPanel) -> None:
    state = panel._state
    state.update(model=model(encoder=(3, 4)), thumbnails=np.zeros((3, 4, 8, 8), np.float32))
    boxes = {head: panel.view.layout_now.box(head) for head in ((1, 2), (2, 3))}
    qtbot.mouseClick(panel.view.viewport(), LEFT, NONE, boxes[1, 2].center().toPoint())
    assert (state.head, state.heads) == ((1, 2), ((1, 2),))
    qtbot.mouseClick(panel.view.viewport(), LEFT, CTRL, boxes[2, 3].center().toPoint())
    assert state.heads == ((1, 2), (2, 3))
    shown = panel.view.viewport().grab().toImage()
    for number, head in enumerate(((1, 2), (2, 3))):
        at = round(boxes[head].left()) - 1, round(boxes[head].center().y())
        assert shown.pixelColor(*at) == THEME.head_color(number)


def test_a_model_with_several_kinds_of_attention_offers_them(panel: HeadsPanel) -> None:
    panel._state.update(model=model(encoder=(2, 4), decoder=(3, 5), cross=(3, 5)), kind="cross")
    assert list(panel.kinds) == ["encoder", "decoder", "cross"]
    assert panel.kinds["cross"].isChecked()
    assert panel.summary.text() == "3 × 5 heads"
    panel._state.update(model=model(decoder=(1, 2)), kind="decoder")
    assert not panel.kinds


def test_own_scale_changes_the_pictures(qtbot, panel: HeadsPanel) -> None:
    panel._state.update(thumbnails=np.full((1, 2, 4, 4), 0.2, np.float32))
    center = panel.view.layout_now.box((0, 1)).center().toPoint()
    assert panel.view.viewport().grab().toImage().pixelColor(center) == color_of(0.2)
    panel.own_maximum.click()
    assert panel.view.viewport().grab().toImage().pixelColor(center) == color_of(1)


def test_one_click_shows_the_mean_in_the_place_of_the_brightest_cell_and_another_goes_back(qtbot, open_window) -> None:
    text = "once upon a time a brave mouse named Mia lived in a castle . " * 5
    window = open_window("toy:tales", text)
    state, panel = window.state, window.heads

    def expected(how: str) -> np.ndarray:
        return np.stack([pictures for _, pictures in state.record.thumbnails(state.kind, how=how)])

    def shown() -> bool:
        found = state.thumbnails
        return found is not None and np.allclose(found, expected(state.pooling), atol=1e-6)

    qtbot.waitUntil(shown, timeout=30_000)
    assert not np.allclose(expected("max"), expected("mean"), atol=1e-2)
    qtbot.mouseClick(panel.mean, LEFT)
    assert state.pooling == "mean"
    assert panel.own_maximum.isChecked()  # or a long text's means would be as good as white
    qtbot.waitUntil(shown, timeout=30_000)
    window.explorer.run()  # a new record keeps the choice
    old = state.record
    qtbot.waitUntil(lambda: state.record is not old and shown(), timeout=30_000)
    qtbot.mouseClick(panel.mean, LEFT)
    assert state.pooling == "max"
    qtbot.waitUntil(shown, timeout=30_000)
