"""Generation: a decoder continues a text token by token, and every step shows what it attended to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torch import Tensor

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Job, Progress
from headscope.core.models.text import Encoded, TextTokenizer
from headscope.core.predict.predictions import Allowance, prediction_of
from headscope.core.predict.reader import Reader, longer, read_by
from headscope.core.predict.sampling import check, choose, generator_of, last_of, said, stages_of
from headscope.core.predict.stops import check_stops, stopped
from headscope.core.requests import Sampling
from headscope.core.results import GenerationStep, Prediction

if TYPE_CHECKING:
    from headscope.core.attention.capture import Mark
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.intervention import Intervention
    from headscope.core.models.loaded import LoadedModel

GREEDY = Sampling()


def generate(
    model: LoadedModel,
    text: str,
    *,
    max_new_tokens: int = 40,
    sampling: Sampling = GREEDY,
    top_k: int = 10,
    stop: Sequence[str] = (),
    chat: bool = False,
    system: str = "",
    intervention: Intervention | None = None,
    job: Job | None = None,
) -> Generation:
    """Continue `text`; of an encoder-decoder, write the text that answers it.

    Keys and values of what was read stay in a cache, so a step costs one token; its attention rows join those of the steps
    before, and together they are the rows of one pass over everything.

    Parameters
    ----------
    max_new_tokens : int
        At least 1. Generation also ends after an end token, and where the model has no more positions.
    top_k : int
        Candidates in each step; `sampling` has a `top_k` of its own, for the choice.
    stop : sequence of str
        The text ends where one of them ends in what the model has written; the last step says what was cut off behind it.
    chat : bool
        `text` is what a user says: the model's chat template is put around it, after `system` if that is not empty. A text
        that is in the template already is continued as it is.
    intervention : Intervention, optional
        What is changed inside the model in every step.
    job : Job
        Its cancel is looked at in every layer of every step.

    Returns
    -------
    Generation
        An iterator of at least one `GenerationStep`. `text` is the whole text so far (of an encoder-decoder: the decoder's; of
        a chat: as rendered). A step raises ``out_of_memory`` or `Cancelled`.

    Raises
    ------
    HeadscopeError
        ``cannot_generate``, ``cannot_chat``, ``bad_option``, ``empty_text``, ``no_room``; ``unknown_kind``, ``no_such_head`` of an
        intervention.
    """
    check(sampling)
    source, target = prompt_of(model, text, max_new_tokens=max_new_tokens, stop=stop, chat=chat, system=system)
    if intervention is not None:
        model.check(intervention)
    rules = Rules(sampling, top_k, tuple(stop), intervention)
    return Generation(model, source, target, rules, max_new_tokens, job or Job())


def prompt_of(
    model: LoadedModel, text: str, *, max_new_tokens: int, stop: Sequence[str], chat: bool, system: str
) -> tuple[Encoded, Encoded | None]:
    """What a generation begins with; errors as `generate`."""
    if "generate" not in model.info.abilities:
        raise HeadscopeError("cannot_generate", model=model.info.name)
    _check_length(max_new_tokens)
    check_stops(stop)
    source, target = model.encode(model.chat(text, system) if chat else text)
    if source.axis.dropped:
        raise HeadscopeError("no_room", model=model.info.name, max_tokens=model.info.max_tokens)
    return source, target


def _check_length(max_new_tokens: int) -> None:
    if max_new_tokens < 1:
        raise HeadscopeError("bad_option", option="max_new_tokens", value=max_new_tokens, expected="1 or more")


@dataclass(frozen=True, slots=True)
class Rules:
    """How a generation goes on."""

    sampling: Sampling = GREEDY
    top_k: int = 10
    stop: tuple[str, ...] = ()
    intervention: Intervention | None = None
    allowance: Allowance = field(default_factory=Allowance)

    def prediction(self, written: Encoded, logits: Tensor, tokenizer: TextTokenizer) -> Prediction:
        """What could follow `written`, whole as long as there is room for it."""
        return prediction_of(len(written.ids), logits, tokenizer, self.top_k, whole=self.allowance.takes(logits))


class Generation(Iterator[GenerationStep]):
    """A text that is being written; see `generate`. Any step of it can be forked, see `GenerationStep.fork`."""

    def __init__(
        self, model: LoadedModel, source: Encoded, target: Encoded | None, rules: Rules, max_new_tokens: int, job: Job
    ) -> None:
        self._model = model
        self._source = source
        self._target = target
        self._rules = rules
        self._job = job
        self._written = source if target is None else target
        self._begins = len(self._written.axis.text)
        self._index, self._first, self._end = 0, 0, max_new_tokens
        self._forced: int | None = None
        self._chance = generator_of(rules.sampling)
        self._reader: Reader | None = None  # made by the first step, in the thread that runs it
        self._marks: dict[int, Mark] = {}
        self._ended = False

    def __next__(self) -> GenerationStep:
        if self._ended or self._index >= self._end:
            raise StopIteration
        self._job.cancel.check()
        self._job.report(Progress("generating", (self._index - self._first) / (self._end - self._first)))
        if self._reader is None:
            self._reader = self._new_reader(self._job)
        logits, record = self._reader.read(self._written)
        step = self._step(logits, record)
        self._marks[self._index] = self._reader.mark()
        self._written = longer(self._written, step.token, step.text)
        self._index += 1
        most = self._model.info.max_tokens
        full = most is not None and len(self._written.ids) > most
        self._ended = full or step.token.id in self._model.tokenizer.end_ids or self._is_stopped(step)
        return step

    def fork(self, step: GenerationStep, token_id: int, max_new_tokens: int, job: Job) -> Generation:
        """See `GenerationStep.fork`."""
        _check_length(max_new_tokens)
        other = Generation(self._model, self._source, self._target, self._rules, 0, job)
        source, target = read_by(step.record)
        other._written, other._forced = target or source, token_id
        other._index = other._first = step.index
        other._end = step.index + max_new_tokens
        # The last token before the fork is read again, for its logits; what was read before it is shared.
        if self._reader is not None and (mark := self._marks.get(step.index - 1)) is not None:
            other._reader = self._reader.branch(mark, len(other._written.ids) - 1, job)
            other._marks = {index: mark for index, mark in self._marks.items() if index < step.index}
        return other

    # ---------------------------------------------------------------- one step
    def _new_reader(self, job: Job) -> Reader:
        expected = len(self._written.ids) + self._end - self._index
        if self._model.info.max_tokens is not None:
            expected = min(expected, self._model.info.max_tokens)
        writes_target = self._target is not None
        intervention = self._rules.intervention
        return Reader(
            self._model, self._source, writes_target=writes_target, expected=expected, job=job, intervention=intervention
        )

    def _step(self, logits: Tensor, record: AttentionRecord) -> GenerationStep:
        sampling, written, forced = self._rules.sampling, self._written, self._forced
        stages = stages_of(logits, sampling, written.ids)
        if forced is None:
            chosen, drawn = choose(stages, sampling, self._chance)
        elif 0 <= forced < len(logits):
            chosen, drawn, self._forced = forced, float(last_of(stages)[forced]), None
        else:
            raise HeadscopeError("bad_option", option="token_id", value=forced, expected=f"from 0 to {len(logits) - 1}")
        token, text = self._model.tokenizer.continuation(written.ids, chosen, written.axis.text)
        cut = ""
        if ended := stopped(token, text, self._rules.stop, begins=self._begins, was=len(written.axis.text)):
            token, text, cut = ended
        prediction = self._rules.prediction(written, logits, self._model.tokenizer)
        return GenerationStep(
            index=self._index,
            token=token,
            text=text,
            probability=float(stages["model"][chosen]),
            sampled_probability=drawn,
            prediction=prediction,
            record=record,
            filters=said(stages, [candidate.id for candidate in prediction.candidates]),
            cut=cut,
            forced=forced is not None,
            generation=self,
        )

    def _is_stopped(self, step: GenerationStep) -> bool:
        return any(step.text.endswith(string, self._begins) for string in self._rules.stop)
