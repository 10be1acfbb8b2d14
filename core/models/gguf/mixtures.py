"""Decoders whose layers have several experts: Mixtral, Qwen's, gpt-oss, MiniMax-M2."""

from __future__ import annotations

from typing import Final

from headscope.core.models.gguf import changes
from headscope.core.models.gguf.decoders import ROTARY_CHANGES, layer_types
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.gguf.kinds import (
    DECODER_NAMES,
    HEAD_NORM_NAMES,
    Joined,
    Kind,
    Settings,
    decoder_settings,
    has_bias,
    only_default_head_dim,
    rms,
)

_SOFTMAX, _SIGMOID = 1, 2
"""How llama.cpp numbers the functions that choose experts."""


def _experts(keys: Keys, count: str) -> Settings:
    n_experts = keys.size("expert_count")
    return {count: n_experts, "num_experts_per_tok": keys.integer("expert_used_count", least=1, most=n_experts)}


def _expert_width(keys: Keys) -> int:
    """Rows of the first layer's experts; a number beside them must say the same."""
    width = keys.tensor("blk.0.ffn_up_exps.weight").shape[1]
    keys.expect("expert_feed_forward_length", width, but="expert_size", n=width)
    return width


def _mixtral(keys: Keys) -> Settings:
    return {**decoder_settings(keys), **rms(keys), **_experts(keys, "num_local_experts"), "sliding_window": None}


def _qwen2moe(keys: Keys) -> Settings:
    shared = keys.tensor("blk.0.ffn_up_shexp.weight").shape[0]
    keys.expect("expert_shared_feed_forward_length", shared, but="expert_size", n=shared)
    return {
        **only_default_head_dim(keys, decoder_settings(keys)),
        **rms(keys),
        **_experts(keys, "num_experts"),
        "moe_intermediate_size": _expert_width(keys),
        "shared_expert_intermediate_size": shared,
        "qkv_bias": has_bias(keys, "attn_q"),
        "norm_topk_prob": False,
    }


def _qwen3moe(keys: Keys) -> Settings:
    return {
        **decoder_settings(keys),
        **rms(keys),
        **_experts(keys, "num_experts"),
        "moe_intermediate_size": _expert_width(keys),
        "attention_bias": has_bias(keys, "attn_q"),
        "norm_topk_prob": True,
    }


def _gpt_oss(keys: Keys) -> Settings:
    settings = decoder_settings(keys)
    if settings["rope_parameters"]["rope_type"] == "yarn":
        settings["rope_parameters"]["truncate"] = False  # as every model of this kind has it
    keys.expect("expert_feed_forward_length", settings["intermediate_size"], but="expert_size", n=settings["intermediate_size"])
    return {
        **settings,
        **rms(keys),
        **_experts(keys, "num_local_experts"),
        "sliding_window": keys.integer("attention.sliding_window", 128, least=1),
        "layer_types": layer_types(settings["num_hidden_layers"], 2),
        "attention_bias": True,
    }


def _minimax_m2(keys: Keys) -> Settings:
    settings = decoder_settings(keys, partial=True)
    keys.expect("expert_gating_func", _SIGMOID, but="expert_gating")
    keys.expect("expert_feed_forward_length", settings["intermediate_size"], but="expert_size", n=settings["intermediate_size"])
    return {**settings, **rms(keys), **_experts(keys, "num_local_experts")}


_ROUTED: Final = {name: to for name, to in DECODER_NAMES.items() if not name.endswith(("ffn_gate", "ffn_up", "ffn_down"))} | {
    "blk.{}.ffn_gate_inp": "model.layers.{}.mlp.gate",
}
_EXPERTS: Final[Joined] = {
    "model.layers.{}.mlp.experts.gate_up_proj": (
        ("blk.{}.ffn_gate_exps.weight", "blk.{}.ffn_up_exps.weight"),
        changes.one_above_another,
    ),
    "model.layers.{}.mlp.experts.down_proj": (("blk.{}.ffn_down_exps.weight",), changes.unchanged),
}
_SHARED: Final = {
    "blk.{}.ffn_gate_inp_shexp": "model.layers.{}.mlp.shared_expert_gate",
    "blk.{}.ffn_gate_shexp": "model.layers.{}.mlp.shared_expert.gate_proj",
    "blk.{}.ffn_up_shexp": "model.layers.{}.mlp.shared_expert.up_proj",
    "blk.{}.ffn_down_shexp": "model.layers.{}.mlp.shared_expert.down_proj",
}
_GPT_OSS_NAMES: Final = {name: to for name, to in _ROUTED.items() if not name.endswith(("ffn_norm", "ffn_gate_inp"))} | {
    "blk.{}.post_attention_norm": "model.layers.{}.post_attention_layernorm",
    "blk.{}.ffn_gate_inp": "model.layers.{}.mlp.router",
}
_GPT_OSS_EXPERTS: Final[Joined] = {
    "model.layers.{}.self_attn.sinks": (("blk.{}.attn_sinks.weight",), changes.unchanged),
    "model.layers.{}.mlp.experts.gate_up_proj": (
        ("blk.{}.ffn_gate_exps.weight", "blk.{}.ffn_up_exps.weight"),
        changes.interleaved_columns,
    ),
    "model.layers.{}.mlp.experts.gate_up_proj_bias": (
        ("blk.{}.ffn_gate_exps.bias", "blk.{}.ffn_up_exps.bias"),
        changes.interleaved,
    ),
    "model.layers.{}.mlp.experts.down_proj": (("blk.{}.ffn_down_exps.weight",), changes.columns),
    "model.layers.{}.mlp.experts.down_proj_bias": (("blk.{}.ffn_down_exps.bias",), changes.unchanged),
}
_MINIMAX_EXPERTS: Final[Joined] = {
    **_EXPERTS,
    "model.layers.{}.mlp.e_score_correction_bias": (("blk.{}.exp_probs_b.bias",), changes.unchanged),
}

KINDS: Final = {
    "llama, experts": Kind("MixtralForCausalLM", _mixtral, _ROUTED, ROTARY_CHANGES, _EXPERTS),
    "qwen2moe": Kind(
        "Qwen2MoeForCausalLM", _qwen2moe, _ROUTED | _SHARED, {"blk.{}.ffn_gate_inp_shexp": changes.as_row}, _EXPERTS
    ),
    "qwen3moe": Kind("Qwen3MoeForCausalLM", _qwen3moe, _ROUTED | HEAD_NORM_NAMES, {}, _EXPERTS),
    "gpt-oss": Kind("GptOssForCausalLM", _gpt_oss, _GPT_OSS_NAMES, {}, _GPT_OSS_EXPERTS),
    "minimax-m2": Kind("MiniMaxM2ForCausalLM", _minimax_m2, _ROUTED | HEAD_NORM_NAMES, {}, _MINIMAX_EXPERTS),
}
