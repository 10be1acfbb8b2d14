"""A tokenizer of whole words, as people train them for languages of their own."""

from __future__ import annotations

from typing import Any

from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import PreTrainedTokenizerFast


def word_level(*, mask: bool = True) -> Any:
    """Words that blanks and punctuation part."""
    words = [
        "[UNK]",
        "[PAD]",
        "[MASK]",
        "the",
        "The",
        "cat",
        "goal",
        "of",
        "life",
        "is",
        "happiness",
        ".",
        ",",
        "isn",
        "'",
        "t",
    ]
    tokenizer = Tokenizer(models.WordLevel({word: number for number, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(single="[PAD] $A", special_tokens=[("[PAD]", 1)])
    names = {"mask_token": "[MASK]"} if mask else {}
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", **names)
