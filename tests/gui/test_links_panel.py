"""What the controls, the legend and Ctrl+click of the links do, as seen through the state."""

from collections.abc import Callable

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt

from headscope.core.text.tokens import Token, TokenAxis
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.picked import Picked
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.links.paint.arcs import ArcsPicture
from headscope.gui.views.links.paint.choice import Choice
from headscope.gui.views.links.paint.links import LinksPicture
from headscope.gui.views.links.panel import LinksPanel
from tests import allowed
from tests.gui.screen import random_weights, shown, words

LEFT, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ControlModifier
HEADS = ((0, 0), (0, 1), (0, 2))


@pytest.fixture
def panel(qtbot) -> LinksPanel:
    state = Session()
    explorer = Explorer(state)
    panel = LinksPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(600, 500)
    panel.show()
    state.update(queries=words(6), keys=words(6), heads=HEADS, weights={head: random_weights(6, 6, head[1]) for head in HEADS})
    qtbot.waitUntil(lambda: panel.view.is_complete)
    yield panel
    assert explorer.close()


def click(qtbot, panel: LinksPanel, row: int, *, left: bool, ctrl: bool = False) -> None:
    at = panel.view.layout_now.label_box(row, left=left).center().toPoint()
    qtbot.mouseClick(panel.view.viewport(), LEFT, CTRL if ctrl else Qt.KeyboardModifier.NoModifier, at)


# ---------------------------------------------------------------- which links
def test_a_button_changes_from_hiding_weak_links_to_keeping_most_of_each_row_and_back(qtbot, panel: LinksPanel) -> None:
    panel.threshold.setValue(20)
    assert panel.view.picture.choice == Choice(0.2)
    assert "0.20" in panel.by_mass.text()
    qtbot.mouseClick(panel.by_mass, LEFT)
    assert panel.view.picture.choice == Choice(mass=0.7)
    assert panel.by_mass.text() == "Keep 70% of each row"
    panel.threshold.setValue(90)
    assert panel.figure().choice == Choice(mass=0.9), "the figure is as the screen"
    qtbot.mouseClick(panel.by_mass, LEFT)
    assert panel.view.picture.choice == Choice(0.2), "each has its own value"
    assert panel.threshold.value() == 20


def test_the_pair_filter_is_there_for_two_texts_only_and_is_shared(panel: LinksPanel) -> None:
    state = panel._state
    assert not panel.pairing.isVisible()
    two = TokenAxis(tuple(Token(f"t{at}", at, segment=int(at > 2)) for at in range(6)))
    state.update(queries=two, keys=two)
    assert panel.pairing.isVisible()
    panel.pairings["AB"].trigger()
    assert state.pairing == "AB"
    assert panel.view.picture.choice.segments == panel.figure().choice.segments == (0, 1)
    panel.arcs.setChecked(True)
    assert panel.view.picture.choice.segments == (0, 1), "arcs obey it too"
    state.update(queries=words(6), keys=words(6))
    assert panel.view.picture.choice.segments is None, "of one text there is no pair"


def test_the_controls_fit_a_narrow_dock(qtbot, panel: LinksPanel) -> None:
    two = TokenAxis(tuple(Token(f"t{at}", at, segment=int(at > 2)) for at in range(6)))
    panel._state.update(queries=two, keys=two)
    buttons = panel.by_mass, panel.pairing, panel.arcs, panel.whole
    for by_mass in (False, True):
        panel.by_mass.setChecked(by_mass)
        panel.resize(panel.minimumSizeHint().width(), 400)
        assert panel.minimumSizeHint().width() <= 360
        # no word is cut, once the layout has heard of the new words
        qtbot.waitUntil(lambda: all(button.width() >= button.sizeHint().width() for button in buttons))
        assert all(panel.rect().contains(button.geometry()) for button in buttons)
        panel.resize(700, 400)


