"""A toy on disk: weights as fp16 safetensors, the vocabulary one word a line, and the recipe that made both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from headscope.core.errors import HeadscopeError
from headscope.core.files.atomic import atomic_write
from headscope.core.process import randomness_kept
from headscope.core.toy.model import ToyConfig, ToyTransformer
from headscope.core.toy.tokenizer import WordTokenizer
from headscope.resources import toy_folder, toy_names

_WEIGHTS, _VOCABULARY, _RECIPE = "model.safetensors", "vocabulary.txt", "recipe.json"


def load_toy(name: str) -> tuple[ToyTransformer, WordTokenizer]:
    """The shipped toy `name`, in float32 on the CPU.

    Raises
    ------
    HeadscopeError
        ``unknown_toy``.
    """
    if name not in toy_names():
        raise HeadscopeError("unknown_toy", name=name, known=", ".join(toy_names()))
    return read_toy(toy_folder(name))


def read_toy(folder: Path) -> tuple[ToyTransformer, WordTokenizer]:
    """A toy that `write_toy` wrote."""
    config = ToyConfig(**json.loads((folder / _RECIPE).read_text(encoding="utf-8"))["config"])
    with randomness_kept():  # what it draws is written over
        model = ToyTransformer(config)
    model.load_state_dict({name: weights.float() for name, weights in load_file(folder / _WEIGHTS).items()})
    words = (folder / _VOCABULARY).read_text(encoding="utf-8").splitlines()
    return model.eval(), WordTokenizer(words)


def write_toy(folder: Path, model: ToyTransformer, tokenizer: WordTokenizer, recipe: Mapping[str, Any]) -> None:
    """Write a toy; each file is complete or not there.

    Raises
    ------
    HeadscopeError
        ``no_disk_space`` or ``cannot_write``.
    """
    weights = {name: tensor.detach().to(torch.float16).contiguous() for name, tensor in model.state_dict().items()}
    with atomic_write(folder / _WEIGHTS) as path:
        path.write_bytes(save(weights))
    with atomic_write(folder / _VOCABULARY) as path:
        path.write_text("\n".join(tokenizer.words) + "\n", encoding="utf-8")
    with atomic_write(folder / _RECIPE) as path:
        path.write_text(json.dumps({**recipe, "config": asdict(model.config)}, indent=2) + "\n", encoding="utf-8")
