"""The explorer with the real engine and toys: what is published when, and what survives."""

from collections.abc import Callable, Iterator

import numpy as np
import pytest
from PySide6.QtCore import QObject, Slot

from headscope.core.models.examples import examples_for
from headscope.core.options import Sampling
from headscope.core.predict.results import Candidate, Prediction
from headscope.core.requests.runs import FillRequest
from headscope.core.text.tokens import Units
from headscope.gui.control.explorer import Explorer
from headscope.gui.session.selection import Cell, Marks
from headscope.gui.session.session import Session
from tests import allowed

PATIENCE = 30_000
PICTURE = {"run", "record", "queries", "keys", "weights"}


class Diary(QObject):
    """Every change of the state, and how the picture looked then."""

    def __init__(self, state: Session) -> None:
        super().__init__()
        self.state = state
        self.changes: list[frozenset[str]] = []
        self.pictures: list[tuple] = []
        self.rows: list[int] = []
        state.changed.connect(self.on_changed)

    @Slot(frozenset)
    def on_changed(self, names: frozenset[str]) -> None:
        self.changes.append(names)
        state = self.state
        if state.shown is not None:
            assert state.shown.shape == (len(state.queries), len(state.keys)), "axes and weights of different pictures"
            self.pictures.append((state.model.name if state.model else None, state.queries.text))
            self.rows.append(len(state.queries))


@pytest.fixture
def explorer(qapp) -> Iterator[Explorer]:
    explorer = Explorer(Session())
    yield explorer
    assert explorer.close()


@pytest.fixture
def settled(qtbot, explorer: Explorer) -> Callable[[], None]:
    """Waits until nothing is busy."""

    def wait() -> None:
        qtbot.waitUntil(lambda: explorer.state.busy is None, timeout=PATIENCE)

    return wait


@pytest.fixture
def grammar(explorer: Explorer, settled) -> Explorer:
    explorer.load("toy:grammar")
    settled()
    return explorer


@pytest.fixture
def tales(explorer: Explorer, settled) -> Explorer:
    explorer.load("toy:tales")
    settled()
    return explorer


def run(explorer: Explorer, settled, text: str) -> None:
    explorer.state.update(text=text)
    explorer.run()
    settled()


def test_loading_runs_the_first_example_and_publishes_everything_at_once(explorer, settled) -> None:
    diary = Diary(explorer.state)
    explorer.load("toy:grammar")
    assert explorer.state.busy is not None
    settled()
    state = explorer.state
    assert state.text
    assert state.run.record is state.record
    (publication,) = [names for names in diary.changes if "run" in names]
    assert publication >= PICTURE | {"model", "predictions", "busy"}
    np.testing.assert_array_equal(state.shown, state.record.attention_weights(*state.head))


def test_a_new_sentence_changes_everything_together_and_keeps_the_heads(grammar, settled) -> None:
    grammar.select_head((1, 2))
    grammar.select_head((0, 1), extend=True)
    diary = Diary(grammar.state)
    run(grammar, settled, "the dog near the cats [MASK] hungry .")
    (publication,) = [names for names in diary.changes if "run" in names]
    assert publication >= PICTURE
    state = grammar.state
    assert (state.head, state.heads) == ((0, 1), ((1, 2), (0, 1)))
    assert set(state.weights) >= set(state.heads)
    assert state.queries.text == "the dog near the cats [MASK] hungry ."


def test_every_small_head_is_ready_before_it_is_chosen(qtbot, grammar) -> None:
    state = grammar.state
    n_layers, n_heads = state.model.layers["encoder"]
    qtbot.waitUntil(lambda: state.thumbnails is not None and not np.isnan(state.thumbnails).any(), timeout=PATIENCE)
    qtbot.waitUntil(lambda: not grammar._pictures._lane.is_busy, timeout=PATIENCE)
    diary = Diary(state)
    for head in [(layer, head) for layer in range(n_layers) for head in range(n_heads)][1:]:
        grammar.select_head(head)
        assert state.head == head
        weights = state.record.attention_weights(*head)
        np.testing.assert_allclose(state.shown, weights, atol=allowed.of_blocks(weights))
    assert all(names >= {"head", "heads", "weights"} for names in diary.changes)


def test_extending_toggles_heads_and_always_leaves_one(qtbot, grammar) -> None:
    state = grammar.state
    grammar.select_head((0, 0))
    grammar.select_head((1, 1), extend=True)
    qtbot.waitUntil(lambda: (state.head, state.heads) == ((1, 1), ((0, 0), (1, 1))), timeout=PATIENCE)
    grammar.select_head((1, 1), extend=True)
    assert (state.head, state.heads) == ((0, 0), ((0, 0),))
    grammar.select_head((0, 0), extend=True)
    assert state.heads == ((0, 0),)


