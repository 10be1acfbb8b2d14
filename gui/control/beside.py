"""Beside: the reference A in views of its own, beside those of the newest run B."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from PySide6.QtCore import QEvent, QObject, QTimer, Slot
from PySide6.QtWidgets import QWidget
from shiboken6 import isValid

from headscope.core.attention.lens import Lens
from headscope.core.requests.cells import PartRequest
from headscope.core.vocabulary import Head
from headscope.gui.control.head_loader import HeadLoader
from headscope.gui.control.heatmap_numbers import HeatmapNumbers
from headscope.gui.control.looking import Looking
from headscope.gui.lanes.handlers import view_handler
from headscope.gui.lanes.lane import Lane
from headscope.gui.session.axis_moves import Moved
from headscope.gui.session.session import Session
from headscope.gui.session.source import A

_SHARED: Final = frozenset({"model", "pairing", "views", "dark", "presenting", "busy"})
"""What is the same for both runs, wherever it is chosen."""
_POINTED: Final = frozenset({"hover", "pinned", "marks"})
_LOOKED: Final = frozenset({"reference", "head", "heads", "kind", "units", "lens"})


class Beside(QObject):
    """A session of the reference that follows the window's: the same heads and units, and the same tokens pointed at, both ways.

    It computes nothing while no view of it is seen.

    Parameters
    ----------
    state : Session
    questions : Lane
        That answers from records.
    select : callable
        Looks at a head and others beside it, of both runs.
    set_lens : callable
        Shows other numbers of both runs.

    Attributes
    ----------
    session : Session
        What the views of the reference show.
    """

    def __init__(
        self,
        state: Session,
        questions: Lane,
        select: Callable[[Head, tuple[Head, ...]], None],
        set_lens: Callable[[Lens], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._state = state
        self._select, self._set_lens = select, set_lens
        self.session = Session(self)
        self.session.update(source=A)
        self._pictures = HeadLoader(self.session, view_handler, self)
        self._numbers = HeatmapNumbers(self.session, questions, self)
        self._panels: list[QWidget] = []
        self._soon = QTimer(self, singleShot=True, interval=0)  # while docks are laid out nothing may change their titles
        self._soon.timeout.connect(self._begin_or_rest)
        self._is_following = False
        state.changed.connect(self._follow)
        self.session.changed.connect(self._lead)

    @property
    def numbers(self) -> HeatmapNumbers:
        """Of the head that is shown of the reference."""
        return self._numbers

    def look_closer(self, wanted: PartRequest) -> None:
        """Show a part of the reference's head, if it is too large to be here as a whole."""
        self._pictures.look_closer(wanted)

    def select_heads(self, head: Head, heads: tuple[Head, ...]) -> None:
        """Look at other heads of both runs."""
        self._select(head, heads)

    def set_lens(self, lens: Lens) -> None:
        """Show other numbers of both runs."""
        self._set_lens(lens)

    def panel(self, create: Callable[[Session, Looking], QWidget]) -> QWidget:
        """A view of the reference: while it, or another one, is seen, the window's session is followed."""
        panel = create(self.session, self)
        self._panels.append(panel)
        panel.installEventFilter(self)
        return panel

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Whose threads have to end with the window."""
        return self._pictures.lanes

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Show, QEvent.Type.Hide):
            self._soon.start()
        return super().eventFilter(watched, event)

    @Slot()
    def _begin_or_rest(self) -> None:
        self._panels = [panel for panel in self._panels if isValid(panel)]  # in another language they are made anew
        seen = any(panel.isVisible() for panel in self._panels)
        if seen != self._state.beside:
            self._state.update(beside=seen)
            self._follow(_SHARED | _LOOKED | _POINTED)

    # ---------------------------------------------------------------- the window's session, followed
    @Slot(frozenset)
    def _follow(self, names: frozenset[str]) -> None:
        state = self._state
        if not state.beside or self._is_following:
            return
        with self._following():
            if shared := names & _SHARED:
                self.session.update(**{name: getattr(state, name) for name in shared})
            if names & _LOOKED:
                self._look(names)
            if names & (_POINTED | {"queries", "keys"}):
                self.session.update(**self._moved(state, self.session))

    def _look(self, names: frozenset[str]) -> None:
        state, reference = self._state, self._state.reference
        if reference is None:
            self._pictures.clear(source=A)
            return
        if state.units != self._pictures.units:
            self._pictures.in_units(state.units)
        if state.lens != self._pictures.lens:
            self._pictures.see_through(state.lens)
        if reference.record is not self.session.captured:
            self.session.update(head=state.head, heads=state.heads, kind=state.kind)
            self._pictures.show(reference.record, reference=reference)
        else:
            if "kind" in names:
                self._pictures.set_kind(state.kind)
            self._pictures.select(state.head, state.heads)

    # ---------------------------------------------------------------- and led
    @Slot(frozenset)
    def _lead(self, names: frozenset[str]) -> None:
        """What is done in a view of the reference is done in those of the newest run, too."""
        if self._is_following:
            return
        with self._following():
            if {"queries", "keys"} & names:  # its picture has come: what is pointed at in the other
                self.session.update(**self._moved(self._state, self.session))
            elif names & _POINTED:
                self._state.update(**self._moved(self.session, self._state))
            if shared := names & {"pairing", "views"}:
                self._state.update(**{name: getattr(self.session, name) for name in shared})

    @staticmethod
    def _moved(one: Session, other: Session) -> dict[str, Any]:
        """What is pointed at, pinned and picked out in `one`, at the same tokens of `other`."""
        if one.captured is None or other.captured is None or one.kind != other.kind:
            return {}
        tokens = [session.captured.axis(session.kind) for session in (one, other) if session.captured is not None]
        was, now = ((axis.queries, axis.keys) for axis in tokens)
        moved = Moved((one.queries, one.keys), (other.queries, other.keys), was, now)
        return {"hover": moved.one(one.hover), "pinned": moved.one(one.pinned), "marks": moved.several(one.marks)}

    @contextmanager
    def _following(self) -> Iterator[None]:
        self._is_following = True
        try:
            yield
        finally:
            self._is_following = False
