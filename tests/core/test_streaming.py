"""Matrices are taken out of a running model one by one, and only where it can do without them."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import nn

from headscope.core.attention.capture.fallback import attentions_of, recorder_for
from headscope.core.attention.capture.matrix_hooks import learn, streamed
from headscope.core.keep import Keep
from headscope.core.models.hub.attention import eager_attentions, install
from tests.golden.families import FAMILIES, axis, built, inputs_of

N_TOKENS = 21


@pytest.fixture(scope="module", params=["gptj", "bloom", "falcon"])
def family(request: pytest.FixtureRequest):
    return next(family for family in FAMILIES if family.name == request.param)


@pytest.fixture(scope="module")
def model(family):
    model = built(family)
    if install(model) != "fallback":
        pytest.skip("this release of transformers lets it be captured in a better way")
    return model


def test_the_models_output_holds_empty_tensors_and_the_record_the_matrices(family, model) -> None:
    inputs = inputs_of(family, N_TOKENS, 6)
    recorder = recorder_for(model, "fallback")
    with torch.inference_mode(), recorder.recording():
        output = model(**inputs)
    assert [matrix.numel() for matrix in output.attentions] == [0, 0, 0]
    record = recorder.record({"decoder": (axis(N_TOKENS), axis(N_TOKENS))}, backend="fallback", batch=1)
    for layer, expected in enumerate(eager_attentions(model, inputs)["decoder"]):
        np.testing.assert_array_equal(record.layer_weights(layer, "decoder"), expected[1].numpy())


def test_matrices_that_are_not_kept_are_gone_before_the_next_layer_makes_its_own(family, model) -> None:
    alive: list[weakref.ref] = []
    most = 0

    def count(_module: nn.Module, _args: object, output: tuple) -> None:
        nonlocal most
        gc.collect()
        alive.append(weakref.ref(output[1]))
        most = max(most, sum(matrix() is not None for matrix in alive))

    recorder = recorder_for(model, "fallback")
    recorder.kept = Keep(layers=())
    attending = [
        part for part in model.modules() if type(part).__name__ in ("GPTJAttention", "BloomAttention", "FalconAttention")
    ]
    assert len(attending) == 3
    with torch.inference_mode(), recorder.recording():
        hooks = [part.register_forward_hook(count, prepend=True) for part in attending]
        model(**inputs_of(family, N_TOKENS))
    for hook in hooks:
        hook.remove()
    assert most == 1


class Reuses(nn.Module):
    """Two layers, the second of which looks at the weights of the first."""

    class Layer(nn.Module):
        def forward(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            weights = (hidden @ hidden.mT).softmax(-1)
            return weights[0] @ hidden, weights

    def __init__(self) -> None:
        super().__init__()
        self.layer = self.Layer()

    def forward(self, hidden: torch.Tensor) -> list[torch.Tensor]:
        output, weights = self.layer(hidden)
        return [weights, self.layer(output + weights.sum())[1]]


def test_a_model_that_goes_on_with_its_matrices_keeps_them() -> None:
    model = Reuses()
    hidden = torch.randn(1, 1, 5, 4)
    taken: list[torch.Tensor] = []
    learn(model, lambda: model(hidden), lambda output: {"encoder": output})
    with streamed(model, lambda _place, matrix: taken.append(matrix)):
        output = model(hidden)
    assert taken == []  # the sum of an empty tensor is 0: nothing would have failed, and the second map been another
    assert [matrix.numel() for matrix in output] == [25, 25]


def test_what_a_model_returns_without_a_recorder_is_untouched(family, model) -> None:
    inputs = inputs_of(family, 5)
    with torch.inference_mode():
        output = model(**inputs, output_attentions=True)
    assert [matrix.shape[-1] for matrix in attentions_of(output, model)["decoder"]] == [5, 5, 5]
