"""The predictions panel with the real explorer, engine and toys: bars, clicks, keys."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.probability import readable_probability
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.predictions.panel import PredictionsPanel
from headscope.gui.widgets.probability_bars import Bar, ProbabilityBars
from tests import allowed
from tests.gui.screen import PATIENCE, settle, shown, values

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
KEYS = "the keys of the cabinet [MASK] rusty ."


@pytest.fixture
def panel(qtbot, qapp) -> Iterator[PredictionsPanel]:
    state = Session()
    explorer = Explorer(state)
    panel = PredictionsPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(340, 600)
    panel.show()
    yield panel
    assert explorer.close()


def opened(qtbot, panel: PredictionsPanel, model: str, text: str, pair: str = "") -> Session:
    state = panel._state
    state.update(text=text, text_pair=pair)
    panel._explorer.load(model)
    qtbot.waitUntil(lambda: state.run is not None and state.busy is None, timeout=PATIENCE)
    assert state.notice is None
    return state


def visible_blocks(panel: PredictionsPanel) -> list:
    return [block for block in panel.blocks if block.isVisible()]


def click_row(qtbot, bars: ProbabilityBars, row: int) -> None:
    qtbot.mouseClick(bars, LEFT, NONE, bars.row_rect(row).center().toPoint())


def bar_lengths(bars: ProbabilityBars, dark: bool) -> list[int]:
    """Pixels of the accent's colour in the middle of each row."""
    seen = values(shown(bars))
    accent = QColor(theme_of(dark).accent).rgb()
    return [int((seen[round(bars.row_rect(row).center().y())] == accent).sum()) for row in range(len(bars.bars))]


# ---------------------------------------------------------------- bars
@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("width", [180, 340, 700])
def test_bars_are_as_long_as_the_probability(qtbot, dark: bool, width: int) -> None:
    bars = ProbabilityBars(clickable=False)
    qtbot.addWidget(bars)
    bars.set_theme(theme_of(dark))
    probabilities = (1.0, 0.75, 0.5, 0.25, 0.1)
    bars.set_bars([Bar("word", probability) for probability in probabilities])
    bars.resize(width, bars.sizeHint().height())
    lengths = bar_lengths(bars, dark)
    assert lengths[0] > width / 8
    np.testing.assert_allclose(lengths, lengths[0] * np.array(probabilities), atol=2)


def test_a_probability_is_never_shown_as_0_or_1_unless_it_is() -> None:
    numbers = {0.0: "0.000", 1e-9: "<0.001", 0.0005: "0.001", 0.5: "0.500", 0.9994: "0.999", 0.9999: ">0.999", 1.0: "1.000"}
    assert {value: readable_probability(value) for value in numbers} == numbers


@pytest.mark.parametrize("label", ["", "a" * 500, "人工智能", "مرحبا", "🙂🙂", "\u202e"])
def test_any_label_is_drawn_beside_its_bar(qtbot, label: str) -> None:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.set_bars([Bar(label, 1.0), Bar(label, 0.5)])
    bars.resize(300, bars.sizeHint().height())
    whole, half = bar_lengths(bars, dark=False)
    assert half == pytest.approx(whole / 2, abs=2)


# ---------------------------------------------------------------- the panel
def test_before_the_first_run_there_is_a_hint_and_nothing_else(panel: PredictionsPanel) -> None:
    assert panel.hint.isVisible()
    assert "first run" in panel.hint.text()
    assert not visible_blocks(panel)
    assert not panel.follows.isVisible()


@pytest.mark.parametrize("dark", [False, True])
def test_the_candidates_of_a_mask_are_shown_as_the_model_gives_them(qtbot, panel: PredictionsPanel, dark: bool) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    state.update(dark=dark)
    (block,) = visible_blocks(panel)
    (prediction,) = state.predictions
    assert block.heading.text() == "[MASK] could be"
    assert [(bar.label, bar.probability) for bar in block.bars.bars] == [
        (candidate.label, candidate.probability) for candidate in prediction.candidates
    ]
    assert block.bars.bars[0].label == "are"
    lengths = bar_lengths(block.bars, dark)
    assert lengths[0] > 50
    assert lengths[0] > 5 * max(lengths[1:])
    assert not panel.hint.isVisible()


