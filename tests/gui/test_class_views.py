"""Classes, tags and answers in the window: what is shown is the model's, and clicks, hovering and edits do what they say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QColor, QHelpEvent
from PySide6.QtWidgets import QApplication, QToolTip

from headscope.core.analyse.attribution.token_attribution import token_attribution
from headscope.core.models.load import load_model
from headscope.core.target import Target
from headscope.core.text.tokens import Units
from headscope.gui.control.explorer import Explorer
from headscope.gui.paint.probability import readable_change, readable_number
from headscope.gui.paint.theme import theme_of
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from headscope.gui.views.predictions.panel import PredictionsPanel
from headscope.gui.views.predictions.span_strip import SpanStrip
from headscope.gui.views.text.panel import ReadingPanel
from headscope.gui.widgets.probability_bars import Bar, ProbabilityBars
from headscope.gui.window.prompt.panel import TextPanel
from tests import allowed
from tests.classifying import write
from tests.gui.screen import PATIENCE, settle, shown, values

LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
TEXT, EDITED = "the cat sat on a mat .", "the mat sat on a mat ."
CONTEXT = "the cat sat on a mat . playing , the cat walked . a mat"
NLI = {0: "contradiction", 1: "entailment", 2: "neutral"}
TAGS = {0: "O", 1: "B-PER", 2: "I-PER"}


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


@pytest.fixture
def opened(qtbot, panel: PredictionsPanel, tmp_path: Path) -> Callable[..., Session]:
    def open_(name: str, text: str = TEXT, pair: str = "", **settings: Any) -> Session:
        state = panel._state
        state.update(text=text, text_pair=pair)
        panel._explorer.load(str(write(tmp_path, name, **settings)))
        qtbot.waitUntil(lambda: state.run is not None and state.busy is None, timeout=PATIENCE)
        assert state.notice is None
        return state

    return open_


def run(qtbot, panel: PredictionsPanel, **fields: str) -> None:
    panel._state.update(**fields)
    panel._explorer.run()
    settle(qtbot, panel._state)


def visible_blocks(panel: PredictionsPanel) -> list:
    return [block for block in panel.blocks if block.isVisible()]


def click(qtbot, widget: Any, row: int) -> None:
    qtbot.mouseClick(widget, LEFT, NONE, widget.row_rect(row).center().toPoint())


def logits_of(folder: Path, auto: Any, text: str, pair: str | None = None) -> torch.Tensor:
    tokenizer, model = hf.AutoTokenizer.from_pretrained(folder), auto.from_pretrained(folder)
    with torch.inference_mode():
        return model(**(tokenizer(text, pair, return_tensors="pt") if pair else tokenizer(text, return_tensors="pt"))).logits[0]


# ---------------------------------------------------------------- classes
def test_classes_are_bars_and_an_edit_shows_what_they_were(qtbot, panel: PredictionsPanel, opened, tmp_path: Path) -> None:
    opened("BertForSequenceClassification", pair="the cat walked .", id2label=NLI)
    (block,) = visible_blocks(panel)
    assert block.heading.text() == "Class of the text"
    assert {bar.label for bar in block.bars.bars} == set(NLI.values())
    run(qtbot, panel, text=EDITED)
    auto = hf.AutoModelForSequenceClassification
    old, new = (logits_of(tmp_path, auto, text, "the cat walked .").double().log_softmax(-1) for text in (TEXT, EDITED))
    for bar in visible_blocks(panel)[0].bars.bars:
        at = next(index for index, name in NLI.items() if name == bar.label)
        assert bar.probability == pytest.approx(math.exp(new[at]), abs=allowed.of_probabilities(new))
        assert bar.ghost == pytest.approx(math.exp(old[at]), abs=allowed.of_probabilities(old))
        assert float(bar.change.replace("−", "-")) == pytest.approx(
            float(new[at] - old[at]), abs=allowed.of_decimals(2) + allowed.of_logits(new)
        )
    assert "the previous run" in panel.caption.text()


def test_a_click_chooses_a_class_which_stays_chosen_after_an_edit(qtbot, panel: PredictionsPanel, opened) -> None:
    state = opened("BertForSequenceClassification", id2label=NLI)
    (block,) = visible_blocks(panel)
    label = block.bars.bars[2].label
    click(qtbot, block.bars, 2)
    assert state.text == TEXT, "a class is nothing to put into the text"
    assert [bar.label for bar in block.bars.bars if bar.chosen] == [label]
    run(qtbot, panel, text=EDITED)
    bars = visible_blocks(panel)[0].bars
    assert [bar.label for bar in bars.bars if bar.chosen] == [label]
    click(qtbot, bars, [bar.label for bar in bars.bars].index(label))
    assert not any(bar.chosen for bar in bars.bars)


def test_several_labels_stand_each_for_itself_and_a_number_has_no_bar(qtbot, panel: PredictionsPanel, opened) -> None:
    opened("BertForSequenceClassification", num_labels=4, problem_type="multi_label_classification")
    (block,) = visible_blocks(panel)
    assert "each independent" in block.heading.text()
    assert sum(bar.probability for bar in block.bars.bars) != pytest.approx(1, abs=1e-3)


def test_a_regression_shows_its_number_and_how_it_changed(qtbot, panel: PredictionsPanel, opened, tmp_path: Path) -> None:
    opened("LlamaForSequenceClassification", num_labels=1)
    run(qtbot, panel, text=EDITED)
    (block,) = visible_blocks(panel)
    auto = hf.AutoModelForSequenceClassification
    old, new = (float(logits_of(tmp_path, auto, text)[0]) for text in (TEXT, EDITED))
    (bar,) = block.bars.bars
    assert (bar.label, bar.number) == ("score", readable_number(new))
    assert bar.change == readable_change(new - old)
    assert "Regression" in panel.caption.text()


def test_of_a_hundred_long_labels_the_best_are_shown_whole_and_their_number_is_said(
    qtbot, panel: PredictionsPanel, opened
) -> None:
    names = {at: f"{'a name of sixty letters, as intents have them in real life'} {at:02}" for at in range(100)}
    opened("BertForSequenceClassification", id2label=names)
    (block,) = visible_blocks(panel)
    assert len(block.bars.bars) == 10
    assert "10 most probable of 100" in panel.caption.text()
    assert block.bars.row_rect(0).height() > 35, "a label has a line of its own"
    assert block.height() >= block.bars.row_rect(9).bottom()
    qtbot.mouseMove(block.bars, block.bars.row_rect(1).center().toPoint())
    short = ProbabilityBars()
    qtbot.addWidget(short)
    short.set_fitting(True)
    short.set_bars([Bar("yes", 0.5)])
    short.resize(340, 40)
    assert short.row_rect(0).height() < 35


# ---------------------------------------------------------------- tags
def test_each_token_has_its_tag_and_lights_up_everywhere(qtbot, panel: PredictionsPanel, opened, tmp_path: Path) -> None:
    state = opened("BertForTokenClassification", id2label=TAGS)
    tags = panel.class_views.tags
    own = logits_of(tmp_path, hf.AutoModelForTokenClassification, TEXT).double().softmax(-1)
    assert [row.token for row in tags.rows] == TEXT.split()
    for row in tags.rows:
        assert row.tag == TAGS[int(own[row.position].argmax())]
        assert row.probability == pytest.approx(float(own[row.position].max()), abs=allowed.of_weights(own))
        assert row.quiet == (row.tag == "O")
    qtbot.mouseMove(tags, tags.row_rect(2).center().toPoint())
    assert state.hover == Cell(query=tags.rows[2].position)
    assert tags.lit == {2}
    state.update(hover=Cell(key=5))
    assert tags.lit == {4}, "and what is pointed at in a picture lights up here"


def test_a_click_on_a_token_shows_all_its_tags_of_which_one_can_be_chosen(qtbot, panel: PredictionsPanel, opened) -> None:
    state = opened("BertForTokenClassification", id2label=TAGS)
    assert not visible_blocks(panel)
    tags = panel.class_views.tags
    click(qtbot, tags, 1)
    assert state.pinned == Cell(query=2)
    (block,) = visible_blocks(panel)
    assert block.heading.text() == "Tags of “cat”"
    assert {bar.label for bar in block.bars.bars} == set(TAGS.values())
    click(qtbot, block.bars, 1)
    assert state.outcome.place == ("tag", 2)
    assert [bar.chosen for bar in visible_blocks(panel)[0].bars.bars] == [False, True, False]
    tags.setFocus()
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Return):
        qtbot.keyClick(tags, key)
    assert state.pinned == Cell(query=3)
    assert visible_blocks(panel)[0].heading.text() == "Tags of “sat”"
    assert state.outcome is None


def test_words_have_the_tag_of_their_first_token(qtbot, panel: PredictionsPanel, opened) -> None:
    state = opened("BertForTokenClassification", text="the walked playing cat", id2label=TAGS)
    tags = panel.class_views.tags
    pieces = {row.position: row.tag for row in tags.rows}
    panel._explorer.set_units(Units("words"))
    qtbot.waitUntil(lambda: len(tags.rows) == 4, timeout=PATIENCE)
    assert [row.token for row in tags.rows] == ["the", "walked", "playing", "cat"]
    assert all(row.tag == pieces[row.position] for row in tags.rows)
    qtbot.mouseMove(tags, tags.row_rect(0).center().toPoint())
    qtbot.mouseMove(tags, tags.row_rect(2).center().toPoint())
    qtbot.waitUntil(lambda: state.hover.query is not None, timeout=PATIENCE)
    assert state.queries.labels[state.hover.query] == "playing"


def test_an_edit_compares_the_tags_of_the_tokens_that_stayed(qtbot, panel: PredictionsPanel, opened, tmp_path: Path) -> None:
    opened("BertForTokenClassification", id2label=TAGS)
    run(qtbot, panel, text=EDITED)
    auto = hf.AutoModelForTokenClassification
    old, new = (logits_of(tmp_path, auto, text).double().log_softmax(-1) for text in (TEXT, EDITED))
    index = {name: at for at, name in TAGS.items()}
    for row in panel.class_views.tags.rows:
        change = float(new[row.position, index[row.tag]] - old[row.position, index[row.tag]])
        assert float(row.change.replace("−", "-")) == pytest.approx(change, abs=allowed.of_decimals(2) + allowed.of_logits(new))


def test_thousands_of_tags_are_painted_where_they_are_seen(qtbot, panel: PredictionsPanel, opened) -> None:
    opened("GPT2ForTokenClassification", text=("the cat sat . " * 500), n_positions=2100, num_labels=3)
    tags = panel.class_views.tags
    assert len(tags.rows) == 2000
    assert values(shown(panel)).shape[0] <= 800


# ---------------------------------------------------------------- answers
def test_answers_are_listed_and_their_tokens_picked_out(qtbot, panel: PredictionsPanel, opened) -> None:
    state = opened("BertForQuestionAnswering", pair=CONTEXT)
    views = panel.class_views
    assert [bar.probability for bar in views.answers.bars] == [each.probability for each in state.run.answers]
    assert "no answer" in [bar.label for bar in views.answers.bars]
    best = next(at for at, each in enumerate(state.run.answers) if each.text is not None)
    click(qtbot, views.answers, best)
    answer = state.run.answers[best]
    assert state.marks == Marks(queries=tuple(range(answer.start, answer.end + 1)))
    click(qtbot, views.answers, best)
    assert state.marks == Marks()
    assert [block.heading.text() for block in visible_blocks(panel)] == ["The answer starts with", "The answer ends with"]
    start = visible_blocks(panel)[0]
    click(qtbot, start.bars, 1)
    assert state.outcome.place == ("start", None)
    assert state.pinned == Cell(query=start.rows[1].candidate.id)


def test_the_ends_of_answers_lie_along_the_context(qtbot, panel: PredictionsPanel, opened) -> None:
    state = opened("BertForQuestionAnswering", pair=CONTEXT)
    strip = panel.class_views.strip
    QApplication.processEvents()  # until it lies where it stays
    first = next(at for at, token in enumerate(state.queries.tokens) if token.segment == 1)
    qtbot.mouseMove(strip, strip.column_rect(3).center().toPoint())
    qtbot.waitUntil(lambda: state.hover == Cell(query=first + 3), timeout=PATIENCE)
    qtbot.mouseClick(strip, LEFT, NONE, strip.column_rect(4).center().toPoint())
    assert state.pinned == Cell(query=first + 4)
    run(qtbot, panel, text_pair=f"a mat . {CONTEXT}")
    assert any(bar.change is not None for bar in visible_blocks(panel)[0].bars.bars), "the same tokens, three places on"


@pytest.mark.parametrize("n_tokens", [3, 200, 5000])
def test_the_strips_columns_are_as_high_as_their_probability(qtbot, n_tokens: int) -> None:
    strip = SpanStrip()
    qtbot.addWidget(strip)
    strip.resize(340, strip.sizeHint().height())
    start, end = np.zeros(n_tokens, np.float32), np.zeros(n_tokens, np.float32)
    start[n_tokens // 2], end[-1] = 0.2, 0.1  # the highest fills its half
    strip.set_ends(start, end, ("start", "end"))
    seen = values(shown(strip))
    up, down = (QColor(getattr(theme_of(False), name)).rgb() for name in ("accent", "query"))
    at = round(strip.column_rect(n_tokens // 2).center().x())
    column = max((seen[: seen.shape[0] // 2, x] == up).sum() for x in range(at - 1, at + 2))
    last = max((seen[seen.shape[0] // 2 :, x] == down).sum() for x in range(320, 324))
    assert last == pytest.approx(column / 2, abs=2)
    assert column > 20


def test_without_a_context_the_panel_says_what_to_do_and_the_fields_their_names(qtbot, panel: PredictionsPanel, opened) -> None:
    state = opened("BertForQuestionAnswering")
    text = TextPanel(state, panel._explorer)
    qtbot.addWidget(text)
    text.show()
    assert "context" in panel.hint.text()
    assert (text.text_label.text(), text.pair_label.text()) == ("Question", "Context")
    assert text.pair.isVisible()
    assert not text.add_pair.isVisible()
    qtbot.keyClicks(text.pair, CONTEXT)
    qtbot.keyClick(text.pair, Qt.Key.Key_Return)
    settle(qtbot, state)
    assert panel.class_views.answers.isVisible()
    assert not panel.hint.text()


@pytest.mark.parametrize(
    ("name", "row", "asked"),
    [
        ("BertForSequenceClassification", 1, "class"),
        ("BertForQuestionAnswering", 2, "start"),
        ("BertForTokenClassification", 1, "tag"),
    ],
)
def test_the_text_view_attributes_what_was_chosen(
    qtbot, panel: PredictionsPanel, opened, tmp_path: Path, name: str, row: int, asked: str
) -> None:
    state = opened(name, pair=CONTEXT if asked == "start" else "")
    units = ReadingPanel(state, panel._explorer)
    qtbot.addWidget(units)
    units.resize(500, 400)
    units.show()
    qtbot.mouseClick(units.modes["attribution"], LEFT)
    if asked == "tag":
        click(qtbot, panel.class_views.tags, 3)
    block = visible_blocks(panel)[0]
    chosen = block.rows[row].candidate
    click(qtbot, block.bars, row)
    assert chosen.label in units.title.text()
    qtbot.mouseClick(units.compute, LEFT)
    qtbot.waitUntil(lambda: units.view.shades is not None and not units.view.shades.stale, timeout=PATIENCE)
    target = {
        "class": Target(label=chosen.id),
        "start": Target(chosen.id, span="start"),
        "tag": Target(state.outcome.place[1], label=chosen.id),
    }[asked]
    model = load_model(str(tmp_path), device="cpu", dtype="float32")
    expected = token_attribution(model, model.capture(TEXT, state.text_pair or None), target)
    assert allowed.difference(units.view.shades.values, expected.source) <= allowed.of_attributions(expected.source, model)
    click(qtbot, block.bars, 0)
    assert units.view.shades is None or units.view.shades.stale


@pytest.mark.parametrize("family", ["Bart", "GPT2"])
def test_a_pair_can_be_given_to_every_classifier(qtbot, panel: PredictionsPanel, opened, family: str) -> None:
    state = opened(f"{family}ForSequenceClassification", id2label=NLI)
    text = TextPanel(state, panel._explorer)
    qtbot.addWidget(text)
    text.show()
    assert not text.target.isVisible(), "the decoder reads the text itself"
    before = [bar.probability for bar in visible_blocks(panel)[0].bars.bars]
    qtbot.mouseClick(text.add_pair, LEFT)
    qtbot.keyClicks(text.pair, "the cat walked .")
    qtbot.keyClick(text.pair, Qt.Key.Key_Return)
    settle(qtbot, state)
    assert [bar.probability for bar in visible_blocks(panel)[0].bars.bars] != before


def test_the_whole_of_a_long_label_is_told_as_plain_words(qtbot) -> None:
    bars = ProbabilityBars()
    qtbot.addWidget(bars)
    bars.set_fitting(True)
    bars.set_bars([Bar("<s>a < b</s>", 0.5)])
    bars.resize(300, 60)
    bars.show()

    at = QPoint(40, 10)
    bars.event(QHelpEvent(QEvent.Type.ToolTip, at, bars.mapToGlobal(at)))
    assert "&lt;s&gt;a &lt; b&lt;/s&gt;" in QToolTip.text()
    QToolTip.hideText()
