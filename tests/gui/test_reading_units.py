"""Tokens as words and without special tokens: what is pointed at stays what it was, and every number is a sum or a mean."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt

from headscope.core.text.tokens import TOKENS, Units
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.window.prompt.units_button import ReadingButton
from tests import allowed
from tests.gui.screen import PATIENCE, said, settle
from tests.tiny_models import write_masked


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_masked(tmp_path_factory.mktemp("bert"))


@pytest.fixture
def window(open_window, folder: Path):
    return open_window(str(folder), "the cat walked playing a mat")


def choose(qtbot, window, field: str, value: str) -> None:
    with qtbot.waitSignal(window.state.changed, timeout=PATIENCE, check_params_cb=lambda names: "units" in names):
        window.text.units.actions_of[field, value].trigger()


def test_the_menu_says_what_it_will_do_and_tells_the_choice(qtbot) -> None:
    button = ReadingButton()
    qtbot.addWidget(button)
    told = said(button.chosen)
    button.set_units(Units("words"))
    button.actions_of["special", "hidden"].trigger()
    assert told == [(Units("words", "hidden"),)]
    button.set_units(Units("words", "hidden"))
    assert "summed over their tokens" in button.toolTip()
    assert "less than 1" in button.toolTip()
    assert button.text().startswith("Words · special tokens hidden")


def test_words_take_the_place_of_tokens_everywhere(qtbot, window) -> None:
    state = window.state
    tokens = state.shown
    state.update(pinned=Cell(4, 5), marks=Marks(queries=(3, 4, 6), keys=(0,)))
    choose(qtbot, window, "of", "words")
    assert state.queries.labels == ("[CLS]", "the", "cat", "walked", "playing", "a", "mat", "[SEP]")
    assert state.pinned == Cell(3, 4)
    assert state.marks == Marks(queries=(3, 4), keys=(0,))
    assert state.shown.shape == (8, 8)
    np.testing.assert_allclose(state.shown[3, 4], tokens[3:5, 5:7].sum(1).mean(), atol=allowed.of_sums())
    assert window.panel("links").view.picture.queries is state.queries
    assert window.text.strip.axis.labels[3:5] == ("walk", "·ed")
    choose(qtbot, window, "of", "tokens")
    np.testing.assert_array_equal(state.shown, tokens)
    assert state.units == TOKENS
    assert state.record is state.captured


def test_a_token_of_the_strip_lights_its_word(qtbot, window) -> None:
    choose(qtbot, window, "of", "words")
    strip = window.text.strip
    qtbot.mouseMove(strip.viewport(), strip.point_of(6))
    assert window.state.hover == Cell(query=4)
    choose(qtbot, window, "special", "hidden")
    assert window.state.queries.labels[0] == "the"
    assert (window.state.shown.sum(1) < 1).all()
    qtbot.mouseMove(strip.viewport(), strip.point_of(5))
    qtbot.mouseMove(strip.viewport(), strip.point_of(0))
    assert window.state.hover == Cell()


def test_a_mask_can_still_be_put_where_a_token_is(qtbot, window) -> None:
    choose(qtbot, window, "of", "words")
    strip = window.text.strip
    qtbot.mouseClick(strip.viewport(), Qt.MouseButton.LeftButton, pos=strip.point_of(2))
    qtbot.waitUntil(lambda: window.state.text == "the [MASK] walked playing a mat", timeout=PATIENCE)
    settle(qtbot, window.state)
    assert window.state.queries.labels[2] == "[MASK]"
    assert window.state.units == Units("words")
    assert window.state.predictions


def test_the_next_text_is_read_in_the_same_way(qtbot, window) -> None:
    choose(qtbot, window, "of", "words")
    window.state.update(text="playing walked")
    window.explorer.run()
    settle(qtbot, window.state)
    assert window.state.queries.labels == ("[CLS]", "playing", "walked", "[SEP]")
