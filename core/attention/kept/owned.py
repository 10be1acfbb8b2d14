"""What a record keeps is its own: nothing that a model or anybody else can change in place later, and no module.

Queries, keys and most masks are made by a pass for itself and are kept as they are. Some of what attention layers are given is not:
parameters and views of them (learned queries, sinks), tables and buffers that a model keeps from pass to pass. Those are copied.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace
from typing import Any, Final
from weakref import WeakKeyDictionary

import torch
from torch import Tensor, nn

from headscope.core.attention.hooks import Parts
from headscope.core.attention.kept.layer import Layer, LazyLayer
from headscope.core.memory import free_memory
from headscope.core.vocabulary import Kind

Place = tuple[Kind, int]
"""Which layer it is: its kind, and its number among those of its kind."""
Own = Callable[[Tensor], Tensor]
"""Gives a tensor back as it is, or a copy of it."""
_SHARE = 8
"""A copy of all output projections may take one part in so many of the memory that is free."""
_TORCHS_OWN: Final = tuple(vars(nn.Module()))
"""The names that every part has: its weights, its parts, its hooks."""
_PLAIN: Final = frozenset((bool, int, float, str, type(None)))
_OUTPUT_WEIGHTS: WeakKeyDictionary[nn.Module, Tensor] = WeakKeyDictionary()
"""Of each output projection the latest copy, which all records share that were taken while its weights were these."""


def owning(parts: Parts) -> Own:
    """A function that copies what lies in memory of a model's own, once for all layers that share it."""
    addresses = set(map(_address, _tensors(parts))) - {0}
    copies: dict[int, tuple[Tensor, Tensor]] = {}  # the original is kept too: else its id could become another's

    def own(tensor: Tensor) -> Tensor:
        if _address(tensor) not in addresses:
            return tensor
        if id(tensor) not in copies:
            copies[id(tensor)] = tensor, tensor.detach().clone()
        return copies[id(tensor)][1]

    return own


def _tensors(parts: Parts) -> list[Tensor]:
    """Parameters, buffers, and what a model's parts keep beside them: tables and caches, also in lists and mappings."""
    found: list[Tensor] = []
    for part in parts:
        held = vars(part)
        for tensors in (held["_parameters"], held["_buffers"]):
            found += [tensor for tensor in tensors.values() if tensor is not None]
        for value in _beside(held):
            if type(value) in _PLAIN:
                continue
            if isinstance(value, Tensor):
                found.append(value)
            elif isinstance(value, (list, tuple, dict)):
                inner = value.values() if isinstance(value, dict) else value
                found += [each for each in inner if isinstance(each, Tensor)]
    return found


def _beside(held: dict[str, Any]) -> Iterable[Any]:
    """The values of a part's names without torch's own, which as a rule come first."""
    if tuple(islice(held, len(_TORCHS_OWN))) == _TORCHS_OWN:
        return islice(held.values(), len(_TORCHS_OWN), None)
    return [value for name, value in held.items() if name not in _TORCHS_OWN]


def _address(tensor: Tensor) -> int:
    """Where its memory begins; 0 if it has none of its own kind (offloaded, packed).

    (As `untyped_storage().data_ptr()`, in a tenth of the time.)
    """
    try:
        first = tensor.data_ptr()
        return first - int(tensor.storage_offset()) * tensor.element_size() if first else 0
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
