"""Small pictures of whole attention maps that never exist as a whole.

A picture of a long text must not lose a single bright cell, so pixels are maxima. (A mean would fade a diagonal of ones to
nothing; taking single cells would miss most of it.)
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.attention.layers import Layer
from headscope.core.jobs import Cancel, FloatArray


def bins(n_cells: int, n_pixels: int) -> list[range]:
    """The cells that each pixel covers: floor(i·n/p) to ceil((i+1)·n/p), as in adaptive pooling; neighbours may share one."""
    return [range(i * n_cells // n_pixels, -((i + 1) * -n_cells // n_pixels)) for i in range(n_pixels)]


@torch.inference_mode()
def thumbnail(layer: Layer, size: int, *, batch: int, cancel: Cancel) -> FloatArray:
    """The exact maximum of each pixel's cells, for all heads of a layer.

    Rows are computed in blocks of about `layers.BLOCK_BYTES` of scores; blocks of a causal layer end at their last visible key.

    Returns
    -------
    float32, (n_heads, min(size, n_queries), min(size, n_keys))

    Raises
    ------
    Cancelled
        Between two blocks.
    """
    n_heads, n_queries, n_keys = layer.shape
    height, width = min(size, n_queries), min(size, n_keys)
    rows_of = bins(n_queries, height)
    picture = np.zeros((n_heads, height, width), np.float32)
    for block in layer.row_blocks(rows=range(n_queries), head=None):
        cancel.check()
        weights = layer.weights(block, batch=batch, head=None)  # (n_heads, len(block), seen)
        first = next(pixel for pixel, rows in enumerate(rows_of) if rows.stop > block.start)
        last = next(pixel for pixel in reversed(range(height)) if rows_of[pixel].start < block.stop)
        brightest = [
            weights[:, max(rows.start - block.start, 0) : rows.stop - block.start].amax(1) for rows in rows_of[first : last + 1]
        ]
        pooled = _pool_keys(torch.stack(brightest, 1), n_keys, width).cpu().numpy()
        part = picture[:, first : last + 1]
        np.maximum(part, pooled, out=part)  # a pixel's rows may reach over the block's end
    return picture


def _pool_keys(weights: Tensor, n_keys: int, width: int) -> Tensor:
    """(n_heads, n_rows, seen) to (n_heads, n_rows, width); keys that are not seen have weight 0."""
    return F.adaptive_max_pool1d(F.pad(weights, (0, n_keys - weights.shape[-1])), width)
