"""What hovering shows, a screen reader hears: read back through QAccessible."""

import itertools
import time

import pytest
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QAccessible, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget

from headscope.gui.paint.probability import readable_probability
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.widgets.probability_bars import Bar, ProbabilityBars
from headscope.gui.widgets.spoken import LEAST_APART, Spoken
from headscope.gui.window.main_window import MainWindow
from tests.gui.screen import PATIENCE


def heard(widget: QWidget) -> str:
    return QAccessible.queryAccessibleInterface(widget).text(QAccessible.Text.Description)


@pytest.fixture
def window(shared_window: MainWindow) -> MainWindow:
    shared_window.explorer.select_head((1, 3))
    shared_window.state.update(pinned=Cell(), hover=Cell(), marks=Marks())
    shared_window.find_bar.end()
    yield shared_window
    shared_window.state.update(pinned=Cell(), hover=Cell())


def test_a_cell_of_the_heatmap(qtbot, window: MainWindow) -> None:
    window.bring_view("heatmap")
    QApplication.processEvents()
    view, state = window.panel("heatmap").view, window.state
    qtbot.waitUntil(lambda: state.head == (1, 3) and view.picture.weights is state.shown, timeout=PATIENCE)
    place = view.layout_now().cell_rect(6, 2).center().toPoint()
    qtbot.mouseMove(view, place)
    query, key, weight = state.queries.labels[6], state.keys.labels[2], state.value(6, 2)
    said = f"{query} attends to {key}: {weight:.4f}, layer 1 · head 3"
    qtbot.waitUntil(lambda: heard(view) == said, timeout=PATIENCE)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.waitUntil(lambda: f"{query} attends to {state.keys.labels[3]}: " in heard(view), timeout=PATIENCE)
    label = QPoint(int(view.layout_now().plot.left()) - 12, place.y())
    qtbot.mouseMove(view, label)
    qtbot.waitUntil(lambda: heard(view) == f"{query}: row sum {state.shown[6].sum():.4f}", timeout=PATIENCE)


def test_links_of_a_token(qtbot, window: MainWindow) -> None:
    window.bring_view("links")
    view, state = window.panel("links").view, window.state
    qtbot.waitUntil(lambda: (1, 3) in view.picture.weights, timeout=PATIENCE)
    state.update(hover=Cell(query=6))
    best = state.shown[6].argsort()[::-1][:3]
    said = f"{state.queries.labels[6]} attends to: " + ", ".join(
        f"{state.keys.labels[at]} {state.shown[6, at]:.3f}" for at in best
    )
    qtbot.waitUntil(lambda: heard(view) == said, timeout=PATIENCE)
    state.update(hover=Cell(key=2))
    qtbot.waitUntil(lambda: heard(view).startswith(f"{state.keys.labels[2]} is attended by: "), timeout=PATIENCE)


def test_tokens_and_words(qtbot, window: MainWindow) -> None:
    strip = window.text.strip
    qtbot.mouseMove(strip.viewport(), strip.point_of(2))
    qtbot.waitUntil(lambda: heard(strip).startswith("keys · position 2 · id "), timeout=PATIENCE)
    strip.setFocus()
    qtbot.keyClick(strip, Qt.Key.Key_Home)
    qtbot.waitUntil(lambda: "[CLS] · position 0" in heard(strip) and "added by the tokenizer" in heard(strip), timeout=PATIENCE)
    window.bring_view("text")
    QApplication.processEvents()
    view = window.panel("text").view
    qtbot.waitUntil(lambda: len(view.passage.spans) > 2 and bool(view.text_layout.boxes_of(2)), timeout=PATIENCE)
    qtbot.mouseMove(view.viewport(), view.point_of(2))
    qtbot.waitUntil(lambda: heard(view).startswith("keys · position 2"), timeout=PATIENCE)


def test_heads_of_a_layer(qtbot, window: MainWindow) -> None:
    window.bring_view("heads_by_token")
    window.state.update(pinned=Cell(query=6))
    view = window.panel("heads_by_token").view
    qtbot.waitUntil(lambda: view.picture is not None, timeout=PATIENCE)
    qtbot.mouseMove(view.viewport(), view.point_of(2, 3))
    said = f"head 3, keys: {window.state.shown[6, 2]:.4f}"
    qtbot.waitUntil(lambda: heard(view) == said, timeout=PATIENCE)


def test_bars_of_predictions(qtbot, window: MainWindow) -> None:
    window.bring_view("predictions")
    QApplication.processEvents()
    bars = next(bars for bars in window.panel("predictions").findChildren(ProbabilityBars) if bars.isVisible() and bars.bars)
    first, second = window.state.predictions[0].candidates[:2]
    qtbot.mouseMove(bars, bars.row_rect(0).center().toPoint())
    qtbot.waitUntil(lambda: heard(bars) == f"{first.label}: {readable_probability(first.probability)}", timeout=PATIENCE)
    bars.setFocus()
    qtbot.keyClick(bars, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: heard(bars).startswith(f"{second.label}: "), timeout=PATIENCE)


def test_a_bar_that_is_compared_and_removed(qtbot) -> None:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.set_bars([Bar("are", 0.75), Bar("is", 0.25, ghost=0.5, cut=True)])
    bars.show()
    qtbot.keyClick(bars, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: heard(bars) == "is: 0.250, before: 0.500, removed", timeout=PATIENCE)


