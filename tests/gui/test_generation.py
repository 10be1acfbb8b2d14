"""The generation panel with the real explorer, engine and toys: real clicks, real tokens."""

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage

from headscope.core.jobs import Sampling
from headscope.gui.explorer import Explorer
from headscope.gui.paint.theme import theme_of
from headscope.gui.panels.generation import GenerationPanel
from headscope.gui.state import Cell, ExplorerState

PATIENCE = 30_000
STORY = "once upon a time"


@pytest.fixture
def panel(qtbot, qapp) -> Iterator[GenerationPanel]:
    state = ExplorerState()
    explorer = Explorer(state)
    panel = GenerationPanel(state, explorer)
    panel.explorer_in_test = explorer
    qtbot.addWidget(panel)
    panel.resize(300, 480)
    panel.show()
    yield panel
    assert explorer.close()


def state_of(panel: GenerationPanel) -> ExplorerState:
    return panel.explorer_in_test.state


def opened(qtbot, panel: GenerationPanel, model: str, text: str) -> ExplorerState:
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
    assert fields.seed.isEnabled()
    assert fields.sampling == Sampling(temperature=0.7, top_k=12, top_p=0.95, seed=3)


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
