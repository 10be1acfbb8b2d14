"""The grid of heads: what its pictures show, and what mouse and keys choose."""

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QImage, QPainter, QPaintEvent, QRegion
from PySide6.QtWidgets import QApplication, QToolButton, QWidget

from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.record import AttentionRecord
from headscope.core.forward.model_info import ModelInfo
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.head_grid import HeadGridPicture
from headscope.gui.paint.head_places import AVERAGE, LEAST_CELL, HeadPlaces
from headscope.gui.paint.head_types import type_color
from headscope.gui.paint.stylesheet import stylesheet
from headscope.gui.paint.theme import GRID, SMALL_SIZE, TypeStyle, set_type_style, text_font, theme_of
from headscope.gui.session.session import Session
from headscope.gui.views.heads.panel import HeadsPanel
from headscope.gui.views.heads.widget import HeadGridView
from tests import allowed
from tests.gui.screen import values

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
    state = Session()
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
        backend="fast",
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
    panel.own_maximum.trigger()
    assert panel.view.viewport().grab().toImage().pixelColor(center) == color_of(1)


def test_one_click_shows_the_mean_in_the_place_of_the_brightest_cell_and_another_goes_back(qtbot, open_window) -> None:
    text = "once upon a time a brave mouse named Mia lived in a castle . " * 5
    window = open_window("toy:tales", text)
    state, panel = window.state, window.panel("heads")

    def expected(how: str) -> np.ndarray:
        return np.stack([pictures for _, pictures in state.record.thumbnails(state.kind, how=how)])

    def shown() -> bool:
        found = state.thumbnails
        return found is not None and allowed.difference(found, expected(state.pooling)) <= allowed.of_sums()

    qtbot.waitUntil(shown, timeout=30_000)
    assert not np.allclose(expected("max"), expected("mean"), atol=1e-2)
    panel.mean.trigger()
    assert state.pooling == "mean"
    assert panel.own_maximum.isChecked()  # or a long text's means would be as good as white
    qtbot.waitUntil(shown, timeout=30_000)
    window.explorer.run()  # a new record keeps the choice
    old = state.record
    qtbot.waitUntil(lambda: state.record is not old and shown(), timeout=30_000)
    panel.mean.trigger()
    assert state.pooling == "max"
    qtbot.waitUntil(shown, timeout=30_000)


# ---------------------------------------------------------------- metrics, types, order
def given(pattern_of: dict[tuple[int, int], str], shape: tuple[int, int], n_tokens: int = 8) -> AttentionRecord:
    """A record whose heads do what is said, and look everywhere alike where nothing is."""
    lower = np.tril(np.ones((n_tokens, n_tokens)))
    patterns = {"even": lower / lower.sum(-1, keepdims=True), "same": np.eye(n_tokens)}
    patterns["previous"] = np.eye(n_tokens, k=-1)
    patterns["previous"][0, 0] = 1
    weights = np.stack([patterns[pattern_of.get(head, "even")] for head in np.ndindex(shape)])
    return record_of(weights.reshape(*shape, n_tokens, n_tokens), [f"t{number}" for number in range(n_tokens)])


SHAPE = (3, 4)
PATTERNS = {(0, 2): "previous", (2, 1): "previous", (1, 3): "same"}


@pytest.fixture
def measured(qtbot, panel: HeadsPanel) -> HeadsPanel:
    """With three heads that do something, all measured, and all pictures drawn."""
    panel._explorer.show_record(given(PATTERNS, SHAPE))
    wait_for_metrics(qtbot, panel)
    return panel


def wait_for_metrics(qtbot, panel: HeadsPanel) -> None:
    state = panel._state
    qtbot.waitUntil(
        lambda: panel.measuring.is_complete and state.thumbnails is not None and not np.isnan(state.thumbnails).any(),
        timeout=30_000,
    )


def order_of(panel: HeadsPanel) -> list[tuple[int, int]]:
    """The heads as they stand on the screen, row by row."""
    return [head for row in panel.view.layout_now.placed.rows for head in row]


def grabbed(panel: HeadsPanel) -> QImage:
    return panel.view.viewport().grab().toImage()


