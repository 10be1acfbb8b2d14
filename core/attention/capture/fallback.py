"""Models that compute attention in a way of their own: their matrices are asked for (`output_attentions`) and kept.

This costs what the other tools pay, layers × heads × tokens², and is used only where there is no other way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from headscope.core.attention.capture.matrix_hooks import streamed
from headscope.core.attention.capture.recorder import Recorder
from headscope.core.attention.capture.softmax_tap import SoftmaxTap
from headscope.core.attention.hooks import turn
from headscope.core.attention.intervention import Edit
from headscope.core.attention.kept.keeping import kept
from headscope.core.attention.kept.owned import Place
from headscope.core.attention.kept.stored import _followed
from headscope.core.attention.stacks import is_encoder_decoder
from headscope.core.memory import input_device
from headscope.core.numerics import are_weights
from headscope.core.vocabulary import Backend, Kind

_NAMES: dict[Kind, str] = {"encoder": "encoder_attentions", "decoder": "decoder_attentions", "cross": "cross_attentions"}
_KINDS: WeakKeyDictionary[nn.Module, Kind] = WeakKeyDictionary()
"""Of models with a single stack, once it is known: whether it is an encoder or a decoder."""
_PROBE_TOKENS = 4
_SCORES = {"squeezebert": {"attentions"}, "prophetnet": {"encoder_attentions", "cross_attentions"}}
"""Where models, by their `model_type`, return what goes into the softmax."""


def recorder_for(module: nn.Module, backend: Backend, **options: Any) -> Recorder:
    """The recorder that catches the attention of a model of this tier; `options` are those of `Recorder`."""
    return (FallbackRecorder if backend == "fallback" else Recorder)(module, **options)


def attentions_of(output: Any, module: Any) -> dict[Kind, list[Tensor]]:
    """The matrices in a transformers output of `module`, by kind: each (batch, n_heads, n_queries, n_keys), first layer first.

    The maps of a model with one stack are a decoder's if no query of the first text looks past itself, or if they were so
    when `remember_kind` was told. A single query cannot tell; then they are a decoder's if the model can generate.
    """
    scores = _SCORES.get(module.config.model_type, set())
    found = {kind: _maps(getattr(output, name, None), scores=name in scores) for kind, name in _NAMES.items()}
    if alone := _maps(getattr(output, "attentions", None), scores="attentions" in scores):
        found[_KINDS.get(module) or _kind_of(alone, module)] = alone
    if "cross_attentions" in scores:  # ProphetNet's guesses at later tokens are queries too, behind those of the text
        found["cross"] = [weights[:, :, : found["decoder"][0].shape[-2]] for weights in found["cross"]]
    return {kind: matrices for kind, matrices in found.items() if matrices}


def remember_kind(module: nn.Module, kind: Kind) -> None:
    """Whether a model with one stack is an encoder or a decoder, whatever a single text looks like."""
    _KINDS[module] = kind


def _kind_of(alone: list[Tensor], module: Any) -> Kind:
    one_query = all(weights.shape[-2] == 1 for weights in alone)
    causal = module.can_generate() if one_query else all(_is_causal(weights[0]) for weights in alone)
    return "decoder" if causal else "encoder"


class FallbackRecorder(Recorder):
    """A `Recorder` that asks the model for its matrices and takes them from what it returns."""

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        with turn(self._module, cancel=self._job.cancel) as hooks:
            hooks.before(self._module, self._begin_pass)
            hooks.before(self._module, _ask, with_kwargs=True)
            hooks.after(self._module, self._take)
            for part in hooks.parts:
                if "attention" in type(part).__name__.lower():
                    hooks.before(part, self._look_for_cancel)
            hooks.enter_context(streamed(self._module, self._take_one))
            if self._intervention or self._keep_outputs:
                self._find_kind()
                hooks.enter_context(SoftmaxTap(self._module, self._edits_at, self._see_outputs).tapping())
            yield self
            self._own_all(hooks.parts)

    def _take(self, _module: nn.Module, _args: object, output: Any) -> None:
        for kind, matrices in attentions_of(output, self._module).items():
            for index, weights in enumerate(matrices):
                self._take_one((kind, index), weights)

    def _take_one(self, place: Place, weights: Tensor) -> None:
        if self._keep_layers:
            earlier = self._layers.get(place) if self._append else None
            self._layers[place] = kept(_followed(earlier, place[0], weights.detach().cpu()), place[1], self.kept)

    def _find_kind(self) -> None:
        """A pass that nothing changes tells whether a single stack looks ahead; in an edited one a pasted pattern may."""
        if self._one_stack and self._module not in _KINDS:
            tokens = torch.zeros((1, _PROBE_TOKENS), dtype=torch.long, device=input_device(self._module))
            with torch.inference_mode():
                (_KINDS[self._module],) = attentions_of(self._module(tokens, output_attentions=True), self._module)

    def _edits_at(self, module: nn.Module, n_queries: int, n_keys: int) -> tuple[Edit, ...]:
        """What to do in the attention layer that the pass has come to; see `SoftmaxTap`."""
        kind: Kind = "cross" if module in self._roles.cross else "decoder" if module in self._decoder else "encoder"
        kind = _KINDS.get(self._module, kind)
        index = self._ordinals.get(kind, 0)
        self._ordinals[kind] = index + 1
        self._place = kind, index
        start = self._located(kind, index, n_queries, n_keys)
        return tuple(edit.moved(*start) for edit in self._intervention.at(kind, index))

    def _see_outputs(self, outputs: Tensor) -> None:
        if self._keep_outputs:
            self._outputs[self._place] = outputs.detach()

    @cached_property
    def _one_stack(self) -> bool:
        return not is_encoder_decoder(self._module)

    @cached_property
    def _decoder(self) -> frozenset[nn.Module]:
        return frozenset(part for name, part in self._module.named_modules() if "decoder" in name)

    def _look_for_cancel(self, *_: object) -> None:
        self._job.cancel.check()


def _ask(_module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    return args, {**kwargs, "output_attentions": True}


def _maps(attentions: Any, *, scores: bool) -> list[Tensor]:
    """Without the gaps and the states (MiniMax) that layers of another sort leave, and without maps in parts (Pegasus-X)."""
    found = [weights for weights in attentions or () if isinstance(weights, Tensor) and weights.dim() == 4]
    if scores:
        return [weights.softmax(-1) for weights in found]
    return [weights for weights in found if are_weights(weights.nan_to_num())]  # a model of broken weights says so when it runs


def _is_causal(weights: Tensor) -> bool:
    return not bool(weights.triu(weights.shape[-1] - weights.shape[-2] + 1).any())
