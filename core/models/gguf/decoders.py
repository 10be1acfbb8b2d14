"""Decoders whose layers have one feed-forward part: Llama, Qwen, Gemma, Phi, …"""

from __future__ import annotations

from typing import Final

from headscope.core.models.gguf import changes
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.gguf.kinds import (
    DECODER_NAMES,
    HEAD_NORM_NAMES,
    Kind,
    Settings,
    decoder_settings,
    has_bias,
    layer_norm,
    only_default_head_dim,
    rms,
)

ROTARY_CHANGES: Final = {"blk.{}.attn_q": changes.rotary_queries, "blk.{}.attn_k": changes.rotary_keys}


def _llama(keys: Keys) -> Settings:
    bias = {"attention_bias": has_bias(keys, "attn_q"), "mlp_bias": has_bias(keys, "ffn_up")}
    return {**decoder_settings(keys), **rms(keys), **bias}


def _granite(keys: Keys) -> Settings:
    scales = {
        "embedding_multiplier": keys.number("embedding_scale", 1.0),
        "residual_multiplier": keys.number("residual_scale", 1.0),
        "attention_multiplier": keys.number("attention.scale", keys.size("rope.dimension_count") ** -0.5),
        "logits_scaling": keys.number("logit_scale", 1.0),
    }
    return {**only_default_head_dim(keys, _llama(keys)), **scales}


def _qwen2(keys: Keys) -> Settings:
    return {**only_default_head_dim(keys, decoder_settings(keys)), **rms(keys)}


def _qwen3(keys: Keys) -> Settings:
    return {**decoder_settings(keys), **rms(keys), "attention_bias": has_bias(keys, "attn_q")}


def _gemma(keys: Keys) -> Settings:
    return {**decoder_settings(keys), **rms(keys), "hidden_activation": "gelu_pytorch_tanh"}


_LARGE: Final = {"gemma2": 46, "gemma3": 62}
"""The layers of the one size of each, 27B, that divides queries by another number; llama.cpp tells it so too."""


