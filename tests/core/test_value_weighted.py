"""The norms are those of the vectors themselves, formed one by one, and the vectors add up to what the layer puts out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from headscope.core.analyse.attribution.output_projection import recorder_with_values, value_and_projection
from headscope.core.analyse.attribution.value_weighted import value_weighted_attention
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.model import Model
from headscope.core.models.load import load_model
from tests import allowed
from tests.golden.families import FAMILIES, built
from tests.tiny_models import write_decoder, write_encoder_decoder, write_masked

TEXT = "the cat sat on a mat"
WRITE = {"encoder": write_masked, "decoder": write_decoder, "encoder-decoder": write_encoder_decoder}
NAMES = ("bert", "albert", "gpt2", "llama-grouped", "mistral-sliding", "t5", "bart", "gemma2-softcap", "gpt-oss-sinks")


@pytest.fixture(scope="module", params=NAMES)
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Model:
    family = next(family for family in FAMILIES if family.name == request.param)
    folder = tmp_path_factory.mktemp("model")
    WRITE[family.form](folder)
    built(family).save_pretrained(folder)
    return load_model(str(folder), device="cpu", dtype="float32")


def text_and_target(model: Model) -> tuple[str, None, str | None]:
    return TEXT, None, "a mat" if model.info.family == "encoder-decoder" else None


def layers_and_outputs(model: Model) -> tuple[dict, dict[int, list[torch.Tensor]]]:
    """What the recorder keeps, and what the layers' output projections really gave, in the order of their calls."""
    recorder = recorder_with_values(model)
    source, target = model.encode(*text_and_target(model))
    outputs: dict[int, list[torch.Tensor]] = {}
    hooks = [
        part.register_forward_hook(lambda part, _, output: outputs.setdefault(id(part), []).append(output))
        for part in model.module.modules()
    ]
    with recorder.recording():
        model.forward(model.inputs(source, target))
    for hook in hooks:
        hook.remove()
    return recorder.layers, outputs


@torch.inference_mode()
def test_the_vectors_of_all_heads_and_keys_add_up_to_the_layers_output(model: Model) -> None:
    layers, outputs = layers_and_outputs(model)
    assert set(layers) == set(model.info.layers)
    for found in layers.values():
        for layer in found:
            value, weight, bias = value_and_projection(layer, "This test")
            alpha = layer.weights(range(layer.shape[1]), batch=0, head=None)
            ours = torch.einsum("hqk,hkv,hvd->qd", alpha, value[:, : alpha.shape[-1]], weight) + bias
            candidates = outputs[id(layer.projection)]  # of ALBERT, one module for all layers
            nearest = min(float((given[0] - ours).abs().max()) for given in candidates)
            assert nearest <= allowed.of_logits(ours)


@torch.inference_mode()
def test_norms_are_those_of_each_vector_by_itself(model: Model) -> None:
    layers, _ = layers_and_outputs(model)
    found = value_weighted_attention(model, *text_and_target(model))
    assert set(found.value_norms) == set(layers)
    for kind, kept in layers.items():
        n_heads = kept[0].shape[0]
        assert found.value_norms[kind].shape == (len(kept), n_heads, kept[0].shape[2])
        for index, layer in enumerate(kept):
            groups = n_heads // layer.value.shape[1]
            projection = layer.projection
            rows = projection.weight.T if isinstance(projection, torch.nn.Linear) else projection.weight  # Conv1D
            for head in (0, n_heads - 1):
                alpha = layer.weights(range(layer.shape[1]), batch=0, head=head)[0]
                width = layer.value.shape[-1]
                values = layer.value[0, head // groups]
                expected = np.zeros((layer.shape[1], layer.shape[2]))
                for query in range(alpha.shape[0]):
                    for key in range(alpha.shape[1]):
                        vector = alpha[query, key] * values[key] @ rows[head * width : (head + 1) * width]
                        expected[query, key] = vector.norm()
                ours = found.norms(index, head, kind)
                assert allowed.difference(ours, expected) <= allowed.of_logits(expected)
                assert allowed.difference(found.norms(index, head, kind, slice(1, 3)), ours[1:3]) <= allowed.of_logits(expected)


def test_a_token_with_nothing_to_give_counts_for_nothing_however_much_it_is_looked_at() -> None:
    model = load_model("toy:tales", device="cpu", dtype="float32")
    attention = model.module.decoder.blocks[1].attention
    d_head = model.module.config.d_model // model.module.config.n_heads

    def silence(_module: torch.nn.Module, _args: object, output: torch.Tensor) -> torch.Tensor:
        output = output.clone()
        output[:, 0, d_head : 2 * d_head] = 0  # head 1's value of the first token
        return output

    hook = attention.value.register_forward_hook(silence)
    try:
        found = value_weighted_attention(model, "once upon a time")
    finally:
        hook.remove()
    assert found.record.attention_weights(1, 1)[:, 0].max() > 0.05
    assert not found.norms(1, 1)[:, 0].any()
    assert found.norms(1, 0)[:, 0].all()


def test_what_has_no_values_to_catch_is_said_and_a_cancelled_job_stops(tmp_path: Path) -> None:
    model = load_model(str(write_decoder(tmp_path, "bloom")), device="cpu", dtype="float32")
    with pytest.raises(HeadscopeError) as captured:
        value_weighted_attention(model, TEXT)
    assert captured.value.code == "analysis_undefined"
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        value_weighted_attention(load_model("toy:tales", device="cpu"), "once upon a time", job=Job(cancel=cancel))
