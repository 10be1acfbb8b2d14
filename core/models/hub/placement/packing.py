"""Weights of 8 and 4 bits: which of the libraries that pack them are here, and what transformers has to be told.

A packed weight is unpacked, in blocks, each time a layer uses it: the model computes in float32 or bfloat16 as ever, with
slightly other weights. What is captured is what this model attends to, not what the unpacked one would.

References
----------
Dettmers et al., LLM.int8(), 2022; Dettmers et al., QLoRA, 2023 (the 4-bit format nf4).
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

from headscope.core.errors import HeadscopeError
from headscope.core.sentences import sentence

if TYPE_CHECKING:
    import torch

_PACKERS: Final = {"int8": ("torchao", "optimum.quanto", "bitsandbytes"), "int4": ("bitsandbytes",)}
"""Best first. bitsandbytes rounds activations to 8 bits too, which is further from the unpacked model; the others do not pack
GPT-2's layers. Their 4 bits take 8 in memory (torchao's, without CUDA) or fail in inference mode (quanto's)."""
_BYTES: Final = {"int8": 1.0, "int4": 0.5625}
"""Of a packed weight, with its share of the scales."""
_LIBRARIES: Final = {
    "awq": "gptqmodel",
    "compressed-tensors": "compressed_tensors",
    "fp_quant": "fp_quant",
    "gptq": "gptqmodel",
    "higgs": "flute",
    "quanto": "optimum.quanto",
    "spqr": "spqr_quant",
}
"""What unpacks a checkpoint's own format, where it is not called as the format is."""
_UNPACKED_BY_TRANSFORMERS: Final = {"fp8": 2, "mxfp4": 4, "mxfp8": 2}
"""Formats of fp8 and Microscaling checkpoints, and how many times as large they are in bfloat16."""


def packings() -> list[str]:
    """ "int8" and "int4", if a library that is installed packs them."""
    return [name for name in _PACKERS if _packer(name) is not None]


def is_packing(dtype: str) -> bool:
    """Whether this is the name of a packed format.

    Raises
    ------
    HeadscopeError
        ``needs_library`` if it is, and nothing here packs it.
    """
    if dtype not in _PACKERS:
        return False
    if _packer(dtype) is None:
        raise HeadscopeError("needs_library", library=_PACKERS[dtype][-1], reason=sentence("format_needs", dtype=dtype))
    return True


def settings_for(dtype: str, computing: torch.dtype) -> Any:
    """transformers' `quantization_config` for a packed format."""
    import transformers

    library = _packer(dtype)
    if library == "torchao":
        return transformers.TorchAoConfig(import_module("torchao.quantization").Int8WeightOnlyConfig())
    if library == "optimum.quanto":
        return transformers.QuantoConfig(weights=dtype)
    if dtype == "int8":
        return transformers.BitsAndBytesConfig(load_in_8bit=True)
    return transformers.BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=computing)


def bytes_of(shapes: Mapping[str, tuple[int, ...]], dtype: str, computing: torch.dtype) -> int:
    """What weights of these shapes take: matrices are packed, embeddings and the output head are not."""
    total = 0.0
    for name, shape in shapes.items():
        count = 1
        for length in shape:
            count *= length
        whole = len(shape) < 2 or any(part in name for part in ("emb", "wte", "wpe", "lm_head"))
        total += count * (computing.itemsize if whole else _BYTES[dtype])
    return int(total)


# ---------------------------------------------------------------- checkpoints that are packed themselves
def method_of(raw: Mapping[str, Any], name: str) -> str | None:
    """How the checkpoint `name` is packed, by its config.json: "gptq", "awq", …; None if it is not.

    Raises
    ------
    HeadscopeError
        ``weights_unsupported`` if MLX packed it, ``config_invalid`` if transformers knows no such way, ``needs_library`` if what unpacks it is not installed.
    """
    settings = raw.get("quantization_config")
    if settings is None and isinstance(raw.get("quantization"), dict):  # how MLX writes it
        raise HeadscopeError("weights_unsupported", path=name, reason=sentence("packed_for_mlx"))
    if not isinstance(settings, dict):
        return None
    packed_by_bnb = settings.get("load_in_8bit") or settings.get("load_in_4bit")
    method = "bitsandbytes" if packed_by_bnb else settings.get("quant_method")
    if not isinstance(method, str) or not any(known.split("_")[0] == method.split("_")[0] for known in _methods()):
        raise HeadscopeError("config_invalid", model=name, reason=sentence("packing_unknown", method=method))
    library = _LIBRARIES.get(method, method)
    if method not in _UNPACKED_BY_TRANSFORMERS and not _is_here(library):
        raise HeadscopeError("needs_library", library=library, reason=sentence("packing_needs", method=method))
    return method


def _methods() -> list[str]:
    from headscope.core.models.hub import compat

    return list(compat.PACKINGS.get())


def _settings_of(module: Any) -> Any:
    from headscope.core.models.hub import compat

    return compat.packing_settings(module)


def unpacked_bytes(method: str, size: int) -> int:
    """What a checkpoint of `size` bytes takes in memory."""
    return size * _UNPACKED_BY_TRANSFORMERS.get(method, 1)


def unpack_at_once(method: str, config: Any) -> None:
    """Have transformers unpack what it can itself: its way of computing in these formats would fetch code from the hub."""
    if method in _UNPACKED_BY_TRANSFORMERS:
        config.quantization_config = {**config.quantization_config, "dequantize": True}


def packing_of(module: Any) -> str | None:
    """The packed format of a transformers model that is in memory: "int8", "int4", …; None if it is not packed.

    torchao and quanto leave GPT-2 as it is, whose layers are none of torch's.
    """
    settings = _settings_of(module)
    if settings is None or getattr(settings, "dequantize", False):
        return None
    if settings.quant_method in ("torchao", "quanto") and not any(map(_is_in_parts, module.parameters())):
        return None
    for bits in (8, 4):
        if getattr(settings, f"load_in_{bits}bit", False) or getattr(settings, "bits", None) == bits:
            return f"int{bits}"
    weights = getattr(settings, "weights", None)
    return weights if isinstance(weights, str) else "int8" if settings.quant_method == "torchao" else str(settings.quant_method)


def packer_of(module: Any) -> str | None:
    """The library that a model of ours is packed by; None if it is not packed."""
    if packing_of(module) is None:
        return None
    method = _settings_of(module).quant_method
    return str(getattr(method, "value", method))


def stored_bytes(weights: torch.Tensor) -> int:
    """What a parameter takes. A packed one of torchao or quanto says what it would take unpacked; its parts know better."""
    if not _is_in_parts(weights):
        return weights.nbytes
    parts, _ = weights.__tensor_flatten__()  # type: ignore[attr-defined]
    return sum(stored_bytes(getattr(weights, part)) for part in parts)


def _is_in_parts(weights: torch.Tensor) -> bool:
    return hasattr(weights, "__tensor_flatten__")


def _packer(dtype: str) -> str | None:
    return next((library for library in _PACKERS[dtype] if _is_here(library)), None)


def _is_here(library: str) -> bool:
    try:
        return find_spec(library) is not None
    except (ImportError, ValueError):  # the package around it is not here; the name is none
        return False
