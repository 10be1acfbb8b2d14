"""Spoiling a model's files, and looking at how it is refused."""

import json
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.requests.models import LoadRequest
from headscope.core.requests.runs import CaptureRequest

WEIGHTS = "model.safetensors"
_SENTENCE = "the keys near the cabinet [MASK] rusty ."


def _ignore(_: object) -> None:
    pass


def refused(engine: Engine, source: object, **options: str) -> HeadscopeError:
    """The error that opening `source` ends with; a good one, and the toy that was loaded before still answers."""
    before = engine.handle(CaptureRequest(_SENTENCE), Job(), _ignore).predictions
    with pytest.raises(HeadscopeError) as captured:
        engine.handle(LoadRequest(str(source), **{"device": "cpu", **options}), Job(), _ignore)
    error = captured.value
    for sentence in (error.message, error.remedy):
        assert sentence.endswith(".")
        assert len(sentence) < 400
        assert sentence.isprintable()
        assert "Traceback" not in sentence
    assert engine.handle(CaptureRequest(_SENTENCE), Job(), _ignore).predictions == before
    return error


def edit_config(folder: Path, **changes: object) -> Path:
    """Change config.json; a value of ... takes the key away."""
    path = folder / "config.json"
    config = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({key: value for key, value in config.items() if value is not ...}))
    return folder


def edit_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Path:
    save_file(change(load_file(folder / WEIGHTS)), folder / WEIGHTS, metadata={"format": "pt"})
    return folder


def without(*parts: str) -> Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]:
    return lambda weights: {name: each for name, each in weights.items() if not any(part in name for part in parts)}


def with_header(folder: Path, header: object, content: bytes = b"") -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + content)
    return folder


def tensor(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}}
