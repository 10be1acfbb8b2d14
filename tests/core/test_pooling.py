"""Pictures of maps against maxima and means taken cell by cell from the whole matrix, for every sort of layer."""

from __future__ import annotations

import math
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from headscope.core.attention.head_map import FAINTEST
from headscope.core.attention.intervention import Uniform
from headscope.core.attention.kept import layer as layer_file
from headscope.core.attention.kept.edited import EditedLayer
from headscope.core.attention.kept.layer import AsWrittenLayer, LazyLayer
from headscope.core.attention.kept.stored import Piece, StoredLayer
from headscope.core.attention.kept.visibility import Visibility
from headscope.core.attention.maps import fused_pooling
from headscope.core.attention.maps.overview import first_overview, overview
from headscope.core.attention.maps.pooling import edges, pooled
from headscope.core.attention.maps.reducing import reduced
from headscope.core.job import Cancel, Cancelled
from tests import allowed

SIZE = 32


def layer_of(n_queries, n_keys, *visibility, causal=False, n_heads=4, n_key_heads=2):
    generator = torch.Generator().manual_seed(n_queries)
    query = torch.randn(1, n_heads, n_queries, 8, generator=generator) * 3
    key = torch.randn(1, n_key_heads, n_keys, 8, generator=generator)
    return LazyLayer(query, key, 8**-0.5, visibility or (Visibility(range(n_queries), range(n_keys), causal=causal),))


