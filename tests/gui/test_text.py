"""What the model reads: typing, tokens under the mouse, texts of every sort and length."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QMimeData, Qt, QTimer
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from headscope.gui.control.explorer import Explorer
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.heatmap.panel import HeatmapPanel
from headscope.gui.window.prompt.edit import PromptEdit
from headscope.gui.window.prompt.panel import TextPanel
from tests.gui.screen import PATIENCE, n_colors, said, settle, shown, values
from tests.tiny_models import write_encoder_decoder

LEFT, NONE, SHIFT = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier
CATS = "the cats near the dog sleep ."


@pytest.fixture
def panel(qtbot, qapp) -> Iterator[TextPanel]:
    state = Session()
    explorer = Explorer(state)
    panel = TextPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(900, 200)
    panel.show()
    yield panel
    assert explorer.close()


def opened(qtbot, panel: TextPanel, model: str, text: str, **other: str) -> Session:
    state = panel._state
    state.update(text=text, **other)
    panel._explorer.load(model)
    qtbot.waitUntil(lambda: state.run is not None and state.busy is None, timeout=PATIENCE)
    assert state.notice is None
    return state


def typed(qtbot, field: PromptEdit, text: str) -> None:
    field.selectAll()
    qtbot.keyClicks(field, text)


def position_of(state: Session, label: str) -> int:
    return state.queries.labels.index(label)


def click(qtbot, panel: TextPanel, position: int, how=NONE) -> None:
    qtbot.mouseClick(panel.strip.viewport(), LEFT, how, panel.strip.point_of(position))


def test_typing_and_enter_change_everything_together(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    changes = said(state.changed)
    typed(qtbot, panel.text, "the dogs [MASK] .")
    assert state.text == "the dogs [MASK] ."
    qtbot.keyClick(panel.text, Qt.Key.Key_Return)
    settle(qtbot, state)
    (publication,) = [names for (names,) in changes if "run" in names]
    assert publication >= {"run", "record", "queries", "keys", "weights", "predictions", "busy"}
    assert panel.strip.axis is state.queries
    assert panel.strip.axis.labels == ("[CLS]", "the", "dogs", "[MASK]", ".", "[SEP]")
    assert state.shown.shape == (6, 6)


def test_a_click_masks_a_token_and_another_brings_the_word_back(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    at = position_of(state, "dog")
    click(qtbot, panel, at)
    settle(qtbot, state)
    assert panel.text.toPlainText() == state.text == "the cats near the [MASK] sleep ."
    assert state.predictions[0].position == at
    click(qtbot, panel, at)
    settle(qtbot, state)
    assert panel.text.toPlainText() == state.text == CATS
    panel.text.undo()
    assert panel.text.toPlainText() == state.text == "the cats near the [MASK] sleep ."


def test_shift_and_click_pins_and_lets_go(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    at = position_of(state, "cats")
    click(qtbot, panel, at, SHIFT)
    assert (state.pinned, state.text) == (Cell(query=at), CATS)
    click(qtbot, panel, at, SHIFT)
    assert state.pinned == Cell()


def test_a_pin_follows_the_edits_of_its_text_and_ends_with_it(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    click(qtbot, panel, position_of(state, "dog"), SHIFT)

    def run(text: str) -> Cell:
        typed(qtbot, panel.text, text)
        qtbot.keyClick(panel.text, Qt.Key.Key_Return)
        settle(qtbot, state)
        return state.pinned

    assert run("the old cats near the dog sleep .") == Cell(query=position_of(state, "dog"))
    click(qtbot, panel, position_of(state, "dog"))
    settle(qtbot, state)
    assert state.pinned == Cell(query=position_of(state, "[MASK]")), "masked, it is the same place"
    assert run("cats near the [MASK] sleep .") == Cell(query=position_of(state, "[MASK]"))
    assert run("rusty keys of every cabinet are here") == Cell(), "another text"
    click(qtbot, panel, position_of(state, "[SEP]"), SHIFT)
    assert run(CATS) == Cell(), "no token of another text, though it ends so too"


def test_pointing_at_a_token_lights_its_row_in_the_heatmap(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    heatmap = HeatmapPanel(state, panel._explorer)
    qtbot.addWidget(heatmap)
    heatmap.resize(500, 500)
    heatmap.show()
    before = shown(heatmap.view)
    at = position_of(state, "near")
    qtbot.mouseMove(panel.strip.viewport(), panel.strip.point_of(at))
    assert state.hover == Cell(query=at)
    changed = np.argwhere(values(before) != values(shown(heatmap.view)))
    row = heatmap.view.layout_now().cell_rect(at, 0)
    assert changed[:, 0].min() >= row.top() - 6
    assert changed[:, 0].max() <= row.bottom() + 6
    assert np.ptp(changed[:, 1]) > 200, "the whole row"


def test_a_model_without_masks_pins_on_a_click(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", "once upon a time")
    click(qtbot, panel, 1)
    assert state.pinned == Cell(query=1)
    assert state.text == "once upon a time"
    assert state.notice is None
    click(qtbot, panel, 1)
    assert state.pinned == Cell()
    assert not panel.add_pair.isVisible()


def keys_of_whoever_has_the_focus(qtbot, panel: TextPanel, text: str) -> None:
    focus = panel.focusWidget()
    assert focus is not None
    qtbot.keyClicks(focus, text)


def test_a_second_sentence_takes_the_words_typed_next(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", "the [MASK] sleep .")
    panel.text.setFocus()
    qtbot.mouseDClick(panel.text.viewport(), LEFT, NONE, panel.text.cursorRect().center())
    qtbot.mouseClick(panel.add_pair, LEFT)
    assert panel.pair.isVisible()
    keys_of_whoever_has_the_focus(qtbot, panel, "dogs run .")
    assert (state.text, state.text_pair) == ("the [MASK] sleep .", "dogs run .")


def test_a_second_sentence_that_is_emptied_stays_for_other_words(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS, text_pair="dogs run .")
    panel.pair.setFocus()
    panel.pair.selectAll()
    qtbot.keyClick(panel.pair, Qt.Key.Key_Delete)
    assert state.text_pair == ""
    assert panel.pair.isVisible()
    keys_of_whoever_has_the_focus(qtbot, panel, "cats run .")
    assert (state.text, state.text_pair) == (CATS, "cats run .")


def test_a_second_sentence_that_is_put_away_gives_the_focus_back(qtbot, panel: TextPanel) -> None:
    opened(qtbot, panel, "toy:grammar", CATS)
    for _ in range(2):
        qtbot.mouseClick(panel.add_pair, LEFT)
    assert not panel.pair.isVisible()
    assert panel.focusWidget() is panel.text


def test_the_keyboard_masks_a_token(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", "cats sleep .")
    panel.strip.setFocus()
    qtbot.waitUntil(panel.strip.hasFocus)
    qtbot.keyClick(panel.strip, Qt.Key.Key_Right)
    qtbot.keyClick(panel.strip, Qt.Key.Key_Return)
    settle(qtbot, state)
    assert state.text == "[MASK] sleep ."
    assert panel.strip.hasFocus()


def test_what_did_not_fit_is_counted_and_struck_out(qtbot, panel: TextPanel) -> None:
    text = "🙂 " + "the cat " * 200
    state = opened(qtbot, panel, "toy:grammar", text)
    dropped = state.queries.dropped
    assert dropped > 0
    assert f"{len(state.queries)} tokens" in panel.count.text()
    assert f"last {dropped} cut off" in panel.count.text()
    (mark,) = panel.text.extraSelections()
    assert mark.cursor.selectedText() == text[state.queries.dropped_from :]
    assert text[: state.queries.dropped_from].split()[-1] == state.queries.labels[-2]
    typed(qtbot, panel.text, "cats sleep .")
    qtbot.keyClick(panel.text, Qt.Key.Key_Return)
    settle(qtbot, state)
    assert panel.text.extraSelections() == []
    assert "cut off" not in panel.count.text()


def test_tokens_of_a_text_that_was_changed_since_are_pale(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    fresh, count = values(shown(panel.strip)), panel.count.text()
    qtbot.keyClicks(panel.text, "!")
    stale = values(shown(panel.strip))
    assert "Enter" in panel.count.text()
    ground = 255 * 3 - sum(fresh >> shift & 0xFF for shift in (0, 8, 16))
    paler = 255 * 3 - sum(stale >> shift & 0xFF for shift in (0, 8, 16))
    assert paler.sum() < 0.7 * ground.sum()
    qtbot.keyClick(panel.text, Qt.Key.Key_Backspace)
    assert panel.count.text() == count
    assert (values(shown(panel.strip)) == fresh).all()
    assert state.text == CATS


def test_a_click_on_a_pale_token_runs_the_new_text_and_masks_nothing(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    typed(qtbot, panel.text, "dogs bark .")
    click(qtbot, panel, 2)
    settle(qtbot, state)
    assert state.text == state.queries.text == "dogs bark ."


def test_a_second_sentence_is_asked_for_and_read(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", "Tom lost the red kite .")
    assert not panel.pair.isVisible()
    panel.add_pair.click()
    assert panel.pair.isVisible()
    qtbot.keyClicks(panel.pair, "the boat was clean .")
    qtbot.keyClick(panel.pair, Qt.Key.Key_Return)
    settle(qtbot, state)
    assert state.text_pair == "the boat was clean ."
    assert state.next_sentence is not None
    segments = [token.segment for token in panel.strip.axis.tokens]
    assert segments == sorted(segments)
    assert segments[-1] == 1
    click(qtbot, panel, position_of(state, "boat"))
    settle(qtbot, state)
    assert panel.pair.toPlainText() == "the [MASK] was clean ."
    assert panel.text.toPlainText() == "Tom lost the red kite ."


def test_an_encoder_decoder_has_a_field_for_what_its_decoder_reads(qtbot, panel: TextPanel, tmp_path: Path) -> None:
    state = opened(qtbot, panel, str(write_encoder_decoder(tmp_path / "t5")), "abc")
    assert panel.target.isVisible()
    assert panel.target_label.isVisible()
    assert not panel.pair.isVisible()
    assert not panel.add_pair.isVisible()
    qtbot.keyClicks(panel.target, "xy")
    qtbot.keyClick(panel.target, Qt.Key.Key_Return)
    settle(qtbot, state)
    assert state.target == "xy"
    assert state.record.axis("decoder").queries.text == "xy"
    assert panel.strip.axis is state.record.axis("encoder").queries
    panel._explorer.set_kind("cross")
    qtbot.waitUntil(lambda: state.kind == "cross", timeout=PATIENCE)
    qtbot.mouseMove(panel.strip.viewport(), panel.strip.point_of(1))
    assert state.hover == Cell(key=1), "the encoder's tokens are the columns there"


STRANGE = {
    "emoji": "🙂 the cat 👩‍👩‍👧 sleeps 🇩🇪 .",
    "right to left": "مرحبا the cat שלום",
    "chinese": "人工智能是一种技术。",
    "controls": "the\tcat\u0001\u007f \u202e sleeps\u200b\u2028 .",
    "accents": "e\u0301a\u0308 café naïve",
    "one letter": "a",
    "lone surrogate": "the \ud800 cat",
    "nul": "the \x00 cat",
}


@pytest.mark.parametrize("text", STRANGE.values(), ids=STRANGE.keys())
def test_any_text_runs_and_stays_as_it_was_typed(qtbot, panel: TextPanel, text: str) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    panel.text.selectAll()
    panel.text.insertPlainText(text)
    written = panel.text.toPlainText()
    qtbot.keyClick(panel.text, Qt.Key.Key_Return)
    settle(qtbot, state)
    assert state.notice is None or "vocabulary" in state.notice.message
    assert panel.text.toPlainText() == state.text == written
    assert state.queries.text == written
    assert len(state.queries) >= 3
    assert n_colors(shown(panel.strip)) > 5


class Heartbeat(QTimer):
    """How long the GUI thread works, at most, before it comes to its events again: seconds of its own, for machines are shared."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.longest, self._last = 0.0, time.thread_time()
        self.timeout.connect(self.beat)
        self.start(0)

    def beat(self) -> None:
        now = time.thread_time()
        self.longest, self._last = max(self.longest, now - self._last), now


