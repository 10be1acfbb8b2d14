"""What thumbnails of every head cost, beside one forward of the same text."""

from __future__ import annotations

from pathlib import Path

from headscope.core import load_model
from tests.benchmarks.bench_core import OPTIONS, text_of
from tests.benchmarks.figures import Figure, seconds_of, side_by_side
from tests.installed_models import albert, smollm2

SIZE = 32
"""Pixels along a side, as the grid of heads asks for."""


def figures() -> list[Figure]:
    """Exact maxima and exact means of all heads ÷ one forward with capture, at 512 tokens and, where the model reads as many, 2,048.

    Both are made from the same record, layer by layer as for the screen, on the CPU with torch's own number of threads; forward and
    thumbnails take turns.
    """
    return [
        *_thumbnails("ALBERT (rxnmapper)", "albert", albert(), 512, rounds=7),
        *_thumbnails("SmolLM2-135M", "smollm2", smollm2(), 512, rounds=5),
        *_thumbnails("SmolLM2-135M", "smollm2", smollm2(), 2048, rounds=3),
    ]


def _thumbnails(name: str, key: str, source: Path, n_tokens: int, *, rounds: int) -> list[Figure]:
    model = load_model(str(source), device="cpu", dtype="float32")
    encoded, _ = model.encode(text_of(model, key, n_tokens))
    record, _ = model.observe(encoded, **OPTIONS)
    (kind,) = record.kinds
    case = f"{name}, {n_tokens} tokens, {record.n_layers(kind) * record.n_heads(kind)} heads"
    forward = seconds_of(lambda: model.observe(encoded, **OPTIONS))
    return [
        side_by_side(
            f"thumbnails of all heads ({words}) ÷ one forward",
            case,
            seconds_of(lambda how=how: list(record.thumbnails(kind, SIZE, how=how))),
            forward,
            rounds=rounds,
        )
        for how, words in (("max", "maxima"), ("mean", "means"))
    ]
