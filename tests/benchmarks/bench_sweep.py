"""Ablating every head once, against as many passes of their own.

One sweep ablates all heads, sharing what the edited copies have in common. The separate passes are what one would write without
it: the same edit in a pass over the same text, no record kept, no cache, and a decoder's logits of the last token only. Every
fifth head (of the longer texts, fewer) has one, spread over all layers, and their time counts as often. Both take turns.
"""

from __future__ import annotations

import time

from headscope.core import load_model
from headscope.core.analyse.causal.sweeps import Question, ablate_heads
from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.intervention import ablate
from headscope.core.model import Model
from tests.benchmarks.bench_core import text_of
from tests.benchmarks.figures import Figure, compared
from tests.installed_models import albert, smollm2

CAPITAL = "The capital of France is"
TOWER = (
    "The Eiffel Tower is a wrought-iron lattice tower on the Champ de Mars. It is named after the engineer Gustave Eiffel, whose "
    "company designed and built the tower from 1887 to 1889. The tower is located in the city of"
)


def figures() -> list[Figure]:
    """Of SmolLM2's 270 heads at 5, 56 and 512 tokens and ALBERT's 96 at 512."""
    language, reactions = (load_model(str(source()), device="cpu", dtype="float32") for source in (smollm2, albert))
    masked = "[MASK]" + text_of(reactions, "albert", 512)[1:]
    return [
        _sweep("SmolLM2-135M, 5 tokens", language, CAPITAL, every=5, rounds=3),
        _sweep("SmolLM2-135M, 56 tokens", language, TOWER, every=5, rounds=3),
        _sweep("ALBERT (rxnmapper), 512 tokens", reactions, masked, every=4, rounds=2),
        _sweep("SmolLM2-135M, 512 tokens", language, text_of(language, "smollm2", 512), every=14, rounds=1),
    ]


def _sweep(case: str, model: Model, text: str, *, every: int, rounds: int) -> Figure:
    (kind,) = model.info.layers
    n_layers, n_heads = model.info.layers[kind]
    heads = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
    inputs = model.inputs(model.encode(text)[0])

    def swept() -> float:
        began = time.perf_counter()
        for _ in ablate_heads(model, Question(text)):
            pass
        return time.perf_counter() - began

    def separate() -> float:
        began, chosen = time.perf_counter(), heads[::every]
        for layer, head in chosen:
            recorder = recorder_for(model.module, model.info.backend, intervention=ablate(layer, head), keep_layers=False)
            with recorder.recording():
                model.forward(inputs, logits_to_keep=1, use_cache=False)
        return (time.perf_counter() - began) * len(heads) / len(chosen)

    next(ablate_heads(model, Question(text)))  # warms up, and tries whether copies may join on the way
    pairs = [(swept(), separate()) for _ in range(rounds)]
    return compared(f"sweep of {len(heads)} heads ÷ separate passes", case, pairs)