def mark_of(panel: HeadsPanel, head: tuple[int, int]) -> QColor:
    """The colour of the bar under a head's picture."""
    box = panel.view.layout_now.box(head)
    return grabbed(panel).pixelColor(round(box.center().x()), round(box.bottom()) + 2)


def test_each_heads_type_is_a_colour_under_its_picture_and_words_in_the_legend(measured: HeadsPanel) -> None:
    found = {head: measured.measuring.metrics.types[head] for head in np.ndindex(SHAPE)}
    assert {head: type_ for head, type_ in found.items() if type_ != "broad"} == PATTERNS
    for head, type_ in found.items():
        assert mark_of(measured, head) == type_color(type_, THEME), head
    shown = {type_: button.text().strip() for type_, button in measured.legend.buttons.items() if not button.isHidden()}
    assert shown == {"previous": "previous > 0.5 · 2", "same": "same > 0.5 · 1", "broad": "broad > 0.9 of maximum · 9"}
    assert measured.legend.buttons["previous"].toolTip().startswith("previous token: ")
    assert "previous token" in measured.legend.buttons["previous"].toolTip()


def test_sorted_heads_flow_best_first_with_their_names(qtbot, measured: HeadsPanel) -> None:
    measured.bar.sort_by["previous"].trigger()
    values = measured.measuring.metrics.values["previous"]
    assert order_of(measured)[:2] == [(0, 2), (2, 1)]
    assert [values[head] for head in order_of(measured)] == sorted(values.ravel(), reverse=True)
    assert "Previous token" in measured.bar.sort.text()
    assert not measured.view.layout_now.has_numbers
    layout = measured.view.layout_now
    below = layout.box((2, 1)).translated(0, layout.side + 3)
    part = grabbed(measured).copy(below.toRect().adjusted(0, 2, 0, round(layout.foot) - 3 - round(layout.side)))
    assert len({part.pixelColor(x, y).rgb() for x in range(part.width()) for y in range(part.height())}) > 1  # its name
    measured.bar.smallest_first.trigger()
    assert order_of(measured)[-2:] == [(0, 2), (2, 1)]
    measured.bar.sort_by[None].trigger()
    assert order_of(measured) == list(np.ndindex(SHAPE))


def test_in_a_sorted_grid_pictures_and_clicks_follow_the_heads(qtbot, measured: HeadsPanel) -> None:
    measured.bar.sort_by["same"].trigger()
    told = chosen(measured.view)
    box = measured.view.layout_now.box((1, 3))
    assert order_of(measured)[0] == (1, 3)
    assert grabbed(measured).pixelColor(round(box.left() + box.width() / 16), round(box.top() + box.height() / 16)) == color_of(
        1
    )
    assert grabbed(measured).pixelColor(round(box.right()) - 2, round(box.top()) + 2) == color_of(0)
    qtbot.mouseClick(measured.view.viewport(), LEFT, NONE, box.center().toPoint())
    qtbot.mouseClick(measured.view.viewport(), LEFT, CTRL, measured.view.layout_now.box((2, 1)).center().toPoint())
    assert told == [((1, 3), False), ((2, 1), True)]
    qtbot.waitUntil(lambda: measured._state.heads == ((1, 3), (2, 1)))


def test_arrow_keys_follow_the_order_that_is_shown(qtbot, measured: HeadsPanel) -> None:
    measured.bar.sort_by["previous"].trigger()
    rows, told = measured.view.layout_now.placed.rows, chosen(measured.view)
    assert len(rows) > 1
    qtbot.keyClick(measured.view, Qt.Key.Key_Home, CTRL)
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_Left):
        qtbot.keyClick(measured.view, key)
    # In the end a row goes on in the one before.
    assert [head for head, _ in told] == [rows[0][0], rows[0][1], rows[1][1], rows[1][0], rows[0][-1]]
    qtbot.waitUntil(lambda: measured._state.head == rows[0][-1])


