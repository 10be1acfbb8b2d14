"""What capture costs: a forward with capture against the bare one, captured bytes against eager's matrices."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable
from pathlib import Path

import psutil
import torch

from headscope.core import load_model
from headscope.core.errors import readable_bytes
from headscope.core.model import Model
from tests.benchmarks.figures import Figure, seconds_of, side_by_side
from tests.installed_models import REACTION, STORY, albert, smollm2

OPTIONS = {"logits_to_keep": 1, "use_cache": False}
"""As `Model.capture` asks for; models that do not take them ignore them in both passes."""


def figures() -> list[Figure]:
    """Of two real models, at 512 tokens, and 2,048 where the model reads as many; at 8,192 once, where 8 GB are free."""
    long = psutil.virtual_memory().available > 8 << 30
    return [
        *_costs("ALBERT (rxnmapper)", "albert", albert(), 512, rounds=9),
        *_costs("SmolLM2-135M", "smollm2", smollm2(), 512, rounds=5),
        *_costs("SmolLM2-135M", "smollm2", smollm2(), 2048, rounds=3),
        *(_costs("SmolLM2-135M", "smollm2", smollm2(), 8192, rounds=1) if long else []),
    ]


def text_of(model: Model, name: str, n_tokens: int) -> str:
    """A text that the model reads as this many tokens."""
    unit = {"albert": f"{REACTION}.", "smollm2": STORY}[name]
    axis = model.tokenizer.encode(unit * (1 + n_tokens // 20)).axis
    inside = [token for token in axis.tokens if token.start >= 0]
    n_special = len(axis) - len(inside)
    return axis.text[: inside[n_tokens - n_special - 1].end]


def _costs(name: str, key: str, source: Path, n_tokens: int, *, rounds: int) -> list[Figure]:
    model = load_model(str(source), device="cpu", dtype="float32")
    text = text_of(model, key, n_tokens)
    encoded, _ = model.encode(text)
    record, _ = model.observe(encoded, **OPTIONS)
    (kind,) = record.kinds
    case = f"{name}, {len(record.axis(kind).queries)} tokens"
    n_layers, n_heads = model.info.layers[kind]
    eager = n_layers * n_heads * len(encoded.ids) ** 2 * 4
    share, behind = record.nbytes / eager, f"{readable_bytes(record.nbytes)} ÷ {readable_bytes(eager)}"
    with_capture, bare = seconds_of(lambda: model.observe(encoded, **OPTIONS)), seconds_of(_bare_pass(model, text))
    return [
        side_by_side("forward with capture ÷ bare forward", case, with_capture, bare, rounds=rounds),
        Figure("captured bytes ÷ eager's matrices", case, share, share, share, behind, 1),
    ]


def _bare_pass(model: Model, text: str) -> Callable[[], object]:
    """The same pass without us: transformers' own SDPA attention, called as its documentation says."""
    shared = {id(weights): weights for weights in (*model.module.parameters(), *model.module.buffers())}
    module = copy.deepcopy(model.module, shared)  # the layers anew, over the same weights
    module.set_attn_implementation("sdpa")
    assert module.config._attn_implementation == "sdpa" != model.module.config._attn_implementation
    inputs = model.inputs(model.encode(text)[0])
    accepted = {name: value for name, value in OPTIONS.items() if name in inspect.signature(module.forward).parameters}

    @torch.inference_mode()
    def forward() -> object:
        return module(**inputs, **accepted)

    return forward
