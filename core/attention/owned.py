"""What a record keeps is its own: nothing that a model or anybody else can change in place later, and no module.

Queries, keys and most masks are made by a pass for itself and are kept as they are. Some of what attention layers are given is not:
parameters and views of them (learned queries, sinks), tables and buffers that a model keeps from pass to pass. Those are copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from headscope.core.attention.layers import Layer, LazyLayer
from headscope.core.jobs import Kind
from headscope.core.models.device import free_memory

Place = tuple[Kind, int]
"""Which layer it is: its kind, and its number among those of its kind."""
Own = Callable[[Tensor], Tensor]
"""Gives a tensor back as it is, or a copy of it."""
_SHARE = 8
"""A copy of all output projections may take one part in so many of the memory that is free."""
_OUTPUT_WEIGHTS: WeakKeyDictionary[nn.Module, Tensor] = WeakKeyDictionary()
"""Of each output projection the latest copy, which all records share that were taken while its weights were these."""


def owning(module: nn.Module) -> Own:
    """A function that copies what lies in memory of `module`'s own, once for all layers that share it."""
    addresses = {address for part in module.modules() for tensor in _tensors(part) if (address := _address(tensor))}
    copies: dict[int, tuple[Tensor, Tensor]] = {}  # the original is kept too: else its id could become another's

    def own(tensor: Tensor) -> Tensor:
        if _address(tensor) not in addresses:
            return tensor
        if id(tensor) not in copies:
            copies[id(tensor)] = tensor, tensor.detach().clone()
        return copies[id(tensor)][1]

    return own


def _tensors(part: nn.Module) -> Iterator[Tensor]:
    """Parameters, buffers, and what a module keeps beside them: tables and caches, also in lists and mappings."""
    for held in (part._parameters, part._buffers, vars(part)):
        for value in held.values():
            if isinstance(value, Tensor):
                yield value
            elif isinstance(value, (list, tuple, dict)):
                inner = value.values() if isinstance(value, dict) else value
                yield from (each for each in inner if isinstance(each, Tensor))


def _address(tensor: Tensor) -> int:
    """Of its memory; 0 if it has none of its own kind (offloaded, packed)."""
    try:
        return tensor.untyped_storage().data_ptr()
    except (RuntimeError, NotImplementedError):
        return 0


def settings_of(module: nn.Module) -> SimpleNamespace:
    """What a model file's attention function can read of its module, frozen: numbers, switches, and copies of its own tensors (sinks)."""
    plain = {name: value for name, value in vars(module).items() if value is None or isinstance(value, (int, float, str))}
    return SimpleNamespace(**(plain | frozen_options({**module._parameters, **module._buffers})))


def frozen_options(options: Mapping[str, Any]) -> dict[str, Any]:
    """The same with copies of the tensors (sinks are parameters)."""
    return {name: value.detach().clone() if isinstance(value, Tensor) else value for name, value in options.items()}


def with_output_weights(layers: Mapping[Place, Layer]) -> dict[Place, Layer]:
    """The layers with the weights that read their heads, in the place of the modules that have them."""
    read = {place: part for place, layer in layers.items() if isinstance(layer, LazyLayer) and (part := layer.projection)}
    weights = _output_weights(read.values())
    return {
        place: replace(layer, reader=None, output_weights=weights.get(read[place]))
        if isinstance(layer, LazyLayer) and place in read
        else layer
        for place, layer in layers.items()
    }


@torch.inference_mode()
def _output_weights(projections: Iterable[nn.Module]) -> dict[nn.Module, Tensor]:
    """Copies of output projections' weights as they are now: (n_heads · d_value, d_model) each.

    Without those that are not plain linear layers at hand (packed, offloaded, with an adapter), and empty where a copy of all would
    take much of the memory that is free.
    """
    found = {part: weight for part in dict.fromkeys(projections) if (weight := _weight(part)) is not None}
    news = {part: weight for part, weight in found.items() if not _is_kept(part, weight)}
    if news:
        needed, device = sum(weight.nbytes for weight in news.values()), next(iter(news.values())).device
        if needed * _SHARE > free_memory(device):
            return {}
        for part, weight in news.items():
            _OUTPUT_WEIGHTS[part] = weight.clone()
    return {part: _OUTPUT_WEIGHTS[part] for part in found}


def _weight(part: nn.Module) -> Tensor | None:
    if type(part) is not nn.Linear and type(part).__name__ != "Conv1D":
        return None
    weight: Tensor = part.weight.detach()  # type: ignore[operator]
    if weight.is_meta or not weight.is_floating_point():
        return None
    return weight.T if type(part) is nn.Linear else weight


def _is_kept(part: nn.Module, weight: Tensor) -> bool:
    kept = _OUTPUT_WEIGHTS.get(part)
    if kept is None or (kept.shape, kept.dtype, kept.device) != (weight.shape, weight.dtype, weight.device):
        return False
    return torch.equal(kept, weight)
