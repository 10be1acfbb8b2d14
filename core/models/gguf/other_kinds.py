"""Kinds with layers of their own: GPT-2, BLOOM, Falcon, LFM2, T5."""

from __future__ import annotations

from typing import Final

from headscope.core.models.gguf import changes
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.gguf.kinds import Kind, Settings, decoder_settings, ends, layer_norm, rms, vocabulary_size


def _bare(keys: Keys) -> Settings:
    """Sizes of a decoder without rotary positions, and with a key and a value for each head."""
    settings = decoder_settings(keys, rotary=False)
    if settings["num_key_value_heads"] != settings["num_attention_heads"]:
        keys.header.refuse("heads_share_keys")
    return settings


def _gpt2(keys: Keys) -> Settings:
    settings = _bare(keys)
    return {
        **ends(keys),
        **layer_norm(keys, "layer_norm_epsilon"),
        "vocab_size": settings["vocab_size"],
        "n_positions": keys.tensor("position_embd.weight").shape[0],
        "n_embd": settings["hidden_size"],
        "n_layer": settings["num_hidden_layers"],
        "n_head": settings["num_attention_heads"],
        "n_inner": settings["intermediate_size"],
        "tie_word_embeddings": settings["tie_word_embeddings"],
    }


def _bloom(keys: Keys) -> Settings:
    settings = _bare(keys)
    if settings["intermediate_size"] != 4 * settings["hidden_size"]:
        keys.header.refuse("key_of_kind", key="feed_forward_length", value=settings["intermediate_size"])
    return {
        **ends(keys),
        **layer_norm(keys, "layer_norm_epsilon"),
        "vocab_size": settings["vocab_size"],
        "seq_length": settings["max_position_embeddings"],
        "hidden_size": settings["hidden_size"],
        "n_layer": settings["num_hidden_layers"],
        "n_head": settings["num_attention_heads"],
        "tie_word_embeddings": settings["tie_word_embeddings"],
    }


def _falcon(keys: Keys) -> Settings:
    keys.expect("tensor_data_layout", "jploski", but="key_only", known="jploski")
    settings = decoder_settings(keys)
    n_heads, n_groups = settings["num_attention_heads"], settings["num_key_value_heads"]
    two_norms = keys.has_tensor("blk.0.attn_norm_2.weight")
    new = two_norms or n_groups not in (1, n_heads)
    inner = settings.pop("intermediate_size")
    del settings["head_dim"], settings["num_key_value_heads"]
    return {
        **settings,
        **layer_norm(keys, "layer_norm_epsilon"),
        "ffn_hidden_size": inner,
        "num_kv_heads": n_groups if new else n_heads,
        "new_decoder_architecture": new,
        "num_ln_in_parallel_attn": (2 if two_norms else 1) if new else None,
        "multi_query": new or n_groups == 1,
        "parallel_attn": True,
        "bias": keys.has_tensor("blk.0.attn_qkv.bias"),
        "alibi": False,
    }


def _lfm2(keys: Keys) -> Settings:
    each = keys.integers("attention.head_count_kv")
    settings = decoder_settings(keys, n_key_heads=max(each))
    if set(each) - {0, settings["num_key_value_heads"]}:
        keys.header.refuse("key_varies", key="attention.head_count_kv")
    if (n_dimensions := settings.pop("head_dim")) * settings["num_attention_heads"] != settings["hidden_size"]:
        keys.header.refuse("head_dimensions", n=n_dimensions)
    return {
        **settings,
        **rms(keys, "norm_eps"),
        "block_auto_adjust_ff_dim": False,
        "layer_types": ["full_attention" if n_heads else "conv" for n_heads in each],
        "conv_L_cache": keys.size("shortconv.l_cache"),
        "conv_bias": any(name.endswith("shortconv.in_proj.bias") for name in keys.header.tensors),
    }


