"""The same on an accelerator, where there is one: a Llama of 1.2 billion parameters with random weights, 8,192 tokens, bfloat16.

Random weights attend to nothing in particular, but cost what trained ones cost. The synchronised passes take turns as on the CPU.
Without an accelerator there are no figures.
"""

from __future__ import annotations

import torch
import transformers

from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import readable_bytes
from headscope.core.models.hub.attention import FAST, install
from headscope.core.text.tokens import Token, TokenAxis
from tests.benchmarks.figures import Figure, seconds_of, side_by_side

SIZES = {
    "vocab_size": 32000,
    "hidden_size": 2048,
    "intermediate_size": 8192,
    "num_hidden_layers": 16,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "max_position_embeddings": 16384,
}
N_TOKENS = 8192


def figures() -> list[Figure]:
    """Forward with capture ÷ bare, and what the record takes against eager's matrices; nothing without CUDA."""
    return costs(torch.device("cuda"), SIZES, N_TOKENS, torch.bfloat16) if torch.cuda.is_available() else []


def costs(device: torch.device, sizes: dict[str, int], n_tokens: int, dtype: torch.dtype, rounds: int = 9) -> list[Figure]:
    """The figures of one device, for a Llama of these sizes."""
    torch.manual_seed(0)
    config = transformers.LlamaConfig(**sizes, bos_token_id=1, eos_token_id=2)
    with device:
        model = transformers.LlamaForCausalLM(config).to(dtype).eval()
    ids = torch.randint(3, sizes["vocab_size"], (1, n_tokens), device=device)
    axis = TokenAxis(tuple(Token(str(token), token) for token in range(n_tokens)))
    backend = install(model)
    kept: list[AttentionRecord] = []

    def wait() -> None:
        if device.type == "cuda":
            torch.cuda.synchronize()

    @torch.inference_mode()
    def bare() -> None:
        model.set_attn_implementation("sdpa")
        model(ids, use_cache=False, logits_to_keep=1)
        wait()

    @torch.inference_mode()
    def captured() -> None:
        model.set_attn_implementation(FAST)
        recorder = recorder_for(model, backend)
        with recorder.recording():
            model(ids, use_cache=False, logits_to_keep=1)
        wait()
        kept[:] = [recorder.record({"decoder": (axis, axis)}, backend=backend)]

    name = torch.cuda.get_device_name() if device.type == "cuda" else device.type
    case = f"Llama, {sum(p.numel() for p in model.parameters()) / 1e9:.2g} billion, {n_tokens} tokens, {dtype}, {name}"
    forward = side_by_side("forward with capture ÷ bare forward", case, seconds_of(captured), seconds_of(bare), rounds=rounds)
    eager = sizes["num_hidden_layers"] * sizes["num_attention_heads"] * n_tokens**2 * dtype.itemsize
    (record,) = kept
    share, behind = record.nbytes / eager, f"{readable_bytes(record.nbytes)} ÷ {readable_bytes(eager)}"

    def thumbnails() -> None:
        for _ in record.thumbnails("decoder"):
            wait()

    return [
        forward,
        Figure("captured bytes ÷ eager's matrices", case, share, share, share, behind, 1),
        side_by_side("thumbnails of all heads ÷ one forward", case, seconds_of(thumbnails), seconds_of(bare), rounds=3),
    ]
