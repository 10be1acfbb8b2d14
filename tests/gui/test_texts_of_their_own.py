"""What was chosen about one text follows its edits, and ends with it; and a text that a model cannot read is said to be one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from headscope.gui.session.selection import Cell
from tests.gui.screen import PATIENCE, settle
from tests.tiny_models import write_encoder_decoder

DOGS = "the dog behind the cats [MASK] in the garden ."
EDITED = "the old dog behind the cats [MASK] in the garden ."
OTHER = "Lucy lost a kite because [MASK] was tired ."


def run(qtbot, window, text: str) -> None:
    window.state.update(text=text)
    window.explorer.run()
    qtbot.waitUntil(lambda: window.state.busy is None and window.state.queries.text == text, timeout=PATIENCE)


def test_a_comparison_follows_the_edits_of_its_text_and_ends_with_it(qtbot, open_window) -> None:
    window = open_window("toy:grammar", DOGS)
    run(qtbot, window, EDITED)
    assert len(window.state.before) == 1, "the mask of the text before the edit"
    run(qtbot, window, OTHER)
    assert window.state.before == (), "another sentence's mask is no counterpart"
    run(qtbot, window, OTHER.replace("a kite", "the kite"))
    assert len(window.state.before) == 1


def test_a_baseline_that_was_kept_ends_with_its_text_too(qtbot, open_window) -> None:
    window = open_window("toy:grammar", DOGS)
    window.explorer.sources.keep(True)
    run(qtbot, window, EDITED)
    assert window.state.reference_kept and len(window.state.before) == 1
    run(qtbot, window, OTHER)
    assert not window.state.reference_kept and window.state.before == ()


def test_a_sort_order_follows_the_edits_of_its_text_and_ends_with_it(qtbot, open_window) -> None:
    window = open_window("toy:grammar", DOGS)
    window.state.update(head_order=replace(window.state.head_order, sort="entropy"))
    run(qtbot, window, EDITED)
    assert window.state.head_order.sort == "entropy"
    run(qtbot, window, OTHER)
    assert window.state.head_order.sort is None


def test_a_text_of_unknown_tokens_is_said_to_be_one(qtbot, open_window) -> None:
    window = open_window("toy:grammar", "人工智能是一种技术。")
    assert "are not in this model's vocabulary" in window.state.notice.message
    assert window.state.notice.level == "info"
    run(qtbot, window, DOGS)
    assert window.state.notice is None
    run(qtbot, window, "the dog barks at the moonshine .")
    assert window.state.notice is None, "one word that is unknown is marked, and no more"


def test_an_encoder_decoder_opens_on_what_has_a_picture(qtbot, open_window, tmp_path) -> None:
    window = open_window("toy:tales", "once upon a time")
    window.state.update(pinned=Cell())
    assert window.state.kind == "decoder"
    window.explorer.load(str(write_encoder_decoder(tmp_path / "model")))
    qtbot.waitUntil(lambda: window.state.busy is None and window.state.model.family == "encoder-decoder", timeout=PATIENCE)
    settle(qtbot, window.state)
    assert len(window.state.record.axis("decoder").queries) == 1
    assert window.state.kind == "encoder"
    assert len(window.state.queries) > 1


@pytest.mark.parametrize("command", ["special_first_hidden", "special_first_renormalised"])
def test_the_attention_sink_is_hidden_by_a_command(qtbot, open_window, command: str) -> None:
    window = open_window("toy:tales", "once upon a time there was a king")
    whole = window.state.queries.labels
    window.commands.action(command).trigger()
    qtbot.waitUntil(lambda: window.state.queries.labels == whole[1:], timeout=PATIENCE)
    settle(qtbot, window.state)
    sums = window.state.shown.sum(axis=1)
    assert (sums[1:] < 0.999).any() == (command == "special_first_hidden")
