"""Explorer: the controller between the panels, the state and the background lanes.

Panels call its methods; it asks the model lane, hands what comes back to `Pictures`, and turns every failure into a notice.
What the user typed and the last good picture outlive any failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from PySide6.QtCore import QObject, QTimer, Slot

from headscope.core import edit
from headscope.core.errors import HeadscopeError
from headscope.core.examples import Example, examples_for
from headscope.core.jobs import (
    Ability,
    Candidate,
    CaptureRequest,
    Catalogue,
    CatalogueRequest,
    FillRequest,
    FillStep,
    GenerateRequest,
    GenerationStep,
    Head,
    Kind,
    LoadRequest,
    ModelInfo,
    ModelRequest,
    Prediction,
    Progress,
    RunResult,
    Sampling,
)
from headscope.core.tokens import TokenAxis
from headscope.gui.exporter import Export, Exporter
from headscope.gui.mask_memory import MaskMemory
from headscope.gui.messages import busy_at, busy_of, notice_of
from headscope.gui.pictures import MOST_HEADS, Pictures
from headscope.gui.state import ExplorerState
from headscope.gui.worker import Handle, Lane, supersedes_in_model_lane

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


_FRAME_MILLISECONDS = 16


def _model_handler() -> Handle:
    """Called in the model lane: imports torch there, after the window is painted."""
    from headscope.core.engine import Engine

    return Engine().handle


def _view_handler() -> Handle:
    from headscope.core.engine import Engine

    return Engine().handle_view


@dataclass(frozen=True, slots=True)
class _Text:
    """What a model is given."""

    text: str = ""
    text_pair: str = ""
    target: str = ""


class Explorer(QObject):
    """The controller.

    Parameters
    ----------
    state : ExplorerState
        What the panels show; the explorer changes it, they repaint.
    """

    def __init__(self, state: ExplorerState, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state = state
        self._pictures = Pictures(state, _view_handler, self)
        self._lane = Lane("model", _model_handler, supersedes_in_model_lane, self)
        self._lane.progressed.connect(self._on_progressed)
        self._lane.streamed.connect(self._on_streamed)
        self._lane.finished.connect(self._on_finished)
        self._lane.failed.connect(self._on_failed)
        self._lane.cancelled.connect(self._on_cancelled)
        self._exporter = Exporter(state, self)
        self._exporter.ended.connect(self._settle)
        self._asked: dict[int, ModelRequest] = {}
        self._loaded: ModelInfo | None = None  # in the lane; the state's model follows with the first picture
        self._ours = _Text()  # the text as a program wrote it: a new model's example may replace it
        self._fillings: tuple[Prediction, ...] = ()
        self._arrived: list[GenerationStep | FillStep] = []  # steps that the next frame will show
        self._frame = QTimer(self)
        self._frame.setSingleShot(True)
        self._frame.setInterval(_FRAME_MILLISECONDS)
        self._frame.timeout.connect(self._show_steps)
        self._writing = "text"  # the field that a generation or a filling writes into, and what it left there
        self._written = ""
        self._masks = MaskMemory()
        self._head: Head | None = None  # that an example wants to be seen with

    # ---------------------------------------------------------------- models
    def load(self, source: str, device: str = "auto", dtype: str = "auto") -> None:
        """Open a model and run it; the old picture stays until the new one's first run has succeeded."""
        self._ask(LoadRequest(source, device, dtype))
        self.state.update(busy=busy_at("loading", detail=source))

    def refresh_catalogue(self) -> None:
        """Look again for models on this computer."""
        self._ask(CatalogueRequest())

    def _on_loaded(self, info: ModelInfo) -> None:
        self._loaded = info
        if not info.source.startswith("toy:"):
            self.refresh_catalogue()
        examples = examples_for(info)
        if self._text() == self._ours and examples:
            self.use_example(examples[0])
        else:
            self.run()

    # ---------------------------------------------------------------- runs
    def run(self) -> None:
        """Run the model once over the text of the state."""
        text = self._text()
        if self._loaded is None and not self._lane.is_busy:
            self.state.update(notice=notice_of(HeadscopeError("no_model")))
            return
        family = self._loaded.family if self._loaded is not None else "encoder"
        pair = text.text_pair if family == "encoder" else ""
        target = text.target if family == "encoder-decoder" else ""
        self._ask(CaptureRequest(text.text, pair or None, target or None))
        self.state.update(busy=busy_at("running"))

    def use_example(self, example: Example) -> None:
        """Put an example in the place of the text, and run it."""
        self.state.update(text=example.text, text_pair=example.pair or "", target=example.target or "")
        self._ours = self._text()
        self._head = example.head
        self.run()

    def generate(self, max_new_tokens: int, sampling: Sampling) -> None:
        """Let the model continue the text, token by token."""
        if self._able("generate", "cannot_generate"):
            self._begin_writing("target" if self._loaded and self._loaded.family == "encoder-decoder" else "text")
            self._ask(GenerateRequest(self.state.text, max_new_tokens, sampling))
            self.state.update(steps=(), busy=busy_at("generating"))

    def fill(self, strategy: Literal["confident", "left_to_right"] = "confident") -> None:
        """Fill every mask of the text, one at a time."""
        if self._able("fill_mask", "cannot_fill_mask"):
            self._fillings = ()
            self._begin_writing("text")
            self._ask(FillRequest(self.state.text, self.state.text_pair or None, strategy))
            self.state.update(steps=(), busy=busy_at("filling"))

    def stop(self) -> None:
        """End what the model is doing, or about to do, and what is being written."""
        if self._lane.is_busy or self._exporter.is_busy:
            self._show_steps()
            self.state.update(busy=busy_at("stopping"))
            self._lane.cancel()
            self._exporter.cancel()

    def _able(self, ability: Ability, otherwise: str) -> bool:
        if self._loaded is None:
            self.state.update(notice=notice_of(HeadscopeError("no_model")))
        elif ability not in self._loaded.abilities:
            self.state.update(notice=notice_of(HeadscopeError(otherwise, model=self._loaded.name)))
        else:
            return True
        return False

    def show_record(self, record: AttentionRecord) -> None:
        """Show attention that no model of this window computed."""
        self._pictures.show(record)

    # ---------------------------------------------------------------- editing by clicks
    def mask_token(self, position: int) -> None:
        """Replace a token by the model's mask, or a mask by the word it stands for; then run."""
        model, axis = self._loaded, self._source()
        if model is None or axis is None or position >= len(axis):
            return
        if model.mask_token is None:
            self.state.update(notice=notice_of(HeadscopeError("cannot_fill_mask", model=model.name)))
        elif axis.text != self.state.text:  # typed since: these tokens are of another text
            self.run()
        else:
            segment = _SEGMENTS[axis.tokens[position].segment]
            text = self._masks.toggled(axis, position, model.mask_token, getattr(self.state, segment))
            if text is not None:
                self.state.update(**{segment: text})
                self.run()

    def use_candidate(self, prediction: Prediction, candidate: Candidate) -> None:
        """Put a candidate where it was predicted, and run."""
        model, record = self._loaded, self.state.record
        if model is None or record is None:
            return
        axis, field = _source_of(record), "text"
        if model.family == "encoder-decoder" and "fill_mask" not in model.abilities:
            axis, field = record.axis("decoder").queries, "target"
        if prediction.position < len(axis) and axis.tokens[prediction.position].segment == 1:
            field, text = "text_pair", self.state.text_pair
        else:
            text = axis.text
        if getattr(self.state, field) in (text, self._written):  # else typed since: the prediction is of another text
            self.state.update(**{field: edit.with_candidate(axis, prediction.position, candidate, text)})
        self.run()

    # ---------------------------------------------------------------- what is looked at
    @property
    def head(self) -> Head:
        """The head that is looked at, or is about to be."""
        return self._pictures.head

    def select_head(self, head: Head, extend: bool = False) -> None:
        """Look at a head; with `extend` beside those looked at already, or, if it is one of them, no longer."""
        heads = self._pictures.heads
        if not extend:
            self._pictures.select(head, (head,))
        elif head not in heads:
            self._pictures.select(head, (*heads, head)[-MOST_HEADS:])
        elif len(heads) > 1:
            rest = tuple(other for other in heads if other != head)
            self._pictures.select(rest[-1], rest)

    def set_kind(self, kind: Kind) -> None:
        """Look at another kind of attention."""
        self._pictures.set_kind(kind)

    def export(self, request: Export) -> None:
        """Write a picture or numbers to a file."""
        self._exporter.export(request)

    def close(self) -> bool:
        """End all threads; whether they have ended."""
        return all([self._lane.close(), self._pictures.close(), self._exporter.close()])

    # ---------------------------------------------------------------- what comes back
    def _ask(self, request: ModelRequest) -> None:
        if not isinstance(request, CatalogueRequest):
            self._arrived.clear()  # steps of what this request replaces
        self._asked[self._lane.submit(request)] = request

    @Slot(int, object)
    def _on_progressed(self, id_: int, progress: Progress) -> None:
        if not isinstance(self._asked[id_], CatalogueRequest):
            self.state.update(busy=busy_of(progress))

    @Slot(int, object)
    def _on_finished(self, id_: int, answer: object) -> None:
        self._show_steps()
        request = self._asked.pop(id_)
        if isinstance(answer, ModelInfo):
            self._on_loaded(answer)
        elif isinstance(answer, Catalogue):
            self.state.update(catalogue=answer)
        elif isinstance(answer, RunResult):
            self._on_run(request, answer)

    def _on_run(self, request: ModelRequest, result: RunResult) -> None:
        values: dict[str, Any] = {"run": result, "next_sentence": result.next_sentence, "predictions": result.predictions}
        if isinstance(request, FillRequest):
            values["predictions"] = self._fillings
        elif isinstance(request, CaptureRequest):
            values["steps"] = ()
        head, self._head = self._head, None
        self._pictures.show(result.record, head=head, model=self._loaded, busy=None, notice=None, **values)

    @Slot(int, object)
    def _on_streamed(self, _id: int, step: object) -> None:
        if isinstance(step, GenerationStep | FillStep):
            self._arrived.append(step)
            if not self._frame.isActive():
                self._frame.start()

    @Slot()
    def _show_steps(self) -> None:
        """Show what has arrived since the last frame, at once: a small model writes faster than a screen can be painted."""
        self._frame.stop()
        steps, self._arrived = tuple(self._arrived), []
        if not steps:
            return
        if getattr(self.state, self._writing) != self._written:  # the user types: their words come before the model's
            self.stop()
            return
        last = steps[-1]
        self._write(last.text)
        self._fillings += tuple(Prediction(step.position, step.candidates) for step in steps if isinstance(step, FillStep))
        predictions = self._fillings
        if isinstance(last, GenerationStep):
            predictions = (Prediction(len(last.record.axis("decoder").queries), last.candidates),)
        self.state.update(steps=(*self.state.steps, *steps))
        self._pictures.show(last.record, streaming=True, model=self._loaded, predictions=predictions)

    @Slot(int, object)
    def _on_failed(self, id_: int, error: HeadscopeError) -> None:
        self._show_steps()
        request = self._asked.pop(id_)
        self.state.update(busy=None, notice=notice_of(error))
        if isinstance(request, LoadRequest) and self._loaded is None:
            self._lane.cancel()
        self._settle()

    @Slot(int)
    def _on_cancelled(self, id_: int) -> None:
        self._show_steps()
        del self._asked[id_]
        self._settle()

    @Slot()
    def _settle(self) -> None:
        """After a request that changed no picture: nothing is busy, and the model in the lane is the screen's."""
        if not self._lane.is_busy and not self._exporter.is_busy:
            self.state.update(busy=None, model=self._loaded)

    # ---------------------------------------------------------------- the text
    def _text(self) -> _Text:
        return _Text(self.state.text, self.state.text_pair, self.state.target)

    def _begin_writing(self, field: str) -> None:
        self._writing, self._written = field, getattr(self.state, field)

    def _write(self, text: str) -> None:
        """Put the model's words into the text."""
        untouched = self._text() == self._ours
        self._written = text
        self.state.update(**{self._writing: text})
        if untouched:
            self._ours = self._text()

    def _source(self) -> TokenAxis | None:
        return None if self.state.record is None else _source_of(self.state.record)


_SEGMENTS = ("text", "text_pair")


def _source_of(record: AttentionRecord) -> TokenAxis:
    """The tokens of the text itself, not of an encoder-decoder model's target."""
    return record.axis(record.kinds[0]).queries
