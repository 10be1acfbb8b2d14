"""Session: the one observable thing in the window. Panels read it, change it through `update`, and repaint when it says so."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QObject, Signal

from headscope.core.analyse.records.head_types import HeadProbe
from headscope.core.attention.head_map import HeadMap, Pooling
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.forward.model_info import ModelInfo
from headscope.core.models.catalogue_entries import Catalogue
from headscope.core.options import Sampling
from headscope.core.predict.results import BeamStep, FillStep, GenerationStep, Prediction
from headscope.core.requests.cells import Part, Row, RowRequest
from headscope.core.run import Run
from headscope.core.text.prompt import Prompt
from headscope.core.text.tokens import TOKENS, TokenAxis, Units
from headscope.core.vocabulary import FloatArray, Head, Kind
from headscope.gui.session.find import Find
from headscope.gui.session.head_order import HeadOrder
from headscope.gui.session.outcome import Outcome
from headscope.gui.session.selection import Cell, Marks, Pairing
from headscope.gui.session.source import B, Source
from headscope.gui.session.view_settings import S, Views, ViewSettings
from headscope.gui.words.notices import Busy, Notice

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.options import Languages


@dataclass
class _Fields:
    model: ModelInfo | None = None
    catalogue: Catalogue | None = None
    # what the user wrote; never changed by a failure
    text: str = ""
    text_pair: str = ""
    target: str = ""
    # what was run: these change together, in one update
    run: Run | None = None  # B: the newest
    reference: Run | None = (
        None  # A: the run of this text before its last edit, or the one that the user keeps; None if it is too large
    )
    reference_kept: bool = False  # until it is let go
    source: Source = B  # whose pictures are shown
    beside: bool = False  # the reference is shown in views of its own
    pending: Prompt | None = None  # the text of a run that is under way: what is shown is an earlier one's
    captured: AttentionRecord | None = None  # of the run that `source` names, or of the latest generation or filling step
    record: AttentionRecord | None = None  # `captured` in the units of `units`, through `lens`: what all pictures are of
    units: Units = TOKENS
    kind: Kind = "encoder"
    queries: TokenAxis = field(default_factory=lambda: TokenAxis(()))
    keys: TokenAxis = field(default_factory=lambda: TokenAxis(()))
    weights: Mapping[Head, HeadMap] = field(default_factory=dict)  # of `heads` at least: what the lens shows
    kept: bool = False  # `weights` are those of an earlier session, which no run has confirmed yet: there is no record
    part: Part | None = None  # of a large head's map: what the heatmap has zoomed in on
    row: Row | None = None  # of a large head's map: the query in focus
    thumbnails: FloatArray | None = None  # (layer, head, height, width), NaN where still to come
    pooling: Pooling = "max"  # of the cells that a pixel of `thumbnails` covers
    predictions: tuple[Prediction, ...] = ()
    outcome: Outcome | None = None  # the class, tag or end of an answer that the user chose to have explained
    before: tuple[Prediction, ...] = ()  # of A, each at the position of B's that it is compared with
    sampling: Sampling = field(default_factory=Sampling)  # as the fields say, for what is written next
    rules_off: frozenset[str] = frozenset()  # of the model's own rules of generation
    languages: Languages | None = None  # that a multilingual model reads and writes; None: as its own settings say
    next_sentence: float | None = None
    steps: tuple[GenerationStep | FillStep, ...] = ()  # of the generation or filling under way or finished last
    branches: tuple[tuple[GenerationStep | FillStep, ...], ...] = ()  # all that `steps` was forked into, `steps` among them
    branch: int = 0  # which of them `steps` is
    step: int | None = None  # which of `steps` is looked at; None: the last
    beams: BeamStep | None = None  # of the beam search under way
    # what is looked at
    head: Head = (0, 0)
    heads: tuple[Head, ...] = ((0, 0),)  # heads drawn in the link view, `head` among them
    hover: Cell = field(default_factory=Cell)
    pinned: Cell = field(default_factory=Cell)
    marks: Marks = field(default_factory=Marks)
    find: Find = field(default_factory=Find)  # what is looked for in the text
    lens: Lens = WEIGHTS  # that `record` is seen through
    pairing: Pairing = "all"
    head_order: HeadOrder = field(default_factory=HeadOrder)  # of the grid of heads
    head_probe: HeadProbe | None = None  # what heads of the loaded model do on repeated random tokens, if that was measured
    views: Views = field(default_factory=Views)  # how each view shows what it shows
    # how it stands
    busy: Busy | None = None
    notice: Notice | None = None
    dark: bool = False
    presenting: bool = False  # to an audience: full screen, large type
    undoable: int = 0  # how many changes can be undone
    redoable: int = 0  # how many that were undone can be made again
    undo_of: str = ""  # the name of the change that is undone next, one of `CHANGES`
    redo_of: str = ""


_OF_A_RUN = (
    *(
        "run",
        "reference",
        "reference_kept",
        "source",
        "captured",
        "record",
        "queries",
        "keys",
        "weights",
        "kept",
        "part",
        "row",
        "thumbnails",
        "predictions",
        "before",
    ),
    *("next_sentence", "steps", "branches", "branch", "step", "beams", "hover", "pinned", "marks"),
)


def cleared() -> dict[str, Any]:
    """The values that are of a run, as they are before the first one."""
    empty = _Fields()
    return {name: getattr(empty, name) for name in _OF_A_RUN}


class Session(QObject):
    """Everything the panels show, as named values.

    `update(name=value, …)` sets any number of them at once and emits `changed` with the names whose values really
    differ; equal values cause no signal, so panels that write what they read cause no loops. Arrays count as equal
    only if they are the same object. With ``"views"`` come the names of the views whose settings differ: ``"views.links"``.
    """

    changed = Signal(frozenset)

    if TYPE_CHECKING:
        model: ModelInfo | None
        catalogue: Catalogue | None
        text: str
        text_pair: str
        target: str
        run: Run | None
        reference: Run | None
        reference_kept: bool
        source: Source
        beside: bool
        pending: Prompt | None
        captured: AttentionRecord | None
        record: AttentionRecord | None
        units: Units
        kind: Kind
        queries: TokenAxis
        keys: TokenAxis
        weights: Mapping[Head, HeadMap]
        kept: bool
        part: Part | None
        row: Row | None
        thumbnails: FloatArray | None
        pooling: Pooling
        predictions: tuple[Prediction, ...]
        outcome: Outcome | None
        before: tuple[Prediction, ...]
        sampling: Sampling
        rules_off: frozenset[str]
        languages: Languages | None
        next_sentence: float | None
        steps: tuple[GenerationStep | FillStep, ...]
        branches: tuple[tuple[GenerationStep | FillStep, ...], ...]
        branch: int
        step: int | None
        beams: BeamStep | None
        head: Head
        heads: tuple[Head, ...]
        hover: Cell
        pinned: Cell
        marks: Marks
        find: Find
        lens: Lens
        pairing: Pairing
        head_order: HeadOrder
        head_probe: HeadProbe | None
        views: Views
        busy: Busy | None
        notice: Notice | None
        dark: bool
        presenting: bool
        undoable: int
        redoable: int
        undo_of: str
        redo_of: str

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        empty = _Fields()
        self._names = frozenset(item.name for item in fields(_Fields))
        # plain attributes, which are read thousands of times a frame
        vars(self).update({name: getattr(empty, name) for name in self._names})
        self._doing = ""
        self._color_of = _colors({}, {}, self.heads)
        self._had: dict[Head, int] = {}  # colours of those that were among them, until all are others

    @contextmanager
    def doing(self, name: str) -> Iterator[None]:
        """What changes inside is one thing that the user did: its name, one of `CHANGES`."""
        before, self._doing = self._doing, name
        try:
            yield
        finally:
            self._doing = before

    @property
    def done(self) -> str:
        """The name of what is being done; "" for what each value's own name says."""
        return self._doing

    def __setattr__(self, name: str, value: Any) -> None:
        """A value that is assigned would hide the real one from then on, and nobody would be told: an error instead."""
        if not name.startswith("_"):
            raise AttributeError(f"Session.{name} is set by update({name}=…)")
        super().__setattr__(name, value)

    def update(self, **values: Any) -> None:
        """Set values; one `changed` signal with the names that differ, none if nothing does."""
        unknown = values.keys() - self._names
        if unknown:
            raise AttributeError(f"Session has no {', '.join(sorted(unknown))}")
        values |= self._inside(values)
        different = {name for name, value in values.items() if not _same(getattr(self, name), value)}
        if "views" in different:
            different |= {f"views.{settings.VIEW}" for settings in self.views.differs_in(values["views"])}
        vars(self).update({name: values[name] for name in different & values.keys()})
        if "heads" in different:
            had = {**self._had, **self._color_of}
            self._had = had if had.keys() & set(self.heads) else {}
            self._color_of = _colors(self._color_of, self._had, self.heads)
        if different:
            self.changed.emit(frozenset(different))

    def _inside(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What is pointed at, within the picture: a view that is painted a moment later may still show the one before."""
        size = len(values.get("queries", self.queries)), len(values.get("keys", self.keys))
        if not all(size):
            return {}
        changed = values.keys() & {"queries", "keys"}
        names = [name for name in ("hover", "pinned", "marks") if changed or name in values]
        return {name: values.get(name, getattr(self, name)).within(*size) for name in names}

    def view(self, kind: type[S]) -> S:
        """The settings of the view whose settings are of this kind."""
        return self.views.of(kind)

    def set_view(self, kind: type[ViewSettings], **values: Any) -> None:
        """Change some of a view's settings."""
        self.update(views=self.views.having(replace(self.view(kind), **values)))

    def pin(self, cell: Cell) -> None:
        """Pin a cell, or let it go if it is the one that is pinned."""
        self.update(pinned=Cell() if cell == self.pinned else cell)

    # ---------------------------------------------------------------- derived
    @property
    def shown(self) -> HeadMap | None:
        """The map of `head`, (n_queries, n_keys), or what stands for it; None while there is none."""
        return self.weights.get(self.head)

    def value(self, query: int | None, key: int | None) -> float | None:
        """The exact number of a cell of `head`, NaN where the lens has none; None where there is no such cell, or while its row is on the way."""
        shown, row = self.shown, self.row
        if shown is None or query is None or key is None or query >= shown.shape[0] or key >= shown.shape[1]:
            return None
        if isinstance(shown, np.ndarray):
            return float(shown[query, key])
        wanted = None if self.record is None else RowRequest(self.record, self.kind, self.head, query)
        return float(row.values[key]) if row is not None and row.request == wanted else None

    @property
    def looked_at(self) -> Run | None:
        """The run that the pictures are of."""
        return self.reference if self.source.run == "a" else self.run

    @property
    def shown_lens(self) -> Lens:
        """What the numbers of the pictures are: `lens`, or the difference of two runs seen through it."""
        return self.lens if self.record is None else self.record.lens

    def can_show(self, source: Source) -> bool:
        """Whether there is such a picture; while a run is on its way there is not."""
        if self.run is None or self.busy is not None:
            return False
        return source == B or (self.reference is not None and (source.minus is None or self._are_alike))

    @property
    def _are_alike(self) -> bool:
        """Whether each token of the newest run has one of the reference in its place."""
        if self.run is None or self.reference is None:
            return False
        ours, theirs = self.run.record, self.reference.record
        return ours.kinds == theirs.kinds and all(
            [len(axis) for axis in ours.axis(kind)] == [len(axis) for axis in theirs.axis(kind)] for kind in ours.kinds
        )

    @property
    def color_of(self) -> Mapping[Head, int]:
        """Which of the theme's head colours each of `heads` has; a head keeps its colour as long as it is among them."""
        return self._color_of

    @property
    def focus(self) -> Cell:
        """What is pinned if something is, else what the mouse points at."""
        return self.pinned if self.pinned != Cell() else self.hover


def _colors(now: Mapping[Head, int], before: Mapping[Head, int], heads: tuple[Head, ...]) -> dict[Head, int]:
    """The colours of `heads`: what they have now, or had before if nobody has it by now, or the first that is free."""
    colors = {head: now[head] for head in heads if head in now}
    for head in heads:
        if head not in colors and head in before and before[head] not in colors.values():
            colors[head] = before[head]
    free = (number for number in count() if number not in set(colors.values()))
    return {head: colors[head] if head in colors else colors.setdefault(head, next(free)) for head in heads}


def _same(old: Any, new: Any) -> bool:
    if old is new:
        return True
    if isinstance(old, (np.ndarray, Mapping)) or isinstance(new, (np.ndarray, Mapping)):
        return False
    return bool(type(old) is type(new) and old == new)
