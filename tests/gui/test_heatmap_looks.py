"""Scales, colours and the colour bar of the heatmap: what each cell then looks like, and what is said about it."""

from dataclasses import replace

import numpy as np
import pyqtgraph
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from headscope.core.attention.lens import SCORES
from headscope.gui.paint.color_maps import COLOR_MAPS, color_table
from headscope.gui.paint.scales import Look
from headscope.gui.paint.theme import theme_of
from headscope.gui.views.heatmap.bar_ends import BarEnds
from headscope.gui.views.heatmap.paint.picture import HeatmapPicked, HeatmapPicture
from headscope.gui.views.heatmap.widget import HeatmapView
from tests import allowed
from tests.gui.screen import isolated_cells, random_weights, said, shown, values, words

LIGHT = theme_of(dark=False)
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def painted(picture: HeatmapPicture, width: int = 700, height: int = 600, *, vector: bool = False) -> QImage:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(LIGHT.color("panel"))
    painter = QPainter(image)
    picture.paint(painter, QRectF(0, 0, width, height), LIGHT, vector=vector)
    painter.end()
    return image


def colors_of(picture: HeatmapPicture, **how) -> np.ndarray:
    """(n_queries, n_keys) of 0xAARRGGBB in the middle of each cell."""
    seen, layout = values(painted(picture, **how)), picture.layout(QRectF(0, 0, 700, 600))
    middles = [[layout.cell_rect(q, k).center() for k in range(len(picture.keys))] for q in range(len(picture.queries))]
    return np.array([[seen[int(at.y()), int(at.x())] for at in row] for row in middles])


def expected(places: np.ndarray, name: str = "plain", first: int = 0) -> np.ndarray:
    table = color_table(name, LIGHT, diverging=bool(first)).astype(np.uint32)
    index = np.rint(np.clip(places, 0, 1) * (255 - first)).astype(int) + first
    r, g, b = np.moveaxis(table[index], -1, 0)
    return 0xFF000000 | (r << 16) | (g << 8) | b


def nearly(seen: np.ndarray, wanted: np.ndarray) -> bool:
    """As many as rounding allows may be one step of the ramp off."""
    return np.mean(seen == wanted) > 0.99


