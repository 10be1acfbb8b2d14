"""Model: the face of a model in memory, all that the README shows, on top of the one observed pass of `BaseModel`."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from headscope.core.arguments import checked
from headscope.core.attention.intervention import Edits, as_intervention
from headscope.core.errors import HeadscopeError
from headscope.core.forward.base import BaseModel
from headscope.core.job import Job
from headscope.core.keep import KEEP_ALL, Keep
from headscope.core.options import BeamSearch, Languages, Sampling
from headscope.core.predict.results import Prediction
from headscope.core.run import Run
from headscope.core.text.given_ids import Ids
from headscope.core.text.prompt import Prompt
from headscope.core.text.tokenizer import Encoded

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.predict.generate import Generation
    from headscope.core.predict.results import BeamStep


class Model(BaseModel):
    """What is left out of a call is as the model's own settings say, see `ModelInfo.generation`."""

    @checked
    def capture(
        self,
        text: str | Ids,
        text_pair: str | None = None,
        target: str | Ids | None = None,
        *,
        intervention: Edits | None = None,
        keep: Keep = KEEP_ALL,
        languages: Languages | None = None,
        job: Job | None = None,
    ) -> AttentionRecord:
        """The attention of one pass over a text.

        Parameters
        ----------
        text, text_pair : str
            What is read; a mask may be written as ``[MASK]``. Text that does not fit the model is left out, and the axis says so.
            In the place of the text, token ids as a tokenizer returns them: a list, an array, a tensor or a mapping.
        target : str, ids or None
            What an encoder-decoder's decoder reads; None: its start token only.
        intervention : Intervention, edit, sequence of edits or None
            What to change inside the pass.
        keep : Keep
            How much of the attention, and where.
        languages : Languages or None
            Of a multilingual model: what `languages` answers.
        job : Job or None
            For progress and cancellation.

        Raises
        ------
        HeadscopeError
            ``empty_text``, ``bad_option``, ``no_such_id``, ``not_enough_memory``, ``out_of_memory``.
        """
        encoded = self.encode(text, text_pair, target, languages=languages)
        record, _ = self.observe(*encoded, job=job, intervention=intervention, keep=keep, logits_to_keep=1)
        return record

    @checked
    def capture_batch(self, texts: Sequence[str | Ids], **options: Any) -> list[AttentionRecord]:
        """See `headscope.core.forward.batch.capture_batch`."""
        from headscope.core.forward.batch import capture_batch

        return capture_batch(self, texts, **options)

    @checked
    def run(
        self,
        text: str | Ids,
        text_pair: str | None = None,
        target: str | Ids | None = None,
        *,
        top_k: int = 10,
        intervention: Edits | None = None,
        keep: Keep = KEEP_ALL,
        languages: Languages | None = None,
        job: Job | None = None,
    ) -> Run:
        """One pass: its attention, and what the model predicts. Parameters and errors as `capture`."""
        from headscope.core.predict.class_predictions import answers_of
        from headscope.core.predict.next_sentence import follows
        from headscope.core.predict.predictions import predictions_of

        started = time.perf_counter()
        source, encoded_target = self.encode(text, text_pair, target, languages=languages)
        options = {"logits_to_keep": 1} if "generate" in self.info.abilities else {}
        record, output = self.observe(
            source, encoded_target, job=job, intervention=intervention, keep=keep, for_screen=True, **options
        )
        predictions = predictions_of(self, source, encoded_target, output.logits, top_k, languages)
        next_sentence = follows(output) if text_pair and "next_sentence" in self.info.abilities else None
        answers = answers_of(self, source, output.logits, text_pair or "")
        target_text = "" if encoded_target is None or target is None else _text_of(target, encoded_target)
        return Run(
            self.info,
            Prompt(_text_of(text, source), text_pair or "", target_text),
            record,
            predictions,
            next_sentence,
            answers,
            as_intervention(() if intervention is None else intervention).frozen(),
            seconds=time.perf_counter() - started,
        )

    @checked
    def fill_mask(
        self, text: str | Ids, text_pair: str | None = None, *, top_k: int = 5, job: Job | None = None
    ) -> list[Prediction]:
        """See `headscope.core.predict.fill_mask.fill_mask`."""
        from headscope.core.predict.fill_mask import fill_mask

        return fill_mask(self, text, text_pair, top_k=top_k, job=job)

    @checked
    def next_sentence(self, text: str, text_pair: str) -> float:
        """See `headscope.core.predict.next_sentence.next_sentence`."""
        from headscope.core.predict.next_sentence import next_sentence

        return next_sentence(self, text, text_pair)

    def check_is_of(self, record: AttentionRecord) -> None:
        """Tokens of one model are numbers without meaning to another. Raises ``record_of_another_model``."""
        if not record.is_of(self.module):
            raise HeadscopeError("record_of_another_model", model=self.info.name)

    # ---------------------------------------------------------------- writing
    @checked
    def generate(
        self,
        text: str | Ids,
        *,
        max_new_tokens: int | None = None,
        sampling: Sampling | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        min_p: float | None = None,
        repetition_penalty: float | None = None,
        seed: int | None = None,
        source_language: str | None = None,
        target_language: str | None = None,
        without_rules: Sequence[str] = (),
        n_candidates: int = 10,
        **options: Any,
    ) -> Generation:
        """See `headscope.core.predict.generate.generate`, which has the other options (`stop`, `rules`, `chat`, `job`, …).

        `sampling` stands for the model's own, and what is given beside it counts more. `temperature` 0 takes the most probable token each time; there is one text, whatever number of beams the settings say
        (see `beam_search`). `top_k` limits the choice, `n_candidates` what each step reports. Languages are names ("French") or
        codes ("fr_XX") of `info.languages`; `without_rules` are names of `info.generation.rules`.
        """
        from headscope.core.predict.generate import generate

        sampling = self.info.generation.sampling_with(
            sampling,
            temperature=temperature,
            top_k=top_k,
            top_p=top_p,
            min_p=min_p,
            repetition_penalty=repetition_penalty,
            seed=seed,
        )
        options |= self._rules_and_languages(without_rules, source_language, target_language)
        return generate(self, text, max_new_tokens=max_new_tokens, sampling=sampling, top_k=n_candidates, **options)

    @checked
    def beam_search(
        self,
        text: str | Ids,
        *,
        beams: BeamSearch | None = None,
        n_beams: int | None = None,
        length_penalty: float | None = None,
        early_stopping: bool | Literal["never"] | None = None,
        source_language: str | None = None,
        target_language: str | None = None,
        without_rules: Sequence[str] = (),
        **options: Any,
    ) -> Iterator[BeamStep]:
        """See `headscope.core.predict.beam_search.beam_search`, which has the other options (`max_new_tokens`, `stop`, …).

        `beams` stand for the model's own. Four beams if neither the call nor the model's settings ask for several; languages and rules as `generate`.
        """
        from headscope.core.predict.beam_search import beam_search

        own = beams or self.info.generation.beams
        if n_beams is None:
            n_beams = own.n_beams if beams or own.n_beams > 1 else 4
        beams = BeamSearch(
            n_beams,
            own.length_penalty if length_penalty is None else length_penalty,
            own.early_stopping if early_stopping is None else early_stopping,
        )
        options |= self._rules_and_languages(without_rules, source_language, target_language)
        return beam_search(self, text, beams=beams, **options)

    def _rules_and_languages(self, without: Sequence[str], source: str | None, target: str | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if source is not None or target is not None:
            found["languages"] = self.languages(source, target)
        if without:
            found["rules"] = self.info.generation.rules_without(frozenset(without))
        return found


def _text_of(written: str | Ids, encoded: Encoded) -> str:
    """Of ids, as their tokens read."""
    return written if isinstance(written, str) else encoded.axis.text
