"""What the view lane computes from records: heads, rows, parts, thumbnails; large maps are never whole."""

import numpy as np
import pytest
import torch

from headscope.core import load_model
from headscope.core.attention import overview
from headscope.core.attention.layers import Layer, LazyLayer
from headscope.core.attention.record import AttentionRecord
from headscope.core.attention.sights import Sight
from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Cancel, Cancelled, Job
from headscope.core.tokens import Token, TokenAxis
from headscope.core.view_jobs import (
    FAINTEST,
    HeadOverview,
    PartRequest,
    RowRequest,
    Thumbnails,
    ThumbnailsRequest,
    WeightsRequest,
)
from headscope.core.views import view


def ignore(_: object) -> None:
    pass


@pytest.fixture(scope="module")
def grammar() -> AttentionRecord:
    return load_model("toy:grammar", device="cpu").capture("the keys near the cabinet [MASK] rusty .")


def record_of_layer(*layers: Layer) -> AttentionRecord:
    n_queries, n_keys = layers[0].shape[1:]
    queries, keys = (TokenAxis((Token("a", 0),) * count) for count in (n_queries, n_keys))
    return AttentionRecord({"decoder": layers}, {"decoder": (queries, keys)}, tier="fast")


@pytest.fixture
def tall(monkeypatch: pytest.MonkeyPatch) -> AttentionRecord:
    """A causal record that counts as large."""
    monkeypatch.setattr(overview, "LARGE_CELLS", 500)
    generator = torch.Generator().manual_seed(1)
    query, key = (torch.randn(1, 2, 1000, 8, generator=generator) * 2 for _ in range(2))
    return record_of_layer(LazyLayer(query, key, 0.35, (Sight(range(1000), range(1000), causal=True),)))


def test_the_weights_of_the_heads_that_were_asked_for(grammar: AttentionRecord) -> None:
    answer = view(WeightsRequest(grammar, "encoder", ((0, 1), (1, 3))), Job(), ignore)
    assert set(answer.weights) == {(0, 1), (1, 3)}
    for (layer, head), weights in answer.weights.items():
        np.testing.assert_array_equal(weights, grammar.attention_weights(layer, head, "encoder"))


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
        np.testing.assert_array_equal(answer.pictures[layer].max(axis=(1, 2)), weights.max(axis=(1, 2)))


def test_thumbnails_come_in_the_order_that_is_asked_for(grammar: AttentionRecord) -> None:
    streamed: list[Thumbnails] = []
    view(ThumbnailsRequest(grammar, "encoder", (1, 0), size=4), Job(), streamed.append)
    assert [np.isnan(part.pictures[:, 0, 0, 0]).tolist() for part in streamed] == [[True, False], [False, False]]
    answer = view(ThumbnailsRequest(grammar, "encoder", (1,), size=4), Job(), ignore)
    assert np.isnan(answer.pictures[0]).all()


def test_thumbnails_of_means(grammar: AttentionRecord) -> None:
    n = len(grammar.axis("encoder").queries)
    answer = view(ThumbnailsRequest(grammar, "encoder", size=1, how="mean"), Job(), ignore)
    assert answer.pictures == pytest.approx(np.full((2, 4, 1, 1), 1 / n), abs=1e-6)


def test_a_cancelled_picture_is_not_computed(grammar: AttentionRecord, tall: AttentionRecord) -> None:
    cancel = Cancel()
    cancel.set()
    requests = (
        WeightsRequest(grammar, "encoder", ((0, 0),)),
        ThumbnailsRequest(grammar, "encoder"),
        WeightsRequest(tall, "decoder", ((0, 0),)),
        PartRequest(tall, "decoder", (0, 0), range(5), range(5), 5, 5),
    )
    for request in requests:
        with pytest.raises(Cancelled):
            view(request, Job(cancel=cancel), ignore)


def test_a_head_that_is_not_there_is_said_so(grammar: AttentionRecord, tall: AttentionRecord) -> None:
    for record, kind in ((grammar, "encoder"), (tall, "decoder")):
        with pytest.raises(HeadscopeError) as caught:
            view(WeightsRequest(record, kind, ((9, 0),)), Job(), ignore)
        assert caught.value.code == "no_such_head"


def test_matrices_that_do_not_fit_into_memory_are_refused_before_they_are_computed(grammar: AttentionRecord) -> None:
    with pytest.raises(HeadscopeError) as caught:
        view(WeightsRequest(grammar, "encoder", Many(((0, 0),))), Job(), ignore)
    assert caught.value.code == "not_enough_memory"


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
    record = record_of_layer(Greedy(vectors, vectors, 1.0, (Sight(range(3), range(3)),)))
    with pytest.raises(HeadscopeError) as caught:
        view(WeightsRequest(record, "decoder", ((0, 0),)), Job(), ignore)
    assert caught.value.code == "out_of_memory"
    Greedy.greedy = False
    answer = view(WeightsRequest(record, "decoder", ((0, 0),)), Job(), ignore)
    assert answer.weights[0, 0] == pytest.approx(np.full((3, 3), 1 / 3))


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
        assert found.picture == pytest.approx(whole, abs=1e-6)
        assert len(found.strong[2]) == np.count_nonzero(whole >= FAINTEST)


def test_a_row_and_a_part_of_a_large_head_are_exact(tall: AttentionRecord) -> None:
    whole = tall.attention_weights(0, 1)
    row = view(RowRequest(tall, "decoder", (0, 1), 700), Job(), ignore)
    assert row.weights == pytest.approx(whole[700], abs=1e-6)
    assert tall.cell(0, 1, 700, 300) == pytest.approx(float(whole[700, 300]), abs=1e-6)
    request = PartRequest(tall, "decoder", (0, 1), range(600, 900), range(50, 650), 30, 60)
    part = view(request, Job(), ignore)
    assert part.request == request
    expected = whole[600:900, 50:650].reshape(30, 10, 60, 10).max((1, 3))
    assert part.picture == pytest.approx(expected, abs=1e-6)
