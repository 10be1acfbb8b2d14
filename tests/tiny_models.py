"""Folders as a user may have them: tiny models with sharp random weights, and a tokenizer beside them."""

from __future__ import annotations

from pathlib import Path

import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors

from tests.golden.families import FAMILIES, VOCABULARY, built

WORDS = ["the", "cat", "sat", "on", "a", "mat", "play", "##ing", "##ed", "walk", "人", "工", "."]


def write_masked(folder: Path) -> Path:
    """A BERT with the pieces of words that BERTs have."""
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
    vocabulary += [f"word{number}" for number in range(VOCABULARY - len(vocabulary))]
    tokenizer = hf.BertTokenizer(vocab={word: index for index, word in enumerate(vocabulary)})
    return _written("bert", tokenizer, folder)


def write_decoder(folder: Path, family: str = "gpt2") -> Path:
    """A decoder whose tokens are letters; the text begins with <s>."""
    tokenizer = _letters()
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    ends = hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", unk_token="<unk>")
    return _written(family, ends, folder)


def write_encoder_decoder(folder: Path, family: str = "t5") -> Path:
    """An encoder-decoder whose tokens are letters; the source ends with </s>."""
    tokenizer = _letters()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 2)])
    ends = hf.PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="</s>", unk_token="<unk>", pad_token="<pad>")
    return _written(family, ends, folder)


def _letters() -> Tokenizer:
    """One token for each visible byte; blanks are letters too."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    wanted = ["Ġ", *(letter for letter in alphabet if letter.isascii())][: VOCABULARY - 4]
    vocabulary = {word: index for index, word in enumerate(["<pad>", "<s>", "</s>", "<unk>", *wanted])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def _written(family: str, tokenizer: hf.PreTrainedTokenizerBase, folder: Path) -> Path:
    (chosen,) = (each for each in FAMILIES if each.name == family)
    built(chosen).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
