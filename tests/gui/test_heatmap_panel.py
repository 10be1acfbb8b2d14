"""The heatmap's panel with real records: scores, ranks, sums, what is picked out, and figures that look as the screen does."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QBuffer, QPoint, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtSvg import QSvgGenerator

from headscope.core import load_model
from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.head_map import FAINTEST, HeadOverview
from headscope.core.attention.intervention import Intervention, Uniform
from headscope.core.attention.lens import LENSES, SCORES, WEIGHTS, Lens
from headscope.core.attention.maps import overview
from headscope.core.attention.ranks import RESOLUTION
from headscope.core.attention.record import AttentionRecord
from headscope.core.text.tokens import Units
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.scales import written
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.heatmap.paint.card import paint_heatmap_card
from headscope.gui.views.heatmap.panel import HeatmapPanel
from headscope.gui.views.heatmap.settings import HeatmapSettings
from headscope.gui.window.status import StatusPanel
from tests import allowed
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
    state = Session()
    explorer = Explorer(state)
    panel = HeatmapPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(600, 600)
    panel.show()
    yield panel
    assert explorer.close()


def show(qtbot, panel: HeatmapPanel, record: AttentionRecord, head=(1, 2)) -> Session:
    state = panel._state
    panel._explorer._pictures.show(record, head=head)
    qtbot.waitUntil(lambda: state.captured is record and state.head == head and state.shown is not None, timeout=PATIENCE)
    return state


def choose(qtbot, panel: HeatmapPanel, lens: Lens) -> None:
    """Another lens, in the menu."""
    panel.controls.lens_actions[lens.id].trigger()
    qtbot.waitUntil(lambda: panel._state.lens == lens, timeout=PATIENCE)
    assert panel.view.picture.cells.lens == lens


def test_scores_are_shown_with_their_values_and_hidden_cells_say_so(qtbot, panel: HeatmapPanel, tale) -> None:
    state = show(qtbot, panel, tale)
    choose(qtbot, panel, SCORES)
    assert panel.controls.lens_actions["scores"].isChecked()
    scores = tale.attention_scores(1, 2)
    np.testing.assert_allclose(panel.view.picture.weights, scores, atol=allowed.of_logits(scores))
    assert "scores" in panel._title.text()
    assert not panel.controls.scale_actions["log"].isEnabled()
    panel.controls.scale_actions["rank"].trigger()
    assert panel.view.picture.cells.look.scale == "rank"
    panel._explorer.select_head((0, 1))
    wanted = tale.attention_scores(0, 1)
    rounding = allowed.of_logits(wanted)
    qtbot.waitUntil(lambda: np.allclose(panel.view.picture.weights, wanted, 0, rounding, equal_nan=True), timeout=PATIENCE)
    choose(qtbot, panel, WEIGHTS)
    assert panel.view.picture.weights is state.shown
    assert not panel.controls.lens_actions["scores"].isChecked()


def test_scores_from_before_an_edit_are_said_to_be(qtbot, panel: HeatmapPanel) -> None:
    edited = Intervention((Uniform(layer=1, head=2),))
    record = load_model("toy:grammar", device="cpu").capture("Tom lost the red kite .", intervention=edited)
    show(qtbot, panel, record)
    assert panel.view.picture.note == "", "weights are the edited ones"
    choose(qtbot, panel, SCORES)
    assert panel.figure().note == panel.view.picture.note == "scores before this run's edit of the weights"
    words = panel.view.layout_now().words.toAlignedRect()
    ground = theme_of(False).color("panel").rgb()
    assert (values(shown(panel.view).copy(words)) != ground).any()
    panel._explorer.select_head((1, 3))
    qtbot.waitUntil(lambda: panel._title.text() == "layer 1 · head 3 · scores", timeout=PATIENCE)
    assert panel.view.picture.note == ""
    assert (values(shown(panel.view).copy(words)) == ground).all()


def test_the_status_bar_says_the_score_while_scores_are_shown(qtbot, panel: HeatmapPanel, tale, monkeypatch) -> None:
    state, status = show(qtbot, panel, tale), StatusPanel(panel._state, panel._explorer)
    qtbot.addWidget(status)
    weight, score = tale.attention_weights(1, 2)[20, 4], tale.attention_scores(1, 2)[20, 4]
    state.update(hover=Cell(20, 4))
    for scale in ("log", "row", "rank"):
        panel.controls.scale_actions[scale].trigger()
        assert status._left.text().endswith(f"  {weight:.4f}")
    choose(qtbot, panel, SCORES)
    state.update(hover=Cell(20, 4))  # another record has no cell in focus
    qtbot.waitUntil(lambda: status._left.text().endswith(f"  scores {written(float(score))}"), timeout=PATIENCE)
    state.update(hover=Cell(4, 20))
    assert status._left.text().endswith("  masked")
    monkeypatch.setattr(overview, "LARGE_CELLS", 1000)
    show(qtbot, panel, tale, head=(1, 3))
    state.update(hover=Cell(20, 4))
    score = tale.attention_scores(1, 3)[20, 4]
    qtbot.waitUntil(lambda: status._left.text().endswith(f"  scores {written(float(score))}"), timeout=PATIENCE)
    choose(qtbot, panel, WEIGHTS)
    state.update(hover=Cell(20, 4))
    qtbot.waitUntil(lambda: status._left.text().endswith(f"  {tale.cell(1, 3, 20, 4):.4f}"), timeout=PATIENCE)


def test_where_there_are_no_scores_a_sentence_says_why_and_weights_stay_weights(qtbot, panel: HeatmapPanel, pair) -> None:
    given = record_of(np.full((1, 4, 4), 0.25, np.float32), list("abcd"))
    state = show(qtbot, panel, given, head=(0, 0))
    panel.controls.lens_actions["scores"].trigger()
    qtbot.waitUntil(lambda: state.notice is not None, timeout=PATIENCE)
    assert "Only the weights are known" in state.notice.message
    assert (state.lens, state.record) == (WEIGHTS, given)
    assert panel.view.picture.weights is state.shown
    assert panel.controls.lens_actions["weights"].isChecked()
    assert not panel.controls.lens_actions["scores"].isChecked()
    show(qtbot, panel, pair)
    choose(qtbot, panel, SCORES)
    shown_before = panel.view.picture
    panel._explorer.set_units(Units("segments"))
    qtbot.waitUntil(lambda: "Words, sentences and segments have weights only" in state.notice.message, timeout=PATIENCE)
    assert (state.lens, state.units, panel._explorer.units) == (SCORES, Units(), Units())
    assert panel.view.picture is shown_before
    show(qtbot, panel, given, head=(0, 0))  # a new run is shown as it can be
    assert "Only the weights are known" in state.notice.message
    assert (state.lens, state.record) == (WEIGHTS, given)
    assert panel._title.text() == "layer 0 · head 0"


def test_ranks_of_many_cells_come_from_the_background_and_the_card_knows_the_exact_one(qtbot, panel: HeatmapPanel) -> None:
    rng = np.random.default_rng(1)
    weights = rng.random((1, 200, 200), np.float32)
    state = show(qtbot, panel, record_of(weights / weights.sum(-1, keepdims=True), [f"w{n}" for n in range(200)]), head=(0, 0))
    before = panel.view.picture
    panel.controls.scale_actions["rank"].trigger()
    assert panel.view.picture is before, "the old picture stays until the ranks are here"
    qtbot.waitUntil(lambda: panel.view.picture.cells.look.scale == "rank", timeout=PATIENCE)
    best = 1 + int((state.shown > state.shown[3, 5]).sum())
    assert panel.view.picture.cells.rank(3, 5, state.value(3, 5)) == (best, best, 200 * 200)


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
    np.testing.assert_allclose(view.picture.received.values, state.shown[[2, 7]].sum(axis=0), atol=allowed.of_sums(2))
    np.testing.assert_allclose(view.picture.given.values, state.shown[:, [5]].sum(axis=1), atol=allowed.of_sums(1))
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
    assert state.view(HeatmapSettings).color_map == "cividis"
    assert panel.view.picture.cells.look.color_map == "cividis"
    state.set_view(HeatmapSettings, color_map="grey")
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
    qtbot.waitUntil(lambda: not panel._explorer.questions.is_busy, timeout=PATIENCE)  # for which keys are hidden
    panel.hide()
    before = panel.view.picture
    panel._explorer.set_lens(SCORES)
    qtbot.waitUntil(lambda: state.lens == SCORES, timeout=PATIENCE)
    state.update(marks=Marks((1,), ()))
    show(qtbot, panel, pair, head=(0, 3))
    assert panel.view.picture is before
    assert not panel._explorer.questions.is_busy
    panel.show()
    assert panel.view.picture.cells.lens == SCORES
    scores = pair.attention_scores(0, 3)
    np.testing.assert_allclose(panel.view.picture.weights, scores, atol=allowed.of_logits(scores))
    assert panel.view.picture.picked.queries == (1,)


def test_sentences_are_set_apart_on_both_axes(qtbot, panel: HeatmapPanel, pair) -> None:
    state = show(qtbot, panel, pair)
    assert panel.view.picture.boundaries == ((8,), (8,))
    assert [state.queries.tokens[at].text for at in (7, 8)] == ["[SEP]", "he"]
    layout, seen = panel.view.layout_now(), values(shown(panel.view))
    y, x = round(layout.cell_rect(8, 0).top()), round(layout.plot.left())
    assert len({int(value) for value in seen[y - 1 : y + 2, x - 4].ravel()}) > 1, "a short line beside the cells"
    show(qtbot, panel, pair.in_units(Units("sentences")))
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
    lane = panel._explorer._pictures._lane
    qtbot.waitUntil(lambda: not lane.is_busy, timeout=PATIENCE)  # else what is still under way replaces what a test shows
    return panel


def look_at(qtbot, large: HeatmapPanel, scale: str, lens: Lens = WEIGHTS) -> None:
    """Another scale of the large head, of weights or of scores."""
    choose(qtbot, large, lens)
    large.controls.scale_actions[scale].trigger()
    qtbot.waitUntil(lambda: large.view.picture.cells.look.scale == scale, timeout=PATIENCE)


def steps_of_colors(large: HeatmapPanel) -> np.ndarray:
    """(n_queries, n_keys), which of the palette's colours each cell has on the screen."""
    seen, layout = values(shown(large.view)), large.view.layout_now()
    n_queries, n_keys = large.view.picture.weights.shape
    middles = [[layout.cell_rect(query, key).center() for key in range(n_keys)] for query in range(n_queries)]
    colors = np.array([[seen[int(at.y()), int(at.x())] for at in row] for row in middles])
    palette = large.view.picture.cells.palette(theme_of(False))
    found = np.abs(colors[..., None].astype(np.int64) - palette.astype(np.int64)).argmin(-1)
    assert (palette[found] == colors).all()
    return found