def seconds_of_qt_itself(qtbot, text: str) -> float:
    """What Qt's own field takes for such a text: once to lay it out, once more for a key."""
    plain = QPlainTextEdit()
    qtbot.addWidget(plain)
    plain.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
    plain.resize(600, 100)
    plain.show()
    started = time.thread_time()
    plain.insertPlainText(text)
    qtbot.keyClick(plain, Qt.Key.Key_A)
    return time.thread_time() - started


def test_a_million_characters_cost_no_more_than_qt_takes_to_show_them(qtbot, panel: TextPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", CATS)
    text = "🙂 人工智能 " + "the cat sleeps near the dog . " * 33_333
    qt_itself = seconds_of_qt_itself(qtbot, text)
    pasted = QMimeData()
    pasted.setText(text)
    panel.text.selectAll()
    heart = Heartbeat(panel)
    QTimer.singleShot(0, panel.text, lambda: panel.text.insertFromMimeData(pasted))
    qtbot.waitUntil(lambda: state.text == text, timeout=PATIENCE)
    QTimer.singleShot(0, panel.text, panel.text.submitted.emit)
    qtbot.waitUntil(lambda: state.run.text == text and state.busy is None, timeout=PATIENCE)
    assert heart.longest < 1.5 * qt_itself
    assert panel.text.toPlainText() == state.text == text
    assert state.queries.dropped > 100_000
    assert len(panel.text.extraSelections()) == 1
