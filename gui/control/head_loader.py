"""HeadLoader: what of a record is on the screen. Asks the view lane, keeps what came, publishes at once what belongs together.

A goal is what the screen shall show next: a record, a kind, some heads, and values that change with them. It is published in
one `state.update` when its weights are there, at once if they are in the cache; until then the old picture stays.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot

from headscope.core.attention.head_map import HeadMap, HeadOverview
from headscope.core.attention.lens import UNAVAILABLE, WEIGHTS, Lens
from headscope.core.errors import HeadscopeError
from headscope.core.requests.cells import Part, PartRequest, Row, RowRequest
from headscope.core.requests.heads import HeadWeights, Thumbnails, ThumbnailsRequest, WeightsRequest
from headscope.core.text.tokens import TokenAxis, Units
from headscope.core.vocabulary import Head, Kind
from headscope.gui.control.goal import MOST_HEADS, Goal, kind_to_show
from headscope.gui.control.head_cache import HeadCache
from headscope.gui.control.thumbnails import HeadThumbnails
from headscope.gui.lanes.lane import Handle, Lane
from headscope.gui.lanes.precedence import supersedes_in_view_lane
from headscope.gui.session.axis_moves import Moved, is_edit
from headscope.gui.session.selection import Cell
from headscope.gui.session.session import Session, cleared
from headscope.gui.words.notices import notice_of

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_PREFETCH_BYTES = 64 * 2**20


class HeadLoader(QObject):
    """The view lane's half of the controller.

    Parameters
    ----------
    state : Session
    prepare : callable
        Makes, in the lane's thread, what handles view requests.
    """

    def __init__(self, state: Session, prepare: Callable[[], Handle], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._state = state
        self._lane = Lane("view", prepare, supersedes_in_view_lane, self)
        self._lane.streamed.connect(self._on_streamed)
        self._lane.finished.connect(self._on_finished)
        self._lane.failed.connect(self._on_failed)
        self._lane.cancelled.connect(self._on_cancelled)
        self._rows = Lane("rows", prepare, supersedes_in_view_lane, self)  # the value under the mouse waits for no picture
        self._rows.finished.connect(self._on_row)
        self._rows.failed.connect(self._on_failed)
        state.changed.connect(self._on_changed)
        self._cache = HeadCache()
        self._goal: Goal | None = None
        self._goal_id = 0
        self._next: Goal | None = None  # a streamed record that waits until the one before it is on the screen
        self._thumbnails = HeadThumbnails()
        self._part: PartRequest | None = None
        self._part_id = 0
        self._row: RowRequest | None = None
        self._visible = range(0)
        self._order: tuple[int, ...] = ()  # of the layers whose thumbnails are being made
        self._in_background = True
        self.units = state.units  # that is or is about to be shown,
        self.lens = state.lens  # and through what

    # ---------------------------------------------------------------- what to show
    def show(
        self,
        record: AttentionRecord,
        *,
        head: Head | None = None,
        minus: AttentionRecord | None = None,
        streaming: bool = False,
        **values: Any,
    ) -> None:
        """Show a new record, with `head` or the kind and heads looked at where it has them; `values` change with it.

        With `minus` its difference from that record; raises ``no_difference`` as `AttentionRecord.minus`.
        Streamed records come faster than they may be drawn: each is finished before the newest of the others follows.
        """
        looked = self._goal or self._state  # heads that were chosen a moment ago are not forgotten
        kind = kind_to_show(record, looked.kind)
        heads = looked.heads if head is None else (head,)
        values = {"units": self.units, **values}
        seen = self._seen(record, minus)
        goal = Goal(record, seen, kind, (0, 0), (), values, minus).looking_at(head or looked.head, heads).at_kept_layers()
        if streaming and self._goal is not None:
            self._next = goal
            return
        self._next = None
        self._pursue(goal)

    def clear(self, **values: Any) -> None:
        """Show no picture, as before the first one; `values` change with it."""
        self._goal = self._next = None
        self._state.update(**{**cleared(), **values})

    def select(self, head: Head, heads: tuple[Head, ...]) -> None:
        """Look at other heads of what is shown, and of what is about to be."""
        if self._next is not None:
            self._next = self._next.looking_at(head, heads)
        goal = self._goal or self._current()
        if goal is None:
            self._state.update(head=head, heads=heads)
            return
        self._pursue(goal.looking_at(head, heads))

    def choose(self, head: Head, extend: bool) -> None:
        """Look at a head alone; with `extend` beside those looked at, or, if it is one of them, no longer."""
        heads = self.heads
        if not extend:
            self.select(head, (head,))
        elif head not in heads:
            self.select(head, (*heads, head)[-MOST_HEADS:])
        elif len(heads) > 1:
            rest = tuple(other for other in heads if other != head)
            self.select(rest[-1], rest)

    def set_kind(self, kind: Kind) -> None:
        """Look at another kind of attention of what is shown."""
        if self._next is not None and kind in self._next.record.kinds:
            self._next = replace(self._next, kind=kind).looking_at(self._next.head, self._next.heads)
        goal = self._goal or self._current()
        if goal is not None and kind in goal.record.kinds:
            self._pursue(replace(goal, kind=kind).looking_at(goal.head, goal.heads))

    def in_units(self, units: Units) -> None:
        """Show what is shown, and what is about to be, in other units."""
        self._look_anew(units, self.lens)

    def see_through(self, lens: Lens) -> None:
        """Show what is shown, and what is about to be, through another lens."""
        self._look_anew(self.units, lens)

    def _look_anew(self, units: Units, lens: Lens) -> None:
        before = self.units, self.lens
        self.units, self.lens = units, lens
        chosen = {"units": units, "lens": lens}
        goal = self._goal or self._current()
        try:
            if self._next is not None:
                self._next = replace(self._next, record=self._seen(self._next.captured, self._next.minus))
            record = None if goal is None else self._seen(goal.captured, goal.minus)
        except HeadscopeError as error:  # two runs may have as many tokens and not as many words
            self.units, self.lens = before
            self._state.update(notice=notice_of(error))
            return
        if goal is None or record is None:
            self._state.update(**chosen)
        else:
            self._pursue(replace(goal, record=record, values={**goal.values, **chosen}))

    def _seen(self, captured: AttentionRecord, minus: AttentionRecord | None) -> AttentionRecord:
        """A record as it is to be shown."""
        seen = captured.in_units(self.units).through(self.lens)
        return seen if minus is None else seen.minus(minus.in_units(self.units).through(self.lens))

    def look_closer(self, wanted: PartRequest) -> None:
        """Show a part of the head that is shown and too large to be here as a whole."""
        if wanted != self._part:
            self._order = ()
            self._part_id = self._lane.submit(wanted)
            self._part = wanted  # only now: what this replaces is said to be cancelled first

    def see_layers(self, layers: range) -> None:
        """Make the thumbnails of these layers first."""
        self._visible = layers
        wanted = self._thumbnails.missing(layers)
        under_way = [layer for layer in self._order if layer in wanted]
        if under_way and wanted[0] in layers and under_way[0] not in layers:
            self._ask_for_thumbnails()

    def limit_cache(self, n_bytes: int) -> None:
        """Keep at most so much of the heads that were looked at; those that are shown stay."""
        self._cache.limit = n_bytes
        self._cache.shrink()

    @property
    def head(self) -> Head:
        """The head that is or is about to be looked at."""
        return self._goal.head if self._goal is not None else self._state.head

    @property
    def heads(self) -> tuple[Head, ...]:
        """The heads that are or are about to be looked at."""
        return self._goal.heads if self._goal is not None else self._state.heads

    @property
    def lanes(self) -> tuple[Lane, ...]:
        """Whose threads have to end with the window."""
        return self._lane, self._rows

    def _current(self) -> Goal | None:
        state = self._state
        if state.record is None or state.captured is None:
            return None
        minus = state.reference.record if state.source.minus is not None and state.reference is not None else None
        return Goal(state.captured, state.record, state.kind, state.head, state.heads, minus=minus)

    # ---------------------------------------------------------------- towards the goal
    def _pursue(self, goal: Goal) -> None:
        weights = self._cache.get(goal)
        missing = tuple(head for head in goal.heads if head not in weights)
        if missing:
            self._order = ()
            self._goal = goal
            self._goal_id = self._lane.submit(WeightsRequest(goal.record, goal.kind, missing))
            return
        self._goal = None
        self._publish(goal, weights)
        if self._next is not None:
            following, self._next = self._next, None
            self._pursue(following)
        else:
            self._work_in_background()

    def _publish(self, goal: Goal, weights: dict[Head, HeadMap]) -> None:
        state = self._state
        values: dict[str, Any] = {"head": goal.head, "heads": goal.heads, "weights": weights, **goal.values}
        if not goal.shows(state):
            axis = goal.record.axis(goal.kind)
            values |= {"captured": goal.captured, "record": goal.record, "lens": self.lens, "kind": goal.kind}
            values |= {"queries": axis.queries, "keys": axis.keys, "part": None, "row": None, "kept": False}
            if not state.kept or (state.queries, state.keys) != (axis.queries, axis.keys):
                values["hover"] = Cell()  # else the picture is the one that was there, and now it is confirmed
            moved = Moved((state.queries, state.keys), (axis.queries, axis.keys), *self._tokens_of(goal))
            values |= {"pinned": moved.one(state.pinned), "marks": moved.several(state.marks)}
            if state.captured is not goal.captured and not self._is_edit(goal.captured):
                values["head_order"] = replace(state.head_order, sort=None, smallest_first=False)  # it was about another text
            if self._thumbnails.begin(goal.record, goal.kind, state.pooling):
                values["thumbnails"] = None
            self._in_background = True
        state.update(**values)

    def _is_edit(self, record: AttentionRecord) -> bool:
        """Whether a record is of the text that is shown, or of an edit of it; the first one is."""
        before = self._state.captured
        return before is None or any(
            is_edit(before.axis(kind).keys.tokens, record.axis(kind).keys.tokens)
            for kind in record.kinds
            if kind in before.kinds
        )

    def _tokens_of(self, goal: Goal) -> tuple[tuple[TokenAxis, TokenAxis], ...]:
        """The tokens of the run that was shown and of the one that will be, if they are two of the same kind."""
        before, after, kind = self._state.captured, goal.captured, goal.kind
        if before is None or before is after or kind != self._state.kind:
            return ()
        return tuple((axis.queries, axis.keys) for axis in (before.axis(kind), after.axis(kind)))

    @Slot(int, object)
    def _on_finished(self, id_: int, answer: object) -> None:
        if isinstance(answer, HeadWeights):
            goal = self._goal
            if goal is not None and id_ == self._goal_id:
                self._cache.put(answer.record, answer.kind, answer.weights, goal.heads)
                self._pursue(goal)
                return
            current = self._current()
            if current is not None and answer.record is current.record and answer.kind == current.kind:
                self._cache.put(answer.record, answer.kind, answer.weights, current.heads)
        elif isinstance(answer, Part) and answer.request == self._part:
            self._state.update(part=answer)
        elif isinstance(answer, Thumbnails) and self._thumbnails.take(answer, complete=True):
            self._state.update(thumbnails=self._thumbnails.pictures)
        self._work_in_background()

    @Slot(int, object)
    def _on_streamed(self, id_: int, part: object) -> None:
        goal = self._goal
        if isinstance(part, HeadWeights) and goal is not None and id_ == self._goal_id:
            self._goal = replace(goal, values={})  # which are published now, the exact weights alone later
            self._publish(goal, {**self._cache.get(goal), **part.weights})
        elif isinstance(part, Thumbnails) and self._thumbnails.take(part):
            if self._thumbnails.is_late:
                self._state.update(thumbnails=self._thumbnails.pictures)
            self.see_layers(self._visible)  # the next layer in the order may be out of sight by now

    @Slot(int, object)
    def _on_row(self, _id: int, row: Row) -> None:
        self._state.update(row=row)

    @Slot(frozenset)
    def _on_changed(self, names: frozenset[str]) -> None:
        """The row in focus of a large head, for its numbers; all thumbnails if they are to be pooled otherwise."""
        state = self._state
        if "pooling" in names:
            self._pool()
        query = state.focus.query
        if not names & {"hover", "pinned", "weights", "head"} or query is None or not isinstance(state.shown, HeadOverview):
            return
        if state.record is not None and query < len(state.queries):
            wanted = RowRequest(state.record, state.kind, state.head, query)
            if wanted != self._row:
                self._row = wanted
                self._rows.submit(wanted)

    @Slot(int, object)
    def _on_failed(self, id_: int, error: HeadscopeError) -> None:
        if self._goal is not None and id_ == self._goal_id:
            goal, self._goal, following, self._next = self._goal, None, self._next, None
            if self.lens != WEIGHTS and error.code in UNAVAILABLE:
                self._do_without(goal, following, error)
                return
            self._state.update(busy=None, pending=None, notice=notice_of(error))
        elif self._in_background:
            self._in_background = False
            self._state.update(notice=notice_of(error))

    def _do_without(self, goal: Goal, following: Goal | None, error: HeadscopeError) -> None:
        """There are no numbers for the lens: what is shown stays as it is, and a new run shows its weights."""
        state = self._state
        if goal.captured is state.captured:  # another lens, other units or heads were chosen
            self.units, self.lens = state.units, state.lens
            state.update(notice=notice_of(error))
            self._work_in_background()
            return
        self.lens = WEIGHTS
        self._next = None if following is None else replace(following, record=following.record.of_weights)
        self._pursue(replace(goal, record=goal.record.of_weights, values={**goal.values, "notice": notice_of(error)}))

    @Slot(int)
    def _on_cancelled(self, id_: int) -> None:
        if id_ == self._part_id:
            self._part = None  # it may be asked for again
        self._work_in_background()

    # ---------------------------------------------------------------- when nobody waits
    def _work_in_background(self) -> None:
        """Thumbnails first, then, if all heads are small, their weights, so that choosing a head needs no wait."""
        current = self._current()
        if self._lane.is_busy or not self._in_background or current is None:
            return
        self._order = ()
        record, kind = current.record, current.kind
        n_layers, n_heads = record.n_layers(kind), record.n_heads(kind)
        if self._thumbnails.missing():
            self._ask_for_thumbnails()
            return
        if n_layers * n_heads * len(self._state.queries) * len(self._state.keys) * 4 > min(_PREFETCH_BYTES, self._cache.limit):
            return
        for layer in record.kept_layers(kind):
            wanted = replace(current, heads=tuple((layer, head) for head in range(n_heads)))
            here = self._cache.get(wanted)
            if missing := tuple(head for head in wanted.heads if head not in here):
                self._lane.submit(WeightsRequest(record, kind, missing))
                return

    def _pool(self) -> None:
        """Make all thumbnails anew, each pixel the maximum or the mean of the weights it covers; the old ones stay until then."""
        current = self._current()
        if current is not None:
            self._thumbnails.begin(current.record, current.kind, self._state.pooling)
            self._in_background = True
            if self._goal is None:  # else they follow it
                self._ask_for_thumbnails()

    def _ask_for_thumbnails(self) -> None:
        current = self._current()
        layers = self._thumbnails.missing(self._visible)
        if current is not None and layers:
            self._order = layers
            self._lane.submit(ThumbnailsRequest(current.record, current.kind, layers, how=self._state.pooling))