def _t5(keys: Keys) -> Settings:
    keys.number("attention.layer_norm_rms_epsilon", 0)  # the same number again
    keys.integer("context_length", 0)  # of its training: it has no positions that could run out
    width, n_heads = keys.size("embedding_length"), keys.heads()
    d_kv = keys.size("attention.key_length", max(1, width // n_heads))
    keys.expect("attention.value_length", d_kv, but="value_length", n=d_kv)
    keys.heads("attention.head_count_kv", n_heads)
    gated = keys.has_tensor("enc.blk.0.ffn_gate.weight")
    n_layers = keys.layers()
    return {
        **ends(keys),
        **layer_norm(keys, "layer_norm_epsilon"),
        "vocab_size": vocabulary_size(keys),
        "d_model": width,
        "d_kv": d_kv,
        "d_ff": keys.width(),
        "num_layers": n_layers,
        "num_decoder_layers": keys.layers("decoder_block_count", n_layers),
        "num_heads": n_heads,
        "relative_attention_num_buckets": keys.size("attention.relative_buckets_count"),
        "feed_forward_proj": "gated-gelu" if gated else "relu",
        "decoder_start_token_id": keys.integer("decoder_start_token_id", 0),
        "tie_word_embeddings": not keys.has_tensor("output.weight"),
    }


_GPT2_NAMES: Final = {
    "token_embd": "transformer.wte",
    "position_embd": "transformer.wpe",
    "output_norm": "transformer.ln_f",
    "output": "lm_head",
    "blk.{}.attn_norm": "transformer.h.{}.ln_1",
    "blk.{}.attn_qkv": "transformer.h.{}.attn.c_attn",
    "blk.{}.attn_output": "transformer.h.{}.attn.c_proj",
    "blk.{}.ffn_norm": "transformer.h.{}.ln_2",
    "blk.{}.ffn_up": "transformer.h.{}.mlp.c_fc",
    "blk.{}.ffn_down": "transformer.h.{}.mlp.c_proj",
}
_GPT2_CHANGES: Final = {
    name: changes.transposed for name in _GPT2_NAMES if name.endswith(("_qkv", "attn_output", "_up", "_down"))
}
_FALCON_NAMES: Final = {
    "token_embd": "transformer.word_embeddings",
    "output_norm": "transformer.ln_f",
    "output": "lm_head",
    "blk.{}.attn_norm": "transformer.h.{}.input_layernorm",
    "blk.{}.attn_qkv": "transformer.h.{}.self_attention.query_key_value",
    "blk.{}.attn_output": "transformer.h.{}.self_attention.dense",
    "blk.{}.ffn_up": "transformer.h.{}.mlp.dense_h_to_4h",
    "blk.{}.ffn_down": "transformer.h.{}.mlp.dense_4h_to_h",
}
_BLOOM_NAMES: Final = _FALCON_NAMES | {
    "token_embd_norm": "transformer.word_embeddings_layernorm",
    "blk.{}.ffn_norm": "transformer.h.{}.post_attention_layernorm",
}
_FALCON_TWO_NORMS: Final = {"blk.{}.attn_norm": "transformer.h.{}.ln_mlp", "blk.{}.attn_norm_2": "transformer.h.{}.ln_attn"}
_LFM2_NAMES: Final = {
    "token_embd": "model.embed_tokens",
    "token_embd_norm": "model.embedding_norm",
    "output": "lm_head",
    "blk.{}.attn_norm": "model.layers.{}.operator_norm",
    "blk.{}.attn_q": "model.layers.{}.self_attn.q_proj",
    "blk.{}.attn_k": "model.layers.{}.self_attn.k_proj",
    "blk.{}.attn_v": "model.layers.{}.self_attn.v_proj",
    "blk.{}.attn_output": "model.layers.{}.self_attn.out_proj",
    "blk.{}.attn_q_norm": "model.layers.{}.self_attn.q_layernorm",
    "blk.{}.attn_k_norm": "model.layers.{}.self_attn.k_layernorm",
    "blk.{}.ffn_norm": "model.layers.{}.ffn_norm",
    "blk.{}.ffn_gate": "model.layers.{}.feed_forward.w1",
    "blk.{}.ffn_up": "model.layers.{}.feed_forward.w3",
    "blk.{}.ffn_down": "model.layers.{}.feed_forward.w2",
    "blk.{}.shortconv.in_proj": "model.layers.{}.conv.in_proj",
    "blk.{}.shortconv.out_proj": "model.layers.{}.conv.out_proj",
    "blk.{}.shortconv.conv": "model.layers.{}.conv.conv",
}


def _t5_layers(prefix: str, stack: str, feed_forward: int) -> dict[str, str]:
    block = f"{stack}.block.{{}}.layer"
    attention = {
        f"{prefix}.blk.{{}}.attn_{part}": f"{block}.0.SelfAttention.{to}"
        for part, to in (("q", "q"), ("k", "k"), ("v", "v"), ("o", "o"), ("rel_b", "relative_attention_bias"))
    }
    last = f"{block}.{feed_forward}"
    return attention | {
        f"{prefix}.blk.{{}}.attn_norm": f"{block}.0.layer_norm",
        f"{prefix}.blk.{{}}.ffn_norm": f"{last}.layer_norm",
        f"{prefix}.blk.{{}}.ffn_down": f"{last}.DenseReluDense.wo",
        f"{prefix}.output_norm": f"{stack}.final_layer_norm",
    }


def _t5_feed_forward(gated: bool) -> dict[str, str]:
    names = {"ffn_gate": "wi_0", "ffn_up": "wi_1"} if gated else {"ffn_up": "wi"}
    stacks = (("enc", "encoder", 1), ("dec", "decoder", 2))
    return {
        f"{prefix}.blk.{{}}.{name}": f"{stack}.block.{{}}.layer.{place}.DenseReluDense.{to}"
        for prefix, stack, place in stacks
        for name, to in names.items()
    }


_T5_NAMES: Final = (
    {"token_embd": "shared", "output": "lm_head"}
    | _t5_layers("enc", "encoder", 1)
    | _t5_layers("dec", "decoder", 2)
    | {f"dec.blk.{{}}.cross_attn_{part}": f"decoder.block.{{}}.layer.1.EncDecAttention.{part}" for part in "qkvo"}
    | {"dec.blk.{}.cross_attn_norm": "decoder.block.{}.layer.1.layer_norm"}
)


def _t5_kind(model: str, *, gated: bool) -> Kind:
    return Kind(model, _t5, _T5_NAMES | _t5_feed_forward(gated), float32=("wo",))


KINDS: Final = {
    "gpt2": Kind("GPT2LMHeadModel", _gpt2, _GPT2_NAMES, _GPT2_CHANGES),
    "bloom": Kind("BloomForCausalLM", _bloom, _BLOOM_NAMES, {"blk.{}.attn_qkv": changes.bloom_qkv}),
    "falcon": Kind("FalconForCausalLM", _falcon, _FALCON_NAMES, {"blk.{}.attn_qkv": changes.falcon_qkv}),
    "falcon, two norms": Kind(
        "FalconForCausalLM", _falcon, _FALCON_NAMES | _FALCON_TWO_NORMS, {"blk.{}.attn_qkv": changes.falcon_qkv}
    ),
    "lfm2": Kind("Lfm2ForCausalLM", _lfm2, _LFM2_NAMES, {"blk.{}.shortconv.conv.weight": changes.as_convolution}),
    "t5": _t5_kind("T5ForConditionalGeneration", gated=False),
    "t5, gated": _t5_kind("T5ForConditionalGeneration", gated=True),
    "t5, a bias in each layer": _t5_kind("UMT5ForConditionalGeneration", gated=True),
}
