"""History: undo and redo of everything the user does, as changes of the document, each with a name and what was before and after it.

There is one history for the whole window, and one rule: **Ctrl+Z takes back the last change, whatever it was and wherever the
cursor is**, in the three texts as well (whose own undo the keys no longer reach). Small fields, such as a number or a search,
have their own undo. What counts as one change:

* opening another model, with the text that comes with it: taken back, the model is loaded again and has its own text again;
* typing in one text, until it is run, generated from, or something else is done;
* what a generation writes;
* a search in the text, however many matches one goes through until it is ended;
* setting the least that heads must have, or a slider of a view, however many steps it takes until something else is done;
* each choice of a head, a kind, units, a lens, a pair filter, an order of the grid, a generation step, a pin or a mark, and each
  setting of a view.

What follows from a change (a pin that finds its token in the new text, a head that the new model has) belongs to it. The history begins
with the first picture. A text that comes back and had been run is run again, so that text and picture belong together as they did.
"""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt, Slot
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QWidget

from headscope.core.text.prompt import Prompt
from headscope.gui.session.document import LOOKS, PLACES, PLAIN, TEXTS, Change, Document
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session
from headscope.gui.session.source import B, Source
from headscope.gui.words.changes import name_of_views

if TYPE_CHECKING:
    from headscope.gui.control.explorer import Explorer

DEPTH: Final = 200
OPENING: Final = "open model"
_REDO_KEYS: Final = (
    QKeyCombination(Qt.KeyboardModifier.ControlModifier, Qt.Key.Key_Y),
    QKeyCombination(Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier, Qt.Key.Key_Z),
)


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
        self._past: deque[Change] = deque(maxlen=DEPTH)
        self._future: list[Change] = []
        self._now = Document.of(state)
        self._typed = ""  # what is being edited: more of it is the same change
        self._was_busy = False
        self._runs: deque[tuple[object, ...]] = deque(maxlen=DEPTH)  # models and texts that were run
        self._goal: Document | None = None  # what is being brought back
        self._awaits_run = False  # before the goal's pins have their tokens
        self._is_asking = False  # for the goal: what changes at once is no change of the user's
        for field in fields:
            field.installEventFilter(self)
        state.changed.connect(self._on_changed)

    def undo(self) -> None:
        """Take back the last change."""
        if self._past:
            change = self._past.pop()
            self._future.append(change)
            self._bring_back(change.before)

    def redo(self) -> None:
        """Make again what was taken back last."""
        if self._future:
            change = self._future.pop()
            self._past.append(change)
            self._bring_back(change.after)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Keep the undo keys from the text fields: left alone, they become the window's shortcuts."""
        if isinstance(event, QKeyEvent) and _undoes(event):
            if event.type() == QEvent.Type.ShortcutOverride:
                event.ignore()
            return True
        return super().eventFilter(watched, event)

    # ---------------------------------------------------------------- recording
    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        state = self._state
        is_busy = state.busy is not None
        ended_search = "find" in names and not state.find.query
        if is_busy != self._was_busy or "run" in names or ended_search:
            self._typed = ""
        if "run" in names:
            self._runs.append(_key(Document.of(state)))
        if self._goal is not None:
            self._approach(names)
        elif self._is_asking or state.done == OPENING:
            pass  # what a model that is being opened brings with it is part of that change
        elif "model" in names:
            self._record_model()
        elif names & {"captured", "steps"} and not _is_chosen(names):
            self._follow()
        elif names.intersection(Document.__slots__):
            self._record()
        self._was_busy = is_busy

    def _record(self) -> None:
        after = Document.of(self._state)
        changed = after.differs_in(self._now)
        if not changed:
            return
        name, typed = self._state.done or _name(self._now, after), _typed(self._now, after)
        if name == "find" and changed == ("pinned",):
            typed = name
        if self._typed and self._typed == name + typed and self._past:
            self._past[-1] = replace(self._past[-1], after=after)
            if self._past[-1].before == after:  # back where it began: nothing was done
                self._past.pop()
                typed = ""
        else:
            self._past.append(Change(name, self._now, after))
        self._typed = name + typed if typed else ""
        self._now = after
        self._future.clear()
        self._tell()

    def _record_model(self) -> None:
        """Another model has its first picture: one change, or the beginning if there was none or none that can be opened again."""
        after = Document.of(self._state)
        if self._now.model is None or self._explorer.opened.request(self._now.model) is None:
            self._past.clear()
        else:
            self._past.append(Change(OPENING, self._now, after))
        self._now = after
        self._future.clear()
        self._tell()

    def _follow(self) -> None:
        """What came of the last change belongs to it."""
        self._now = Document.of(self._state)
        if self._past and not self._future:
            self._past[-1] = replace(self._past[-1], after=self._now)

    def _tell(self) -> None:
        undo_of = self._past[-1].name if self._past else ""
        redo_of = self._future[-1].name if self._future else ""
        self._state.update(undoable=len(self._past), redoable=len(self._future), undo_of=undo_of, redo_of=redo_of)

    # ---------------------------------------------------------------- replaying
    def _bring_back(self, document: Document) -> None:
        state, explorer = self._state, self._explorer
        self._typed, self._goal = "", None
        self._is_asking = True
        self._now = document
        model = document.model
        opens = model is not None and not explorer.has_open(model)
        self._awaits_run = opens or (_key(document) in self._runs and document.texts != Document.of(state).texts)
        self._tell()
        plain = {name: getattr(document, name) for name in PLAIN}
        if opens and model is not None:  # with its text, when it is there: none is ever seen under another's name
            state.update(**plain)
            explorer.reopen(model, Prompt(*document.texts), document.head)
        else:
            state.update(**plain, **{name: getattr(document, name) for name in TEXTS})
        goal = replace(document, step=self._step_of(document), source=self._source_of(document))
        if goal.source != state.source and not self._awaits_run:
            explorer.sources.show(goal.source)
        if goal.step != state.step and not self._awaits_run:
            explorer.show_step(goal.step)
        if document.units != state.units:
            explorer.set_units(document.units)
        if document.lens != state.lens:
            explorer.set_lens(document.lens)
        if not opens:
            goal = self._with_heads(goal)
            if self._awaits_run:
                explorer.run()
        self._goal = goal
        self._is_asking = False
        self._approach(frozenset())

    def _with_heads(self, goal: Document) -> Document:
        """Ask for the goal's heads; the goal with those that there are."""
        state, record = self._state, self._state.record
        if record is not None and goal.kind in record.kinds:
            kept, n_heads = record.kept_layers(goal.kind), record.n_heads(goal.kind)
            if all(layer in kept and head < n_heads for layer, head in goal.heads):
                if goal.kind != state.kind:
                    self._explorer.set_kind(goal.kind)
                self._explorer.select_heads(goal.head, goal.heads)
                return goal
        return replace(goal, kind=state.kind, head=state.head, heads=state.heads)

    def _step_of(self, document: Document) -> int | None:
        """The step that can be shown: none of a text that is run again, the present one if that of the document is gone."""
        state = self._state
        if self._awaits_run:
            return None
        is_here = document.step is None or document.step < len(state.steps)
        return document.step if is_here and state.busy is None else state.step

    def _source_of(self, document: Document) -> Source:
        """The run that can be shown: the newest of a text that is run again, the present one if that of the document is gone."""
        if self._awaits_run:
            return B
        return document.source if self._state.can_show(document.source) else self._state.source

    def _approach(self, names: frozenset[str]) -> None:
        """End the replay when all that is asked for has come, or will not come."""
        state, goal = self._state, self._goal
        if goal is None:
            return
        if "model" in names:  # it is open again, with its text: now its heads
            self._goal = goal = self._with_heads(goal)
        if "captured" in names:
            self._awaits_run = False
        failed = "notice" in names and state.notice is not None and state.notice.level == "error"
        stopped = self._awaits_run and self._was_busy and state.busy is None
        if not (failed or stopped):
            if self._awaits_run or any(getattr(state, name) != getattr(goal, name) for name in LOOKS):
                return
            self._is_asking, self._goal = True, None
            state.update(**{name: getattr(goal, name) for name in PLACES})
            self._is_asking = False
        self._goal = None
        self._awaits_run = False
        self._now = Document.of(state)


