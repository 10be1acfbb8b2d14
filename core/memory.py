"""What memory is free, and what happens when there is not enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import psutil
import torch
from torch import nn

from headscope.core.errors import HeadscopeError, readable_bytes

_OUT_OF_MEMORY: Final = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def input_device(module: nn.Module) -> torch.device:
    """Where a module takes its ids: with its first weights, or, if those wait in memory or on the disk, where they are used."""
    first = next(module.parameters()).device
    if first.type != "meta":
        return first
    places: dict[str, int | str] = getattr(module, "hf_device_map", {})
    used = [place for place in places.values() if place not in ("cpu", "disk")]
    return torch.device(used[0] if used else "cpu")


def free_memory(device: torch.device) -> int:
    """Bytes that can be taken on `device` now."""
    if device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    if device.type == "xpu":
        return torch.xpu.mem_get_info(device)[0]
    return int(psutil.virtual_memory().available)


def has_capacity(device: torch.device, needed: int) -> bool:
    """Whether `device`, with nothing else on it, holds so many bytes."""
    if device.type in ("cuda", "xpu"):
        return needed <= int(getattr(torch, device.type).mem_get_info(device)[1])
    return needed <= int(psutil.virtual_memory().total)


def check_room(code: str, needed: int, device: torch.device, **parameters: Any) -> None:
    """Raise HeadscopeError(`code`) if `needed` bytes are not free on `device`; before they are taken, not after."""
    free = free_memory(device)
    if needed > free:
        raise HeadscopeError(code, needed=readable_bytes(needed), free=readable_bytes(free), **parameters)


def is_out_of_memory(error: BaseException) -> bool:
    """Whether this is one of the ways in which torch says that memory ran out."""
    words = str(error).lower()
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or any(part in words for part in _OUT_OF_MEMORY)


@contextmanager
def out_of_memory_reported(device: torch.device) -> Iterator[None]:
    """Raise HeadscopeError(``out_of_memory``) if memory runs out inside; what was taken for nothing is given back."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if not is_out_of_memory(error):
            raise
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        raise HeadscopeError("out_of_memory", device=str(device), details=str(error)) from None
