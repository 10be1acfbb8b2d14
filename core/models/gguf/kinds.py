"""The kinds of models that open from GGUF files: what their keys mean in transformers, and where their tensors go.

Each kind is three tables: the settings that follow from its keys, the transformers name of each tensor, and what llama.cpp's
conversion did to some tensors (undone by `changes`). A kind that is not here is refused by name. Facts are from llama.cpp's
converter and its model files; tests write each kind from a transformers model and compare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from headscope.core.models.gguf.changes import Change, Join
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.gguf.rope import rope_parameters

Settings = dict[str, Any]
Joined = Mapping[str, tuple[tuple[str, ...], Join]]


@dataclass(frozen=True, slots=True)
class Kind:
    """How one architecture is read.

    Parameters
    ----------
    model : str
        The class of transformers.
    settings : function
        From the keys to the values of `config.json`.
    names : mapping
        From a tensor's name in the file to transformers', both without ``.weight`` and ``.bias``; ``{}`` is the layer.
    changes : mapping
        From such a name, with ``.weight`` where biases are as they were, to what undoes the conversion; see `changes`.
    joined : mapping
        From a parameter of transformers (whole name) to the tensors that it is made of, and how.
    float32 : tuple of str
        Parts of names of parameters that stay in float32 whatever number format the model is computed in.
    """

    model: str
    settings: Callable[[Keys], Settings]
    names: Mapping[str, str]
    changes: Mapping[str, Change] = field(default_factory=dict)
    joined: Joined = field(default_factory=dict)
    float32: tuple[str, ...] = ()


# ---------------------------------------------------------------- what most decoders share
DECODER_NAMES: Final = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "blk.{}.attn_norm": "model.layers.{}.input_layernorm",
    "blk.{}.attn_q": "model.layers.{}.self_attn.q_proj",
    "blk.{}.attn_k": "model.layers.{}.self_attn.k_proj",
    "blk.{}.attn_v": "model.layers.{}.self_attn.v_proj",
    "blk.{}.attn_output": "model.layers.{}.self_attn.o_proj",
    "blk.{}.ffn_norm": "model.layers.{}.post_attention_layernorm",
    "blk.{}.ffn_gate": "model.layers.{}.mlp.gate_proj",
    "blk.{}.ffn_up": "model.layers.{}.mlp.up_proj",
    "blk.{}.ffn_down": "model.layers.{}.mlp.down_proj",
}
HEAD_NORM_NAMES: Final = {
    "blk.{}.attn_q_norm": "model.layers.{}.self_attn.q_norm",
    "blk.{}.attn_k_norm": "model.layers.{}.self_attn.k_norm",
}


def decoder_settings(keys: Keys, *, partial: bool = False, rotary: bool = True, n_key_heads: int | None = None) -> Settings:
    """Sizes, ends, positions: what nearly every decoder says. `n_key_heads` counts more than what the keys say."""
    width, n_heads = keys.size("embedding_length"), keys.heads()
    head_dim = keys.size("attention.key_length", max(1, width // n_heads))
    keys.expect("attention.value_length", head_dim, but="value_length", n=head_dim)
    keys.expect("attention.causal", True, but="not_causal")
    settings = {
        **ends(keys),
        "vocab_size": vocabulary_size(keys),
        "hidden_size": width,
        "num_hidden_layers": keys.layers(),
        "num_attention_heads": n_heads,
        "num_key_value_heads": n_key_heads or keys.heads("attention.head_count_kv", n_heads),
        "head_dim": head_dim,
        "intermediate_size": keys.width(),
        "max_position_embeddings": keys.integer("context_length", least=1),
        "tie_word_embeddings": not keys.has_tensor("output.weight"),
    }
    if rotary:
        settings["rope_parameters"] = rope_parameters(keys, head_dim, partial=partial)
    return settings


def only_default_head_dim(keys: Keys, settings: Settings) -> Settings:
    """For classes whose heads share the width out evenly and have no setting for anything else."""
    if settings["head_dim"] * settings["num_attention_heads"] != settings["hidden_size"]:
        keys.header.refuse("head_dimensions", n=settings["head_dim"])
    return {name: value for name, value in settings.items() if name != "head_dim"}


def ends(keys: Keys) -> Settings:
    """The ids of the tokens that begin, end and fill texts; None where the file has none."""
    n_tokens = vocabulary_size(keys)
    found: Settings = {}
    for name, key in (("bos_token_id", "bos"), ("eos_token_id", "eos"), ("pad_token_id", "padding")):
        full = f"tokenizer.ggml.{key}_token_id"
        found[name] = keys.integer(full, most=n_tokens - 1) if keys.has(full) else None
    return found


def vocabulary_size(keys: Keys) -> int:
    """Rows of the embedding; a number beside it must say the same."""
    rows = keys.tensor("token_embd.weight").shape[0]
    keys.expect("vocab_size", rows, but="vocabulary_size", n=rows)
    return rows


def rms(keys: Keys, name: str = "rms_norm_eps") -> Settings:
    return {name: keys.number("attention.layer_norm_rms_epsilon")}


def layer_norm(keys: Keys, name: str) -> Settings:
    return {name: keys.number("attention.layer_norm_epsilon")}


def has_bias(keys: Keys, stem: str) -> bool:
    """Whether the first layer's tensor of this name has a bias; that all have it or none is checked with the model."""
    return keys.has_tensor(f"blk.0.{stem}.bias")
