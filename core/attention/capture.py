"""Catching attention while a model runs: the model goes at full speed and leaves its queries and keys behind.

`attend` has the signature of transformers' attention functions and computes what they compute. If a `Recorder` is active
in this thread it also keeps references to the queries, keys and masks, from which `AttentionRecord` computes weights later.
Our own Transformers call `attend` directly, so this file needs torch alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from itertools import count
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor, nn

from headscope.core.attention.layers import Layer, LazyLayer
from headscope.core.attention.record import AttentionRecord
from headscope.core.attention.sights import Sight, as_rule, joined
from headscope.core.jobs import Job, Kind, Progress, Tier
from headscope.core.tokens import TokenAxis

_CROSS = re.compile(r"cross_?att|encoder_attn|EncDecAttention|encoder_decoder_attn", re.IGNORECASE)
_active: ContextVar[Recorder | None] = ContextVar("headscope_recorder", default=None)


def attend(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    dropout: float = 0.0,
    scaling: float | None = None,
    is_causal: bool | None = None,
    **kwargs: Any,
) -> tuple[Tensor, None]:
    """Scaled dot-product attention by torch's fused kernel, seen by the active `Recorder`.

    Parameters
    ----------
    module : Module
        The attention layer; its `is_causal` is used where the argument is None.
    query : Tensor, (batch, n_heads, n_queries, d_head)
    key, value : Tensor, (batch, n_key_heads, n_keys, d_head)
        `n_heads` is a multiple of `n_key_heads`.
    attention_mask : Tensor or None, broadcasts to (batch, n_heads, n_queries, n_keys)
        bool (True: seen) or added to the scores. None with several queries and `is_causal`: a triangle.
    dropout : float
    scaling : float, optional
        1/√d_head if not given.
    is_causal : bool, optional
    **kwargs
        `position_bias` (1, n_heads, n_queries, n_keys) is added to the scores (T5); others are not used.

    Returns
    -------
    Tensor, (batch, n_queries, n_heads, d_head), and None
        transformers' convention: the output, and no weights.
    """
    causal = is_causal_call(module, is_causal)
    bias: Tensor | None = kwargs.get("position_bias")
    triangle = causal and attention_mask is None and query.shape[2] > 1
    if triangle:  # a cache with room for later tokens: they are not seen
        key, value = key[:, :, : query.shape[2]], value[:, :, : query.shape[2]]
    recorder = active_recorder()
    if recorder is not None:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        recorder.catch(module, caught(query, key, attention_mask, bias, triangle=triangle, scaling=scale), causal=causal)
    if bias is not None:
        attention_mask, triangle = _biased(bias, attention_mask, triangle=triangle), False
    groups = query.shape[1] // key.shape[1]
    if groups > 1 and attention_mask is not None:  # with a mask the fused kernels do not share keys between heads
        key, value, groups = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1), 1
    output = F.scaled_dot_product_attention(
        query, key, value, attention_mask, dropout, is_causal=triangle, scale=scaling, enable_gqa=groups > 1
    )
    return output.transpose(1, 2).contiguous(), None


def is_causal_call(module: nn.Module, is_causal: bool | None) -> bool:
    """As transformers decides it: the argument, else the module's attribute, else True."""
    return bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)


def caught(
    query: Tensor, key: Tensor, mask: Tensor | None, bias: Tensor | None, *, triangle: bool, scaling: float
) -> LazyLayer:
    """References to what a call was given, without its gradients' history."""
    sight = Sight(
        range(query.shape[2]), range(key.shape[2]), causal=triangle, mask=mask, bias=None if bias is None else bias.detach()
    )
    return LazyLayer(query.detach(), key.detach(), scaling, (sight,))


def active_recorder() -> Recorder | None:
    """The recorder of the innermost `Recorder.recording` of this thread."""
    return _active.get()


def _biased(bias: Tensor, mask: Tensor | None, *, triangle: bool) -> Tensor:
    """One additive mask of a position bias and a mask."""
    if triangle:
        mask = torch.ones(bias.shape[-2:], dtype=torch.bool, device=bias.device).tril()
    if mask is None:
        return bias
    if mask.dtype == torch.bool:
        return torch.where(mask, bias, torch.finfo(bias.dtype).min)
    return bias + mask


