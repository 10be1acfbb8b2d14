"""Tiny classifiers, taggers and models that answer questions, in folders as a user has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers as hf

from tests.golden.families import ENDS, GROUPED, SIZES, VOCABULARY
from tests.tiny_models import WORDS

_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_GPT = {"vocab_size": VOCABULARY, "n_positions": 64, "n_embd": 64, "n_layer": 3, "n_head": 4, **ENDS}
_SEP = {"eos_token_id": 3, "pad_token_id": 0, "bos_token_id": 2}
_BART = {
    **_SEP,
    "vocab_size": VOCABULARY,
    "d_model": 64,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 96,
    "decoder_ffn_dim": 96,
    "max_position_embeddings": 64,
    "decoder_start_token_id": 3,
}
_T5 = {
    **_SEP,
    "vocab_size": VOCABULARY,
    "d_model": 64,
    "d_kv": 16,
    "d_ff": 96,
    "num_layers": 2,
    "num_decoder_layers": 2,
    "num_heads": 4,
    "decoder_start_token_id": 0,
}
_DISTIL = {"vocab_size": VOCABULARY, "dim": 64, "n_layers": 3, "n_heads": 4, "hidden_dim": 96, "max_position_embeddings": 64}
_XLNET = {"vocab_size": VOCABULARY, "d_model": 64, "n_layer": 2, "n_head": 4, "d_inner": 96, **ENDS}
_ROBERTA = {**SIZES, "max_position_embeddings": 70, "pad_token_id": 0, "type_vocab_size": 1}
_DEBERTA = {**SIZES, "relative_attention": True, "pos_att_type": ["p2c", "c2p"], "max_relative_positions": 16}
_BLOOM = {"vocab_size": VOCABULARY, "hidden_size": 64, "n_layer": 3, "n_head": 4, "pad_token_id": 0, **ENDS}
_MODERN = {**SIZES, "pad_token_id": 0, "cls_token_id": 2, "sep_token_id": 3, "bos_token_id": 2, "eos_token_id": 3}
SETTINGS: dict[str, dict[str, Any]] = {
    "Bert": SIZES,
    "Electra": {**SIZES, "embedding_size": 32},
    "Roberta": _ROBERTA,
    "DistilBert": _DISTIL,
    "Albert": {**SIZES, "embedding_size": 32},
    "DebertaV2": _DEBERTA,
    "ModernBert": _MODERN,
    "XLNet": _XLNET,
    "GPT2": _GPT,
    "Llama": GROUPED,
    "Bloom": _BLOOM,
    "Bart": _BART,
    "MBart": _BART,
    "T5": _T5,
}


def word_pieces() -> hf.PreTrainedTokenizerBase:
    """As BERT's: it has a pair of texts, and pieces of words."""
    words = [*_SPECIAL, *WORDS]
    words += [f"word{number}" for number in range(VOCABULARY - len(words))]
    return hf.BertTokenizer(vocab={word: index for index, word in enumerate(words)})


def built(name: str, **settings: Any) -> Any:
    """A model of the class `name`, as ``BertForSequenceClassification``, with weights that tell texts apart."""
    family = next(family for family in sorted(SETTINGS, key=len, reverse=True) if name.startswith(f"{family}For"))
    config = getattr(hf, f"{family}Config")(**{**SETTINGS[family], **settings})
    torch.manual_seed(0)
    model = getattr(hf, name)(config)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() >= 2:
                fan_in = parameter[0].numel()
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * 1.4 / fan_in**0.5)
    return model.eval()


def write(folder: Path, name: str, **settings: Any) -> Path:
    """Such a model with its tokenizer."""
    built(name, **settings).save_pretrained(folder)
    word_pieces().save_pretrained(folder)
    return folder
