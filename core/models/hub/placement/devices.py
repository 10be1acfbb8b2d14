"""Where a model can run, in which number format, and how much room there is."""

from __future__ import annotations

from typing import Final

import torch

from headscope.core.errors import HeadscopeError
from headscope.core.memory import free_memory
from headscope.core.models.hub.placement.packing import is_packing, packings

_DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}


def devices() -> list[str]:
    """Names `pick_device` takes: "auto", then what is in this computer, the fastest first."""
    found = [f"cuda:{index}" for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("mps")
    if torch.xpu.is_available():
        found += [f"xpu:{index}" for index in range(torch.xpu.device_count())]
    return ["auto", *found, "cpu", "all"]


def dtypes() -> list[str]:
    """Names `pick_dtype` takes: those that work here."""
    return ["auto", *_DTYPES, *packings()]


def pick_device(name: str = "auto") -> torch.device:
    """The device called `name`; "auto" is the first of CUDA, MPS, XPU and CPU that is here, "all" begins with it.

    Raises
    ------
    HeadscopeError
        ``unknown_device``.
    """
    known = devices()
    if name in ("auto", "all"):
        return torch.device(known[1])
    wanted = f"{name}:0" if f"{name}:0" in known else name
    if wanted not in known:
        raise HeadscopeError("unknown_device", name=name, known=", ".join(known))
    return torch.device(wanted)


def pick_dtype(name: str, device: torch.device, n_parameters: int) -> torch.dtype:
    """The number format called `name`; "auto" is float32 where it fits well, else bfloat16.

    "Well" leaves as much room again for the pass and the record. For packed weights (int8, int4): what is computed in.

    Raises
    ------
    HeadscopeError
        ``unknown_dtype``, ``needs_library``.
    """
    if name == "auto" or is_packing(name):
        return torch.float32 if 4 * n_parameters <= free_memory(device) / 2 else torch.bfloat16
    if name not in _DTYPES:
        raise HeadscopeError("unknown_dtype", name=name, known=", ".join(dtypes()))
    return _DTYPES[name]
