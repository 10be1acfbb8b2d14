"""Writing transformers models into GGUF files as llama.cpp's converter does, so that what is read can be compared with them.

This is the outsider of the tests: its tables go from transformers' names to the file's through the `gguf` package's own map,
and its values follow llama.cpp's `conversion` folder, not our reader.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import torch
from gguf.quants import quantize

LETTERS = [chr(number) for number in range(33, 127)]
TOKENS = ["<unk>", "<s>", "</s>", "Ġ", *LETTERS, "th"]
Tensors = dict[str, np.ndarray]


def write_model(
    path: Path,
    model: Any,
    architecture: str,
    *,
    tensors: Tensors | None = None,
    packed: gguf.GGMLQuantizationType | None = None,
    **changed: Any,
) -> Path:
    """Write `model`; `changed` sets keys of the architecture (None leaves one out), `tensors` replaces what is converted."""
    writer = gguf.GGUFWriter(path, architecture)
    for name, value in {**keys_of(model.config, architecture), **changed}.items():
        if value is not None:
            add_value(writer, name.replace("__", "."), value, architecture)
    add_tokenizer(writer, model.config.vocab_size)
    for name, weights in (converted(model, architecture) if tensors is None else tensors).items():
        add_tensor(writer, name, weights, packed)
    return finish(writer, path)


def finish(writer: gguf.GGUFWriter, path: Path) -> Path:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def copy_keys(
    source: gguf.GGUFReader, writer: gguf.GGUFWriter, drop: Callable[[str], bool] = lambda _: False, but: Any = ()
) -> None:
    """Write the keys of another file, without those that are to be dropped, and without those in `but`."""
    for name, field in source.fields.items():
        is_set = name in but or name.removeprefix("llama.") in but
        if name.startswith("GGUF.") or name == "general.architecture" or is_set or drop(name):
            continue
        kind = field.types[0]
        writer.add_key_value(name, field.contents(), kind, field.types[-1] if len(field.types) > 1 else None)


def add_value(writer: gguf.GGUFWriter, name: str, value: Any, architecture: str) -> None:
    full = (
        name
        if "." in name and name.split(".")[0] in ("general", "tokenizer", "split", "quantize")
        else f"{architecture}.{name}"
    )
    kinds = {bool: writer.add_bool, int: writer.add_uint32, float: writer.add_float32, str: writer.add_string}
    kinds.get(type(value), writer.add_array)(full, value)


def add_tensor(writer: gguf.GGUFWriter, name: str, weights: np.ndarray, packed: gguf.GGMLQuantizationType | None) -> None:
    if packed is None or weights.ndim == 1:
        writer.add_tensor(name, np.ascontiguousarray(weights, np.float32))
    else:
        writer.add_tensor(name, quantize(np.ascontiguousarray(weights, np.float32), packed), raw_dtype=packed)


def add_tokenizer(writer: gguf.GGUFWriter, n_tokens: int) -> None:
    """Letters, and as many further words as the model has rows."""
    tokens = [*TOKENS, *(f"word{number}" for number in range(n_tokens - len(TOKENS)))][:n_tokens]
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(["t h"])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)


# ---------------------------------------------------------------- keys
def keys_of(config: Any, architecture: str) -> dict[str, Any]:
    """What the converter writes of a configuration."""

    def first(*names: str) -> Any:
        return next((getattr(config, name) for name in names if getattr(config, name, None) is not None), None)

    keys = {
        "block_count": first("num_hidden_layers", "n_layer"),
        "context_length": first("max_position_embeddings", "n_positions", "seq_length"),
        "embedding_length": first("hidden_size", "n_embd", "d_model"),
        "feed_forward_length": first("intermediate_size", "n_inner", "ffn_hidden_size", "d_ff"),
        "attention.head_count": first("num_attention_heads", "n_head", "num_heads"),
        "attention.head_count_kv": first("num_key_value_heads", "num_kv_heads"),
        "attention.layer_norm_rms_epsilon": first("rms_norm_eps", "norm_eps"),
        "attention.layer_norm_epsilon": first("layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"),
        "expert_count": first("num_local_experts", "num_experts"),
        "expert_used_count": first("num_experts_per_tok"),
        **_rope_keys(config),
    }
    if "head_dim" in config.to_dict() and config.head_dim is not None:
        keys |= {"attention.key_length": config.head_dim, "attention.value_length": config.head_dim}
    return keys | _KEYS.get(architecture, lambda _: {})(config)


def _rope_keys(config: Any) -> dict[str, Any]:
    rope = getattr(config, "rope_parameters", None) or {}
    full = rope.get("full_attention", rope)
    keys: dict[str, Any] = {"rope.freq_base": float(full["rope_theta"])} if "rope_theta" in full else {}
    if "sliding_attention" in rope:
        keys["rope.freq_base_swa"] = float(rope["sliding_attention"]["rope_theta"])
    kind = full.get("rope_type")
    if kind in ("linear", "yarn"):
        keys |= {"rope.scaling.type": kind, "rope.scaling.factor": float(full["factor"])}
    if kind == "yarn":
        keys["rope.scaling.original_context_length"] = full["original_max_position_embeddings"]
        for key, name in (
            ("yarn_attn_factor", "attention_factor"),
            ("yarn_beta_fast", "beta_fast"),
            ("yarn_beta_slow", "beta_slow"),
        ):
            if full.get(name) is not None:
                keys[f"rope.scaling.{key}"] = float(full[name])
    if kind == "longrope":
        keys["rope.scaling.type"] = "longrope"
    return keys


def _partial(config: Any) -> dict[str, Any]:
    share = config.rope_parameters["partial_rotary_factor"]
    return {"rope.dimension_count": int(share * config.hidden_size) // config.num_attention_heads}


def _llama_keys(config: Any) -> dict[str, Any]:
    dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    return {"vocab_size": config.vocab_size, "rope.dimension_count": dim}


def _phi3_keys(config: Any) -> dict[str, Any]:
    original = config.original_max_position_embeddings
    keys = {
        **_partial(config),
        "rope.scaling.original_context_length": original,
        "attention.sliding_window": config.sliding_window or 0,
    }
    if config.rope_parameters["rope_type"] == "longrope":
        scale = config.max_position_embeddings / original
        keys["rope.scaling.attn_factor"] = math.sqrt(1 + math.log(scale) / math.log(original))
    return keys


def _granite_keys(config: Any) -> dict[str, Any]:
    return {
        **_llama_keys(config),
        "attention.key_length": None,
        "attention.value_length": None,
        "attention.scale": float(config.attention_multiplier),
        "embedding_scale": float(config.embedding_multiplier),
        "residual_scale": float(config.residual_multiplier),
        "logit_scale": float(config.logits_scaling),
    }


def _t5_keys(config: Any) -> dict[str, Any]:
    return {
        "context_length": 512,
        "decoder_block_count": config.num_decoder_layers,
        "attention.key_length": config.d_kv,
        "attention.value_length": config.d_kv,
        "attention.layer_norm_rms_epsilon": config.layer_norm_epsilon,
        "attention.relative_buckets_count": config.relative_attention_num_buckets,
        "decoder_start_token_id": config.decoder_start_token_id,
        "attention.head_count_kv": None,
    }


def _softcap_keys(config: Any) -> dict[str, Any]:
    keys = {"attention.sliding_window": config.sliding_window}
    for name in ("attn_logit_softcapping", "final_logit_softcapping"):
        if getattr(config, name, None) is not None:
            keys[name] = float(getattr(config, name))
    return keys


_KEYS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "llama": _llama_keys,
    "granite": _granite_keys,
    "gemma2": _softcap_keys,
    "gemma3": _softcap_keys,
    "phi3": _phi3_keys,
    "stablelm": lambda config: {**_partial(config), "use_parallel_residual": config.use_parallel_residual},
    "nemotron": lambda config: {
        **_partial(config),
        "attention.layer_norm_epsilon": config.norm_eps,
        "rope.scaling.type": "none",
    },
    "command-r": lambda config: {"logit_scale": float(config.logit_scale), "rope.scaling.type": "none"},
    "qwen2moe": lambda config: {
        "expert_feed_forward_length": config.moe_intermediate_size,
        "expert_shared_feed_forward_length": config.shared_expert_intermediate_size,
    },
    "qwen3moe": lambda config: {"expert_feed_forward_length": config.moe_intermediate_size},
    "gpt-oss": lambda config: {
        "attention.sliding_window": config.sliding_window,
        "expert_feed_forward_length": config.intermediate_size,
    },
    "minimax-m2": lambda config: {
        "expert_feed_forward_length": config.intermediate_size,
        "expert_gating_func": 2,
        "rope.dimension_count": int(config.head_dim * config.rope_parameters.get("partial_rotary_factor", 1.0)),
    },
    "falcon": lambda config: {
        "tensor_data_layout": "jploski",
        "rope.freq_base": None,
        "attention.head_count_kv": config.num_kv_heads if config.new_decoder_architecture or not config.multi_query else 1,
    },
    "bloom": lambda config: {
        "feed_forward_length": 4 * config.hidden_size,
        "context_length": 64,
        "attention.head_count_kv": config.n_head,
    },
    "lfm2": lambda config: {
        "attention.head_count_kv": [config.num_key_value_heads if kind != "conv" else 0 for kind in config.layer_types],
        "shortconv.l_cache": config.conv_L_cache,
        "vocab_size": config.vocab_size,
    },
    "t5": _t5_keys,
}


# ---------------------------------------------------------------- tensors
def converted(model: Any, architecture: str) -> Tensors:
    """The tensors that the converter writes, in float32."""
    kind = next(key for key, name in gguf.MODEL_ARCH_NAMES.items() if name == architecture)
    n_layers = max(
        getattr(model.config, name, 0) or 0 for name in ("num_hidden_layers", "n_layer", "num_layers", "num_decoder_layers")
    )
    names = gguf.get_tensor_name_map(kind, n_layers)
    found: Tensors = {}
    for name, tensor in _untied(model):
        for shaped_name, shaped in _prepared(name, tensor.detach().float().numpy(), model.config, architecture):
            stem, _, end = shaped_name.rpartition(".")
            to = names.get_name(stem)
            assert to is not None, shaped_name
            found[f"{to}.{end}"] = np.ascontiguousarray(shaped)
    return found | _factors(model.config, architecture)


def _untied(model: Any) -> Iterator[tuple[str, torch.Tensor]]:
    seen: set[int] = set()
    for name, tensor in model.state_dict(keep_vars=True).items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            yield name, tensor


def _prepared(name: str, weights: np.ndarray, config: Any, architecture: str) -> Iterator[tuple[str, np.ndarray]]:
    if architecture in ("llama", "granite") and ".q_proj." in name:
        weights = _permuted(weights, config.num_attention_heads)
    if architecture in ("llama", "granite") and ".k_proj." in name:
        weights = _permuted(weights, config.num_key_value_heads)
    if architecture.startswith(("gemma", "nemotron")) and name.endswith("norm.weight"):
        weights = weights + 1
    if architecture == "gpt2" and name.endswith((".c_attn.weight", ".c_proj.weight", ".c_fc.weight")):
        weights = weights.T
    if architecture == "bloom":
        name = name.removeprefix("transformer.")
        if "query_key_value" in name:
            parts = weights.reshape(config.n_head, 3, -1, *weights.shape[1:])
            weights = np.concatenate([parts[:, part].reshape(-1, *weights.shape[1:]) for part in range(3)])
    if architecture == "falcon" and "query_key_value" in name:
        weights = _falcon_qkv(weights, config)
    if architecture == "lfm2" and "conv.conv" in name:
        weights = weights.squeeze(1)
    if "experts." in name or "sinks" in name or "e_score" in name:
        yield from _expert_parts(name, weights, architecture)
    else:
        yield name, weights


def _permuted(weights: np.ndarray, n_heads: int) -> np.ndarray:
    return (
        weights.reshape(n_heads, 2, weights.shape[0] // n_heads // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)
    )


def _falcon_qkv(weights: np.ndarray, config: Any) -> np.ndarray:
    n_heads = config.num_attention_heads
    n_groups = config.num_kv_heads if config.new_decoder_architecture or not config.multi_query else 1
    head_dim = config.hidden_size // n_heads
    qkv = weights.reshape(n_groups, n_heads // n_groups + 2, head_dim, head_dim * n_heads)
    queries = qkv[:, :-2].reshape(n_heads * head_dim, -1)
    keys, values = (qkv[:, part].reshape(n_groups * head_dim, -1) for part in (-2, -1))
    return np.concatenate((queries, keys, values))


def _expert_parts(name: str, weights: np.ndarray, architecture: str) -> Iterator[tuple[str, np.ndarray]]:
    stem = name.replace("gate_up_proj_bias", "{}_proj.bias").replace("gate_up_proj", "{}_proj.weight")
    if architecture == "gpt-oss":
        stem = stem.replace("down_proj_bias", "down_proj.bias")
        weights = weights.swapaxes(1, 2) if weights.ndim == 3 else weights
        if "{}" in stem:
            axis = 1
            yield stem.format("gate"), weights.take(range(0, weights.shape[axis], 2), axis)
            yield stem.format("up"), weights.take(range(1, weights.shape[axis], 2), axis)
            return
    elif "{}" in stem:
        half = weights.shape[1] // 2
        yield stem.format("gate"), weights[:, :half]
        yield stem.format("up"), weights[:, half:]
        return
    if "e_score_correction" in stem:
        stem = stem.replace("_bias", ".bias")
    if not stem.endswith((".weight", ".bias")):
        stem = f"{stem}.weight"
    yield stem, weights


def _factors(config: Any, architecture: str) -> Tensors:
    rope = getattr(config, "rope_parameters", None) or {}
    if architecture == "phi3" and rope.get("rope_type") == "longrope":
        return {f"rope_factors_{which}.weight": np.array(rope[f"{which}_factor"], np.float32) for which in ("long", "short")}
    if rope.get("rope_type") == "llama3":
        dim = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        return {"rope_freqs.weight": llama3_factors(rope, dim)}
    return {}


def llama3_factors(rope: dict[str, Any], dim: int) -> np.ndarray:
    """What `rope_freqs.weight` holds: llama.cpp's conversion/llama.py, in float32 as there."""
    low, high, factor = rope["low_freq_factor"], rope["high_freq_factor"], rope["factor"]
    original = rope["original_max_position_embeddings"]
    factors = []
    for frequency in 1.0 / (rope["rope_theta"] ** (torch.arange(0, dim, 2, dtype=torch.float32) / dim)):
        wavelength = 2 * math.pi / frequency
        if wavelength < original / high:
            factors.append(1.0)
        elif wavelength > original / low:
            factors.append(factor)
        else:
            smooth = (original / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return torch.tensor(factors, dtype=torch.float32).numpy()
