"""Generation: a decoder continues a text token by token, and every step shows what it attended to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from torch import Tensor

from headscope.core.arguments import checked
from headscope.core.arguments import text as plain_text
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job, Progress
from headscope.core.options import Languages, Rule, Sampling
from headscope.core.predict.classes import why_no_tokens
from headscope.core.predict.predictions import Allowance, prediction_of
from headscope.core.predict.reader import IncrementalPass, inputs_of, longer
from headscope.core.predict.results import GenerationStep, Prediction
from headscope.core.predict.rules import Place, RulesAtWork, rules_of
from headscope.core.predict.sampling import check, choose, generator_of, last_of, said, stages_of
from headscope.core.predict.stops import check_stops, stopped
from headscope.core.text.tokenizer import Encoded, TextTokenizer

if TYPE_CHECKING:
    from headscope.core.attention.capture.recorder import Mark
    from headscope.core.attention.intervention import Edits, Intervention
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.forward.base import BaseModel
    from headscope.core.predict.rule_effects import RuleEffect
    from headscope.core.text.given_ids import Ids

GREEDY = Sampling()


@checked
def generate(
    model: BaseModel,
    text: str | Ids,
    *,
    max_new_tokens: int | None = None,
    sampling: Sampling | None = None,
    top_k: int = 10,
    stop: Sequence[str] | None = None,
    rules: Sequence[Rule] | None = None,
    languages: Languages | None = None,
    chat: bool = False,
    system: str = "",
    intervention: Edits | None = None,
    job: Job | None = None,
) -> Generation:
    """Continue `text`; of an encoder-decoder, write the text that answers it.

    Keys and values of what was read stay in a cache, so a step costs one token; its attention rows join those of the steps
    before, and together they are the rows of one pass over everything. What is None is as `model.info.generation` says: the
    model's own settings, as transformers' `generate` reads them.

    Parameters
    ----------
    max_new_tokens : int, optional
        At least 1. Generation also ends after an end token, and where the model has no more positions.
    top_k : int
        Candidates in each step; `sampling` has a `top_k` of its own, for the choice.
    stop : sequence of str, optional
        The text ends where one of them ends in what the model has written; the last step says what was cut off behind it.
    rules : sequence of Rule, optional
        What may follow what; () for none. Each rule's effect stands among the `filters` of the steps where it has one.
    languages : Languages, optional
        Codes of the languages that a multilingual model reads and writes.
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
        a chat: as rendered). A step raises ``out_of_memory``, ``no_token_left`` or `Cancelled`.

    Raises
    ------
    HeadscopeError
        ``cannot_generate``, ``cannot_chat``, ``bad_option``, ``empty_text``, ``no_room``, ``no_languages``, ``unknown_language``;
        ``unknown_kind``, ``no_such_head`` of an intervention.
    """
    sampling = model.info.generation.sampling if sampling is None else sampling
    check(sampling)
    intervention = None if intervention is None else model.check(intervention)
    prompt = prompt_of(model, text, max_new_tokens=max_new_tokens, stop=stop, languages=languages, chat=chat, system=system)
    plan = Plan(sampling, top_k, prompt.stop, intervention, rules_of(model, rules, languages), model.info.generation.rules)
    generation = Generation(model, prompt.source, prompt.target, plan, prompt.max_new_tokens, job or Job())
    plan.rules_at_work(generation.place)  # says at once what is wrong with them
    return generation


@dataclass(frozen=True, slots=True)
class EncodedPrompt:
    """What a generation begins with, and where it ends at the latest."""

    source: Encoded
    target: Encoded | None
    stop: tuple[str, ...]
    max_new_tokens: int


def prompt_of(
    model: BaseModel,
    text: str | Ids,
    *,
    max_new_tokens: int | None,
    stop: Sequence[str] | None,
    languages: Languages | None,
    chat: bool,
    system: str,
) -> EncodedPrompt:
    """What a generation begins with; parameters and errors as `generate`."""
    if "generate" not in model.info.abilities:
        raise why_no_tokens(model.info, "cannot_generate")
    settings = model.info.generation
    if max_new_tokens is not None:
        _check_length(max_new_tokens)
    stop = settings.stop if stop is None else stop
    check_stops(stop)
    source, target = model.encode(model.chat(plain_text("text", text), system) if chat else text, languages=languages)
    if source.axis.dropped:
        raise HeadscopeError("no_room", model=model.info.name, max_tokens=model.info.max_tokens)
    n_prompt = len((target or source).ids)
    most = settings.new_tokens(n_prompt) if max_new_tokens is None else max_new_tokens
    return EncodedPrompt(source, target, tuple(stop), most)


def _check_length(max_new_tokens: int) -> None:
    if max_new_tokens < 1:
        raise HeadscopeError("bad_option", option="max_new_tokens", value=max_new_tokens, expected="1 or more")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a generation goes on. `own_rules` are those of the model's settings: of those that are off the effects are known too."""

    sampling: Sampling = GREEDY
    top_k: int = 10
    stop: tuple[str, ...] = ()
    intervention: Intervention | None = None
    rules: tuple[Rule, ...] = ()
    own_rules: tuple[Rule, ...] = ()
    allowance: Allowance = field(default_factory=Allowance)

    def rules_at_work(self, place: Place) -> tuple[RulesAtWork, RulesAtWork]:
        """The rules, and the model's own that are switched off."""
        on = {rule.name for rule in self.rules}
        off = [rule for rule in self.own_rules if rule.name not in on]
        return RulesAtWork(self.rules, place), RulesAtWork(off, place)

    @property
    def replaces_invalid(self) -> bool:
        """Whether values that are no numbers do not end the generation."""
        return any(rule.name == "remove_invalid_values" and rule.value is True for rule in self.rules)

    def prediction(
        self, written: Encoded, logits: Tensor, tokenizer: TextTokenizer, effects: Sequence[RuleEffect] = ()
    ) -> Prediction:
        """What could follow `written`, whole as long as there is room for it."""
        whole = self.allowance.takes(logits)
        return prediction_of(len(written.ids), logits, tokenizer, self.top_k, whole=whole, effects=effects)


