"""The toys rebuilt from torch.nn's Transformer layers, to compare with ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn

from headscope.core.model import Model
from headscope.core.numerics import computed_in, softmax_tolerance, spread_of, sums_of_layers
from headscope.core.toy.model import Block, Stack, ToyTransformer


def compared_with_torch(model: Model, text: str, pair: str | None = None) -> Iterator[tuple[str, float, float]]:
    """(what, largest difference, what rounding explains) of each kind of attention, and of the predicted probabilities.

    Encoders and decoders alone: torch.nn's layers normalise before each part as ours do, and have the same parameters.
    """
    source, _ = model.encode(text, pair)
    record, output = model.observe(source)
    module = model.module
    assert isinstance(module, ToyTransformer)
    maps, logits = _plain_pass(module, model.inputs(source))
    dtype, length = computed_in(module), sums_of_layers(module, model.info.n_layers)
    (kind,) = record.kinds
    worst = max(
        float((torch.from_numpy(record.layer_weights(layer, kind)) - weights.float().cpu()).abs().max())
        for layer, weights in enumerate(maps)
    )
    yield f"{kind} attention", worst, softmax_tolerance(max(map(spread_of, maps)), dtype, length)
    spread = float((logits.amax(-1) - logits.amin(-1)).max())
    difference = (output.logits[0].softmax(-1) - logits.softmax(-1)).abs().max()
    yield "predicted probabilities", float(difference), softmax_tolerance(spread, dtype, length)


@torch.inference_mode()
def _plain_pass(module: ToyTransformer, inputs: dict[str, Tensor]) -> tuple[list[Tensor], Tensor]:
    """The weights (n_heads, n_queries, n_keys) of each layer, and the logits (n_tokens, vocabulary)."""
    is_causal = module.config.family == "decoder"
    stack: Stack = module.decoder if is_causal else module.encoder
    n_tokens = inputs["input_ids"].shape[1]
    mask = nn.Transformer.generate_square_subsequent_mask(n_tokens) if is_causal else None
    hidden = stack.embedding(inputs["input_ids"], inputs.get("token_type_ids"), 0)
    maps = []
    for block in stack.blocks:
        assert isinstance(block, Block)
        layer = _plain_layer(block, module.config)
        normed = layer.norm1(hidden)
        _, weights = layer.self_attn(normed, normed, normed, attn_mask=mask, need_weights=True, average_attn_weights=False)
        maps.append(weights[0])
        hidden = layer(hidden, src_mask=mask)
    return maps, module.vocabulary(stack.norm(hidden))[0]


def _plain_layer(block: Block, config: Any) -> nn.TransformerEncoderLayer:
    layer = nn.TransformerEncoderLayer(
        config.d_model, config.n_heads, config.d_feed_forward, 0.0, "gelu", batch_first=True, norm_first=True
    ).eval()
    attention: Any = block.attention
    first, _, second = block.feed_forward
    parts = (attention.query, attention.key, attention.value)
    state: dict[str, Tensor] = {
        "self_attn.in_proj_weight": torch.cat([part.weight for part in parts]),
        "self_attn.in_proj_bias": torch.cat([part.bias for part in parts]),
    }
    named: dict[str, Any] = {"self_attn.out_proj": attention.output, "linear1": first, "linear2": second}
    named |= {"norm1": block.attention_norm, "norm2": block.feed_forward_norm}
    for name, part in named.items():
        state |= {f"{name}.weight": part.weight, f"{name}.bias": part.bias}
    layer.load_state_dict(state)
    placed: nn.TransformerEncoderLayer = layer.to(attention.query.weight.device, attention.query.weight.dtype)
    return placed
