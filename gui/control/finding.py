"""Finding: looks for words in the text, and goes from one place to the next."""

from __future__ import annotations

from PySide6.QtCore import QObject, Slot

from headscope.gui.session.find import Find, Match, matches_of
from headscope.gui.session.session import Session


class Finding(QObject):
    """Keeps `session.find` true of the text that is shown, and pins the match one has come to."""

    def __init__(self, session: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._from = 0  # the token at which the search began
        session.changed.connect(self._on_changed)

    @Slot(str)
    def look_for(self, query: str) -> None:
        """Find all places, and go to the first one from where the search began."""
        session = self._session
        if not session.find.query:
            self._from = next((at for at in (session.pinned.query, session.pinned.key) if at is not None), 0)
        matches = matches_of(query, session.queries, session.keys)
        current = next((at for at, match in enumerate(matches) if _first(match) >= self._from), 0) if matches else None
        self._show(Find(query, matches, current))

    def step(self, by: int) -> None:
        """Go on to the next match (1) or back to the one before (-1); behind the last comes the first."""
        find = self._session.find
        if find.matches:
            at = (find.current + by) % len(find.matches) if find.current is not None else min(by, 0) % len(find.matches)
            self._show(Find(find.query, find.matches, at))

    def end(self) -> None:
        """Look for nothing; what was pinned last stays pinned."""
        self._session.update(find=Find())

    def _show(self, find: Find) -> None:
        if find.current is None:
            self._session.update(find=find)
        else:
            with self._session.doing("find"):
                self._session.update(find=find, pinned=find.cell)

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        """Another text, other units: the same words, wherever they are now; nothing is pinned for that."""
        session, find = self._session, self._session.find
        if find.query and names & {"queries", "keys"}:
            matches = matches_of(find.query, session.queries, session.keys)
            current = next((at for at, match in enumerate(matches) if match.cell == session.pinned), None)
            session.update(find=Find(find.query, matches, current))


def _first(match: Match) -> int:
    return (match.queries or match.keys)[0]
