"""Tokenizers and chat templates are programs that came with a file: they run under limits until they are known to end.

A tokenizer is tried once in a child process when it is read. What it does with a text is bounded if all its parts are of kinds
whose work grows with the text (`tokenizer_bounds`); one with a regular expression of its own, or with replacements that let a text
grow, splits each text in a child first. Templates are always rendered in a child.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from headscope.core.errors import HeadscopeError
from headscope.core.files.guarded import guarded
from headscope.core.files.inspect import LARGEST_JSON
from headscope.core.files.passed import checked_once
from headscope.core.job import Job
from headscope.core.models.hub.tokenizer_bounds import LONGEST_TOKEN, is_bounded, splits_in_bounds
from headscope.core.sentences import sentence

_TRIAL: Final = "headscope.core.models.hub.tokenizer_trial"
_LARGEST_FILE: Final = 512 * 2**20
_VOCABULARIES: Final = ("tokenizer.json", "vocab.json", "index.json")
"""Large JSON files; all others are settings."""
_SUFFIXES: Final = frozenset(
    {".json", ".txt", ".model", ".jinja", ".vocab", ".bpe", ".spm", ".codes", ".tiktoken", ".tokenizer", ""}
)
"""Of files that a tokenizer may read."""
_PLAIN: Final = frozenset({".json", ".txt", ".jinja", ""})
_LARGEST_PLAIN_FILES: Final = 8 * 2**20
_LARGEST_PLAIN_TOKENIZER: Final = 24 * 2**20
"""Bytes. Read into Python they take some twenty times as much."""


# ---------------------------------------------------------------- reading
def look_at_tokenizer(folder: Path, job: Job | None = None) -> None:
    """Try the tokenizer of a folder in a child process, unless its parts bound its work or files of this content have passed before.

    Raises
    ------
    HeadscopeError
        ``cannot_read`` if it takes too long or too much memory, ``tokenizer_broken`` if it panics.
    Cancelled
    """
    files = [path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES and path.is_file()]
    for path in files:
        settings = path.suffix == ".json" and not path.name.endswith(_VOCABULARIES)
        if path.stat().st_size > (LARGEST_JSON if settings else _LARGEST_FILE):
            raise HeadscopeError("cannot_read", path=path, reason=sentence("tokenizer_file_too_large"))

    def look() -> None:
        if not _is_plain(files):
            guarded(f"{_TRIAL}.try_tokenizer", folder, subject=folder, job=job)

    checked_once("tokenizer", files, look)


def _is_plain(files: Sequence[Path]) -> bool:
    """Whether nothing but a tokenizer.json of known parts, or a plain list of words, has to be read."""
    named = {path.name: path for path in files}
    if any(path.suffix.lower() not in _PLAIN for path in files):
        return False
    whole = named.pop("tokenizer.json", None)
    if sum(path.stat().st_size for path in named.values()) > _LARGEST_PLAIN_FILES:
        return False
    if whole and whole.stat().st_size > _LARGEST_PLAIN_TOKENIZER:
        return False
    try:
        return is_bounded(json.loads(whole.read_bytes())) if whole else max(map(len, _words(named))) <= LONGEST_TOKEN
    except (ValueError, RecursionError):
        return False


def _words(named: dict[str, Path]) -> list[str]:
    """Of a vocabulary that is a list; none is an error."""
    if "vocab.txt" in named:
        return named["vocab.txt"].read_text(encoding="utf-8", errors="replace").splitlines()
    words = json.loads(named["vocab.json"].read_bytes()) if "vocab.json" in named else ()
    return list(words) if isinstance(words, dict) else []


# ---------------------------------------------------------------- splitting
class TextGuard:
    """Sees to it that a tokenizer ends with every text.

    Parameters
    ----------
    backend : tokenizers.Tokenizer or None
        None if it is not one of the library in Rust.
    """

    def __init__(self, backend: Any) -> None:
        self._backend = None if backend is None or splits_in_bounds(backend) else backend
        self._passed = ""

    def check(self, text: str) -> None:
        """Raise HeadscopeError(``text_not_split``) if the tokenizer takes too long, too much memory, or panics."""
        if self._backend is None or text == self._passed:
            return
        try:
            guarded(f"{_TRIAL}.split_text", self._backend.to_str(), text, subject="text")
        except HeadscopeError as error:
            raise HeadscopeError("text_not_split", reason=error.parameters["reason"]) from None
        self._passed = text


# ---------------------------------------------------------------- chats
def render(tokenizer: Any, messages: list[dict[str, str]], job: Job | None = None) -> str:
    """A chat in a tokenizer's template, up to where the model answers.

    Raises
    ------
    HeadscopeError
        ``chat_template_failed``, also if it takes too long or too much memory.
    """
    try:
        template, words = tokenizer.get_chat_template(), dict(tokenizer.special_tokens_map)
    except ValueError as error:  # there are several, and none is the usual one
        raise HeadscopeError("chat_template_failed", reason=str(error)) from None
    try:
        return str(guarded(f"{_TRIAL}.render_chat", template, messages, words, subject="template", job=job))
    except HeadscopeError as error:
        raise HeadscopeError("chat_template_failed", reason=error.parameters["reason"]) from None


def opening(tokenizer: Any, something: str) -> str:
    """What stands before what a user says in every chat; "" if the template fails. `something` is what no template says."""

    def look() -> str:
        try:
            return render(tokenizer, [{"role": "user", "content": something}]).partition(something)[0]
        except HeadscopeError:
            return ""

    about = json.dumps([tokenizer.chat_template, dict(tokenizer.special_tokens_map), something])
    return str(checked_once("chat opening", [about.encode()], look))
