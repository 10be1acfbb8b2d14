"""The generation panel with the real explorer, engine and toys: real clicks, real tokens."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

from headscope.core import load_model
from headscope.core.options import BeamSearch, Sampling
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.generation.panel import GenerationPanel

PATIENCE = 30_000
STORY = "once upon a time"


@pytest.fixture
def panel(qtbot, qapp) -> Iterator[GenerationPanel]:
    state = Session()
    explorer = Explorer(state)
    panel = GenerationPanel(state, explorer)
    panel.explorer_in_test = explorer
    qtbot.addWidget(panel)
    panel.resize(300, 480)
    panel.show()
    yield panel
    assert explorer.close()


def state_of(panel: GenerationPanel) -> Session:
    return panel.explorer_in_test.state


def opened(qtbot, panel: GenerationPanel, model: str, text: str) -> Session:
    state = state_of(panel)
    state.update(text=text)
    panel.explorer_in_test.load(model)
    qtbot.waitUntil(lambda: state.busy is None and state.model is not None, timeout=PATIENCE)
    assert state.notice is None
    return state


def click(qtbot, widget) -> None:
    qtbot.mouseClick(widget, Qt.MouseButton.LeftButton)


def test_before_a_model_is_open_nothing_can_be_asked(panel: GenerationPanel) -> None:
    assert panel.hint.text()
    assert not panel.write.isVisible()
    assert not panel.fields.isVisible()


def test_generate_writes_as_many_tokens_as_asked_and_lists_them(qtbot, panel: GenerationPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    assert panel.write.text() == "Generate"
    assert not panel.confident.isVisible()
    panel.fields.max_new_tokens.setValue(7)
    click(qtbot, panel.write)
    assert not panel.write.isEnabled()
    assert panel.stop.isEnabled()
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert len(state.steps) == 7
    assert state.text == state.steps[-1].text
    model = panel.list.model()
    assert [model.index(row).data().split()[0] for row in range(model.rowCount())] == [step.token.text for step in state.steps]
    assert "7" in panel.count.text()
    assert panel.write.isEnabled()
    assert not panel.stop.isEnabled()


def test_the_fields_are_the_sampling(panel: GenerationPanel) -> None:
    fields = panel.fields
    assert fields.sampling == Sampling()
    assert not fields.top_k.isEnabled()
    assert not fields.seed.isEnabled()
    fields.temperature.setValue(0.7)
    fields.top_k.setValue(12)
    fields.top_p.setValue(0.95)
    fields.seed.setValue(3)
    fields.min_p.setValue(0.05)
    fields.repetition_penalty.setValue(1.2)
    assert fields.seed.isEnabled()
    assert fields.sampling == Sampling(0.7, top_k=12, top_p=0.95, seed=3, min_p=0.05, repetition_penalty=1.2)
    fields.beams.setValue(3)
    assert not fields.temperature.isEnabled()
    assert not fields.min_p.isEnabled()
    assert fields.sampling == Sampling(repetition_penalty=1.2)  # of beams nothing is drawn
    assert fields.beam_search == BeamSearch(3)
    fields.stop.setText("the end|.\\n|")
    assert fields.stops == ("the end", ".\n")


def test_rarer_settings_are_out_of_sight_until_asked_for_and_chat_only_where_there_is_a_template(
    qtbot, panel: GenerationPanel
) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    fields = panel.fields
    assert not fields.min_p.isVisible()
    click(qtbot, fields.show_more)
    assert fields.min_p.isVisible()
    assert fields.stop.isVisible()
    assert not fields.chat.isVisible()
    state.update(model=replace(state.model, abilities=state.model.abilities | {"chat"}))
    assert fields.chat.isVisible()
    assert not fields.system.isEnabled()
    fields.chat.setChecked(True)
    assert fields.is_chat
    assert fields.system.isEnabled()
    click(qtbot, fields.show_more)
    assert not fields.min_p.isVisible()
    assert fields.is_chat  # hidden with the rest, and still on


def test_a_stop_text_ends_what_is_written(qtbot, panel: GenerationPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    panel.fields.stop.setText("nothing of the kind|.")
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert state.text.endswith(".")
    assert "." not in state.text[:-1]


# ---------------------------------------------------------------- forks
def written(qtbot, panel: GenerationPanel, n: int = 8) -> Session:
    state = opened(qtbot, panel, "toy:tales", STORY)
    panel.fields.max_new_tokens.setValue(n)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    return state


def test_another_token_of_an_earlier_step_forks_there_and_both_branches_can_be_seen(qtbot, panel: GenerationPanel) -> None:
    state = written(qtbot, panel)
    shared_prefix, text, record = state.steps, state.text, state.record
    assert not panel.branches.isVisible()
    index = panel.list.model().index(3)
    panel.list.scrollTo(index)
    qtbot.mouseClick(panel.list.viewport(), Qt.MouseButton.LeftButton, pos=panel.list.visualRect(index).center())
    menu = panel._rivals
    qtbot.waitUntil(menu.isVisible)
    chosen = next(candidate for candidate in shared_prefix[3].candidates if candidate.id != shared_prefix[3].token.id)
    (action,) = (each for each in menu.actions() if each.text().split("\t")[0] == chosen.label)
    action.trigger()
    menu.close()
    qtbot.waitUntil(lambda: state.busy is None and len(state.steps) > 4, timeout=PATIENCE)
    assert state.steps[:3] == shared_prefix[:3]
    assert state.steps[3].token.id == chosen.id
    assert state.steps[3].forced
    assert state.text == state.steps[-1].text
    assert f" {chosen.label}" in state.text
    assert "Chosen by you" in panel.list.model().index(3).data(Qt.ItemDataRole.ToolTipRole)
    assert panel.branches.asked.text() == "Branch 2 of 2"
    fork, forked_text = state.steps, state.text
    click(qtbot, panel.branches.asked)
    assert (state.steps, state.text) == (shared_prefix, text)
    qtbot.waitUntil(lambda: state.record is record, timeout=PATIENCE)
    assert panel.branches.asked.text() == "Branch 1 of 2"
    click(qtbot, panel.branches.asked)
    assert (state.steps, state.text) == (fork, forked_text)
    panel.explorer_in_test.run()
    qtbot.waitUntil(lambda: state.busy is None and not state.steps, timeout=PATIENCE)
    assert not panel.branches.isVisible()


def test_enter_on_a_token_opens_its_rivals_too(qtbot, panel: GenerationPanel) -> None:
    written(qtbot, panel, 3)
    panel.list.setFocus()
    panel.list.setCurrentIndex(panel.list.model().index(1))
    qtbot.keyClick(panel.list, Qt.Key.Key_Return)
    qtbot.waitUntil(panel._rivals.isVisible)
    assert panel._rivals.actions()
    panel._rivals.close()


# ---------------------------------------------------------------- beams and Gibbs
def test_beams_are_listed_while_they_run_and_the_winner_in_the_end(qtbot, panel: GenerationPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    seen = []
    state.changed.connect(lambda names: seen.append(panel.beams.bars) if "beams" in names and state.beams else None)
    panel.fields.max_new_tokens.setValue(12)
    panel.fields.beams.setValue(3)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    model = load_model("toy:tales", device="cpu")
    *_, last = model.beam_search(STORY, n_beams=3, max_new_tokens=12)
    assert [step.token.id for step in state.steps] == [step.token.id for step in last.best.steps]
    assert state.text == last.best.text
    assert seen
    assert all(1 <= len(bars) <= 6 for bars in seen)
    assert any(len(bars) >= 3 for bars in seen)
    assert not panel.beams.isVisible()


def test_masks_can_be_filled_by_chance(qtbot, panel: GenerationPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", "the keys near the cabinet [MASK] [MASK] .")
    assert not panel.gibbs.isVisible()
    panel.by_chance.setChecked(True)
    assert panel.gibbs.isVisible()
    panel.gibbs.sweeps.setValue(3)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert len(state.steps) == 6
    assert "[MASK]" not in state.text
    assert sorted(prediction.position for prediction in state.predictions) == [6, 7]


def test_typing_a_number_and_enter_sets_it(qtbot, panel: GenerationPanel) -> None:
    opened(qtbot, panel, "toy:tales", STORY)
    field = panel.fields.max_new_tokens
    field.selectAll()
    qtbot.keyClicks(field, "23")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert field.value() == 23


def test_stop_ends_it_and_keeps_what_was_written(qtbot, panel: GenerationPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    panel.fields.max_new_tokens.setValue(120)
    panel.fields.temperature.setValue(1.0)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: len(state.steps) >= 2, timeout=PATIENCE)
    click(qtbot, panel.stop)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert 2 <= len(state.steps) < 120
    assert state.text == state.steps[-1].text


@pytest.mark.parametrize("button", ["confident", "left_to_right"])
def test_a_masked_model_fills_its_masks(qtbot, panel: GenerationPanel, button: str) -> None:
    state = opened(qtbot, panel, "toy:grammar", "the keys near the cabinet [MASK] [MASK] .")
    assert panel.write.text() == "Fill masks"
    assert not panel.fields.isVisible()
    choice = getattr(panel, button)
    qtbot.mouseClick(choice, Qt.MouseButton.LeftButton, pos=QPoint(8, choice.height() // 2))
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert "[MASK]" not in state.text
    assert state.text.startswith("the keys near the cabinet are")
    assert len(state.predictions) == 2
    if button == "left_to_right":
        assert [prediction.position for prediction in state.predictions] == [6, 7]


def test_the_rivals_of_a_token_are_shown_with_it(qtbot, panel: GenerationPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    panel.fields.temperature.setValue(2.0)
    panel.fields.max_new_tokens.setValue(3)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    step = state.steps[1]
    shown = panel.list.model().index(1).data(Qt.ItemDataRole.ToolTipRole)
    assert f"<b>{step.token.text}</b>" in shown.replace("&nbsp;", " ")
    assert shown.count("<tr>") >= len(step.candidates)
    assert "after temperature" in shown


def test_pointing_at_a_token_points_at_the_row_that_chose_it(qtbot, panel: GenerationPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    n_prompt = len(state.queries)
    panel.fields.max_new_tokens.setValue(4)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    panel.list.scrollToTop()
    for row in (0, 2):
        middle = panel.list.visualRect(panel.list.model().index(row)).center()
        qtbot.mouseMove(panel.list.viewport(), middle)
        assert state.hover == Cell(query=n_prompt - 1 + row)
    panel.list._on_left()
    assert state.hover == Cell()


@pytest.mark.parametrize("dark", [False, True])
def test_each_token_has_a_bar_as_long_as_its_probability(qtbot, panel: GenerationPanel, dark: bool) -> None:
    state = opened(qtbot, panel, "toy:tales", STORY)
    panel.fields.max_new_tokens.setValue(12)
    panel.fields.temperature.setValue(3.0)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    state.update(dark=dark)
    panel.list.scrollToTop()
    panel.list.clearSelection()
    image = panel.list.viewport().grab().toImage().convertToFormat(QImage.Format.Format_RGB32)
    pixels = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.width()) & 0xFFFFFF
    accent = int(theme_of(dark).accent[1:], 16)
    lengths = []
    for row in range(5):
        rect = panel.list.visualRect(panel.list.model().index(row))
        lengths.append(int((pixels[round(rect.center().y() * image.devicePixelRatio())] == accent).sum()))
    probabilities = [step.probability for step in state.steps[:5]]
    full = max(length / probability for length, probability in zip(lengths, probabilities, strict=True) if probability > 0.2)
    for length, probability in zip(lengths, probabilities, strict=True):
        assert abs(length - full * probability) < 6


def test_in_a_low_window_nothing_is_squeezed_and_beams_do_not_make_it_grow(qtbot, open_window) -> None:
    window = open_window("toy:tales", STORY)
    window.resize(1280, 800)
    panel = window.panel("generation")
    whole = panel.fields.top_k.height()
    click(qtbot, panel.fields.show_more)
    panel.fields.max_new_tokens.setValue(60)
    panel.fields.beams.setValue(8)
    sizes = set()
    window.state.changed.connect(lambda names: sizes.add((window.width(), window.height())) if "beams" in names else None)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: window.state.busy is None, timeout=PATIENCE)
    assert sizes == {(1280, 800)}
    assert (window.width(), window.height()) == (1280, 800)
    assert panel.fields.top_k.height() == panel.fields.beams.height() == whole
    area = panel._area
    assert area.viewport().width() >= area.widget().minimumSizeHint().width(), "nothing is cut at the right"


def test_beams_go_when_the_best_text_ends_at_once(qtbot, panel: GenerationPanel) -> None:
    ended = "once upon a time a brave mouse named Mia lived in a castle . and they lived happily ever after ."
    state = opened(qtbot, panel, "toy:tales", ended)
    seen = []
    state.changed.connect(lambda names: seen.append(state.beams) if "beams" in names else None)
    panel.fields.beams.setValue(4)
    click(qtbot, panel.write)
    qtbot.waitUntil(lambda: state.busy is None, timeout=PATIENCE)
    assert seen
    assert state.beams is None
    assert not panel.beams.isVisible()
