"""Tiny models that are looked into: the table of families, and others that norm, scale and cap in ways of their own."""

from __future__ import annotations

from pathlib import Path

import torch
import transformers as hf

from headscope.core.model import Model
from headscope.core.models.load import load_model
from tests.golden.families import ENDS, FAMILIES, GROUPED, SIZES, VOCABULARY, Family, built
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

_OPT = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "ffn_dim": 96,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    **ENDS,
}
_SEQ2SEQ = {
    "vocab_size": VOCABULARY,
    "d_model": 64,
    "decoder_start_token_id": 1,
    "pad_token_id": 0,
    "eos_token_id": 2,
}
_PEGASUS = {
    **_SEQ2SEQ,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 96,
    "decoder_ffn_dim": 96,
    "max_position_embeddings": 64,
}
_T5 = {**_SEQ2SEQ, "d_kv": 16, "d_ff": 96, "num_layers": 2, "num_decoder_layers": 3, "num_heads": 4}
_GRANITE = {"residual_multiplier": 0.5, "logits_scaling": 4.0, "embedding_multiplier": 3.0, "attention_multiplier": 0.2}

OTHERS = (
    Family("opt-projected", lambda: hf.OPTForCausalLM(hf.OPTConfig(**_OPT, word_embed_proj_dim=32)), "decoder"),
    Family(
        "opt-post-norm",
        lambda: hf.OPTForCausalLM(hf.OPTConfig(**_OPT, word_embed_proj_dim=64, do_layer_norm_before=False)),
        "decoder",
    ),
    Family("neox-parallel", lambda: hf.GPTNeoXForCausalLM(hf.GPTNeoXConfig(**SIZES, **ENDS)), "decoder"),
    Family("granite-multipliers", lambda: hf.GraniteForCausalLM(hf.GraniteConfig(**GROUPED, **_GRANITE)), "decoder"),
    Family("cohere-logit-scale", lambda: hf.CohereForCausalLM(hf.CohereConfig(**GROUPED, logit_scale=0.25)), "decoder"),
    Family("phi-head-bias", lambda: hf.PhiForCausalLM(hf.PhiConfig(**SIZES, **ENDS)), "decoder"),
    Family("qwen3", lambda: hf.Qwen3ForCausalLM(hf.Qwen3Config(**GROUPED, head_dim=16)), "decoder"),
    Family("olmo2-norm-behind", lambda: hf.Olmo2ForCausalLM(hf.Olmo2Config(**GROUPED)), "decoder"),
    Family("pegasus-logits-bias", lambda: hf.PegasusForConditionalGeneration(hf.PegasusConfig(**_PEGASUS)), "encoder-decoder"),
    Family(
        "t5-gated",
        lambda: hf.T5ForConditionalGeneration(hf.T5Config(**_T5, feed_forward_proj="gated-gelu", tie_word_embeddings=False)),
        "encoder-decoder",
    ),
    Family(
        "xlnet",
        lambda: hf.XLNetLMHeadModel(hf.XLNetConfig(vocab_size=VOCABULARY, d_model=64, n_layer=2, n_head=4, d_inner=96, **ENDS)),
        "decoder",
    ),
)
_WRITE = {"encoder": write_masked, "decoder": write_decoder, "encoder-decoder": write_encoder_decoder}


def opened(name: str, folder: Path) -> Model:
    """The family's model in float32, with norms and head biases that are not 1 and 0, as training leaves them."""
    family = next(family for family in (*OTHERS, *FAMILIES) if family.name == name)
    _WRITE[family.form](folder)
    model = built(family)
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for part in model.modules():
            if "norm" in type(part).__name__.lower():
                for parameter in part.parameters(recurse=False):
                    parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
        if isinstance(bias := getattr(model, "final_logits_bias", None), torch.Tensor):
            bias.normal_(generator=generator)
    model.save_pretrained(folder)
    return load_model(str(folder), device="cpu", dtype="float32")
