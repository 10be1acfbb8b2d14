"""Qt's own tool finds every text that the window shows."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from headscope.core.messages import MESSAGES
from headscope.core.models import examples
from headscope.gui.window.actions import COMMANDS
from headscope.gui.window.layouts import LAYOUTS
from headscope.gui.window.views import VIEWS
from tests.translations import ENGLISH, english_forms, find_texts, texts_in, write_english

ROOT = Path(__file__).parents[2]
Texts = set[tuple[str, str]]
_TRANSLATES = {"tr": 0, "translate": 1, "QT_TRANSLATE_NOOP": 1}
"""What asks for a translation, and which argument is the text."""


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Texts:
    ts = tmp_path_factory.mktemp("texts") / "headscope.ts"
    find_texts(ts)
    return texts_in(ts)


def test_every_error_is_found(found: Texts) -> None:
    wanted = {("errors", sentence) for sentences in MESSAGES.values() for sentence in sentences}
    assert wanted - found == set()


def test_every_example_is_found(found: Texts) -> None:
    notes = {
        ("examples", node.args[1].args[1].value)
        for node in ast.walk(ast.parse(Path(examples.__file__).read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Example" and isinstance(node.args[1], ast.Call)
    }
    assert len(notes) > 20
    assert notes - found == set()


def test_commands_views_layouts_and_gestures_are_found(found: Texts) -> None:
    wanted = {(command.context, text) for command in COMMANDS for text in (command.title, command.help)}
    wanted |= {("views", text) for view in VIEWS for text in (view.title, view.help)}
    wanted |= {("views", figure.title) for view in VIEWS for figure in view.figures}
    wanted |= {("gestures", text) for view in VIEWS for gesture in view.gestures for text in (gesture.how, gesture.what)}
    wanted |= {("layouts", text) for layout in LAYOUTS for text in (layout.title, layout.help)}
    assert wanted - found - {(context, "") for context, _ in wanted} == set()


def _asked(path: Path) -> Iterator[tuple[int, str]]:
    """Line and text of whatever is given to something that translates, or marks; every branch of a condition."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            at = _TRANSLATES.get(name, -1)
            if 0 <= at < len(node.args) and isinstance(node.args[at], ast.Constant) and isinstance(node.args[at].value, str):
                yield node.lineno, node.args[at].value


@pytest.mark.parametrize("path", sorted((ROOT / "gui").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_python_asks_for_qt_finds(path: Path, found: Texts) -> None:
    """Also what it overlooks: ``translate("…", "%n …", "", self.n)``, where the number is no plain name."""
    texts = {text for _, text in found}
    assert [(line, text) for line, text in _asked(path) if text not in texts] == []


@pytest.mark.parametrize("path", sorted((ROOT / "gui").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_what_is_translated_is_written_out_where_it_is_asked_for(path: Path) -> None:
    """Or it is looked up of a table whose entries are marked: then its context is named, and not a class's own."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "tr":
            assert isinstance(node.args[0], ast.Constant), f"{path}:{node.lineno}"


def test_placeholders_have_names_that_a_translator_may_move(found: Texts) -> None:
    for _context, text in sorted(found):
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        assert "" not in names, text


def test_the_plurals_of_english_are_as_the_sources_say(tmp_path: Path) -> None:
    """`make translations` writes both files."""
    write_english(tmp_path / "headscope_en.ts")
    assert (tmp_path / "headscope_en.ts").read_text(encoding="utf-8") == ENGLISH.read_text(encoding="utf-8")
    assert (tmp_path / "headscope_en.qm").read_bytes() == ENGLISH.with_suffix(".qm").read_bytes()


@pytest.mark.parametrize(
    ("source", "one", "more"),
    [
        ("%n token(s)", "%n token", "%n tokens"),
        ("%n quer(y/ies) of {all}", "%n query of {all}", "%n queries of {all}"),
    ],
)
def test_english_forms(source: str, one: str, more: str) -> None:
    assert english_forms(source) == (one, more)