def test_a_failed_run_leaves_text_and_picture_and_says_one_sentence(grammar, settled) -> None:
    state = grammar.state
    before = state.record
    run(grammar, settled, "   ")
    assert state.text == "   "
    assert state.record is before
    assert state.notice.level == "error"
    assert state.notice.message == "There is no text."
    run(grammar, settled, "the cat sleeps .")
    assert state.notice is None


@pytest.mark.parametrize("source", ["toy:nonsense", "/no/such/folder", "/no/such/file.gguf"])
def test_a_model_that_does_not_open_changes_nothing_but_the_notice(grammar, settled, source) -> None:
    state = grammar.state
    before = state.model, state.record, state.text
    grammar.load(source)
    settled()
    assert (state.model, state.record, state.text) == before
    assert state.notice.level == "error"
    run(grammar, settled, "the cat sleeps .")
    assert state.queries.text == "the cat sleeps ."


def test_the_old_picture_stays_until_the_new_models_is_there(tales, settled) -> None:
    state = tales.state
    tales.select_head((2, 3))
    old_text = state.text
    diary = Diary(state)
    tales.load("toy:grammar")
    settled()
    new = ("toy:grammar", state.text)
    assert state.text != old_text, "an example nobody edited makes room for the new model's"
    assert set(diary.pictures) == {("toy:tales", old_text), new}
    assert state.kind == "encoder"
    assert state.head == examples_for(state.model)[0].head, "an example is seen with the head that it is about"


def test_the_heads_looked_at_are_kept_as_far_as_the_new_model_has_them(tales, settled) -> None:
    state = tales.state
    run(tales, settled, "a little fox saw a ball .")
    tales.select_head((2, 3))
    tales.load("toy:grammar")
    settled()
    n_layers, n_heads = state.model.layers["encoder"]
    assert state.head == (min(2, n_layers - 1), min(3, n_heads - 1))


def test_a_text_somebody_typed_survives_another_model(grammar, settled) -> None:
    run(grammar, settled, "a little fox saw a ball .")
    grammar.load("toy:tales")
    settled()
    assert grammar.state.text == "a little fox saw a ball ."
    assert grammar.state.model.name == "toy:tales"
    assert grammar.state.queries.text == "a little fox saw a ball ."


def test_masking_toggles_and_remembers_each_word(grammar, settled) -> None:
    state = grammar.state
    run(grammar, settled, "the cats near the dog sleep .")
    words = {
        state.queries.text[token.start : token.end]: at for at, token in enumerate(state.queries.tokens) if not token.special
    }
    for word in ("dog", "cats"):
        grammar.editing.mask_token(words[word])
        settled()
    assert state.text == "the [MASK] near the [MASK] sleep ."
    assert [prediction.position for prediction in state.predictions] == list(state.queries.masks)
    grammar.editing.mask_token(words["dog"])
    settled()
    assert state.text == "the [MASK] near the dog sleep ."
    grammar.editing.mask_token(words["cats"])
    settled()
    assert state.text == "the cats near the dog sleep ."


def test_clicking_special_tokens_or_masks_that_were_typed_does_nothing(grammar, settled) -> None:
    state = grammar.state
    run(grammar, settled, "the cats [MASK] .")
    for position in (0, state.queries.masks[0], len(state.queries) - 1, 99):
        grammar.editing.mask_token(position)
        settled()
        assert state.text == "the cats [MASK] ."


def test_a_candidate_goes_where_it_was_predicted(grammar, settled) -> None:
    state = grammar.state
    run(grammar, settled, "the keys of the cabinet [MASK] rusty .")
    (prediction,) = state.predictions
    best = prediction.candidates[0]
    grammar.editing.use_candidate(prediction, best)
    settled()
    assert state.text == f"the keys of the cabinet {best.text.strip()} rusty ."
    assert state.queries.text == state.text


def test_masks_are_filled_one_by_one_and_what_stood_there_stays_listed(grammar, settled) -> None:
    state = grammar.state
    run(grammar, settled, "the [MASK] near the cats [MASK] .")
    masks = state.queries.masks
    diary = Diary(state)
    grammar.fill(FillRequest("", strategy="left_to_right"))
    settled()
    assert "[MASK]" not in state.text
    assert [prediction.position for prediction in state.predictions] == list(masks)
    assert all(
        state.queries.tokens[prediction.position].text == prediction.candidates[0].label for prediction in state.predictions
    )
    assert [step.position for step in state.steps] == list(masks)
    assert [step.text.count("[MASK]") for step in state.steps] == [1, 0]
    assert 1 <= sum("text" in names for names in diary.changes) <= len(masks)


