"""Scores before the softmax, q·k · scaling with what is added to it (position bias, soft cap), where queries and keys were kept."""

from __future__ import annotations

import math

import numpy as np
import torch

from headscope.core.attention.kept.layer import Layer
from headscope.core.attention.maps.pooling import PooledPicture
from headscope.core.job import Cancel
from headscope.core.vocabulary import FloatArray


@torch.inference_mode()
def pooled_scores(
    layer: Layer, *, batch: int, head: int, rows: range, keys: range, height: int, width: int, cancel: Cancel
) -> FloatArray:
    """A part of a head's scores as a picture, in blocks; with as many pixels as cells it is the scores themselves.

    Returns
    -------
    float32, (min(height, len(rows)), min(width, len(keys)))
        Each pixel the exact maximum of the cells it covers; NaN where all of them are hidden from their queries.

    Raises
    ------
    HeadscopeError
        ``no_scores``
    Cancelled
        Between two blocks.
    """
    picture = PooledPicture(rows, keys, min(height, len(rows)), min(width, len(keys)), "max", empty=-math.inf)
    for block in layer.row_blocks(rows=rows, head=head):
        cancel.check()
        picture.add(block, layer.scores(block, batch=batch, head=head))
    found: FloatArray = picture.finished()[0]
    found[np.isneginf(found)] = np.nan
    return found