class Recorder:
    """Collects what `attend` catches while a model runs in this thread.

    Parameters
    ----------
    module : Module
        The whole model; every forward of it begins a new pass.
    append : bool
        False: keep the last pass. True: the passes are the steps of one generation with a cache, and each adds its
        queries and new keys to those of the steps before.
    job : Job, optional
        Looked at for cancellation at every layer, and told how far a pass is (if `n_layers_hint` is given).
    n_layers_hint : int, optional
        How many attention layers a pass goes through, all kinds together.
    """

    def __init__(
        self, module: nn.Module, *, append: bool = False, job: Job | None = None, n_layers_hint: int | None = None
    ) -> None:
        self._module = module
        self._append = append
        self._job = job or Job()
        self._n_layers_hint = n_layers_hint
        self._cross = frozenset(
            part for name, part in module.named_modules() if _CROSS.search(name) or getattr(part, "is_cross_attention", False)
        )
        self._n_calls = 0
        self._ordinals: dict[Kind, Iterator[int]] = {}
        self._layers: dict[tuple[Kind, int], Layer] = {}
        self._grown: dict[tuple[Kind, int], tuple[_Growing, _Growing]] = {}

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Catch the attention of forwards inside this block, in this thread."""
        hook = self._module.register_forward_pre_hook(self._begin_pass)
        token = _active.set(self)
        try:
            yield self
        finally:
            _active.reset(token)
            hook.remove()

    def record(self, axes: Mapping[Kind, tuple[TokenAxis, TokenAxis]], *, tier: Tier, batch: int = 0) -> AttentionRecord:
        """A frozen snapshot of what has been caught so far; later passes do not change it.

        Parameters
        ----------
        axes : mapping of kind to (queries, keys)
            The tokens along both sides of each kind's maps.
        tier : Tier
        batch : int
            Which text of the batch.

        Raises
        ------
        HeadscopeError
            ``no_attention`` if nothing was caught.
        """
        return AttentionRecord(self.layers, axes, tier=tier, batch=batch, model=type(self._module).__name__)

    @property
    def layers(self) -> dict[Kind, list[Layer]]:
        """What has been caught so far, first layer first."""
        layers: dict[Kind, list[Layer]] = {}
        for (kind, _), layer in sorted(self._layers.items(), key=lambda item: item[0][1]):
            layers.setdefault(kind, []).append(layer)
        return layers

    def catch(self, module: nn.Module, layer: LazyLayer, *, causal: bool) -> None:
        """Keep one call of an attention layer. Called by attention functions, before they compute.

        Raises
        ------
        Cancelled
            If the job was cancelled.
        """
        kind: Kind = "cross" if module in self._cross else "decoder" if causal else "encoder"
        # By order of the calls and not by module: ALBERT calls one module for all its layers.
        place = kind, next(self._ordinals.setdefault(kind, count()))
        self._layers[place] = self._appended(place, layer) if self._append and kind != "encoder" else layer
        self._n_calls += 1
        self._job.cancel.check()
        if self._n_layers_hint:
            self._job.report(Progress("running", min(1.0, self._n_calls / self._n_layers_hint)))

    def _begin_pass(self, *_: object) -> None:
        self._n_calls, self._ordinals = 0, {}
        if not self._append:
            self._layers = {}

    def _appended(self, place: tuple[Kind, int], layer: LazyLayer) -> LazyLayer:
        """The layer of all steps so far and this one."""
        earlier = self._layers.get(place)
        queries, keys = self._grown.setdefault(place, (_Growing(), _Growing()))
        (sight,) = layer.sights
        if place[0] == "cross":  # the keys are the source's, the same at each step
            key = layer.key if not isinstance(earlier, LazyLayer) else earlier.key
            sight = sight.moved(queries=queries.length, keys=0)
        else:
            n_new = layer.key.shape[2] if earlier is None else layer.query.shape[2]
            key = keys.append(layer.key[:, :, -n_new:])
            sight = as_rule(sight.moved(queries=queries.length, keys=keys.length - layer.key.shape[2]))
        sights = joined(earlier.sights if isinstance(earlier, LazyLayer) else (), sight)
        return replace(layer, query=queries.append(layer.query), key=key, sights=sights)


class _Growing:
    """Rows collected along the token axis.

    New rows are copied behind the old ones, into spare room: a slice of a model's cache would keep every step's whole
    cache alive, and what was handed out before is never touched.
    """

    def __init__(self) -> None:
        self.length = 0
        self._buffer: Tensor | None = None

    @torch.inference_mode()
    def append(self, rows: Tensor) -> Tensor:
        """All rows so far and these: (batch, n_heads, length, d_head)."""
        length = self.length + rows.shape[2]
        if self._buffer is None or length > self._buffer.shape[2]:
            roomier = rows.new_empty((*rows.shape[:2], length + max(length // 2, 32), rows.shape[3]))
            if self._buffer is not None:
                roomier[:, :, : self.length] = self._buffer[:, :, : self.length]
            self._buffer = roomier
        self._buffer[:, :, self.length : length] = rows
        self.length = length
        return self._buffer[:, :, :length]
