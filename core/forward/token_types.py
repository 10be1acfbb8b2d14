"""How many types of tokens a model tells apart: the texts of a pair, and what closes them."""

from __future__ import annotations

from typing import Any

from torch import nn


def n_token_types(module: nn.Module) -> int:
    """Of a model that takes `token_type_ids`; 0 of one that takes them as words to add to the others (GPT-2).

    XLNet has no table of them: it compares the types of two tokens, of which its tokenizer has three.
    """
    config: Any = module.config
    known = int(getattr(config, "type_vocab_size", 0) or getattr(config, "n_segments", 0))
    compares = any(name.endswith("seg_embed") for name, _ in module.named_parameters())
    return max(known, 3) if compares else known
