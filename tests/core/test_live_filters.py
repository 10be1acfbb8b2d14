"""The filters of the window's own thread are those of sampling, stage by stage."""

import itertools

import numpy as np
import pytest
import torch

from headscope.core.models.load import load_model
from headscope.core.options import Sampling
from headscope.core.predict.live_filters import LiveFilters
from headscope.core.predict.results import MOST_WHOLE, Prediction
from headscope.core.predict.sampling import last_of, said, stages_of
from tests import allowed

IDS = (0, 3, 7, 11, 500, 999)
WRITTEN = (3, 3, 11, 40, 5000)


def random_logits(scale: float, n: int = 1000, *, tied: bool = False) -> torch.Tensor:
    logits = torch.randn(n, generator=torch.Generator().manual_seed(0)) * scale
    return logits.round() if tied else logits


def assert_same(logits: torch.Tensor, sampling: Sampling, ids: tuple[int, ...] = IDS) -> None:
    stages = stages_of(logits, sampling, WRITTEN)
    ours = LiveFilters(logits.numpy(), WRITTEN).filtered(sampling, ids)
    expected = said(stages, ids)
    assert [(stage.name, stage.n_kept) for stage in ours.stages] == [(stage.name, stage.n_kept) for stage in expected]
    for one, other in zip(ours.stages, expected, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=allowed.of_doubles(), rtol=0)
        assert one.mass == pytest.approx(other.mass, abs=allowed.of_doubles())
    assert ours.most_probable == int(last_of(stages).argmax())


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("scale", [0.01, 1.0, 6.0])
def test_every_stage_keeps_the_same_tokens_with_the_same_probabilities(scale: float, tied: bool) -> None:
    logits = random_logits(scale, tied=tied)
    for temperature, k, p, least, penalty in itertools.product(
        (0, 0.3, 1, 2.5), (0, 1, 40), (0.1, 0.9, 1), (0, 0.05), (1, 1.4)
    ):
        assert_same(logits, Sampling(temperature, k, p, 0, least, penalty))


def test_filters_that_are_moved_one_after_the_other_are_as_those_of_a_new_distribution() -> None:
    logits = random_logits(3.0)
    live = LiveFilters(logits.numpy(), WRITTEN)
    for sampling in (
        Sampling(0.5, 9, repetition_penalty=1.3),
        Sampling(0.8, 9, repetition_penalty=1.3),
        Sampling(0.8),
        Sampling(),
    ):
        assert live.filtered(sampling, IDS) == LiveFilters(logits.numpy(), WRITTEN).filtered(sampling, IDS)


@pytest.mark.parametrize("p", [0.05, 0.3, 0.5, 0.9, 0.999])
def test_a_nucleus_that_is_larger_than_the_first_look_is_the_same_set(p: float) -> None:
    for tied in (False, True):
        logits = random_logits(0.5, 20_000, tied=tied)
        every = tuple(range(20_000))
        assert_same(logits, Sampling(temperature=1.0, top_p=p), every)


def test_equals_at_the_edge_of_the_nucleus_are_kept_from_the_first_id_on() -> None:
    logits = np.zeros(8, np.float32)
    *_, nucleus = LiveFilters(logits).filtered(Sampling(temperature=1.0, top_p=0.5), range(8)).stages
    assert nucleus.probabilities == (0.25, 0.25, 0.25, 0.25, 0, 0, 0, 0)


def test_smallest_temperatures_and_huge_logits_leave_the_best_alone() -> None:
    logits = torch.tensor([3e38, -3e38, 1.0, 3e37])
    assert_same(logits, Sampling(temperature=0.01), (0, 1, 2, 3))
    assert_same(logits, Sampling(temperature=0.01, top_k=2, top_p=0.9, min_p=0.1), (0, 1, 2, 3))


def test_a_prediction_knows_the_log_probability_of_every_token() -> None:
    model = load_model("toy:grammar", device="cpu", dtype="float32")
    (prediction,) = model.fill_mask("the keys of the cabinet [MASK] rusty .")
    logits = model.forward(model.inputs(model.encode("the keys of the cabinet [MASK] rusty .")[0])).logits[
        0, prediction.position
    ]
    np.testing.assert_allclose(prediction.logits, logits.numpy(), atol=allowed.of_logits(logits, model))
    expected = torch.from_numpy(prediction.logits).double().log_softmax(-1).numpy()
    ours = [prediction.log_probability(id_) for id_ in range(len(expected))]
    np.testing.assert_allclose(ours, expected, atol=allowed.of_doubles(np.abs(expected).max()), rtol=0)
    only_best = Prediction(prediction.position, prediction.candidates)
    assert only_best.log_probability(prediction.candidates[0].id) == pytest.approx(expected.max(), abs=allowed.of_doubles())
    assert only_best.log_probability(int(expected.argmin())) is None


def test_only_so_many_predictions_carry_their_logits() -> None:
    model = load_model("toy:grammar", device="cpu", dtype="float32")
    carried = [each.logits is not None for each in model.fill_mask("[MASK] " * (MOST_WHOLE + 3))]
    assert carried == [True] * MOST_WHOLE + [False] * 3
    (following,) = load_model("toy:tales", device="cpu", dtype="float32").run("once upon a").predictions
    assert following.logits.base is None or following.logits.base.shape == following.logits.shape, "not a view of all logits"
