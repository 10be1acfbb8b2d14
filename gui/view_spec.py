"""ViewSpec: what a view is. Desk, menus, palette, the sheet of shortcuts and the export read it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QCoreApplication, SignalInstance
from PySide6.QtWidgets import QWidget

from headscope.core.arguments import refuse
from headscope.core.vocabulary import FloatArray, Head, Kind
from headscope.gui.commands.command import Command
from headscope.gui.commands.gesture import Gesture
from headscope.gui.context import Context
from headscope.gui.control.looking import Looking
from headscope.gui.paint.figure import Figure
from headscope.gui.session.session import Session
from headscope.gui.session.view_settings import ViewSettings

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.model import Model
    from headscope.core.predict.results import FillStep, GenerationStep
    from headscope.core.run import Run


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """What a figure is drawn of where there is no window.

    Attributes
    ----------
    record : AttentionRecord
        In the units and through the lens that are wanted.
    kind : Kind
    heads : tuple of (layer, head)
        At least one; a figure of one head is of the first.
    captured : AttentionRecord, optional
        The same in the model's own tokens; `record` itself if not given.
    run : Run, optional
        What was predicted.
    steps : tuple of GenerationStep or FillStep
        Of a generation.
    model : Model, optional
        The one that the record is of, to be asked further.
    cell : (query, key), optional
    token : int, optional
        A query or a key of `record`, as `show` says.
    show : str
        Which of the things that the figure can show, see `FigureSpec.shows`.
    """

    record: AttentionRecord
    kind: Kind
    heads: tuple[Head, ...]
    captured: AttentionRecord | None = None
    run: Run | None = None
    steps: tuple[GenerationStep | FillStep, ...] = ()
    model: Model | None = None
    cell: tuple[int, int] | None = None
    token: int | None = None
    show: str = ""

    @property
    def weights(self) -> dict[Head, FloatArray]:
        """The map of each head, (n_queries, n_keys)."""
        return {head: self.record.attention_weights(*head, self.kind) for head in self.heads}

    @property
    def own(self) -> AttentionRecord:
        """The record in the model's own tokens."""
        return self.record if self.captured is None else self.captured

    # ---------------------------------------------------------------- what a figure cannot do without: ``bad_option``
    @property
    def needed_model(self) -> Model:
        """`model`."""
        return refuse("model", None, "the model that the attention is of") if self.model is None else self.model

    @property
    def needed_run(self) -> Run:
        """`run`."""
        return refuse("subject", self.own, "what Model.run returned") if self.run is None else self.run

    @property
    def needed_steps(self) -> tuple[GenerationStep | FillStep, ...]:
        """`steps`."""
        return self.steps or refuse("subject", self.own, "the steps of a generation")

    @property
    def needed_token(self) -> int:
        """`token`."""
        return refuse("token", None, "a position, from 0") if self.token is None else self.token

    @property
    def needed_cell(self) -> tuple[int, int]:
        """`cell`."""
        return refuse("cell", None, "(query, key), both from 0") if self.cell is None else self.cell


@dataclass(frozen=True, slots=True)
class FigureSpec:
    """A figure that a view can make.

    Attributes
    ----------
    id : str
    title : str
        English; its context is "views".
    make : callable
        The figure, given the view's panel, as that shows it; None while there is nothing to show.
    of_subject : callable
        The same figure without a window; for the command line and Python.
    obeys : frozenset of str
        Which of the options it has a meaning for, beside size, type, title, ground and dots (see `FigureOptions`), and which parts
        of a subject: "heads" if it shows several, "head" if it shows one, "units", "kind", "cell", "token", "show"; "transparent" if it can be
        without a ground.
    shows : tuple of str
        What it can show, the first unless something else is asked for.
    of : str
        What it is drawn of: "record", "run" or "steps".
    zoomed : callable, optional
        The part of a map that the panel shows, as two ranges; None if that is all of it.
    changes : callable, optional
        The panel's signal that `make` would answer something else now; for figures whose numbers have to be asked for.
    """

    id: str
    title: str
    make: Callable[[Any], Figure | None]
    of_subject: Callable[[Subject], Figure]
    obeys: frozenset[str] = frozenset()
    shows: tuple[str, ...] = ()
    of: Literal["record", "run", "steps"] = "record"
    zoomed: Callable[[Any], tuple[range, range] | None] | None = None
    changes: Callable[[Any], SignalInstance] | None = None

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("views", self.title)


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """A view.

    Attributes
    ----------
    id : str
        The name of its folder.
    title, help : str
        English; their context is "views".
    keys : str
        The shortcut that opens and closes it.
    create : callable
        Its panel; it imports what it needs when it is called.
    settings : type of ViewSettings
        What can be set in it; the base if nothing can.
    commands : tuple of Command
        In the order of their menus.
    gestures : tuple of Gesture
        What mouse and keys do in it.
    figures : tuple of FigureSpec
    of_run : bool
        Whether what it shows is of a run, or of what is to be done.
    shows_differences : bool
        Whether it can show one run minus another; else it shows the newest run beside views that do.
    of_reference : callable, optional
        Its panel for a session of the reference, to be beside that of the newest run.
    reference_title : str
        What that is called.
    """

    id: str
    title: str
    help: str
    keys: str
    create: Callable[[Context], QWidget]
    settings: type[ViewSettings] = ViewSettings
    commands: tuple[Command, ...] = ()
    gestures: tuple[Gesture, ...] = ()
    figures: tuple[FigureSpec, ...] = ()
    of_run: bool = True
    shows_differences: bool = False
    of_reference: Callable[[Session, Looking], QWidget] | None = None
    reference_title: str = ""

    @property
    def reference_id(self) -> str:
        """The id of its place for the reference."""
        return f"{self.id}_of_reference"

    @property
    def reference_words(self) -> str:
        """The title of its place for the reference, in the user's language."""
        return QCoreApplication.translate("views", self.reference_title)

    @property
    def words(self) -> str:
        """The title in the user's language."""
        return QCoreApplication.translate("views", self.title)