def eager(_module, query, key, value, mask, scaling, dropout, **_options):
    """As a model file with a soft cap writes it."""
    key = key.repeat_interleave(query.shape[1] // key.shape[1], 1)
    scores = 5 * torch.tanh(query @ key.transpose(2, 3) * scaling / 5)
    weights = (scores if mask is None else scores + mask).softmax(-1)
    return weights @ value.repeat_interleave(query.shape[1] // value.shape[1], 1), weights


def every_sort(n):
    window = torch.ones(n, n, dtype=torch.bool).tril().triu(-5)[None, None]
    padded = torch.ones(1, 1, 1, n, dtype=torch.bool)
    padded[..., : n // 3] = False
    left = torch.ones(n, n, dtype=torch.bool).tril()[None, None] & padded
    bias = torch.linspace(-2, 2, 4 * n * n).reshape(1, 4, n, n)
    everything, half = range(n), n // 2
    plain = layer_of(n, n, causal=True)
    stored = plain.weights(everything, batch=0, head=None)[None]
    pieces = [Piece(range(half), range(half), stored[:, :, :half, :half])]
    pieces += [Piece(range(row, row + 1), range(row + 1), stored[:, :, row : row + 1, : row + 1]) for row in range(half, n)]
    sliding = [
        Visibility(range(half), range(half), causal=True),
        Visibility(range(half, n), range(half - 4, n), causal=True, window=4),
    ]
    return {
        "causal": plain,
        "both ways": layer_of(n, n),
        "sliding window": layer_of(n, n, Visibility(everything, everything, mask=window)),
        "padding": layer_of(n, n, Visibility(everything, everything, mask=padded)),
        "padding before the text": layer_of(n, n, Visibility(everything, everything, mask=left)),
        "position bias": layer_of(n, n, Visibility(everything, everything, causal=True, bias=bias)),
        "generated with a sliding cache": layer_of(n, n, *sliding),
        "own code": AsWrittenLayer(plain.query, plain.key, plain.scaling, plain.visibility, SimpleNamespace(), eager),
        "edited": EditedLayer(plain, (Uniform(layer=0, head=1),)),
        "stored": StoredLayer(tuple(pieces)),
        "cross": layer_of(n, n // 2 + 3),
    }


def matrix_of(layer):
    """The whole map, row by row: (n_heads, n_queries, n_keys)."""
    n_heads, n_queries, n_keys = layer.shape
    whole = np.zeros((n_heads, n_queries, n_keys), np.float32)
    for row in range(n_queries):
        weights = layer.weights(range(row, row + 1), batch=0, head=None)[:, 0].numpy()
        whole[:, row, : weights.shape[1]] = weights
    return whole


def of_rows(matrix):
    """Each weight as a share of the largest of its row; some queries see nothing."""
    most = matrix.max(-1, keepdims=True)
    return np.divide(matrix, most, out=np.zeros_like(matrix), where=most > 0)


def by_loops(matrix, height, width, how):
    """The definition."""
    n_heads, n_queries, n_keys = matrix.shape
    height, width = min(height, n_queries), min(width, n_keys)
    picture = np.empty((n_heads, height, width), np.float32)
    for row in range(height):
        rows = slice(math.floor(row * n_queries / height), math.floor((row + 1) * n_queries / height))
        for column in range(width):
            columns = slice(math.floor(column * n_keys / width), math.floor((column + 1) * n_keys / width))
            picture[:, row, column] = getattr(matrix[:, rows, columns], how)((1, 2))
    return picture


def test_the_row_by_row_reference_is_the_softmax():
    layer = layer_of(40, 40, causal=True)
    scores = layer.query[0] @ layer.key[0].repeat_interleave(2, 0).transpose(1, 2) * layer.scaling
    scores = scores.masked_fill(torch.ones(40, 40, dtype=torch.bool).triu(1), -math.inf)
    assert np.abs(matrix_of(layer) - scores.softmax(-1).numpy()).max() <= allowed.of_sums()


@pytest.mark.parametrize("how", ["max", "mean"])
@pytest.mark.parametrize(
    ("n", "block_bytes"),
    [(64, 9_000), (75, 9_000), (75, 8 << 20), (33, 9_000), (33, 4), (20, 4)],
    ids=["whole pixels", "blocks inside pixels", "one block", "few cells", "a row a block", "a pixel a cell"],
)
def test_pixels_of_every_sort_of_layer(monkeypatch, n, block_bytes, how):
    monkeypatch.setattr(layer_file, "BLOCK_BYTES", block_bytes)
    for name, layer in every_sort(n).items():
        expected = by_loops(matrix_of(layer), SIZE, SIZE, how)
        picture = pooled(layer, batch=0, head=None, height=SIZE, width=SIZE, how=how)
        assert picture.dtype == np.float32
        assert picture.shape == expected.shape, name
        assert np.abs(picture - expected).max() <= allowed.of_sums(), name


@pytest.mark.parametrize(("rows", "keys"), [(256, 512), (7, 10), (16, 1)])
@pytest.mark.parametrize("n", [64, 75, 20])
def test_maxima_of_plain_layers_tile_by_tile(monkeypatch, n, rows, keys):
    monkeypatch.setattr(fused_pooling, "_LONG", 1)
    monkeypatch.setattr(fused_pooling, "_TILE_ROWS", rows)
    monkeypatch.setattr(fused_pooling, "_TILE_KEYS", keys)
    sorts = every_sort(n)
    assert [name for name, layer in sorts.items() if fused_pooling.takes_maxima(layer)] == ["causal", "both ways", "cross"]
    for name, layer in sorts.items():
        whole = matrix_of(layer)
        picture = pooled(layer, batch=0, head=None, height=SIZE, width=SIZE)
        assert np.abs(picture - by_loops(whole, SIZE, SIZE, "max")).max() <= allowed.of_sums(), name
        by_row = pooled(layer, batch=0, head=None, height=SIZE, width=SIZE, by_row=True)
        assert np.abs(by_row - by_loops(of_rows(whole), SIZE, SIZE, "max")).max() <= 10 * allowed.of_sums(), name


def test_plain_layers_give_their_means_to_the_fused_kernel():
    sorts = every_sort(40)
    assert [name for name, layer in sorts.items() if fused_pooling.takes_means(layer, 8)] == ["causal", "both ways", "cross"]
    assert not fused_pooling.takes_means(sorts["causal"], 9), "more pixels than numbers in a value"
    for name, layer in sorts.items():
        picture = pooled(layer, batch=0, head=None, height=8, width=8, how="mean")
        assert np.abs(picture - by_loops(matrix_of(layer), 8, 8, "mean")).max() <= allowed.of_sums(), name


@pytest.mark.parametrize("how", ["max", "mean"])
@pytest.mark.parametrize(
    ("rows", "keys", "height", "width"),
    [
        (range(20, 60), range(5, 70), 13, 65),
        (range(75), range(75), 60, 7),
        (range(0, 3), range(70, 75), 9, 9),
        (range(74, 75), range(75), 1, 75),
        (range(10, 40), range(30, 75), 30, 44),
    ],
)
def test_a_part_of_one_head_at_any_resolution(monkeypatch, rows, keys, height, width, how):
    monkeypatch.setattr(layer_file, "BLOCK_BYTES", 75 * 4 * 7)
    for name, layer in every_sort(75).items():
        if len(keys) > layer.shape[2] or keys.stop > layer.shape[2]:
            continue
        part = matrix_of(layer)[2:3, rows.start : rows.stop, keys.start : keys.stop]
        picture = pooled(layer, batch=0, head=2, rows=rows, keys=keys, height=height, width=width, how=how)
        assert np.abs(picture - by_loops(part, height, width, how)).max() <= allowed.of_sums(), name


def test_a_single_bright_cell_survives_any_length():
    n = 1001
    query = torch.zeros(1, 1, n, 4)
    key = torch.zeros(1, 1, n, 4)
    query[0, 0, 700, 0] = key[0, 0, 3, 0] = 10.0  # token 700 looks at token 3, the others everywhere alike
    layer = LazyLayer(query, key, 1.0, (Visibility(range(n), range(n)),))
    picture = pooled(layer, batch=0, head=0, height=SIZE, width=SIZE)[0]
    row, column = np.unravel_index(picture.argmax(), picture.shape)
    assert picture.max() == pytest.approx(1, abs=allowed.of_sums())
    assert (row, column) == (700 * SIZE // n, 0)
    assert np.sort(picture.ravel())[-2] == pytest.approx(1 / n, rel=1e-3)


@pytest.mark.parametrize(("n_cells", "n_pixels"), [(64, 32), (75, 32), (33, 32), (5, 5), (1, 1), (1000, 7)])
def test_every_cell_belongs_to_one_pixel_and_no_pixel_is_empty(n_cells, n_pixels):
    bounds = np.array(edges(n_cells, n_pixels))
    assert (bounds[0], bounds[-1], len(bounds)) == (0, n_cells, n_pixels + 1)
    assert set(np.diff(bounds)) <= {n_cells // n_pixels, -(-n_cells // n_pixels)}


@pytest.mark.parametrize("n_pixels", [1, 2, 7, 20, 31, 40, 41])
def test_runs_have_their_maxima_wherever_the_last_is_cut_off(n_pixels):
    cells = torch.randn(2, 3, 41)
    cells[..., ::3] = -math.inf
    for end in range(1, 42):
        bounds = [edge for edge in edges(41, n_pixels) if edge < end] + [end]
        expected = [cells[..., start:stop].amax(-1) for start, stop in pairwise(bounds)]
        assert torch.equal(reduced(cells, bounds, 2, "max"), torch.stack(expected, -1)), bounds


# ---------------------------------------------------------------- overviews
@pytest.mark.parametrize("block_bytes", [9_000, 8 << 20])
def test_an_overview_holds_the_picture_the_means_and_every_link_that_can_be_seen(monkeypatch, block_bytes):
    monkeypatch.setattr(layer_file, "BLOCK_BYTES", block_bytes)
    for name, layer in every_sort(75).items():
        whole = matrix_of(layer)[1]
        found = overview(layer, batch=0, head=1, size=40, cancel=Cancel())
        assert found.exact
        assert found.shape == whole.shape
        assert np.abs(found.picture - by_loops(whole[None], 40, 40, "max")[0]).max() <= allowed.of_sums(), name
        assert np.abs(found.received - whole.mean(0)).max() <= allowed.of_sums(), name
        assert np.abs(found.given - whole.sum(1)).max() <= allowed.of_sums(), name
        relative = of_rows(whole)[None]
        assert np.abs(found.row_picture - by_loops(relative, 40, 40, "max")[0]).max() <= 10 * allowed.of_sums(), name
        part = {"rows": range(20, 70), "keys": range(3, 37), "height": 13, "width": 19}
        by_row = pooled(layer, batch=0, head=1, by_row=True, **part)
        assert np.abs(by_row - by_loops(relative[:, 20:70, 3:37], 13, 19, "max")).max() <= 10 * allowed.of_sums(), name
        assert found.nbytes == sum(
            array.nbytes for array in (found.picture, found.row_picture, found.received, found.given, *found.strong)
        )
        query, key, weight = found.strong
        strong = np.zeros_like(whole)
        strong[query, key] = weight
        assert np.abs(strong - np.where(whole >= FAINTEST, whole, 0)).max() <= allowed.of_sums(), name
        assert (np.diff(query) >= 0).all()
        assert np.array_equal(found.row(50), strong[50])
        assert np.array_equal(found.column(7), strong[:, 7])


def test_a_first_overview_shows_true_rows_in_the_place_of_their_neighbours():
    n = 1000
    for causal in (True, False):
        layer = layer_of(n, n, causal=causal)
        found = first_overview(layer, batch=0, head=3, size=n, cancel=Cancel())
        assert not found.exact
        assert found.shape == (n, n)
        assert len(found.strong[0]) == 0
        bounds = edges(n, len(found.picture))
        chosen = [(start + stop) // 2 for start, stop in pairwise(bounds)]
        whole = matrix_of(layer)[3]
        assert len(chosen) < n / 2
        assert np.abs(found.picture - whole[chosen]).max() <= allowed.of_sums()
        assert np.abs(found.row_picture - whole[chosen] / whole[chosen].max(1, keepdims=True)).max() <= 10 * allowed.of_sums()
        shown = np.repeat(chosen, np.diff(bounds))
        assert np.abs(found.given - whole.sum(1)[shown]).max() <= allowed.of_sums()


def test_a_first_overview_knows_masks_windows_and_biases():
    for name, layer in every_sort(900).items():
        found = first_overview(layer, batch=0, head=0, size=900, cancel=Cancel())
        if name in ("generated with a sliding cache", "edited", "stored"):
            assert found is None, name
            continue
        bounds = edges(900, len(found.picture))
        chosen = [(start + stop) // 2 for start, stop in pairwise(bounds)]
        assert np.abs(found.picture - matrix_of(layer)[0][chosen]).max() <= allowed.of_sums(), name


# ---------------------------------------------------------------- memory and time
class Largest(TorchDispatchMode):
    """The most numbers that a tensor had which any operation made."""

    def __init__(self):
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        made = function(*args, **(kwargs or {}))
        for tensor in made if isinstance(made, (tuple, list)) else [made]:
            if isinstance(tensor, torch.Tensor):
                self.numbers = max(self.numbers, tensor.numel())
        return made


@pytest.mark.parametrize("how", ["max", "mean"])
def test_nothing_as_large_as_a_map_is_formed(how):
    n = 4096
    layer = layer_of(n, n, causal=True, n_heads=2, n_key_heads=1)
    with Largest() as largest:
        pooled(layer, batch=0, head=None, height=SIZE, width=SIZE, how=how)
        overview(layer, batch=0, head=1, size=1024, cancel=Cancel())
        first_overview(layer, batch=0, head=1, size=1024, cancel=Cancel())
    assert largest.numbers <= n * n / 8


def test_what_is_computed_at_a_time_is_bounded():
    layer = layer_of(3000, 3000, causal=True, n_heads=8, n_key_heads=4)
    sizes = [8 * len(block) * 3000 * 4 for block in layer.row_blocks(rows=range(3000), head=None)]
    assert max(sizes) <= layer_file.BLOCK_BYTES
    assert sum(sizes) == 8 * 3000 * 3000 * 4


def test_causal_blocks_end_at_their_last_visible_key():
    layer = layer_of(100, 100, causal=True)
    assert layer.weights(range(10, 20), batch=0, head=None).shape == (4, 10, 20)
    assert layer.weights(range(10, 20), batch=0, head=1).shape == (1, 10, 20)


def test_cancel_stops_between_blocks(monkeypatch):
    monkeypatch.setattr(layer_file, "BLOCK_BYTES", 4)
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
        pooled(
            Counting(plain.query, plain.key, plain.scaling, plain.visibility),
            batch=0,
            head=None,
            height=9,
            width=9,
            cancel=cancel,
        )
    assert len(computed) == 3