class Generation(Iterator[GenerationStep]):
    """A text that is being written; see `generate`. Any step of it can be forked, see `GenerationStep.fork`."""

    def __init__(
        self, model: BaseModel, source: Encoded, target: Encoded | None, plan: Plan, max_new_tokens: int, job: Job
    ) -> None:
        self._model = model
        self._source = source
        self._target = target
        self._plan = plan
        self._job = job
        self._written = source if target is None else target
        self._n_prompt = len(self._written.ids)
        self._begins = len(self._written.axis.text)
        self._index, self._first, self._end = 0, 0, max_new_tokens
        self._forced: int | None = None
        self._chance = generator_of(plan.sampling)
        self._at_work: tuple[RulesAtWork, RulesAtWork] | None = None  # made by the first step, which knows where it ends
        self._reader: IncrementalPass | None = None  # made by the first step, in the thread that runs it
        self._marks: dict[int, Mark] = {}
        self._ended = False
        self.shared_prefix = Trunk(model, source, target, plan)

    def __next__(self) -> GenerationStep:
        if self._ended or self._index >= self._end:
            raise StopIteration
        self._job.cancel.check()
        self._job.report(Progress("generating", (self._index - self._first) / (self._end - self._first)))
        if self._reader is None:
            self._reader = self._new_reader(self._job)
        try:
            logits, record = self._reader.read(self._written)
        except BaseException:  # some layers have read the token and others have not: whoever goes on begins anew
            self._reader = None
            self._marks.clear()
            raise
        step = self._step(logits, record)
        self._marks[self._index] = self._reader.mark()
        _READ.setdefault(self._model, WeakKeyDictionary())[self.shared_prefix] = self._reader, self._marks
        self._written = longer(self._written, step.token, step.text)
        self._index += 1
        most = self._model.max_written
        full = most is not None and len(self._written.ids) > most
        self._ended = full or step.token.id in self._model.tokenizer.end_ids or self._is_stopped(step)
        return step

    @property
    def place(self) -> Place:
        """What rules need to know."""
        return Place(
            self._source.ids,
            self._n_prompt,
            self._n_prompt + self._end,
            self._model.tokenizer.end_ids,
            self._model.rule_processor,
        )

    @classmethod
    def forked(
        cls, model: BaseModel, shared_prefix: Trunk, step: GenerationStep, token_id: int, max_new_tokens: int, job: Job
    ) -> Generation:
        """See `GenerationStep.fork`."""
        _check_length(max_new_tokens)
        other = cls(model, shared_prefix.source, shared_prefix.target, shared_prefix.plan, 0, job)
        source, target = inputs_of(step.record)
        other._written, other._forced = target or source, token_id
        other._index = other._first = step.index
        other._end = step.index + max_new_tokens
        # The last token before the fork is read again, for its logits; what was read before it is shared.
        reader, marks = _READ[model].get(shared_prefix, (None, {})) if model in _READ else (None, {})
        if reader is not None and (mark := marks.get(step.index - 1)) is not None:
            other._reader = reader.branch(mark, len(other._written.ids) - 1, job)
            other._marks = {index: mark for index, mark in marks.items() if index < step.index}
        return other

    # ---------------------------------------------------------------- one step
    def _new_reader(self, job: Job) -> IncrementalPass:
        expected = len(self._written.ids) + self._end - self._index
        if self._model.max_written is not None:
            expected = min(expected, self._model.max_written)
        writes_target = self._target is not None
        return IncrementalPass(
            self._model,
            self._source,
            writes_target=writes_target,
            expected=expected,
            job=job,
            intervention=self._plan.intervention,
            replaces_invalid=self._plan.replaces_invalid,
        )

    def _step(self, logits: Tensor, record: AttentionRecord) -> GenerationStep:
        sampling, written, forced = self._plan.sampling, self._written, self._forced
        if self._at_work is None:
            self._at_work = self._plan.rules_at_work(self.place)
        effects, others = (rules.effects(written.ids, len(logits)) for rules in self._at_work)
        stages = stages_of(logits, sampling, written.ids, effects)
        if forced is None:
            chosen, drawn = choose(stages, sampling, self._chance)
        elif 0 <= forced < len(logits):
            chosen, drawn, self._forced = forced, float(last_of(stages)[forced]), None
        else:
            raise HeadscopeError("bad_option", option="token_id", value=forced, expected=f"from 0 to {len(logits) - 1}")
        token, text = self._model.tokenizer.continuation(written.ids, chosen, written.axis.text)
        cut = ""
        if ended := stopped(token, text, self._plan.stop, begins=self._begins, was=len(written.axis.text)):
            token, text, cut = ended
        prediction = self._plan.prediction(written, logits, self._model.tokenizer, (*effects, *others))
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
            generation=self.shared_prefix,
        )

    def _is_stopped(self, step: GenerationStep) -> bool:
        return any(step.text.endswith(string, self._begins) for string in self._plan.stop)


class Trunk:
    """What the steps of a generation can be forked by: plain data, and neither the model nor its cache.

    While the model is there, what it has read stays with it as long as any step of the generation is kept; a fork goes on from that.
    """

    def __init__(self, model: BaseModel, source: Encoded, target: Encoded | None, plan: Plan) -> None:
        self._model: ref[BaseModel] | None = ref(model)
        self.source, self.target, self.plan = source, target, plan

    def __getstate__(self) -> dict[str, object]:
        """A step that was kept in a file has lost its model."""
        return vars(self) | {"_model": None}

    def fork(self, step: GenerationStep, token_id: int, max_new_tokens: int, job: Job) -> Generation:
        """See `GenerationStep.fork`."""
        model = None if self._model is None else self._model()
        if model is None:
            raise HeadscopeError("model_gone")
        return Generation.forked(model, self, step, token_id, max_new_tokens, job)


_READ: WeakKeyDictionary[BaseModel, WeakKeyDictionary[Trunk, tuple[IncrementalPass, dict[int, Mark]]]] = WeakKeyDictionary()
"""What models have read and still know; a `IncrementalPass` does not keep its model alive."""
