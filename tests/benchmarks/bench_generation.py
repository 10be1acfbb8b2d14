"""What capture costs in generation: the same loop with and without it, token by token; and what is kept, against the cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from torch import Tensor

from headscope.core import load_model
from headscope.core.errors import readable_bytes
from headscope.core.model import Model
from headscope.core.options import Sampling
from headscope.core.predict.predictions import prediction_of
from headscope.core.predict.reader import IncrementalPass, longer
from headscope.core.predict.sampling import choose, generator_of, said, stages_of
from headscope.core.text.tokenizer import Encoded
from tests.benchmarks.bench_core import text_of
from tests.benchmarks.figures import Figure, compared
from tests.installed_models import smollm2

N_TOKENS = 40
GREEDY = Sampling()


def figures() -> list[Figure]:
    """Of SmolLM2, behind 512 and 2,048 tokens."""
    model = load_model(str(smollm2()), device="cpu", dtype="float32")
    return [figure for n_context in (512, 2048) for figure in _costs(model, n_context)]


def _costs(model: Model, n_context: int) -> list[Figure]:
    prompt, _ = model.encode(text_of(model, "smollm2", n_context))
    case = f"SmolLM2-135M, {N_TOKENS} tokens behind {n_context}"
    captured, bare = (_reader(model, prompt) for _ in range(2))
    # Both write the same text, turn by turn, so that whatever else the machine does happens to both.
    with_capture = _seconds(model, prompt, lambda written: captured.read(written)[0])
    without = _seconds(model, prompt, bare.logits)
    pairs = list(zip(with_capture, without, strict=True))[1:]  # the first ones read the prompt
    _, record = _reader(model, prompt).read(prompt)
    cache = sum(rows.untyped_storage().nbytes() for layer in captured._cache.layers for rows in (layer.keys, layer.values))
    share, behind = record.nbytes / cache, f"{readable_bytes(record.nbytes)} ÷ {readable_bytes(cache)}"
    return [
        compared("generation with capture ÷ without", case, pairs),
        Figure("record ÷ key-value cache, bytes (the keys are shared)", case, share, share, share, behind, 1),
    ]


def _reader(model: Model, prompt: Encoded) -> IncrementalPass:
    return IncrementalPass(model, prompt, writes_target=False, expected=len(prompt.ids) + N_TOKENS)


def _seconds(model: Model, prompt: Encoded, read: Callable[[Encoded], Tensor]) -> Iterator[float]:
    """How long each token takes, with all that a step of a generation is made of."""
    written = prompt
    for _ in range(N_TOKENS):
        began = time.perf_counter()
        logits = read(written)
        stages = stages_of(logits, GREEDY, written.ids)
        chosen, _ = choose(stages, GREEDY, generator_of(GREEDY))
        prediction = prediction_of(len(written.ids), logits, model.tokenizer, 10, whole=True)
        said(stages, [candidate.id for candidate in prediction.candidates])
        token, text = model.tokenizer.continuation(written.ids, chosen, written.axis.text)
        written = longer(written, token, text)
        yield time.perf_counter() - began
