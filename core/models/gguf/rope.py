"""Rotary positions as a GGUF file describes them, as transformers' `rope_parameters`."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
import torch

from headscope.core.models.gguf.header import Tensor
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.gguf.unpacking import unpacked
from headscope.core.numerics import same_factors, same_scale

_FACTORS: Final = "rope_freqs.weight"
_LONG, _SHORT = "rope_factors_long.weight", "rope_factors_short.weight"
_LLAMA3: Final = {"low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}
"""What every Llama since 3.1 has; llama.cpp's conversion writes only the factors that follow from it."""


def rope_parameters(keys: Keys, head_dim: int, *, partial: bool = False) -> dict[str, Any]:
    """The rotary positions of all layers.

    Parameters
    ----------
    partial : bool
        Whether the model can turn a part of each head only.
    """
    parameters: dict[str, Any] = {"rope_theta": keys.number("rope.freq_base", 10000.0)}
    rotated = keys.size("rope.dimension_count", head_dim)
    if partial:
        parameters["partial_rotary_factor"] = _share(rotated, head_dim)
    elif rotated != head_dim:
        keys.header.refuse("rotated_in_part", n=rotated, n_dimensions=head_dim)
    keys.value("rope.scaling.finetuned")  # a note of how it was trained
    scaled = _scaling(keys)
    factors = _factors(keys, rotated, parameters["rope_theta"])
    if len(scaled) > 1 and len(factors) > 1:
        keys.header.refuse("scaled_twice")
    return parameters | (factors if len(factors) > 1 else scaled)


def _share(rotated: int, head_dim: int) -> float:
    """`rotated` over `head_dim`, such that the whole part of the product is `rotated` again."""
    share = rotated / head_dim
    return share if int(head_dim * share) == rotated else math.nextafter(share, 1.0)


def _scaling(keys: Keys) -> dict[str, Any]:
    """From the keys; llama.cpp takes a factor without a type for a linear one."""
    factor = keys.number("rope.scaling.factor", keys.number("rope.scale_linear", 0.0))
    kind = keys.text("rope.scaling.type", "linear" if factor else "none")
    if factor < 0 or (not factor and kind in ("linear", "yarn")):
        keys.header.refuse("key_is", key="rope.scaling.factor", value=f"{factor:g}")
    if kind == "linear":
        return {"rope_type": "linear", "factor": factor} if factor != 1 else {"rope_type": "default"}
    if kind == "yarn":
        return _yarn(keys, factor)
    if kind == "longrope" and keys.has_tensor(_LONG):
        return {"rope_type": "default"}  # see `_factors`
    if kind != "none":
        keys.header.refuse("scaling_unknown", scaling=kind[:20])
    return {"rope_type": "default"}


def _yarn(keys: Keys, factor: float) -> dict[str, Any]:
    """Peng et al., YaRN, 2023. The two names of the factor on the weights are what conversions of different years wrote."""
    original = keys.integer("rope.scaling.original_context_length", least=1)
    found: dict[str, Any] = {"rope_type": "yarn", "factor": factor, "original_max_position_embeddings": original}
    keys.expect("rope.scaling.yarn_ext_factor", 1.0, but="key_only", known=1)
    keys.expect("rope.scaling.yarn_log_multiplier", 0.0, but="key_only", known=0)
    for name, key in (("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow")):
        if keys.has(f"rope.scaling.{key}"):
            found[name] = keys.number(f"rope.scaling.{key}")
    given = [keys.number(key) for key in ("rope.scaling.yarn_attn_factor", "rope.scaling.attn_factor") if keys.has(key)]
    if given:
        found["attention_factor"] = math.prod(given)
    return found


def _factors(keys: Keys, rotated: int, base: float) -> dict[str, Any]:
    """From the tensors that divide each frequency."""
    if keys.has_tensor(_LONG) or keys.has_tensor(_SHORT):
        original = keys.integer("rope.scaling.original_context_length", least=1)
        return {
            "rope_type": "longrope",
            "long_factor": _read_factors(keys, keys.tensor(_LONG), rotated),
            "short_factor": _read_factors(keys, keys.tensor(_SHORT), rotated),
            "original_max_position_embeddings": original,
            **_longrope_attention(keys.integer("context_length", least=1) / original, original, keys),
        }
    if not keys.has_tensor(_FACTORS):
        return {"rope_type": "default"}
    factors = _read_factors(keys, keys.tensor(_FACTORS), rotated)
    if set(factors) == {1.0}:
        return {"rope_type": "default"}
    llama3 = {"rope_type": "llama3", "factor": max(factors), **_LLAMA3}
    if same_factors(factors, _llama3_factors(llama3, rotated, base)):
        return llama3
    return {  # any factors can be written so: nothing but the frequencies is changed
        "rope_type": "longrope",
        "long_factor": factors,
        "short_factor": factors,
        "original_max_position_embeddings": keys.integer("context_length", least=1),
        "factor": 1.0,
        "attention_factor": 1.0,
    }


def _longrope_attention(factor: float, original: int, keys: Keys) -> dict[str, Any]:
    """The factor on the weights, if it is another than the one that transformers computes itself."""
    given = keys.number("rope.scaling.attn_factor", 1.0)
    default = math.sqrt(1 + math.log(factor) / math.log(original)) if factor > 1 and original > 1 else 1.0
    return {} if same_scale(given, default) else {"attention_factor": given, "factor": factor}


def _read_factors(keys: Keys, tensor: Tensor, rotated: int) -> list[float]:
    factors = unpacked(tensor)
    if factors.shape != (rotated // 2,) or not (np.isfinite(factors) & (factors > 0)).all():
        keys.header.refuse("factors_misfit", tensor=tensor.name, n=rotated // 2)
    return [float(factor) for factor in factors]


def _llama3_factors(parameters: dict[str, Any], rotated: int, base: float) -> list[float]:
    """What llama.cpp's conversion writes for these parameters."""
    frequencies = 1.0 / (base ** (torch.arange(0, rotated, 2, dtype=torch.float32) / rotated)).numpy()
    factor, low, high = parameters["factor"], parameters["low_freq_factor"], parameters["high_freq_factor"]
    original = parameters["original_max_position_embeddings"]
    wavelengths = 2 * math.pi / frequencies
    smooth = np.clip((original / wavelengths - low) / (high - low), 0, 1)
    return [float(each) for each in 1 / ((1 - smooth) / factor + smooth)]
