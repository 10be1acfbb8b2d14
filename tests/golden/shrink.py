"""A tiny configuration of any transformers text model: its own default one, with every size that has a known name made small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import PreTrainedConfig

VOCABULARY = 99

_NAMES: dict[int, str] = {
    VOCABULARY: """vocab_size src_vocab_size tgt_vocab_size decoder_vocab_size vocab_size_per_layer_input unpadded_vocab_size
        entity_vocab_size pronunciation_vocab_size shape_vocab_size t2u_vocab_size char_vocab_size unit_hifi_gan_vocab_size
        encoder_hash_byte_group_vocab ngram_vocab_size_base""",
    96: """intermediate_size encoder_ffn_dim decoder_ffn_dim ffn_dim d_ff d_inner dim_ff dff hidden_dim ffn_hidden_size
        dense_intermediate_size feed_forward_size intermediate_size_mlp speech_encoder_intermediate_size t2u_encoder_ffn_dim
        t2u_decoder_ffn_dim""",
    64: """hidden_size d_model n_embd dim emb_dim embedding_size input_embedding_size output_embedding_size word_embed_proj_dim
        embedding_rank prediction_head_size pooler_hidden_size backbone_hidden_size lru_width attention_hidden_size mamba_d_ssm
        d_latents entity_emb_size pronunciation_embed_dim shape_embed_dim projection_dim classifier_proj_size true_hidden_size
        hidden_size_per_layer_input ple_embed_dim unit_embed_dim prompt_mid_dim dim_model_base router_hidden_size
        intra_bottleneck_size max_position_embeddings n_positions n_ctx max_seq_len max_source_positions max_target_positions
        max_encoder_position_embeddings max_decoder_position_embeddings context_length original_max_position_embeddings
        model_max_length t2u_max_position_embeddings""",
    32: """moe_intermediate_size shared_expert_intermediate_size shared_experts_intermediate_size expert_ffn_hidden_size
        moe_shared_expert_intermediate_size shared_intermediate_size mamba_d_head mamba_head_dim mamba_headdim""",
    16: """head_dim d_kv d_head dim_head v_head_dim attention_head_dim attention_head_size linear_key_head_dim qk_head_dim
        linear_value_head_dim linear_head_dim index_head_dim swa_head_dim kv_lora_rank q_lora_rank o_lora_rank
        query_pre_attn_scalar mamba_d_state ssm_state_size state_size laurel_rank lora_rank hc_lowrank mamba_chunk_size
        chunk_size block_size""",
    8: """qk_rope_head_dim qk_nope_head_dim rotary_dim time_step_rank sliding_window sliding_window_size window_size
        attention_window_size attention_chunk_size keep_window_size local_attention_window_len local_attention""",
    4: """num_attention_heads n_head n_heads num_heads encoder_attention_heads decoder_attention_heads attention_heads
        num_encoder_attention_heads num_decoder_attention_heads num_self_attention_heads num_cross_attention_heads index_n_heads
        linear_num_value_heads linear_num_heads mamba_n_heads mamba_num_heads speech_encoder_attention_heads
        swa_num_attention_heads t2u_encoder_attention_heads t2u_decoder_attention_heads num_experts n_routed_experts
        num_local_experts moe_num_experts""",
    3: "num_hidden_layers n_layer n_layers num_layers decoder_layers num_decoder_layers num_blocks",
    2: """encoder_layers num_encoder_layers speech_encoder_layers t2u_encoder_layers t2u_decoder_layers num_key_value_heads
        num_self_attends_per_block linear_num_key_heads num_kv_heads n_mamba_heads swa_num_key_value_heads num_experts_per_tok
        num_experts_per_token moe_k moe_topk""",
    1: """n_shared_experts num_shared_experts moe_num_shared_experts n_group topk_group num_expert_group mamba_n_groups n_groups
        mamba_ngroups first_k_dense_replace num_dense_layers""",
    0: "num_nextn_predict_layers num_mtp_layers",
}
SIZES = {name: size for size, names in _NAMES.items() for name in names.split()}
_IDS = {"pad": 0, "bos": 1, "eos": 2, "decoder": 1}
_OTHER_ID = 3
"""Of separators, image tokens and the like; the texts of the tests use ids from 5 on."""


def tiny_config(kind: type[PreTrainedConfig], *, decoder: bool, exceptions: Mapping[str, Any]) -> PreTrainedConfig:
    """A small configuration of a class.

    Parameters
    ----------
    kind : type
    decoder : bool
        Of a model that is both, the one that looks backwards only.
    exceptions : mapping
        What has to be different in this class; a mapping for a configuration inside this one.
    """
    default = kind()
    known = {name for name in default.to_dict() if not name.startswith("_")}
    sizes: dict[str, Any] = {}
    for name in sorted(known):
        value = default.__dict__.get(name)
        if isinstance(value, PreTrainedConfig):
            sizes[name] = tiny_config(type(value), decoder=decoder, exceptions=exceptions.get(name, {}))
        elif name.endswith(("_token_id", "_token_index")) and isinstance(value, (int, list)):
            sizes[name] = _IDS.get(name.split("_")[0], _OTHER_ID)
        elif name in SIZES and isinstance(value, (int, float)):
            sizes[name] = SIZES[name]
    if (
        "qk_rope_head_dim" in sizes
    ):  # latent attention: every head has keys of its own, rotary embeddings take head_dim for theirs
        sizes["num_key_value_heads"] = sizes["num_attention_heads"]
        sizes["head_dim"] = sizes["qk_rope_head_dim"]
    if decoder:
        sizes.update({"is_decoder": True} if "is_decoder" in known else {})
        sizes.update({"encoder_layers": sizes["decoder_layers"]} if "encoder_layers" in sizes else {})  # caches count these
    inner = {name for name, value in exceptions.items() if isinstance(sizes.get(name), PreTrainedConfig)}
    return kind(**(sizes | {name: value for name, value in exceptions.items() if name not in inner}))
