"""Every text the user sees goes through Qt's translation."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from headscope.core.errors import HeadscopeError
from headscope.core.job import Progress
from headscope.core.messages import MESSAGES
from headscope.gui.words.notices import busy_of, notice_of

ROOT = Path(__file__).parents[2]
SHOWS_WORDS = {
    "setText", "setToolTip", "setTitle", "setWindowTitle", "setPlaceholderText", "setAccessibleName", "setAccessibleDescription",
    "setSpecialValueText", "addAction", "addMenu", "addRow", "addButton", "addItem", "drawText", "setLabelText",
    "QLabel", "QPushButton", "QRadioButton", "QCheckBox", "QMenu", "QAction", "QGroupBox",
}  # fmt: skip
NAMES = {"Headscope"}


def literals(path: Path) -> Iterator[str]:
    """Words of a natural language that are given, untranslated, to something that shows them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        called = (
            node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id if isinstance(node.func, ast.Name) else ""
        )
        for argument in node.args if called in SHOWS_WORDS else ():
            words = argument.value if isinstance(argument, ast.Constant) and isinstance(argument.value, str) else ""
            if any(letter.isalpha() for letter in words) and words not in NAMES:
                yield f"{path.name}:{node.lineno} {words}"


@pytest.mark.parametrize("path", sorted((ROOT / "gui").rglob("*.py")), ids=lambda path: path.name)
def test_no_words_reach_the_screen_untranslated(path: Path) -> None:
    assert list(literals(path)) == []


class Anything(dict):
    """Has a value for every placeholder."""

    def __missing__(self, key: str) -> str:
        return "Whole." if key in {"reason", "instead"} else f"<{key}>"


@pytest.mark.parametrize("code", MESSAGES)
def test_every_error_is_a_sentence_and_a_remedy(code: str) -> None:
    message, remedy = (text.format_map(Anything()) for text in MESSAGES[code])
    for sentence in (message, remedy):
        assert sentence[0].isupper() or sentence[0] == "<"
        assert sentence.endswith(".")
        assert "\n" not in sentence


def test_progress_and_errors_are_words() -> None:
    assert busy_of(Progress("loading", 0.5, "toy:grammar")).message == "Loading toy:grammar…"
    notice = notice_of(HeadscopeError("unknown_toy", name="x", known="grammar, tales", details="more"))
    assert (notice.message, notice.remedy, notice.details) == (
        "There is no toy called x.",
        "Choose one of grammar, tales.",
        "more",
    )


def _is_literal(node: ast.expr) -> bool:
    """Whether it is a sentence of ours, as it stands."""
    called = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "tr"
    return isinstance(node, ast.Constant) or (called and all(isinstance(each, ast.Constant) for each in node.args))


@pytest.mark.parametrize("path", sorted((ROOT / "gui").rglob("*.py")), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_token_is_taken_for_a_tag(path: Path) -> None:
    """Tool tips and labels of Qt read what looks like HTML as HTML: they go through `gui/widgets/plain.py`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call) or path.name == "plain.py":
            continue
        called = ast.unparse(node.func)
        assert called != "QLabel", f"{path}:{node.lineno}"
        if called.endswith(".setToolTip") or called == "QToolTip.showText":
            tip = node.args[1] if called == "QToolTip.showText" else node.args[-1]
            is_plain = isinstance(tip, ast.Call) and ast.unparse(tip.func) == "plain"
            assert _is_literal(tip) or is_plain, f"{path}:{node.lineno}"
