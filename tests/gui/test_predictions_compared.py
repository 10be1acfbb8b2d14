"""Before and after an edit, and sampling filters that act at once: ghosts, changes and cuts are the numbers of core."""

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor

from headscope.core.models.load import load_model
from headscope.core.options import Sampling
from headscope.core.predict import predictions as predictions_file
from headscope.core.predict.results import Candidate, Prediction
from headscope.core.predict.sampling import said, stages_of
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.probability import readable_change
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.comparison import Ran, counterparts
from headscope.gui.session.session import Session
from headscope.gui.views.generation.panel import GenerationPanel
from headscope.gui.views.predictions.panel import PredictionsPanel
from headscope.gui.widgets.probability_bars import Bar, ProbabilityBars
from tests import allowed
from tests.generating import folder_of
from tests.gui.screen import PATIENCE, settle, shown, values

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
KEYS, KEY = "the keys of the cabinet [MASK] rusty .", "the key of the cabinet [MASK] rusty ."
TALE = "once upon a"


@pytest.fixture
def panel(qtbot, qapp) -> Iterator[PredictionsPanel]:
    state = Session()
    explorer = Explorer(state)
    panel = PredictionsPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(340, 700)
    panel.show()
    yield panel
    assert explorer.close()


def opened(qtbot, panel: PredictionsPanel, model: str, text: str) -> Session:
    state = panel._state
    state.update(text=text)
    panel._explorer.load(model)
    qtbot.waitUntil(lambda: state.run is not None and state.busy is None, timeout=PATIENCE)
    return state


def run(qtbot, panel: PredictionsPanel, text: str) -> list[Bar]:
    panel._state.update(text=text)
    panel._explorer.run()
    settle(qtbot, panel._state)
    return list(panel.blocks[0].bars.bars)


def log_softmax(source: str, text: str) -> np.ndarray:
    """(vocabulary,) at the only mask."""
    model = load_model(source, device="cpu", dtype="float32")
    encoded, _ = model.encode(text)
    logits = model.forward(model.inputs(encoded)).logits[0, encoded.axis.masks[0]]
    return logits.double().log_softmax(-1).numpy()