# ---------------------------------------------------------------- sides and arcs
def test_arcs_are_a_click_away_and_a_decoders_are_all_above(qtbot, panel: LinksPanel) -> None:
    before = shown(panel.view)
    qtbot.mouseClick(panel.arcs, LEFT)
    qtbot.waitUntil(lambda: panel.view.is_complete)
    assert isinstance(panel.view.picture, ArcsPicture)
    assert shown(panel.view) != before
    assert panel.view.picture.layout(QRectF(0, 0, 600, 400)).ends.deep > 0
    panel._state.update(kind="decoder")
    assert panel.view.picture.layout(QRectF(0, 0, 600, 400)).ends.deep == 0
    assert isinstance(panel.arcs_figure(), ArcsPicture)
    assert isinstance(panel.figure(), LinksPicture)


def test_pointing_at_a_word_of_the_line_is_pointing_in_all_views(qtbot, panel: LinksPanel) -> None:
    panel.arcs.setChecked(True)
    box = panel.view.layout_now.box(2)
    qtbot.mouseMove(panel.view.viewport(), box.center().toPoint() - QPoint(0, 4))
    assert panel._state.hover == Cell(query=2)
    qtbot.mouseMove(panel.view.viewport(), box.center().toPoint() + QPoint(0, 5))
    assert panel._state.hover == Cell(key=2)
    qtbot.mouseClick(panel.view.viewport(), LEFT, pos=box.center().toPoint() + QPoint(0, 5))
    assert panel._state.pinned == Cell(key=2)


def test_between_two_texts_there_are_two_columns_and_a_sentence_that_says_why(panel: LinksPanel) -> None:
    panel.arcs.setChecked(True)
    panel._state.update(kind="cross", keys=words(4), weights={head: random_weights(6, 4) for head in HEADS})
    picture = panel.view.picture
    assert isinstance(picture, LinksPicture)
    assert picture.titles == ("target", "source")
    layout = picture.layout(QRectF(0, 0, 600, 400))
    assert "instead of arcs" in picture.footer(layout, picture.links(layout))
    assert panel.arcs_figure() is None


# ---------------------------------------------------------------- several tokens
def test_ctrl_click_picks_tokens_out_beside_the_pinned_one(qtbot, panel: LinksPanel) -> None:
    state = panel._state
    click(qtbot, panel, 1, left=True)
    click(qtbot, panel, 3, left=True, ctrl=True)
    assert (state.marks, state.pinned) == (Marks(queries=(1, 3)), Cell())
    click(qtbot, panel, 4, left=False, ctrl=True)
    assert state.marks == Marks((1, 3), (4,))
    click(qtbot, panel, 1, left=True, ctrl=True)
    assert state.marks == Marks((3,), (4,)), "once more takes it away"
    click(qtbot, panel, 5, left=True)
    assert (state.marks, state.pinned) == (Marks(), Cell(query=5)), "a plain click starts anew"
    click(qtbot, panel, 2, left=False, ctrl=True)
    qtbot.keyClick(panel.view, Qt.Key.Key_Escape)
    assert (state.marks, state.pinned) == (Marks(), Cell())


def test_numbers_beside_picked_tokens_are_sums_over_them(panel: LinksPanel) -> None:
    picture = panel.figure()
    picked = Picked(queries=(1, 3), keys=(2, 5, 0))
    for number, matrix in enumerate(picture.weights.values()):
        np.testing.assert_allclose(
            picture.seen_of(picked, keys=True)[number], matrix[[1, 3]].sum(axis=0), atol=allowed.of_sums(2)
        )
        np.testing.assert_allclose(
            picture.seen_of(picked, keys=False)[number], matrix[:, [2, 5, 0]].sum(axis=1), atol=allowed.of_sums(3)
        )
    links = picture.links(picture.layout(QRectF(0, 0, 600, 400)), picked)
    found = sorted(zip(links.head.tolist(), links.query.tolist(), links.key.tolist(), strict=True))
    wanted = [(h, q, k) for h in range(3) for q in range(6) for k in range(6) if q in (1, 3) or k in (2, 5, 0)]
    assert [link for link in wanted if picture.weights[0, link[0]][link[1:]] >= 0.002] == found, "each once"


