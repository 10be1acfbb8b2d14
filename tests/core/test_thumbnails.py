"""Thumbnails against the maximum taken cell by cell from the whole matrix."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from headscope.core.attention import layers
from headscope.core.attention.layers import LazyLayer
from headscope.core.attention.sights import Sight
from headscope.core.attention.thumbnails import bins, thumbnail
from headscope.core.jobs import Cancel, Cancelled


def layer_of(n_queries, n_keys, *, causal, n_heads=4, n_key_heads=2):
    generator = torch.Generator().manual_seed(n_queries)
    query = torch.randn(1, n_heads, n_queries, 8, generator=generator) * 3
    key = torch.randn(1, n_key_heads, n_keys, 8, generator=generator)
    return LazyLayer(query, key, 8**-0.5, (Sight(range(n_queries), range(n_keys), causal=causal),))


def whole_matrix(layer):
    query, key = layer.query[0], layer.key[0].repeat_interleave(2, 0)
    scores = query @ key.transpose(1, 2) * layer.scaling
    if layer.sights[0].causal:
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -math.inf)
    return scores.softmax(-1).numpy()


def pooled(matrix, size):
    """The definition, with loops."""
    n_heads, n_queries, n_keys = matrix.shape
    height, width = min(size, n_queries), min(size, n_keys)
    picture = np.empty((n_heads, height, width), np.float32)
    for row in range(height):
        rows = slice(math.floor(row * n_queries / height), math.ceil((row + 1) * n_queries / height))
        for column in range(width):
            columns = slice(math.floor(column * n_keys / width), math.ceil((column + 1) * n_keys / width))
            picture[:, row, column] = matrix[:, rows, columns].max((1, 2))
    return picture


@pytest.mark.parametrize("block_bytes", [4, 9_000, 8 << 20], ids=["a row a block", "blocks inside pixels", "one block"])
@pytest.mark.parametrize(
    ("n_queries", "n_keys", "causal"),
    [
        (64, 64, True),
        (64, 64, False),
        (75, 75, True),
        (33, 33, True),
        (20, 20, True),
        (1, 1, True),
        (7, 50, False),
        (50, 7, False),
    ],
)
def test_every_pixel_is_the_maximum_of_its_cells(monkeypatch, n_queries, n_keys, causal, block_bytes):
    monkeypatch.setattr(layers, "BLOCK_BYTES", block_bytes)
    layer = layer_of(n_queries, n_keys, causal=causal)
    expected = pooled(whole_matrix(layer), 32)
    picture = thumbnail(layer, 32, batch=0, cancel=Cancel())
    assert picture.dtype == np.float32
    assert picture.shape == expected.shape
    assert np.abs(picture - expected).max() <= 1e-6


def test_a_single_bright_cell_survives_any_length():
    n = 1001
    query = torch.zeros(1, 1, n, 4)
    key = torch.zeros(1, 1, n, 4)
    query[0, 0, 700, 0] = key[0, 0, 3, 0] = 10.0  # token 700 looks at token 3, the others everywhere alike
    layer = LazyLayer(query, key, 1.0, (Sight(range(n), range(n)),))
    picture = thumbnail(layer, 32, batch=0, cancel=Cancel())[0]
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    assert picture.max() == pytest.approx(1, abs=1e-6)
    assert (row, column) == (700 * 32 // n, 0)
    assert np.sort(picture.ravel())[-2] == pytest.approx(1 / n, rel=1e-3)


@pytest.mark.parametrize(("n_cells", "n_pixels"), [(64, 32), (75, 32), (33, 32), (5, 5), (1, 1), (1000, 7)])
def test_bins_are_those_of_adaptive_pooling(n_cells, n_pixels):
    cells = torch.arange(n_cells, dtype=torch.float64)[None]
    highest = torch.nn.functional.adaptive_max_pool1d(cells, n_pixels)[0]
    lowest = -torch.nn.functional.adaptive_max_pool1d(-cells, n_pixels)[0]
    found = bins(n_cells, n_pixels)
    assert [pixel.start for pixel in found] == lowest.int().tolist()
    assert [pixel.stop - 1 for pixel in found] == highest.int().tolist()


def test_memory_stays_bounded():
    """What is computed at a time does not grow with the square of the length."""
    layer = layer_of(3000, 3000, causal=True, n_heads=8, n_key_heads=4)
    sizes = [8 * len(block) * 3000 * 4 for block in layer.row_blocks(rows=range(3000), head=None)]
    assert max(sizes) <= layers.BLOCK_BYTES
    assert sum(sizes) == 8 * 3000 * 3000 * 4


def test_causal_blocks_end_at_their_last_visible_key():
    layer = layer_of(100, 100, causal=True)
    assert layer.weights(range(10, 20), batch=0, head=None).shape == (4, 10, 20)
    assert layer.weights(range(10, 20), batch=0, head=1).shape == (1, 10, 20)


def test_cancel_stops_between_blocks(monkeypatch):
    monkeypatch.setattr(layers, "BLOCK_BYTES", 4)
    cancel = Cancel()
    computed = []

    class Counting(LazyLayer):
        def weights(self, rows, *, batch, head):
            computed.append(rows)
            if len(computed) == 3:
                cancel.set()
            return super().weights(rows, batch=batch, head=head)

    plain = layer_of(50, 50, causal=True)
    with pytest.raises(Cancelled):
        thumbnail(Counting(plain.query, plain.key, plain.scaling, plain.sights), 32, batch=0, cancel=cancel)
    assert len(computed) == 3
