"""WritingModel: what can be asked of a model that continues or answers a text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal, cast

from headscope.core.errors import HeadscopeError
from headscope.core.predict.options import Languages
from headscope.core.requests import BeamSearch

if TYPE_CHECKING:
    from torch import Tensor

    from headscope.core.models.loaded import LoadedModel
    from headscope.core.models.text import TextTokenizer
    from headscope.core.predict.generate import Generation
    from headscope.core.results import BeamStep, ModelInfo


class WritingModel:
    """A part of `LoadedModel`. What is left out of a call is as the model's own settings say, see `ModelInfo.generation`."""

    info: ModelInfo
    tokenizer: TextTokenizer

    def chat(self, text: str, system: str = "") -> str:
        """`text` as what a user says, in the model's chat template, up to where the model answers.

        A text that is in the template already comes back as it is.

        Raises
        ------
        HeadscopeError
            ``empty_text``, ``cannot_chat``.
        """
        if not text.strip():
            raise HeadscopeError("empty_text")
        rendered = self.tokenizer.chat(text, system) if "chat" in self.info.abilities else None
        if rendered is None:
            raise HeadscopeError("cannot_chat", model=self.info.name)
        return rendered

    def generate(
        self,
        text: str,
        *,
        max_new_tokens: int | None = None,
        temperature: float | None = None,
        top_k: int | None = None,
        top_p: float | None = None,
        min_p: float | None = None,
        repetition_penalty: float | None = None,
        seed: int = 0,
        source_language: str | None = None,
        target_language: str | None = None,
        without_rules: Sequence[str] = (),
        n_candidates: int = 10,
        **options: Any,
    ) -> Generation:
        """See `headscope.core.predict.generate.generate`, which has the other options (`stop`, `rules`, `chat`, `job`, …).

        `temperature` 0 takes the most probable token each time; there is one text, whatever number of beams the settings say
        (see `beam_search`). `top_k` limits the choice, `n_candidates` what each step reports. Languages are names ("French") or
        codes ("fr_XX") of `info.languages`; `without_rules` are names of `info.generation.rules`.
        """
        from headscope.core.predict.generate import generate

        sampling = self.info.generation.sampling_with(
            temperature=temperature, top_k=top_k, top_p=top_p, min_p=min_p, repetition_penalty=repetition_penalty, seed=seed
        )
        options |= self._rules_and_languages(without_rules, source_language, target_language)
        return generate(_whole(self), text, max_new_tokens=max_new_tokens, sampling=sampling, top_k=n_candidates, **options)

    def beam_search(
        self,
        text: str,
        *,
        n_beams: int | None = None,
        length_penalty: float | None = None,
        early_stopping: bool | Literal["never"] | None = None,
        source_language: str | None = None,
        target_language: str | None = None,
        without_rules: Sequence[str] = (),
        **options: Any,
    ) -> Iterator[BeamStep]:
        """See `headscope.core.predict.beam_search.beam_search`, which has the other options (`max_new_tokens`, `stop`, …).

        Four beams if neither the call nor the model's settings ask for several; languages and rules as `generate`.
        """
        from headscope.core.predict.beam_search import beam_search

        own = self.info.generation.beams
        if n_beams is None:
            n_beams = own.n_beams if own.n_beams > 1 else 4
        beams = BeamSearch(
            n_beams,
            own.length_penalty if length_penalty is None else length_penalty,
            own.early_stopping if early_stopping is None else early_stopping,
        )
        options |= self._rules_and_languages(without_rules, source_language, target_language)
        return beam_search(_whole(self), text, beams=beams, **options)

    def languages(self, source: str | None = None, target: str | None = None) -> Languages | None:
        """The codes of languages by their names or codes; None for none.

        Raises
        ------
        HeadscopeError
            ``no_languages``, ``unknown_language``.
        """
        known, name = self.info.languages, self.info.name
        found = [None if each is None else known.code_of(each, name) for each in (source, target)]
        return None if found == [None, None] else Languages(*found)

    def positions(self, first: int, n_tokens: int) -> dict[str, Tensor]:
        """For `forward`, while a text is written: its positions from `first` on, where transformers' `generate` gives them too."""
        return {}

    def _rules_and_languages(self, without: Sequence[str], source: str | None, target: str | None) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if source is not None or target is not None:
            found["languages"] = self.languages(source, target)
        if without:
            found["rules"] = self.info.generation.rules_without(frozenset(without))
        return found


def _whole(model: WritingModel) -> LoadedModel:
    return cast("LoadedModel", model)