def test_each_row_of_a_large_head_to_its_maximum(qtbot, large: HeatmapPanel, tale) -> None:
    look_at(qtbot, large, "row")
    weights = tale.attention_weights(1, 2)
    wanted = np.rint(255 * weights / weights.max(axis=1, keepdims=True))
    assert np.abs(steps_of_colors(large) - wanted).max() <= 1
    large._explorer.select_head((0, 1))
    qtbot.waitUntil(lambda: large._state.head == (0, 1) and large._state.shown.exact, timeout=PATIENCE)
    weights = tale.attention_weights(0, 1)
    assert large.view.picture.cells.look.scale == "row"
    wanted = np.rint(255 * weights / weights.max(axis=1, keepdims=True))
    assert np.abs(steps_of_colors(large) - wanted).max() <= 1


def of_each(weights: np.ndarray) -> np.ndarray:
    """Between each weight and itself in a block of another shape: as an exponential, it is off by a share of its size."""
    return 4 * allowed.of_blocks(weights) * weights


@pytest.mark.parametrize("lens", ["weights", "scores"])
def test_ranks_in_a_large_head_are_colours_and_their_rounding_is_said(
    qtbot, large: HeatmapPanel, tale, lens: str, monkeypatch
) -> None:
    monkeypatch.setattr("headscope.core.engine.heads._SIDE", 8)
    look_at(qtbot, large, "rank", LENSES[lens])
    if lens == "scores":
        qtbot.waitUntil(lambda: large.view.picture.cells.part is not None, timeout=PATIENCE)
    cells = tale.attention_weights(1, 2) if lens == "weights" else tale.attention_scores(1, 2)
    hidden, first = np.isnan(cells), int(lens == "scores")
    known = np.sort(cells[~hidden])
    rounding = of_each(cells) if lens == "weights" else np.full_like(cells, allowed.of_logits(cells))
    steps = steps_of_colors(large)
    for at in zip(*np.nonzero(~hidden), strict=True):
        width = abs(cells[at]) * RESOLUTION + rounding[at]
        low, high = np.searchsorted(known, cells[at] - width), np.searchsorted(known, cells[at] + rounding[at])
        step = (steps[at] - first) / (255 - first)
        assert low / known.size - 0.5 / 254 <= step <= high / known.size + 0.5 / 254
    assert (steps[hidden] == 0).all()
    assert "(to 0.05%)" in large.view.picture.cells.bar.words(stretched=False)
    assert "less than 0.05% apart" in large.controls.scale_actions["rank"].toolTip()
    assert "computing ranks" not in large._title.text()


