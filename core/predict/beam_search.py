"""Beam search with visible beams: the most probable texts so far are followed side by side.

Chooses, scores and ends as transformers' `generate` does, token by token.

References
----------
Graves, Sequence Transduction with Recurrent Neural Networks, 2012, section 2.6.
Wu et al., Google's Neural Machine Translation System, 2016, section 7 (length penalty; here the length to a power).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from headscope.core.arguments import checked
from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.kept.beams import PassRows, Path, gathered, own_rows
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job, Progress
from headscope.core.options import LARGEST_POWER, BeamSearch, Languages, Rule, Sampling
from headscope.core.predict.generate import EncodedPrompt, Generation, Plan, prompt_of
from headscope.core.predict.reader import encoder_side, longer
from headscope.core.predict.results import Beam, BeamStep, FilterStage, GenerationStep, Prediction
from headscope.core.predict.rule_effects import RuleEffect, in_order, penalty
from headscope.core.predict.rules import Place, rules_of
from headscope.core.predict.sampling import check, said, stages_of
from headscope.core.predict.stops import stopped
from headscope.core.text.tokenizer import Encoded

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.text.given_ids import Ids


@checked
def beam_search(
    model: BaseModel,
    text: str | Ids,
    *,
    beams: BeamSearch,
    max_new_tokens: int | None = None,
    repetition_penalty: float | None = None,
    top_k: int = 10,
    stop: Sequence[str] | None = None,
    rules: Sequence[Rule] | None = None,
    languages: Languages | None = None,
    chat: bool = False,
    system: str = "",
    job: Job | None = None,
) -> Iterator[BeamStep]:
    """Continue `text` along several beams; parameters and errors that are not here are those of `generate`.

    Parameters
    ----------
    beams : BeamSearch

    Yields
    ------
    BeamStep
        At least one. Each token of each beam has the attention of its own beam, and the winner, `BeamStep.best` of the last
        step, that of one pass over its text.

    Raises
    ------
    HeadscopeError
        As `generate`.
    Cancelled
        At any step.
    """
    if beams.n_beams < 1:
        raise HeadscopeError("bad_option", option="n_beams", value=beams.n_beams, expected="1 or more")
    if not -LARGEST_POWER <= beams.length_penalty <= LARGEST_POWER:
        expected = f"from -{LARGEST_POWER} to {LARGEST_POWER}"
        raise HeadscopeError("bad_option", option="length_penalty", value=beams.length_penalty, expected=expected)
    own = model.info.generation
    sampling = Sampling(
        repetition_penalty=own.sampling.repetition_penalty if repetition_penalty is None else repetition_penalty
    )
    check(sampling)
    prompt = prompt_of(model, text, max_new_tokens=max_new_tokens, stop=stop, languages=languages, chat=chat, system=system)
    plan = Plan(sampling, top_k, prompt.stop, None, rules_of(model, rules, languages), own.rules)
    return _Search(model, prompt, plan, beams, job or Job()).steps()


@dataclass(frozen=True, slots=True)
class _Running:
    """A beam that goes on: its text as the model reads it, and the passes that read it."""

    beam: Beam | None
    written: Encoded
    path: Path
    log_probability: float


@dataclass(frozen=True, slots=True)
class _Found:
    """One of the most probable continuations of all beams."""

    parent: int
    token_id: int
    log_probability: float


@dataclass(frozen=True, slots=True)
class _Said:
    """What the model says after one of the beams: `probabilities` (vocabulary,), and what the screen shows of them."""

    probabilities: Tensor
    prediction: Prediction
    filters: tuple[FilterStage, ...]


class _Search:
    def __init__(self, model: BaseModel, prompt: EncodedPrompt, plan: Plan, beams: BeamSearch, job: Job) -> None:
        self._model, self._source, self._target = model, prompt.source, prompt.target
        self._plan, self._beams, self._job = plan, beams, job
        begins = prompt.source if prompt.target is None else prompt.target
        n_prompt, most = len(begins.ids), model.max_written
        self._n_wanted = prompt.max_new_tokens
        self._n_most = self._n_wanted if most is None else min(self._n_wanted, most - n_prompt + 1)
        self._begins = len(begins.axis.text)
        place = Place(prompt.source.ids, n_prompt, n_prompt + self._n_wanted, model.tokenizer.end_ids, model.rule_processor)
        self._at_work = plan.rules_at_work(place)
        self._running = [_Running(None, begins, (), 0.0)]
        self._finished: list[Beam] = []
        self._open = True  # whether a running beam can still be expected to win
        self._reader = _BeamReader(model, prompt.source, prompt.target, job, replaces_invalid=plan.replaces_invalid)
        self._forks = Generation(model, prompt.source, prompt.target, plan, 0, job)

    def steps(self) -> Iterator[BeamStep]:
        for index in range(self._n_most):
            self._job.cancel.check()
            self._job.report(Progress("generating", index / self._n_most))
            logits, rows = self._reader.read([running.written for running in self._running])
            effects = [self._effects(running, logits.shape[-1]) for running in self._running]
            said_by = [self._said(*each) for each in zip(logits, self._running, effects, strict=True)]
            grown: list[_Running] = []
            going_on: list[_Running] = []
            for found in self._most_probable(logits, [on for on, _ in effects]):
                grown.append(self._grown(index, found, said_by[found.parent], rows))
                going_on = [running for running in grown if running.beam is not None and not running.beam.finished]
                if len(going_on) == self._beams.n_beams:
                    break
            self._finish(grown[: self._beams.n_beams])
            self._running = going_on
            yield BeamStep(index, _beams(self._running), tuple(self._finished))
            if not self._running or not self._goes_on(index + 1):
                return
            self._reader.reorder([running.beam.parent for running in self._running if running.beam is not None])

    def _effects(self, running: _Running, n_vocabulary: int) -> tuple[list[RuleEffect], tuple[RuleEffect, ...]]:
        """What the rules, with the penalty, do to what follows a beam; and what those that are off would do."""
        on, off = (rules.effects(running.written.ids, n_vocabulary) for rules in self._at_work)
        factor = self._plan.sampling.repetition_penalty
        penalties = [] if factor == 1 else [penalty("repetition_penalty", running.written.ids, factor, n_vocabulary)]
        return in_order([*on, *penalties]), off

    def _most_probable(self, logits: Tensor, effects: Sequence[Sequence[RuleEffect]]) -> list[_Found]:
        """Continuations of all beams by probability: enough of them that `n_beams` go on whatever ends."""
        scores = logits.float().log_softmax(dim=-1)
        for row, of_row in zip(scores, effects, strict=True):
            for effect in of_row:
                row.copy_(torch.from_numpy(effect.applied(row.numpy())))
        if not bool(scores.isfinite().any()):
            raise HeadscopeError("no_token_left", rule=next(each[-1].rule for each in effects if each))
        scores = scores + torch.tensor([[running.log_probability] for running in self._running])
        wanted = max(2, 1 + len(self._model.tokenizer.end_ids)) * self._beams.n_beams
        values, places = scores.flatten().topk(min(wanted, scores.numel()))
        n_words = scores.shape[1]
        pairs = zip(places.tolist(), values.tolist(), strict=True)
        return [_Found(at // n_words, at % n_words, value) for at, value in pairs if math.isfinite(value)]

    def _said(self, logits: Tensor, running: _Running, effects: tuple[list[RuleEffect], tuple[RuleEffect, ...]]) -> _Said:
        written, (on, off) = running.written, effects
        own = [effect for effect in on if effect.rule != "repetition_penalty"]
        prediction = self._plan.prediction(written, logits, self._model.tokenizer, (*own, *off))
        stages = stages_of(logits, self._plan.sampling, written.ids, own)
        return _Said(stages["model"], prediction, said(stages, [candidate.id for candidate in prediction.candidates]))

    def _grown(self, index: int, found: _Found, about: _Said, rows: PassRows) -> _Running:
        """The beam that a continuation makes of its parent."""
        parent, tokenizer = self._running[found.parent], self._model.tokenizer
        path = (*parent.path, (rows, found.parent)) if self._reader.has_cache else ((rows, found.parent),)
        token, text = tokenizer.continuation(parent.written.ids, found.token_id, parent.written.axis.text)
        ended = stopped(token, text, self._plan.stop, begins=self._begins, was=len(parent.written.axis.text))
        token, text, cut = ended or (token, text, "")
        step = GenerationStep(
            index=index,
            token=token,
            text=text,
            probability=float(about.probabilities[found.token_id]),
            sampled_probability=1.0,
            prediction=about.prediction,
            record=self._record(parent.written, path),
            filters=about.filters,
            cut=cut,
            generation=self._forks.shared_prefix,
        )
        ends = ended is not None or found.token_id in tokenizer.end_ids or index + 1 >= self._n_most
        score = found.log_probability / (index + 1) ** self._beams.length_penalty
        steps = (*(parent.beam.steps if parent.beam else ()), step)
        beam = Beam(steps, found.log_probability, score, found.parent, ends)
        return _Running(beam, longer(parent.written, token, text), path, found.log_probability)

    def _record(self, written: Encoded, path: Path) -> AttentionRecord:
        axes = self._model.axes(*((written.axis, None) if self._target is None else (self._source.axis, written.axis)))
        return AttentionRecord(gathered(path), axes, backend=self._model.info.backend, model=self._model.module)

    # ---------------------------------------------------------------- who is finished, and when it ends
    def _finish(self, first: list[_Running]) -> None:
        """Keep the best of what is finished. Only what ends among the `n_beams` most probable counts."""
        full = len(self._finished) >= self._beams.n_beams
        if not self._open or (full and self._beams.early_stopping is True):
            return
        ended = [running.beam for running in first if running.beam is not None and running.beam.finished]
        self._finished = sorted([*self._finished, *ended], key=lambda beam: -beam.score)[: self._beams.n_beams]

    def _goes_on(self, length: int) -> bool:
        full = len(self._finished) >= self._beams.n_beams
        never = self._beams.early_stopping == "never" and self._beams.length_penalty > 0
        hoped_for = self._running[0].log_probability / (self._n_wanted if never else length) ** self._beams.length_penalty
        worst = self._finished[-1].score if full else -math.inf
        self._open = self._open and hoped_for > worst
        return self._open and not (full and self._beams.early_stopping is True)


def _beams(running: Sequence[_Running]) -> tuple[Beam, ...]:
    return tuple(each.beam for each in running if each.beam is not None)


class _BeamReader:
    """Reads texts of equal length side by side: the first time the one they begin with, then what is new in each."""

    def __init__(self, model: BaseModel, source: Encoded, target: Encoded | None, job: Job, *, replaces_invalid: bool) -> None:
        self._model, self._source, self._target = model, source, target
        self._replaces_invalid = replaces_invalid
        self._cache = model.new_cache()
        self._encoder_side: dict[str, Any] = {}
        self._n_read, self._n_texts = 0, 1
        self._recorder = recorder_for(model.module, model.info.backend, job=Job(cancel=job.cancel))

    @property
    def has_cache(self) -> bool:
        return self._cache is not None

    def read(self, texts: Sequence[Encoded]) -> tuple[Tensor, PassRows]:
        """Logits (n_texts, vocabulary) of the next tokens, on the CPU, and the attention of what was new."""
        is_new = self._n_read == 0 or not self.has_cache
        inputs = self._all(texts) if is_new else self._new(texts)
        with self._recorder.recording():
            output = self._model.forward(inputs, kept=self._cache, replaces_invalid=self._replaces_invalid, logits_to_keep=1)
        if self._target is not None and self._n_read == 0:
            self._encoder_side = encoder_side(self._model, inputs, output)
        rows = own_rows(self._recorder.layers, 0 if is_new else self._n_read)
        self._n_read = len(texts[0].ids)
        return output.logits[:, -1].cpu(), rows

    def reorder(self, parents: Sequence[int]) -> None:
        """Go on from these of the texts that were read, one for each of the next."""
        if self.has_cache and list(parents) != list(range(self._n_texts)):
            self._cache.reorder_cache(torch.tensor(parents, device=self._model.place))
        self._n_texts = len(parents)

    def _all(self, texts: Sequence[Encoded]) -> dict[str, Any]:
        each = [self._model.inputs(text) if self._target is None else self._model.inputs(self._source, text) for text in texts]
        return {name: torch.cat([inputs[name] for inputs in each]) for name in each[0]} | self._positions(0, texts)

    def _new(self, texts: Sequence[Encoded]) -> dict[str, Any]:
        name = "input_ids" if self._target is None else "decoder_input_ids"
        ids = [text.ids[self._n_read :] for text in texts]
        side = {name: self._repeated(value, len(texts)) for name, value in self._encoder_side.items()}
        return {name: torch.tensor(ids, device=self._model.place), **self._positions(self._n_read, texts), **side}

    def _positions(self, first: int, texts: Sequence[Encoded]) -> dict[str, Any]:
        if self._target is not None:
            return {}
        positions = self._model.positions(first, len(texts[0].ids) - first)
        return {name: self._repeated(each, len(texts)) for name, each in positions.items()}

    def _repeated(self, value: Any, times: int) -> Any:
        """A tensor of one text, or what an encoder has made of one, for so many texts; not copied."""
        if (hidden := getattr(value, "last_hidden_state", None)) is not None:
            return self._model.encoder_output(self._repeated(hidden, times))
        return value.expand(times, *value.shape[1:])
