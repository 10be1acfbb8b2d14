"""The text view: the text as it is read, every word where its token is, every colour a number that can be checked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QToolButton

from headscope.core.analyse.attribution.token_attribution import token_attribution
from headscope.core.analyse.records.rollout import attention_rollout
from headscope.core.attention.from_arrays import record_of
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.options import Sampling
from headscope.core.predict import surprisal as surprisal_file
from headscope.core.predict.surprisal import surprisal
from headscope.core.requests.predictions import AttributionRequest
from headscope.core.target import Target
from headscope.core.text.tokens import Token, TokenAxis, Units
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.text.paint.layout import ReadingLayout
from headscope.gui.views.text.paint.passage import Part, passage_of
from headscope.gui.views.text.paint.shades import Shades
from headscope.gui.views.text.panel import ReadingPanel
from headscope.gui.views.text.widget import ReadingView
from tests import allowed
from tests.generating import folder_of, model_of
from tests.gui.screen import said, settle
from tests.looked_into import opened

PATIENCE = 30_000
CONTROL = Qt.KeyboardModifier.ControlModifier


def axis_of(text: str, words: list[str], **options) -> TokenAxis:
    """Each word where it stands in the text."""
    tokens, at = [], 0
    for word in words:
        at = text.index(word, at)
        tokens.append(Token(word.strip() or "␣", 1, at, at + len(word), **options))
        at += len(word)
    return TokenAxis(tuple(tokens), text)


def words_of(passage) -> list[str]:
    return [passage.text[start:end] for start, end in passage.spans]


def laid_out(passage, width: float) -> ReadingLayout:
    layout = ReadingLayout(passage, width, theme_of(dark=False))
    layout.advance(60)
    assert layout.is_complete
    return layout


def lines_of(layout: ReadingLayout) -> list[str]:
    starts = [line.start for line in layout.lines] + [len(layout.passage.text)]
    return [layout.passage.text[start:end] for start, end in pairwise(starts)]


@pytest.fixture
def explorer(qapp) -> Iterator[Explorer]:
    explorer = Explorer(Session())
    yield explorer
    assert explorer.close()


@pytest.fixture
def opened_panel(qtbot, explorer: Explorer) -> Callable[..., ReadingPanel]:
    """The panel, shown, after the first run of a model."""

    def open_(model: str = "toy:grammar", text: str = "", pair: str = "", target: str = "") -> ReadingPanel:
        explorer.state.update(text=text, text_pair=pair, target=target)
        panel = ReadingPanel(explorer.state, explorer)
        qtbot.addWidget(panel)
        panel.resize(420, 240)
        panel.show()
        explorer.load(model)
        qtbot.waitUntil(lambda: explorer.state.run is not None and explorer.state.busy is None, timeout=PATIENCE)
        return panel

    return open_


def shades(panel: ReadingPanel) -> Shades | None:
    return panel.view.shades


def assert_bits(panel: ReadingPanel, model: Model, *texts: str | None) -> None:
    """It shows the surprisals that core computes."""
    bits = surprisal(model, *texts).bits
    np.testing.assert_allclose(shades(panel).values, bits, atol=allowed.of_logits(bits, model))


def hover(qtbot, panel: ReadingPanel, word: int) -> None:
    qtbot.mouseMove(panel.view.viewport(), QPoint(1, 1))  # the mouse may be there already, from the test before
    qtbot.mouseMove(panel.view.viewport(), panel.view.point_of(word))


# ---------------------------------------------------------------- the text
def test_the_text_stands_as_it_was_written() -> None:
    text = "The  keys,\nof the cabinet."
    passage = passage_of([Part(axis_of(text, ["The", "keys", ",", "of", "the", "cabinet", "."]))])
    assert passage.text == text
    assert words_of(passage) == ["The", "keys", ",", "of", "the", "cabinet", "."]


def test_what_the_tokenizer_added_stands_between_quietly() -> None:
    words = axis_of("a cat", ["a", "cat"]).tokens
    added = Token("[CLS]", 0, special=True), Token("[SEP]", 0, special=True)
    passage = passage_of([Part(TokenAxis((added[0], *words, added[1]), "a cat"))])
    assert passage.text == "[CLS] a cat [SEP]"
    assert [passage.text[start:end] for start, end in passage.quiet] == ["[CLS]", "[SEP]"]
    assert words_of(passage) == ["[CLS]", "a", "cat", "[SEP]"]


def test_a_pair_is_two_paragraphs() -> None:
    first = axis_of("a cat", ["a", "cat"]).tokens
    second = axis_of("it ran", ["it", "ran"], segment=1).tokens
    passage = passage_of([Part(TokenAxis((*first, *second), "a cat"), "it ran")])
    assert passage.text == "a cat\nit ran"
    unknown = passage_of([Part(TokenAxis((*first, *second), "a cat"))])
    assert words_of(unknown) == ["a", "cat", "it", "ran"]  # by their labels


def test_a_line_end_that_is_a_token_can_be_seen_and_ends_the_line() -> None:
    passage = passage_of([Part(axis_of("a\r\nb", ["a", "\r\n", "b"]))])
    assert passage.text == "a⏎\nb"
    assert words_of(passage) == ["a", "⏎\n", "b"]


def test_bytes_of_one_character_each_have_a_place() -> None:
    tokens = Token("🙂", 1, 0, 1), Token("·", 2, 0, 1), Token("ok", 3, 1, 3)
    passage = passage_of([Part(TokenAxis(tokens, "🙂ok"))])
    assert words_of(passage) == ["🙂", "·", "ok"]


def test_labels_stand_for_tokens_without_a_text() -> None:
    tokens = Token("walk", 1), Token("·ed", 2), Token("on", 3)
    assert passage_of([Part(TokenAxis(tokens))]).text == "walked on"


def test_two_texts_have_headings_and_their_words_follow_each_other() -> None:
    parts = [Part(axis_of("a b", ["a", "b"]), heading="Source"), Part(axis_of("c", ["c"]), heading="Target")]
    passage = passage_of(parts)
    assert passage.text == "Source\na b\nTarget\nc"
    assert (passage.firsts, words_of(passage)) == ((0, 2), ["a", "b", "c"])


# ---------------------------------------------------------------- lines
def test_lines_break_between_words_and_lose_nothing(qapp) -> None:
    words = ("the keys of the cabinet were rusty " * 60).split()
    passage = passage_of([Part(axis_of(" ".join(words), words))])
    layout = laid_out(passage, 200)
    assert "".join(lines_of(layout)) == passage.text
    assert all(line.endswith(" ") for line in lines_of(layout)[:-1])
    assert [word for line in layout.lines for word, _, _ in line.boxes] == list(range(len(words)))
    for line in layout.lines:
        edges = [edge for _, left, right in line.boxes for edge in (left, right)]
        assert edges == sorted(edges)
        assert edges[-1] <= 200


def test_chinese_breaks_anywhere(qapp) -> None:
    text = "钥匙在柜子里面所以没有人打开它" * 8
    layout = laid_out(passage_of([Part(axis_of(text, list(text)))]), 150)
    assert len(layout.lines) > 5
    assert max(map(len, lines_of(layout))) - min(map(len, lines_of(layout)[:-1])) <= 1


def test_characters_that_qt_counts_twice_shift_nothing(qapp) -> None:
    plain, strange = (laid_out(passage_of([Part(axis_of(text, text.split()))]), 400) for text in ("🙂 aa bb", "🙂🙂🙂 aa bb"))
    for layout in (plain, strange):
        _, second, third = layout.lines[0].boxes
        assert second[2] - second[1] == pytest.approx(plain.lines[0].boxes[1][2] - plain.lines[0].boxes[1][1], abs=0.1)
        assert third[1] > second[2]


def test_a_text_that_grows_keeps_its_lines(qapp) -> None:
    words = ("the keys of the cabinet were rusty " * 30).split()
    short, long_ = (passage_of([Part(axis_of(" ".join(words[:n]), words[:n]))]) for n in (200, 210))
    before = laid_out(short, 200)
    grown = ReadingLayout(long_, 200, theme_of(dark=False), before)
    assert grown.lines == before.lines[:-1]
    grown.advance(60)
    anew = laid_out(long_, 200)
    assert [line.boxes for line in grown.lines] == [line.boxes for line in anew.lines]
    assert [grown.line_of(word) for word in range(210)] == [anew.line_of(word) for word in range(210)]


def test_a_long_text_is_laid_out_in_slices_and_only_what_is_seen_is_drawn(qtbot) -> None:
    words = ("the keys of the cabinet were rusty " * 1200).split()
    view = ReadingView()
    qtbot.addWidget(view)
    view.resize(500, 300)
    view.show()
    view.set_passage(passage_of([Part(axis_of(" ".join(words), words))]))
    assert not view.text_layout.is_complete
    assert view.text_layout.lines  # but what is in sight is there
    qtbot.waitUntil(lambda: view.text_layout.is_complete, timeout=PATIENCE)
    view.reveal(len(words) - 1)
    assert view.viewport().rect().contains(view.point_of(len(words) - 1))


# ---------------------------------------------------------------- attention
def test_the_words_are_coloured_by_what_the_token_looks_at(qtbot, opened_panel) -> None:
    panel = opened_panel()
    state = panel._state
    hover(qtbot, panel, 2)
    assert state.hover == Cell(query=2)
    assert np.array_equal(shades(panel).values, state.shown[2])
    word = int(np.argmax(state.shown[2]))
    box = panel.view.text_layout.boxes_of(word)[0]
    pixel = (
        panel.view.viewport().grab().toImage().pixelColor(panel.view.point_of(word) - QPoint(0, round(box.height() / 2) - 3))
    )
    ground, ink = theme_of(dark=False).color("panel"), theme_of(dark=False).color("accent")
    expected = [round(low + 0.6 * (high - low)) for low, high in zip(ground.getRgb()[:3], ink.getRgb()[:3], strict=True)]
    assert pixel.getRgb()[:3] == pytest.approx(expected, abs=1)
    assert f"{state.shown[2, 2]:.4f}" in panel.scale.note
    assert f"{state.shown[2].max():.4f}" in panel.scale.scale.largest
    assert "linear" in panel.scale.toolTip()
    assert f"{state.shown[2, 4]:.6f}" in panel.view.about(4)


def test_the_other_way_round_who_looks_at_it(qtbot, opened_panel) -> None:
    panel = opened_panel()
    qtbot.mouseClick(panel.modes["to"], Qt.MouseButton.LeftButton)
    hover(qtbot, panel, 2)
    assert panel._state.hover == Cell(key=2)
    assert np.array_equal(shades(panel).values, panel._state.shown[:, 2])


def test_a_click_pins_and_a_click_beside_lets_go(qtbot, opened_panel) -> None:
    panel = opened_panel()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=panel.view.point_of(3))
    assert panel._state.pinned == Cell(query=3)
    hover(qtbot, panel, 5)
    assert np.array_equal(shades(panel).values, panel._state.shown[3])
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, pos=QPoint(200, 200))
    assert panel._state.pinned == Cell()


def test_marked_tokens_are_summed_and_the_title_says_so(qtbot, opened_panel) -> None:
    panel = opened_panel()
    for word in (2, 5):
        qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, CONTROL, panel.view.point_of(word))
    assert panel._state.marks == Marks(queries=(2, 5))
    np.testing.assert_allclose(shades(panel).values, panel._state.shown[2] + panel._state.shown[5], atol=allowed.of_sums(2))
    assert "sum of 2" in panel.title.text()
    qtbot.mouseClick(panel.view.viewport(), Qt.MouseButton.LeftButton, CONTROL, panel.view.point_of(2))
    assert panel._state.marks == Marks(queries=(5,))


def test_of_several_heads_the_mean_is_shown_and_the_title_says_so(qtbot, explorer, opened_panel) -> None:
    panel = opened_panel()
    explorer.select_head((0, 1), extend=True)
    qtbot.waitUntil(lambda: len(explorer.state.heads) == 2, timeout=PATIENCE)
    hover(qtbot, panel, 2)
    both = [explorer.state.weights[head][2] for head in explorer.state.heads]
    np.testing.assert_allclose(shades(panel).values, np.mean(both, axis=0), atol=allowed.of_sums(2))
    assert "mean of 2 heads" in panel.title.text()


def test_arrows_move_and_enter_pins(qtbot, opened_panel) -> None:
    panel = opened_panel()
    panel.view.setFocus()
    for key in (Qt.Key.Key_Home, Qt.Key.Key_Right, Qt.Key.Key_Right):
        qtbot.keyClick(panel.view, key)
    assert panel._state.hover == Cell(query=2)
    qtbot.keyClick(panel.view, Qt.Key.Key_Return)
    assert panel._state.pinned == Cell(query=2)
    qtbot.keyClick(panel.view, Qt.Key.Key_Escape)
    assert panel._state.pinned == Cell()


def test_what_is_pointed_at_elsewhere_is_framed_here(opened_panel) -> None:
    panel = opened_panel()
    panel._state.update(hover=Cell(4, 2))
    picture = panel.view.viewport().grab().toImage()
    box = panel.view.text_layout.boxes_of(4)[0].translated(panel.view._origin())
    frame = picture.pixelColor(round(box.center().x()), round(box.top()) + 1)
    assert frame.name() == QColor(theme_of(dark=False).query).name().lower()


def test_a_hidden_panel_does_nothing(qtbot, opened_panel) -> None:
    panel = opened_panel()
    panel.hide()
    before = shades(panel)
    panel._state.update(hover=Cell(query=2))
    assert shades(panel) is before
    panel.show()
    assert np.array_equal(shades(panel).values, panel._state.shown[2])


def test_in_words_the_rows_are_of_words(qtbot, explorer, opened_panel, tmp_path: Path) -> None:
    from tests.tiny_models import write_masked

    panel = opened_panel(str(write_masked(tmp_path)), "the cat walked playing a mat")
    explorer.set_units(Units("words"))
    qtbot.waitUntil(lambda: explorer.state.units.of == "words", timeout=PATIENCE)
    assert words_of(panel.view.passage) == ["[CLS]", "the", "cat", "walked", "playing", "a", "mat", "[SEP]"]
    hover(qtbot, panel, 3)
    assert np.array_equal(shades(panel).values, explorer.state.shown[3])
    panel.set_mode("surprisal")
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    bits = surprisal(load_model(str(tmp_path)), "the cat walked playing a mat").bits
    assert shades(panel).values[3] == pytest.approx(bits[3] + bits[4], abs=allowed.of_logits(bits))


def test_across_source_and_target_stand_under_each_other(qtbot, explorer, opened_panel, tmp_path: Path) -> None:
    opened("t5", tmp_path)
    panel = opened_panel(str(tmp_path), "the cat sat on a mat", target="a dog ran")
    explorer.set_kind("cross")
    qtbot.waitUntil(lambda: explorer.state.kind == "cross", timeout=PATIENCE)
    state, n_keys = explorer.state, len(explorer.state.keys)
    assert panel.view.passage.firsts == (0, n_keys)
    hover(qtbot, panel, n_keys + 1)
    assert state.hover == Cell(query=1)
    assert np.array_equal(shades(panel).values[:n_keys], state.shown[1])
    assert np.isnan(shades(panel).values[n_keys:]).all()
    panel.set_mode("to")
    hover(qtbot, panel, 2)
    assert state.hover == Cell(key=2)
    assert np.array_equal(shades(panel).values[n_keys:], state.shown[:, 2])


def test_rows_of_a_large_head_are_asked_for_and_exact(qtbot, explorer) -> None:
    generator = np.random.default_rng(1)
    weights = generator.dirichlet(np.ones(2100), size=2100).astype(np.float32)[None, None]
    panel = ReadingPanel(explorer.state, explorer)
    qtbot.addWidget(panel)
    panel.show()
    explorer.show_record(record_of(weights, [f"w{number}" for number in range(2100)]))
    qtbot.waitUntil(lambda: explorer.state.record is not None, timeout=PATIENCE)
    for mode, expected in (("from", weights[0, 0, 7]), ("to", weights[0, 0, :, 7])):
        panel.set_mode(mode)
        explorer.state.update(hover=Cell(7, 7))
        qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
        qtbot.waitUntil(
            lambda: allowed.difference(shades(panel).values, expected) <= allowed.of_sums(1),  # noqa: B023
            timeout=PATIENCE,
        )
        assert shades(panel).values.argmax() == expected.argmax()


# ---------------------------------------------------------------- surprisal
def test_a_decoders_surprisal_comes_by_itself(qtbot, opened_panel) -> None:
    text = "once upon a time there was a dog ."
    panel = opened_panel("toy:tales", text)
    qtbot.mouseClick(panel.modes["surprisal"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    assert_bits(panel, load_model("toy:tales"), text)
    assert "bits" in panel.scale.scale.largest
    assert not panel.compute.isVisible()


def test_while_a_model_writes_the_text_grows_and_its_surprisal_comes_in_the_end(qtbot, explorer, opened_panel) -> None:
    panel = opened_panel("toy:tales", "once upon a time there was a dog .")
    panel.set_mode("surprisal")
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    explorer.generate(8, Sampling())
    qtbot.waitUntil(lambda: explorer.state.steps != () and explorer.state.busy is None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: shades(panel) is not None and explorer.state.busy is None, timeout=PATIENCE)
    axis = explorer.state.queries
    assert words_of(panel.view.passage) == [axis.text[token.start : token.end] or token.text for token in axis.tokens]
    assert_bits(panel, load_model("toy:tales"), axis.text)


def test_a_masked_models_surprisal_is_computed_on_request(qtbot, explorer, opened_panel) -> None:
    panel = opened_panel("toy:grammar", "the keys of the cabinet are rusty .")
    panel.set_mode("surprisal")
    assert panel.compute.isVisible()
    assert shades(panel) is None
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    assert_bits(panel, load_model("toy:grammar"), "the keys of the cabinet are rusty .")
    explorer.state.update(text="the dogs bark .")
    explorer.run()
    qtbot.waitUntil(lambda: "dogs" in explorer.state.queries.text, timeout=PATIENCE)
    assert shades(panel) is None  # of another text
    qtbot.waitUntil(lambda: panel.compute.isVisible() and panel.compute.isEnabled(), timeout=PATIENCE)


def test_what_the_model_refuses_is_said_in_the_panel_with_the_way_out_and_nowhere_else(
    qtbot, explorer, opened_panel, monkeypatch: pytest.MonkeyPatch
) -> None:
    panel = opened_panel("toy:grammar", "the keys of the cabinet are rusty .")
    panel.set_mode("surprisal")
    monkeypatch.setattr(surprisal_file, "MOST_MASKED", 3)
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "Shorten the text to 3 tokens" in panel.refusal.text(), timeout=PATIENCE)
    assert panel.refusal.isVisible()
    assert explorer.state.notice is None
    qtbot.waitUntil(lambda: explorer.state.busy is None and panel.compute.isEnabled(), timeout=PATIENCE)
    panel.set_mode("attribution")
    assert not panel.refusal.isVisible(), "another question"
    monkeypatch.undo()
    panel.set_mode("surprisal")
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    assert not panel.refusal.isVisible()


def test_a_bug_is_said_in_the_panel_and_told_with_its_details(qtbot, explorer, opened_panel, monkeypatch) -> None:
    panel = opened_panel("toy:grammar", "the keys of the cabinet are rusty .")
    monkeypatch.setattr(surprisal_file, "_LOGIT_BYTES", "many")
    panel.set_mode("surprisal")
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: "inside Headscope" in panel.refusal.text(), timeout=PATIENCE)
    assert "Traceback" in explorer.state.notice.details
    assert explorer.state.busy is None


def test_of_what_a_model_wrote_the_numbers_are_of_its_very_tokens(qtbot, explorer, opened_panel) -> None:
    """Also where the text would be cut into other tokens."""
    panel = opened_panel(str(folder_of("gpt2")), "the cat sat")
    panel.set_mode("surprisal")
    explorer.generate(1, Sampling())
    settle(qtbot, explorer.state)
    begins = explorer.state.queries.tokens[0].id  # no text has it but at its beginning
    explorer.fork(explorer.state.steps[0], begins, 4)
    settle(qtbot, explorer.state)
    record = explorer.state.captured
    ids = [token.id for token in record.axis("decoder").queries.tokens]
    assert ids.count(begins) > 1
    qtbot.waitUntil(lambda: shades(panel) is not None and explorer.state.busy is None, timeout=PATIENCE)
    logits = model_of("gpt2").forward({"input_ids": torch.tensor([ids])}).logits[0].double().log_softmax(-1)
    expected = [-float(logits[at, id_]) / math.log(2) for at, id_ in enumerate(ids[1:])]
    np.testing.assert_allclose(shades(panel).values[1:], expected, atol=allowed.of_logits(logits, model_of("gpt2")))
    panel.set_mode("attribution")
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    request = AttributionRequest(record, Target(len(ids) - 1, explorer.state.predictions[0].candidates[0].id))
    own = token_attribution(model_of("gpt2"), request.record, request.target).source
    assert allowed.difference(shades(panel).values, own) <= allowed.of_attributions(own, model_of("gpt2"))
    assert not shades(panel).stale


def test_the_same_target_of_another_source_is_another_surprisal(qtbot, explorer, opened_panel) -> None:
    panel = opened_panel(str(folder_of("t5")), "the cat sat", target="a dog")
    explorer.set_kind("decoder")
    qtbot.waitUntil(lambda: explorer.state.kind == "decoder", timeout=PATIENCE)
    panel.set_mode("surprisal")
    for source in ("the cat sat", "he ran"):
        explorer.state.update(text=source)
        explorer.run()
        settle(qtbot, explorer.state)
        qtbot.waitUntil(lambda: shades(panel) is not None and explorer.state.busy is None, timeout=PATIENCE)
        assert_bits(panel, model_of("t5"), source, None, "a dog")


def test_while_one_looks_back_at_steps_nothing_is_computed_unasked(qtbot, explorer, opened_panel) -> None:
    panel = opened_panel("toy:tales", "once upon a time")
    explorer.generate(4, Sampling())
    settle(qtbot, explorer.state)
    explorer.show_step(1)
    qtbot.waitUntil(lambda: explorer.state.step == 1, timeout=PATIENCE)
    panel.set_mode("surprisal")
    assert explorer.state.busy is None
    assert "Not computed" in panel.title.text()
    explorer.show_step(None)
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)


# ---------------------------------------------------------------- attribution
def test_an_attribution_is_computed_on_request_and_greyed_when_it_is_of_another_prediction(qtbot, opened_panel) -> None:
    text = "the [MASK] of the cabinet [MASK] rusty ."
    panel = opened_panel("toy:grammar", text)
    panel.set_mode("attribution")
    assert shades(panel) is None
    assert "Not computed" in panel.title.text()
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    model = load_model("toy:grammar")
    expected = token_attribution(model, panel._state.captured).source
    assert allowed.difference(shades(panel).values, expected) <= allowed.of_attributions(expected, model)
    assert not shades(panel).stale
    assert "∂y/∂A" in panel.modes["attribution"].toolTip()
    second = panel._state.predictions[1].position
    panel._state.update(pinned=Cell(query=second))
    assert shades(panel).stale
    assert "another prediction" in panel.title.text()
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: not shades(panel).stale, timeout=PATIENCE)
    assert allowed.difference(shades(panel).values, expected) > 100 * allowed.of_attributions(expected, model)


def test_rollout_is_that_of_the_predicted_place(qtbot, explorer, opened_panel) -> None:
    panel = opened_panel("toy:grammar", "the keys of the cabinet [MASK] rusty .")
    panel.set_mode("attribution")
    qtbot.mouseClick(panel.rollout, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(panel.compute, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    whole = attention_rollout(explorer.state.captured, "encoder").weights[-1]
    np.testing.assert_allclose(shades(panel).values, whole[explorer.state.predictions[0].position], atol=30 * allowed.of_sums())


def test_given_arrays_have_no_predictions_but_a_rollout(qtbot, explorer) -> None:
    weights = np.random.default_rng(0).dirichlet(np.ones(4), size=(2, 2, 4)).astype(np.float32)
    panel = ReadingPanel(explorer.state, explorer)
    qtbot.addWidget(panel)
    panel.show()
    explorer.show_record(record_of(weights, ["a", "b", "c", "d"]))
    qtbot.waitUntil(lambda: explorer.state.record is not None, timeout=PATIENCE)
    panel.set_mode("surprisal")
    assert "no head that predicts" in panel.title.text()
    panel.set_mode("attribution")
    assert "no prediction" in panel.title.text()
    panel.rollout.click()
    explorer.state.update(pinned=Cell(query=1))
    panel.compute.click()
    qtbot.waitUntil(lambda: shades(panel) is not None, timeout=PATIENCE)
    whole = attention_rollout(explorer.state.captured).weights[-1]
    np.testing.assert_allclose(shades(panel).values, whole[1], atol=30 * allowed.of_sums())


def test_what_is_impossible_has_the_strongest_colour_and_what_is_unknown_none(qtbot) -> None:
    view = ReadingView()
    qtbot.addWidget(view)
    view.resize(300, 100)
    view.show()
    view.set_passage(passage_of([Part(axis_of("aa bb cc", ["aa", "bb", "cc"]))]))
    view.set_shades(Shades(np.array([np.nan, 4, np.inf], np.float32), "bits"))
    image = view.viewport().grab().toImage()
    edges = [image.pixelColor(view.point_of(word) - QPoint(0, 8)).name() for word in range(3)]
    assert edges[0] == theme_of(dark=False).panel.lower()
    assert edges[1] == edges[2] != edges[0]
    assert [view.shades.number(word) for word in range(3)] == ["", "4.0000 bits", "inf bits"]


def test_every_control_is_named_and_teaches(opened_panel) -> None:
    panel = opened_panel()
    for button in panel.findChildren(QToolButton):
        assert button.text()
    assert all(button.toolTip() for button in panel.modes.values())
    assert panel.view.accessibleName() == "Text"
    assert panel.minimumSizeHint().width() <= 320


def test_the_view_tells_what_is_pointed_at_and_forgets_it_when_the_mouse_leaves(qtbot) -> None:
    view = ReadingView()
    qtbot.addWidget(view)
    view.resize(300, 100)
    view.show()
    view.set_passage(passage_of([Part(axis_of("a cat", ["a", "cat"]))]))
    told = said(view.hovered)
    qtbot.mouseMove(view.viewport(), view.point_of(1))
    qtbot.mouseMove(view.viewport(), QPoint(270, 90))
    assert told == [(1,), (None,)]


def test_pointing_into_the_text_lights_the_other_views_and_theirs_the_text(qtbot, open_window) -> None:
    window = open_window()
    docks, panel = window.desk.docks, window.panel("text")
    for name in ("text", "heads_by_token"):
        docks[name].show()
        docks[name].raise_()
    qtbot.waitUntil(panel.isVisible, timeout=PATIENCE)
    hover(qtbot, panel, 2)
    assert window.state.hover == Cell(query=2)
    strip = window.panel("heads_by_token")
    qtbot.waitUntil(
        lambda: strip.view.picture is not None and strip.title.text().startswith("“keys” attends"), timeout=PATIENCE
    )
    qtbot.mouseMove(strip.view.viewport(), strip.view.point_of(5, 0))
    assert window.state.hover == Cell(2, 5)
    assert panel.scale.note.startswith("keys")
    assert np.array_equal(shades(panel).values, window.state.shown[2])
