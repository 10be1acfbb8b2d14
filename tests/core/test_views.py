"""What the view lane computes from records: heads, rows, parts, thumbnails; large maps are never whole."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from headscope.core import load_model
from headscope.core.attention.head_map import FAINTEST, HeadOverview
from headscope.core.attention.kept.layer import Layer, LazyLayer
from headscope.core.attention.kept.visibility import Visibility
from headscope.core.attention.lens import LENSES, SCORES
from headscope.core.attention.maps import overview
from headscope.core.attention.ranks import BINS, RESOLUTION, RankTable, shares_below
from headscope.core.attention.record import AttentionRecord
from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.requests.cells import PartRequest, RankRequest, RowRequest
from headscope.core.requests.heads import Thumbnails, ThumbnailsRequest, WeightsRequest
from headscope.core.text.tokens import Token, TokenAxis
from tests import allowed

view = Engine().handle_record


def ignore(_: object) -> None:
    pass


@pytest.fixture(scope="module")
def grammar() -> AttentionRecord:
    return load_model("toy:grammar", device="cpu").capture("the keys near the cabinet [MASK] rusty .")


def record_of_layer(*layers: Layer) -> AttentionRecord:
    n_queries, n_keys = layers[0].shape[1:]
    queries, keys = (TokenAxis((Token("a", 0),) * count) for count in (n_queries, n_keys))
    return AttentionRecord({"decoder": layers}, {"decoder": (queries, keys)}, backend="fast")


@pytest.fixture
def tall(monkeypatch: pytest.MonkeyPatch) -> AttentionRecord:
    """A causal record that counts as large."""
    monkeypatch.setattr(overview, "LARGE_CELLS", 500)
    generator = torch.Generator().manual_seed(1)
    query, key = (torch.randn(1, 2, 1000, 8, generator=generator) * 2 for _ in range(2))
    return record_of_layer(LazyLayer(query, key, 0.35, (Visibility(range(1000), range(1000), causal=True),)))


def test_the_weights_of_the_heads_that_were_asked_for(grammar: AttentionRecord) -> None:
    answer = view(WeightsRequest(grammar, "encoder", ((0, 1), (1, 3))), Job(), ignore)
    assert set(answer.weights) == {(0, 1), (1, 3)}
    for (layer, head), weights in answer.weights.items():
        expected = grammar.attention_weights(layer, head, "encoder")
        np.testing.assert_allclose(weights, expected, atol=allowed.of_blocks(expected))


def test_thumbnails_come_layer_by_layer_and_what_was_streamed_stays_as_it_was(grammar: AttentionRecord) -> None:
    streamed: list[Thumbnails] = []
    answer = view(ThumbnailsRequest(grammar, "encoder", size=4), Job(), streamed.append)
    assert len(streamed) == grammar.n_layers("encoder") == 2
    assert np.isnan(streamed[0].pictures[1]).all()
    assert not np.isnan(streamed[0].pictures[0]).any()
    assert streamed[-1] is answer
    for layer in range(2):
        weights = grammar.layer_weights(layer, "encoder")
        assert answer.pictures[layer].shape == (4, 4, 4)
        strongest = weights.max(axis=(1, 2))
        np.testing.assert_allclose(answer.pictures[layer].max(axis=(1, 2)), strongest, atol=allowed.of_blocks(weights))


def test_thumbnails_come_in_the_order_that_is_asked_for(grammar: AttentionRecord) -> None:
    streamed: list[Thumbnails] = []
    view(ThumbnailsRequest(grammar, "encoder", (1, 0), size=4), Job(), streamed.append)
    assert [np.isnan(part.pictures[:, 0, 0, 0]).tolist() for part in streamed] == [[True, False], [False, False]]
    answer = view(ThumbnailsRequest(grammar, "encoder", (1,), size=4), Job(), ignore)
    assert np.isnan(answer.pictures[0]).all()


def test_thumbnails_of_means(grammar: AttentionRecord) -> None:
    n = len(grammar.axis("encoder").queries)
    answer = view(ThumbnailsRequest(grammar, "encoder", size=1, how="mean"), Job(), ignore)
    assert answer.pictures == pytest.approx(np.full((2, 4, 1, 1), 1 / n), abs=allowed.of_sums())


def test_a_cancelled_picture_is_not_computed(grammar: AttentionRecord, tall: AttentionRecord) -> None:
    cancel = Cancel()
    cancel.set()
    requests = (
        WeightsRequest(grammar, "encoder", ((0, 0),)),
        ThumbnailsRequest(grammar, "encoder"),
        WeightsRequest(tall, "decoder", ((0, 0),)),
        PartRequest(tall, "decoder", (0, 0), range(5), range(5), 5, 5),
        PartRequest(tall, "decoder", (0, 0), range(5), range(5), 5, 5, by_row=True),
        RankRequest(tall, "decoder", (0, 0)),
        RankRequest(tall.through(SCORES), "decoder", (0, 0)),
    )
    for request in requests:
        with pytest.raises(Cancelled):
            view(request, Job(cancel=cancel), ignore)


def test_a_head_that_is_not_there_is_said_so(grammar: AttentionRecord, tall: AttentionRecord) -> None:
    for record, kind in ((grammar, "encoder"), (tall, "decoder")):
        with pytest.raises(HeadscopeError) as captured:
            view(WeightsRequest(record, kind, ((9, 0),)), Job(), ignore)
        assert captured.value.code == "no_such_head"


def test_matrices_that_do_not_fit_into_memory_are_refused_before_they_are_computed(grammar: AttentionRecord) -> None:
    with pytest.raises(HeadscopeError) as captured:
        view(WeightsRequest(grammar, "encoder", Many(((0, 0),))), Job(), ignore)
    assert captured.value.code == "not_enough_memory"


class Many(tuple):
    """More heads than any memory has room for."""

    def __len__(self) -> int:
        return 2**40


def test_memory_that_runs_out_all_the_same_is_said_and_the_record_stays_usable() -> None:
    class Greedy(LazyLayer):
        greedy = True

        def weights(self, rows, *, batch, head):
            if Greedy.greedy:
                torch.empty(2**60)
            return super().weights(rows, batch=batch, head=head)

    vectors = torch.ones(1, 1, 3, 2)
    record = record_of_layer(Greedy(vectors, vectors, 1.0, (Visibility(range(3), range(3)),)))
    with pytest.raises(HeadscopeError) as captured:
        view(WeightsRequest(record, "decoder", ((0, 0),)), Job(), ignore)
    assert captured.value.code == "out_of_memory"
    Greedy.greedy = False
    answer = view(WeightsRequest(record, "decoder", ((0, 0),)), Job(), ignore)
    assert answer.weights[0, 0] == pytest.approx(np.full((3, 3), 1 / 3), abs=allowed.of_sums())


# ---------------------------------------------------------------- large maps
def test_a_large_head_is_an_overview_a_first_one_at_once_and_then_the_exact_one(tall: AttentionRecord) -> None:
    streamed: list = []
    answer = view(WeightsRequest(tall, "decoder", ((0, 0), (0, 1))), Job(), streamed.append)
    (first,) = streamed
    assert [weights.exact for weights in first.weights.values()] == [False, False]
    for (layer, head), found in answer.weights.items():
        whole = tall.attention_weights(layer, head)
        assert isinstance(found, HeadOverview)
        assert found.exact
        assert found.picture == pytest.approx(whole, abs=allowed.of_sums())
        assert len(found.strong[2]) == np.count_nonzero(whole >= FAINTEST)


def test_a_row_and_a_part_of_a_large_head_are_exact(tall: AttentionRecord) -> None:
    whole = tall.attention_weights(0, 1)
    row = view(RowRequest(tall, "decoder", (0, 1), 700), Job(), ignore)
    assert row.values == pytest.approx(whole[700], abs=allowed.of_sums())
    assert tall.cell(0, 1, 700, 300) == pytest.approx(float(whole[700, 300]), abs=allowed.of_sums())
    request = PartRequest(tall, "decoder", (0, 1), range(600, 900), range(50, 650), 30, 60)
    part = view(request, Job(), ignore)
    assert part.request == request
    expected = whole[600:900, 50:650].reshape(30, 10, 60, 10).max((1, 3))
    assert part.picture == pytest.approx(expected, abs=allowed.of_sums())
    by_row = view(replace(request, by_row=True), Job(), ignore)
    relative = whole / whole.max(axis=1, keepdims=True)
    assert by_row.picture == pytest.approx(
        relative[600:900, 50:650].reshape(30, 10, 60, 10).max((1, 3)), abs=10 * allowed.of_sums()
    )


@pytest.mark.parametrize("lens", ["weights", "scores"])
def test_ranks_in_a_large_head_are_counted_as_nearly_as_is_said(tall: AttentionRecord, lens: str) -> None:
    whole = tall.attention_weights(0, 1) if lens == "weights" else tall.attention_scores(0, 1)
    table = view(RankRequest(tall.through(LENSES[lens]), "decoder", (0, 1)), Job(), ignore).found
    known = np.sort(whole[~np.isnan(whole)])
    assert table.count == len(known) == (1000 * 1000 if lens == "weights" else 1000 * 1001 // 2)
    assert table.below.shape == (BINS + 1,)
    shares = table.shares(whole)
    assert np.array_equal(np.isnan(shares), np.isnan(whole)), "what is hidden counts for nothing"
    values, counted = whole[~np.isnan(whole)], shares[~np.isnan(whole)]
    near = np.abs(values) * np.float32(RESOLUTION)
    rounding = allowed.of_sums()  # shares are float32; two ways to the same weight differ in the last digit
    assert (
        counted <= np.searchsorted(known, values * (1 + np.sign(values) * 2 * rounding), "right") / len(known) + rounding
    ).all()
    assert (counted >= np.searchsorted(known, values - near - rounding) / len(known) - rounding).all()
    order = np.argsort(values)
    assert (np.diff(counted[order]) >= 0).all(), "a larger value never has a smaller share"
    exact = shares_below(whole)[~np.isnan(whole)]
    assert np.abs(counted - exact).max() < 2 / 255, "as a small head's"


def test_a_rank_among_counted_values_is_told_as_from_where_to_where_it_may_be() -> None:
    values = np.array([-2, -1, -0.0, 0, 0.25, 0.25 * (1 + 1e-4), 0.5, 1, 1, 3e30], np.float32)
    counts = np.zeros(BINS, np.int64)
    np.add.at(counts, [bin_of(value) for value in values], 1)
    table = RankTable.of_counts(counts)
    assert table.rank(3e30) == (1, 1)
    assert table.rank(1.0) == (2, 3)
    assert table.rank(0.5) == (4, 4)
    assert table.rank(0.25) == (5, 6), "two of about the same size"
    assert table.rank(0.0) == table.rank(-0.0) == (7, 8)
    assert table.rank(-2.0) == (10, 10)
    assert table.rank(0.4)[0] == 5, "not one of them: where it would be"
    np.testing.assert_allclose(table.shares(values), [0, 0.1, 0.2, 0.2, 0.4, 0.4, 0.6, 0.7, 0.7, 0.9], rtol=allowed.of_sums())
    odd = np.array([-np.inf, np.nan, -np.nan, np.finfo(np.float32).min, np.finfo(np.float32).max], np.float32)
    np.testing.assert_array_equal(table.shares(odd), [-np.inf, np.nan, np.nan, 0, 1])


def bin_of(value: np.float32) -> int:
    """The upper 20 bits of a float32, negative numbers counted backwards, written out."""
    bits = int((value + np.float32(0)).view(np.uint32))
    return ((0xFFFFFFFF ^ bits) if bits >> 31 else (bits | 0x80000000)) >> 12
