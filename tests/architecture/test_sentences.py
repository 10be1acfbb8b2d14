"""What errors and notes add is a whole sentence with a code, never a text made up on the spot; and no error speaks of a window."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from headscope.core.errors import HeadscopeError
from headscope.core.messages import MESSAGES
from headscope.core.sentences import SENTENCES, as_sentence, sentence
from headscope.gui.words.notices import notice_of
from tests.translations import find_texts, texts_in

ROOT = Path(__file__).parents[2]
SOURCES = [path for area in ("core", "gui") for path in sorted((ROOT / area).rglob("*.py"))]
OF_THE_INTERFACE = re.compile(r"\b(window|menu|click|button|press|panel|view menu|tool ?tip)\b|--\w", re.IGNORECASE)
"""What somebody in Python has not got; options of the command line are written with two dashes."""


def calls(path: Path) -> Iterator[tuple[str, str, ast.Call]]:
    """Where (file:line), the function's name, the call."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield f"{path.name}:{node.lineno}", ast.unparse(node.func).rpartition(".")[2], node


def placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def is_words(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_reason_is_a_sentence_with_a_code_or_what_a_library_said(path: Path) -> None:
    for where, name, call in calls(path):
        if name != "HeadscopeError":
            continue
        for given in (keyword.value for keyword in call.keywords if keyword.arg in {"reason", "instead"}):
            if not (isinstance(given, ast.Call) and ast.unparse(given.func) == "sentence"):
                literals = [each for each in ast.walk(given) if isinstance(each, ast.JoinedStr) or is_words(each)]
                assert literals == [], where


def test_every_sentence_that_is_asked_for_is_there_and_gets_what_it_needs() -> None:
    asking = [path for path in SOURCES if "headscope.core.sentences import" in path.read_text(encoding="utf-8")]
    for path in asking:
        for where, name, call in calls(path):
            if name == "sentence" and call.args and isinstance(call.args[0], ast.Constant):
                template = SENTENCES[str(call.args[0].value)]
                assert placeholders(template) <= {keyword.arg for keyword in call.keywords}, where


def test_every_sentence_is_asked_for() -> None:
    words = {
        node.value
        for path in SOURCES
        if not path.name.startswith(("sentences", "messages"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant)
    }
    made_up = {f"no_{kind}_attention" for kind in ("encoder", "decoder", "cross")} | {
        "cause",
        "no_answer_start",
        "no_answer_end",
    }
    made_up |= {f"no_{ability}_head" for ability in ("classify", "tag", "answer")}
    assert set(SENTENCES) - words - made_up == set()


def test_every_sentence_is_found_by_translators(tmp_path: Path) -> None:
    find_texts(tmp_path / "headscope.ts")
    assert {("sentences", template) for template in SENTENCES.values()} <= texts_in(tmp_path / "headscope.ts")


@pytest.mark.parametrize("code", SENTENCES)
def test_a_sentence_is_whole(code: str) -> None:
    said = str(sentence(code, **dict.fromkeys(placeholders(SENTENCES[code]), 3) | {"reason": "It is a folder."}))
    assert said[0].isupper() or said[0].isdigit() or said.startswith(("transformers", "config.json"))
    assert said.endswith(".")


@pytest.mark.parametrize("text", [*SENTENCES.values(), *(each for pair in MESSAGES.values() for each in pair)])
def test_no_error_speaks_of_the_window_or_of_the_command_line(text: str) -> None:
    assert OF_THE_INTERFACE.findall(text) == []


def test_a_sentence_survives_the_way_through_json_and_a_translation() -> None:
    reason = sentence("file_too_large", most=16)
    assert str(as_sentence(reason.plain())) == str(reason) == "It is larger than 16 MB."
    assert reason.told(lambda template: template.replace("larger", "größer")) == "It is größer than 16 MB."
    error = HeadscopeError("cannot_read", path="a.json", reason=reason)
    assert notice_of(error).message == error.message == "a.json cannot be read. It is larger than 16 MB."
    assert HeadscopeError("cannot_read", path="a", reason="busy").message == "a cannot be read. Cause: busy."
