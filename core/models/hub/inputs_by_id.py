"""What some models read of each token beside its id, by tables that their tokenizer has: RoCBert how a character looks and sounds.

References
----------
Su et al., RoCBert, 2022, section 3.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

from headscope.core.sentences import Sentence, sentence

_TABLES: Final = {"input_shape_ids": "word_shape", "input_pronunciation_ids": "word_pronunciation"}
"""The argument of a model's pass, and the table of its tokenizer, from tokens to numbers, that it is looked up in."""
_OTHERS: Final = "[UNK]"
"""The entry of tokens without one, and of those that the tokenizer puts around a text."""
_PLACES: Final = frozenset({"xpath_tags_seq", "bbox"})
"""What models of pages read of each word: where it stands."""


def note_on_places(module: nn.Module) -> tuple[Sentence, ...]:
    """What a text does not say of its words; nothing for nearly every model."""
    return () if _PLACES.isdisjoint(inspect.signature(module.forward).parameters) else (sentence("no_places"),)


def tables_by_id(module: nn.Module, tokenizer: Any) -> dict[str, Tensor]:
    """For each such argument of a model's pass: int64 (n_tokens,), what goes with each id. Empty of nearly every model."""
    accepted = inspect.signature(module.forward).parameters
    found = {name: getattr(tokenizer, table, None) for name, table in _TABLES.items() if name in accepted}
    tokens = [] if not found else [str(token) for token in tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))]
    around = {tokenizer.cls_token, tokenizer.sep_token} if found else set()
    return {
        name: torch.tensor([table.get(_OTHERS if token in around else token, table.get(_OTHERS, 0)) for token in tokens])
        for name, table in found.items()
        if isinstance(table, Mapping) and tokens
    }


def with_inputs_by_id(inputs: Mapping[str, Any], tables: Mapping[str, Tensor]) -> Mapping[str, Any]:
    """`inputs` and what goes with its ids; nothing is known of ids beyond a tokenizer's (a row without a word): 0."""
    if not tables or "input_ids" not in inputs:
        return inputs
    ids: Tensor = inputs["input_ids"].cpu()
    more = {name: table[ids.clamp(max=len(table) - 1)] * (ids < len(table)) for name, table in tables.items()}
    return {**inputs, **{name: numbers.to(inputs["input_ids"].device) for name, numbers in more.items()}}