def test_a_click_in_the_legend_sets_all_other_heads_back_and_tells_how_many_are_left(qtbot, measured: HeadsPanel) -> None:
    before = grabbed(measured)
    qtbot.mouseClick(measured.legend.buttons["previous"], LEFT)
    assert measured.summary.text() == "2 of 12 heads"
    assert measured._picture.faded == frozenset(np.ndindex(SHAPE)) - {(0, 2), (2, 1)}
    box = measured.view.layout_now.box((1, 3))
    at = round(box.left() + box.width() / 16), round(box.top() + box.height() / 16)
    assert before.pixelColor(*at) == color_of(1)
    assert grabbed(measured).pixelColor(*at).lightness() > 200
    measured.bar.sort_by["entropy"].trigger()
    assert set(order_of(measured)) == {(0, 2), (2, 1)}  # in an order of their own, others are left out
    measured.bar.everything.trigger()
    assert len(order_of(measured)) == 12
    assert not measured.legend.buttons["previous"].isChecked()


def test_heads_under_a_minimum_are_set_back(measured: HeadsPanel) -> None:
    bar = measured.bar
    bar.measure.setCurrentIndex(bar.measure.findData("same"))
    bar.minimum.setValue(0.9)
    assert measured.summary.text() == "1 of 12 heads"
    assert frozenset(np.ndindex(SHAPE)) - measured._picture.faded == {(1, 3)}
    assert "Same token ≥ 0.90" in bar.filter.toolTip()
    bar.measure.setCurrentIndex(bar.measure.findData("induction"))  # of no head here
    assert measured.summary.text() == "0 of 12 heads"
    bar.minimum.setValue(0)
    assert measured.summary.text() == "3 × 4 heads"


def test_a_filter_that_lets_no_head_through_leaves_a_sorted_grid_empty_and_alive(qtbot, measured: HeadsPanel) -> None:
    measured.bar.sort_by["same"].trigger()
    measured.bar.toggle_type("induction")
    assert order_of(measured) == []
    qtbot.keyClick(measured.view, Qt.Key.Key_Right)
    qtbot.mouseMove(measured.view.viewport(), measured.view.viewport().rect().center())
    assert grabbed(measured).pixelColor(60, 60) == QColor(THEME.panel)


def test_averages_are_exact_and_one_for_each_layer(qtbot, measured: HeadsPanel) -> None:
    measured.bar.averages.trigger()
    assert order_of(measured) == [(layer, AVERAGE) for layer in range(3)]
    assert measured.summary.text() == "3 averages"
    record, shown = measured._state.record, grabbed(measured)
    for layer in range(3):
        average = record.layer_weights(layer, "decoder").mean(0)
        box = measured.view.layout_now.box((layer, AVERAGE))
        for query, key in ((0, 0), (1, 0), (4, 4), (7, 6), (2, 5)):
            at = round(box.left() + box.width() * (key + 0.5) / 8), round(box.top() + box.height() * (query + 0.5) / 8)
            assert shown.pixelColor(*at) == color_of(average[query, key]), (layer, query, key)


def test_a_click_on_an_average_looks_at_all_heads_of_the_layer(qtbot, measured: HeadsPanel) -> None:
    measured.bar.averages.trigger()
    qtbot.mouseClick(measured.view.viewport(), LEFT, NONE, measured.view.layout_now.box((1, AVERAGE)).center().toPoint())
    qtbot.waitUntil(lambda: measured._state.heads == ((1, 0), (1, 1), (1, 2), (1, 3)))
    assert measured._state.head == (1, 0)
    box = measured.view.layout_now.box((1, AVERAGE))
    assert grabbed(measured).pixelColor(round(box.left()) - 1, round(box.center().y())) == THEME.head_color(0)


def test_a_click_on_a_layers_number_folds_it_and_another_unfolds_it(qtbot, measured: HeadsPanel) -> None:
    layout = measured.view.layout_now
    number = layout.number_box(0, 1).center().toPoint()
    assert layout.layer_at(QPointF(number)) == 1
    qtbot.mouseClick(measured.view.viewport(), LEFT, NONE, number)
    assert measured.view.layout_now.placed.rows[1] == ((1, AVERAGE),)
    assert len(measured.view.layout_now.placed.rows[0]) == 4
    qtbot.keyClick(measured.view, Qt.Key.Key_Down)  # from (0, 0) to the average: all of its heads
    qtbot.waitUntil(lambda: len(measured._state.heads) == 4)
    qtbot.keyClick(measured.view, Qt.Key.Key_A)
    assert order_of(measured) == list(np.ndindex(SHAPE))


