"""Models that are larger than one device: layers on several accelerators, in the computer's memory, on the disk.

accelerate's hooks carry the activations from layer to layer. A layer that waits in memory or on the disk is brought to the
first device for the moment of its pass, so it is slow and nothing else changes.
"""

from __future__ import annotations

import shutil
import tempfile
import weakref
from typing import Any, Final

import torch
from torch import nn

from headscope.core.memory import free_memory
from headscope.core.models.hub import compat
from headscope.core.models.hub.placement.devices import pick_device

_SHARE: Final = 0.8
"""Of the free memory of each device for weights; the rest is for passes and records."""


def room_everywhere(*, accelerators_only: bool = False) -> dict[int | str, int]:
    """Bytes for weights on each device, by the names that accelerate gives them; the disk takes what is left over."""
    fastest = pick_device()
    room: dict[int | str, int] = {}
    if fastest.type in ("cuda", "xpu"):
        count = getattr(torch, fastest.type).device_count()
        room = {index: int(_SHARE * free_memory(torch.device(fastest.type, index))) for index in range(count)}
    if fastest.type != "mps" and not (room and accelerators_only):  # an Apple GPU has no memory of its own
        room["cpu"] = int(_SHARE * free_memory(torch.device("cpu")))
    return room or {"mps": int(_SHARE * free_memory(fastest))}


def spread_options(room: dict[int | str, int]) -> dict[str, Any]:
    """What `from_pretrained` has to be told, with a folder for weights that do not lie on the disk as they are needed."""
    compat.OFFLOADED.get()
    return {"device_map": "auto", "max_memory": room, "offload_folder": tempfile.mkdtemp(prefix="headscope-")}


def forget_with(module: nn.Module, options: dict[str, Any]) -> None:
    """Delete that folder when the module goes."""
    if folder := options.get("offload_folder"):
        weakref.finalize(module, shutil.rmtree, folder, ignore_errors=True)


def let_go(module: nn.Module) -> None:
    """Undo what makes the module and accelerate's hooks hold on to each other, so that it goes as soon as nobody wants it."""
    compat.OFFLOADED.get()(module)
    for part in module.modules():
        vars(part).pop("forward", None)  # the class's own, put back where the hook's was


def places_of(module: Any) -> tuple[str, ...]:
    """Where a module's layers are, in their order: ("cuda:0", "cpu", "disk"); one place for most."""
    spread = compat.places(module)
    named = [f"{pick_device().type}:{place}" if isinstance(place, int) else str(place) for place in spread.values()]
    return tuple(dict.fromkeys(named)) if len(set(named)) > 1 or "disk" in named else (str(next(module.parameters()).device),)