# ---------------------------------------------------------------- scales
PLACES = {
    "linear": lambda w: w,
    "log": lambda w: 1 + np.log10(np.maximum(w, 1e-9)) / 4,
    "row": lambda w: w / w.max(axis=1, keepdims=True),
    "rank": lambda w: np.searchsorted(np.sort(w.ravel())[np.arange(256) * (w.size - 1) // 255], w) / 255,
}


@pytest.mark.parametrize("vector", [False, True])
@pytest.mark.parametrize("scale", PLACES)
def test_each_cell_has_the_colour_of_its_place_on_the_scale(qapp, scale: str, vector: bool) -> None:
    weights = random_weights(20, 24)
    picture = HeatmapPicture(weights, words(20), words(24), look=Look(scale))
    assert nearly(colors_of(picture, vector=vector), expected(PLACES[scale](weights)))


@pytest.mark.parametrize("scale", PLACES)
def test_no_strong_cell_is_lost_in_any_scale(qapp, scale: str) -> None:
    weights, cells = isolated_cells(1024)
    picture = HeatmapPicture(weights, words(1024), words(1024), look=Look(scale))
    strong, layout = values(painted(picture)) == expected(np.ones(1))[0], picture.layout(QRectF(0, 0, 700, 600))
    for query, key in cells:
        box = layout.cell_rect(query, key)
        y, x = int(box.top()) - 2, int(box.left()) - 2
        assert strong[y : int(box.bottom()) + 3, x : int(box.right()) + 3].any(), (query, key)


def test_the_bar_says_the_floor_and_what_its_numbers_are(qapp) -> None:
    weights = random_weights(6, 6)
    log, row, rank = (
        HeatmapPicture(weights, words(6), words(6), look=Look(scale)).cells.bar for scale in ("log", "row", "rank")
    )
    assert (log.words_at(0), log.words_at(0.5), log.words_at(1)) == ("≤ 0.0001", "0.01", "1")
    assert "logarithmic" in log.words(stretched=False)
    assert (row.words_at(1), "row's" in row.words(stretched=False)) == ("100%", True)
    assert (rank.words_at(0.25), "rank" in rank.words(stretched=False)) == ("25%", True)


def test_the_ends_of_the_colours_can_be_anywhere_on_the_bar(qapp) -> None:
    weights = random_weights(20, 20)
    picture = HeatmapPicture(weights, words(20), words(20), look=Look(ends=(0.2, 0.6)))
    assert nearly(colors_of(picture), expected((weights - 0.2) / 0.4))
    bar = picture.layout(QRectF(0, 0, 700, 600)).bar
    seen = painted(picture)
    for place, color in ((0.05, 0.0), (0.4, 0.5), (0.95, 1.0)):
        at = QPoint(int(bar.center().x()), int(bar.bottom() - place * bar.height()))
        near = QColor(*(int(c) for c in LIGHT.ramp[round(255 * color)]))
        assert max(abs(a - b) for a, b in zip(seen.pixelColor(at).getRgb(), near.getRgb(), strict=True)) < 12


def test_a_look_of_the_same_cells_shares_what_was_pooled(qapp) -> None:
    weights = random_weights(40, 40)
    first = HeatmapPicture(weights, words(40), words(40))
    painted(first)
    second = HeatmapPicture(weights, words(40), words(40), look=Look("log", color_map="viridis")).sharing(first)
    assert second.cells._pools is first.cells._pools
    assert nearly(colors_of(second), expected(PLACES["log"](weights), "viridis"))


# ---------------------------------------------------------------- colours
def lightness(colors: np.ndarray) -> np.ndarray:
    """CIE L* of sRGB colours."""
    linear = np.where(colors / 255 <= 0.04045, colors / 255 / 12.92, ((colors / 255 + 0.055) / 1.055) ** 2.4)
    luminance = linear @ np.array([0.2126, 0.7152, 0.0722])
    return np.where(luminance > 0.008856, 116 * np.cbrt(luminance) - 16, 903.3 * luminance)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", COLOR_MAPS)
def test_every_colour_map_rises_evenly_in_lightness(name: str, dark: bool) -> None:
    steps = np.diff(lightness(color_table(name, theme_of(dark)).astype(float))[::15])
    assert (np.sign(steps) == np.sign(steps[0])).all()
    signed = lightness(color_table(name, theme_of(dark), diverging=True)[1:].astype(float))
    if name != "grey":  # which has no hue to tell the signs by
        low, high = np.diff(signed[:128:9]), np.diff(signed[127::9])
        assert (np.sign(low) == np.sign(low[0])).all()
        assert (np.sign(high) == -np.sign(low[0])).all()


@pytest.mark.parametrize("name", ["viridis", "cividis"])
def test_published_colour_maps_are_as_published(name: str) -> None:
    theirs = pyqtgraph.colormap.get(name).getLookupTable(nPts=256).astype(int)
    assert np.abs(color_table(name, LIGHT).astype(int) - theirs).max() <= 5


# ---------------------------------------------------------------- scores
def test_scores_diverge_from_zero_and_what_is_hidden_has_a_colour_of_its_own(qapp) -> None:
    scores = np.random.default_rng(3).normal(size=(12, 12)).astype(np.float32) * 3
    scores[np.triu_indices(12, 1)] = np.nan
    most = np.nanmax(np.abs(scores))
    picture = HeatmapPicture(scores, words(12), words(12), lens=SCORES)
    seen, hidden = colors_of(picture), np.isnan(scores)
    wanted = expected(0.5 + np.where(hidden, 0, scores) / (2 * most), first=1)
    assert nearly(seen[~hidden], wanted[~hidden])
    masked = QColor(*(int(c) for c in color_table("plain", LIGHT, diverging=True)[0])).rgb()
    assert (seen[hidden] == masked).all()
    assert (picture.received, picture.given) == (None, None)
    assert (picture.cells.bar.words_at(0.5), picture.cells.bar.words_at(1)) == ("0", f"{most:+.2f}")


def test_a_hidden_cell_never_hides_a_low_score_under_the_same_pixel(qapp) -> None:
    scores = np.full((600, 600), np.nan, np.float32)
    scores[::50, ::50] = -4
    picture = HeatmapPicture(scores, words(600), words(600), lens=SCORES)
    image, _ = picture.cells.image(picture.whole, 200, 200, LIGHT)
    lowest = QColor(*(int(c) for c in color_table("plain", LIGHT, diverging=True)[1])).rgb()
    assert (values(image) == lowest).sum() == 12 * 12


# ---------------------------------------------------------------- the colour bar under the mouse
@pytest.fixture
def view(qtbot) -> HeatmapView:
    view = HeatmapView()
    qtbot.addWidget(view)
    view.resize(560, 520)
    weights = random_weights(30, 30)
    view.set_picture(HeatmapPicture(weights, words(30), words(30)))
    view.ends_moved.connect(
        lambda low, high: view.set_picture(HeatmapPicture(weights, words(30), words(30), look=Look(ends=(low, high))))
    )
    view.show()
    qtbot.waitExposed(view)
    return view


def on_bar(view: HeatmapView, place: float) -> QPoint:
    bar = view.layout_now().bar
    return QPoint(round(bar.center().x()), round(bar.bottom() - place * bar.height()))


def test_dragging_the_ends_of_the_bar_changes_colours_at_once_and_a_double_click_puts_them_back(qtbot, view) -> None:
    moves = said(view.ends_moved)
    qtbot.mousePress(view, LEFT, NONE, on_bar(view, 0.97))
    qtbot.mouseMove(view, on_bar(view, 0.7))
    assert moves[-1] == pytest.approx((0.0, 0.7), abs=0.01)
    qtbot.mouseMove(view, on_bar(view, 0.5))
    qtbot.mouseRelease(view, LEFT, NONE, on_bar(view, 0.5))
    assert moves[-1] == pytest.approx((0.0, 0.5), abs=0.01)
    layout, weights = view.layout_now(), view.picture.weights
    query, key = divmod(int(np.abs(weights - 0.3).argmin()), 30)
    color = shown(view).pixelColor(layout.cell_rect(query, key).center().toPoint())
    low, high = view.picture.cells.look.ends
    near = LIGHT.ramp[round(255 * (float(weights[query, key]) - low) / (high - low))]
    assert max(abs(a - int(b)) for a, b in zip(color.getRgb(), near, strict=False)) <= 3
    qtbot.mousePress(view, LEFT, NONE, on_bar(view, 0.02))
    qtbot.mouseMove(view, on_bar(view, 0.2))
    qtbot.mouseRelease(view, LEFT, NONE, on_bar(view, 0.2))
    assert moves[-1] == pytest.approx((0.2, 0.5), abs=0.01)
    qtbot.mouseDClick(view, LEFT, NONE, on_bar(view, 0.4))
    assert moves[-1] == (0.0, 1.0)


def test_keys_move_the_ends_of_the_bar(qtbot, view) -> None:
    moves, key = said(view.ends_moved), Qt.Key
    for _ in range(3):
        qtbot.keyClick(view, key.Key_PageDown)
    assert moves[-1] == pytest.approx((0, 0.94))
    qtbot.keyClick(view, key.Key_PageUp, Qt.KeyboardModifier.ShiftModifier)
    assert moves[-1] == pytest.approx((0.02, 0.94))
    qtbot.keyClick(view, key.Key_Home)
    assert moves[-1] == (0.0, 1.0)


def test_the_ends_of_a_bar_never_cross_and_mirrored_ones_stay_around_the_middle() -> None:
    ends = BarEnds()
    ends.take((0.0, 0.5), 0.49)
    assert ends.moved(-3) == (0.0, pytest.approx(0.01))
    ends.mirrored = True
    assert ends.moved(0.8) == pytest.approx((0.2, 0.8))
    assert ends.stepped((0.2, 0.8), 0.1, lower=True) == pytest.approx((0.3, 0.7))
    assert ends.moved(0.1)[0] < 0.5 < ends.moved(0.1)[1]


# ---------------------------------------------------------------- what is picked out
def test_picked_rows_and_columns_are_labelled_even_where_labels_are_thinned(qapp) -> None:
    weights = random_weights(200, 200)
    plain = HeatmapPicture(weights, words(200), words(200))
    layout = plain.layout(QRectF(0, 0, 700, 600))
    left_out = next(at for at in range(60, 200) if at not in layout.labelled(200, queries=True))
    picked = HeatmapPicture(weights, words(200), words(200), picked=HeatmapPicked(queries=(left_out,), keys=(left_out,)))
    before, after = values(painted(plain)), values(painted(picked))
    y, x = (round(part) for part in (layout.cell_rect(left_out, 0).center().y(), layout.plot.left()))
    place = slice(y - 5, y + 5), slice(x - 50, x - 8)
    strong = QColor(LIGHT.query).rgb()
    assert (before[place] == strong).sum() == 0
    assert (after[place] == strong).sum() > 3


@pytest.mark.parametrize("queries", [(), (2, 5, 7)])
@pytest.mark.parametrize("keys", [(), (1, 3)])
def test_the_bars_are_means_and_row_sums_or_the_sums_of_what_is_picked_out(queries: tuple, keys: tuple) -> None:
    weights = random_weights(9, 9) * 0.5
    picture = HeatmapPicture(weights, words(9), words(9), picked=HeatmapPicked(queries, keys))
    below = weights[list(queries)].sum(axis=0) if queries else weights.mean(axis=0)
    beside = weights[:, list(keys)].sum(axis=1) if keys else weights.sum(axis=1)
    np.testing.assert_allclose(picture.received.values, below, atol=allowed.of_sums(9))
    np.testing.assert_allclose(picture.given.values, beside, atol=allowed.of_sums(9))
    says = f"{below[4]:.4f}, mean {below[4] / 3:.4f}" if queries else f"{below[4]:.4f}"
    assert picture.received.says(4) == says


@pytest.mark.parametrize("n_tokens", [4, 200, 1500])
def test_the_longest_bar_fills_its_room_and_others_are_in_proportion(qapp, n_tokens: int) -> None:
    weights = np.zeros((n_tokens, n_tokens), np.float32)
    whole, half, none = n_tokens // 4, n_tokens // 2, n_tokens - 1
    weights[:, whole], weights[:, half] = 0.8, 0.4
    weights[half] = weights[half] / 2
    weights[none] = 0
    picture = HeatmapPicture(weights, words(n_tokens), words(n_tokens))
    seen, layout = values(painted(picture)), picture.layout(QRectF(0, 0, 700, 600))
    ground = QColor(LIGHT.panel).rgb()

    def length(at: int, *, down: bool) -> int:
        middle, area = layout.cell_rect(at, at).center(), (layout.received if down else layout.given).toRect()
        line = (
            seen[:, int(middle.x())][area.top() : area.bottom()] if down else seen[int(middle.y())][area.left() : area.right()]
        )
        return int((line != ground).sum())

    assert length(whole, down=True) >= layout.received.height() - 2
    assert length(half, down=True) == pytest.approx(layout.received.height() / 2, abs=1.5)
    assert length(none, down=True) == 0
    assert length(whole, down=False) >= layout.given.width() - 2
    assert length(0, down=False) == length(whole, down=False)
    if n_tokens < 500:  # else rows share pixels, and the longest bar of a pixel is seen
        assert length(half, down=False) == pytest.approx(layout.given.width() / 2, abs=1.5)
        assert length(none, down=False) == 0


def test_a_pairs_filter_dims_everything_else(qapp) -> None:
    axis = words(8)
    axis = replace(axis, tokens=tuple(replace(token, segment=int(at > 3)) for at, token in enumerate(axis.tokens)))
    weights = np.full((8, 8), 0.9, np.float32)
    seen = colors_of(HeatmapPicture(weights, axis, axis, picked=HeatmapPicked(pair=(0, 1))))
    inside = np.zeros((8, 8), bool)
    inside[:4, 4:] = True
    assert (seen[inside] == expected(np.full(1, 0.9))[0]).all()
    assert (seen[~inside] != expected(np.full(1, 0.9))[0]).all()


# ---------------------------------------------------------------- picking out, and zooming to a rectangle
def place(view: HeatmapView, query: int, key: int) -> QPoint:
    return view.layout_now().cell_rect(query, key).center().toPoint()


def test_ctrl_click_on_a_cell_or_a_label_and_m_pick_out(qtbot, view) -> None:
    marks, clicks, ctrl = said(view.marked), said(view.clicked), Qt.KeyboardModifier.ControlModifier
    qtbot.mouseClick(view, LEFT, ctrl, place(view, 4, 9))
    layout = view.layout_now()
    qtbot.mouseClick(view, LEFT, ctrl, QPoint(int(layout.plot.left()) - 20, place(view, 11, 0).y()))
    up = 30  # along a label that leans by 50 degrees
    qtbot.mouseClick(
        view, LEFT, ctrl, QPoint(place(view, 0, 6).x() + round(up * 0.64), int(layout.plot.top()) - 8 - round(up * 0.77))
    )
    assert marks == [(4, 9), (11, None), (None, 6)]
    view.set_focus(2, 3)
    qtbot.keyClick(view, Qt.Key.Key_M)
    assert marks[-1] == (2, 3)
    assert clicks == []


def test_bars_and_labels_of_keys_tell_their_key_under_the_mouse(qtbot, view) -> None:
    moves, layout = said(view.hovered), view.layout_now()
    qtbot.mouseMove(view, QPoint(place(view, 0, 7).x(), int(layout.received.center().y())))
    assert moves[-1] == (None, 7)
    qtbot.mouseMove(view, QPoint(int(layout.given.center().x()), place(view, 12, 0).y()))
    assert moves[-1] == (12, None)
    qtbot.mouseMove(view, QPoint(place(view, 0, 15).x() + 6, int(layout.plot.top()) - 16))
    assert moves[-1] == (None, 15)


def test_dragging_with_shift_zooms_to_the_rectangle(qtbot, view) -> None:
    clicks, shift = said(view.clicked), Qt.KeyboardModifier.ShiftModifier
    start, end = place(view, 5, 8), place(view, 12, 20)
    qtbot.mousePress(view, LEFT, shift, start)
    qtbot.mouseMove(view, QPoint((start.x() + end.x()) // 2, (start.y() + end.y()) // 2))
    before = shown(view)
    qtbot.mouseMove(view, end)
    assert shown(view) != before, "the rectangle is drawn"
    qtbot.mouseRelease(view, LEFT, shift, end)
    seen = view.layout_now().view
    assert (seen.left(), seen.right()) == (pytest.approx(8.5, abs=0.2), pytest.approx(20.5, abs=0.2))
    assert (seen.top(), seen.bottom()) == (pytest.approx(5.5, abs=0.2), pytest.approx(12.5, abs=0.2))
    assert clicks == []
    at = view.layout_now().cell_rect(9, 14).center()
    assert view.layout_now().cell_at(QPointF(at)) == (9, 14)
