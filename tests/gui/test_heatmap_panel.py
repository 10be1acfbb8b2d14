"""The heatmap's panel with real records: scores, ranks, sums, what is picked out, and figures that look as the screen does."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QImage, QPainter

from headscope.core import load_model
from headscope.core.attention import overview
from headscope.core.attention.arrays import record_of
from headscope.core.attention.record import AttentionRecord
from headscope.core.tokens import Reading
from headscope.core.view_jobs import HeadOverview
from headscope.gui.explorer import Explorer
from headscope.gui.paint.theme import theme_of
from headscope.gui.panels.heatmap import HeatmapPanel
from headscope.gui.state import Cell, ExplorerState, Marks
from tests.gui.screen import PATIENCE, shown, values

LEFT, NONE, CTRL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
TALE = "once upon a time a brave mouse named Mia lived in a castle . " * 3


@pytest.fixture(scope="module")
def tale() -> AttentionRecord:
    return load_model("toy:tales", device="cpu").capture(TALE)


@pytest.fixture(scope="module")
def pair() -> AttentionRecord:
    return load_model("toy:grammar", device="cpu").capture("Tom lost the red kite .", "he looked for the kite .")


@pytest.fixture
def panel(qtbot) -> Iterator[HeatmapPanel]:
    state = ExplorerState()
    explorer = Explorer(state)
    panel = HeatmapPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(600, 600)
    panel.show()
    yield panel
    assert explorer.close()


def show(qtbot, panel: HeatmapPanel, record: AttentionRecord, head=(1, 2)) -> ExplorerState:
    state = panel._state
    panel._explorer._pictures.show(record, head=head)
    qtbot.waitUntil(lambda: state.record is record and state.head == head and state.shown is not None, timeout=PATIENCE)
    return state


def test_scores_are_shown_with_their_values_and_hidden_cells_say_so(qtbot, panel: HeatmapPanel, tale) -> None:
    state = show(qtbot, panel, tale)
    panel.controls.scores.click()
    assert state.lens == "scores"
    qtbot.waitUntil(lambda: panel.view.picture.cells.of_scores, timeout=PATIENCE)
    np.testing.assert_array_equal(panel.view.picture.weights, tale.attention_scores(1, 2))
    assert "scores" in panel._title.text()
    assert not panel.controls.scale_actions["log"].isEnabled()
    panel.controls.scale_actions["rank"].trigger()
    assert panel.view.picture.cells.look.scale == "rank"
    panel._explorer.select_head((0, 1))
    wanted = tale.attention_scores(0, 1)
    qtbot.waitUntil(lambda: np.array_equal(panel.view.picture.weights, wanted, equal_nan=True), timeout=PATIENCE)
    state.update(lens="weights")
    assert panel.view.picture.weights is state.shown
    assert not panel.controls.scores.isChecked()


def test_where_there_are_no_scores_a_sentence_says_why(qtbot, panel: HeatmapPanel, pair) -> None:
    show(qtbot, panel, record_of(np.full((1, 4, 4), 0.25, np.float32), list("abcd")), head=(0, 0))
    panel.controls.scores.click()
    qtbot.waitUntil(lambda: "only its weights were given" in panel.view._hint, timeout=PATIENCE)
    assert panel.view.picture is None
    panel.controls.scores.click()
    assert panel.view.picture is not None
    show(qtbot, panel, pair.read_as(Reading("segments")))
    panel.controls.scores.click()
    qtbot.waitUntil(lambda: "words, sentences and segments have weights alone" in panel.view._hint, timeout=PATIENCE)


def test_ranks_of_many_cells_come_from_the_background_and_the_card_knows_the_exact_one(qtbot, panel: HeatmapPanel) -> None:
    rng = np.random.default_rng(1)
    weights = rng.random((1, 200, 200), np.float32)
    state = show(qtbot, panel, record_of(weights / weights.sum(-1, keepdims=True), [f"w{n}" for n in range(200)]), head=(0, 0))
    before = panel.view.picture
    panel.controls.scale_actions["rank"].trigger()
    assert panel.view.picture is before, "the old picture stays until the ranks are here"
    qtbot.waitUntil(lambda: panel.view.picture.cells.look.scale == "rank", timeout=PATIENCE)
    expected = 1 + int((state.shown > state.shown[3, 5]).sum()), 200 * 200
    assert panel.view.picture.cells.rank(3, 5) == expected


def test_ctrl_clicks_pick_rows_and_columns_out_and_the_bars_sum_them(qtbot, panel: HeatmapPanel, pair) -> None:
    state = show(qtbot, panel, pair)
    view, layout = panel.view, panel.view.layout_now()

    def label_of(query: int) -> QPoint:
        return QPoint(int(layout.plot.left()) - 20, round(layout.cell_rect(query, 0).center().y()))

    for query in (2, 4, 7):
        qtbot.mouseClick(view, LEFT, CTRL, label_of(query))
    assert state.marks == Marks((2, 4, 7), ())
    qtbot.mouseClick(view, LEFT, CTRL, label_of(4))
    assert state.marks.queries == (2, 7)
    qtbot.mouseClick(view, LEFT, CTRL, layout.cell_rect(2, 5).center().toPoint())
    assert state.marks == Marks((2, 7), (5,))
    np.testing.assert_allclose(view.picture.received.values, state.shown[[2, 7]].sum(axis=0), rtol=1e-6)
    np.testing.assert_allclose(view.picture.given.values, state.shown[:, [5]].sum(axis=1), rtol=1e-6)
    qtbot.mouseClick(view, LEFT, CTRL, layout.cell_rect(2, 5).center().toPoint())
    assert state.marks == Marks((7,), ())
    qtbot.mouseClick(view, LEFT, NONE, layout.cell_rect(1, 1).center().toPoint())
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert (state.pinned, state.marks) == (Cell(), Marks((7,), ()))
    qtbot.keyClick(view, Qt.Key.Key_Escape)
    assert state.marks == Marks()


def test_colours_are_shared_and_the_bar_stays_as_it_was_dragged_with_the_next_head(qtbot, panel: HeatmapPanel, pair) -> None:
    state = show(qtbot, panel, pair)
    panel.controls.color_actions["cividis"].trigger()
    assert state.color_map == "cividis"
    assert panel.view.picture.cells.look.color_map == "cividis"
    state.update(color_map="grey")
    assert panel.controls.color_actions["grey"].isChecked()
    panel.view.ends_moved.emit(0.1, 0.6)
    show(qtbot, panel, pair, head=(0, 1))
    assert panel.view.picture.cells.look.ends == (0.1, 0.6)
    panel.controls.scale_actions["log"].trigger()
    assert panel.view.picture.cells.look.ends == (0.0, 1.0), "on another scale they would mean something else"


def test_a_figure_looks_as_the_screen_does(qtbot, panel: HeatmapPanel, pair) -> None:
    state = show(qtbot, panel, pair)
    panel.controls.scale_actions["log"].trigger()
    panel.controls.color_actions["viridis"].trigger()
    panel.view.ends_moved.emit(0.2, 0.9)
    state.update(marks=Marks((2, 4), (7,)))
    on_screen, figure = panel.view.picture, panel.figure()
    assert figure is not on_screen
    assert figure.cells._pools is not on_screen.cells._pools, "it is painted in another thread"
    pictures = []
    for picture in (on_screen, figure):
        image = QImage(600, 500, QImage.Format.Format_RGB32)
        image.fill(theme_of(False).color("panel"))
        painter = QPainter(image)
        picture.paint(painter, QRectF(0, 0, 600, 500), theme_of(False))
        painter.end()
        pictures.append(values(image))
    assert (pictures[0] == pictures[1]).all()
    screen = values(shown(panel.view))
    layout, drawn = panel.view.layout_now(), figure.layout(QRectF(0, 0, 600, 500))
    for query, key in ((0, 0), (5, 9), (9, 3)):
        one, other = (where.cell_rect(query, key).center() for where in (layout, drawn))
        assert screen[int(one.y()), int(one.x())] == pictures[1][int(other.y()), int(other.x())]


def test_the_controls_fit_a_narrow_dock(qtbot, panel: HeatmapPanel, pair) -> None:
    show(qtbot, panel, pair)
    for scale in panel.controls.scale_actions.values():
        scale.trigger()
        assert panel.minimumSizeHint().width() <= 420
        assert panel.controls.sizeHint().width() <= 330


def test_a_hidden_heatmap_paints_and_asks_nothing_and_is_right_when_it_is_shown(qtbot, panel: HeatmapPanel, pair) -> None:
    state = show(qtbot, panel, pair)
    panel.hide()
    before = panel.view.picture
    state.update(lens="scores", marks=Marks((1,), ()))
    show(qtbot, panel, pair, head=(0, 3))
    assert panel.view.picture is before
    assert not panel._numbers._asked
    panel.show()
    qtbot.waitUntil(lambda: panel.view.picture.cells.of_scores, timeout=PATIENCE)
    np.testing.assert_array_equal(panel.view.picture.weights, pair.attention_scores(0, 3))
    assert panel.view.picture.picked.queries == (1,)


def test_sentences_are_set_apart_on_both_axes(qtbot, panel: HeatmapPanel, pair) -> None:
    state = show(qtbot, panel, pair)
    assert panel.view.picture.boundaries == ((8,), (8,))
    assert [state.queries.tokens[at].text for at in (7, 8)] == ["[SEP]", "he"]
    layout, seen = panel.view.layout_now(), values(shown(panel.view))
    y, x = round(layout.cell_rect(8, 0).top()), round(layout.plot.left())
    assert len({int(value) for value in seen[y - 1 : y + 2, x - 4].ravel()}) > 1, "a short line beside the cells"
    show(qtbot, panel, pair.read_as(Reading("sentences")))
    assert panel.view.picture.boundaries == ((), ())


def test_the_sum_of_a_column_is_told_where_its_label_is_pointed_at(qtbot, panel: HeatmapPanel, pair) -> None:
    state, view = show(qtbot, panel, pair), panel.view
    qtbot.mouseMove(
        view, QPoint(round(view.layout_now().cell_rect(0, 6).center().x()), int(view.layout_now().received.top()) + 3)
    )
    assert state.hover == Cell(None, 6)
    alone = values(shown(view))
    state.update(marks=Marks((2, 4), ()))
    marked = values(shown(view))
    state.update(hover=Cell())
    without = values(shown(view))
    dark = int(theme_of(False).color("text").rgb())
    near = [(np.abs((seen & 0xFF).astype(int) - (dark & 0xFF)) < 12).sum() for seen in (alone, marked, without)]
    assert near[1] > near[0] + 3000, "a card with the sum"
    assert near[1] > near[2] + 3000


# ---------------------------------------------------------------- heads too large to be here as a whole
@pytest.fixture
def large(qtbot, panel: HeatmapPanel, tale, monkeypatch: pytest.MonkeyPatch) -> HeatmapPanel:
    monkeypatch.setattr(overview, "LARGE_CELLS", 1000)
    state = show(qtbot, panel, tale)
    qtbot.waitUntil(lambda: isinstance(state.shown, HeadOverview) and state.shown.exact, timeout=PATIENCE)
    return panel


def test_of_a_large_head_what_cannot_be_exact_is_refused_with_the_reason(large: HeatmapPanel) -> None:
    for name in ("row", "rank"):
        assert not large.controls.scale_actions[name].isEnabled()
        assert "too large" in large.controls.scale_actions[name].toolTip()
    large.controls.scale_actions["log"].trigger()
    assert large.view.picture.cells.look.scale == "log"


def test_sums_over_a_large_head_are_exact(qtbot, large: HeatmapPanel, tale) -> None:
    weights = tale.attention_weights(1, 2)
    assert large.view.picture.given is None, "row sums of a large head are not known"
    large._state.update(marks=Marks((20, 30), (0, 1, 2)))
    qtbot.waitUntil(lambda: large.view.picture.given is not None, timeout=PATIENCE)
    np.testing.assert_allclose(large.view.picture.received.values, weights[[20, 30]].sum(axis=0), atol=1e-6)
    np.testing.assert_allclose(large.view.picture.given.values, weights[:, :3].sum(axis=1), atol=1e-6)
    assert large.view.picture.received.selected == 2


def test_scores_of_a_large_head_come_as_a_picture_parts_and_exact_values(qtbot, large: HeatmapPanel, tale, monkeypatch) -> None:
    monkeypatch.setattr("headscope.gui.heatmap_numbers._PICTURE", 8)
    state, view, scores = large._state, large.view, tale.attention_scores(1, 2)
    large.controls.scores.click()
    qtbot.waitUntil(lambda: view.picture.cells.of_scores, timeout=PATIENCE)
    qtbot.waitUntil(lambda: view.picture.cells.part is not None, timeout=PATIENCE)
    state.update(hover=Cell(20, 4))
    qtbot.waitUntil(lambda: view._value is not None, timeout=PATIENCE)
    assert view._value == pytest.approx(float(scores[20, 4]), abs=1e-5)
    state.update(hover=Cell(4, 20))
    qtbot.waitUntil(lambda: view._value is not None and np.isnan(view._value), timeout=PATIENCE)
    view._show(QRectF(2, 5, 6, 8))
    qtbot.waitUntil(lambda: view.picture.cells.part.request.rows == range(5, 13), timeout=PATIENCE)
    np.testing.assert_allclose(view.picture.cells.part.picture, scores[5:13, 2:8], atol=1e-5)
    qtbot.waitUntil(lambda: not large._explorer.questions._lane.is_busy, timeout=PATIENCE)
