"""Pictures of attention maps that never exist as a whole: each pixel the maximum or the mean of the cells it covers.

A picture of a long text must not lose a single bright cell, so pixels are maxima where nothing else is wanted. (A mean would fade
a diagonal of ones to nothing; taking single cells would miss most of it.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - everybody's name for it
from torch import Tensor

from headscope.core.attention.head_map import Pooling
from headscope.core.attention.kept.layer import Layer
from headscope.core.attention.lens import WEIGHTS, Lens
from headscope.core.attention.maps.fused_pooling import maxima, means, takes_maxima, takes_means
from headscope.core.attention.maps.reducing import reduced
from headscope.core.job import Cancel
from headscope.core.vocabulary import FloatArray


def relative_to_rows(weights: Tensor) -> Tensor:
    """Weights (n_heads, n_rows, seen) divided by the largest of their row; rows without any stay 0."""
    most = weights.amax(-1, keepdim=True)
    return weights / most.where(most > 0, 1)


def edges(n_cells: int, n_pixels: int) -> list[int]:
    """Where pixels begin, and the end of the last: each cell belongs to one pixel, floor(i·n/p) to floor((i+1)·n/p)."""
    return [i * n_cells // n_pixels for i in range(n_pixels + 1)]


class PooledPicture:
    """A picture that grows from blocks of rows, in any order.

    Parameters
    ----------
    rows, keys : range
        The part of the map that is shown.
    height, width : int
        Pixels: at least 1, at most as many as there are rows and keys.
    how : Pooling
    n_heads : int
    lens : Lens
        What the numbers are: which of those under a pixel is shown, and whether cells without one count.
    """

    def __init__(
        self, rows: range, keys: range, height: int, width: int, how: Pooling, n_heads: int = 1, *, lens: Lens = WEIGHTS
    ) -> None:
        self._rows = [rows.start + edge for edge in edges(len(rows), height)]
        self._keys = edges(len(keys), width)
        self._first_key, self._end_key = keys.start, keys.stop
        self._how: Pooling = how
        self._lens = lens
        # Weights that are not seen are 0, and none is smaller; of other numbers a pixel has none before it has one.
        self._pads = lens.is_signed and not lens.hides
        start = -math.inf if how == "max" and (lens.is_signed or lens.hides) else 0.0
        self._picture = np.full((n_heads, height, width), start, np.float32)
        self._lowest = np.full_like(self._picture, -math.inf) if how == "max" and lens.pixel == "furthest" else None
        self._counts = np.zeros_like(self._picture) if how == "mean" and lens.hides else None

    def add(self, block: range, weights: Tensor, heads: slice = slice(None)) -> None:
        """Take up numbers (n_heads, len(block), seen) of the rows `block`; keys from `seen` on have none, or 0."""
        seen = weights[..., self._first_key : self._end_key]
        if self._pads:
            seen = F.pad(seen, (0, self._end_key - self._first_key - seen.shape[-1]))
        if not seen.shape[-1]:
            return
        if self._counts is not None:
            there = seen > -math.inf
            self._add_to(self._counts, block, there.to(seen.dtype), heads)
            seen = seen.where(there, 0)
        self._add_to(self._picture, block, seen, heads)
        if self._lowest is not None:
            self._add_to(self._lowest, block, (-seen).where(seen > -math.inf, -math.inf), heads)

    def _add_to(self, picture: FloatArray, block: range, seen: Tensor, heads: slice) -> None:
        n_columns = int(np.searchsorted(self._keys, seen.shape[-1]))
        across = [*self._keys[:n_columns], seen.shape[-1]]
        in_rows = reduced(seen, self._bounds(block), 1, self._how)
        self._take_up(picture, block, reduced(in_rows, across, 2, self._how), heads)

    def add_across(self, block: range, pixels: Tensor, heads: slice = slice(None)) -> None:
        """Take up what is the maximum or the sum over the keys of each pixel already: (n_heads, len(block), pixels seen)."""
        self._take_up(self._picture, block, reduced(pixels, self._bounds(block), 1, self._how), heads)

    def _pixels(self, block: range) -> tuple[int, int]:
        """The first and the last row of pixels that show something of `block`."""
        first, last = np.searchsorted(self._rows, (block.start, block.stop - 1), side="right") - 1
        return int(first), int(last)

    def _bounds(self, block: range) -> list[int]:
        first, last = self._pixels(block)
        return [min(max(row - block.start, 0), len(block)) for row in self._rows[first : last + 2]]

    def _take_up(self, picture: FloatArray, block: range, pooled: Tensor, heads: slice) -> None:
        first, last = self._pixels(block)
        part, pixels = picture[heads, first : last + 1, : pooled.shape[-1]], pooled.cpu().numpy()
        if self._how == "max":
            np.maximum(part, pixels, out=part)  # a pixel's rows may reach over the block's end
        else:
            part += pixels

    def finished(self) -> FloatArray:
        """float32 (n_heads, height, width); NaN where no cell has a number."""
        if self._counts is not None:
            with np.errstate(invalid="ignore"):
                self._picture /= self._counts
        elif self._how == "mean":
            self._picture /= np.diff(self._rows)[:, None] * np.diff(self._keys).astype(np.float32)
        if self._lowest is not None:
            self._picture = np.where(self._picture >= self._lowest, self._picture, -self._lowest)
        if self._lens.hides:
            self._picture[np.isinf(self._picture)] = np.nan
        return self._picture


@torch.inference_mode()
def pooled(
    layer: Layer,
    *,
    batch: int,
    head: int | None,
    height: int,
    width: int,
    rows: range | None = None,
    keys: range | None = None,
    how: Pooling = "max",
    by_row: bool = False,
    cancel: Cancel | None = None,
) -> FloatArray:
    """A part of the maps of one head, or of all heads (None), in blocks; of a causal layer half of it is never computed.

    With `by_row` each weight is first divided by the largest of its row. A maximum is what the layer's lens says of pixels.

    Returns
    -------
    float32, (1 or n_heads, min(height, len(rows)), min(width, len(keys)))

    Raises
    ------
    Cancelled
        Between two blocks.
    """
    n_heads, n_queries, n_keys = layer.shape
    rows, keys = range(n_queries) if rows is None else rows, range(n_keys) if keys is None else keys
    height, width = min(height, len(rows)), min(width, len(keys))
    picture = PooledPicture(rows, keys, height, width, how, n_heads if head is None else 1, lens=layer.seen_through)
    is_whole = (len(rows), len(keys)) == (n_queries, n_keys)
    if is_whole and not by_row and (takes_means(layer, width) if how == "mean" else takes_maxima(layer)):
        across = means if how == "mean" else maxima
        for number, one in enumerate(range(n_heads) if head is None else [head]):
            for block, pixels in across(layer, one, edges(n_keys, width), batch=batch):
                (cancel or Cancel()).check()
                picture.add_across(block, pixels, slice(number, number + 1))
        return picture.finished()
    for turn in _in_turns(layer, rows, head):
        heads = slice(None) if turn is None or head is not None else slice(turn, turn + 1)
        for block in layer.row_blocks(rows=rows, head=turn):
            (cancel or Cancel()).check()
            weights = layer.weights(block, batch=batch, head=turn)
            picture.add(block, relative_to_rows(weights) if by_row else weights, heads)
    return picture.finished()


def blocks_of_heads(layer: Layer, *, batch: int) -> Iterator[tuple[range, Iterator[Tensor]]]:
    """All weights of all heads, some rows at a time.

    Yields
    ------
    range
        The rows.
    iterator of Tensor, float32 (some heads, len(rows), seen)
        All heads, in order: at once, or one after the other where that is faster.
    """
    rows = range(layer.shape[1])
    turns = _in_turns(layer, rows, None)
    for block in layer.row_blocks(rows=rows, head=turns[0]):
        yield block, (layer.weights(block, batch=batch, head=turn) for turn in turns)


_FEW_ROWS = 64


def _in_turns(layer: Layer, rows: range, head: int | None) -> Sequence[int | None]:
    """All heads at once while a block has room for many of their rows: with few, matrix multiplication is slow."""
    if head is not None or layer.computes_all_heads:
        return [head]
    block = next(iter(layer.row_blocks(rows=rows, head=None)), rows)
    return [None] if len(block) >= min(_FEW_ROWS, len(rows)) else range(layer.shape[0])
