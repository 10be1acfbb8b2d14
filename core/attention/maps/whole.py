"""Every cell of some rows, for maps that are small enough."""

from __future__ import annotations

import numpy as np

from headscope.core.attention.kept.layer import Layer
from headscope.core.vocabulary import FloatArray


def whole(layer: Layer, rows: range, *, batch: int, head: int | None) -> FloatArray:
    """Of one head, or of all (None): float32 (1 or n_heads, len(rows), n_keys), NaN where the layer's lens has no number."""
    n_heads, _, n_keys = layer.shape
    hides = layer.seen_through.hides
    shape = n_heads if head is None else 1, len(rows), n_keys
    weights = np.full(shape, np.nan, np.float32) if hides else np.zeros(shape, np.float32)
    for block in layer.row_blocks(rows=rows, head=head):
        computed = layer.weights(block, batch=batch, head=head)
        weights[:, block.start - rows.start : block.stop - rows.start, : computed.shape[-1]] = computed.cpu().numpy()
    if hides:
        weights[np.isneginf(weights)] = np.nan
    return weights
