"""LoadedModel: a model in memory, and everything Headscope asks of it."""

from __future__ import annotations

import inspect
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from headscope.core.attention.fallback import recorder_for
from headscope.core.errors import HeadscopeError
from headscope.core.intervention import Intervention, check
from headscope.core.jobs import GenerationStep, Job, Kind, ModelInfo, Prediction, RunResult, Sampling
from headscope.core.models.device import check_room, out_of_memory_said
from headscope.core.models.text import Encoded, TextTokenizer
from headscope.core.tokens import TokenAxis

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_PASS_FLOATS_PER_WIDTH = 16
"""Numbers per token and unit of width that are alive at the height of a pass, roughly: a layer's inner activations."""


class LoadedModel(ABC):
    """A model, its tokenizer, and what it can do.

    Attributes
    ----------
    info : ModelInfo
        Plain data about the model.
    module : nn.Module
        In eval mode, on its device.
    tokenizer : TextTokenizer
    """

    info: ModelInfo
    module: nn.Module
    tokenizer: TextTokenizer
    start_id: int | None = None
    """The token a decoder begins with, of an encoder-decoder model."""

    # ---------------------------------------------------------------- what the two sorts of model do differently
    @abstractmethod
    def new_cache(self) -> Any:
        """An empty key-value cache for generation; None if the model takes none."""

    @abstractmethod
    def eager_pass(self, inputs: Mapping[str, Tensor]) -> Any:
        """One pass by the model's own plain attention, logits and all matrices in the output; independent of the capture."""

    @abstractmethod
    def eager_attentions(self, inputs: Mapping[str, Tensor]) -> dict[Kind, list[Tensor]]:
        """For each kind the (batch, n_heads, n_queries, n_keys) of each layer, by `eager_pass`."""

    # ---------------------------------------------------------------- from text to tensors
    def encode(self, text: str, text_pair: str | None = None, target: str | None = None) -> tuple[Encoded, Encoded | None]:
        """The text as the model reads it, and the decoder's side of an encoder-decoder model.

        Raises
        ------
        HeadscopeError
            ``empty_text`` if there is nothing that the model reads.
        """
        if not text.strip():
            raise HeadscopeError("empty_text")
        most = self.info.max_tokens
        source = self.tokenizer.encode(text, text_pair, max_tokens=most)
        if all(token.start < 0 for token in source.axis.tokens):  # of characters that the tokenizer leaves out
            raise HeadscopeError("empty_text")
        if self.start_id is None:
            return source, None
        return source, self.tokenizer.target(target, self.start_id, max_tokens=most)

    def inputs(self, source: Encoded, target: Encoded | None = None) -> dict[str, Tensor]:
        """What `forward` takes: int64 (1, n_tokens) on the model's device."""
        ids = self._row(source.ids)
        inputs = {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        if self._n_segments > 1:
            inputs["token_type_ids"] = self._row(source.segments)
        if target is not None:
            inputs["decoder_input_ids"] = self._row(target.ids)
        return inputs

    def _row(self, numbers: tuple[int, ...]) -> Tensor:
        return torch.tensor([numbers], dtype=torch.long, device=self.info.device)

    @cached_property
    def _n_segments(self) -> int:
        """How many texts the model tells apart. GPT-2 takes token_type_ids too, but as words to add to the others."""
        if "token_type_ids" not in self._accepted:
            return 0
        config = self.module.config
        return int(getattr(config, "type_vocab_size", 0) or getattr(config, "n_segments", 0))

    @cached_property
    def _accepted(self) -> frozenset[str]:
        return frozenset(inspect.signature(self.module.forward).parameters)

    # ---------------------------------------------------------------- running
    def forward(self, inputs: Mapping[str, Any], **options: Any) -> Any:
        """One pass; the output has `logits` (None for a model without a head).

        Options that this model does not take (`logits_to_keep`) are left out.

        Raises
        ------
        HeadscopeError
            ``out_of_memory``, ``not_a_number`` (half precision overflows in some models); the model stays usable.
        """
        accepted = {name: value for name, value in options.items() if name in self._accepted}
        with out_of_memory_said(torch.device(self.info.device)), torch.inference_mode():
            output = self.module(**inputs, **accepted)
        if getattr(output, "logits", None) is None:
            output.logits = getattr(output, "prediction_logits", None)  # a pre-training model has two heads
        if output.logits is not None and bool(output.logits.isnan().any()):
            raise HeadscopeError("not_a_number", model=self.info.name, dtype=self.info.dtype)
        return output

    def observe(
        self,
        source: Encoded,
        target: Encoded | None = None,
        *,
        job: Job | None = None,
        intervention: Intervention | None = None,
        **options: Any,
    ) -> tuple[AttentionRecord, Any]:
        """One pass over ids, and what it attended to; with an intervention, the pass as it changes it.

        Raises
        ------
        HeadscopeError
            ``not_enough_memory`` before the pass, ``out_of_memory`` in it. An edit that names a place which is not there:
        ``unknown_kind``, ``no_such_head``, ``no_such_position``; ``edit_misfit`` for an array of another shape.
        Cancelled
            In any layer.
        """
        axes = self.axes(source.axis, target.axis if target else None)
        if intervention is not None:
            lengths = {kind: (len(queries), len(keys)) for kind, (queries, keys) in axes.items()}
            check(intervention, self.info.layers, lengths)
        n_tokens = len(source.ids) + (len(target.ids) if target else 0)
        check_room("not_enough_memory", self._bytes_of_pass(n_tokens), torch.device(self.info.device))
        n_layers = sum(n for n, _ in self.info.layers.values())
        recorder = recorder_for(self.module, self.info.tier, job=job, n_layers_hint=n_layers, intervention=intervention)
        with recorder.recording():
            output = self.forward(self.inputs(source, target), **options)
        return recorder.record(axes, tier=self.info.tier), output

    def axes(self, source: TokenAxis, target: TokenAxis | None) -> dict[Kind, tuple[TokenAxis, TokenAxis]]:
        """The tokens along both sides of each kind's maps."""
        if target is None:
            return dict.fromkeys(self.info.layers, (source, source))
        return {"encoder": (source, source), "decoder": (target, target), "cross": (target, source)}

    def _bytes_of_pass(self, n_tokens: int) -> int:
        """About how much a captured pass takes: queries and keys of each layer, one layer's activations, the logits."""
        config: Any = self.module.config
        width = int(getattr(config, "hidden_size", None) or getattr(config, "d_model", None) or 1024)
        vocabulary = int(getattr(config, "vocab_size", 0)) if "fill_mask" in self.info.abilities else 1
        size = 4 if self.info.dtype == "float32" else 2
        n_layers = sum(n for n, _ in self.info.layers.values())
        total = n_tokens * size * (2 * n_layers * width + _PASS_FLOATS_PER_WIDTH * width + vocabulary)
        if self.info.tier != "fast":
            kept = sum(n * heads for n, heads in self.info.layers.values()) if self.info.tier == "fallback" else 0
            at_once = 3 * max(heads for _, heads in self.info.layers.values())
            total += (kept + at_once) * 4 * n_tokens**2
        return total

    # ---------------------------------------------------------------- the public face
    def capture(
        self,
        text: str,
        text_pair: str | None = None,
        target: str | None = None,
        *,
        intervention: Intervention | None = None,
        job: Job | None = None,
    ) -> AttentionRecord:
        """The attention of one pass over a text.

        Parameters
        ----------
        text, text_pair : str
            What is read; a mask may be written as ``[MASK]``. Text that does not fit the model is left out, and the axis says so.
        target : str or None
            What an encoder-decoder's decoder reads; None: its start token only.
        intervention : Intervention or None
            What to change inside the pass.
        job : Job or None
            For progress and cancellation.

        Raises
        ------
        HeadscopeError
            ``empty_text``, ``not_enough_memory``, ``out_of_memory``.
        """
        encoded = self.encode(text, text_pair, target)
        record, _ = self.observe(*encoded, job=job, intervention=intervention, logits_to_keep=1)
        return record

    def run(
        self,
        text: str,
        text_pair: str | None = None,
        target: str | None = None,
        *,
        top_k: int = 10,
        intervention: Intervention | None = None,
        job: Job | None = None,
    ) -> RunResult:
        """One pass: its attention, and what the model predicts. Parameters and errors as `capture`."""
        from headscope.core.predict.next_sentence import follows
        from headscope.core.predict.predictions import predictions_of

        started = time.perf_counter()
        source, encoded_target = self.encode(text, text_pair, target)
        options = {} if "fill_mask" in self.info.abilities else {"logits_to_keep": 1}
        record, output = self.observe(source, encoded_target, job=job, intervention=intervention, **options)
        predictions = predictions_of(self, source, encoded_target, output.logits, top_k)
        next_sentence = follows(output) if text_pair and "next_sentence" in self.info.abilities else None
        return RunResult(record, text, predictions, next_sentence, time.perf_counter() - started)

    def fill_mask(self, text: str, text_pair: str | None = None, *, top_k: int = 5, job: Job | None = None) -> list[Prediction]:
        """See `headscope.core.predict.fill_mask.fill_mask`."""
        from headscope.core.predict.fill_mask import fill_mask

        return fill_mask(self, text, text_pair, top_k=top_k, job=job)

    def next_sentence(self, text: str, text_pair: str) -> float:
        """See `headscope.core.predict.next_sentence.next_sentence`."""
        from headscope.core.predict.next_sentence import next_sentence

        return next_sentence(self, text, text_pair)

    def generate(
        self,
        text: str,
        *,
        max_new_tokens: int = 40,
        temperature: float = 0.0,
        top_k: int = 0,
        top_p: float = 1.0,
        seed: int = 0,
        n_candidates: int = 10,
        job: Job | None = None,
    ) -> Iterator[GenerationStep]:
        """See `headscope.core.predict.generate.generate`; `top_k` limits the choice, `n_candidates` what each step reports."""
        from headscope.core.predict.generate import generate

        sampling = Sampling(temperature=temperature, top_k=top_k, top_p=top_p, seed=seed)
        return generate(self, text, max_new_tokens=max_new_tokens, sampling=sampling, top_k=n_candidates, job=job)