def test_hover_names_the_head_and_tells_what_was_measured(qtbot, measured: HeadsPanel) -> None:
    view = measured.view
    qtbot.mouseMove(view.viewport(), view.layout_now.box((0, 2)).center().toPoint())
    preview = view._preview
    assert (preview.name, preview.details.title) == ("layer 0 · head 2", "previous token 1.00")
    told = dict(preview.details.lines)
    assert told["Previous token"] == "1.000"
    assert told["Entropy"] == "0.00 bits"
    assert told["Distance"] == "0.88 tokens"  # 7 of 8 look one token back
    assert "Induction" not in told  # no token occurs twice
    assert preview.isVisible()
    assert preview.grab().toImage().pixelColor(10, 40) == type_color("previous", THEME)


def test_another_record_is_measured_anew_and_its_heads_keep_the_order(qtbot, measured: HeadsPanel) -> None:
    measured.bar.sort_by["previous"].trigger()
    told = []
    measured._state.changed.connect(lambda names: told.append(measured.measuring.metrics) if "record" in names else None)
    old = measured._state.record
    measured._explorer.show_record(given({(1, 1): "previous"}, SHAPE))
    qtbot.waitUntil(lambda: measured._state.record is not old)
    assert told == [None]  # no number of another text is told
    wait_for_metrics(qtbot, measured)
    assert order_of(measured)[0] == (1, 1)


def test_marks_stay_while_the_next_are_on_their_way_but_not_for_long(qtbot, measured: HeadsPanel) -> None:
    measured.hide()  # so that nothing new is measured
    old = measured._state.record
    measured._explorer.show_record(given({}, SHAPE))
    qtbot.waitUntil(lambda: measured._state.record is not old)
    assert measured._picture.types[1, 3] == "same"
    assert measured._details((1, 3)).lines == ()  # but no number of the text before is told
    qtbot.waitUntil(lambda: not measured._picture.types)


def test_a_sorted_head_tells_what_it_is_sorted_by(measured: HeadsPanel) -> None:
    measured.bar.sort_by["previous"].trigger()
    assert measured._picture.notes[0, 2] == "1.00"
    measured.bar.sort_by["induction"].trigger()
    assert set(measured._picture.notes.values()) == {"–"}
    assert order_of(measured) == list(np.ndindex(SHAPE))


def test_layers_in_sight_are_asked_for_first_in_any_order(qtbot, view: HeadGridView) -> None:
    told: list[range] = []
    view.layers_seen.connect(told.append)
    heads = [(layer, head) for layer in range(31, -1, -1) for head in range(32)]
    view.set_picture(HeadGridPicture(32, 32, np.zeros((32, 32, 8, 8), np.float32), places=HeadPlaces.flowing(heads)))
    shown = [layer for row in view.layout_now.rows_seen() for layer, _ in view.layout_now.placed.rows[row]]
    assert told[-1] == range(min(shown), 32)
    assert min(shown) > 25
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    assert told[-1].start == 0
    assert told[-1].stop < 6


def test_a_panel_that_nobody_sees_asks_for_nothing(qtbot, panel: HeadsPanel) -> None:
    panel.hide()
    panel._explorer.show_record(given(PATTERNS, SHAPE))
    qtbot.waitUntil(lambda: panel._state.thumbnails is not None and not panel._explorer._pictures._lane.is_busy)
    assert not panel._explorer.long_questions.is_busy
    assert panel.measuring.metrics is None
    panel.show()
    wait_for_metrics(qtbot, panel)


def test_controls_fit_a_narrow_dock(measured: HeadsPanel) -> None:
    measured.bar.sort_by["relative_entropy"].trigger()
    measured.bar.toggle_type("previous")
    measured.setStyleSheet(stylesheet(THEME))
    for width in (230, 300, 700):
        measured.resize(width, 500)
        QApplication.processEvents()
        assert measured.width() == width
        row = measured.bar.findChildren(QToolButton)
        for button in (*row, measured.bar.display, *measured.legend.buttons.values()):
            right = button.mapTo(measured, button.rect().bottomRight()).x()
            assert button.isHidden() or (right <= width and button.width() >= button.sizeHint().width()), button.text()
        assert len({button.y() for button in row}) == 1, "one row of controls"


