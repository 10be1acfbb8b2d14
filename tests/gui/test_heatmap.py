"""The heatmap: which colours are where, and what mouse and keys do."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QTransform, QWheelEvent
from PySide6.QtWidgets import QApplication

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.labels import text_width, widest
from headscope.gui.paint.scales import Look
from headscope.gui.paint.theme import Theme, scaled, theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.heatmap.paint.layout import GAP, KEY_ANGLE, HeatmapLayout, heatmap_layout
from headscope.gui.views.heatmap.paint.picture import HeatmapPicture
from headscope.gui.views.heatmap.panel import HeatmapPanel
from headscope.gui.views.heatmap.widget import HeatmapView
from tests.gui.screen import axis, color_of, isolated_cells, n_colors, random_weights, said, shown, values, words

LIGHT, DARK = theme_of(dark=False), theme_of(dark=True)
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def painted(picture: HeatmapPicture, width: int = 700, height: int = 600, theme: Theme = LIGHT, **how) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(theme.color("panel"))
    painter = QPainter(image)
    picture.paint(painter, QRectF(0, 0, width, height), theme, **how)
    painter.end()
    return image


def layout_of(picture: HeatmapPicture, width: int = 700, height: int = 600) -> HeatmapLayout:
    return picture.layout(QRectF(0, 0, width, height))


# ---------------------------------------------------------------- the picture
@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize(("n_queries", "n_keys"), [(1, 1), (9, 9), (3, 40), (50, 50)])
def test_a_cell_has_the_colour_of_its_weight(qapp, theme: Theme, vector: bool, n_queries: int, n_keys: int) -> None:
    weights = random_weights(n_queries, n_keys)
    picture = HeatmapPicture(weights, words(n_queries), words(n_keys))
    image, layout = painted(picture, theme=theme, vector=vector), layout_of(picture)
    for query, key in np.ndindex(n_queries, n_keys):
        seen = image.pixelColor(layout.cell_rect(query, key).center().toPoint())
        assert seen == color_of(weights[query, key], theme), (query, key)


@pytest.mark.parametrize("side", [600, 900, 2300])
def test_no_strong_cell_is_lost_however_many_there_are(qapp, side: int) -> None:
    weights, cells = isolated_cells(2048)
    picture = HeatmapPicture(weights, words(2048), words(2048))
    strong = values(painted(picture, side, side)) == color_of(1, LIGHT).rgb()
    layout = layout_of(picture, side, side)
    for query, key in cells:
        box = layout.cell_rect(query, key)
        top, left = int(box.top()) - 2, int(box.left()) - 2
        assert strong[top : int(box.bottom()) + 3, left : int(box.right()) + 3].any(), (query, key)


def test_no_strong_cell_is_lost_where_the_painter_makes_everything_smaller(qapp) -> None:
    weights, cells = isolated_cells(512, count=100)
    image = QImage(300, 300, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    painter.scale(0.25, 0.25)
    picture = HeatmapPicture(weights, words(512), words(512))
    picture.paint(painter, QRectF(0, 0, 1200, 1200), LIGHT)
    painter.end()
    strong = values(image) == color_of(1, LIGHT).rgb()
    layout = layout_of(picture, 1200, 1200)
    for query, key in cells:
        if not {0, 1, 510, 511}.isdisjoint((query, key)):
            continue  # the frame, a quarter of a pixel wide, shares its pixels with the cells at the edge
        x, y = (int(part / 4) for part in layout.cell_rect(query, key).center().toTuple())
        assert strong[y - 2 : y + 3, x - 2 : x + 3].any(), (query, key)


@pytest.mark.parametrize("view", [None, QRectF(3.3, 2.1, 8.5, 8.5), QRectF(20, 30, 4, 4)])
def test_the_cell_at_a_place_is_the_cell_drawn_there(qapp, view: QRectF | None) -> None:
    picture = HeatmapPicture(random_weights(40, 40), words(40), words(40))
    layout = picture.layout(QRectF(0, 0, 600, 500), view)
    for query in layout.shown(40, queries=True):
        for key in layout.shown(40, queries=False):
            seen = layout.cell_rect(query, key).intersected(layout.plot)
            if min(seen.width(), seen.height()) > 1e-6:
                assert layout.cell_at(seen.center()) == (query, key)
    assert layout.cell_at(layout.plot.topLeft() - QPointF(1, 1)) is None
    assert layout.cell_at(layout.plot.bottomRight() + QPointF(1, 1)) is None


def test_stretched_colours_change_the_bars_numbers_and_no_value(qapp) -> None:
    weights = random_weights(6, 6) / 4
    plain = HeatmapPicture(weights, words(6), words(6))
    stretched = HeatmapPicture(weights, words(6), words(6), look=Look(stretched=True))
    assert stretched.weights is weights
    assert (plain.cells.bar.high, stretched.cells.bar.high) == (1, weights.max())
    layout = layout_of(plain)
    strongest = layout.cell_rect(*divmod(int(weights.argmax()), 6)).center().toPoint()
    before, after = painted(plain), painted(stretched)
    assert before.pixelColor(strongest) == color_of(weights.max(), LIGHT)
    assert after.pixelColor(strongest) == color_of(1, LIGHT)
    numbers = QRectF(layout.bar.right() + 4, layout.bar.top() - 10, 60, layout.bar.height() + 20).toRect()
    assert before.copy(numbers) != after.copy(numbers)


def test_a_head_without_weights_can_be_stretched(qapp) -> None:
    empty = np.zeros((4, 4), np.float32)
    image = painted(HeatmapPicture(empty, words(4), words(4), look=Look(stretched=True)))
    assert n_colors(image) > 20


@pytest.mark.parametrize("count", [9, 60, 512])
def test_labels_never_lie_over_each_other(qapp, count: int) -> None:
    picture = HeatmapPicture(random_weights(count, count), words(count), words(count))
    layout = layout_of(picture)
    rows, columns = layout.labelled(count, queries=True), layout.labelled(count, queries=False)
    assert len(rows) == count or len(rows) > layout.plot.height() / 40, "thinned more than needed"
    size = scaled(layout.label_size)
    assert np.diff(rows).min() * layout.cell_height >= size
    across = np.diff(columns).min() * layout.cell_width * math.sin(math.radians(KEY_ANGLE))
    assert across >= size * 0.99


def label_images(picture: HeatmapPicture, axis_of: TokenAxis) -> list[bytes]:
    """Each query label, and each key label turned back, cut out of the picture."""
    layout, image = layout_of(picture), painted(picture)
    looks = []
    for at in range(len(axis_of)):
        box = layout.cell_rect(at, 0)
        left = layout.plot.left() - GAP - layout.query_label
        looks.append(image.copy(QRectF(left, box.center().y() - 8, layout.query_label, 16).toRect()))
        turn = QTransform().translate(layout.cell_rect(0, at).center().x(), layout.plot.top() - GAP).rotate(-KEY_ANGLE)
        upright = QImage(60, 16, QImage.Format.Format_RGB32)
        painter = QPainter(upright)
        painter.setTransform(turn.inverted()[0] * QTransform().translate(0, 8))
        painter.drawImage(0, 0, image)
        painter.end()
        looks.append(upright)
    return [bytes(look.constBits()) for look in looks]


def test_unknown_special_and_masked_tokens_look_different(qapp) -> None:
    kinds = [{}, {"unknown": True}, {"special": True}, {"masked": True}]
    tokens = TokenAxis(tuple(Token("same", number, **kind) for number, kind in enumerate(kinds)))
    looks = label_images(HeatmapPicture(np.zeros((4, 4), np.float32), tokens, tokens), tokens)
    assert len(set(looks[0::2])) == 4
    assert len(set(looks[1::2])) == 4


def test_dots_stand_under_unknown_words_only(qapp) -> None:
    tokens = TokenAxis((Token("same", 0), Token("same", 1, unknown=True)))
    picture = HeatmapPicture(np.zeros((2, 2), np.float32), tokens, tokens)
    layout, seen = layout_of(picture), values(painted(picture))
    counts = []
    for at in range(2):
        middle, right = layout.cell_rect(at, 0).center().y(), layout.plot.left() - GAP
        under = seen[round(middle + 6) : round(middle + 9), round(right - text_width("same", layout.label_size)) : round(right)]
        counts.append(int((under != QColor(LIGHT.panel).rgb()).sum()))
    assert counts[0] == 0
    assert counts[1] > 5


@pytest.mark.parametrize(
    ("queries", "keys"),
    [
        (axis("one"), words(300)),
        (words(300), axis("one")),
        (axis(*"人工智能是一种技术。"), axis(*"人工智能")),
        (axis("الكلمات", "מפתחות", "🙂", "␣", "a" * 300, ""), words(2)),
        (words(1200), words(1200)),
    ],
    ids=["one query", "one key", "chinese", "right-to-left", "long"],
)
def test_any_text_fits_and_no_picture_is_blank(qapp, queries: TokenAxis, keys: TokenAxis) -> None:
    picture = HeatmapPicture(random_weights(len(queries), len(keys)), queries, keys)
    for width, height in ((150, 120), (240, 220), (900, 300)):
        assert n_colors(painted(picture, width, height, query=0, key=0)) > 10
    layout = layout_of(picture, 240, 220)
    assert layout.plot.width() > 10 or len(keys) == 1
    assert layout.plot.height() > 10 or len(queries) == 1


# ---------------------------------------------------------------- the view
@pytest.fixture
def view(qtbot) -> HeatmapView:
    view = HeatmapView()
    qtbot.addWidget(view)
    view.resize(560, 520)
    view.set_picture(HeatmapPicture(random_weights(30, 30), words(30), words(30)))
    view.show()
    qtbot.waitExposed(view)
    return view


def place(view: HeatmapView, query: int, key: int) -> QPoint:
    return view.layout_now().cell_rect(query, key).center().toPoint()


def turn_wheel(view: HeatmapView, at: QPoint, notches: int) -> None:
    nothing, phase = QPoint(), Qt.ScrollPhase.NoScrollPhase
    point, around = QPointF(at), QPointF(view.mapToGlobal(at))
    wheel = QWheelEvent(point, around, nothing, QPoint(0, 120 * notches), Qt.MouseButton.NoButton, NONE, phase, False)
    QApplication.sendEvent(view, wheel)


def drag(qtbot, view: HeatmapView, start: QPoint, by: QPoint) -> None:
    qtbot.mousePress(view, LEFT, NONE, start)
    for step in range(1, 6):
        qtbot.mouseMove(view, start + by * (step / 5))
    qtbot.mouseRelease(view, LEFT, NONE, start + by)


def test_without_a_picture_the_view_says_what_to_do(qtbot) -> None:
    view = HeatmapView()
    qtbot.addWidget(view)
    view.resize(400, 300)
    silent = n_colors(shown(view))
    view.set_hint("Type a sentence.")
    assert n_colors(shown(view)) > silent == 1
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.mouseMove(view, QPoint(20, 20))
    qtbot.mouseClick(view, LEFT, NONE, QPoint(20, 20))


def test_the_mouse_tells_cells_and_the_rows_of_labels(qtbot, view: HeatmapView) -> None:
    moves = said(view.hovered)
    qtbot.mouseMove(view, place(view, 4, 7))
    assert moves[-1] == (4, 7)
    layout = view.layout_now()
    qtbot.mouseMove(view, QPoint(round(layout.plot.left()) - 20, place(view, 9, 0).y()))
    assert moves[-1] == (9, None)
    qtbot.mouseMove(view, QPoint(2, 2))
    assert moves[-1] == (None, None)
    QApplication.sendEvent(view, QEvent(QEvent.Type.Leave))
    assert moves[-1] == (None, None)


def test_the_cell_in_focus_is_framed_and_its_value_is_shown_beside_it(view: HeatmapView) -> None:
    before = values(shown(view))
    view.set_focus(3, 12)
    after, layout = values(shown(view)), view.layout_now()
    row, column = layout.cell_rect(3, 20), layout.cell_rect(20, 12)
    assert after[round(row.top()), round(row.center().x())] != before[round(row.top()), round(row.center().x())]
    assert after[round(column.center().y()), round(column.left())] != before[round(column.center().y()), round(column.left())]
    cell = layout.cell_rect(3, 12)
    card = (slice(int(cell.bottom()) + 12, int(cell.bottom()) + 50), slice(int(cell.right()) + 16, int(cell.right()) + 40))
    dark = QColor(LIGHT.text)
    near = np.abs(values_as_channels(after[card]) - np.array(dark.getRgb()[:3])).sum(axis=2) < 60
    assert near.mean() > 0.5, "a card of the text's colour lies there"
    assert (before[card] != after[card]).mean() > 0.9


def values_as_channels(seen: np.ndarray) -> np.ndarray:
    return np.stack([(seen >> shift & 0xFF).astype(int) for shift in (16, 8, 0)], axis=-1)


def test_the_card_stays_inside_at_every_corner(view: HeatmapView) -> None:
    plain = values(shown(view))
    for query, key in ((0, 0), (0, 29), (29, 0), (29, 29)):
        view.set_focus(query, key)
        changed = np.argwhere(plain != values(shown(view)))
        dark = values(shown(view))[tuple(changed.T)]
        strong = np.abs(values_as_channels(dark) - np.array(QColor(LIGHT.text).getRgb()[:3])).sum(axis=1) < 60
        assert strong.sum() > 120 * 40 * 0.5, "the whole card is seen"


def test_a_click_tells_its_cell_and_a_drag_does_not(qtbot, view: HeatmapView) -> None:
    clicks = said(view.clicked)
    qtbot.mouseClick(view, LEFT, NONE, place(view, 5, 6))
    assert clicks == [(5, 6)]
    qtbot.mouseClick(view, Qt.MouseButton.RightButton, NONE, place(view, 5, 6))
    qtbot.mouseClick(view, LEFT, NONE, QPoint(2, 2))
    turn_wheel(view, place(view, 15, 15), 3)
    drag(qtbot, view, place(view, 15, 15), QPoint(40, 30))
    assert clicks == [(5, 6)]


def test_the_wheel_zooms_where_the_mouse_is(view: HeatmapView) -> None:
    at = place(view, 21, 8)
    for _ in range(6):
        before = view.layout_now().cell_width
        turn_wheel(view, at, 1)
        assert view.layout_now().cell_at(QPointF(at)) == (21, 8)
        assert view.layout_now().cell_width > before
    for _ in range(40):
        turn_wheel(view, at, 1)
    assert min(view.layout_now().view.width(), view.layout_now().view.height()) == pytest.approx(4)
    for _ in range(60):
        turn_wheel(view, at, -1)
    assert view.layout_now().view == QRectF(0, 0, 30, 30)


def test_dragging_moves_the_cells_with_the_mouse_and_stops_at_the_edge(qtbot, view: HeatmapView) -> None:
    turn_wheel(view, place(view, 15, 15), 3)
    start, by = place(view, 15, 15), QPoint(-30, 20)
    drag(qtbot, view, start, by)
    assert view.layout_now().cell_at(QPointF(start + by)) == (15, 15)
    for _ in range(10):
        drag(qtbot, view, start, QPoint(150, 150))
    assert view.layout_now().view.topLeft() == QPointF(0, 0)


def test_a_double_click_shows_everything_again(qtbot, view: HeatmapView) -> None:
    turn_wheel(view, place(view, 15, 15), 3)
    clicks = said(view.clicked)
    qtbot.mouseDClick(view, LEFT, NONE, place(view, 15, 15))
    assert view.layout_now().view == QRectF(0, 0, 30, 30)
    assert clicks in ([], [(15, 15)])


def test_a_zoomed_picture_shows_the_right_cells(view: HeatmapView) -> None:
    turn_wheel(view, place(view, 10, 20), 6)
    image, layout, weights = shown(view), view.layout_now(), view.picture.weights
    for query in layout.shown(30, queries=True)[1:-1]:
        for key in layout.shown(30, queries=False)[1:-1]:
            assert image.pixelColor(layout.cell_rect(query, key).center().toPoint()) == color_of(weights[query, key], LIGHT)


def test_another_head_keeps_the_zoom_and_another_text_does_not(view: HeatmapView) -> None:
    turn_wheel(view, place(view, 10, 20), 4)
    zoomed = view.layout_now().view
    view.set_picture(HeatmapPicture(random_weights(30, 30, seed=1), words(30), words(30)))
    assert view.layout_now().view == zoomed
    view.set_picture(HeatmapPicture(random_weights(31, 31), words(31), words(31)))
    assert view.layout_now().view == QRectF(0, 0, 31, 31)


def test_keys_move_zoom_pin_and_let_go(qtbot, view: HeatmapView) -> None:
    moves, clicks, key = said(view.hovered), said(view.clicked), Qt.Key
    view.hovered.connect(view.set_focus)
    for press in (key.Key_Down, key.Key_Down, key.Key_Right, key.Key_Up, key.Key_Up, key.Key_Left, key.Key_Return):
        qtbot.keyClick(view, press)
    assert moves == [(0, 0), (1, 0), (1, 1), (0, 1), (0, 1), (0, 0)]
    assert clicks == [(0, 0)]
    with qtbot.waitSignal(view.released):
        qtbot.keyClick(view, key.Key_Escape)
    for _ in range(4):
        qtbot.keyClick(view, key.Key_Plus)
    assert view.layout_now().view.width() < 15
    for _ in range(29):
        qtbot.keyClick(view, key.Key_Right)
        assert view.layout_now().plot.contains(view.layout_now().cell_rect(*moves[-1]).center())
    assert moves[-1] == (0, 29)
    qtbot.keyClick(view, key.Key_Minus)
    qtbot.keyClick(view, key.Key_0)
    assert view.layout_now().view == QRectF(0, 0, 30, 30)


def test_keyboard_focus_is_visible(qtbot, view: HeatmapView) -> None:
    view.clearFocus()
    without = shown(view)
    view.setFocus()
    qtbot.waitUntil(view.hasFocus)
    assert shown(view) != without


# ---------------------------------------------------------------- the panel
@pytest.fixture
def panel(qtbot) -> Iterator[HeatmapPanel]:
    state = Session()
    explorer = Explorer(state)
    panel = HeatmapPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(560, 560)
    panel.show()
    state.update(queries=words(7), keys=words(7), weights={(0, 0): random_weights(7, 7)})
    yield panel
    assert explorer.close()


def test_hover_and_pin_are_shared_through_the_state(qtbot, panel: HeatmapPanel) -> None:
    state, view = panel._state, panel.view
    qtbot.mouseMove(view, place(view, 1, 2))
    assert state.hover == Cell(1, 2)
    qtbot.mouseClick(view, LEFT, NONE, place(view, 3, 4))
    assert state.pinned == Cell(3, 4)
    before = shown(view)
    qtbot.mouseMove(view, place(view, 5, 5))
    assert state.focus == Cell(3, 4)
    assert shown(view) == before, "what is pinned stays"
    qtbot.mouseClick(view, LEFT, NONE, place(view, 3, 4))
    assert state.pinned == Cell()
    qtbot.mouseClick(view, LEFT, NONE, place(view, 2, 2))
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert state.pinned == Cell()
    before = shown(view)
    state.update(hover=Cell(6, None))  # the strip points at a token
    assert shown(view) != before


def test_another_head_is_shown_when_its_weights_are_there(panel: HeatmapPanel) -> None:
    state, view = panel._state, panel.view
    first, second = random_weights(7, 7), random_weights(7, 7, seed=1)
    state.update(head=(1, 2), weights={(1, 2): second})
    middle = place(view, 3, 3)
    assert shown(view).pixelColor(middle) == color_of(second[3, 3], LIGHT)
    assert panel._title.text() == "layer 1 · head 2"
    state.update(head=(1, 3))
    assert shown(view).pixelColor(middle) == color_of(second[3, 3], LIGHT), "the old picture stays until then"
    state.update(weights={(1, 3): first})
    assert shown(view).pixelColor(middle) == color_of(first[3, 3], LIGHT)


def test_stretching_is_a_switch(panel: HeatmapPanel) -> None:
    state, view = panel._state, panel.view
    state.update(weights={(0, 0): np.full((7, 7), 0.2, np.float32)})
    middle = place(view, 3, 3)
    assert shown(view).pixelColor(middle) == color_of(0.2, LIGHT)
    panel.to_maximum.trigger()
    assert shown(view).pixelColor(middle) == color_of(1, LIGHT)
    assert panel.figure().cells.bar.high == pytest.approx(0.2)
    state.update(weights={(0, 0): np.full((7, 7), 0.1, np.float32)})
    assert panel.figure().cells.bar.high == pytest.approx(0.1), "it stays for the next head"


def test_light_and_dark_have_their_own_ground_and_ramp(panel: HeatmapPanel) -> None:
    middle, weight = place(panel.view, 3, 3), panel._state.shown[3, 3]
    for theme in (LIGHT, DARK):
        panel._state.update(dark=theme.dark)
        image = shown(panel.view)
        assert image.pixelColor(4, 100) == QColor(theme.panel)
        assert image.pixelColor(middle) == color_of(weight, theme)


def test_labels_have_the_room_that_they_are_written_in_at_any_size(qapp) -> None:
    tokens = words(10)
    for side in range(260, 900, 3):
        layout = heatmap_layout(QRectF(0, 0, side, side), tokens, tokens, QRectF(0, 0, 10, 10))
        assert layout.query_label >= widest(tokens, layout.label_size, side * 0.24), side
