"""Ablating every head once, against as many passes of their own.

All 270 heads of SmolLM2 are ablated by one sweep, which shares what the edited copies have in common. The separate passes are
what one would write without it: the same edit in a pass over the same text, with the logits of the last token only, no record
kept, and no cache. Every fifth head has one, spread over all layers, and their time counts five times. Both take turns.
"""

from __future__ import annotations

import time

from headscope.core import load_model
from headscope.core.analyse.sweeps import Question, ablate_heads
from headscope.core.attention.fallback import recorder_for
from headscope.core.intervention import ablate
from tests.benchmarks.figures import Figure, compared
from tests.installed_models import smollm2

TEXTS = {
    "5 tokens": "The capital of France is",
    "56 tokens": "The Eiffel Tower is a wrought-iron lattice tower on the Champ de Mars. It is named after the engineer Gustave "
    "Eiffel, whose company designed and built the tower from 1887 to 1889. The tower is located in the city of",
}
SHARE = 5
ROUNDS = 3


def figures() -> list[Figure]:
    """Of a short and a longer prompt."""
    model = load_model(str(smollm2()), device="cpu", dtype="float32")
    n_layers, n_heads = model.info.layers["decoder"]
    heads = [(layer, head) for layer in range(n_layers) for head in range(n_heads)]
    found = []
    for case, text in TEXTS.items():
        source, _ = model.encode(text)
        inputs = model.inputs(source)

        def swept(text: str = text) -> float:
            began = time.perf_counter()
            for _ in ablate_heads(model, Question(text)):
                pass
            return time.perf_counter() - began

        def separate(inputs: dict = inputs) -> float:
            began = time.perf_counter()
            for layer, head in heads[::SHARE]:
                recorder = recorder_for(model.module, model.info.tier, intervention=ablate(layer, head), keep_layers=False)
                with recorder.recording():
                    model.forward(inputs, logits_to_keep=1, use_cache=False)
            return (time.perf_counter() - began) * SHARE

        swept()
        pairs = [(swept(), separate()) for _ in range(ROUNDS)]
        found.append(compared(f"sweep of {len(heads)} heads ÷ separate passes", f"SmolLM2-135M, {case}", pairs))
    return found
