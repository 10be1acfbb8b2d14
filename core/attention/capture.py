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
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor, nn

from headscope.core.attention.intervene import edited_output, with_edits
from headscope.core.attention.layers import Layer, LazyLayer
from headscope.core.attention.record import AttentionRecord
from headscope.core.attention.sights import Sight, as_rule, joined
from headscope.core.intervention import Intervention
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
    call: Call | None = None
    if recorder is not None:
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        sight = Sight(range(query.shape[2]), range(key.shape[2]), causal=triangle, mask=attention_mask, bias=bias)
        call = recorder.catch(module, LazyLayer(query, key, scale, (sight,), value=value), causal=causal)
    if bias is not None:
        attention_mask, triangle = _biased(bias, attention_mask, triangle=triangle), False
    groups = query.shape[1] // key.shape[1]
    if groups > 1 and attention_mask is not None:  # with a mask the fused kernels do not share keys between heads
        key, value, groups = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1), 1
    output = F.scaled_dot_product_attention(
        query, key, value, attention_mask, dropout, is_causal=triangle, scale=scaling, enable_gqa=groups > 1
    )
    output = output.transpose(1, 2).contiguous()
    return output if recorder is None or call is None else recorder.passed_on(call, output), None


def is_causal_call(module: nn.Module, is_causal: bool | None) -> bool:
    """As transformers decides it: the argument, else the module's attribute, else True."""
    return bool(getattr(module, "is_causal", True) if is_causal is None else is_causal)


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


@dataclass(frozen=True, slots=True)
class Call:
    """One call of an attention layer.

    Attributes
    ----------
    kind, index : Kind, int
        Which layer it is; `index` counts the layers of a kind.
    layer : LazyLayer
        What it was given, part of the autograd graph if there is one.
    first_query, first_key : int
        Where its queries and keys stand in the text: in generation with a cache not at 0.
    """

    kind: Kind
    index: int
    layer: LazyLayer
    first_query: int
    first_key: int