def test_what_a_model_cannot_do_is_said_at_once(grammar, tales) -> None:
    tales.fill()
    assert "masked" in tales.state.notice.message
    tales.load("toy:grammar")


def test_generation_streams_tokens_and_rows_and_ends_in_a_run(tales, settled) -> None:
    state = tales.state
    prompt = state.text
    diary = Diary(state)
    tales.generate(8, Sampling())
    settled()
    assert 0 < len(state.steps) <= 8
    assert state.text.startswith(prompt)
    assert state.text == state.steps[-1].text
    assert diary.rows == sorted(diary.rows)
    assert diary.rows[-1] - diary.rows[0] >= len(state.steps) - 2
    assert state.run.record is state.record
    np.testing.assert_allclose(state.shown.sum(axis=1), 1, atol=allowed.of_sums())


def test_stop_stops_within_a_token(qtbot, tales, settled) -> None:
    state = tales.state
    tales.generate(50, Sampling(temperature=1.0, seed=3))
    qtbot.waitUntil(lambda: len(state.steps) >= 2, timeout=PATIENCE)
    tales.stop()
    steps, text = len(state.steps), state.text
    settled()
    assert (len(state.steps), state.text) == (steps, text)
    assert len(state.queries) >= len(state.keys) > 0
    assert steps < 50


def test_who_types_while_the_model_writes_is_not_overwritten(qtbot, tales, settled) -> None:
    state = tales.state
    tales.generate(50, Sampling(temperature=1.0))
    qtbot.waitUntil(lambda: len(state.steps) >= 1, timeout=PATIENCE)
    state.update(text="my own words")
    settled()
    assert state.text == "my own words"


def test_pointing_beyond_a_shorter_text_is_forgotten(grammar, settled) -> None:
    run(grammar, settled, "the cats near the old dog sleep .")
    grammar.state.update(pinned=Cell(7, 1), hover=Cell(7, 7))
    run(grammar, settled, "cats sleep .")
    assert grammar.state.pinned == Cell(2, None), "“sleep”, at its new place; there is no “the” before “cats”"
    assert grammar.state.hover == Cell()


def test_running_without_a_model_says_so(explorer) -> None:
    explorer.run()
    assert explorer.state.notice.message == "No model is open."
    explorer.generate(3, Sampling())
    explorer.editing.mask_token(0)
    explorer.editing.use_candidate(Prediction(0, ()), Candidate("a", "a", 0, 1.0))
    explorer.select_head((1, 1))
    explorer.set_kind("cross")
    explorer.stop()


def test_the_catalogue_lists_toys_and_devices(explorer, settled, qtbot) -> None:
    explorer.refresh_catalogue()
    qtbot.waitUntil(lambda: explorer.state.catalogue is not None, timeout=PATIENCE)
    catalogue = explorer.state.catalogue
    assert {"toy:grammar", "toy:tales"} <= {entry.source for entry in catalogue.entries}
    assert catalogue.devices[0] == catalogue.dtypes[0] == "auto"
    assert "cpu" in catalogue.devices
    settled()


def test_closing_in_the_middle_of_anything_ends_the_threads(qtbot, qapp) -> None:
    for interrupt in ("loading", "generating"):
        explorer = Explorer(Session())
        explorer.load("toy:tales")
        if interrupt == "generating":
            qtbot.waitUntil(lambda: explorer.state.run is not None, timeout=PATIENCE)  # noqa: B023
            explorer.generate(200, Sampling(temperature=1.0))
            qtbot.waitUntil(lambda: len(explorer.state.steps) > 1, timeout=PATIENCE)  # noqa: B023
        assert explorer.close()


def test_what_is_pointed_at_is_always_inside_the_picture(qtbot, grammar: Explorer) -> None:
    """A view that is painted a moment later may still show a picture with more rows."""
    state = grammar.state
    n = len(state.queries)
    state.update(hover=Cell(n, 1), pinned=Cell(1, n + 5), marks=Marks((0, n), (n,)))
    assert (state.hover, state.pinned, state.marks) == (Cell(None, 1), Cell(1, None), Marks((0,), ()))
    state.update(pinned=Cell(n - 1, n - 1))
    grammar.set_units(Units("segments"))
    qtbot.waitUntil(lambda: len(state.queries) < n, timeout=PATIENCE)
    state.update(pinned=Cell(n - 1, n - 1))
    assert state.pinned == Cell()
