"""KeptPicture: the head that was looked at last, as plain numbers: painted at the next start before any model is there.

The file is a line of JSON with the tokens, and after it the weights as raw float32. It is believed as far as its own numbers agree.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, Final

import numpy as np
from PySide6.QtCore import QSettings, QStandardPaths

from headscope.core.attention.lens import WEIGHTS
from headscope.core.errors import HeadscopeError
from headscope.core.files.atomic import atomic_write
from headscope.core.text.prompt import Prompt
from headscope.core.text.tokens import TOKENS, TokenAxis
from headscope.core.vocabulary import FloatArray, Head, Kind
from headscope.gui.session.last_session import LastSession
from headscope.gui.session.plain_values import from_plain, to_plain
from headscope.gui.session.session import Session
from headscope.gui.session.source import B

MOST_BYTES: Final = 2**16
"""Of a file: larger ones are neither written nor read."""
_VERSION: Final = 1
_NUMBERS: Final = np.dtype("<f4")


@dataclass(frozen=True, slots=True)
class _About:
    """What the line of JSON says."""

    version: int
    source: str
    prompt: Prompt
    kind: Kind
    head: Head
    queries: TokenAxis
    keys: TokenAxis | None  # None: the same


@dataclass(frozen=True, slots=True, eq=False)
class KeptPicture:
    """One head of one run.

    Attributes
    ----------
    source : str
        What opens the model.
    prompt : Prompt
    kind : Kind
    head : (layer, head)
    queries, keys : TokenAxis
        The model's own tokens.
    weights : float32, (n_queries, n_keys)
    """

    source: str
    prompt: Prompt
    kind: Kind
    head: Head
    queries: TokenAxis
    keys: TokenAxis
    weights: FloatArray

    @property
    def values(self) -> dict[str, Any]:
        """For the state, until the model has confirmed them."""
        looked = {"kind": self.kind, "head": self.head, "heads": (self.head,), "weights": {self.head: self.weights}}
        return {**asdict(self.prompt), **looked, "queries": self.queries, "keys": self.keys, "kept": True}

    def is_of(self, last: LastSession) -> bool:
        """Whether this is what the next start would show first."""
        own = self.source, self.prompt, self.kind, self.head
        return own == (last.source, last.prompt, last.kind, last.head) and (last.lens, last.units) == (WEIGHTS, TOKENS)

    def to_bytes(self) -> bytes:
        """A file's content."""
        keys = None if self.keys == self.queries else self.keys
        about = _About(_VERSION, self.source, self.prompt, self.kind, self.head, self.queries, keys)
        line = json.dumps(to_plain(about), ensure_ascii=False, separators=(",", ":"))
        return line.encode() + b"\n" + np.ascontiguousarray(self.weights, _NUMBERS).tobytes()

    @classmethod
    def from_bytes(cls, content: bytes) -> KeptPicture:
        """What `to_bytes` wrote.

        Raises
        ------
        ValueError
            If it is damaged, of another version, or too large.
        """
        line, end, numbers = content.partition(b"\n")
        if not end or len(content) > MOST_BYTES:
            raise ValueError("no picture")
        try:
            about: _About = from_plain(_About, json.loads(line))
        except (RecursionError, TypeError) as error:  # nested too deeply; no dataclass
            raise ValueError("no picture") from error
        queries, keys = about.queries, about.keys or about.queries
        shape = len(queries), len(keys)
        if about.version != _VERSION or not len(queries) or not len(keys) or min(about.head) < 0:
            raise ValueError("no picture")
        if len(numbers) != math.prod(shape) * _NUMBERS.itemsize:
            raise ValueError("other numbers than tokens")
        weights = np.frombuffer(numbers, _NUMBERS).reshape(shape).astype(np.float32)
        if not np.isfinite(weights).all():
            raise ValueError("numbers that are none")
        weights.setflags(write=False)
        known = {item.name: getattr(about, item.name) for item in fields(cls) if item.name not in ("keys", "weights")}
        return cls(**known, keys=keys, weights=weights)


def picture_of(state: Session) -> KeptPicture | None:
    """What is shown, if the next start would show the same; None if it is written, zoomed out, or something else than weights."""
    run, shown = state.run, state.shown
    if run is None or run.record is not state.captured or state.steps or not run.model.source:
        return None
    if (state.units, state.lens, state.source) != (TOKENS, WEIGHTS, B) or not isinstance(shown, np.ndarray):
        return None
    if run.edits.edits or run.prompt != Prompt(state.text, state.text_pair, state.target):
        return None
    return KeptPicture(run.model.source, run.prompt, state.kind, state.head, state.queries, state.keys, shown)


def picture_file(settings: QSettings) -> Path:
    """Where it is kept: beside the settings, or where this system keeps what programs leave if those are in no file."""
    beside = Path(settings.fileName())
    if not beside.is_absolute() or not beside.parent.is_dir():
        beside = Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.AppDataLocation)) / "Headscope"
    return beside.with_name(f"{beside.stem}-last-picture")


def keep_picture(state: Session, settings: QSettings) -> None:
    """Keep what is shown, in the place of what was kept; of a window without a run that stays."""
    if state.run is None:
        return
    picture = picture_of(state)
    content = b"" if picture is None else picture.to_bytes()
    if not 0 < len(content) <= MOST_BYTES:
        forget_picture(settings)
        return
    file = picture_file(settings)
    with suppress(HeadscopeError, OSError):  # a start without a picture is no fault
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as temporary:
            temporary.write_bytes(content)


def read_picture(file: Path) -> KeptPicture | None:
    """What is kept in a file; None if there is nothing, or it is damaged."""
    try:
        if not file.is_file():
            return None
        with file.open("rb") as stream:
            return KeptPicture.from_bytes(stream.read(MOST_BYTES + 1))
    except (OSError, ValueError):
        return None


def forget_picture(settings: QSettings) -> None:
    """Keep it no longer."""
    with suppress(OSError):
        picture_file(settings).unlink(missing_ok=True)