def _key(document: Document) -> tuple[object, ...]:
    """What tells whether a run of this model and text has been."""
    model = document.model
    return (model.source if model is not None else None, *document.texts)


def _typed(before: Document, after: Document) -> str:
    """The field that was typed into, if nothing else differs."""
    changed = after.differs_in(before)
    if len(changed) != 1:
        return ""
    if changed[0] in TEXTS:
        return changed[0]
    if changed[0] == "views":
        views = after.views.differs_in(before.views)
        return "slider" if len(views) == 1 and views[0].slid(before.views.of(type(views[0]))) else ""
    old, new = before.head_order, after.head_order
    return "minimum" if new.minimum is not None and old != new and old == replace(new, minimum=old.minimum) else ""


def _name(before: Document, after: Document) -> str:
    """What a change is called that nobody named: after the value that changed."""
    changed = after.differs_in(before)
    if set(changed) & set(TEXTS):
        return "text"
    if "heads" in changed and len(after.heads) > 1:
        return "heads"
    if changed == ("pinned",) and after.pinned == Cell():
        return "unpinned"
    if changed == ("views",):
        return name_of_views([settings.VIEW for settings in after.views.differs_in(before.views)])
    return next(name for name in ("kind", "head", *LOOKS, *PLACES, *PLAIN) if name in changed)


def _is_chosen(names: frozenset[str]) -> bool:
    """Whether the user looks at another step or run; runs and generations set them as well."""
    return bool(names & {"step", "source"}) and not names & {"run", "steps"}


def _undoes(event: QKeyEvent) -> bool:
    keys = QKeySequence.StandardKey
    return event.matches(keys.Undo) or event.matches(keys.Redo) or event.keyCombination() in _REDO_KEYS
