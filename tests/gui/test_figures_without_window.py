"""Every view as a file without a window: by the command line and by Python, the same as the window's own figure."""

import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from headscope.core import Model, load_model
from headscope.core.errors import HeadscopeError
from headscope.gui import save_figure
from headscope.gui.app.command_line import main
from headscope.gui.app.figures import VIEWS, figure_specs
from headscope.gui.paint.figure import FigureOptions
from headscope.gui.paint.formats import write_figure
from headscope.gui.session.selection import Cell
from headscope.gui.window.main_window import MainWindow
from headscope.gui.window.views import VIEWS as ALL
from tests.gui.screen import PATIENCE, drawn_in, settle

SVG = "{http://www.w3.org/2000/svg}"
MASKED, STORY = "the keys of the cabinet [MASK] rusty .", "once upon a time"
GRAMMAR, TALES = ("--model", "toy:grammar", "--text", MASKED), ("--model", "toy:tales", "--text", STORY)


@pytest.fixture(scope="module")
def grammar() -> Model:
    return load_model("toy:grammar", device="cpu")


@pytest.fixture(scope="module")
def tales() -> Model:
    return load_model("toy:tales", device="cpu")


def said_in(path: Path) -> list[str]:
    return [element.text or "" for element in ET.parse(path).getroot().iter(f"{SVG}text")]


# ---------------------------------------------------------------- the command line
WRITTEN = {
    "heads": (GRAMMAR, (), {"0", "1"}),
    "heatmap": (GRAMMAR, ("--head", "1.3"), {"keys", "query"}),
    "links": (GRAMMAR, ("--head", "1.3"), {"keys", "query"}),
    "arcs": (GRAMMAR, ("--head", "1.3"), {"keys"}),
    "text": (GRAMMAR, ("--head", "1.3", "--token", "6"), {"“[MASK]” attends to · layer 1 · head 3"}),
    "heads_by_token": (GRAMMAR, ("--head", "1.3", "--token", "6"), {"“[MASK]” attends to · layer 1", "keys", "3"}),
    "arithmetic": (GRAMMAR, ("--head", "1.3", "--cell", "6:2"), {"[MASK] → keys", "Each bar is one of 16 dimensions."}),
    "predictions": (GRAMMAR, ("--candidates", "3"), {"[MASK] could be", "are", "is"}),
    "logit_lens": (GRAMMAR, (), {"cabinet", "are", "in"}),
    "generation": (TALES, ("--max-new-tokens", "4"), {"a", "clever", "queen", "named"}),
    "film_strip": (TALES, ("--max-new-tokens", "4"), {"a", "clever", "queen", "named", "3"}),
}


def test_every_view_is_here() -> None:
    assert set(WRITTEN) == set(VIEWS)


@pytest.mark.parametrize("view", WRITTEN)
def test_the_command_line_writes_it(qapp, tmp_path: Path, view: str) -> None:
    of, asked, words = WRITTEN[view]
    name = view.replace("_", "-")
    assert main(["export", *of, "--view", name, *asked, "--width-mm", "174", "--out", str(tmp_path / "a.svg")]) == 0
    assert words <= set(said_in(tmp_path / "a.svg"))
    assert main(["export", *of, "--view", name, *asked, "--width-mm", "84", "--dark", "--out", str(tmp_path / "a.pdf")]) == 0
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")


def test_the_arithmetic_begins_with_a_sentence_for_readers_of_a_paper(qapp, tmp_path: Path) -> None:
    of, asked, _ = WRITTEN["arithmetic"]
    assert main(["export", *of, "--view", "arithmetic", *asked, "--width-mm", "174", "--out", str(tmp_path / "a.svg")]) == 0
    said = " ".join(said_in(tmp_path / "a.svg"))
    assert said.startswith(
        "Attention weight of the query “[MASK]” (position 6) for the key “keys” (position 2) in layer 1, head 3, step by step."
    )
    for word in ("point at", "click", "window", "map", "Run a "):
        assert word not in said
    assert "The contribution" in said
    assert "not kept" not in said, "a run keeps values"


