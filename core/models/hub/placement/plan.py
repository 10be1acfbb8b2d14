"""Where a model's weights go and in which format, decided before they are read: what they take, and what is free where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch

from headscope.core.memory import check_room, has_capacity
from headscope.core.models.hub.checkpoint import Checkpoint
from headscope.core.models.hub.placement.devices import pick_device, pick_dtype
from headscope.core.models.hub.placement.packing import bytes_of, is_packing, settings_for, unpacked_bytes
from headscope.core.models.hub.placement.spread import room_everywhere, spread_options


@dataclass(frozen=True, slots=True)
class Placing:
    """`device` holds the first layers or all, `dtype` is what is computed in, `options` are for `from_pretrained`.

    Without options the weights are read into the computer's memory and then moved.
    """

    device: torch.device
    dtype: torch.dtype
    options: dict[str, Any] = field(default_factory=dict)


def place(weights: Checkpoint, *, device: str, dtype: str, method: str | None, name: str) -> Placing:
    """Decide. With device "auto", layers go to several devices only if no one accelerator holds the model and all memory does;
    with "all" also to the disk, if need be.

    Parameters
    ----------
    method : str or None
        How the checkpoint itself is packed: then it stays so.
    name : str
        What the error calls the model.

    Raises
    ------
    HeadscopeError
        ``unknown_device``, ``unknown_dtype``, ``needs_library``, ``model_too_large``.
    """
    first = pick_device(device)
    computing = pick_dtype(dtype, first, weights.n_parameters)
    packed = method is not None or is_packing(dtype)
    needed = _bytes(weights, dtype, computing, method)
    is_accelerator = first.type not in ("cpu", "mps")
    room = room_everywhere(accelerators_only=packed)
    must = device == "auto" and is_accelerator and not has_capacity(first, needed) and needed <= sum(room.values())
    if must or (device == "all" and (is_accelerator or not packed)):
        options = spread_options(room)
    else:
        check_room("model_too_large", needed, first, model=name)
        options = {"device_map": {"": first}} if packed else {}
    if packed and method is None:
        options["quantization_config"] = settings_for(dtype, computing)
    return Placing(first, computing, options)


def _bytes(weights: Checkpoint, dtype: str, computing: torch.dtype, method: str | None) -> int:
    if method is not None:
        return unpacked_bytes(method, weights.n_bytes)
    if is_packing(dtype):
        return bytes_of(weights.shapes, dtype, computing)
    return weights.n_parameters * computing.itemsize
