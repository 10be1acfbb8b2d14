"""Links: which are drawn, how strongly, where, and what mouse and keys do."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

from headscope.core.attention.head_map import FAINTEST
from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.picked import NOTHING, Picked
from headscope.gui.paint.theme import theme_of
from headscope.gui.paint.write import CENTER, write, write_number
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.links.paint.choice import Choice
from headscope.gui.views.links.paint.ink import Ink
from headscope.gui.views.links.paint.lines import Links, Rows, draw_lines
from headscope.gui.views.links.paint.links import LinksPicture
from headscope.gui.views.links.panel import LinksPanel
from headscope.gui.views.links.widget import LinkView
from tests.gui.screen import axis, random_weights, words

pytestmark = pytest.mark.usefixtures("qapp")  # no fonts without an application
THEME = theme_of(dark=False)
AREA = QRectF(0, 0, 600, 400)


def links_of(weights: dict, **how) -> Links:
    """All links of a picture of these heads."""
    n_queries, n_keys = next(iter(weights.values())).shape
    picture = LinksPicture(weights, words(n_queries), words(n_keys), **how)
    return picture.links(picture.layout(AREA))


def pixels(image: QImage) -> np.ndarray:
    """(height, width, 3) of 0 to 255."""
    image = image.convertToFormat(QImage.Format.Format_RGB888)
    flat = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return flat[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(int)


def painted(picture: LinksPicture, width: int = 600, height: int = 400, **how) -> np.ndarray:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    picture.paint(painter, QRectF(0, 0, width, height), THEME, **how)
    painter.end()
    return pixels(image)


def ink(shown: np.ndarray, color: str, within: QRectF) -> int:
    """How many pixels inside `within` are nearer to `color` than to the ground."""
    part = shown[int(within.top()) : int(within.bottom()) + 1, int(within.left()) : int(within.right()) + 1]
    wanted, ground = (np.array(QColor(name).getRgb()[:3]) for name in (color, THEME.panel))
    return int((np.abs(part - wanted).sum(axis=2) < np.abs(part - ground).sum(axis=2)).sum())


# ---------------------------------------------------------------- which links
def test_the_strongest_links_of_all_heads_are_chosen() -> None:
    weights = {(0, head): random_weights(30, 20, head) for head in range(3)}
    links = links_of(weights, most=100)
    together = np.stack(list(weights.values()))
    assert len(links) == 100
    assert links.candidates == together.size
    assert np.array_equal(together[links.head, links.query, links.key], links.weight)
    assert links.weight.min() == np.sort(together.ravel())[-100]


def test_links_that_change_no_pixel_are_left_out_and_causal_zeros_are_no_links() -> None:
    weights = np.array([[1, 0], [FAINTEST * 0.9, 1 - FAINTEST * 0.9]], np.float32)
    links = links_of({(0, 0): weights})
    assert sorted(zip(links.query, links.key, strict=True)) == [(0, 0), (1, 1)]
    assert links.candidates == 3


def test_a_scrolled_picture_takes_every_link_that_begins_or_ends_in_sight_once(qapp) -> None:
    weights = random_weights(300, 200)
    picture = LinksPicture({(0, 0): weights}, words(300), words(200))
    layout = picture.layout(QRectF(0, 0, 500, 400), scroll=1000.0)
    assert layout.scrolled
    seen = np.zeros_like(weights, bool)
    seen[list(layout.visible(300))] = True
    seen[:, list(layout.visible(200))] = True
    links = picture.links(layout)
    found = np.zeros_like(weights, int)
    np.add.at(found, (links.query, links.key), 1)
    assert np.array_equal(found, seen & (weights >= FAINTEST))
    assert links.candidates == np.count_nonzero(seen)


# ---------------------------------------------------------------- how they are drawn
@pytest.mark.parametrize("weight", [0.02, 0.25, 0.5, 0.97])
def test_opacity_is_the_weight(qapp, weight: float) -> None:
    image = QImage(100, 21, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    links = links_of({(0, 0): np.full((1, 1), weight, np.float32)})
    list(draw_lines(painter, links, Rows(0, 100, 0, 21), QRectF(0, 0, 100, 21), Ink([QColor("black")], ())))
    painter.end()
    assert image.pixelColor(50, 10).red() == pytest.approx(255 * (1 - weight), abs=2)
    assert image.pixelColor(50, 3).red() == 255


def test_a_line_leads_from_its_query_to_its_key(qapp) -> None:
    weights = np.zeros((8, 8), np.float32)
    weights[2, 5] = 1
    picture = LinksPicture({(0, 0): weights}, words(8), words(8))
    layout = picture.layout(QRectF(0, 0, 600, 400))
    shown = painted(picture)
    for row in range(8):
        start = QRectF(layout.rows.left + 1, layout.label_box(row, left=True).top(), 10, layout.rows.height)
        end = QRectF(layout.rows.right - 12, layout.label_box(row, left=False).top(), 10, layout.rows.height)
        assert (ink(shown, THEME.heads[0], start) > 0) == (row == 2)
        assert (ink(shown, THEME.heads[0], end) > 0) == (row == 5)


def test_heads_have_their_own_colours_and_none_hides_another(qapp) -> None:
    weights = np.zeros((4, 4), np.float32)
    weights[1, 1] = 1
    heads = {(0, head): weights for head in range(3)}
    picture = LinksPicture(heads, words(4), words(4), colors={(0, 0): 4, (0, 1): 0, (0, 2): 7})
    layout = picture.layout(QRectF(0, 0, 600, 400))
    strip = painted(picture)[:, int(layout.lines.center().x())]
    ground = np.array(QColor(THEME.panel).getRgb()[:3])
    for head, number in enumerate((4, 0, 7)):
        drawn = ground - strip[int(layout.rows.y(1, head))]
        wanted = ground - np.array(QColor(THEME.heads[number]).getRgb()[:3])
        assert drawn @ wanted > 0.99 * np.linalg.norm(drawn) * np.linalg.norm(wanted) > 0, "another hue"


def test_the_picture_says_what_it_leaves_out(qapp) -> None:
    weights = {(0, 0): random_weights(40, 40)}
    axes = words(40), words(40)
    whole = LinksPicture(weights, *axes)
    layout = whole.layout(QRectF(0, 0, 600, 400))
    assert whole.footer(layout, whole.links(layout)) == "opacity and width: weight"
    some = LinksPicture(weights, *axes, choice=Choice(0.05), most=30)
    links = some.links(layout)
    least = np.sort(weights[0, 0].ravel())[-30]
    assert "links below 0.05 hidden" in some.footer(layout, links)
    assert f"strongest 30 of 1,600 links shown, weights ≥ {least:.3f}" in some.footer(layout, links)
    hidden = LinksPicture(weights, *axes, choice=Choice(0.3))
    assert np.array_equal(np.sort(hidden.links(layout).weight), np.sort(weights[0, 0][weights[0, 0] >= 0.3]))


@pytest.mark.parametrize("width", [280, 900])
def test_one_tokens_links_come_with_numbers_on_the_other_side(qapp, width: int) -> None:
    weights = random_weights(6, 9)
    picture = LinksPicture({(0, 0): weights}, words(6), words(9))
    layout = picture.layout(QRectF(0, 0, width, 400))
    everything, focused = painted(picture, width), painted(picture, width, picked=Picked(query=3))
    changed = np.abs(everything - focused).sum(axis=2) > 0
    for row in range(9):
        box = layout.number_box(row, left=False)
        assert changed[int(box.top()) : int(box.bottom()), int(box.left()) : int(box.right())].any()
    links = picture.links(layout, Picked(query=3))
    assert set(links.query) == {3}
    who_looks_here = picture.links(layout, Picked(key=8))
    assert set(who_looks_here.key) == {8}
    assert len(who_looks_here) == np.count_nonzero(weights[:, 8] >= FAINTEST)


@pytest.mark.parametrize(
    ("queries", "keys"),
    [
        (axis("one"), words(40)),
        (axis(*"人工智能是一种技术。"), axis(*"人工智能")),
        (axis("الكلمات", "מפתחות", "🙂", "␣", "a" * 300), words(2)),
        (words(1200), words(1200)),
    ],
    ids=["cross", "chinese", "right-to-left", "long"],
)
def test_any_text_fits(qapp, queries: TokenAxis, keys: TokenAxis) -> None:
    weights = {(0, head): random_weights(len(queries), len(keys), head) for head in range(2)}
    picture = LinksPicture(weights, queries, keys)
    for width in (200, 700):
        layout = picture.layout(QRectF(0, 0, width, 300))
        assert layout.rows.right - layout.rows.left > width / 4
        shown = painted(picture, width, 300, picked=Picked(key=0))
        assert len(np.unique(shown.reshape(-1, 3), axis=0)) > 10


def test_unknown_special_and_masked_tokens_look_different(qapp) -> None:
    kinds = [{}, {"unknown": True}, {"special": True}, {"masked": True}]
    tokens = TokenAxis(tuple(Token("same", number, **kind) for number, kind in enumerate(kinds)))
    picture = LinksPicture({(0, 0): np.zeros((4, 4), np.float32)}, tokens, tokens)
    layout = picture.layout(QRectF(0, 0, 600, 400))
    shown = painted(picture)
    boxes = [layout.label_box(row, left=True).toRect() for row in range(4)]
    looks = [shown[box.top() : box.bottom(), box.left() : box.right()].tobytes() for box in boxes]
    assert len(set(looks)) == 4


def test_in_files_lines_stay_lines_and_text_stays_text(qapp, tmp_path: Path) -> None:
    picture = LinksPicture({(2, 3): random_weights(5, 5)}, words(5), words(5))
    size = picture.size()
    svg = QSvgGenerator()
    svg.setFileName(str(tmp_path / "links.svg"))
    svg.setSize(size.toSize())
    svg.setViewBox(QRectF(0, 0, size.width(), size.height()))
    pdf = QPdfWriter(str(tmp_path / "links.pdf"))
    pdf.setPageSize(QPageSize(size, QPageSize.Unit.Point))
    for device in (svg, pdf):
        painter = QPainter(device)
        picture.paint_figure(painter, QRectF(0, 0, size.width(), size.height()), THEME, FigureOptions(), vector=True)
        painter.end()
    drawn = (tmp_path / "links.svg").read_text(encoding="utf-8")
    assert drawn.count(">word4<") == 2
    assert "layer 2 · head 3" in drawn
    assert "<image" not in drawn
    assert b"/Subtype /Image" not in (tmp_path / "links.pdf").read_bytes()


# ---------------------------------------------------------------- the view
@pytest.fixture
def view(qtbot) -> LinkView:
    view = LinkView()
    qtbot.addWidget(view)
    view.resize(500, 400)
    view.show()
    qtbot.waitExposed(view)
    return view


def finish(qtbot, view: LinkView) -> None:
    view.viewport().repaint()
    qtbot.waitUntil(lambda: view.is_complete)


def test_drawing_in_slices_ends_with_the_picture_that_is_drawn_at_once(qtbot, view: LinkView) -> None:
    weights = {(0, head): random_weights(70, 70, head) for head in range(2)}
    view.set_picture(LinksPicture(weights, words(70), words(70)))
    view.set_whole(True)
    finish(qtbot, view)
    shown = pixels(view.viewport().grab().toImage())
    at_once = painted(view.picture, view.viewport().width(), view.viewport().height())
    assert len(view.picture.links(view.layout_now)) > 2000, "several bands"
    # Opacities are rounded once more when bands are laid over each other.
    assert np.abs(shown - at_once)[1:-1, 1:-1].max() <= 10


def test_a_long_text_scrolls_both_columns_in_readable_rows(qtbot, view: LinkView) -> None:
    view.set_picture(LinksPicture({(0, 0): random_weights(1000, 1000)}, words(1000), words(1000)))
    finish(qtbot, view)
    assert view.layout_now.rows.height >= 16
    view.verticalScrollBar().setValue(view.verticalScrollBar().maximum())
    finish(qtbot, view)
    layout = view.layout_now
    assert layout.visible(1000).stop == 1000
    row = layout.visible(1000)[4]
    for left, expected in ((True, [row, None]), (False, [None, row])):
        point = layout.label_box(row, left=left).center().toPoint()
        with qtbot.waitSignal(view.hovered) as moved:
            qtbot.mouseMove(view.viewport(), point)
        assert moved.args == expected
    view.set_whole(True)
    assert view.verticalScrollBar().maximum() == 0
    assert len(view.layout_now.visible(1000)) == 1000


def test_other_tokens_links_fade(qtbot, view: LinkView) -> None:
    weights = np.eye(6, dtype=np.float32)
    view.set_picture(LinksPicture({(0, 0): weights}, words(6), words(6)))
    finish(qtbot, view)
    line = view.layout_now.lines
    x, y = int(line.center().x()), [int(view.layout_now.rows.y(row)) for row in range(6)]
    before = pixels(view.viewport().grab().toImage())
    view.set_picked(Picked(query=2))
    after = pixels(view.viewport().grab().toImage())
    ground = np.array(QColor(THEME.panel).getRgb()[:3])
    strength = [[np.abs(ground - shown[row - 1 : row + 2, x]).sum(axis=1).max() for row in y] for shown in (before, after)]
    assert strength[1][2] >= strength[0][2]
    for row in (0, 1, 3, 4, 5):
        assert strength[1][row] == pytest.approx(0.15 * strength[0][row], abs=6)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_bar_behind_a_label_that_is_written_already_leaves_its_letters_as_they_are(qtbot, view: LinkView, dark: bool) -> None:
    theme, weights = theme_of(dark), np.full((4, 4), 0.02, np.float32)
    weights[1, 3] = 0.94
    view.set_theme(theme)
    view.resize(420, 300)
    view.set_picture(LinksPicture({(0, 0): weights}, words(4), words(4)))
    qtbot.waitUntil(lambda: view.is_complete)
    box = view.layout_now.label_box(3, left=False).toRect()
    before = pixels(view.viewport().grab(box).toImage())
    view.set_picked(Picked(query=1))
    after = pixels(view.viewport().grab(box).toImage())
    text, panel = (np.array(QColor(name).getRgb()[:3]) for name in (theme.text, theme.panel))
    letters, ground = (before == text).all(axis=2), (before == panel).all(axis=2)
    assert letters.sum() > 10
    np.testing.assert_array_equal(after[letters], before[letters])
    changed = (after != panel).any(axis=2)[ground]
    assert changed.mean() > 0.1, "the bar is there, 16 pixels of the row"
    assert len(np.unique(after[ground][changed], axis=0)) < 12, "of one colour, but for its edges"


@pytest.mark.parametrize("picked", [NOTHING, Picked(query=0)], ids=["nothing is picked", "a token is"])
def test_lines_of_another_head_are_never_left_over(qtbot, view: LinkView, picked: Picked) -> None:
    before, after = np.zeros((8, 8), np.float32), np.zeros((8, 8), np.float32)
    before[7, 7] = after[0, 0] = 1.0
    view.set_picture(LinksPicture({(0, 0): before}, words(8), words(8)))
    finish(qtbot, view)
    view.set_picked(picked)
    layout = view.layout_now
    old = layout.label_box(7, left=True)
    strip = QRectF(layout.lines.center().x() - 40, old.center().y() - 3, 80, 6)
    assert (pixels(view.viewport().grab().toImage()) != np.array(QColor(THEME.panel).getRgb()[:3]))[
        int(strip.top()) : int(strip.bottom()), int(strip.left()) : int(strip.right())
    ].any(), "the line is there"
    view.set_picture(LinksPicture({(0, 1): after}, words(8), words(8)))
    shown = pixels(view.viewport().grab().toImage())  # the very first frame
    inside = shown[int(strip.top()) : int(strip.bottom()), int(strip.left()) : int(strip.right())]
    assert (inside == np.array(QColor(THEME.panel).getRgb()[:3])).all()


def test_numbers_on_the_screen_are_pictures_of_what_is_written_into_files(qapp) -> None:
    def shown(dots: float, kept: bool) -> np.ndarray:
        image = QImage(round(60 * dots), round(24 * dots), QImage.Format.Format_RGB32)
        image.fill(QColor(THEME.panel))
        image.setDevicePixelRatio(dots)
        painter = QPainter(image)
        painter.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        painter.setPen(THEME.color("accent"))
        if kept:
            write_number(painter, QRectF(0, 0, 60, 24), "0.375", 13, THEME.color("accent"))
        else:
            write(painter, QRectF(0, 0, 60, 24), "0.375", 13, side=CENTER)
        painter.end()
        return pixels(image)

    for dots in (1.0, 2.0):
        picture, written = shown(dots, kept=True), shown(dots, kept=False)
        found = [np.argwhere((one != one[0, 0]).any(axis=2)) for one in (picture, written)]
        (top, left), (high, wide) = (found[0].min(axis=0), np.ptp(found[0], axis=0))
        assert abs(found[0].mean(axis=0) - found[1].mean(axis=0)).max() <= dots, "moved by less than a pixel"
        assert abs(np.ptp(found[1], axis=0) - (high, wide)).max() <= 1
        assert (
            (picture[top : top + high + 1, left : left + wide + 1] == np.array(QColor(THEME.accent).getRgb()[:3]))
            .all(axis=2)
            .any()
        )


def test_keys_move_pin_and_let_go(qtbot, view: LinkView) -> None:
    view.set_picture(LinksPicture({(0, 0): random_weights(6, 6)}, words(6), words(6)))
    moves, pins = [], []
    view.hovered.connect(lambda query, key: (moves.append((query, key)), view.set_picked(Picked(query, key))))
    view.clicked.connect(lambda query, key: pins.append((query, key)))
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Up, Qt.Key.Key_Return):
        qtbot.keyClick(view, key)
    assert moves == [(0, None), (1, None), (None, 1), (None, 0)]
    assert pins == [(None, 0)]
    with qtbot.waitSignal(view.released):
        qtbot.keyClick(view, Qt.Key.Key_Escape)


# ---------------------------------------------------------------- the panel
@pytest.fixture
def panel(qtbot) -> LinksPanel:
    state = Session()
    explorer = Explorer(state)
    panel = LinksPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(600, 500)
    panel.show()
    state.update(queries=words(5), keys=words(5), weights={(0, 0): random_weights(5, 5)})
    finish(qtbot, panel.view)
    yield panel
    assert explorer.close()


def token_point(panel: LinksPanel, row: int, *, left: bool) -> QPoint:
    return panel.view.layout_now.label_box(row, left=left).center().toPoint()


def test_hover_and_pin_are_shared_through_the_state(qtbot, panel: LinksPanel) -> None:
    state, viewport = panel._state, panel.view.viewport()
    qtbot.mouseMove(viewport, token_point(panel, 1, left=True))
    assert state.hover == Cell(1, None)
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=token_point(panel, 3, left=False))
    assert state.pinned == Cell(None, 3)
    assert state.focus == Cell(None, 3)
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=token_point(panel, 3, left=False))
    assert state.pinned == Cell()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=token_point(panel, 2, left=True))
    qtbot.keyClick(panel.view, Qt.Key.Key_Escape)
    assert state.pinned == Cell()
    before = viewport.grab().toImage()
    state.update(hover=Cell(4, 2))  # the heatmap points at a cell
    assert viewport.grab().toImage() != before


def test_a_token_that_is_pinned_elsewhere_comes_into_sight_and_pointing_at_one_does_not_scroll(panel: LinksPanel) -> None:
    state, view = panel._state, panel.view
    state.update(queries=words(200), keys=words(200), weights={(0, 0): random_weights(200, 200)})
    state.update(hover=Cell(150, 140))
    assert 150 not in view.layout_now.visible(200)
    state.pin(Cell(150, 140))
    layout = view.layout_now
    assert layout.clip.contains(layout.label_box(150, left=True).adjusted(2, 0, -2, 0))
    state.pin(Cell(150, 140))
    assert 150 in view.layout_now.visible(200), "letting go scrolls nothing"


def test_the_threshold_hides_links_and_is_told(qtbot, panel: LinksPanel) -> None:
    panel.threshold.setValue(20)
    picture = panel.view.picture
    links = picture.links(panel.view.layout_now)
    assert links.weight.min() >= 0.2
    assert "0.20" in picture.footer(panel.view.layout_now, links)


def colors_of(picture: LinksPicture) -> dict:
    return {head: color.name() for head, color in zip(picture.weights, picture.head_colors(THEME), strict=True)}


def test_a_head_keeps_its_colour_as_long_as_it_is_looked_at(panel: LinksPanel) -> None:
    state = panel._state
    weights = {(0, head): random_weights(5, 5, head) for head in range(4)}
    state.update(heads=((0, 0), (0, 1), (0, 2)), weights=weights)
    before = {
        head: color.name()
        for head, color in zip(panel.view.picture.weights, panel.view.picture.head_colors(THEME), strict=True)
    }
    state.update(heads=((0, 2), (0, 3)), weights=dict(weights))
    after = colors_of(panel.view.picture)
    assert after[0, 2] == before[0, 2]
    assert after[0, 3] == before[0, 0], "the first colour that is free"
    assert len(set(after.values())) == 2


def test_light_and_dark_are_different_grounds(qtbot, panel: LinksPanel) -> None:
    corner = QPoint(3, 3)
    light = panel.view.viewport().grab().toImage().pixelColor(corner)
    panel._state.update(dark=True)
    assert light == QColor(THEME.panel)
    assert panel.view.viewport().grab().toImage().pixelColor(corner) == QColor(theme_of(dark=True).panel)
