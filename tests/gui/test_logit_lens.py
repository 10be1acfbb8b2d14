"""The logit lens's panel with the real explorer and engine: its numbers are core's, and every click and key does what it says."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import transformers as hf
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor

from headscope.core.models.load import load_model
from headscope.core.options import Sampling
from headscope.core.predict.logit_lens import logit_lens
from headscope.core.predict.logit_lens_layer import LogitLensLayer
from headscope.core.text.tokens import Units
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.views.logit_lens.paint import LogitLensPicture
from headscope.gui.views.logit_lens.panel import LogitLensPanel
from tests import allowed
from tests.gui.screen import PATIENCE, settle, shown, values
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
KEYS = "the keys of the cabinet [MASK] rusty ."
TALE = "once upon a time there was a little"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tiny")
    write_masked(folder / "headless")
    hf.BertModel.from_pretrained(folder / "headless").save_pretrained(folder / "headless")
    write_decoder(folder / "gpt2")
    write_encoder_decoder(folder / "t5")
    return folder


@pytest.fixture
def panel(qtbot, qapp) -> Iterator[LogitLensPanel]:
    state = Session()
    explorer = Explorer(state)
    panel = LogitLensPanel(state, explorer)
    qtbot.addWidget(panel)
    panel.resize(1000, 400)
    panel.show()
    yield panel
    assert explorer.close()


def opened(qtbot, panel: LogitLensPanel, model: str, text: str, target: str = "") -> Session:
    state = panel._state
    state.update(text=text, target=target)
    panel._explorer.load(model)
    qtbot.waitUntil(lambda: state.run is not None and state.busy is None, timeout=PATIENCE)
    return state


def run(qtbot, panel: LogitLensPanel, text: str) -> None:
    panel._state.update(text=text)
    panel._explorer.run()
    settle(qtbot, panel._state)


def of_core(source: str, *texts: str, **options) -> list[LogitLensLayer]:
    return list(logit_lens(load_model(source, device="cpu", dtype="float32"), *texts, **options))


def place_of(panel: LogitLensPanel, depth: int, position: int) -> QPoint:
    return panel.view.layout_now.box(depth, position).center().toPoint()


def assert_shows(picture: LogitLensPicture, layers: list[LogitLensLayer]) -> None:
    assert picture.n_depths == len(layers)
    for depth, layer in enumerate(layers):
        positions, rounding = list(layer.positions), allowed.of_weights(layer.probabilities)
        np.testing.assert_allclose(picture.probabilities[depth, positions], layer.probabilities[:, 0], atol=rounding)
        np.testing.assert_allclose(
            picture.entropies[depth, positions], layer.entropies, atol=allowed.of_logits(layer.entropies)
        )
        ranks = picture.followed_ranks[depth, positions]
        np.testing.assert_array_equal(ranks, layer.followed_ranks)
        for at, position in enumerate(layer.positions):
            assert [id_ for id_, _, _ in picture.candidates(depth, position)] == layer.ids[at].tolist()


# ---------------------------------------------------------------- what it reads
@pytest.mark.parametrize(("model", "text"), [("toy:grammar", KEYS), ("toy:tales", TALE)])
def test_a_short_text_is_read_by_itself_and_the_last_row_is_the_prediction(
    qtbot, panel: LogitLensPanel, model: str, text: str
) -> None:
    state = opened(qtbot, panel, model, text)
    assert_shows(panel.view.picture, of_core(model, text))
    (prediction,) = state.predictions
    at = min(prediction.position, len(state.queries) - 1)
    last = panel.view.picture.candidates(panel.view.picture.n_depths - 1, at)
    best = prediction.candidates[:5]
    assert [(id_, label) for id_, label, _ in last] == [(candidate.id, candidate.label) for candidate in best]
    assert [p for _, _, p in last] == pytest.approx(
        [candidate.probability for candidate in best], abs=allowed.of_probabilities(prediction.logits)
    )
    assert "exactly the model's prediction" in panel.status.text()


def test_of_an_encoder_decoder_the_decoder_is_read(qtbot, panel: LogitLensPanel, tiny: Path) -> None:
    state = opened(qtbot, panel, str(tiny / "t5"), "abc", "dead")
    assert_shows(panel.view.picture, of_core(str(tiny / "t5"), "abc", None, "dead"))
    panel._explorer.set_kind("encoder")
    qtbot.waitUntil(lambda: state.kind == "encoder")
    qtbot.mouseMove(panel.view.viewport(), place_of(panel, 1, 2))
    assert state.hover == Cell(), "rows of the encoder are other tokens"
    panel._explorer.set_kind("cross")
    qtbot.waitUntil(lambda: state.kind == "cross")
    qtbot.mouseMove(panel.view.viewport(), place_of(panel, 1, 3))
    assert state.hover == Cell(query=3)


def test_a_hidden_panel_reads_nothing_until_it_is_shown(qtbot, panel: LogitLensPanel) -> None:
    panel.hide()
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    assert panel.view.picture.n_depths == 0
    panel.show()
    settle(qtbot, state)
    assert panel.view.picture.is_read(range(len(state.queries)))


def test_of_a_long_text_what_is_in_sight_is_read_when_asked(qtbot, panel: LogitLensPanel) -> None:
    text = " ".join(["once upon a time there was a little girl ."] * 10)
    state = opened(qtbot, panel, "toy:tales", text)
    assert panel.view.picture.n_depths == 0, "nobody asked"
    assert panel.fill.text() == "Compute visible"
    qtbot.mouseClick(panel.fill, LEFT)
    settle(qtbot, state)
    columns = panel.view.layout_now.columns
    assert columns.start == 0
    assert columns.stop < 20 < len(state.queries)
    assert panel.view.picture.is_read(columns)
    assert np.isnan(panel.view.picture.probabilities[:, columns.stop :]).all()
    panel.view.horizontalScrollBar().setValue(panel.view.horizontalScrollBar().maximum())
    assert "not computed yet" in panel.status.text()
    qtbot.mouseClick(panel.fill, LEFT)
    settle(qtbot, state)
    assert panel.view.picture.is_read(panel.view.layout_now.columns)
    assert panel.view.picture.is_read(columns), "what was read before stays"
    expected = of_core("toy:tales", text, positions=[len(state.queries) - 1])
    last = [panel.view.picture.probabilities[depth, -1] for depth in range(len(expected))]
    for found, layer in zip(last, expected, strict=True):
        assert found == pytest.approx(layer.probabilities[0, 0], abs=allowed.of_weights(layer.probabilities))


def test_layers_arrive_one_by_one_and_stop_ends_it(qtbot, panel: LogitLensPanel, tiny: Path) -> None:
    state = opened(qtbot, panel, str(tiny / "gpt2"), "abc")
    told: list[str] = []
    panel._answer.came.connect(
        lambda: panel._answer.is_waiting and told.append((panel._answer.part.layer, panel.status.text()))
    )
    run(qtbot, panel, "abcd")
    assert [layer for layer, _ in told] == [-1, 0, 1, 2]
    assert any("of 3" in words for _, words in told)
    panel._state.update(text="abcde")
    panel._explorer.run()
    qtbot.waitUntil(lambda: state.run.text == "abcde", timeout=PATIENCE)
    panel._explorer.stop()
    settle(qtbot, state)
    assert "Units" not in panel.status.text()
    assert panel.fill.isEnabled()
    qtbot.mouseClick(panel.fill, LEFT)
    settle(qtbot, state)
    assert_shows(panel.view.picture, of_core(str(tiny / "gpt2"), "abcde"))


# ---------------------------------------------------------------- when it cannot
def test_a_model_without_a_head_says_so_in_the_panel_and_nowhere_else(qtbot, panel: LogitLensPanel, tiny: Path) -> None:
    state = opened(qtbot, panel, str(tiny / "headless"), "the cat sat")
    qtbot.waitUntil(lambda: "no head that predicts tokens" in panel.status.text(), timeout=PATIENCE)
    assert "no head that predicts tokens" in panel.card.title.text()
    assert state.notice is None
    assert state.busy is None


@pytest.mark.parametrize("family", ["toy:tales", "gpt2", "t5"])
def test_what_a_model_wrote_is_read_by_its_tokens(qtbot, panel: LogitLensPanel, tiny: Path, family: str) -> None:
    source = family if family.startswith("toy:") else str(tiny / family)
    state = opened(qtbot, panel, source, TALE if family == "toy:tales" else "abc")
    panel._explorer.generate(6, Sampling(temperature=2.0, seed=1))
    settle(qtbot, state)
    qtbot.waitUntil(lambda: panel.view.picture.is_read(range(len(panel._axis))) and state.busy is None, timeout=PATIENCE)
    assert "exactly the model's prediction" in panel.status.text()
    last = panel.view.picture.n_depths - 1
    for step in state.steps:  # each was chosen by what the model said after the tokens before it
        found = panel.view.picture.candidates(last, step.prediction.position - 1)
        assert [id_ for id_, _, _ in found] == [candidate.id for candidate in step.candidates[:5]]
        expected = [candidate.probability for candidate in step.candidates[:5]]
        assert [p for _, _, p in found] == pytest.approx(expected, abs=allowed.of_probabilities(step.prediction.logits))


def test_of_a_step_that_one_looks_back_at_the_lens_is_read_on_request(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:tales", TALE)
    panel._explorer.generate(6, state.sampling)
    settle(qtbot, state)
    qtbot.waitUntil(lambda: panel._shown is not None and panel._shown.axis is panel._axis and state.busy is None)
    fresh, n_whole = values(shown(panel.view)), panel.view.picture.axis
    panel._explorer.show_step(2)
    qtbot.waitUntil(lambda: state.step == 2)
    assert state.busy is None
    assert panel.view.picture.axis is n_whole, "nobody asked"
    assert "Press Compute" in panel.status.text()
    assert not np.array_equal(values(shown(panel.view)), fresh), "grey"
    qtbot.mouseClick(panel.fill, LEFT)
    settle(qtbot, state)
    assert_shows(panel.view.picture, of_core("toy:tales", state.captured.axis("decoder").queries.text))
    assert len(panel.view.picture.axis) == len(state.steps[2].record.axis("decoder").queries)


def test_filled_masks_are_read_with_their_words(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", "the [MASK] of the cabinet [MASK] rusty .")
    panel._explorer.fill()
    settle(qtbot, state)
    qtbot.waitUntil(lambda: not panel._is_stale and state.busy is None, timeout=PATIENCE)
    assert not state.captured.axis("encoder").queries.masks
    assert_shows(panel.view.picture, of_core("toy:grammar", state.text))


def test_the_same_text_once_more_is_not_read_once_more(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    picture, record = panel.view.picture, state.captured
    run(qtbot, panel, KEYS)
    assert state.captured is not record
    assert panel.view.picture is picture
    assert "exactly the model's prediction" in panel.status.text()


def test_a_grid_of_another_text_stays_grey_until_it_is_read_anew(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    panel.hide()
    run(qtbot, panel, KEYS.replace("keys", "key"))
    assert "earlier text or model" in panel.status.text()
    panel._state.update(hover=Cell())
    panel._point_at((1, 2))
    assert state.hover == Cell(), "its tokens are not those of the other views"
    panel.show()
    settle(qtbot, state)
    assert_shows(panel.view.picture, of_core("toy:grammar", state.text))


# ---------------------------------------------------------------- pointing
def test_the_mouse_shows_a_cells_best_tokens_and_lights_the_token_everywhere(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    qtbot.mouseMove(panel.view.viewport(), place_of(panel, 1, 4))
    assert state.hover == Cell(query=4)
    layer = of_core("toy:grammar", KEYS)[1]
    probabilities = layer.probabilities[4]
    assert [bar.probability for bar in panel.card.bars.bars] == pytest.approx(
        probabilities.tolist(), abs=allowed.of_weights(probabilities)
    )
    assert panel.card.title.text().startswith(f"After layer 0, at “{state.queries.labels[4]}” (4)")
    before = values(shown(panel.view))
    state.update(hover=Cell(query=6))
    after = values(shown(panel.view))
    changed = np.flatnonzero((before != after).any(axis=0))
    layout = panel.view.layout_now
    assert changed.min() >= layout.box(0, 4).left() - 2
    assert changed.max() <= layout.box(0, 6).right() + 2


def test_a_click_pins_and_a_second_lets_go(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    qtbot.mouseClick(panel.view.viewport(), LEFT, NONE, place_of(panel, 1, 4))
    assert state.pinned == Cell(query=4)
    bars = panel.card.bars.bars
    qtbot.mouseMove(panel.view.viewport(), place_of(panel, 0, 2))
    assert panel.card.bars.bars != bars
    panel.view._point_at(None)
    assert panel.card.bars.bars == bars, "back to the pinned cell"
    qtbot.mouseClick(panel.view.viewport(), LEFT, NONE, place_of(panel, 1, 4))
    assert state.pinned == Cell()
    qtbot.mouseClick(panel.view.viewport(), LEFT, NONE, place_of(panel, 1, 4))
    state.update(pinned=Cell(query=2))
    assert panel._pinned is None, "pinned elsewhere"


def test_keys_move_and_pin(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    panel.view.setFocus()
    for key in (Qt.Key.Key_Right, Qt.Key.Key_Right, Qt.Key.Key_Up):
        qtbot.keyClick(panel.view, key)
    assert state.hover == Cell(query=2)
    qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert state.pinned == Cell(query=2)
    assert panel._pinned == (panel.view.picture.n_depths - 2, 2)


def test_pictures_of_words_light_the_word(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    panel._explorer.set_units(Units(special="hidden"))
    qtbot.waitUntil(lambda: len(state.queries) < len(state.captured.axis("encoder").queries))
    qtbot.mouseMove(panel.view.viewport(), place_of(panel, 1, 4))
    assert state.hover == Cell(query=3), "[CLS] is hidden"
    qtbot.mouseMove(panel.view.viewport(), place_of(panel, 1, 0))
    assert state.hover == Cell(query=None)


# ---------------------------------------------------------------- one token
def test_a_clicked_candidate_is_followed_through_the_layers(qtbot, panel: LogitLensPanel) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    assert panel.view.picture.followed_ranks[-1].tolist() == [1] * len(state.queries), "the final prediction is its own best"
    (mask,) = state.queries.masks
    qtbot.mouseClick(panel.view.viewport(), LEFT, NONE, place_of(panel, panel.view.picture.n_depths - 1, mask))
    id_, label, _ = panel.view.picture.candidates(panel.view.picture.n_depths - 1, mask)[1]
    bars = panel.card.bars
    qtbot.waitUntil(lambda: bars.height() > bars.row_rect(1).bottom())  # laid out
    qtbot.mouseClick(bars, LEFT, NONE, bars.row_rect(1).center().toPoint())
    settle(qtbot, state)
    assert_shows(panel.view.picture, of_core("toy:grammar", KEYS, follow=id_))
    assert panel.view.picture.followed_ranks[-1, mask] == 2
    assert panel.view.picture.words(0, mask, "token").endswith(f"#{panel.view.picture.followed_ranks[0, mask]}")
    assert panel.modes["token"].isChecked()
    assert label in panel.status.text()
    panel.final.trigger()
    settle(qtbot, state)
    assert panel.view.picture.followed_ranks[-1, mask] == 1
    assert not panel.final.isEnabled()


# ---------------------------------------------------------------- the picture
@pytest.mark.parametrize("dark", [False, True])
def test_cells_have_the_ramps_colour_of_their_number(qtbot, panel: LogitLensPanel, dark: bool) -> None:
    state = opened(qtbot, panel, "toy:grammar", KEYS)
    state.update(dark=dark)
    picture, theme = panel.view.picture, theme_of(dark)
    most = np.log2(of_core("toy:grammar", KEYS)[0].n_vocabulary)
    numbers = {
        "probability": picture.probabilities,
        "entropy": picture.entropies / most,
        "token": picture.followed_probabilities,
    }
    for mode, shown_numbers in numbers.items():
        panel.modes[mode].trigger()
        seen = values(shown(panel.view.viewport()))
        layout = panel.view.layout_now
        for depth in range(picture.n_depths):
            corner = layout.box(depth, 3).topLeft().toPoint() + QPoint(2, 2)
            expected = QColor(*(int(part) for part in theme.ramp[round(float(shown_numbers[depth, 3]) * 255)]))
            assert seen[corner.y(), corner.x()] == expected.rgb()


def test_a_narrow_panel_puts_the_card_below(qtbot, panel: LogitLensPanel) -> None:
    opened(qtbot, panel, "toy:grammar", KEYS)
    assert panel.card.geometry().left() >= panel.view.geometry().right()
    panel.resize(320, 500)
    qtbot.waitUntil(lambda: panel.card.geometry().top() >= panel.view.geometry().bottom())
    hint = panel.minimumSizeHint()
    assert hint.width() <= 260
    assert hint.height() <= 240
