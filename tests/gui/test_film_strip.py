"""The film strip with the real explorer, engine and toys: looking back at steps, playing them, forks side by side."""

import math
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRectF, Qt
from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget

from headscope.core.options import Sampling
from headscope.core.predict.results import FillStep
from headscope.core.requests.tokens import StepRows
from headscope.core.text.tokens import Units
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.session.steps import row_of
from headscope.gui.views.film_strip.paint.step_rows import StepRowsPicture
from headscope.gui.views.film_strip.paint.strip import FilmStripPicture, Frame, Looked, Strip
from headscope.gui.views.film_strip.panel import FilmStripPanel
from headscope.gui.views.film_strip.player_bar import PlayerBar
from headscope.gui.views.film_strip.widget import FilmStripView
from tests import allowed
from tests.generating import PROMPT, folder_of
from tests.gui.screen import PATIENCE, axis, color_of, n_colors, random_weights, said, settle, shown

STORY = "once upon a time"
N_STEPS = 8
DRAWN = Sampling(temperature=1.2, top_k=5, seed=3)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def panel(qtbot, qapp) -> Iterator[FilmStripPanel]:
    state = Session()
    explorer = Explorer(state)
    panel = FilmStripPanel(state, explorer)
    panel.explorer_in_test = explorer
    qtbot.addWidget(panel)
    panel.resize(900, 320)
    panel.show()
    yield panel
    assert explorer.close()


def opened(qtbot, panel: FilmStripPanel, model: str, text: str) -> Session:
    state = panel.explorer_in_test.state
    state.update(text=text)
    panel.explorer_in_test.load(model)
    qtbot.waitUntil(lambda: state.busy is None and state.model is not None, timeout=PATIENCE)
    return state


def written(qtbot, panel: FilmStripPanel, sampling: Sampling = DRAWN) -> Session:
    state = opened(qtbot, panel, "toy:tales", STORY)
    panel.explorer_in_test.generate(N_STEPS, sampling)
    settle(qtbot, state)
    assert len(state.steps) == N_STEPS
    return state


def filled(qtbot, panel: FilmStripPanel) -> Session:
    state = opened(qtbot, panel, "toy:grammar", "the keys near the cabinet [MASK] [MASK] .")
    panel.explorer_in_test.fill()
    settle(qtbot, state)
    return state


def click(qtbot, panel: FilmStripPanel, step: int, strip: int = 0) -> None:
    qtbot.mouseClick(panel.strip.viewport(), LEFT, pos=panel.strip.box(strip, step).center().toPoint())


def at_step(qtbot, state: Session, step: int | None) -> None:
    qtbot.waitUntil(lambda: state.step == step, timeout=PATIENCE)


# ---------------------------------------------------------------- frames
def test_before_anything_is_written_the_panel_says_how_to_begin(qtbot, panel: FilmStripPanel) -> None:
    assert panel.hint.isVisible()
    assert not panel.strip.isVisible()
    opened(qtbot, panel, "toy:tales", STORY)
    assert panel.hint.text().startswith("Generate")


