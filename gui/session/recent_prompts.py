"""RecentPrompts: what was run lately, kept for the next start."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any, Final

from PySide6.QtCore import QObject, QSettings, Signal, Slot

from headscope.core.text.prompt import Prompt
from headscope.gui.session.kept_picture import forget_picture
from headscope.gui.session.last_session import forget_session
from headscope.gui.session.session import Session

MOST: Final = 20
_LONGEST = 20_000
"""Characters. A longer text is a file's, and is opened from there again."""
_KEY = "texts/recent"


class RecentPrompts(QObject):
    """Listens for runs, and keeps their texts.

    Signals
    -------
    changed
    """

    changed = Signal()

    def __init__(self, state: Session, settings: QSettings, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._settings = settings
        self._texts = _read(settings.value(_KEY))
        state.changed.connect(self._on_changed)

    @property
    def texts(self) -> tuple[Prompt, ...]:
        """The latest first, at most `MOST`."""
        return self._texts

    def forget(self) -> None:
        """Keep none of them, nor the text and the picture of the last session."""
        forget_session(self._settings)
        forget_picture(self._settings)
        self._keep(())

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        state = self._state
        if "run" not in names or state.model is None:
            return
        ran = Prompt(state.text, state.text_pair, state.target)
        if ran.text.strip() and sum(map(len, asdict(ran).values())) <= _LONGEST:
            known = _read(self._settings.value(_KEY))  # another window may have run some
            self._keep((ran, *(text for text in known if text != ran))[:MOST])

    def _keep(self, texts: tuple[Prompt, ...]) -> None:
        if texts != self._texts:
            self._texts = texts
            self._settings.setValue(_KEY, json.dumps([asdict(text) for text in texts], ensure_ascii=False))
            self.changed.emit()


def _read(kept: object) -> tuple[Prompt, ...]:
    """The texts as they were kept; what is damaged is left out."""
    try:
        values: Any = json.loads(kept) if isinstance(kept, str) else []
    except ValueError:
        return ()
    texts = [value for value in values if isinstance(value, dict)] if isinstance(values, list) else []
    names = {"text", "text_pair", "target"}
    sound = [text for text in texts if text.keys() == names and all(isinstance(part, str) for part in text.values())]
    return tuple(Prompt(**text) for text in sound[:MOST])