def test_links_of_picked_tokens_stay_while_others_fade(qtbot, panel: LinksPanel) -> None:
    plain = shown(panel.view)
    panel._state.update(marks=Marks(queries=(1, 3)))
    picked = shown(panel.view)
    assert picked != plain
    panel._state.update(hover=Cell(key=2))
    assert shown(panel.view) != picked, "what is pointed at is lit as well"
    panel._state.update(marks=Marks(), hover=Cell())
    assert shown(panel.view) == plain


# ---------------------------------------------------------------- the legend
@pytest.fixture
def run(qtbot, open_window) -> Callable:
    """A window whose links have three heads, and what clicks its legend."""
    window = open_window("toy:grammar")
    for number, head in enumerate(HEADS):
        window.explorer.select_head(head, extend=number > 0)
    qtbot.waitUntil(lambda: window.state.heads == HEADS)
    view = window.panel("links").view

    def act(how: Callable, head: tuple[int, int]) -> list[tuple[int, int]]:
        boxes = {other: box for box, _, other in view.layout_now.legend if other is not None}
        assert set(boxes) == set(HEADS), "those that are off are still named"
        how(view.viewport(), LEFT, pos=boxes[head].center().toPoint())
        return sorted(window.state.heads)

    act.window = window
    return act


def test_a_click_in_the_legend_switches_a_head_off_and_on_and_a_double_click_shows_it_alone(qtbot, run: Callable) -> None:
    colors = dict(run.window.state.color_of)
    assert run(qtbot.mouseClick, (0, 1)) == [(0, 0), (0, 2)]
    assert set(run.window.panel("links").view.picture.weights) == {(0, 0), (0, 2)}
    assert run(qtbot.mouseClick, (0, 1)) == list(HEADS)
    run(qtbot.mouseClick, (0, 2))
    assert run(qtbot.mouseDClick, (0, 2)) == [(0, 2)]
    assert run.window.state.head == (0, 2)
    assert run(qtbot.mouseClick, (0, 2)) == [(0, 2)], "the last one stays"
    assert run(qtbot.mouseDClick, (0, 2)) == list(HEADS)
    assert run.window.state.color_of == colors, "each has its colour again"
    assert sorted(colors.values()) == [0, 1, 2]
    run.window.explorer.select_head((1, 1))
    qtbot.waitUntil(lambda: run.window.state.heads == ((1, 1),))
    assert run.window.state.color_of == {(1, 1): 0}, "the first colour is that of a head alone"
    assert [head for _, _, head in run.window.panel("links").view.layout_now.legend] == [(1, 1)], (
        "chosen elsewhere: a new legend"
    )


def test_the_legend_of_32_heads_is_a_few_lines_even_in_a_narrow_dock() -> None:
    weights = {(5, head): np.eye(4, dtype=np.float32) for head in range(32)}
    picture = LinksPicture(weights, words(4), words(4))
    for width, most in ((640, 3), (360, 5)):
        legend = picture.layout(QRectF(0, 0, width, 500)).legend
        assert [head for _, _, head in legend if head is not None] == list(weights)
        assert len({box.top() for box, *_ in legend}) <= most
        assert all(box.left() >= 0 and box.right() <= width for box, *_ in legend)
        assert legend[0][1] == "layer 5, heads"


def test_all_heads_of_a_model_are_drawn_together_even_if_hardly_any_may_be_kept(qtbot, open_window) -> None:
    window = open_window("toy:grammar")
    window.explorer.limit_cache(1)
    heads = tuple((layer, head) for layer in range(2) for head in range(4))
    window.explorer.select_heads(heads[-1], heads)
    qtbot.waitUntil(lambda: set(window.panel("links").view.picture.weights) == set(heads))
    colors = [color.name() for color in window.panel("links").view.picture.head_colors(theme_of(window.state.dark))]
    assert len(set(colors)) == 8


def test_a_panel_that_is_not_seen_makes_no_picture_until_it_is(qtbot, panel: LinksPanel) -> None:
    panel.hide()
    before = panel.view.picture
    panel._state.update(heads=HEADS[:1])
    assert panel.view.picture is before
    panel.show()
    assert set(panel.view.picture.weights) == {(0, 0)}
