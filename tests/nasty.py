"""Texts that have broken programs: `tests/data/nasty.json`, where the long ones are rules; and small models that read them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers as hf

from tests.make_tokenizer import make_tokenizer
from tests.tiny_models import write_masked
from tests.word_level import word_level

_FILE = Path(__file__).parent / "data" / "nasty.json"
MODELS = ("WordPiece", "bytes", "SentencePiece", "words")
_LARGE = {"a million characters": ("bytes", "words"), "a million letters of one word": ("WordPiece", "SentencePiece")}


def cases() -> list[tuple[str, str]]:
    """(kind of model, name of text): each with each, but for those that take seconds."""
    return [(kind, name) for kind in MODELS for name in names() if kind in _LARGE.get(name, MODELS)]


def names() -> list[str]:
    return [entry["name"] for entry in _entries()]


def nasty(name: str, special: Sequence[str] = ()) -> str:
    """A text by its name; `special` are the special tokens of the model that it is for."""
    (entry,) = (entry for entry in _entries() if entry["name"] == name)
    rule = entry.get("rule", {})
    if rule.get("special"):
        return " ".join(["the", *special, "cat", "".join(special)])
    whole = rule.get("before", "") + rule.get("repeat", "") * rule.get("times", 0) + rule.get("after", "")
    return str(entry.get("text", whole))


def _entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(_FILE.read_text(encoding="ascii"))
    return entries


def write_models(folder: Path) -> dict[str, Path]:
    """A masked model for each way to cut texts into tokens, of 64 positions."""
    torch.manual_seed(0)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    bytes_, pieces, words = make_tokenizer("roberta", whole=True), make_tokenizer("xlm-roberta"), word_level()
    written = {"WordPiece": write_masked(folder / "WordPiece")}
    for name, tokenizer in (("bytes", bytes_), ("SentencePiece", pieces)):
        config = hf.RobertaConfig(
            vocab_size=len(tokenizer),
            pad_token_id=tokenizer.pad_token_id,
            max_position_embeddings=66,
            type_vocab_size=1,
            **size,
        )
        hf.RobertaForMaskedLM(config).save_pretrained(folder / name)
        tokenizer.save_pretrained(folder / name)
        written[name] = folder / name
    hf.BertForMaskedLM(hf.BertConfig(vocab_size=len(words), max_position_embeddings=64, **size)).save_pretrained(
        folder / "words"
    )
    words.save_pretrained(folder / "words")
    written["words"] = folder / "words"
    return written
