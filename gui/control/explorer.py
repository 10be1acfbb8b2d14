"""Explorer: the controller between the panels, the state and the background lanes.

Panels call its methods; it asks the model lane, hands what comes back to `HeadLoader`, and turns every failure into a notice.
What the user typed and the last good picture outlive any failure.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Slot
from shiboken6 import isValid

from headscope.core.attention.lens import Lens
from headscope.core.errors import HeadscopeError
from headscope.core.forward.model_info import ModelInfo
from headscope.core.job import Progress
from headscope.core.keep import KEEP_ALL, Keep, Offer
from headscope.core.models.catalogue_entries import Catalogue
from headscope.core.models.examples import Example, examples_for
from headscope.core.options import Sampling
from headscope.core.predict.results import GenerationStep
from headscope.core.requests.cells import PartRequest
from headscope.core.requests.models import CatalogueRequest, LoadRequest
from headscope.core.requests.request import AnyModelRequest, Question
from headscope.core.requests.runs import CaptureRequest, FillRequest, ForkRequest, GenerateRequest
from headscope.core.run import Run
from headscope.core.text.prompt import Prompt
from headscope.core.text.tokens import Units
from headscope.core.vocabulary import Ability, Head, Kind
from headscope.gui.control.beside import Beside
from headscope.gui.control.editing import Editing
from headscope.gui.control.exporter import Export, Exporter
from headscope.gui.control.head_loader import HeadLoader
from headscope.gui.control.heatmap_numbers import HeatmapNumbers
from headscope.gui.control.sources import Sources
from headscope.gui.control.writing import Writing
from headscope.gui.lanes.answer import A, Answer
from headscope.gui.lanes.handlers import model_handler, view_handler
from headscope.gui.lanes.lane import PATIENCE, Lane, close_all
from headscope.gui.lanes.precedence import no_question_replaces_another, supersedes_in_model_lane
from headscope.gui.session.abilities import why_unable
from headscope.gui.session.opened import Opened
from headscope.gui.session.outcome import kept_outcome
from headscope.gui.session.session import Session
from headscope.gui.words.notices import busy_at, busy_of, note_of, notice_of, unknown_note

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.model import Model


class Explorer(QObject):
    """The controller.

    Parameters
    ----------
    state : Session
        What the panels show; the explorer changes it, they repaint.

    Attributes
    ----------
    questions, long_questions : Lane
        For answers from records: panels keep an `Answer` of one of them for each thing they want to know. Nothing waits for the long
        ones, such as all heads' metrics.
    """

    def __init__(self, state: Session, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.state, self._pictures = state, HeadLoader(state, view_handler, self)
        self.questions = Lane("questions", view_handler, no_question_replaces_another, self)
        self.numbers = HeatmapNumbers(state, self.questions, self)
        self.long_questions = Lane("long questions", view_handler, no_question_replaces_another, self)
        self._lane = Lane("model", model_handler, supersedes_in_model_lane, self)
        self._lane.progressed.connect(self._on_progressed)
        self._lane.streamed.connect(self._on_streamed)
        self._lane.finished.connect(self._on_finished)
        self._lane.failed.connect(self._on_failed)
        self._lane.cancelled.connect(self._on_cancelled)
        self.exporter = Exporter(state, self)
        self.exporter.ended.connect(self._settle)
        self._asked: dict[int, AnyModelRequest] = {}
        self._adopted: Model | None = None
        self.opened = Opened()
        self._coming: Prompt | None = None  # the text of the model that is being opened again
        self._writes = ""  # the name of the change that is being written
        self._loaded: ModelInfo | None = None  # in the lane; the state's model follows with the first picture
        self._ours = Prompt()  # the text as a program wrote it: a new model's example may replace it
        self._stream = Writing(state, self._pictures, self._write, self)
        self._stream.interrupted.connect(self.stop)
        self.editing = Editing(state, lambda: self._loaded, self.run, lambda: self._stream.left)
        self.sources = Sources(state, self._pictures, self)
        self.beside = Beside(state, self.questions, self.select_heads, self.set_lens, self)
        self._head: Head | None = None  # that an example wants to be seen with

    # ---------------------------------------------------------------- models
    def load(self, source: str, device: str = "auto", dtype: str = "auto") -> None:
        """Open a model and run it; the old picture stays until the new one's first run has succeeded."""
        self._open(LoadRequest(source, device, dtype))

    def adopt(self, model: Model) -> None:
        """Take over a model that is in memory, and run it; nobody else may, until `close` releases it."""
        self._adopted = model
        self._open(LoadRequest(model.info.source, model=model))

    def begin_with_example(self) -> None:
        """The text that is there was put there by a program: another model's example may replace it."""
        self._ours = self._text()

    def has_open(self, model: ModelInfo) -> bool:
        """Whether it is the one that would run now."""
        asked = any(isinstance(request, LoadRequest) for request in self._asked.values())
        return self._loaded is not None and not asked and self.opened.same(model, self._loaded)

    def reopen(self, model: ModelInfo, prompt: Prompt, head: Head) -> None:
        """Open a model again that was open before, and run a text of its own; until then the text stays as well."""
        if (request := self.opened.request(model)) is not None:
            self._open(request, prompt)
            self._head = head

    def _open(self, request: LoadRequest, prompt: Prompt | None = None) -> None:
        self._coming = prompt
        self._ask(request)
        self.state.update(
            pending=prompt or self._text(),
            busy=busy_at("loading", detail=request.source if request.model is None else request.model.info.name),
        )

    def refresh_catalogue(self) -> None:
        """Look again for models on this computer."""
        self._ask(CatalogueRequest())

    def _on_loaded(self, info: ModelInfo, request: LoadRequest) -> None:
        self._loaded = info
        self.opened.add(info, request)
        self.state.update(sampling=info.generation.sampling, rules_off=frozenset(), languages=None, head_probe=None)
        if not info.source.startswith("toy:"):
            self.refresh_catalogue()
        examples, prompt = examples_for(info), self._coming
        with self.state.doing("open model"):
            if prompt is None and examples and self._text() == self._ours:
                self.use_example(examples[0])
            else:
                self._put(prompt or self._text())
                self.run()

    # ---------------------------------------------------------------- runs
    def run(self, keep: Keep = KEEP_ALL) -> None:
        """Run the model once over the text of the state, and keep of its attention what `keep` says."""
        if self._loaded is None and not self._lane.is_busy:
            self.state.update(notice=notice_of(HeadscopeError("no_model")))
            return
        self._ask(CaptureRequest.of(self._text(), self._loaded, keep, self.state.languages))
        self.state.update(busy=busy_at("running"), pending=self._text())

    def take_offer(self, offer: Offer) -> None:
        """Run what would not fit in a way that does; the text comes back with undo."""
        if offer.text is not None:
            with self.state.doing("shorten"):
                self.state.update(text=offer.text)
        self.run(offer.keep)

    def use_example(self, example: Example) -> None:
        """Put an example in the place of the text, and run it."""
        with self.state.doing(self.state.done or "example"):
            self._put(Prompt(example.text, example.pair or "", example.target or ""))
        self._ours = self._text()
        self._head = example.head
        self.run()

    def generate(self, max_new_tokens: int | None, sampling: Sampling, **how: Any) -> None:
        """Let the model continue the text, token by token; `how` as `GenerateRequest`."""
        if self._able("generate", "cannot_generate"):
            request = GenerateRequest(self.state.text, max_new_tokens, sampling, **how)
            self._ask(replace(request, languages=self.state.languages))
            self._stream.begin(self._generated_field, self._loaded)
            self._writes = "generate"
            self.state.update(busy=busy_at("generating"))

    def fork(self, step: GenerationStep, token_id: int, max_new_tokens: int) -> None:
        """Let the model go on from an earlier step with another token; what it wrote before stays as another branch."""
        self._ask(ForkRequest(step, token_id, max_new_tokens))
        self._stream.begin(self._generated_field, self._loaded, branch_at=step.index)
        self._writes = "generate"
        self.state.update(busy=busy_at("generating"))

    def show_branch(self, branch: int) -> None:
        """Show what the model wrote along one of the branches."""
        with self.state.doing("branch"):
            self._stream.show_branch(branch)

    def show_step(self, index: int | None) -> None:
        """Look back at a step of what was written or filled last; None: at all of it again. The text stays as it is."""
        if self.state.busy is None:  # else the next picture is on its way
            self._stream.show_step(index)

    @property
    def _generated_field(self) -> str:
        return "target" if self._loaded and self._loaded.family == "encoder-decoder" else "text"

    def fill(self, how: FillRequest = FillRequest("")) -> None:  # noqa: B008 - frozen
        """Fill every mask of the state's text as `how` says."""
        if self._able("fill_mask", "cannot_fill_mask"):
            self._ask(replace(how, text=self.state.text, text_pair=self.state.text_pair or None))
            self._stream.begin("text", self._loaded)
            self._writes = "fill"
            self.state.update(busy=busy_at("filling"))

    def answer_of_model(self, parent: QObject) -> Answer[Any]:
        """A place for an answer of the model, to be asked by `ask`."""
        return Answer(self._lane, parent)

    def ask(self, answer: Answer[A], question: Question[A]) -> None:
        """Ask the model something that changes no picture. A run drops the question."""
        if self._loaded is None:
            answer.refuse(question, HeadscopeError("no_model"))
            return
        if answer.error is not None:
            answer.drop()
        answer.ask(question)
        if answer.is_waiting:
            self.state.update(busy=busy_at("running"))

    def stop(self) -> None:
        """End what the model is doing, or about to do, and what is being written."""
        if self._lane.is_busy or self.exporter.is_busy:
            self._stream.show_arrived()
            self.state.update(busy=busy_at("stopping"))
            self._lane.cancel()
            self.exporter.cancel()

    def _able(self, ability: Ability, otherwise: str) -> bool:
        refusal = why_unable(self._loaded, ability, otherwise)
        if refusal is not None:
            self.state.update(notice=notice_of(refusal))
        return refusal is None

    def show_record(self, record: AttentionRecord) -> None:
        """Show attention that no model of this window computed."""
        self._pictures.show(record)

    # ---------------------------------------------------------------- what is looked at
    @property
    def head(self) -> Head:
        """The head that is looked at, or is about to be."""
        return self._pictures.head

    def select_head(self, head: Head, extend: bool = False) -> None:
        """Look at a head; with `extend` beside those looked at already, or, if it is one of them, no longer."""
        self._head = None  # whatever an example wants
        self._pictures.choose(head, extend)

    def select_heads(self, head: Head, heads: tuple[Head, ...]) -> None:
        """Look at `head` beside the others of `heads`, of which it is one."""
        self._head = None
        self._pictures.select(head, heads)

    def limit_cache(self, n_bytes: int) -> None:
        """Keep at most so much of the heads that were looked at."""
        self._pictures.limit_cache(n_bytes)

    def look_closer(self, wanted: PartRequest) -> None:
        """Show a part of the head that is shown and too large to be here as a whole."""
        self._pictures.look_closer(wanted)

    def see_layers(self, layers: range) -> None:
        """Draw the heads of these layers first: they are in sight."""
        self._pictures.see_layers(layers)

    @property
    def units(self) -> Units:
        """The units that are shown, or are about to be."""
        return self._pictures.units

    def set_units(self, units: Units) -> None:
        """Show words, sentences or segments instead of tokens, or hide special tokens."""
        self._pictures.in_units(units)

    def set_lens(self, lens: Lens) -> None:
        """Show other numbers of heads: weights, scores …"""
        self._pictures.see_through(lens)

    def set_kind(self, kind: Kind) -> None:
        """Look at another kind of attention."""
        self._pictures.set_kind(kind)

    def export(self, request: Export) -> None:
        """Write a picture or numbers to a file."""
        self.exporter.export(request)

    def close(self, patience: float = PATIENCE) -> bool:
        """End all threads, and give back a model that was taken over; whether that is done within so many seconds.

        If it is not, a library is busy in a thread and does not look up: ask again.
        """
        if not isValid(self):  # freed, which it is only then
            return True
        lanes = (
            self._lane,
            self.questions,
            self.long_questions,
            *self._pictures.lanes,
            *self.beside.lanes,
            *self.exporter.lanes,
        )
        ended = close_all(lanes, patience)
        if ended and self._adopted is not None:
            self._adopted.release()
            self._adopted = None
        return ended

    # ---------------------------------------------------------------- what comes back
    def _ask(self, request: AnyModelRequest) -> None:
        if not isinstance(request, CatalogueRequest):
            self._stream.drop()  # steps of what this request replaces
        self._asked[self._lane.submit(request)] = request

    @Slot(int, object)
    def _on_progressed(self, id_: int, progress: Progress) -> None:
        if not isinstance(self._asked.get(id_), CatalogueRequest):
            self.state.update(busy=busy_of(progress))

    @Slot(int, object)
    def _on_finished(self, id_: int, answer: object) -> None:
        self._stream.show_arrived()
        request = self._asked.pop(id_, None)
        if request is None:  # a question: its place has the answer
            self._settle()
        elif isinstance(answer, ModelInfo) and isinstance(request, LoadRequest):
            self._on_loaded(answer, request)
        elif isinstance(answer, Catalogue):
            self.state.update(catalogue=answer)
        elif isinstance(answer, Run):
            self._on_run(request, answer)

    def _on_run(self, request: AnyModelRequest, result: Run) -> None:
        values: dict[str, Any] = {"run": result, "next_sentence": result.next_sentence, "predictions": result.predictions}
        values |= self.sources.after(request, result, self._loaded)
        values["outcome"] = kept_outcome(self.state.outcome, result.predictions) if self._loaded is self.state.model else None
        if isinstance(request, FillRequest):
            values["predictions"] = self._stream.fillings
        elif isinstance(request, CaptureRequest):
            values |= {"steps": (), "branches": (), "branch": 0}
        note = note_of(self._loaded, self.state.model) or unknown_note(result.record.axis(result.record.kinds[0]).keys.tokens)
        values |= {"step": None, "beams": None, "busy": None, "pending": None, "notice": note}
        head, self._head = self._head, None
        self._pictures.show(result.record, head=head, model=self._loaded, **values)

    @Slot(int, object)
    def _on_streamed(self, id_: int, step: object) -> None:
        if id_ in self._asked:
            self._stream.take(step)

    @Slot(int, object)
    def _on_failed(self, id_: int, error: HeadscopeError) -> None:
        self._stream.show_arrived()
        request = self._asked.pop(id_, None)
        if (
            request is not None or error.code == "unexpected"
        ):  # a question's refusal is said in its place, a fault's details are not
            self.state.update(busy=None, pending=None, notice=notice_of(error))
        if isinstance(request, LoadRequest) and self._loaded is None:
            self._lane.cancel()
        self._settle()

    @Slot(int)
    def _on_cancelled(self, id_: int) -> None:
        self._stream.show_arrived()
        self._asked.pop(id_, None)
        self._settle()

    @Slot()
    def _settle(self) -> None:
        """After a request that changed no picture: nothing is busy, and the model in the lane is the screen's."""
        if not self._lane.is_busy and not self.exporter.is_busy:
            self.state.update(busy=None, pending=None, beams=None)
            # a first run that failed or was stopped: what is shown is another model's, or will not be confirmed
            if self.state.kept or self._loaded is not self.state.model:
                self._pictures.clear(model=self._loaded)

    def _text(self) -> Prompt:
        return Prompt(self.state.text, self.state.text_pair, self.state.target)

    def _put(self, prompt: Prompt) -> None:
        self.state.update(text=prompt.text, text_pair=prompt.text_pair, target=prompt.target)

    def _write(self, field: str, text: str) -> None:
        """Put the model's words into the text."""
        untouched = self._text() == self._ours
        with self.state.doing(self.state.done or self._writes):
            self.state.update(**{field: text})
        self._ours = self._text() if untouched else self._ours
