"""Arcs over one line of text: where they lead, where the mouse points, how the line scrolls, and the files."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.formats import write_figure
from headscope.gui.paint.picked import Picked
from headscope.gui.paint.theme import theme_of
from headscope.gui.views.links.paint.arcs import ArcsPicture
from headscope.gui.views.links.paint.choice import Choice
from headscope.gui.views.links.widget import LinkView
from tests.gui.screen import axis, n_colors, random_weights, said, shown, words

pytestmark = pytest.mark.usefixtures("qapp")
THEME = theme_of(dark=False)
AREA = QRectF(0, 0, 900, 400)


def one_link(query: int, key: int, count: int = 8, **how) -> ArcsPicture:
    weights = np.zeros((count, count), np.float32)
    weights[query, key] = 1
    return ArcsPicture({(0, 0): weights}, words(count), words(count), **how)


def painted(picture: ArcsPicture, **how) -> np.ndarray:
    """(height, width) of whether a pixel has the head's hue."""
    image = QImage(900, 400, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    picture.paint(painter, AREA, THEME, **how)
    painter.end()
    flat = np.frombuffer(image.constBits(), np.uint32).reshape(400, 900)
    blue, red = flat & 255, flat >> 16 & 255
    assert QColor(THEME.heads[0]).blue() > QColor(THEME.heads[0]).red() + 100
    return blue.astype(int) - red > 60


@pytest.mark.parametrize(("query", "key", "one_sided"), [(5, 1, False), (1, 5, False), (5, 1, True)])
def test_an_arc_leads_above_to_an_earlier_token_and_below_to_a_later_one(query: int, key: int, one_sided: bool) -> None:
    picture = one_link(query, key, one_sided=one_sided)
    layout, ink = picture.layout(AREA), painted(picture)
    ends = layout.ends
    above, below = ink[int(layout.clip.top()) : int(ends.top)], ink[int(ends.bottom) + 1 : int(layout.clip.bottom())]
    assert above.any() == (key < query)
    assert below.any() == (key > query)
    row = ink[int(ends.top) - 2] if key < query else ink[int(ends.bottom) + 2]
    found = np.flatnonzero(row)
    for token, at in ((min(query, key), found.min()), (max(query, key), found.max())):
        assert at == pytest.approx(layout.box(token).center().x(), abs=3)


def test_a_token_that_looks_at_itself_has_a_small_arc() -> None:
    picture = one_link(3, 3)
    layout, ink = picture.layout(AREA), painted(picture)
    columns = np.flatnonzero(ink[: int(layout.ends.top)].any(axis=0))
    assert layout.box(3).left() <= columns.min() < columns.max() <= layout.box(3).right()


def test_longer_arcs_are_higher_and_none_leaves_its_room() -> None:
    picture = ArcsPicture({(0, 0): random_weights(60, 60)}, words(60), words(60))
    layout = picture.layout(AREA)
    links = picture.links(layout)
    curves = layout.ends.curves(links)
    above = links.key <= links.query
    rise = np.where(above, layout.ends.top - curves[:, 3], curves[:, 3] - layout.ends.bottom) * 3 / 4
    wide = np.abs(curves[:, 6] - curves[:, 0])
    order = np.argsort(wide)
    assert np.all(np.diff(rise[order]) >= -1e-9)
    assert rise.max() <= layout.ends.high + 1e-9
    assert rise.min() > 0


def test_the_upper_half_of_a_word_points_at_what_it_looks_at_and_the_lower_half_at_who_looks_at_it() -> None:
    picture = one_link(5, 1)
    layout = picture.layout(AREA)
    box = layout.box(4)
    assert picture.token_at(layout, box.center() - QPointF(0, 4)) == (4, None)
    assert picture.token_at(layout, box.center() + QPointF(0, 4)) == (None, 4)
    assert picture.token_at(layout, QPointF(box.center().x(), layout.clip.top() + 2)) == (None, None)
    assert "attends to" in picture.caption(Picked(query=4))
    assert picture.caption(Picked(query=4)) != picture.caption(Picked(key=4))
    assert "sum of 2 tokens" in picture.caption(Picked(queries=(1, 4)))


def test_arcs_obey_the_choice_of_links_and_say_so() -> None:
    weights = {(0, 0): random_weights(30, 30)}
    picture = ArcsPicture(weights, words(30), words(30), choice=Choice(mass=0.5))
    layout = picture.layout(AREA)
    links = picture.links(layout)
    assert links.weight.sum() < 0.8 * 30
    assert f"{picture.not_drawn(layout, links)[0]:.1%} of attention hidden" in picture.footer(layout, links)


@pytest.mark.parametrize("tokens", [words(1), words(500), axis(*"人工智能是一种技术"), axis("a" * 300, "🙂", "␣", "مفتاح")])
def test_any_text_fits(tokens) -> None:
    count = len(tokens)
    picture = ArcsPicture({(0, 0): random_weights(count, count)}, tokens, tokens)
    whole = picture.layout(AREA)
    assert not whole.scrolled
    assert whole.visible(count) == range(count)
    painted(picture, picked=Picked(key=0))
    scrolled = picture.layout(AREA, scroll=1e6)
    if scrolled.scrolled:
        assert scrolled.visible(count).stop == count
        assert all(scrolled.box(at).width() >= 30 for at in range(count)), "readable"


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_arcs_are_written_to_files_with_text_as_text(tmp_path: Path, suffix: str) -> None:
    picture = ArcsPicture({(2, 3): random_weights(5, 5)}, words(5), words(5))
    path = tmp_path / f"arcs{suffix}"
    write_figure(picture, path, FigureOptions(ground="dark" if THEME.dark else "light", dpi=96))
    if suffix == ".svg":
        drawn = path.read_text(encoding="utf-8")
        assert drawn.count(">word4<") == 1
        assert "layer 2 · head 3" in drawn
        assert "<image" not in drawn
    elif suffix == ".png":
        assert n_colors(QImage(str(path))) > 20
    else:
        assert b"/Subtype /Image" not in path.read_bytes()


def test_the_figure_of_a_long_text_is_not_endless() -> None:
    size = ArcsPicture({(0, 0): random_weights(500, 500)}, words(500), words(500)).size()
    assert 500 * 11 <= size.width() <= 500 * 16


# ---------------------------------------------------------------- in the view
@pytest.fixture
def view(qtbot) -> LinkView:
    view = LinkView()
    qtbot.addWidget(view)
    view.resize(600, 300)
    view.set_picture(ArcsPicture({(0, 0): random_weights(60, 60)}, words(60), words(60)))
    view.show()
    qtbot.waitExposed(view)
    return view


def test_a_long_line_scrolls_along_by_wheel_and_shows_all_on_request(qtbot, view: LinkView) -> None:
    bar = view.horizontalScrollBar()
    assert bar.maximum() > 1000
    assert view.verticalScrollBar().maximum() == 0
    before = shown(view.viewport())
    bar.setValue(bar.maximum())
    qtbot.waitUntil(lambda: view.is_complete)
    assert view.layout_now.visible(60).stop == 60
    assert shown(view.viewport()) != before
    view.set_whole(True)
    assert view.layout_now.visible(60) == range(60)
    assert bar.maximum() == 0


def test_keys_move_along_the_line_and_change_what_is_asked(qtbot, view: LinkView) -> None:
    moves, pins, marks = said(view.hovered), said(view.clicked), said(view.marked)
    view.hovered.connect(lambda query, key: view.set_picked(Picked(query, key)))
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Down, Qt.Key.Key_Left, Qt.Key.Key_Up, Qt.Key.Key_Return):
        qtbot.keyClick(view, key)
    assert moves == [(0, None), (1, None), (None, 1), (None, 0), (0, None)]
    assert pins == [(0, None)]
    qtbot.keyClick(view, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert marks == [(0, None)]
    for _ in range(40):
        qtbot.keyClick(view, Qt.Key.Key_Right)
    assert 40 in view.layout_now.visible(60)
    assert 0 not in view.layout_now.visible(60), "the line has followed"