def test_at_most_ten_a_second_and_the_last_is_heard(qtbot) -> None:
    widget = QWidget()
    qtbot.addWidget(widget)
    spoken, times = Spoken(widget), []
    spoken.said.connect(lambda _words: times.append(time.monotonic()))
    made = []
    for number in range(300):
        spoken.say(lambda number=number: made.append(number) or f"number {number}")
        QApplication.processEvents()
    qtbot.waitUntil(lambda: heard(widget) == "number 299", timeout=PATIENCE)
    assert len(made) == len(times)  # what nobody hears is not put into words
    assert all(after - before >= 0.9 * LEAST_APART / 1000 for before, after in itertools.pairwise(times))


def test_cells_of_the_logit_lens(qtbot, window: MainWindow) -> None:
    window.bring_view("logit_lens")
    panel = window.panel("logit_lens")
    view = panel.view
    qtbot.waitUntil(lambda: view.picture.has_cells and view.picture.is_read(range(10)), timeout=PATIENCE)
    last = view.picture.n_depths - 1
    view.reveal_column(6)
    qtbot.mouseMove(view.viewport(), view.layout_now.box(last, 6).center().toPoint())
    (_, first, p), (_, second, _), *_ = view.picture.candidates(last, 6)
    said = f"After layer 1, at “[MASK]” (6) · {view.picture.entropies[last, 6]:.2f} bits: {first} {readable_probability(p)}"
    qtbot.waitUntil(lambda: heard(view).startswith(f"{said}, {second} "), timeout=PATIENCE)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Up)
    qtbot.waitUntil(lambda: heard(view).startswith("After layer 0, at “[MASK]” (6)"), timeout=PATIENCE)


def test_heads_of_the_grid(qtbot, window: MainWindow) -> None:
    window.bring_view("heads")
    panel, state = window.panel("heads"), window.state
    view = panel.view
    qtbot.waitUntil(lambda: state.head == (1, 3) and panel.measuring.metrics is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: (1, 1) in panel.measuring.metrics.types, timeout=PATIENCE)
    qtbot.mouseMove(view.viewport(), view.layout_now.tile((1, 1)).center().toPoint())
    details = panel._details((1, 1))
    said = f"layer 1 · head 1, {details.title}, " + ", ".join(f"{name} {value}" for name, value in details.lines)
    qtbot.waitUntil(lambda: heard(view) == said, timeout=PATIENCE)
    view.setFocus()
    qtbot.keyClick(view, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: heard(view).startswith("layer 1 · head 2, "), timeout=PATIENCE)
    qtbot.keyClick(view, Qt.Key.Key_Up, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: heard(view).startswith("layer 0 · head 2, "), timeout=PATIENCE)
    qtbot.waitUntil(lambda: state.head == (1, 2) and state.busy is None, timeout=PATIENCE)


def moved_to(part: QWidget, point: QPoint) -> None:
    """The mouse comes to a point, whatever other tests have left lying on top of the window."""
    none = Qt.MouseButton.NoButton
    where = QPointF(point), QPointF(part.mapToGlobal(point))
    QApplication.sendEvent(part, QMouseEvent(QEvent.Type.MouseMove, *where, none, none, Qt.KeyboardModifier.NoModifier))


def test_steps_of_a_generation(qtbot, open_window) -> None:
    window = open_window("toy:tales", "once upon a time")
    window.resize(1600, 1000)
    window.panel("generation").fields.max_new_tokens.setValue(8)
    window.commands.action("generate").trigger()
    qtbot.waitUntil(lambda: len(window.state.steps) == 8 and window.state.busy is None, timeout=PATIENCE)
    window.bring_view("generation")
    QApplication.processEvents()
    steps, words = window.panel("generation").list, [step.token.text for step in window.state.steps]
    steps.scrollToTop()
    qtbot.waitUntil(lambda: steps.viewport().visibleRegion().boundingRect().height() > 60, timeout=PATIENCE)
    moved_to(steps.viewport(), QPoint(1, 1))
    moved_to(steps.viewport(), steps.visualRect(steps.model().index(1, 0)).center())
    qtbot.waitUntil(lambda: heard(steps).startswith(f"{words[1]}  0."), timeout=PATIENCE)
    window.bring_view("film_strip")
    panel = window.panel("film_strip")
    film = panel.strip
    qtbot.waitUntil(lambda: film.picture.n_steps == 8, timeout=PATIENCE)

    def is_in_sight() -> bool:  # once the docks have their places
        film.reveal(2)
        return film.viewport().rect().contains(film.box(0, 2).toRect())

    qtbot.waitUntil(is_in_sight, timeout=PATIENCE)
    moved_to(film.viewport(), QPoint(1, 1))
    moved_to(film.viewport(), film.box(0, 2).center().toPoint())
    qtbot.waitUntil(lambda: heard(film).startswith(f"step 2: {words[2]}, probability "), timeout=PATIENCE)
    moved_to(film.viewport(), QPoint(0, film.viewport().height() - 1))
    film.setFocus()
    qtbot.keyClick(film, Qt.Key.Key_Left)
    qtbot.waitUntil(lambda: heard(film).startswith(f"step 6: {words[6]}, probability "), timeout=PATIENCE)
    rows = panel.detail.rows
    qtbot.waitUntil(lambda: rows.picture is not None and rows.isVisible() and window.state.busy is None, timeout=PATIENCE)
    moved_to(rows, rows.cells.center().toPoint())
    qtbot.waitUntil(lambda: " attended to " in heard(rows) and " with weight " in heard(rows), timeout=PATIENCE)
    rows.setFocus()
    before = window.state.head
    qtbot.keyClick(rows, Qt.Key.Key_Down)
    qtbot.waitUntil(lambda: heard(rows).startswith(f"layer {before[0]} · head {before[1] + 1}"), timeout=PATIENCE)
