"""Rollout and flow against what their definitions say, computed the long way: every path, every cut."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from headscope.core.analyse.records.flow import attention_flow
from headscope.core.analyse.records.rollout import attention_rollout, with_residual
from headscope.core.attention.from_arrays import record_of
from headscope.core.attention.record import AttentionRecord
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.models.load import load_model
from tests import allowed

N_LAYERS, N_HEADS, N_TOKENS = 3, 2, 4


def given(*, causal: bool = False, n_tokens: int = N_TOKENS, n_layers: int = N_LAYERS) -> AttentionRecord:
    """Random attention, sharp enough that some pipes are narrow."""
    chance = np.random.default_rng(3)
    weights = chance.dirichlet(np.full(n_tokens, 0.4), (n_layers, N_HEADS, n_tokens))
    if causal:
        weights = np.tril(weights) + 1e-6 * np.tril(np.ones(weights.shape[-2:]))
        weights /= weights.sum(-1, keepdims=True)
    return record_of(weights.astype(np.float32), [f"t{number}" for number in range(n_tokens)])


def raw(record: AttentionRecord) -> np.ndarray:
    kind = record.kinds[0]
    return np.stack([record.layer_weights(layer, kind) for layer in range(record.n_layers(kind))]).astype(float)


# ---------------------------------------------------------------- rollout
@pytest.mark.parametrize("fuse", ["mean", "max", "min"])
@pytest.mark.parametrize("causal", [False, True])
def test_rollout_is_the_sum_over_all_paths_of_the_products_of_their_edges(fuse: str, causal: bool) -> None:
    record = given(causal=causal)
    fused = getattr(raw(record), fuse)(axis=1)  # (layer, query, key)
    mixed = 0.5 * fused + 0.5 * np.eye(N_TOKENS)
    mixed /= mixed.sum(-1, keepdims=True)
    rolled = attention_rollout(record, fuse=fuse)
    assert rolled.kind == ("decoder" if causal else "encoder")
    assert rolled.weights.shape == (N_LAYERS, N_TOKENS, N_TOKENS)
    for top in range(N_LAYERS):
        expected = np.zeros((N_TOKENS, N_TOKENS))
        for path in itertools.product(range(N_TOKENS), repeat=top + 2):  # from token path[0] after layer `top` down
            steps = itertools.pairwise(path)
            expected[path[0], path[-1]] += np.prod(
                [mixed[layer, i, j] for layer, (i, j) in zip(range(top, -1, -1), steps, strict=True)]
            )
        assert np.abs(rolled.weights[top] - expected).max() <= allowed.of_sums()
    assert rolled.weights.sum(-1) == pytest.approx(1, abs=allowed.of_sums())


def test_two_layers_by_hand() -> None:
    """Layer 0: both tokens look at token 0. Layer 1: each looks at the other."""
    layers = np.array([[[[1, 0], [1, 0]]], [[[0, 1], [1, 0]]]], np.float32)
    rolled = attention_rollout(record_of(layers, ["a", "b"])).weights
    assert rolled[0].tolist() == [[1, 0], [0.5, 0.5]]
    assert rolled[1].tolist() == [[0.75, 0.25], [0.75, 0.25]]  # half of each: [1, 0] and [0.5, 0.5]


def test_without_residual_and_with_most_of_it() -> None:
    record = given()
    fused = raw(record).mean(1)
    plain = attention_rollout(record, residual=0).weights[-1]
    assert np.abs(plain - fused[2] @ fused[1] @ fused[0]).max() <= allowed.of_sums()
    assert np.abs(attention_rollout(record, residual=0.999).weights[-1] - np.eye(N_TOKENS)).max() < 0.01


def test_rows_that_sum_to_less_than_one_are_scaled_up() -> None:
    """Of a model with sinks, and of padding, which looks nowhere."""
    weights = np.array([[[[0.2, 0.2], [0.0, 0.0]]]], np.float32)
    rolled = attention_rollout(record_of(weights, ["a", "b"])).weights[0]
    assert rolled == pytest.approx(np.array([[0.6 / 0.7, 0.1 / 0.7], [0, 1]]))


# ---------------------------------------------------------------- flow
def least_cut(mixed: np.ndarray, source: tuple[int, int], sink: tuple[int, int]) -> float:
    """By the max-flow min-cut theorem the maximum flow: the least total of pipes that leave a set with the source, over all sets."""
    n_layers, n_tokens = mixed.shape[:2]
    nodes = [(depth, token) for depth in range(n_layers + 1) for token in range(n_tokens)]
    free = [node for node in nodes if node not in (source, sink)]
    least = np.inf
    for chosen in itertools.product([False, True], repeat=len(free)):
        inside = {source} | {node for node, is_in in zip(free, chosen, strict=True) if is_in}
        cut = sum(
            mixed[depth - 1, i, j] for depth, i in inside if depth > 0 for j in range(n_tokens) if (depth - 1, j) not in inside
        )
        least = min(least, cut)
    return least


@pytest.mark.parametrize("causal", [False, True])
def test_flow_is_the_least_cut_of_all(causal: bool) -> None:
    record = given(causal=causal, n_tokens=3)
    kind = record.kinds[0]
    mixed = np.stack([with_residual(record, kind, layer) for layer in range(N_LAYERS)]).astype(float)
    flow = attention_flow(record, queries=[2, 1])
    assert (flow.kind, flow.queries, flow.flows.shape) == (kind, (2, 1), (2, 3))
    for row, query in enumerate(flow.queries):
        for key in range(3):
            assert flow.flows[row, key] == pytest.approx(least_cut(mixed, (N_LAYERS, query), (0, key)), abs=allowed.of_sums())
    assert flow.shares.sum(-1) == pytest.approx(1)
    if causal:
        assert flow.flows[1, 2] == 0
    narrow = flow.flows[flow.flows > 0].min()
    assert narrow < 0.7  # some cut lies in the middle, or the test would only see the sources


def test_all_queries_are_the_rows_of_single_ones_and_a_flow_is_at_least_the_rollout() -> None:
    """Rollout is a flow too, though not the largest."""
    record = given(n_tokens=5)
    whole = attention_flow(record)
    assert whole.queries == (0, 1, 2, 3, 4)
    assert attention_flow(record, queries=[3]).flows[0].tolist() == whole.flows[3].tolist()
    assert (whole.flows >= attention_rollout(record).weights[-1] - allowed.of_sums()).all()


# ---------------------------------------------------------------- of models
def test_the_toys_can_be_rolled_out() -> None:
    for source, text in (("toy:grammar", "the keys of the cabinet [MASK] rusty ."), ("toy:tales", "once upon a time")):
        model = load_model(source, device="cpu")
        record = model.capture(text)
        rolled = attention_rollout(record).weights
        assert rolled.sum(-1) == pytest.approx(1, abs=allowed.of_sums())
        if record.kinds == ("decoder",):
            assert not np.triu(rolled[-1], 1).any()
        flow = attention_flow(record, queries=[3]).flows
        assert (flow[0] >= rolled[-1, 3] - allowed.of_sums()).all()


def test_what_is_not_defined_or_would_take_too_long_is_said() -> None:
    cross = record_of(np.full((1, 1, 2, 3), 1 / 3, np.float32), ["a", "b"], ["x", "y", "z"])
    long = given(n_tokens=80)
    for ask, code in (
        (lambda: attention_rollout(cross), "analysis_undefined"),
        (lambda: attention_flow(cross), "analysis_undefined"),
        (lambda: attention_rollout(given(), "cross"), "unknown_kind"),
        (lambda: attention_rollout(given(), residual=1.0), "bad_option"),
        (lambda: attention_rollout(given(), fuse="median"), "bad_option"),
        (lambda: attention_flow(given(), queries=[4]), "no_such_position"),
        (lambda: attention_flow(long), "flow_too_large"),
    ):
        with pytest.raises(HeadscopeError) as captured:
            ask()
        assert captured.value.code == code
    cancel = Cancel()
    cancel.set()
    for analysis in (attention_rollout, attention_flow):
        with pytest.raises(Cancelled):
            analysis(given(), job=Job(cancel=cancel))


def test_a_flow_that_is_cancelled_stops_between_two_tokens() -> None:
    cancel = Cancel()

    def report(progress) -> None:
        if progress.fraction >= 0.5:
            cancel.set()

    with pytest.raises(Cancelled):
        attention_flow(given(), job=Job(report, cancel))