def _query_scalar(keys: Keys, settings: Settings) -> int:
    large = settings["num_hidden_layers"] == _LARGE[keys.architecture]
    return int(settings["hidden_size"] // settings["num_attention_heads"] if large else settings["head_dim"])


def _gemma2(keys: Keys) -> Settings:
    settings = _gemma(keys)
    return {
        **settings,
        "query_pre_attn_scalar": _query_scalar(keys, settings),
        "attn_logit_softcapping": keys.number("attn_logit_softcapping", 50.0),
        "final_logit_softcapping": keys.number("final_logit_softcapping", 30.0),
        "sliding_window": keys.integer("attention.sliding_window", 4096, least=1),
        "layer_types": layer_types(settings["num_hidden_layers"], 2),
    }


def _gemma3(keys: Keys) -> Settings:
    settings = _gemma(keys)
    full = settings["rope_parameters"]
    local = {"rope_type": "default", "rope_theta": keys.number("rope.freq_base_swa", 10000.0)}
    window = keys.integer("attention.sliding_window", 0)
    n_layers = settings["num_hidden_layers"]
    return {
        **settings,
        "rope_parameters": {"full_attention": full, "sliding_attention": local},
        "query_pre_attn_scalar": _query_scalar(keys, settings),
        "final_logit_softcapping": keys.number("final_logit_softcapping") if keys.has("final_logit_softcapping") else None,
        "sliding_window": window or None,
        "layer_types": layer_types(n_layers, keys.integer("attention.sliding_window_pattern", 6, least=1) if window else 1),
    }


def layer_types(n_layers: int, period: int) -> list[str]:
    """The last of each `period` layers looks at everything."""
    return ["full_attention" if (layer + 1) % period == 0 else "sliding_attention" for layer in range(n_layers)]


def _phi3(keys: Keys) -> Settings:
    settings = only_default_head_dim(keys, decoder_settings(keys, partial=True))
    rope = settings["rope_parameters"]
    original = keys.integer("rope.scaling.original_context_length", settings["max_position_embeddings"], least=1)
    if rope["rope_type"] == "default":
        keys.expect("rope.scaling.attn_factor", 1.0, but="no_factors")
    return {
        **settings,
        **rms(keys),
        "original_max_position_embeddings": original,
        "sliding_window": keys.integer("attention.sliding_window", 0) or None,
    }


def _stablelm(keys: Keys) -> Settings:
    return {
        **only_default_head_dim(keys, decoder_settings(keys, partial=True)),
        **layer_norm(keys, "layer_norm_eps"),
        "use_qkv_bias": has_bias(keys, "attn_q"),
        "qk_layernorm": keys.has_tensor("blk.0.attn_q_norm.weight"),
        "use_parallel_residual": keys.flag("use_parallel_residual", not keys.has_tensor("blk.0.ffn_norm.weight")),
    }


def _starcoder2(keys: Keys) -> Settings:
    settings = only_default_head_dim(keys, decoder_settings(keys))
    return {**settings, **layer_norm(keys, "norm_epsilon"), "use_bias": has_bias(keys, "attn_q"), "sliding_window": None}


def _nemotron(keys: Keys) -> Settings:
    bias = {"attention_bias": has_bias(keys, "attn_q"), "mlp_bias": has_bias(keys, "ffn_up")}
    keys.number("attention.layer_norm_rms_epsilon", 0)  # the same number again
    return {**decoder_settings(keys, partial=True), **layer_norm(keys, "norm_eps"), **bias}


def _command_r(keys: Keys) -> Settings:
    return {
        **only_default_head_dim(keys, decoder_settings(keys)),
        **layer_norm(keys, "layer_norm_eps"),
        "logit_scale": keys.number("logit_scale"),
        "use_qk_norm": keys.has_tensor("blk.0.attn_q_norm.weight"),
    }


_NORMS: Final = (
    "output_norm",
    "blk.{}.attn_norm",
    "blk.{}.ffn_norm",
    "blk.{}.post_attention_norm",
    "blk.{}.post_ffw_norm",
    "blk.{}.attn_q_norm",
    "blk.{}.attn_k_norm",
)
_FROM_ONE: Final = {f"{name}.weight": changes.minus_one for name in _NORMS}
_FOUR_NORMS: Final = DECODER_NAMES | {
    "blk.{}.post_attention_norm": "model.layers.{}.post_attention_layernorm",
    "blk.{}.ffn_norm": "model.layers.{}.pre_feedforward_layernorm",
    "blk.{}.post_ffw_norm": "model.layers.{}.post_feedforward_layernorm",
}
_PHI3_NAMES: Final = {
    name: to for name, to in DECODER_NAMES.items() if not name.endswith(("_q", "_k", "_v", "_gate", "_up"))
} | {
    "blk.{}.attn_qkv": "model.layers.{}.self_attn.qkv_proj",
    "blk.{}.ffn_up": "model.layers.{}.mlp.gate_up_proj",
}
_STARCODER2_NAMES: Final = {name: to for name, to in DECODER_NAMES.items() if "ffn_gate" not in name} | {
    "blk.{}.ffn_up": "model.layers.{}.mlp.c_fc",
    "blk.{}.ffn_down": "model.layers.{}.mlp.c_proj",
}
_NEMOTRON_NAMES: Final = {name: to for name, to in DECODER_NAMES.items() if "ffn_gate" not in name}

KINDS: Final = {
    "llama": Kind("LlamaForCausalLM", _llama, DECODER_NAMES, ROTARY_CHANGES),
    "granite": Kind("GraniteForCausalLM", _granite, DECODER_NAMES, ROTARY_CHANGES),
    "qwen2": Kind("Qwen2ForCausalLM", _qwen2, DECODER_NAMES),
    "qwen3": Kind("Qwen3ForCausalLM", _qwen3, DECODER_NAMES | HEAD_NORM_NAMES),
    "gemma": Kind("GemmaForCausalLM", _gemma, DECODER_NAMES, _FROM_ONE),
    "gemma2": Kind("Gemma2ForCausalLM", _gemma2, _FOUR_NORMS, _FROM_ONE),
    "gemma3": Kind("Gemma3ForCausalLM", _gemma3, _FOUR_NORMS | HEAD_NORM_NAMES, _FROM_ONE),
    "phi3": Kind("Phi3ForCausalLM", _phi3, _PHI3_NAMES),
    "stablelm": Kind("StableLmForCausalLM", _stablelm, DECODER_NAMES),
    "starcoder2": Kind("Starcoder2ForCausalLM", _starcoder2, _STARCODER2_NAMES),
    "nemotron": Kind("NemotronForCausalLM", _nemotron, _NEMOTRON_NAMES, _FROM_ONE),
    "command-r": Kind("CohereForCausalLM", _command_r, DECODER_NAMES | HEAD_NORM_NAMES),
}