@pytest.mark.parametrize(("n_layers", "n_heads"), [(12, 12), (24, 16), (32, 32)])
@pytest.mark.parametrize("size", [(300, 420), (900, 1000)])
def test_every_head_of_a_sorted_grid_is_found_where_it_is_drawn(qapp, n_layers: int, n_heads: int, size: tuple) -> None:
    heads = list(np.ndindex(n_layers, n_heads))[::-1]
    picture = HeadGridPicture(n_layers, n_heads, places=HeadPlaces.flowing(heads))
    layout = picture.layout(QRectF(0, 0, *size), QPointF(0, 30))
    assert [head for row in layout.placed.rows for head in row] == heads
    assert layout.width <= size[0]  # it scrolls down alone
    seen = [head for head in heads if layout.cells.contains(layout.box(head).center())]
    assert seen == [head for head in seen if layout.head_at(layout.box(head).center()) == head]
    assert len(seen) > 10


@pytest.mark.parametrize("scale", [0.8, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("width", [160, 230, 248, 400, 900])
def test_what_heads_are_sorted_by_is_readable_at_any_width(qapp, width: int, scale: float) -> None:
    set_type_style(TypeStyle(scale=scale))
    heads = list(np.ndindex(30, 9))
    notes = {head: f"{0.01 * head[0] + 10 * head[1]:.2f}" for head in heads}
    picture = HeadGridPicture(30, 9, places=HeadPlaces.flowing(heads)).rearranged(places=HeadPlaces.flowing(heads), notes=notes)
    layout = picture.layout(QRectF(0, 0, width, 500))
    words = QFontMetricsF(text_font(SMALL_SIZE, QFont.Weight.DemiBold)).horizontalAdvance("29·8  80.29")
    assert layout.step >= words + 2 * GRID, "beside each other, and apart"
    assert layout.width <= width
    image = QImage(width, 500, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    picture.paint(painter, layout, THEME)
    painter.end()
    below = layout.box(heads[0]).adjusted(-2, layout.side + 4, 2, layout.foot).toRect()
    ink = (values(image.copy(below)) != THEME.color("panel").rgb()).any(axis=0).nonzero()[0]
    assert ink[0] > 0, "nothing is cut off at the left"
    assert ink[-1] < below.width() - 1, "nor at the right"


@pytest.mark.parametrize("sort", [None, "previous"])
def test_what_the_mouse_leaves_behind_is_as_it_was(qtbot, measured: HeadsPanel, sort: str | None) -> None:
    """Only what is around the mouse is drawn anew: nothing of it may stay."""
    measured.bar.sort_by[sort].trigger()
    view = measured.view
    qtbot.mouseMove(view.viewport(), view.viewport().rect().bottomRight())  # where the test before left the mouse is a head
    QApplication.processEvents()
    without = view.viewport().grab().toImage()
    shown, drawn = QImage(without), RegionWatch(view.viewport())
    for head in ((0, 2), (0, 3), (2, 1), None):
        point = view.viewport().rect().bottomRight() if head is None else view.layout_now.box(head).center().toPoint()
        drawn.region = QRegion()
        qtbot.mouseMove(view.viewport(), point)
        qtbot.waitUntil(lambda: not drawn.region.isEmpty())
        region, whole = drawn.region, view.viewport().grab().toImage()
        assert region.boundingRect() != view.viewport().rect()
        for rect in region:
            paste(shown, whole, rect)
        assert shown == whole, head
    assert shown == without


class RegionWatch(QObject):
    """What is drawn anew on a widget, apart from grabs of the whole."""

    def __init__(self, widget: QWidget) -> None:
        super().__init__(widget)
        self.region = QRegion()
        self._whole = widget.rect()
        widget.installEventFilter(self)

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QPaintEvent) and event.rect() != self._whole:
            self.region += event.region()
        return False


def paste(onto: QImage, image: QImage, rect: QRect) -> None:
    painter = QPainter(onto)
    painter.drawImage(rect, image, rect)
    painter.end()