class Recorder:
    """Collects what `attend` catches while a model runs in this thread, and changes it where an intervention says so.

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
    intervention : Intervention, optional
        What to change; the records show the weights that were used.
    keep_values : bool
        Also keep the layers' values, and find their output projections (`LazyLayer.projection`).
    keep_outputs : bool
        Also keep the heads' outputs of the last pass, see `outputs`.
    """

    def __init__(
        self,
        module: nn.Module,
        *,
        append: bool = False,
        job: Job | None = None,
        n_layers_hint: int | None = None,
        intervention: Intervention | None = None,
        keep_values: bool = False,
        keep_outputs: bool = False,
    ) -> None:
        self._module = module
        self._append = append
        self._job = job or Job()
        self._n_layers_hint = n_layers_hint
        self._intervention = intervention or Intervention()
        self._keep_values = keep_values
        self._keep_outputs = keep_outputs
        self._cross = frozenset(
            part for name, part in module.named_modules() if _CROSS.search(name) or getattr(part, "is_cross_attention", False)
        )
        self._n_calls = 0
        self._ordinals: dict[Kind, int] = {}
        self._read: dict[tuple[Kind, int], int] = {}
        self._layers: dict[tuple[Kind, int], Layer] = {}
        self._grown: dict[tuple[Kind, int], tuple[_Growing, _Growing, _Growing]] = {}
        self._outputs: dict[tuple[Kind, int], Tensor] = {}
        self._unread: tuple[Kind, int, int] | None = None

    @contextmanager
    def recording(self) -> Iterator[Recorder]:
        """Catch the attention of forwards inside this block, in this thread."""
        hooks = [self._module.register_forward_pre_hook(self._begin_pass)]
        if self._keep_values:
            hooks += [
                part.register_forward_pre_hook(self._look_for_projection) for part in self._module.modules() if _is_linear(part)
            ]
        token = _active.set(self)
        try:
            yield self
        finally:
            _active.reset(token)
            for hook in hooks:
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
        for (kind, index), layer in sorted(self._layers.items(), key=lambda item: item[0][1]):
            layers.setdefault(kind, []).append(with_edits(layer, self._intervention.at(kind, index)))
        return layers

    @property
    def outputs(self) -> dict[Kind, list[Tensor]]:
        """Of the last pass, if `keep_outputs`: each layer's heads' outputs α·v, (batch, n_queries, n_heads, d_value)."""
        outputs: dict[Kind, list[Tensor]] = {}
        for (kind, _), output in sorted(self._outputs.items(), key=lambda item: item[0][1]):
            outputs.setdefault(kind, []).append(output)
        return outputs

    def next_index(self, kind: Kind) -> int:
        """Which layer of this kind a pass comes to next."""
        return self._ordinals.get(kind, 0)

    def catch(self, module: nn.Module, layer: LazyLayer, *, causal: bool) -> Call:
        """Keep one call of an attention layer. Called by attention functions, before they compute.

        Raises
        ------
        Cancelled
            If the job was cancelled.
        """
        kind: Kind = "cross" if module in self._cross else "decoder" if causal else "encoder"
        # By order of the calls and not by module: ALBERT calls one module for all its layers.
        index = self._ordinals.get(kind, 0)
        self._ordinals[kind] = index + 1
        call = Call(kind, index, layer, *self._located(kind, index, *layer.shape[1:]))
        self._keep(call)
        self._n_calls += 1
        self._job.cancel.check()
        if self._n_layers_hint:
            self._job.report(Progress("running", min(1.0, self._n_calls / self._n_layers_hint)))
        return call

    def passed_on(self, call: Call, output: Tensor) -> Tensor:
        """What the model goes on with instead of a layer's `output`, (batch, n_queries, n_heads, d_value)."""
        if edits := self._intervention.at(call.kind, call.index):
            output = edited_output(call.layer, output, edits, first_query=call.first_query, first_key=call.first_key)
        if self._keep_outputs:
            self._outputs[call.kind, call.index] = output.detach()
        self._unread = (call.kind, call.index, output.untyped_storage().data_ptr())
        return output

    def _located(self, kind: Kind, index: int, n_queries: int, n_keys: int) -> tuple[int, int]:
        """Where a call's first query and key stand in the text."""
        if not self._append or kind == "encoder":
            return 0, 0
        first_query = self._read.get((kind, index), 0)
        read = self._read[kind, index] = first_query + n_queries
        return first_query, 0 if kind == "cross" else read - n_keys

    def _keep(self, call: Call) -> None:
        place, layer = (call.kind, call.index), call.layer.detached()
        if not self._keep_values:
            layer = replace(layer, value=None)
        self._layers[place] = self._appended(place, layer) if self._append and call.kind != "encoder" else layer

    def _look_for_projection(self, module: nn.Module, args: tuple[Any, ...]) -> None:
        """The linear layer that is given the memory which an attention layer has just filled reads its heads."""
        if self._unread is None or not args or not isinstance(args[0], Tensor):
            return
        kind, index, storage = self._unread
        layer = self._layers[kind, index]
        if args[0].untyped_storage().data_ptr() == storage and isinstance(layer, LazyLayer):
            self._layers[kind, index] = replace(layer, projection=module)
            self._unread = None

    def _begin_pass(self, *_: object) -> None:
        self._n_calls, self._ordinals, self._outputs, self._unread = 0, {}, {}, None
        if not self._append:
            self._layers = {}

    def _appended(self, place: tuple[Kind, int], layer: LazyLayer) -> LazyLayer:
        """The layer of all steps so far and this one."""
        earlier = self._layers.get(place)
        queries, keys, values = self._grown.setdefault(place, (_Growing(), _Growing(), _Growing()))
        (sight,), value = layer.sights, layer.value
        if place[0] == "cross":  # the keys are the source's, the same at each step
            key, value = (layer.key, value) if not isinstance(earlier, LazyLayer) else (earlier.key, earlier.value)
            sight = sight.moved(queries=queries.length, keys=0)
        else:
            n_new = layer.key.shape[2] if earlier is None else layer.query.shape[2]
            key = keys.append(layer.key[:, :, -n_new:])
            value = None if value is None else values.append(value[:, :, -n_new:])
            sight = as_rule(sight.moved(queries=queries.length, keys=keys.length - layer.key.shape[2]))
        sights = joined(earlier.sights if isinstance(earlier, LazyLayer) else (), sight)
        return replace(layer, query=queries.append(layer.query), key=key, value=value, sights=sights)


def _is_linear(module: nn.Module) -> bool:
    """Also GPT-2's Conv1D, which is a linear layer with its weights turned."""
    return isinstance(module, nn.Linear) or type(module).__name__ == "Conv1D"


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
