"""LastSession: the model, the text and the head that were looked at when the window was closed, for the next start."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, get_args

from PySide6.QtCore import QSettings

from headscope.core.vocabulary import Head, Kind
from headscope.gui.session.prompt import Prompt
from headscope.gui.session.session import Session

_KEY: Final = "session/last"
_LONGEST = 20_000
"""Characters. A longer text is a file's, and is opened from there again."""


@dataclass(frozen=True, slots=True)
class LastSession:
    """What to begin with."""

    source: str
    prompt: Prompt
    kind: Kind
    head: Head

    @property
    def values(self) -> dict[str, Any]:
        """For the state, before its first run."""
        return {**asdict(self.prompt), "kind": self.kind, "head": self.head, "heads": (self.head,)}


def keep_session(state: Session, settings: QSettings) -> None:
    """Keep it; of a model that no name opens, or a window without one, what was kept before stays."""
    prompt = Prompt(state.text, state.text_pair, state.target)
    if state.model is not None and state.model.source and state.record is not None:
        if sum(map(len, asdict(prompt).values())) > _LONGEST:
            prompt = Prompt()
        last = LastSession(state.model.source, prompt, state.kind, state.head)
        settings.setValue(_KEY, json.dumps(asdict(last), ensure_ascii=False))


def last_session(settings: QSettings) -> LastSession | None:
    """What was kept; None if nothing was, if it is damaged, or if the model's files are gone."""
    kept = settings.value(_KEY)
    try:
        found: Any = json.loads(kept) if isinstance(kept, str) else None
        source, kind, (layer, head) = found["source"], found["kind"], found["head"]
        prompt = Prompt(**found["prompt"])
    except (ValueError, TypeError, KeyError):
        return None
    sound = isinstance(source, str) and kind in get_args(Kind) and all(type(n) is int and n >= 0 for n in (layer, head))
    sound = sound and all(isinstance(part, str) for part in asdict(prompt).values())
    if not sound or (Path(source).is_absolute() and not Path(source).exists()):
        return None
    return LastSession(source, prompt, kind, (layer, head))


def forget_session(settings: QSettings) -> None:
    """Keep it no longer: it has a text."""
    settings.remove(_KEY)
