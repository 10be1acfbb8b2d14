"""The arithmetic on the screen: formulas that are not cut, bars that tell their numbers, a panel that follows the cell in focus."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from headscope.core.analyse.records.arithmetic import arithmetic
from headscope.core.attention.from_arrays import record_of
from headscope.core.models.load import load_model
from headscope.core.text.tokens import Units
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.views.arithmetic.paint.formula import typeset
from headscope.gui.views.arithmetic.paint.sheet import MARGIN, Pointed, Sheet, paint_sheet
from headscope.gui.views.arithmetic.paint.spoken import spoken
from headscope.gui.views.arithmetic.panel import ArithmeticPanel
from headscope.gui.views.arithmetic.steps import Bars, Equation, Heading, Largest, Readout, Sentence, number_text, steps_of
from headscope.gui.views.arithmetic.widget import ArithmeticView
from tests.gui.screen import PATIENCE, axis, n_colors, shown, values

SENTENCE = "the keys near the cabinet [MASK] rusty ."
FORMULAS = (
    "q",
    "k^\\prime",
    "\\theta_q",
    "q_i k_i",
    r"q \cdot k = \sum_i q_i k_i",
    r"s = \frac{q \cdot k}{\sqrt{128}}",
    r"s = q \cdot k \times \text{0.0884}",
    r"c \tanh\frac{s}{c}, c = \text{50}",
    r"\alpha = \frac{e^{s_j - m}}{Z}",
    r"\norm \alpha v W_O \norm",
    r"\sqrt{\frac{f}{W}}",
    r"\alpha = \text{softmax}(c \tanh\frac{q \cdot k}{c\sqrt{16}} + b + \text{mask})",
)


# ---------------------------------------------------------------- formulas
@pytest.mark.parametrize("pixels", [11, 15, 32])
@pytest.mark.parametrize("source", FORMULAS)
def test_no_ink_of_a_formula_lies_outside_its_box(qapp, source: str, pixels: int) -> None:
    box, margin = typeset(source, pixels), 20
    image = QImage(int(box.width) + 2 * margin + 2, int(box.height) + 2 * margin + 2, QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    box.draw(painter, margin, margin + box.ascent)
    painter.end()
    rows, columns = np.nonzero(values(image) != 0xFFFFFFFF)
    assert len(rows) > 10
    blur = 1  # pixels that antialiasing may add
    assert rows.min() >= margin - blur and rows.max() <= margin + box.height + blur
    assert columns.min() >= margin - blur and columns.max() <= margin + box.width + blur
    assert rows.max() - rows.min() >= 0.6 * box.height - 2, "the box is no larger than it must be"


def test_formulas_are_set_as_one_writes_them(qapp) -> None:
    plain, indexed, raised = typeset("q", 15), typeset("q_i", 15), typeset("q^i", 15)
    assert indexed.descent > plain.descent and raised.ascent > plain.ascent
    assert plain.width < indexed.width < typeset("q i", 15).width, "an index is smaller"
    fraction, root = typeset(r"\frac{a}{b}", 15), typeset(r"\sqrt{a}", 15)
    assert fraction.height > 2 * plain.ascent and root.width > typeset("a", 15).width + 5
    assert typeset("a = b", 15).width > typeset("a", 15).width + typeset("b", 15).width + 10, "signs have air"
    for wrong in (r"\frac{a}", r"\unknown", "a_", "{a", "a}"):
        with pytest.raises(ValueError):
            typeset(wrong, 15)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0.0, "0"),
        (-0.37123, "−0.3712"),
        (12345.6, "12346"),
        (3.14e-8, "3.140×10⁻⁸"),
        (-2.5e6, "−2.500×10⁶"),
        (-np.inf, "−∞"),
        (180.0, "180"),
    ],
)
def test_numbers_are_written_as_one_reads_them(number: float, text: str) -> None:
    assert number_text(number) == text
    assert number_text(180.0, 2) == "180" and number_text(3.14e-8, 2) == "3.1×10⁻⁸"


# ---------------------------------------------------------------- steps and sheet
@pytest.fixture(scope="module")
def model():
    return load_model("toy:grammar", device="cpu")


@pytest.fixture(scope="module")
def record(model):
    return model.run(SENTENCE).record


@pytest.fixture
def answer(record):
    return arithmetic(record, "encoder", 1, 2, 6, 2)


@pytest.fixture
def steps(record, answer):
    return steps_of(answer, *record.axis("encoder"), record.backend)


def equations(steps) -> dict[str, str]:
    return {step.formula: step.value for step in steps if isinstance(step, Equation)}


def test_the_steps_tell_every_number_on_the_way(record, answer, steps) -> None:
    softmax, told = answer.working.softmax, equations(steps)
    assert told[r"q \cdot k = \sum_i q_i k_i"] == number_text(softmax.dot)
    assert told[r"s = \frac{q \cdot k}{\sqrt{16}}"] == number_text(softmax.scaled)
    assert told[r"+ \text{mask}"] == "0"
    assert told[r"e^{s - m}"] == number_text(softmax.exponential)
    assert told[r"Z = \sum_j e^{s_j - m}"] == number_text(softmax.row_sum)
    assert told[r"\alpha = \frac{e^{s - m}}{Z}"] == number_text(softmax.weight, 6)
    assert told[r"\norm \alpha v W_O \norm"] == number_text(answer.working.carried.norm)
    assert [step.spoken for step in steps if isinstance(step, Bars)] == ["q", "k", "q × k", "v"]
    (largest,) = (step for step in steps if isinstance(step, Largest))
    assert largest.numbers == answer.working.carried.strongest
    difference = number_text(answer.working.difference, 2)
    compared = "Exactly" if not answer.working.difference else f"differs from the model's own by {difference}: rounding"
    assert any(compared in step.remark for step in steps if isinstance(step, Equation))


def test_what_is_unusual_is_said_in_words(record, answer) -> None:
    def said(changed, **softmax: object) -> str:
        working = replace(changed.working, softmax=replace(changed.working.softmax, **softmax))
        steps = steps_of(replace(changed, working=working), *record.axis("encoder"), "fast")
        return "\n".join(step.text if isinstance(step, (Sentence, Heading)) else getattr(step, "remark", "") for step in steps)

    assert "comes after the query" in said(answer, hidden="later")
    assert "may attend to keys 3 to 8." in said(answer, hidden="mask", sees=range(3, 9))
    assert "Masked." in said(answer, hidden="mask", sees=None)
    assert "the last 8 tokens, and the key precedes" in said(answer, hidden="window", window=8)
    assert "The bias for this distance is −0.5." in said(answer, bias=-0.5)
    assert "no score exceeds ±c" in said(answer, cap=50.0, capped=0.1)
    assert "The model's own scale" in said(answer, root=None, scale=0.3)
    assert "does not scale" in said(answer, root=None, scale=1.0)
    assert "The sum includes a learned sink with the score −0.4" in said(answer, sink=-0.4)
    assert "may attend to no key" in said(answer, n_seen=0)
    working = answer.working
    assert "already applied to these vectors" in said(replace(answer, working=replace(working, rotated="unseen")))
    assert "heads 2 to 3 share" in said(replace(answer, working=replace(working, shared_by=range(2, 4))))
    assert "does more to its scores" in said(replace(answer, working=replace(working, difference=0.1, is_rounding=False)))
    assert "Values were not kept" in said(replace(answer, working=replace(working, carried=None)))
    assert "This run edited weights" in said(replace(answer, edited=True))
    nothing = replace(working.carried, norm=0.0, strongest=())
    assert "A weight of 0 contributes nothing." in said(replace(answer, working=replace(working, carried=nothing)))


def test_of_given_weights_only_the_weight_is_shown() -> None:
    given = record_of(np.full((1, 1, 2, 2), 0.5, np.float32), ["a", "b"])
    steps = steps_of(arithmetic(given, "encoder", 0, 0, 1, 0), axis("a", "b"), axis("a", "b"), "given")
    assert equations(steps) == {r"\alpha": "0.5"}
    assert steps[0] == Heading("b → a") and "the weights came" in steps[2].text
    steps = steps_of(arithmetic(given, "encoder", 0, 0, 1, 0), axis("a", "b"), axis("a", "b"), "fallback")
    assert "in its own way" in steps[2].text


def test_a_cell_of_words_says_what_it_is_made_of(record) -> None:
    words = record.in_units(Units(of="segments"))
    row = max(range(len(words.axis("encoder").queries)), key=lambda at: len(words.axis("encoder").queries.pieces[at]))
    answer = arithmetic(words, "encoder", 0, 1, row, row)
    sentences = [step.text for step in steps_of(answer, *record.axis("encoder"), "fast") if isinstance(step, Sentence)]
    n_tokens = len(words.axis("encoder").queries.pieces[row])
    assert f"{n_tokens} × {n_tokens} tokens. Its weight, {number_text(answer.weight)}, is summed" in sentences[0]
    pair = f"{record.axis('encoder').queries.labels[answer.query]} → {record.axis('encoder').keys.labels[answer.key]}"
    assert pair in sentences[1]


@pytest.mark.parametrize("width", [244, 320, 700])
def test_steps_follow_each_other_and_none_is_cut(qapp, steps, width: int) -> None:
    long = r"\alpha = \text{softmax}(c \tanh\frac{q \cdot k \times \text{0.08839}}{c} + b + \text{mask})"
    sheet = Sheet((*steps, Equation(long, "0.123456", "A remark.", strong=True)), width)
    bottoms = [placed.area.bottom() for placed in sheet.placed]
    assert all(placed.area.top() >= bottom for placed, bottom in zip(sheet.placed[1:], bottoms, strict=False))
    assert sheet.height >= bottoms[-1]
    image = QImage(width, int(sheet.height), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    paint_sheet(painter, sheet, theme_of(False), QRectF(image.rect()), None)
    painter.end()
    ink = values(image) != 0xFFFFFFFF
    assert not ink[:, : int(MARGIN) - 1].any() and not ink[:, width - int(MARGIN) + 1 :].any()
    for placed in sheet.placed:
        between = ink[int(np.ceil(placed.area.bottom())) + 1 : int(placed.area.bottom()) + 4]
        assert not between.any(), f"{placed.step} passes its lower end"


def test_bars_stand_above_and_below_the_line_by_their_sign(qapp) -> None:
    steps = (Bars("v", "v", np.array([1.0, -1.0, 0.5]), "value"), Readout("value", "", (0, 1, 2)))
    sheet = Sheet(steps, 300)
    image = QImage(300, int(sheet.height), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    painter = QPainter(image)
    theme = theme_of(False)
    paint_sheet(painter, sheet, theme, QRectF(image.rect()), None)
    painter.end()
    plot = sheet.placed[0].plot
    x = [int(plot.left() + (at + 0.5) * plot.width() / 3) for at in range(3)]
    quarter = plot.height() / 4
    above, below = int(plot.center().y() - quarter * 1.5), int(plot.center().y() + quarter * 1.5)
    assert image.pixelColor(x[0], above) == theme.color("accent") and image.pixelColor(x[0], below) == QColor("white")
    assert image.pixelColor(x[1], below) == theme.color("query") and image.pixelColor(x[1], above) == QColor("white")
    assert image.pixelColor(x[2], above) == QColor("white"), "half as high"
    assert image.pixelColor(x[2], int(plot.center().y() - quarter * 0.5)) == theme.color("accent")


# ---------------------------------------------------------------- the view
@pytest.fixture
def view(qtbot, steps) -> ArithmeticView:
    view = ArithmeticView()
    qtbot.addWidget(view)
    view.resize(300, 1200)
    view.set_steps(steps)
    view.show()
    return view


def point_at(view: ArithmeticView, lane: int, column: int) -> QPoint:
    bars, placed = view.sheet.lanes("head")[lane]
    width = placed.plot.width() / len(bars.numbers)
    return QPoint(int(placed.plot.left() + (column + 0.5) * width), int(placed.plot.center().y()))


def test_pointing_at_a_bar_tells_its_numbers(qtbot, view, answer) -> None:
    view.clearFocus()
    before = shown(view)
    qtbot.mouseMove(view, point_at(view, 1, 3))
    assert view.pointed == Pointed("head", 3)
    working = answer.working
    numbers = [number_text(vector[3]) for vector in (working.q, working.k, working.products)]
    assert view.sheet.readout_text(view.pointed) == f"3:  q {numbers[0]}  ·  k {numbers[1]}  ·  q × k {numbers[2]}"
    assert shown(view) != before
    qtbot.mouseMove(view, QPoint(2, 2))
    assert view.pointed is None
    assert shown(view) == before


def test_sorted_the_largest_product_comes_first_in_every_lane(qtbot, view, answer) -> None:
    order = np.argsort(-np.abs(answer.working.products), kind="stable")
    view.set_sorted(True)
    for lane in range(3):
        qtbot.mouseMove(view, point_at(view, lane, 0))
        assert view.pointed == Pointed("head", order[0])
    qtbot.mouseMove(view, point_at(view, 2, 15))
    assert view.pointed == Pointed("head", order[15])
    view.set_sorted(False)
    qtbot.mouseMove(view, point_at(view, 0, 0))
    assert view.pointed == Pointed("head", 0)


def test_keys_go_through_the_dimensions_and_tab_through_the_groups(qtbot, view) -> None:
    view.activateWindow()
    view.clearFocus()
    view.setFocus(Qt.FocusReason.TabFocusReason)
    qtbot.waitUntil(view.hasFocus, timeout=PATIENCE)
    assert view.pointed == Pointed("head", 0)
    for _ in range(2):
        qtbot.keyClick(view, Qt.Key.Key_Right)
    qtbot.keyClick(view, Qt.Key.Key_Left)
    assert view.pointed == Pointed("head", 1)
    qtbot.keyClick(view, Qt.Key.Key_End)
    assert view.pointed == Pointed("head", 15)
    qtbot.keyClick(view, Qt.Key.Key_Tab)
    assert view.pointed == Pointed("value", 0)
    qtbot.keyClick(view, Qt.Key.Key_Home)
    qtbot.keyClick(view, Qt.Key.Key_Backtab)
    assert view.pointed is not None and view.pointed.group == "head"


def test_a_screen_reader_is_told_the_steps(view, answer) -> None:
    assert view.accessibleName()
    told = view.accessibleDescription()
    assert number_text(answer.working.softmax.dot) in told and "The softmax" in told


@pytest.mark.parametrize("dark", [False, True])
def test_the_view_is_not_blank_in_either_look(view, dark: bool) -> None:
    view.set_theme(theme_of(dark))
    assert n_colors(shown(view)) > 20


# ---------------------------------------------------------------- the panel
def test_the_panel_follows_the_cell_in_focus(qtbot, open_window) -> None:
    window = open_window("toy:grammar", SENTENCE)
    state = window.state
    panel = ArithmeticPanel(state, window.explorer)
    qtbot.addWidget(panel)
    panel.resize(300, 700)
    assert panel.minimumSizeHint().width() <= 260

    def weight() -> str:
        return equations(panel.view.sheet.steps).get(r"\alpha = \frac{e^{s - m}}{Z}", "")

    def shows(query: int, key: int) -> bool:
        wanted = state.record.cell(*state.head, query, key, state.kind)
        pair = Heading(f"{state.queries.labels[query]} → {state.keys.labels[key]}")
        head = f"layer {state.head[0]} · head {state.head[1]}"
        here = panel.title.text() == head and panel.view.sheet.steps[0] == pair
        return here and weight()[:4] == number_text(wanted, 6)[:4]

    questions = window.explorer.questions
    qtbot.waitUntil(lambda: not questions.is_busy, timeout=PATIENCE)  # other panels of the window ask too
    state.update(hover=Cell(2, 3))
    assert not questions.is_busy, "hidden, it asks nothing"
    assert isinstance(panel.view.sheet.steps[0], Sentence) and len(panel.view.sheet.steps) == 1
    panel.show()
    qtbot.waitUntil(lambda: shows(2, 3), timeout=PATIENCE)
    for key in range(8):
        state.update(hover=Cell(1, key))
    qtbot.waitUntil(lambda: shows(1, 7), timeout=PATIENCE)
    state.update(hover=Cell())
    assert shows(1, 7), "when nothing is pointed at, the last stays to be read"
    state.pin(Cell(6, 2))
    qtbot.waitUntil(lambda: shows(6, 2) and not questions.is_busy, timeout=PATIENCE)
    state.update(hover=Cell(0, 0))
    assert not questions.is_busy and shows(6, 2), "what is pinned comes first"
    window.explorer.select_head((0, 3))
    qtbot.waitUntil(lambda: state.head == (0, 3) and shows(6, 2), timeout=PATIENCE)
    qtbot.mouseClick(panel.sorted, Qt.MouseButton.LeftButton)
    assert panel.view.sheet.is_sorted
    state.update(pinned=Cell(), dark=True)
    window.explorer.set_units(Units(of="segments"))
    qtbot.waitUntil(lambda: state.units.of == "segments", timeout=PATIENCE)
    assert len(panel.view.sheet.steps) == 1, "another reading has other cells"
    state.update(hover=Cell(1, 1))
    qtbot.waitUntil(lambda: "tokens. Its weight" in str(panel.view.sheet.steps[1:2]), timeout=PATIENCE)


@pytest.mark.parametrize(
    ("formula", "heard"),
    [
        (r"\alpha = \text{softmax}(\frac{q \cdot k}{\sqrt{16}} + \text{mask})", "α = softmax((q · k) / √16 + mask)"),
        (r"\frac{e^{s - m}}{Z}", "(e^(s - m)) / Z"),
        (r"\sum_i q_{i} k_{i}", "Σ_i q_i k_i"),
    ],
)
def test_formulas_can_be_heard(formula: str, heard: str) -> None:
    assert spoken(formula) == heard
