"""The table of errors and the code that raises them agree."""

import ast
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from headscope.core.errors import MESSAGES, HeadscopeError, readable_bytes, reason_of, unexpected
from headscope.core.sentences import sentence as sentence_of

ROOT = Path(__file__).parents[2]
SOURCES = [path for area in ("core", "gui") for path in sorted((ROOT / area).rglob("*.py")) if path.name != "errors.py"]


def trees() -> Iterator[tuple[Path, ast.AST]]:
    for path in SOURCES:
        yield path, ast.parse(path.read_text(encoding="utf-8"))


def placeholders(code: str) -> set[str]:
    return {name for sentence in MESSAGES[code] for _, name, _, _ in string.Formatter().parse(sentence) if name}


def raised() -> Iterator[tuple[str, ast.Call, str]]:
    """Where (file:line), the call, the code."""
    for path, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in {"HeadscopeError", "check_room"}:
                code = node.args[0]
                if isinstance(code, ast.Constant):
                    yield f"{path.name}:{node.lineno}", node, str(code.value)


def test_every_error_that_is_raised_has_its_sentence_and_what_the_sentence_needs() -> None:
    for where, call, code in raised():
        assert code in MESSAGES, where
        given = {keyword.arg for keyword in call.keywords}
        if ast.unparse(call.func) == "check_room":
            given |= {"needed", "free"}
        assert None in given or placeholders(code) <= given, where


def test_every_sentence_belongs_to_an_error_that_is_raised() -> None:
    words = {node.value for _, tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    assert set(MESSAGES) <= words


@pytest.mark.parametrize("code", MESSAGES)
def test_a_message_is_a_sentence_and_says_what_to_do(code: str) -> None:
    error = HeadscopeError(code, **dict.fromkeys(placeholders(code), "XYZ"))
    for sentence in (error.message, error.remedy):
        assert sentence[0].isupper() or sentence.startswith("XYZ")
        assert sentence.endswith(".")
    assert str(error) == f"{error.message} {error.remedy}"


def test_what_a_library_says_becomes_a_part_of_one_sentence() -> None:
    assert reason_of(ValueError("two\n  lines.")) == "two lines"
    assert reason_of(KeyError("gelu_odd")) == "it does not know 'gelu_odd'"
    assert reason_of(ValueError()) == "ValueError"
    assert len(reason_of(ValueError("x" * 1000))) == 160


@pytest.mark.parametrize(
    ("count", "words"), [(0, "0 B"), (1023, "1023 B"), (38 * 2**20, "38 MB"), (2**30, "1.0 GB"), (5 * 2**42, "20480.0 GB")]
)
def test_bytes_are_read_as_people_read_them(count: int, words: str) -> None:
    assert readable_bytes(count) == words


HOSTILE = {
    "escapes": "\x1b[31mred\x1b[0m \x9b2J \x07",
    "lines": "one\r\n\n two\u2028three\x85four\x0bfive",
    "direction": "a\u202etxt.exe\u2066",
    "halves": "\ud800 \udfff \x00 \uffff",
    "long": "x" * 200_000,
    "long in all scripts": "漢é🙂" * 60_000,
    "braces": "{0} {path} {",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=list(HOSTILE))
@pytest.mark.parametrize("code", MESSAGES)
def test_no_name_makes_a_sentence_long_or_commands_the_terminal(code: str, value: str) -> None:
    error = HeadscopeError(code, details=value, **dict.fromkeys(placeholders(code), value))
    for sentence in (error.message, error.remedy):
        assert len(sentence) <= 300
        assert sentence.isprintable()
        assert sentence.endswith((".", "?"))
    assert len(error.details) <= 20_000


def test_a_long_parameter_keeps_its_ends_and_the_short_ones_are_whole() -> None:
    error = HeadscopeError("cannot_read", path=f"/begin/{'x' * 1000}/end.gguf", reason=sentence_of("is_pipe"))
    assert error.message.startswith("/begin/x")
    assert error.message.endswith("/end.gguf cannot be read. It is a pipe.")
    assert len(error.message) == 300


def test_a_number_that_python_does_not_print_is_said_in_words() -> None:
    assert "a very large number" in HeadscopeError("no_such_position", position=10**5000, last=3).message


class Mute(Exception):
    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    "error", [Mute(), SystemExit(3), RecursionError("x" * 1000), KeyboardInterrupt(), ValueError("a\nb\x1b")]
)
def test_what_nobody_expected_is_a_sentence_too(error: BaseException) -> None:
    found = unexpected(error)
    assert found.code == "unexpected"
    assert type(error).__name__ in found.message
    assert found.message.isprintable()
    assert len(found.message) <= 300
