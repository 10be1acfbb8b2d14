"""BaseModel: a model in memory, from a text to ids and through one observed pass."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from headscope.core.arguments import checked
from headscope.core.attention.capture.edit_trial import reaches
from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.hooks import turn
from headscope.core.attention.intervention import Edits, Intervention, as_intervention, check
from headscope.core.attention.kept.keeping import check_kept
from headscope.core.errors import HeadscopeError
from headscope.core.forward.budget import check_pass, keeps_values
from headscope.core.forward.constant_weights import constant_weights
from headscope.core.forward.model_info import ModelInfo
from headscope.core.forward.rows import in_rows
from headscope.core.forward.token_types import n_token_types
from headscope.core.job import Job
from headscope.core.keep import KEEP_ALL, Keep
from headscope.core.memory import out_of_memory_reported
from headscope.core.options import Languages
from headscope.core.text.given_ids import Ids, encoded_ids, encoded_source
from headscope.core.text.tokenizer import Encoded, TextTokenizer
from headscope.core.text.tokens import TokenAxis
from headscope.core.vocabulary import Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord


class BaseModel(ABC):
    """A model, its tokenizer, and what it can do.

    Attributes
    ----------
    info : ModelInfo
        Plain data about the model.
    module : nn.Module
        On its device. One of ours is in evaluation mode, somebody else's only while it is looked into.
    widths : mapping of kind to (float, float)
        Numbers that a layer keeps for a query and for a key, on average over its layers.
    tokenizer : TextTokenizer
    place : torch.device
        Where its ids go; of a model on several devices, the one that a pass begins on.
    """

    info: ModelInfo
    module: nn.Module
    widths: Mapping[Kind, tuple[float, float]]
    place: torch.device
    tokenizer: TextTokenizer
    start_id: int | None = None
    """The token a decoder begins with, of an encoder-decoder model."""
    target_start: int | None = None
    """The token that a decoder's text begins with when it is trained; None: the last one of its labels, a language code (mBART)."""
    max_written: int | None = None
    """How many tokens the text may have that generation goes on with: of an encoder-decoder model, the decoder's."""
    is_movable: bool = True
    """Whether `module` may be moved to another device: it is ours, whole, and not packed."""

    def release(self) -> None:  # noqa: B027 - most models hold nothing that garbage collection does not free
        """A model of ours that is on several devices lets go of its memory, and cannot be used any more; others stay as they are."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    # ---------------------------------------------------------------- what the two sorts of model do differently
    @property
    def cache_argument(self) -> str | None:
        """The argument of the module's pass that takes a key-value cache; None if it takes none."""
        return "past_key_values"

    @abstractmethod
    def new_cache(self, expected: int = 0) -> Any:
        """An empty key-value cache for generation, `expected` tokens in the end (0: unknown); None if the model takes none."""

    @abstractmethod
    def branched_cache(self, cache: Any, n_tokens: int) -> Any:
        """The first `n_tokens` of a cache, to go on from in another way; None if it has forgotten what that needs."""

    @abstractmethod
    def eager_pass(self, inputs: Mapping[str, Tensor]) -> Any:
        """One pass by the model's own plain attention, logits and all matrices in the output; independent of the capture."""

    @abstractmethod
    def eager_attentions(self, inputs: Mapping[str, Tensor]) -> dict[Kind, list[Tensor]]:
        """For each kind the (batch, n_heads, n_queries, n_keys) of each layer, by `eager_pass`."""

    @abstractmethod
    def rule_processor(self, rule: str) -> Any:
        """transformers' class of a logits processor, by the name of the setting that asks for it."""

    def encoder_output(self, hidden: Tensor) -> Any:
        """What the encoder has made of a text, (batch, n_tokens, width), as the module's pass takes it."""
        return (hidden,)

    # ---------------------------------------------------------------- from text to tensors
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

    @checked
    def encode(
        self,
        text: str | Ids,
        text_pair: str | None = None,
        target: str | Ids | None = None,
        *,
        languages: Languages | None = None,
    ) -> tuple[Encoded, Encoded | None]:
        """The text as the model reads it, and the decoder's side of an encoder-decoder model; token ids stay as they are.

        `languages` are codes of a multilingual model's; None is what its own settings say.

        Raises
        ------
        HeadscopeError
            ``empty_text`` if there is nothing that the model reads; ``no_languages``, ``unknown_language``.
        """
        for code in () if languages is None else (languages.source, languages.target):
            if code is not None:
                self.first_token_of(code)  # refuses what the model does not know
        source = encoded_source(text, text_pair, self.tokenizer, self.info.max_tokens)
        if self.start_id is None:
            return source, None
        if target is not None and not isinstance(target, str):
            return source, encoded_ids("target", target, self.tokenizer, self.max_written)
        start = self.target_start if target else self.start_id
        return source, self.tokenizer.target(target, start, max_tokens=self.max_written)

    def first_token_of(self, language: str) -> int | None:
        """The token that an answer in a language begins with, by its code; None if the source says the language.

        Raises
        ------
        HeadscopeError
            ``no_languages``, ``unknown_language``.
        """
        raise HeadscopeError("no_languages", model=self.info.name)

    def inputs(self, source: Encoded, target: Encoded | None = None) -> dict[str, Tensor]:
        """What `forward` takes: int64 (1, n_tokens) on the model's device."""
        ids = self._row(source.ids)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if self._n_segments > 1:
            inputs["token_type_ids"] = self._row(source.segments)
        if target is not None:
            inputs["decoder_input_ids"] = self._row(target.ids)
        return inputs

    def class_position(self, source: Encoded, target: Encoded | None) -> int | None:
        """The position of the last stack that a classifier's head reads; None if it takes the mean over all."""
        return None

    def _row(self, numbers: tuple[int, ...]) -> Tensor:
        return torch.tensor([numbers], dtype=torch.long, device=self.place)

    @cached_property
    def _n_segments(self) -> int:
        return n_token_types(self.module) if "token_type_ids" in self._accepted else 0

    def accepts(self, name: str) -> bool:
        """Whether the module's forward takes an argument of this name."""
        return name in self._accepted

    @cached_property
    def _accepted(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.module.forward).parameters)

    # ---------------------------------------------------------------- running
    def forward(
        self,
        inputs: Mapping[str, Any],
        *,
        gradients: bool = False,
        kept: Any = None,
        replaces_invalid: bool = False,
        **options: Any,
    ) -> Any:
        """One pass; the output has `logits`, (batch, n_rows, n_outcomes) as a `Readout` has them; None for a model without a head.

        `kept` is a `new_cache` with what earlier passes over the text have left in it. With `gradients` the pass joins the
        autograd graph of what is put into it; the weights are constants all the same. Options that this model does not take
        (`logits_to_keep`) are left out. With `replaces_invalid` logits that are no numbers become 0, infinite ones the largest.

        Raises
        ------
        HeadscopeError
            ``out_of_memory``, ``not_a_number`` (half precision overflows in some models); the model stays usable.
        """
        options = {"use_cache": False, **options}  # a copy of all keys and values that nobody would read
        if kept is not None:
            options |= {"use_cache": True, str(self.cache_argument): kept}
        accepted = {name: value for name, value in options.items() if name in self._accepted}
        mode = constant_weights(self.module) if gradients else torch.inference_mode()
        with turn(self.module), out_of_memory_reported(self.place), mode:
            output = self.module(**inputs, **accepted)
        in_rows(output, self.info)
        if replaces_invalid:
            output.logits = output.logits.float().nan_to_num(nan=0.0)
        if output.logits is not None and bool(output.logits.isnan().any()):
            raise HeadscopeError("not_a_number", model=self.info.name, dtype=self.info.dtype)
        return output

    def observe(
        self,
        source: Encoded,
        target: Encoded | None = None,
        *,
        job: Job | None = None,
        intervention: Edits | None = None,
        keep: Keep = KEEP_ALL,
        for_screen: bool = False,
        **options: Any,
    ) -> tuple[AttentionRecord, Any]:
        """One pass over ids, and what it attended to; with an intervention, the pass as it changes it.

        `for_screen` leaves room for the pictures of it, and keeps the values of a text that is not long.

        Raises
        ------
        HeadscopeError
            ``not_enough_memory`` before the pass, with offers of what would fit; ``out_of_memory`` in it. Of an intervention:
            as `check`, and ``edit_misfit`` for an array of another shape.
        Cancelled
            In any layer.
        """
        axes = self.axes(source.axis, target.axis if target else None)
        intervention = None if intervention is None else self.check(intervention, axes)
        check_kept(keep, self.info.layers)
        check_pass(self, source, target, keep, for_screen=for_screen)
        values = for_screen and keeps_values(self, source, target, keep)
        options_of_it = {"intervention": intervention, "keep": keep, "keep_values": values}
        with turn(self.module, cancel=None if job is None else job.cancel):
            recorder = recorder_for(self.module, self.info.backend, job=job, n_layers_hint=self.info.n_layers, **options_of_it)
            with recorder.recording():
                output = self.forward(self.inputs(source, target), **options)
        hidden = getattr(output, "last_hidden_state", None)  # of a model without a head, whose logits cannot tell
        if intervention is not None and hidden is not None and bool(hidden.isnan().any()):
            raise HeadscopeError("not_a_number", model=self.info.name, dtype=self.info.dtype)
        return recorder.record(axes, backend=self.info.backend), output

    def check(
        self, intervention: Edits, axes: Mapping[Kind, tuple[TokenAxis, TokenAxis]] | None = None, *, n_texts: int = 1
    ) -> Intervention:
        """`intervention`, if every edit names what is there, and if edits reach this model's attention.

        Parameters
        ----------
        axes : mapping of kind to (queries, keys), optional
            Without them (in generation, where a text grows) positions may be any.

        Raises
        ------
        HeadscopeError
            ``unknown_kind``, ``no_such_head``, ``no_such_position``, ``no_such_text``, ``cannot_intervene``.
        """
        lengths = None if axes is None else {kind: (len(queries), len(keys)) for kind, (queries, keys) in axes.items()}
        intervention = as_intervention(intervention)
        check(intervention, self.info.layers, lengths, n_texts)
        if intervention and not reaches(self.module, self.info.backend, self.place):
            raise HeadscopeError("cannot_intervene", architecture=self.info.architecture)
        return intervention

    def axes(self, source: TokenAxis, target: TokenAxis | None) -> dict[Kind, tuple[TokenAxis, TokenAxis]]:
        """The tokens along both sides of each kind's maps."""
        if target is None:
            return dict.fromkeys(self.info.layers, (source, source))
        sides: dict[Kind, tuple[TokenAxis, TokenAxis]] = {
            "encoder": (source, source),
            "decoder": (target, target),
            "cross": (target, source),
        }
        return {kind: sides[kind] for kind in self.info.layers}

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