def test_each_step_is_a_frame_with_its_token_and_the_models_probability(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    (strip,) = panel.strip.picture.strips
    assert [(frame.label, frame.probability) for frame in strip.frames] == [
        (step.token.text, step.probability) for step in state.steps
    ]
    assert panel.strip.looked.step == N_STEPS - 1
    assert panel.bar.slider.maximum() == N_STEPS - 1
    assert not panel.hint.isVisible()


def test_a_step_shows_what_the_model_saw_then_and_lights_the_row_that_chose_its_token(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    text, whole = state.text, state.record
    click(qtbot, panel, 2)
    at_step(qtbot, state, 2)
    step = state.steps[2]
    assert state.record is step.record
    assert state.hover == Cell(query=len(step.record.axis("decoder").queries) - 1)
    assert state.predictions[0].candidates == step.candidates
    assert state.text == text
    assert panel.bar.slider.value() == 2
    click(qtbot, panel, N_STEPS - 1)
    at_step(qtbot, state, None)
    assert state.record is whole
    assert state.hover == Cell(query=len(state.queries) - 1)


def test_keys_and_the_slider_walk_along_the_strip_and_the_button_leads_back_to_the_whole(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    for key, step in ((Qt.Key.Key_Home, 0), (Qt.Key.Key_Right, 1), (Qt.Key.Key_Right, 2), (Qt.Key.Key_Left, 1)):
        qtbot.keyClick(panel.strip, key)
        at_step(qtbot, state, step)
        assert state.record is state.steps[step].record
    qtbot.keyClick(panel.strip, Qt.Key.Key_End)
    at_step(qtbot, state, None)
    panel.bar.slider.setFocus()
    qtbot.keyClick(panel.bar.slider, Qt.Key.Key_Left)
    at_step(qtbot, state, N_STEPS - 2)
    assert panel.strip.looked.step == N_STEPS - 2
    qtbot.mouseClick(panel.bar.whole, LEFT)
    at_step(qtbot, state, None)
    assert panel.strip.looked.step == N_STEPS - 1
    assert not panel.bar.whole.isEnabled()


def test_pointing_at_a_frame_lights_its_row_in_the_picture(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    qtbot.mouseMove(panel.strip.viewport(), panel.strip.box(0, 3).center().toPoint())
    assert state.hover == Cell(query=len(state.steps[3].record.axis("decoder").queries) - 1)
    panel.strip._point_at(None)
    assert state.hover == Cell()


def test_in_words_the_row_of_the_word_is_lit(qtbot, panel: FilmStripPanel) -> None:
    state = filled(qtbot, panel)
    panel.explorer_in_test.set_units(Units("tokens", "hidden"))
    qtbot.waitUntil(lambda: state.units.special == "hidden", timeout=PATIENCE)
    click(qtbot, panel, 0)
    at_step(qtbot, state, 0)
    assert state.steps[0].position == 6
    assert state.hover == Cell(query=5)  # without [CLS]
    assert state.queries.tokens[5].masked


# ---------------------------------------------------------------- the step in focus
def test_the_rows_are_what_each_head_of_the_layer_looked_at_when_the_token_was_chosen(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    click(qtbot, panel, 2)
    for layer in (0, 2):
        panel.explorer_in_test.select_head((layer, 1))
        expected = state.steps[2].attention_rows(layer)

        def shows(expected: np.ndarray = expected) -> bool:
            picture = panel.detail.rows.picture
            return picture is not None and np.array_equal(picture.weights, expected)

        qtbot.waitUntil(shows, timeout=PATIENCE)
    assert panel.detail.rows.picture.keys is state.steps[2].record.axis("decoder").keys
    assert "layer 2" in panel.detail.caption.text()


def test_pointing_at_a_weight_lights_the_cell_and_a_click_chooses_the_head(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    click(qtbot, panel, 2)
    rows = panel.detail.rows
    n_keys = len(state.steps[2].record.axis("decoder").keys)
    qtbot.waitUntil(lambda: rows.picture is not None and rows.picture.weights.shape[1] == n_keys, timeout=PATIENCE)
    cells = rows.cells
    middle = QPointF(cells.left() + cells.width() * 3.5 / n_keys, cells.top() + cells.height() * 2.5 / 4).toPoint()
    qtbot.mouseMove(rows, middle)
    assert state.hover == Cell(n_keys - 1, 3)
    qtbot.mouseClick(rows, LEFT, pos=middle)
    qtbot.waitUntil(lambda: state.head == (0, 2), timeout=PATIENCE)
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: state.head == (0, 3), timeout=PATIENCE)


def test_alternatives_tell_their_probability_before_and_after_the_filters(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    click(qtbot, panel, 4)
    step = state.steps[4]
    rows = panel.detail.alternatives.rows[: len(step.candidates)]
    assert [row.before for row in rows] == [candidate.probability for candidate in step.candidates]
    assert [row.after for row in rows] == list(step.filters[-1].probabilities)
    assert sum(row.after > 0 for row in rows) == 5
    assert rows[-1].numbers.endswith("→ –")
    assert [row.label for row in panel.detail.alternatives.rows if row.chosen] == [step.token.text]
    assert "Top-k keeps 5 tokens" in panel.detail.choice.toolTip()


def test_without_filters_alternatives_have_one_number(qtbot, panel: FilmStripPanel) -> None:
    written(qtbot, panel, Sampling())
    assert {row.after for row in panel.detail.alternatives.rows} == {None}


# ---------------------------------------------------------------- branches
def forked(qtbot, panel: FilmStripPanel, at: int = 3) -> Session:
    state = written(qtbot, panel)
    click(qtbot, panel, at)
    at_step(qtbot, state, at)
    list_ = panel.detail.alternatives
    row = next(number for number, each in enumerate(list_.rows) if not each.chosen)
    rect = list_.visualRect(list_.model().index(row, 0))
    qtbot.mouseClick(list_.viewport(), LEFT, pos=rect.center())
    qtbot.waitUntil(lambda: state.busy is None and len(state.branches) == 2, timeout=PATIENCE)
    return state


def test_a_click_on_an_alternative_forks_and_both_branches_stand_under_each_other(qtbot, panel: FilmStripPanel) -> None:
    state = forked(qtbot, panel)
    shared_prefix, fork = state.branches
    assert state.branch == 1
    assert state.steps[3].forced
    assert len(fork) >= N_STEPS
    first, second = panel.strip.picture.strips
    assert [frame.label for frame in first.frames] == [step.token.text for step in shared_prefix]
    assert [frame.label for frame in second.frames] == [step.token.text for step in fork]
    assert first.n_shared == 3
    assert second.frames[3].forced
    assert panel.strip.box(0, 5).left() == panel.strip.box(1, 5).left()
    told = panel.difference.text()
    assert f"diverge at step 3: {shared_prefix[3].token.text} or {fork[3].token.text}" in told
    for steps in (shared_prefix, fork):
        assert f"{sum(math.log(step.probability) for step in steps):.2f} ({len(steps)})" in told


def test_what_was_chosen_cannot_be_forked_to(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    click(qtbot, panel, 3)
    list_ = panel.detail.alternatives
    row = next(number for number, each in enumerate(list_.rows) if each.chosen)
    list_.setCurrentIndex(list_.model().index(row, 0))
    qtbot.keyClick(list_, Qt.Key.Key_Return)
    assert state.busy is None
    assert len(state.branches) == 1


def test_a_click_on_a_frame_of_the_other_branch_and_up_and_down_switch_to_it(qtbot, panel: FilmStripPanel) -> None:
    state = forked(qtbot, panel)
    shared_prefix, fork = state.branches
    click(qtbot, panel, 5, strip=0)
    at_step(qtbot, state, 5)
    assert (state.branch, state.steps, state.text) == (0, shared_prefix, shared_prefix[-1].text)
    assert state.record is shared_prefix[5].record
    qtbot.keyClick(panel.strip, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: state.record is fork[5].record, timeout=PATIENCE)
    assert (state.branch, state.step, state.text) == (1, 5, fork[-1].text)
    assert panel.strip.looked.strip == 1


def test_a_branch_that_was_stopped_before_its_first_token_can_be_left_and_does_no_harm(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    panel.explorer_in_test._stream.begin("text", state.model, branch_at=0)
    assert state.branches[1] == ()
    panel.explorer_in_test.show_branch(1)
    click(qtbot, panel, 2, strip=0)
    at_step(qtbot, state, 2)
    assert state.branch == 0


# ---------------------------------------------------------------- playing
def test_play_goes_from_step_to_step_and_stops_at_the_end(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    panel.bar.speed.setValue(4.0)
    click(qtbot, panel, N_STEPS - 4)
    at_step(qtbot, state, N_STEPS - 4)
    seen = said(state.changed)
    qtbot.mouseClick(panel.bar.play, LEFT)
    assert panel.bar.play.text() == "Pause"
    qtbot.waitUntil(lambda: not panel.bar.is_playing, timeout=PATIENCE)
    at_step(qtbot, state, None)
    assert sum("step" in names for (names,) in seen) == 3
    assert panel.bar.play.text() == "Play"
    qtbot.keyClick(panel.strip, Qt.Key.Key_Space)  # again, from the beginning
    at_step(qtbot, state, 0)
    qtbot.keyClick(panel.strip, Qt.Key.Key_Space)
    assert not panel.bar.is_playing


def test_play_ends_where_there_are_no_steps_any_more(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    click(qtbot, panel, 0)
    at_step(qtbot, state, 0)
    qtbot.mouseClick(panel.bar.play, LEFT)
    assert panel.bar.is_playing
    with qtbot.captureExceptions() as raised:
        state.update(steps=(), branches=(), branch=0, step=None)
        panel.bar.ticked.emit()
        panel.bar.moved.emit(3)
        panel.detail.forked.emit(0)
    assert not raised
    assert not panel.bar.is_playing
    assert panel.hint.isVisible()


def test_a_new_run_ends_the_looking_back(qtbot, panel: FilmStripPanel) -> None:
    state = written(qtbot, panel)
    click(qtbot, panel, 1)
    at_step(qtbot, state, 1)
    panel.explorer_in_test.run()
    settle(qtbot, state)
    assert state.step is None
    assert panel.hint.isVisible()


# ---------------------------------------------------------------- masks
def test_the_steps_of_a_filling_show_the_mask_and_the_whole_text_all_words(qtbot, panel: FilmStripPanel) -> None:
    state = filled(qtbot, panel)
    whole, last = state.record, state.steps[-1]
    assert isinstance(last, FillStep)
    click(qtbot, panel, 1)
    at_step(qtbot, state, 1)
    assert state.record is last.record
    assert state.hover == Cell(query=last.position)
    assert state.queries.tokens[last.position].masked
    expected = last.record.layer_weights(state.head[0], "encoder")[:, last.position]

    def shows() -> bool:
        picture = panel.detail.rows.picture
        return picture is not None and allowed.difference(picture.weights, expected) <= allowed.of_blocks(expected)

    qtbot.waitUntil(shows, timeout=PATIENCE)
    assert row_of(last, "decoder", state.queries) is None
    qtbot.mouseClick(panel.bar.whole, LEFT)
    at_step(qtbot, state, None)
    assert state.record is whole
    assert len(state.predictions) == 2


def test_of_an_encoder_decoder_rows_are_the_decoders_or_what_it_looked_at_in_the_source(qtbot, panel: FilmStripPanel) -> None:
    state = opened(qtbot, panel, str(folder_of("t5")), PROMPT)
    panel.explorer_in_test.generate(5, DRAWN)
    settle(qtbot, state)
    written, step = state.target, state.steps[2]
    assert state.kind == "encoder"
    click(qtbot, panel, 2)
    at_step(qtbot, state, 2)
    assert state.hover == Cell()  # its rows are not of the decoder's tokens
    for kind in ("decoder", "cross"):
        panel.explorer_in_test.set_kind(kind)
        qtbot.waitUntil(lambda kind=kind: state.kind == kind, timeout=PATIENCE)
        assert state.hover == Cell(query=len(step.record.axis(kind).queries) - 1)
        expected = step.attention_rows(0, kind)

        def shows(expected: np.ndarray = expected) -> bool:
            return np.array_equal(panel.detail.rows.picture.weights, expected)

        qtbot.waitUntil(shows, timeout=PATIENCE)
    assert state.target == written


# ---------------------------------------------------------------- many steps, little room
def test_a_hidden_panel_asks_nothing_and_is_up_to_date_when_it_is_shown(qtbot, panel: FilmStripPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    panel.hide()
    answers = said(panel.explorer_in_test.questions.finished)
    panel.explorer_in_test.generate(N_STEPS, DRAWN)
    settle(qtbot, state)
    assert not answers
    assert panel.strip.picture.strips == ()
    panel.show()
    qtbot.waitUntil(lambda: any(isinstance(answer, StepRows) for _, answer in answers), timeout=PATIENCE)
    assert len(panel.strip.picture.strips[0].frames) == N_STEPS


def test_behind_another_tab_it_asks_nothing_either(qtbot, panel: FilmStripPanel) -> None:
    desk, docks = QMainWindow(), [QDockWidget("film"), QDockWidget("other")]
    qtbot.addWidget(desk)
    for dock, inside in zip(docks, (panel, QWidget()), strict=True):
        dock.setWidget(inside)
        desk.addDockWidget(Qt.DockWidgetArea.RightDockWidgetArea, dock)
    desk.tabifyDockWidget(*docks)
    desk.show()
    state = opened(qtbot, panel, "toy:tales", STORY)
    answers = said(panel.explorer_in_test.questions.finished)
    panel.explorer_in_test.generate(N_STEPS, DRAWN)
    settle(qtbot, state)
    assert not answers
    docks[0].raise_()
    qtbot.waitUntil(lambda: bool(answers), timeout=PATIENCE)
    assert len(panel.strip.picture.strips[0].frames) == N_STEPS
    docks[0].setWidget(QWidget())
    panel.setParent(None)


def test_of_two_thousand_frames_those_in_sight_are_painted_and_any_can_be_reached(qtbot, qapp) -> None:
    view = FilmStripView()
    qtbot.addWidget(view)
    view.resize(600, 70)
    view.show()
    picture = FilmStripPicture((Strip(tuple(Frame(f"字{n}", n / 2000) for n in range(2000))),))
    view.set_picture(picture, 0, 1000)
    visible = QRectF(view.viewport().rect()).translated(view.horizontalScrollBar().value(), 0)
    seen = picture.steps_between(visible.left(), visible.right())
    assert 1000 in seen
    assert [step for step in range(2000) if picture.box(0, step).intersects(visible)] == list(seen)
    chosen = said(view.chosen)
    qtbot.keyClick(view, Qt.Key.Key_End)
    view.set_step(chosen[-1][1])
    assert chosen == [(0, 1999)]
    assert view.viewport().rect().contains(view.box(0, 1999).toAlignedRect())
    qtbot.keyClick(view, Qt.Key.Key_PageUp)
    assert 1900 < chosen[-1][1] < 1999


@pytest.mark.parametrize("dark", [False, True])
def test_the_frame_in_focus_is_framed_and_the_bars_are_as_long_as_the_probabilities(qapp, dark: bool) -> None:
    theme = theme_of(dark)
    picture = FilmStripPicture((Strip(tuple(Frame("", probability) for probability in (0.25, 0.5, 1.0))),))
    image = QImage(300, 60, QImage.Format.Format_RGB32)
    image.fill(theme.color("panel"))
    painter = QPainter(image)
    picture.paint(painter, QRectF(image.rect()), theme, Looked(0, 1))
    painter.end()
    accent = theme.color("accent").rgb()
    lengths = []
    for step in range(3):
        box = picture.box(0, step)
        y = round(box.bottom() - 6)
        lengths.append(sum(image.pixel(x, y) == accent for x in range(round(box.left()) + 4, round(box.right()) - 4)))
    assert lengths[0] < lengths[1] < lengths[2]
    assert abs(lengths[0] / lengths[2] - 0.25) < 0.06
    edge = picture.box(0, 1)
    assert image.pixel(round(edge.center().x()), round(edge.top()) + 1) == accent


def test_a_weight_is_never_lost_among_more_keys_than_pixels(qapp) -> None:
    theme = theme_of(False)
    weights = np.zeros((3, 4000), np.float32)
    weights[1, 2345] = 1
    picture = StepRowsPicture(weights, axis(*(str(key) for key in range(4000))))
    image = QImage(300, 100, QImage.Format.Format_RGB32)
    image.fill(theme.color("panel"))
    area = QRectF(image.rect())
    painter = QPainter(image)
    picture.paint(painter, area, theme, head=-1, key=None)
    painter.end()
    cells = picture.cells(area)
    y = round(cells.top() + cells.height() / 2)
    strong = color_of(1, theme).rgb()
    found = [x for x in range(round(cells.left()), round(cells.right())) if image.pixel(x, y) == strong]
    assert found
    assert abs(found[0] - (cells.left() + cells.width() * 2345 / 4000)) <= 1.5
    assert picture.cell_at(area, QPointF(found[0], y)) == (1, 2345)


def test_everything_fits_into_120_pixels_of_height(qtbot, panel: FilmStripPanel) -> None:
    written(qtbot, panel)
    panel.resize(420, 120)
    assert panel.minimumSizeHint().height() <= 120
    qtbot.waitUntil(lambda: panel.height() == 120)
    for part in (panel.bar.play, panel.strip.viewport(), panel.detail.alternatives, panel.detail.rows):
        assert part.visibleRegion().boundingRect().height() >= 12
        assert part.mapTo(panel, QPoint(0, part.height())).y() <= 120
    assert n_colors(shown(panel)) > 20


def test_random_rows_name_each_heads_strongest_key(qapp) -> None:
    weights = random_weights(4, 6)
    picture = StepRowsPicture(weights, axis("a", "b", "c", "d", "e", "f"))
    area = QRectF(0, 0, 600, 120)
    cells = picture.cells(area)
    for head in range(4):
        beside = QPointF(cells.right() + 10, cells.top() + (head + 0.5) * cells.height() / 4)
        assert picture.cell_at(area, beside) == (head, int(weights[head].argmax()))


def test_in_the_window_a_step_is_shown_and_lit_in_all_views_and_no_branch_counts_as_typed(qtbot, open_window) -> None:
    window = open_window("toy:tales", STORY)
    state, panel = window.state, window.panel("film_strip")
    window.explorer.generate(N_STEPS, DRAWN)
    settle(qtbot, state)
    window.desk.bring("film_strip")
    qtbot.waitUntil(lambda: panel.strip.picture.n_steps == N_STEPS, timeout=PATIENCE)
    qtbot.keyClick(panel.strip, Qt.Key.Key_Home)
    qtbot.keyClick(panel.strip, Qt.Key.Key_Right)
    at_step(qtbot, state, 1)
    n_queries = len(state.steps[1].record.axis("decoder").queries)
    assert window.panel("heatmap").view.picture.weights.shape == (n_queries, n_queries)
    assert len(window.panel("links").view.picture.queries) == len(window.text.strip.axis) == n_queries
    assert state.hover == Cell(query=n_queries - 1)
    assert window.panel("heatmap").view._focus[0] == window.text.strip._query == n_queries - 1
    other = next(each for each in state.steps[1].candidates if each.id != state.steps[1].token.id)
    window.explorer.fork(state.steps[1], other.id, 3)
    settle(qtbot, state)
    assert state.step is None
    window.explorer.show_branch(0)
    qtbot.waitUntil(lambda: state.record is state.branches[0][-1].record, timeout=PATIENCE)
    assert "Enter" not in window.text.count.text()


def test_the_players_words_are_whole_or_not_there(qtbot) -> None:
    bar = PlayerBar()
    qtbot.addWidget(bar)
    bar.set_place(4, 40, "step 4 of 40: queen")
    bar.show()
    for width in range(260, 700, 20):
        bar.resize(width, 40)
        QApplication.processEvents()
        if bar.label.isVisible():
            assert bar.label.width() >= bar.label.fontMetrics().horizontalAdvance(bar.label.text()), width
        assert bar.slider.width() >= 40
    assert bar.label.isVisible(), "there is room in the end"
    assert bar.slider.toolTip() == bar.label.text()