@pytest.mark.parametrize(
    ("of", "asked", "there"),
    [
        (GRAMMAR, ("--view", "text", "--show", "surprisal"), "−log₂ p(token | all others), each masked in turn"),
        (TALES, ("--view", "text", "--show", "surprisal"), "−log₂ p(token | before)"),
        (GRAMMAR, ("--view", "text", "--show", "attribution"), "Attribution of the prediction “are” at position 6"),
        (GRAMMAR, ("--view", "text", "--show", "rollout"), "Attribution of “[MASK]”"),
        (GRAMMAR, ("--view", "text", "--head", "1.1", "--head", "1.3", "--token", "6"), "“[MASK]” attends to · mean of 2 heads"),
        (GRAMMAR, ("--view", "text", "--head", "1.3", "--token", "2", "--show", "attended-by"), "“keys” is attended by · layer 1 · head 3"),
        (GRAMMAR, ("--view", "heads-by-token", "--head", "1.0", "--token", "2", "--show", "attended-by"), "“keys” is attended by · layer 1"),
        (TALES, ("--view", "predictions",), "Next token"),
        (TALES, ("--view", "logit-lens", "--show", "token"), "0.354 #1"),
    ],
)  # fmt: skip
def test_what_is_shown_can_be_chosen(qapp, tmp_path: Path, of: tuple, asked: tuple, there: str) -> None:
    assert main(["export", *of, *asked, "--width-mm", "174", "--out", str(tmp_path / "a.svg")]) == 0
    assert there in said_in(tmp_path / "a.svg")


def test_filling_masks_is_a_film_too(qapp, tmp_path: Path) -> None:
    text = "the [MASK] of the cabinet [MASK] rusty ."
    asked = ("--model", "toy:grammar", "--text", text, "--view", "film-strip", "--out", str(tmp_path / "a.svg"))
    assert main(["export", *asked]) == 0
    assert {"are", "0", "1"} <= set(said_in(tmp_path / "a.svg"))


@pytest.mark.parametrize(
    ("of", "asked", "says"),
    [
        (GRAMMAR, ("--view", "arithmetic", "--head", "1.3"), "--cell must be Q:K"),
        (GRAMMAR, ("--view", "arithmetic", "--cell", "6:2"), "--head must be L.H"),
        (GRAMMAR, ("--view", "arithmetic", "--head", "1.3", "--cell", "6:20"), "There is no token 20."),
        (GRAMMAR, ("--view", "text", "--head", "1.3"), "--token must be a position"),
        (GRAMMAR, ("--view", "heads-by-token", "--head", "1.3"), "--token must be a position"),
        (GRAMMAR, ("--view", "text", "--head", "1.3", "--token", "99"), "There is no token 99."),
        (GRAMMAR, ("--view", "logit-lens", "--show", "surprisal"), "show must be one of probability, entropy, token"),
        (GRAMMAR, ("--view", "predictions", "--head", "1.3"), "head must be left out for predictions"),
        (GRAMMAR, ("--view", "predictions", "--units", "words"), "units must be left out for predictions"),
        (GRAMMAR, ("--view", "heatmap", "--head", "1.3", "--max-new-tokens", "4"), "--max-new-tokens must be left out for heatmap"),
        ((*GRAMMAR[:3], "the keys are rusty ."), ("--view", "predictions"), "The text has no [MASK]."),
        ((*GRAMMAR[:3], "the keys are rusty ."), ("--view", "film-strip"), "The text has no [MASK]."),
    ],
)  # fmt: skip
def test_what_is_missing_is_one_sentence(capsys, qapp, tmp_path: Path, of: tuple, asked: tuple, says: str) -> None:
    assert main(["export", *of, *asked, "--out", str(tmp_path / "a.svg")]) == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_numbers_are_of_one_head(capsys, qapp, tmp_path: Path) -> None:
    for asked, says in (
        (("--view", "text", "--head", "1.3"), "--out must be"),
        ((), "--head must be one head"),
        (("--head", "1.3", "--head", "1.2"), "--head must be one head"),
    ):
        assert main(["export", *GRAMMAR, *asked, "--out", str(tmp_path / "a.csv")]) == 2
        assert says in capsys.readouterr().err