def test_while_ranks_of_a_large_head_are_counted_it_is_shown_linear_and_that_is_said(qtbot, large: HeatmapPanel) -> None:
    large.controls.scale_actions["rank"].trigger()
    assert large.view.picture.cells.look.scale == "linear"
    assert "computing ranks" in large._title.text()
    qtbot.waitUntil(lambda: large.view.picture.cells.look.scale == "rank", timeout=PATIENCE)
    assert "computing ranks" not in large._title.text()


def test_the_rank_of_a_cell_of_a_large_head_is_exact_or_told_from_where_to_where(qtbot, large: HeatmapPanel, tale) -> None:
    look_at(qtbot, large, "rank")
    weights, found = tale.attention_weights(1, 2), large.view.picture.cells.rank
    rounding = of_each(weights)
    for query, key in ((0, 0), (20, 4), (30, 12), (8, 8)):
        best, worst, count = found(query, key, float(weights[query, key]))
        by = rounding[query, key]
        least, most = (int((weights > weights[query, key] + by).sum()) for by in (by, -by))
        assert least < worst and best <= most
        assert count == weights.size
        if weights[query, key] >= FAINTEST:
            assert best == worst
    large._state.update(hover=Cell(4, 20))  # one of the many that are 0
    qtbot.waitUntil(lambda: large.view._value is not None, timeout=PATIENCE)
    n_zero = int((weights == 0).sum())
    assert found(4, 20, 0.0) == (weights.size - n_zero + 1, weights.size, weights.size)
    buffer = QBuffer()
    svg = QSvgGenerator()
    svg.setOutputDevice(buffer)
    painter, view = QPainter(svg), large.view
    where, layout = QRectF(view.rect()), view.layout_now()
    paint_heatmap_card(painter, where, view.picture, layout, theme_of(False), (4, 20), 0.0, "")
    painter.end()
    assert (
        f"rank {weights.size - n_zero + 1:,} to {weights.size:,} of {weights.size:,} in the head"
        in buffer.data().data().decode()
    )


