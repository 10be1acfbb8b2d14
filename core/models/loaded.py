"""LoadedModel: a model in memory, and everything Headscope asks of it."""

from __future__ import annotations

import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import Tensor, nn

from headscope.core.attention.fallback import recorder_for
from headscope.core.attention.hooks import turn
from headscope.core.attention.keeping import check_kept
from headscope.core.attention.reach import reaches
from headscope.core.errors import HeadscopeError
from headscope.core.intervention import Edits, Intervention, as_intervention, check
from headscope.core.jobs import Job, Kind
from headscope.core.models.budget import check_pass, keeps_values
from headscope.core.models.constant_weights import constant_weights
from headscope.core.models.device import out_of_memory_said
from headscope.core.models.given_ids import Ids, encoded_ids, encoded_source
from headscope.core.models.text import Encoded, TextTokenizer
from headscope.core.models.token_types import n_token_types
from headscope.core.models.writing import WritingModel
from headscope.core.predict.readout import in_rows
from headscope.core.requests import KEEP_ALL, Keep
from headscope.core.results import ModelInfo, Prediction, RunResult
from headscope.core.tokens import TokenAxis

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.predict.options import Languages


class LoadedModel(WritingModel, ABC):
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

    @classmethod
    def wrap(cls, module: Any, tokenizer: Any, *, name: str | None = None) -> LoadedModel:
        """A transformers model that is in memory, half-trained or fine-tuned, as it is: no weight is copied, moved or changed.

        >>> with LoadedModel.wrap(model, tokenizer) as look:  # doctest: +SKIP
        ...     record = look.capture("the keys of the cabinet")

        During each pass of ours, and at no other time, the module is in evaluation mode and its attention goes through Headscope's
        functions. Between two it is as you have it: train it, copy it, save it. What is captured is what the weights are at that
        moment. Passes of several threads take turns; do not train it while one runs.

        Parameters
        ----------
        module : PreTrainedModel
            On any device, or on several; also inside `torch.compile`, `DataParallel` or a `PeftModel` whose adapter changes weights.
        tokenizer : PreTrainedTokenizerBase
            Its settings stay as they are: a fast one is copied, of others nothing is changed.
        name : str, optional
            What the screen calls it; the configuration's name or the class's if not given.

        Raises
        ------
        HeadscopeError
            ``architecture_unsupported``, ``wrap_inside``, ``adapter_unsupported``, ``no_tokenizer``, ``no_attention``; the module is
            as it was.
        """
        from headscope.core.models.hub_model import wrapped

        return wrapped(module, tokenizer, name)

    def release(self) -> None:
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

    # ---------------------------------------------------------------- from text to tensors
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
        with turn(self.module), out_of_memory_said(self.place), mode:
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
        n_layers = sum(n for n, _ in self.info.layers.values())
        values = for_screen and keeps_values(self, source, target, keep)
        options_of_it = {"intervention": intervention, "keep": keep, "keep_values": values}
        with turn(self.module, cancel=None if job is None else job.cancel):
            recorder = recorder_for(self.module, self.info.tier, job=job, n_layers_hint=n_layers, **options_of_it)
            with recorder.recording():
                output = self.forward(self.inputs(source, target), **options)
        hidden = getattr(output, "last_hidden_state", None)  # of a model without a head, whose logits cannot tell
        if intervention is not None and hidden is not None and bool(hidden.isnan().any()):
            raise HeadscopeError("not_a_number", model=self.info.name, dtype=self.info.dtype)
        return recorder.record(axes, tier=self.info.tier), output

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
        if intervention and not reaches(self.module, self.info.tier, self.place):
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

    # ---------------------------------------------------------------- the public face
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

    def capture_batch(self, texts: Sequence[str], **options: Any) -> list[AttentionRecord]:
        """See `headscope.core.models.batch.capture_batch`."""
        from headscope.core.models.batch import capture_batch

        return capture_batch(self, texts, **options)

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
    ) -> RunResult:
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
        return RunResult(
            record,
            text if isinstance(text, str) else source.axis.text,
            predictions,
            next_sentence,
            time.perf_counter() - started,
            answers,
        )

    def fill_mask(self, text: str, text_pair: str | None = None, *, top_k: int = 5, job: Job | None = None) -> list[Prediction]:
        """See `headscope.core.predict.fill_mask.fill_mask`."""
        from headscope.core.predict.fill_mask import fill_mask

        return fill_mask(self, text, text_pair, top_k=top_k, job=job)

    def next_sentence(self, text: str, text_pair: str) -> float:
        """See `headscope.core.predict.next_sentence.next_sentence`."""
        from headscope.core.predict.next_sentence import next_sentence

        return next_sentence(self, text, text_pair)