# ---------------------------------------------------------------- Python
def test_python_draws_what_a_model_returns(qapp, tmp_path: Path, grammar: Model, tales: Model) -> None:
    for view, subject, more in (
        ("text", grammar.capture(MASKED), {"heads": (1, 3), "token": 6}),
        ("heads_by_token", grammar.capture(MASKED), {"heads": (1, 3), "token": 6}),
        ("arithmetic", grammar.run(MASKED), {"heads": (1, 3), "cell": (6, 2)}),
        ("predictions", grammar.run(MASKED, top_k=3), {"model": grammar}),
        ("logit_lens", grammar.capture(MASKED), {"model": grammar}),
        ("generation", tales.generate(STORY, max_new_tokens=4), {}),
        ("film_strip", tales.generate(STORY, max_new_tokens=4), {}),
    ):
        of, asked, _ = WRITTEN[view]
        save_figure(subject, tmp_path / "a.svg", view, width_mm=174, **more)
        assert main(["export", *of, "--view", view, *asked, "--width-mm", "174", "--out", str(tmp_path / "b.svg")]) == 0
        assert drawn_in(tmp_path / "a.svg") == drawn_in(tmp_path / "b.svg"), view


def test_python_says_what_is_missing(qapp, tmp_path: Path, grammar: Model) -> None:
    record, run = grammar.capture(MASKED), grammar.run(MASKED)
    for subject, view, more, option in (
        (record, "logit_lens", {}, "model"),
        (record, "predictions", {"model": grammar}, "subject"),
        (run, "predictions", {}, "model"),
        (run, "film_strip", {}, "subject"),
        ([], "film_strip", {}, "subject"),
        ("a text", "heatmap", {}, "subject"),
        (record, "arithmetic", {}, "cell"),
        (record, "arithmetic", {"cell": 3}, "cell"),
        (record, "text", {}, "token"),
        (record, "heads_by_token", {"show": "surprisal", "token": 1}, "show"),
        (record, "heatmap", {"token": 3}, "token"),
        (record, "heatmap", {"show": "surprisal"}, "show"),
    ):
        with pytest.raises(HeadscopeError) as told:
            save_figure(subject, tmp_path / "a.svg", view, **more)
        assert told.value.code == "bad_option"
        assert told.value.parameters["option"] == option
    assert not list(tmp_path.iterdir())


# ---------------------------------------------------------------- the window, also where a panel is not seen
@pytest.mark.parametrize(
    "view", ["text", "heads_by_token", "arithmetic", "predictions", "logit_lens", "heatmap", "links", "arcs"]
)
def test_the_window_writes_the_same_though_nobody_sees_the_view(
    qtbot, open_window: Callable[..., MainWindow], tmp_path: Path, grammar: Model, view: str
) -> None:
    window = open_window("toy:grammar", MASKED)
    window.explorer.select_head((1, 3))
    qtbot.waitUntil(lambda: window.state.head == (1, 3) and window.state.shown is not None, timeout=PATIENCE)
    window.state.update(pinned=Cell(6, 2))
    settle(qtbot, window.state)
    spec, name = figure_specs()[view], next(each.id for each in ALL if view in {figure.id for figure in each.figures})
    window.desk.docks[name].close()
    qtbot.waitUntil(lambda: not window.panel(name).isVisible(), timeout=PATIENCE)
    panel = window.panel(name)
    qtbot.waitUntil(lambda: spec.make(panel) is not None and window.state.busy is None, timeout=PATIENCE)
    if view == "logit_lens":
        qtbot.waitUntil(lambda: panel.view.picture.is_read(range(10)), timeout=PATIENCE)
    assert not panel.isVisible()
    how = {"heads": (1, 3), "cell": (6, 2), "token": 6, "model": grammar}
    how = {
        key: value for key, value in how.items() if key in spec.obeys | {"model"} or (key == "heads" and "head" in spec.obeys)
    }
    write_figure(spec.make(panel), tmp_path / "a.svg", FigureOptions(width_mm=174))
    save_figure(grammar.run(MASKED), tmp_path / "b.svg", view, **how, width_mm=174)
    assert drawn_in(tmp_path / "a.svg") == drawn_in(tmp_path / "b.svg")
