"""Nasty texts on four kinds of tokenizers, in Python and on the command line: a right answer or one sentence, and soon."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path

import pytest

from headscope.core.errors import HeadscopeError
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.text.tokens import TokenAxis, Units
from headscope.gui.app.command_line import main
from tests.nasty import MODELS, cases, names, nasty, write_models

SECONDS = 20
"""Far more than any takes; without a bound some never ended."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def models(folders: dict[str, Path]) -> dict[str, Model]:
    return {name: load_model(folder, device="cpu", dtype="float32") for name, folder in folders.items()}


def special_of(model: Model) -> list[str]:
    return list(model.tokenizer._tokenizer.all_special_tokens)  # type: ignore[attr-defined]


def check(axis: TokenAxis) -> None:
    """Spans lie in the text, one after the other; labels can be drawn."""
    reached = 0
    for token in axis.tokens:
        assert token.text
        assert all(unicodedata.category(each) not in ("Cc", "Zl", "Zp", "Cs") for each in token.text)
        if not token.special:
            assert 0 <= token.start <= token.end <= len(axis.text)
            assert token.end >= reached
            reached = token.end
    assert 0 <= axis.dropped_from <= len(axis.text)
    assert (axis.dropped > 0) == (axis.dropped_from < len(axis.text)) or axis.dropped == 0


@pytest.mark.parametrize(("kind", "text"), cases())
def test_a_nasty_text_gives_attention_or_a_sentence(models: dict[str, Model], kind: str, text: str) -> None:
    model = models[kind]
    written = nasty(text, special_of(model))
    begun = time.monotonic()
    try:
        record = model.run(written).record
    except HeadscopeError as error:
        assert error.code in ("empty_text", "text_too_long", "text_not_split")
        return
    axis = record.axis("encoder").queries
    assert axis.text == written
    check(axis)
    weights = record.attention_weights(0, 0)
    assert weights.shape == (len(axis), len(axis))
    check(record.in_units(Units("words")).axis("encoder").queries)
    assert time.monotonic() - begun < SECONDS


@pytest.mark.parametrize(("number", "text"), list(enumerate(names())))
def test_a_nasty_text_on_the_command_line(
    folders: dict[str, Path], number: int, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """In turn on the four models, as each opens its model anew."""
    kind = MODELS[number % len(MODELS)]
    commands = (["predict", "--json"], ["capture", "--out", str(tmp_path / "out.npz")])
    for command in commands[:1] if text.startswith("a million") else commands:
        code = main([*command, "--model", str(folders[kind]), "--text", nasty(text, ("<s>", "[CLS]", "[SEP]"))])
        out, error = capsys.readouterr()
        if code == 2:
            assert len(error.splitlines()) == 2
            assert all(unicodedata.category(each) not in ("Cc", "Cs") for line in error.splitlines() for each in line)
            assert "inside Headscope" not in error
        else:
            assert code == 0
            if "--json" in command:
                json.loads(out)