def test_a_click_puts_the_candidate_into_the_sentence_and_runs(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    record, label = state.record, visible_blocks(panel)[0].bars.bars[1].label
    click_row(qtbot, visible_blocks(panel)[0].bars, 1)
    assert state.text == KEYS.replace("[MASK]", label)
    settle(qtbot, state)
    assert state.record is not record
    assert label in state.queries.labels
    assert not visible_blocks(panel)
    assert "Click a token" in panel.hint.text()


def test_arrows_and_enter_choose_a_candidate(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    bars = visible_blocks(panel)[0].bars
    before = shown(bars)
    bars.setFocus()
    qtbot.waitUntil(bars.hasFocus)
    assert shown(bars) != before, "the focus is visible"
    for key in (Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Down):
        qtbot.keyClick(bars, key)
    label = bars.bars[2].label
    qtbot.keyClick(bars, Qt.Key.Key_Return)
    assert state.text == KEYS.replace("[MASK]", label)
    settle(qtbot, state)


def test_each_mask_has_its_block_and_its_own_place_in_the_sentence(qtbot, panel: PredictionsPanel) -> None:
    text = "the [MASK] near the cats [MASK] ."
    state = opened(qtbot, panel, "toy:grammar", text)
    first, second = visible_blocks(panel)
    assert [block.heading.text() for block in (first, second)] == [
        f"[MASK] at {position} could be" for position in state.queries.masks
    ]
    label = second.bars.bars[0].label
    click_row(qtbot, second.bars, 0)
    settle(qtbot, state)
    assert state.text == f"the [MASK] near the cats {label} ."
    (left,) = visible_blocks(panel)
    click_row(qtbot, left.bars, 0)
    settle(qtbot, state)
    assert "[MASK]" not in state.text
    assert state.text.endswith(f"near the cats {label} .")


def test_a_heading_pins_the_row_of_its_mask_and_lets_it_go(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    (block,) = visible_blocks(panel)
    qtbot.mouseClick(block.heading, LEFT, NONE, QPoint(12, block.heading.height() // 2))
    assert state.pinned == Cell(query=state.queries.masks[0])
    qtbot.mouseClick(block.heading, LEFT, NONE, QPoint(12, block.heading.height() // 2))
    assert state.pinned == Cell()


def test_hundreds_of_masks_show_some_and_say_how_many_there_are(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", "[MASK] " * 30)
    assert len(state.predictions) == 30
    assert len(visible_blocks(panel)) == 24
    assert "24 of 30" in panel.hint.text()
    state.update(text=KEYS)
    panel._explorer.run()
    settle(qtbot, state)
    assert len(visible_blocks(panel)) == 1


def test_a_decoders_next_token_goes_to_the_end(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", "once upon a")
    (block,) = visible_blocks(panel)
    assert block.heading.text() == "Next token"
    best, n_before = block.prediction.candidates[0], len(state.queries)
    click_row(qtbot, block.bars, 0)
    settle(qtbot, state)
    assert state.text == f"once upon a {best.text.strip()}"
    assert len(state.queries) == n_before + 1
    assert visible_blocks(panel), "and the next one is predicted"
    qtbot.mouseClick(block.heading, LEFT)
    assert state.pinned == Cell(), "there is no row for what is not there yet"


def test_whether_the_second_sentence_follows_is_yes_and_no(qtbot, panel: PredictionsPanel) -> None:
    pairs = {"he looked for the kite in the garden .": True, "the boat was clean and new .": False}
    state = opened(qtbot, panel, "toy:grammar", "Tom lost the red kite .", next(iter(pairs)))
    for pair, follows in pairs.items():
        state.update(text_pair=pair)
        panel._explorer.run()
        settle(qtbot, state)
        assert panel.follows_label.isVisible()
        yes, no = panel.follows.bars
        assert (yes.label, no.label) == ("yes", "no")
        assert yes.probability + no.probability == pytest.approx(1, abs=allowed.of_sums(2))
        assert (yes.probability > 0.5) is follows
        assert (bar_lengths(panel.follows, dark=False)[0] > bar_lengths(panel.follows, dark=False)[1]) is follows
    text = state.text
    click_row(qtbot, panel.follows, 0)
    assert state.text == text
    state.update(text_pair="")
    panel._explorer.run()
    settle(qtbot, state)
    assert not panel.follows.isVisible()


def test_a_mask_of_the_second_sentence_is_filled_there(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", "Tom lost the red kite .", "he looked for the [MASK] .")
    label = visible_blocks(panel)[0].bars.bars[0].label
    click_row(qtbot, visible_blocks(panel)[0].bars, 0)
    settle(qtbot, state)
    assert (state.text, state.text_pair) == ("Tom lost the red kite .", f"he looked for the {label} .")


def test_a_model_without_words_to_predict_says_so(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", "the cat sleeps .")
    state.update(model=replace(state.model, abilities=frozenset()))
    assert "no prediction head" in panel.hint.text()
    assert not visible_blocks(panel)
