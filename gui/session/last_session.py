"""What the next start begins with: the model, the text and the head that were looked at last, and the settings of the views."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from PySide6.QtCore import QSettings

from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.text.prompt import Prompt
from headscope.core.text.tokens import TOKENS, Units
from headscope.core.vocabulary import Head, Kind
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.session.plain_values import from_plain, to_plain
from headscope.gui.session.session import Session
from headscope.gui.session.view_settings import ViewSettings
from headscope.gui.session.views_of_session import views_from_json, views_to_json

_KEY: Final = "session/last"
_VIEWS: Final = "session/views"
_LONGEST = 20_000
"""Characters. A longer text is a file's, and is opened from there again."""


@dataclass(frozen=True, slots=True)
class LastSession:
    """What to begin with."""

    source: str
    prompt: Prompt
    kind: Kind
    head: Head
    lens: Lens = WEIGHTS
    units: Units = TOKENS
    head_order: HeadOrder = field(default_factory=HeadOrder)

    @property
    def values(self) -> dict[str, Any]:
        """For the state, before its first run."""
        looked = {"kind": self.kind, "head": self.head, "heads": (self.head,), "lens": self.lens, "units": self.units}
        return {**asdict(self.prompt), **looked, "head_order": self.head_order}


_ADDED: Final = {"lens": WEIGHTS.id, "units": to_plain(TOKENS), "head_order": to_plain(HeadOrder())}
"""What earlier releases did not keep."""


def keep_session(state: Session, settings: QSettings) -> None:
    """Keep it; of a model that no name opens, or a window without one, what was kept before stays."""
    prompt = Prompt(state.text, state.text_pair, state.target)
    if state.model is not None and state.model.source and state.record is not None:
        if sum(map(len, asdict(prompt).values())) > _LONGEST:
            prompt = Prompt()
        looked = state.kind, state.head, state.lens, state.units, state.head_order
        last = LastSession(state.model.source, prompt, *looked)
        settings.setValue(_KEY, json.dumps(to_plain(last), ensure_ascii=False))


def last_session(settings: QSettings) -> LastSession | None:
    """What was kept; None if nothing was, if it is damaged, or if the model's files are gone."""
    kept = settings.value(_KEY)
    try:
        found: Any = json.loads(kept) if isinstance(kept, str) else None
        last: LastSession = from_plain(LastSession, {**_ADDED, **found})
    except (ValueError, TypeError):
        return None
    if min(last.head) < 0 or (Path(last.source).is_absolute() and not Path(last.source).exists()):
        return None
    return last


def keep_views(state: Session, settings: QSettings) -> None:
    """Keep how views show what they show, which says nothing of a text."""
    settings.setValue(_VIEWS, json.dumps(views_to_json(state)))


def last_views(settings: QSettings, kinds: Iterable[type[ViewSettings]]) -> dict[str, Any]:
    """What was kept of views whose settings are of these kinds, for the state; the default wherever it is not understood."""
    kept = settings.value(_VIEWS)
    try:
        found = json.loads(kept) if isinstance(kept, str) else None
    except ValueError:
        found = None
    return views_from_json(found, kinds)


def forget_session(settings: QSettings) -> None:
    """Keep it no longer: it has a text."""
    settings.remove(_KEY)