def test_a_part_of_a_large_head_comes_in_its_scale(qtbot, large: HeatmapPanel, tale) -> None:
    state, view, weights = large._state, large.view, tale.attention_weights(1, 2)
    *_, coarse = tale.overview(1, 2, "decoder", size=8)
    large.controls.scale_actions["row"].trigger()
    state.update(weights={state.head: coarse})
    view._show(QRectF(2, 5, 6, 8))
    qtbot.waitUntil(lambda: view.picture.cells.part is not None, timeout=PATIENCE)
    relative = weights / weights.max(axis=1, keepdims=True)
    assert view.picture.cells.part.request.by_row
    np.testing.assert_allclose(view.picture.cells.part.picture, relative[5:13, 2:8], atol=10 * allowed.of_sums())
    large.controls.scale_actions["log"].trigger()
    assert view.picture.cells.part is None, "that is of another scale"
    qtbot.waitUntil(lambda: view.picture.cells.part is not None, timeout=PATIENCE)
    np.testing.assert_allclose(view.picture.cells.part.picture, weights[5:13, 2:8], atol=allowed.of_blocks(weights))
    large.controls.scale_actions["rank"].trigger()
    qtbot.waitUntil(lambda: view.picture.cells.look.scale == "rank", timeout=PATIENCE)
    assert view.picture.cells.part is not None, "the same cells, coloured by their ranks"
    palette = view.picture.cells.palette(theme_of(False))
    seen, layout = values(shown(view)), view.layout_now()
    for query, key in ((5, 2), (9, 6), (12, 7)):
        at = layout.cell_rect(query, key).center()
        step = int(np.abs(palette.astype(np.int64) - int(seen[int(at.y()), int(at.x())])).argmin())
        share = (weights < weights[query, key] * (1 - RESOLUTION)).mean()
        assert step == pytest.approx(255 * share, abs=2)


