"""Every text model that the installed transformers can build, as a `Family`: what its auto maps name, made tiny."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, Literal

import transformers as hf
from transformers.models.auto import modeling_auto
from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

from tests.golden.families import Family
from tests.golden.shrink import tiny_config

_MAPS: Final = {
    "masked words": modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES,
    "next token": modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    "text to text": modeling_auto.MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES,
    "next sentence": modeling_auto.MODEL_FOR_NEXT_SENTENCE_PREDICTION_MAPPING_NAMES,
    "pre-training": modeling_auto.MODEL_FOR_PRETRAINING_MAPPING_NAMES,
    "bare": modeling_auto.MODEL_FOR_TEXT_ENCODING_MAPPING_NAMES,
}
_MORE: Final = {"dpr": "DPRQuestionEncoder", "lilt": "LiltModel", "markuplm": "MarkupLMModel", "splinter": "SplinterModel"}
"""Text models that only MODEL_MAPPING names, among hundreds of others."""

# ---------------------------------------------------------------- what is not a model of text alone
_SOUND: Final = "needs sound"
_DRAFT: Final = "reads the keys of the model that it drafts for, not a text"
NOT_OF_TEXT: Final = {
    "FlavaForPreTraining": "needs pictures",
    "Gemma3nForConditionalGeneration": "needs Pillow and timm for its pictures; its text part is Gemma3nForCausalLM",
    "Gemma4AssistantForCausalLM": _DRAFT,
    "Gemma4UnifiedAssistantForCausalLM": _DRAFT,
    "HieraForPreTraining": "needs pictures",
    "LxmertForPreTraining": "needs pictures",
    "MusicgenForCausalLM": "reads codes of sound",
    "MusicgenMelodyForCausalLM": "reads codes of sound",
    "Nemotron3_5TranscribeForConditionalGeneration": _SOUND,
    "UniSpeechForPreTraining": _SOUND,
    "UniSpeechSatForPreTraining": _SOUND,
    "VideoMAEForPreTraining": "needs pictures",
    "ViTMAEForPreTraining": "needs pictures",
    "VisualBertForPreTraining": "needs pictures",
    "VoxtralRealtimeForConditionalGeneration": _SOUND,
    "Wav2Vec2ConformerForPreTraining": _SOUND,
    "Wav2Vec2ForPreTraining": _SOUND,
}
"""Why a class that an auto map names cannot read a text alone."""

# ---------------------------------------------------------------- what differs from `shrink.SIZES`
_LINEAR: Final = ["linear_attention", "full_attention", "linear_attention"]
_CONVOLUTIONS: Final = {"layer_types": ["conv", "full_attention", "conv"]}
_SLIDING: Final = ["sliding_attention", "full_attention", "sliding_attention"]
_ZAMBA: Final = {
    "num_hidden_layers": 4,
    "layers_block_type": ["linear_attention", "hybrid", "linear_attention", "hybrid"],
    "attention_hidden_size": 128,
}
_ROPE: Final = {"rope_type": "default", "rope_theta": 10000.0}
_GRANITE: Final = {"attention_multiplier": 0.25}
_SMALL_EAR: Final = {"num_filters": 2, "depths": [1] * 7}
_PART_OF_BLT: Final = {"hidden_size_global": 64}
EXCEPTIONS: Final[dict[str, dict[str, Any]]] = {
    "bailing_hybrid": {"layer_types": _LINEAR},
    "bamba": {"attn_layer_indices": [1]},
    "blt": {"num_hidden_layers": 3, "encoder_config": _PART_OF_BLT, "decoder_config": _PART_OF_BLT},
    "cohere_compass_text": {"layer_types": _SLIDING, "rope_parameters": dict.fromkeys(set(_SLIDING), _ROPE)},
    "dbrx": {
        "attn_config": {"kv_n_heads": 2, "clip_qkv": 8, "rope_theta": 10000.0},
        "ffn_config": {"ffn_hidden_size": 96, "moe_num_experts": 4, "moe_top_k": 2},
    },
    "deepseek_v2": {"topk_group": 1, "num_experts_per_tok": 2},
    "dory": {
        "n_input_layers": 1,
        "n_output_layers": 1,
        "n_recurrent_layers": 1,
        "layer_types": _SLIDING,
        "initializer_range": 0.3,
    },
    "dots1": {"n_shared_experts": 1, "n_routed_experts": 4, "num_experts_per_tok": 2},
    "dots3_note_text": {  # its sliding layers have more heads than the others
        "swa_num_attention_heads": 8,
        "swa_num_key_value_heads": 8,
        "swa_q_lora_rank": 16,
        "swa_kv_lora_rank": 16,
        "swa_head_dim": 8,
        "swa_qk_nope_head_dim": 8,
    },
    "encoder-decoder": {"decoder": {"is_decoder": True, "add_cross_attention": True}},
    "esm": {"vocab_size": 99, "mask_token_id": 3, "pad_token_id": 0, "position_embedding_type": "rotary"},
    "esmc": {"num_key_value_heads": 4},
    "falcon_h1": {"mamba_d_head": 16},
    "gemma3n_text": {
        "layer_types": ["sliding_attention", "full_attention"] * 2,
        "num_hidden_layers": 4,
        "num_kv_shared_layers": 2,
        "intermediate_size": 96,
        "activation_sparsity_pattern": [0.0] * 4,
    },
    "gpt_neo": {"attention_types": [[["global", "local", "global"], 1]]},
    "granite": _GRANITE,
    "granite_swa": _GRANITE,
    "granitemoe": _GRANITE,
    "granitemoe_swa": _GRANITE,
    "granitemoehybrid": {"layer_types": _LINEAR, **_GRANITE},
    "granitemoeshared": _GRANITE,
    "hunyuan_v1_dense": {"head_dim": 16},
    "hunyuan_v1_moe": {"head_dim": 16},
    "jamba": {"attn_layer_period": 2, "attn_layer_offset": 1},
    "kimi_linear": {"layer_types": _LINEAR},
    "led": {"max_encoder_position_embeddings": 1100, "attention_window": [16, 16]},
    "lfm2": _CONVOLUTIONS,
    "lfm2_moe": _CONVOLUTIONS,
    "lilt": {"hidden_size": 96},
    "mamba2": {"num_heads": 8, "head_dim": 16},
    "ministral": {"head_dim": 16},
    "nemotron": {"num_key_value_heads": 2},
    "nemotron_h": {"layers_block_type": ["linear_attention", "full_attention", "moe"]},
    "neomme": {
        "layer_types": _SLIDING,
        "per_layer_config": {layer: {"sliding_window": None if layer == 1 else 8} for layer in range(3)},
    },
    "prophetnet": {"num_encoder_layers": 3},  # caches count the encoder's layers
    "qwen3_5_moe_text": {"layer_types": _LINEAR},
    "qwen3_5_text": {"layer_types": _LINEAR},
    "qwen3_next": {"layer_types": _LINEAR},
    "qwen4_exp_text": {
        "layer_types": ["linear_attention", "indexed_attention", "linear_attention"],
        "indexer_n_heads": 4,
        "indexer_kv_heads": 1,
        "indexer_head_dim": 16,
        "indexer_budget": 8,
        "indexer_compress_ratio": 4,
    },
    "reformer": {
        "axial_pos_embds_dim": [32, 32],
        "axial_pos_shape": [8, 8],
        "attn_layers": ["local", "lsh", "local"],
        "num_hidden_layers": 3,
        "local_attn_chunk_length": 16,
        "lsh_attn_chunk_length": 16,
        "num_buckets": 4,
    },
    "vibevoice_asr": {"acoustic_tokenizer_encoder_config": _SMALL_EAR, "semantic_tokenizer_encoder_config": _SMALL_EAR},
    "xlstm": {"qk_dim_factor": 1.0},
    "xmod": {"default_language": "en_XX"},
    "zamba": {**_ZAMBA, "attention_head_dim": 32},
    "zamba2": {**_ZAMBA, "n_mamba_heads": 8, "mamba_headdim": 16},
    "zaya": {"num_experts_per_tok": 1},
}
"""By `model_type`."""
_OF_CLASS: Final[dict[str, dict[str, Any]]] = {"T5GemmaEncoderModel": {"is_encoder_decoder": False}}
GAINS: Final = {
    "JetMoeForCausalLM": 4.0,
    "HrmTextForCausalLM": 1.2,
    "LayoutLMForMaskedLM": 2.5,
    "LongcatFlashForCausalLM": 1.4,
    "LongT5ForConditionalGeneration": 0.8,
    "MT5EncoderModel": 0.8,
    "MT5ForConditionalGeneration": 0.8,
    "SwitchTransformersForConditionalGeneration": 0.8,
    "T5EncoderModel": 0.8,
    "T5ForConditionalGeneration": 0.8,
    "UMT5EncoderModel": 0.8,
    "UMT5ForConditionalGeneration": 0.8,
    "Zamba2ForCausalLM": 1.2,
}
"""How sharp the weights are, where the usual 1.6 lets roundings grow (deep models; T5's kin do not scale their scores) or is flat."""


def every_family() -> tuple[Family, ...]:
    """One for each class, sorted by name; those that read a text alone."""
    found: dict[str, Family] = {}
    for purpose, model_type, name in _named():
        if name not in NOT_OF_TEXT and name not in found:
            found[name] = _family(purpose, model_type, name)
    return tuple(found[name] for name in sorted(found))


def _named() -> Iterator[tuple[str, str, str]]:
    """(purpose, model_type, class name); text parts before the models that they are parts of."""
    masked = _MAPS["masked words"]
    for purpose, names in _MAPS.items():
        for model_type in sorted(names, key=lambda each: (not each.endswith("_text"), each)):
            name = names[model_type]
            if purpose == "pre-training" and not (name.endswith("ForPreTraining") and model_type in masked):
                continue  # the others are in other maps, or read pictures and sound
            yield purpose, model_type, name
    for model_type, name in _MORE.items():
        yield "bare", model_type, name


def _family(purpose: str, model_type: str, name: str) -> Family:
    def model() -> Any:
        kind: Any = getattr(hf, name)
        return kind(config())

    def config() -> Any:
        of_type = getattr(hf, CONFIG_MAPPING_NAMES[model_type])
        of_class = getattr(hf, name).config_class or of_type
        chosen = of_type if model_type.endswith("_text") else of_class  # a part's class, where the type is the whole's
        exceptions = EXCEPTIONS.get(chosen.model_type, {}) | _OF_CLASS.get(name, {})
        return tiny_config(chosen, decoder=purpose == "next token", exceptions=exceptions)

    form: Literal["encoder", "decoder"] = "decoder" if purpose == "next token" else "encoder"
    return Family(name, model, form, purpose=purpose, gain=GAINS.get(name, Family.gain))
