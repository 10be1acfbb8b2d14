"""Tiny models of many families, with random weights sharp enough that attention is far from uniform."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
import transformers as hf

from headscope.core.text.tokens import Token, TokenAxis
from tests.golden.shrink import VOCABULARY

CACHE = "past_key_values" if "past_key_values" in inspect.signature(hf.GPT2LMHeadModel.forward).parameters else "cache"
"""What this release of transformers calls the key-value cache, as an argument and in the output."""

SIZES: dict[str, Any] = {
    "vocab_size": VOCABULARY,
    "hidden_size": 64,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 96,
    "max_position_embeddings": 64,
}
ENDS = {"bos_token_id": 1, "eos_token_id": 2}
GROUPED = {**SIZES, **ENDS, "pad_token_id": 0, "num_key_value_heads": 2}
_GPT = {"vocab_size": VOCABULARY, "n_positions": 64, "n_embd": 64, "n_layer": 3, "n_head": 4, **ENDS}
_ROBERTA = {**SIZES, "max_position_embeddings": 70, "pad_token_id": 1}
_BART = {
    "vocab_size": VOCABULARY,
    "d_model": 64,
    "encoder_layers": 2,
    "decoder_layers": 3,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 96,
    "decoder_ffn_dim": 96,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "decoder_start_token_id": 1,
    **ENDS,
}
_T5 = {
    "vocab_size": VOCABULARY,
    "d_model": 64,
    "d_kv": 16,
    "d_ff": 96,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 4,
    "decoder_start_token_id": 0,
    "pad_token_id": 0,
    "eos_token_id": 2,
}
_GEMMA2 = {**GROUPED, "head_dim": 16, "sliding_window": 8, "attn_logit_softcapping": 5.0, "query_pre_attn_scalar": 16}
_GPT_OSS = {**GROUPED, "head_dim": 16, "sliding_window": 8, "num_local_experts": 2, "num_experts_per_tok": 1}
_FALCON = {k: SIZES[k] for k in ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads")}
_BLOOM = {"vocab_size": VOCABULARY, "hidden_size": 64, "n_layer": 3, "n_head": 4, "pad_token_id": 0, **ENDS}


@dataclass(frozen=True)
class Family:
    name: str
    model: Callable[[], Any]
    form: Literal["encoder", "decoder", "encoder-decoder"]
    backend: Literal["fast", "own", "fallback"] = "fast"
    purpose: str = ""
    gain: float = 1.6

    def __str__(self) -> str:
        return self.name


FAMILIES = (
    Family("bert", lambda: hf.BertForMaskedLM(hf.BertConfig(**SIZES)), "encoder"),
    Family(
        "distilbert",
        lambda: hf.DistilBertForMaskedLM(
            hf.DistilBertConfig(vocab_size=VOCABULARY, dim=64, n_layers=3, n_heads=4, hidden_dim=96, max_position_embeddings=64)
        ),
        "encoder",
    ),
    Family("albert", lambda: hf.AlbertForMaskedLM(hf.AlbertConfig(**SIZES, embedding_size=32)), "encoder"),
    Family("roberta", lambda: hf.RobertaForMaskedLM(hf.RobertaConfig(**_ROBERTA)), "encoder"),
    Family("gpt2", lambda: hf.GPT2LMHeadModel(hf.GPT2Config(**_GPT)), "decoder"),
    Family("llama-grouped", lambda: hf.LlamaForCausalLM(hf.LlamaConfig(**GROUPED)), "decoder"),
    Family("mistral-sliding", lambda: hf.MistralForCausalLM(hf.MistralConfig(**GROUPED, sliding_window=8)), "decoder"),
    Family("t5", lambda: hf.T5ForConditionalGeneration(hf.T5Config(**_T5)), "encoder-decoder"),
    Family("bart", lambda: hf.BartForConditionalGeneration(hf.BartConfig(**_BART)), "encoder-decoder"),
    Family("gemma2-softcap", lambda: hf.Gemma2ForCausalLM(hf.Gemma2Config(**_GEMMA2)), "decoder", "own"),
    Family("gpt-oss-sinks", lambda: hf.GptOssForCausalLM(hf.GptOssConfig(**_GPT_OSS)), "decoder", "own"),
    Family("gptj", lambda: hf.GPTJForCausalLM(hf.GPTJConfig(**_GPT, rotary_dim=8)), "decoder", "fallback"),
    Family("bloom", lambda: hf.BloomForCausalLM(hf.BloomConfig(**_BLOOM)), "decoder", "fallback"),
    Family("falcon", lambda: hf.FalconForCausalLM(hf.FalconConfig(**_FALCON, **ENDS)), "decoder", "fallback"),
)


def mamba() -> Any:
    """A model without attention."""
    return hf.MambaForCausalLM(hf.MambaConfig(vocab_size=VOCABULARY, hidden_size=64, num_hidden_layers=2))


def funnel() -> Any:
    """A model whose later layers attend among pooled tokens."""
    config = hf.FunnelConfig(vocab_size=VOCABULARY, block_sizes=[1, 1, 1], d_model=64, n_head=4, d_head=16, d_inner=96)
    return hf.FunnelForMaskedLM(config).eval()


def built(family: Family, seed: int = 0) -> Any:
    """The family's model, ready to run, the same for the same seed.

    Weights are larger than at the start of training: with the usual ones every query looks everywhere alike, and a wrong
    map would pass for a right one.
    """
    model = family.model()
    generator = torch.Generator().manual_seed(seed)
    embeddings = {part.weight for part in model.modules() if isinstance(part, torch.nn.Embedding)}
    norms = {
        getattr(part, name, None) for part in model.modules() if "Norm" in type(part).__name__ for name in ("weight", "bias")
    }
    with torch.no_grad():
        for parameter in model.parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() >= 2:
                fan_in = parameter.shape[1] if parameter.dim() == 2 else parameter[0].numel()
                parameter.copy_(noise * (1.6 if parameter in embeddings else family.gain / fan_in**0.5))
            elif parameter not in norms:
                parameter.copy_(noise * 0.3)
    return model.eval()


def inputs_of(family: Family, n_tokens: int, n_padding: int = 0) -> dict[str, torch.Tensor]:
    """Two texts, the second with padding before a decoder's text, behind the others'; targets are 7 tokens long."""
    generator = torch.Generator().manual_seed(n_tokens)
    is_token = torch.ones(2, n_tokens, dtype=torch.long)
    if n_padding:
        is_token[1, slice(None, n_padding) if family.form == "decoder" else slice(-n_padding, None)] = 0
    inputs = {"input_ids": torch.randint(5, VOCABULARY, (2, n_tokens), generator=generator), "attention_mask": is_token}
    if family.form == "encoder-decoder":
        inputs["decoder_input_ids"] = torch.randint(5, VOCABULARY, (2, 7), generator=generator)
    return inputs


def axis(n_tokens: int) -> TokenAxis:
    return TokenAxis(tuple(Token(str(number), number) for number in range(n_tokens)))
