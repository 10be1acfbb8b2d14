"""History: undo and redo of every selection and edit, in the order in which they were made.

There is one history for the whole window, and one rule: **Ctrl+Z takes back the last change, whatever it was and wherever the
cursor is**, in the three texts as well (whose own undo the keys no longer reach). Small fields, such as a number or a search,
have their own undo. What counts as one change:

* typing in one text, until it is run, generated from, or something else is done;
* what a generation writes;
* setting the least that heads must have, however many steps the number takes;
* each choice of a head, a kind, units, a lens, a pair filter, colours, an order of the grid, a generation step, a pin or a mark.

What follows from a run (a pin that finds its token in the new text, a head that the new model has) is no change of its own.
A text that comes back and had been run is run again, so that text and picture belong together as they did.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from headscope.core.attention.lens import Lens
from headscope.core.text.tokens import Reading
from headscope.core.vocabulary import Head, Kind
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.session.selection import Cell, Marks, Pairing
from headscope.gui.session.session import Session

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

DEPTH: Final = 200
_TEXTS: Final = ("text", "text_pair", "target")
_LOOKS: Final = ("kind", "head", "heads", "reading", "step")
"""These need weights: the explorer changes them, a moment later."""
_PLACES: Final = ("pinned", "marks")
"""These are positions in the units of the picture: they come back when it has."""
_PLAIN: Final = ("lens", "pairing", "color_map", "head_order")
_TRACKED: Final = (*_TEXTS, *_LOOKS, *_PLACES, *_PLAIN)


_REDO_KEYS: Final = (
    QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_Y),
    QKeyCombination(Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier, Qt.Key.Key_Z),
)


@dataclass(frozen=True, slots=True)
class _Look:
    """All that can be undone, at one moment."""

    text: str
    text_pair: str
    target: str
    kind: Kind
    head: Head
    heads: tuple[Head, ...]
    reading: Reading
    step: int | None
    pinned: Cell
    marks: Marks
    lens: Lens
    pairing: Pairing
    color_map: str
    head_order: HeadOrder

    @property
    def texts(self) -> tuple[str, str, str]:
        return self.text, self.text_pair, self.target


class History(QObject):
    """Listens to the state, and replays what it was.

    Parameters
    ----------
    fields : tuple of QWidget
        The text fields whose undo keys are the history's.
    """

    def __init__(self, state: Session, explorer: Explorer, fields: tuple[QWidget, ...], parent: QObject) -> None:
        super().__init__(parent)
        self._state = state
        self._explorer = explorer
        self._past: deque[_Look] = deque(maxlen=DEPTH)
        self._future: list[_Look] = []
        self._now = self._look()
        self._typed: str | None = None  # the field that is being edited: more of it is the same change
        self._was_busy = False
        self._runs: deque[tuple[str, str, str]] = deque(maxlen=DEPTH)
        self._goal: _Look | None = None  # what is being brought back
        self._awaits_run = False  # before the goal's pins have their tokens
        self._is_asking = False  # for the goal: what changes at once is no change of the user's
        for field in fields:
            field.installEventFilter(self)
        state.changed.connect(self._on_changed)

    def undo(self) -> None:
        """Take back the last change."""
        if self._past:
            self._future.append(self._now)
            self._bring_back(self._past.pop())

    def redo(self) -> None:
        """Make again what was taken back last."""
        if self._future:
            self._past.append(self._now)
            self._bring_back(self._future.pop())

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the undo keys from the text fields: left alone, they become the window's shortcuts."""
        if isinstance(event, QKeyEvent) and _undoes(event):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.ignore()
            return True
        return super().eventFilter(watched, event)

    # ---------------------------------------------------------------- recording
    def _look(self) -> _Look:
        return _Look(**{name: getattr(self._state, name) for name in _TRACKED})

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        is_busy = self._state.busy is not None
        if is_busy != self._was_busy or "run" in names:
            self._typed = None
        if "run" in names and self._look().texts not in self._runs:
            self._runs.append(self._look().texts)
        if self._goal is not None:
            self._approach(names)
        elif names & {"captured", "model", "steps"} and not self._is_asking and not _chooses_step(names):
            self._now = self._look()  # what follows from a run
        elif names.intersection(_TRACKED) and not self._is_asking:
            self._record()
        self._was_busy = is_busy

    def _record(self) -> None:
        look = self._look()
        changed = [name for name in _TRACKED if getattr(look, name) != getattr(self._now, name)]
        if not changed:
            return
        typed = _typed(self._now, look) if len(changed) == 1 else None
        if typed is None or typed != self._typed:
            self._past.append(self._now)
        self._typed = typed
        self._now = look
        self._future.clear()
        self._tell()

    def _tell(self) -> None:
        self._state.update(undoable=len(self._past), redoable=len(self._future))

    # ---------------------------------------------------------------- replaying
    def _bring_back(self, look: _Look) -> None:
        state = self._state
        self._typed, self._goal = None, None
        self._is_asking = True
        self._now = look
        self._awaits_run = look.texts in self._runs and look.texts != self._look().texts
        self._tell()
        state.update(**{name: getattr(look, name) for name in (*_TEXTS, *_PLAIN)})
        goal = replace(look, step=self._step_of(look))
        if goal.step != state.step and not self._awaits_run:
            self._explorer.show_step(goal.step)
        if look.reading != state.reading:
            self._explorer.set_reading(look.reading)
        if self._has_heads_of(look):
            if look.kind != state.kind:
                self._explorer.set_kind(look.kind)
            self._explorer.select_heads(look.head, look.heads)
        else:
            goal = replace(goal, kind=state.kind, head=state.head, heads=state.heads)
        if self._awaits_run:
            self._explorer.run()
        self._goal = goal
        self._is_asking = False
        self._approach(frozenset())

    def _step_of(self, look: _Look) -> int | None:
        """The step that can be shown: none of a text that is run again, the present one if that of the look is gone."""
        state = self._state
        if self._awaits_run:
            return None
        is_here = look.step is None or look.step < len(state.steps)
        return look.step if is_here and state.busy is None else state.step

    def _has_heads_of(self, look: _Look) -> bool:
        record = self._state.record
        if record is None or look.kind not in record.kinds:
            return False
        kept, n_heads = record.kept_layers(look.kind), record.n_heads(look.kind)
        return all(layer in kept and head < n_heads for layer, head in look.heads)

    def _approach(self, names: frozenset[str]) -> None:
        """End the replay when all that is asked for has come, or will not come."""
        state, goal = self._state, self._goal
        if goal is None:
            return
        if "captured" in names:
            self._awaits_run = False
        failed = "notice" in names and state.notice is not None and state.notice.level == "error"
        stopped = self._awaits_run and self._was_busy and state.busy is None
        if not (failed or stopped):
            if self._awaits_run or any(getattr(state, name) != getattr(goal, name) for name in _LOOKS):
                return
            self._is_asking, self._goal = True, None
            state.update(**{name: getattr(goal, name) for name in _PLACES})
            self._is_asking = False
        self._goal = None
        self._awaits_run = False
        self._now = self._look()


def _typed(before: _Look, after: _Look) -> str | None:
    """The field that was typed into, if nothing else differs."""
    for name in _TEXTS:
        if getattr(before, name) != getattr(after, name):
            return name
    old, new = before.head_order, after.head_order
    return "minimum" if new.minimum is not None and old != new and old == replace(new, minimum=old.minimum) else None


def _chooses_step(names: frozenset[str]) -> bool:
    """Whether the user looks at another step; runs and generations set it as well."""
    return "step" in names and not names & {"run", "steps"}


def _undoes(event: QKeyEvent) -> bool:
    keys = QKeySequence.StandardKey
    return event.matches(keys.Undo) or event.matches(keys.Redo) or event.keyCombination() in _REDO_KEYS