def test_sums_over_a_large_head_are_exact(qtbot, large: HeatmapPanel, tale) -> None:
    weights = tale.attention_weights(1, 2)
    np.testing.assert_allclose(large.view.picture.given.values, weights.sum(axis=1), atol=allowed.of_sums())
    assert large.view.picture.given.selected == 0
    large._state.update(marks=Marks((20, 30), (0, 1, 2)))
    qtbot.waitUntil(lambda: large.view.picture.given is not None, timeout=PATIENCE)
    np.testing.assert_allclose(large.view.picture.received.values, weights[[20, 30]].sum(axis=0), atol=allowed.of_sums())
    np.testing.assert_allclose(large.view.picture.given.values, weights[:, :3].sum(axis=1), atol=allowed.of_sums())
    assert large.view.picture.received.selected == 2


def test_scores_of_a_large_head_come_as_a_picture_parts_and_exact_values(qtbot, large: HeatmapPanel, tale, monkeypatch) -> None:
    monkeypatch.setattr("headscope.core.engine.heads._SIDE", 8)
    state, view, scores = large._state, large.view, tale.attention_scores(1, 2)
    choose(qtbot, large, SCORES)
    qtbot.waitUntil(lambda: view.picture.cells.part is not None, timeout=PATIENCE)
    state.update(hover=Cell(20, 4))
    qtbot.waitUntil(lambda: view._value is not None, timeout=PATIENCE)
    assert view._value == pytest.approx(float(scores[20, 4]), abs=allowed.of_logits(scores))
    state.update(hover=Cell(4, 20))
    qtbot.waitUntil(lambda: view._value is not None and np.isnan(view._value), timeout=PATIENCE)
    view._show(QRectF(2, 5, 6, 8))
    qtbot.waitUntil(lambda: view.picture.cells.part.request.rows == range(5, 13), timeout=PATIENCE)
    np.testing.assert_allclose(view.picture.cells.part.picture, scores[5:13, 2:8], atol=allowed.of_logits(scores))
    qtbot.waitUntil(lambda: not large._explorer.questions.is_busy, timeout=PATIENCE)