# ---------------------------------------------------------------- before and after
def test_an_edit_shows_what_each_candidate_was_and_how_its_log_probability_changed(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    assert all(bar.ghost is None and bar.change is None for bar in panel.blocks[0].bars.bars)
    bars = run(qtbot, panel, KEY)
    old, new = log_softmax("toy:grammar", KEYS), log_softmax("toy:grammar", KEY)
    for bar, candidate in zip(bars, state.predictions[0].candidates, strict=False):
        assert bar.ghost == pytest.approx(math.exp(old[candidate.id]), abs=allowed.of_probabilities(old))
        change = new[candidate.id] - old[candidate.id]
        rounding = allowed.of_decimals(2) + allowed.of_logits([old, new])  # printed, and of another pass
        assert float(bar.change.replace("−", "-")) == pytest.approx(change, abs=rounding)
    assert bars[0].label == "is"
    assert float(bars[0].change) > 1
    assert "the previous run" in panel.caption.text()


def test_the_same_text_again_keeps_the_comparison(qtbot, panel: PredictionsPanel) -> None:
    opened(qtbot, panel, "toy:grammar", KEYS)
    bars = run(qtbot, panel, KEY)
    assert run(qtbot, panel, KEY) == bars


def test_one_of_the_best_before_that_left_the_candidates_stays_under_a_line(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", "once upon a")
    before = state.predictions[0]
    bars = run(qtbot, panel, "once upon a time there was a little")
    ids = {candidate.id for candidate in state.predictions[0].candidates}
    lost = [candidate for candidate in before.candidates[:3] if candidate.id not in ids]
    assert lost
    rows = [bar for bar in bars if bar.apart]
    assert [(bar.label, bar.ghost) for bar in rows] == [(candidate.label, candidate.probability) for candidate in lost]
    assert rows == bars[-len(rows) :]
    whole = torch.from_numpy(state.predictions[0].logits).double().softmax(-1)
    assert [bar.probability for bar in rows] == pytest.approx(
        [float(whole[candidate.id]) for candidate in lost], abs=allowed.of_doubles()
    )
    assert state.text.endswith("little")
    widget = panel.blocks[0].bars
    qtbot.mouseClick(widget, LEFT, NONE, widget.row_rect(len(bars) - len(rows)).center().toPoint())
    assert state.text.endswith(lost[0].text.strip())
    settle(qtbot, state)


def test_a_kept_comparison_stays_over_several_edits_until_it_is_forgotten(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    baseline = np.exp(log_softmax("toy:grammar", KEYS))
    qtbot.mouseClick(panel.keep, LEFT)
    assert panel.keep.text() == "Clear reference"
    for text in (KEY, "the keys near the cabinet [MASK] rusty ."):
        bars = run(qtbot, panel, text)
        expected = [baseline[candidate.id] for candidate in state.predictions[0].candidates]
        assert [bar.ghost for bar in bars if not bar.apart] == pytest.approx(expected, abs=allowed.of_weights(baseline))
    assert "the reference" in panel.caption.text()
    qtbot.mouseClick(panel.keep, LEFT)
    assert panel.keep.text() == "Keep as reference"
    earlier = np.exp(log_softmax("toy:grammar", KEY))
    own = earlier[state.predictions[0].candidates[0].id]
    assert panel.blocks[0].bars.bars[0].ghost == pytest.approx(own, abs=allowed.of_weights(earlier))


def test_another_model_is_not_compared(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", TALE)
    run(qtbot, panel, "once upon a time")
    qtbot.mouseClick(panel.keep, LEFT)
    panel._explorer.load("toy:grammar")
    qtbot.waitUntil(lambda: state.model.source == "toy:grammar" and state.busy is None, timeout=PATIENCE)
    run(qtbot, panel, KEYS)
    assert all(bar.ghost is None for bar in panel.blocks[0].bars.bars)
    assert not state.reference_kept


def prediction(position: int) -> Prediction:
    return Prediction(position, (Candidate("a", "a", position, 0.5),))


def matched(old: str, new: str) -> dict[int, int]:
    """Where each mask (M) or the end (_) of `old` is compared, by letters as tokens; its own place is its candidate's id."""
    predicted = [tuple(prediction(at) for at, letter in enumerate(text) if letter in "M_") for text in (old, new)]
    ids = [tuple(ord(letter) for letter in text if letter != "_") for text in (old, new)]
    answer = counterparts(predicted[0], ids[0], Ran(ids[1], predicted[1]))
    return {each.candidates[0].id: each.position for each in answer}


@pytest.mark.parametrize(
    ("old", "new", "places"),
    [
        ("abMc", "xbMc", {2: 2}),
        ("abMc", "abxyMc", {2: 4}),
        ("aMbMc", "aXbMc", {3: 3}),  # the first was filled
        ("aMbMc", "aMbXc", {1: 1}),
        ("aMc", "aMbMc", {1: 1}),
        ("xMy", "uMvMw", {}),  # two in the place of one: nobody knows which
        ("xMyMz", "uMvMw", {1: 1, 3: 3}),
        ("aMMb", "aMb", {1: 1}),
        ("ab_", "abc_", {2: 3}),
        ("abc_", "x_", {3: 1}),
        ("abc", "aMc", {}),
    ],
)
def test_predictions_are_compared_with_those_in_their_place(old: str, new: str, places: dict[int, int]) -> None:
    assert matched(old, new) == places


def test_changes_are_never_shown_as_none_unless_they_are() -> None:
    numbers = {1.316: "+1.32", -0.4: "−0.40", 0.001: "+0.00", 0.0: "0", math.inf: "+∞", -math.inf: "−∞"}
    assert {change: readable_change(change) for change in numbers} == numbers
    assert readable_change(math.nan) == ""


@pytest.mark.parametrize("dark", [False, True])
def test_a_ghost_is_an_outline_as_long_as_its_probability(qtbot, dark: bool) -> None:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.set_theme(theme_of(dark))
    numbers = [(1.0, 1.0), (0.2, 0.6), (0.0, 0.3), (0.5, 0.0)]
    bars.resize(400, 4 * round(bars.row_rect(0).height()))
    pictures = []
    for ghosts in (False, True):
        bars.set_bars([Bar("word", now, ghost=old if ghosts else None) for now, old in numbers])
        pictures.append(values(shown(bars)))
    middles = [round(bars.row_rect(row).center().y()) for row in range(4)]
    filled = [int((pictures[1][middle] == QColor(theme_of(dark).accent).rgb()).sum()) for middle in middles]
    assert filled[1] == pytest.approx(0.2 * filled[0], abs=3)
    assert filled[2] == 0
    differ = [np.flatnonzero(pictures[0][middle] != pictures[1][middle]) for middle in middles]
    start = differ[0].min()
    lengths = [int(columns.max() - start) for columns in differ[:3]]
    np.testing.assert_allclose(lengths, lengths[0] * np.array([1, 0.6, 0.3]), atol=4)
    assert not len(differ[3]), "nothing is drawn around nothing"


# ---------------------------------------------------------------- sampling filters
def expected_stages(state: Session, sampling: Sampling):
    logits = torch.from_numpy(state.predictions[0].logits)
    written = [token.id for token in state.captured.axis("decoder").queries.tokens]
    return said(stages_of(logits, sampling, written), [candidate.id for candidate in state.predictions[0].candidates])


def test_the_temperature_moves_the_bars_at_once_and_without_a_run(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", TALE)
    ran = state.run
    own = [bar.probability for bar in panel.blocks[0].bars.bars]
    qtbot.mouseClick(panel.filters.asked, LEFT)
    assert panel.filters.fields.isVisible()
    for temperature in (0.5, 1.5):
        panel.filters.fields.slider.setValue(round(temperature * 20))
        (_, heated) = expected_stages(state, Sampling(temperature=temperature))
        bars = panel.blocks[0].bars.bars
        assert [bar.probability for bar in bars] == pytest.approx(heated.probabilities, abs=allowed.of_doubles())
        assert [bar.ghost for bar in bars] == own
    assert state.run is ran
    assert state.busy is None
    assert f"Temperature 1.50 leaves {heated.n_kept:,}" in panel.filters.told.text()
    qtbot.mouseClick(panel.filters.asked, LEFT)
    assert [bar.probability for bar in panel.blocks[0].bars.bars] == own
    assert not panel.filters.isVisible()


@pytest.mark.parametrize(
    ("name", "value", "sampling"),
    [
        ("top_k", 3, Sampling(temperature=1.0, top_k=3)),
        ("top_p", 0.5, Sampling(temperature=1.0, top_p=0.5)),
        ("min_p", 0.2, Sampling(temperature=1.0, min_p=0.2)),
        ("repetition", 1.5, Sampling(temperature=1.0, repetition_penalty=1.5)),
    ],
)
def test_each_filter_cuts_what_sampling_cuts_and_says_how_much_it_keeps(
    qtbot, panel: PredictionsPanel, name: str, value: float, sampling: Sampling
) -> None:
    state = opened(qtbot, panel, "toy:tales", "there was a little girl who had a")
    qtbot.mouseClick(panel.filters.asked, LEFT)
    panel.filters.fields.temperature.setValue(1)
    getattr(panel.filters.fields, name).setValue(value)
    assert state.sampling == sampling
    *_, last = expected_stages(state, sampling)
    bars = panel.blocks[0].bars.bars
    assert [bar.probability for bar in bars] == pytest.approx(last.probabilities, abs=allowed.of_doubles())
    assert [bar.cut for bar in bars] == [left == 0 for left in last.probabilities]
    assert any(bar.cut for bar in bars) == (name != "repetition")
    line = panel.filters.told.text().splitlines()[-1]
    expected = (
        f"leaves {last.n_kept:,}"
        if name == "repetition"
        else f"keeps {last.n_kept:,}, {100 * last.mass:.1f}% of the probability"
    )
    assert line.endswith(expected)


def test_the_generation_panel_and_the_predictions_have_the_same_sampling(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", TALE)
    generation = GenerationPanel(state, panel._explorer)
    qtbot.addWidget(generation)
    qtbot.mouseClick(panel.filters.asked, LEFT)
    generation.fields.temperature.setValue(0.8)
    generation.fields.seed.setValue(7)
    generation.fields.top_k.setValue(2)
    assert state.sampling == Sampling(temperature=0.8, top_k=2, seed=7)
    assert panel.filters.fields.slider.value() == 16
    assert sum(not bar.cut for bar in panel.blocks[0].bars.bars) == 2
    panel.filters.fields.min_p.setValue(0.1)
    assert generation.fields.min_p.value() == 0.1
    assert generation.fields.sampling == state.sampling == Sampling(temperature=0.8, top_k=2, seed=7, min_p=0.1)
    generation.fields.beams.setValue(4)
    assert generation.fields.sampling == Sampling(), "of several beams nothing is drawn"
    assert state.sampling.top_k == 2


def test_greedy_choices_cut_nothing_and_say_so(qtbot, panel: PredictionsPanel) -> None:
    opened(qtbot, panel, "toy:tales", TALE)
    qtbot.mouseClick(panel.filters.asked, LEFT)
    panel.filters.fields.top_k.setValue(2)
    assert not any(bar.cut for bar in panel.blocks[0].bars.bars)
    assert "At temperature 0" in panel.filters.told.text()


# ---------------------------------------------------------------- sampling filters on what was written
def look_at(qtbot, state: Session, explorer: Explorer, step: int) -> None:
    explorer.show_step(step)
    qtbot.waitUntil(lambda: state.captured is state.steps[step].record, timeout=PATIENCE)


@pytest.mark.parametrize("model", ["toy:tales", "t5"])
def test_after_a_generation_the_filters_act_on_the_step_that_is_looked_at_as_they_did_when_it_was_drawn(
    qtbot, panel: PredictionsPanel, model: str
) -> None:
    state = opened(qtbot, panel, model if model.startswith("toy:") else str(folder_of(model)), TALE)
    sampling = Sampling(temperature=1.5, top_k=8, top_p=0.95, seed=1, min_p=0.01, repetition_penalty=1.2)
    state.update(sampling=sampling)
    panel._explorer.generate(5, sampling)
    settle(qtbot, state)
    steps = state.steps
    qtbot.mouseClick(panel.filters.asked, LEFT)
    for at in (len(steps) - 1, 0, 2):
        look_at(qtbot, state, panel._explorer, at)
        bars = panel.blocks[0].bars.bars
        assert [bar.probability for bar in bars] == pytest.approx(steps[at].filters[-1].probabilities, abs=allowed.of_doubles())
        assert [bar.ghost for bar in bars] == [candidate.probability for candidate in steps[at].candidates]
        assert len(panel.filters.told.text().splitlines()) == len(steps[at].filters)
    panel.filters.fields.slider.setValue(10)
    *_, heated = expected_stages(state, replace(sampling, temperature=0.5))
    bars = panel.blocks[0].bars.bars
    assert [bar.probability for bar in bars] == pytest.approx(heated.probabilities, abs=allowed.of_doubles())
    assert "Temperature 0.50" in panel.filters.told.text()
    assert state.busy is None
    assert state.steps is steps


def test_a_filtered_step_can_be_forked_and_its_candidates_put_into_the_text(qtbot, panel: PredictionsPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", TALE)
    panel._explorer.generate(5, state.sampling)
    settle(qtbot, state)
    qtbot.mouseClick(panel.filters.asked, LEFT)
    panel.filters.fields.temperature.setValue(1.5)
    look_at(qtbot, state, panel._explorer, 2)
    step = state.steps[2]
    panel._explorer.fork(step, step.candidates[1].id, 3)
    settle(qtbot, state)
    assert state.steps[2].token.id == step.candidates[1].id
    assert state.before == (), "what is written is compared with nothing"
    *_, heated = expected_stages(state, Sampling(temperature=1.5))
    assert [bar.probability for bar in panel.blocks[0].bars.bars] == pytest.approx(
        heated.probabilities, abs=allowed.of_doubles()
    )
    look_at(qtbot, state, panel._explorer, 3)
    read, taken = state.captured.axis("decoder").queries.text, state.predictions[0].candidates[2]
    bars = panel.blocks[0].bars
    qtbot.mouseClick(bars, LEFT, NONE, bars.row_rect(2).center().toPoint())
    settle(qtbot, state)
    assert state.text == read + taken.text
    assert state.run.text == state.text


def test_of_steps_beyond_what_a_generation_may_keep_the_panel_says_why_no_filter_acts(
    qtbot, panel: PredictionsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = opened(qtbot, panel, "toy:tales", TALE)
    monkeypatch.setattr(predictions_file, "WHOLE_BYTES", 2 * state.predictions[0].logits.nbytes)
    panel._explorer.generate(4, state.sampling)
    settle(qtbot, state)
    assert not panel.filters.refusal.isVisible()
    qtbot.mouseClick(panel.filters.asked, LEFT)
    assert "Only the candidates of this step are kept" in panel.filters.refusal.text()
    assert panel.filters.refusal.isVisible()
    assert not panel.filters.fields.isVisible()
    assert not panel.filters.told.isVisible()
    assert [bar.ghost for bar in panel.blocks[0].bars.bars] == [None] * 10
    look_at(qtbot, state, panel._explorer, 1)
    assert panel.filters.fields.isVisible()
    assert not panel.filters.refusal.isVisible()
    assert "The model:" in panel.filters.told.text()


def test_masks_have_no_filters(qtbot, panel: PredictionsPanel) -> None:
    opened(qtbot, panel, "toy:grammar", KEYS)
    assert not panel.filters.asked.isVisible()
    assert not panel.filters.isVisible()
