"""Our attention function inside transformers' models.

transformers looks attention functions up by name (its `AttentionInterface`). Two names are registered here while a model has its
turn (see `hooks`). Neither may contain "sdpa", "flash", "flex" or "paged", which transformers looks for in names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor, nn
from transformers import PreTrainedModel

from headscope.core.attention.capture.attend import attend, is_causal_call
from headscope.core.attention.capture.fallback import attentions_of, recorder_for, remember_kind
from headscope.core.attention.capture.matrix_hooks import learn
from headscope.core.attention.capture.recorder import active_recorder
from headscope.core.attention.hooks import Change, Owner, Parts, Way, changes_of, owner_of, turn
from headscope.core.attention.kept.layer import AsWrittenLayer, Layer, LazyLayer
from headscope.core.attention.kept.owned import frozen_options, settings_of
from headscope.core.attention.kept.visibility import Visibility
from headscope.core.attention.stacks import is_encoder_decoder
from headscope.core.counted import Counted
from headscope.core.errors import HeadscopeError
from headscope.core.memory import input_device
from headscope.core.models.hub import compat
from headscope.core.models.hub.quiet import QUIET
from headscope.core.models.hub.unavailable import never, reason
from headscope.core.numerics import same_maps
from headscope.core.process import randomness_kept
from headscope.core.vocabulary import Backend, Kind

FAST = "headscope"
AS_WRITTEN = "headscope_as_written"
_PROBE_TOKENS = 8


def attend_as_written(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """The model file's own eager attention, seen by the active recorder; parameters and result as `capture.attend`.

    For models whose scores the fused kernel cannot compute (Gemma 2's soft cap, the sinks of gpt-oss).
    """
    eager = compat.eager_attention(module)
    assert eager is not None  # install() looked
    recorder = None if _sinks_of_queries(kwargs) else active_recorder()
    if recorder is not None:
        bias: Tensor | None = kwargs.get("position_bias")
        visible = Visibility(range(query.shape[2]), range(key.shape[2]), mask=attention_mask, bias=bias)
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        options = frozen_options({name: kwargs[name] for name in _SCORE_OPTIONS if name in kwargs})
        layer = AsWrittenLayer(query, key, scale, (visible,), settings_of(module), eager, options, value=value)
        call = recorder.catch(module, layer, causal=is_causal_call(module, kwargs.get("is_causal")))
    output, _ = eager(module, query, key, value, attention_mask, dropout=dropout, scaling=scaling, **kwargs)
    return output if recorder is None else recorder.passed_on(call, output), None


def _sinks_of_queries(kwargs: Mapping[str, Any]) -> bool:
    """Sinks of every single query (Inkling 2) are not kept: nothing is caught, so that its matrices are asked for instead."""
    sinks = kwargs.get("sinks")
    return isinstance(sinks, Tensor) and sinks.dim() > 1


_SCORE_OPTIONS = ("softcap", "s_aux", "sinks", "sliding_window")
"""Of an eager function's keyword arguments, those that change its weights. Others, such as a cache, must not be kept alive."""


def install(model: PreTrainedModel) -> Backend:
    """Make the model's attention visible to recorders, in the best way that works, and say which.

    A way works if the maps that it gives for a few tokens are those of the model's own eager attention.

    Returns
    -------
    Tier
        "fast" for a model that goes through the interface; "own" if it does, but says it cannot use torch's fused kernel;
        "fallback" if it does not, but can return its matrices.

    Raises
    ------
    HeadscopeError
        ``no_attention`` if there is no way: the model has no attention, or maps that are not tokens × tokens.
    """
    owner = owner_of(model)
    with owner.held(None):
        before, owner.way = owner.way, None
        try:
            with turn(model), QUIET.held(), randomness_kept():
                owner.way = _way_that_works(model, owner)
        except BaseException:
            owner.way = before  # of somebody who has looked into it already
            raise
    if owner.way is None:
        raise HeadscopeError("no_attention", model=type(model).__name__, reason=reason(model.config))
    return owner.way


def _way_that_works(model: PreTrainedModel, owner: Owner) -> Backend | None:
    owner.ways = _ways(model)
    inputs = probe(model)
    eager = {} if never(model.config) else _square(eager_attentions(model, inputs))
    if eager and not is_encoder_decoder(model):
        (kind,) = eager
        remember_kind(model, kind)
        if kind == "encoder":
            owner.ways = {name: _not_causal(model, way) for name, way in owner.ways.items()}
    tiers = _tiers(model) if eager else iter(())
    return next((backend for backend in tiers if _works(model, backend, inputs, eager)), None)


def _works(model: PreTrainedModel, backend: Backend, inputs: Mapping[str, Tensor], eager: Mapping[Kind, list[Tensor]]) -> bool:
    with turn(model, way=backend):
        try:
            recorded = _recorded(model, backend, inputs)
        except AttributeError:  # its function reads more of its module than is kept of it
            if backend != "own":
                raise
            return False
        agrees = _agree(_square(recorded), eager)
        if agrees and backend == "fallback":
            learn(model, lambda: model(**inputs, output_attentions=True), lambda output: attentions_of(output, model))
        return agrees


Widths = dict[Kind, tuple[float, float]]
"""Of each kind, the numbers that a layer keeps for a query and for a key: its heads times d_head, on average over the layers."""


def attention_layers(model: PreTrainedModel, backend: Backend) -> dict[Kind, tuple[int, int]]:
    """(n_layers, n_heads) of each kind of attention that has tokens × tokens maps, found by a pass over a few tokens."""
    return attention_sizes(model, backend)[0]


def attention_sizes(model: PreTrainedModel, backend: Backend) -> tuple[dict[Kind, tuple[int, int]], Widths]:
    """`attention_layers`, and what a layer keeps for each token; 0 where it keeps matrices."""
    recorder = _recorder_of(model, backend, probe(model))
    layers = _square({kind: [_whole(layer) for layer in found] for kind, found in recorder.layers.items()})
    widths = {kind: _widths(recorder.layers[kind]) for kind in layers}
    return {kind: (len(found), found[0].shape[-3]) for kind, found in layers.items()}, widths


def _widths(layers: Sequence[Layer]) -> tuple[float, float]:
    kept = [each for each in layers if isinstance(each, LazyLayer)]
    if not kept:
        return 0.0, 0.0
    per_query = sum(each.query.shape[1] * each.query.shape[3] for each in kept)
    per_key = sum(each.key.shape[1] * each.key.shape[3] for each in kept)
    return per_query / len(kept), per_key / len(kept)


def eager_pass(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> Any:
    """One pass with the model's own eager attention, every matrix in the output; the implementation is restored."""
    with own_attention(model), torch.inference_mode():
        return model(**inputs, **compat.without_cache(model), output_attentions=True)


def eager_attentions(model: PreTrainedModel, inputs: Mapping[str, Tensor]) -> dict[Kind, list[Tensor]]:
    """What the model's own eager attention computes: for each kind, the (batch, n_heads, n_queries, n_keys) of each layer."""
    return attentions_of(eager_pass(model, inputs), model)


@contextmanager
def own_attention(model: PreTrainedModel) -> Iterator[None]:
    """The model's own eager attention for the passes inside this block."""
    owner = owner_of(model)
    with owner.held(None):
        owner.ways = owner.ways or _ways(model)
        with turn(model, way="eager"):
            yield


# ---------------------------------------------------------------- does a way work?
def probe(model: PreTrainedModel) -> dict[str, Tensor]:
    """A few different tokens from the middle of the vocabulary, where no model has its special ones.

    Among them is the end that BART's kin read a text's class at.
    """
    n_known = getattr(model.get_input_embeddings(), "num_embeddings", None) or model.config.get_text_config().vocab_size
    ids = (n_known // 2 + torch.arange(_PROBE_TOKENS, device=input_device(model))) % n_known
    end = getattr(model.config, "eos_token_id", None)
    if is_encoder_decoder(model) and isinstance(end, int) and type(model).__name__.endswith("ForSequenceClassification"):
        ids[_PROBE_TOKENS // 2] = end
    inputs = {"input_ids": ids[None]}
    return inputs | {"decoder_input_ids": ids[None]} if is_encoder_decoder(model) else inputs


def _recorder_of(model: PreTrainedModel, backend: Backend, inputs: Mapping[str, Tensor]) -> Any:
    """A recorder, after a pass."""
    recorder = recorder_for(model, backend)
    with torch.inference_mode(), recorder.recording():
        model(**inputs, **compat.without_cache(model))
    return recorder


def _recorded(model: PreTrainedModel, backend: Backend, inputs: Mapping[str, Tensor]) -> dict[Kind, list[Tensor]]:
    """What a recorder catches of a pass: (n_heads, n_queries, n_keys) of each layer."""
    layers = _recorder_of(model, backend, inputs).layers
    return {kind: [_whole(layer) for layer in found] for kind, found in layers.items()}


def _whole(layer: Layer) -> Tensor:
    weights = layer.weights(range(layer.shape[1]), batch=0, head=None)
    return F.pad(weights, (0, layer.shape[2] - weights.shape[-1]))  # the last keys may be left out where nobody sees them


def _square(maps: Mapping[Kind, list[Tensor]]) -> dict[Kind, list[Tensor]]:
    """Without the kinds that attend to or from something else than the tokens: pooled ones, bands, latents."""
    square = (_PROBE_TOKENS, _PROBE_TOKENS)
    return {kind: layers for kind, layers in maps.items() if all(layer.shape[-2:] == square for layer in layers)}


def _agree(ours: Mapping[Kind, list[Tensor]], eager: Mapping[Kind, list[Tensor]]) -> bool:
    """Whether all maps are there and like eager's. Rounding stays far below the limit, a wrong mask, scale or order far above."""
    if {kind: len(layers) for kind, layers in ours.items()} != {kind: len(layers) for kind, layers in eager.items()}:
        return False
    return all(
        same_maps(own, other[0]) for kind, layers in eager.items() for own, other in zip(ours[kind], layers, strict=True)
    )


# ---------------------------------------------------------------- the ways
def _tiers(model: PreTrainedModel) -> Iterator[Backend]:
    if compat.takes_functions(model):
        if compat.has_fused_attention(model):
            yield "fast"
        elif compat.eager_attention(model) is not None:
            yield "own"
    yield "fallback"


def _ways(model: PreTrainedModel) -> dict[str, Way]:
    """What each way to attend changes in the model, whatever it says just now; "eager" is its own."""
    in_full = changes_of(model, lambda: _attend_in_full(model))
    for change in in_full:
        if isinstance(change.value, nn.Module):  # in the place of another, whose hooks it shares
            vars(change.value).update(
                {name: held for name, held in vars(change.names[change.name]).items() if "_hooks" in name}
            )
    with turn(model) as made, _NAMES.held():
        for change in in_full:
            made.change(change)
        found: dict[str, tuple[Change, ...]] = {
            backend: _changes(model, partial(_use, model, backend), "sdpa" if backend == "fallback" else "eager")
            for backend in _tiers(model)
        }
        found["eager"] = found["fallback"]
        if compat.takes_functions(model):
            found["eager"] = _changes(model, lambda: model.set_attn_implementation("eager"), "sdpa")
    return {name: Way((*in_full, *changes), _around) for name, changes in found.items()}


@contextmanager
def _around(parts: Parts) -> Iterator[None]:
    with _NAMES.held(), compat.no_hooks_left(parts):
        yield


def _changes(model: PreTrainedModel, action: Callable[[], object], otherwise: str) -> tuple[Change, ...]:
    """What an action changes in a model whose configurations name another attention so far."""
    found: list[tuple[Change, ...]] = []

    def act() -> None:
        _name(model, otherwise)
        found.append(changes_of(model, action))

    changes_of(model, act)
    return found[0]


def _use(model: PreTrainedModel, backend: Backend) -> None:
    if backend != "fallback":
        model.set_attn_implementation(FAST if backend == "fast" else AS_WRITTEN)
    else:
        # set_attn_implementation refuses here; and Falcon, told "sdpa", adds a boolean mask when asked for its matrices.
        _name(model, "eager")


def _name(model: PreTrainedModel, attention: str) -> None:
    for part in model.modules():
        if isinstance(part, PreTrainedModel):
            compat.name_attention(part.config, attention)


def _attend_in_full(model: PreTrainedModel) -> None:
    """BigBird reads short texts so, and would change over, for good, in the middle of the first one."""
    for part in list(model.modules()):
        if isinstance(part, PreTrainedModel) and getattr(part, "attention_type", None) == "block_sparse":
            part.set_attention_type("original_full")


def _not_causal(model: PreTrainedModel, way: Way) -> Way:
    """transformers takes a layer that says nothing (LayoutLM's) for a decoder's."""
    with turn(model) as made:
        for change in way.changes:
            made.change(change)
        silent = [part for part in model.modules() if "attention" in type(part).__name__.lower()]
    return replace(way, changes=(*way.changes, *(Change(vars(part), "is_causal", False) for part in silent)))


@contextmanager
def _registered() -> Iterator[None]:
    compat.register_attention(FAST, attend, compat.FUSED_MASK)
    compat.register_attention(AS_WRITTEN, attend_as_written, compat.EAGER_MASK)
    try:
        yield
    finally:
        compat.forget_attention(FAST)
        compat.forget_attention(AS_WRITTEN)


_NAMES = Counted(_registered)
"""transformers knows our functions by name while any model has its turn."""
