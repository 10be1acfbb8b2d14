"""What we say a model attended to is what the model's own eager attention computes, family by family."""

from __future__ import annotations

from functools import cache
from itertools import pairwise

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.models.hub.attention import attention_layers, eager_attentions, eager_pass, install
from tests import allowed
from tests.golden.families import CACHE, FAMILIES, VOCABULARY, axis, built, funnel, inputs_of, mamba

CASES = {"one token": (1, 0), "short": (5, 0), "beyond the window": (21, 0), "padded": (21, 6)}


@cache
def installed(family):
    model = built(family)
    return model, install(model)


def recorded(family, inputs):
    """The records of both texts of one pass, and the model's output."""
    model, backend = installed(family)
    recorder = recorder_for(model, backend)
    with torch.inference_mode(), recorder.recording():
        output = model(**inputs)
    axes = {
        kind: (axis(layers[0].shape[1]), axis(layers[0].shape[2]))  # the lengths are checked against eager's by the callers
        for kind, layers in recorder.layers.items()
    }
    return [recorder.record(axes, backend=backend, batch=batch) for batch in (0, 1)], output


def real_queries(kind, inputs, batch):
    """Which queries are tokens. (Eager lets padding look everywhere alike; we say that it looks nowhere.)"""
    if "decoder_input_ids" in inputs and kind != "encoder":
        return np.ones(inputs["decoder_input_ids"].shape[1], bool)
    return inputs["attention_mask"][batch].bool().numpy()


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_weights_are_those_of_the_models_own_eager_attention(family, case):
    inputs = inputs_of(family, *CASES[case])
    records, _ = recorded(family, inputs)
    model, _ = installed(family)
    eager = eager_attentions(model, inputs)

    for batch, record in enumerate(records):
        assert (
            record.backend == family.backend or family.backend == "fallback"
        )  # a later release may have put it on the interface
        assert set(record.kinds) == set(eager)
        for kind, matrices in eager.items():
            real = real_queries(kind, inputs, batch)
            assert record.n_layers(kind) == len(matrices)
            for layer, expected in enumerate(matrices):
                weights = record.layer_weights(layer, kind)
                assert weights.shape == expected[batch].shape
                rounding = allowed.of_weights(expected[batch], model)
                assert np.abs(weights - expected[batch].numpy())[:, real].max() <= rounding
                for head in range(record.n_heads(kind)):
                    alone = record.attention_weights(layer, head, kind)
                    assert np.abs(alone - weights[head]).max() <= rounding


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_attention_in_these_tests_is_far_from_uniform(family):
    records, _ = recorded(family, inputs_of(family, 21))
    for kind in records[0].kinds:
        weights = np.stack([records[0].layer_weights(layer, kind) for layer in range(records[0].n_layers(kind))])
        assert weights[..., 4:, :].max() > 0.5
        assert weights[..., 4:, :].max(-1).mean() > 1.5 * (1 / weights.shape[-1])


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_rows_sum_to_one_and_nobody_sees_the_future_or_padding(family):
    inputs = inputs_of(family, 21, 6)
    records, _ = recorded(family, inputs)
    padding = ~inputs["attention_mask"][1].bool().numpy()
    for batch, record in enumerate(records):
        for kind in record.kinds:
            real = real_queries(kind, inputs, batch)
            for layer in range(record.n_layers(kind)):
                weights = record.layer_weights(layer, kind)
                sums = weights.sum(-1)[:, real]
                if "sinks" in family.name:
                    assert sums.max() <= 1 + allowed.of_sums()
                    assert sums.min() < 0.9  # sinks take their share
                else:
                    assert sums == pytest.approx(1, abs=allowed.of_sums())
                if kind == "decoder":
                    assert not np.triu(weights[:, real][:, :, real], 1).any()
                if batch == 1 and not (kind == "decoder" and family.form == "encoder-decoder"):
                    assert not weights[:, real][..., padding].any()
                if family.backend != "fallback":
                    assert np.isfinite(weights).all()
                    if family.form == "decoder":
                        assert not weights[:, ~real].any()  # a softmax over nothing


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_capture_does_not_change_what_the_model_says(family):
    untouched = built(family)
    model, _ = installed(family)
    inputs = inputs_of(family, 21, 6)
    _, output = recorded(family, inputs)
    with torch.inference_mode():
        bare = model(**inputs).logits
        before = untouched(**inputs).logits
    own = eager_pass(model, inputs).logits
    real = torch.from_numpy(np.stack([real_queries("decoder", inputs, batch) for batch in (0, 1)]))
    for reference in (bare, before, own):
        assert (output.logits - reference)[real].abs().max() <= allowed.of_logits(reference[real], model)


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_layers_and_heads_are_counted(family):
    layers = attention_layers(*installed(family))
    expected = {"encoder": {"encoder"}, "decoder": {"decoder"}, "encoder-decoder": {"encoder", "decoder", "cross"}}[family.form]
    assert set(layers) == expected
    assert layers == {kind: (2 if kind == "encoder" and len(layers) == 3 else 3, 4) for kind in layers}


# ---------------------------------------------------------------- generation
GENERATING = [family for family in FAMILIES if family.form != "encoder"]


def generated(family, n_prompt, n_steps):
    """A snapshot after each step of feeding tokens one by one behind a prompt, and the whole input."""
    model, backend = installed(family)
    recorder = recorder_for(model, backend, append=True)
    fed_by = "input_ids" if family.form == "decoder" else "decoder_input_ids"
    generator = torch.Generator().manual_seed(7)
    tokens = torch.randint(5, VOCABULARY, (1, n_prompt + n_steps), generator=generator)
    source = torch.randint(5, VOCABULARY, (1, 11), generator=generator)
    inputs = {} if family.form == "decoder" else {"input_ids": source}
    cache = hf.DynamicCache(config=model.config)
    if inputs:  # (T5 with more decoder than encoder layers cannot make its cache from its configuration)
        cache = hf.EncoderDecoderCache(hf.DynamicCache(), hf.DynamicCache())
    snapshots = []
    with torch.inference_mode():
        for start, stop in pairwise([0, *range(n_prompt, n_prompt + n_steps + 1)]):
            with recorder.recording():
                output = model(**inputs, **{fed_by: tokens[:, start:stop], CACHE: cache}, use_cache=True)
            if inputs:
                inputs = {"encoder_outputs": (output.encoder_last_hidden_state,)}
            axes = {"decoder": (axis(stop), axis(stop)), "cross": (axis(stop), axis(11)), "encoder": (axis(11), axis(11))}
            snapshots.append(recorder.record(axes, backend=backend))
    return snapshots, {"input_ids": source, fed_by: tokens}


@pytest.mark.parametrize("n_prompt", [1, 5, 12])
@pytest.mark.parametrize("family", GENERATING, ids=str)
def test_rows_collected_step_by_step_are_those_of_one_pass(family, n_prompt):
    snapshots, whole = generated(family, n_prompt, 9)
    model, _ = installed(family)
    eager = eager_attentions(model, whole)
    assert set(snapshots[-1].kinds) == set(eager)
    for snapshot in snapshots:  # each as it was taken, later steps notwithstanding
        for kind, matrices in eager.items():
            n_queries, n_keys = (len(side) for side in snapshot.axis(kind))
            for layer, expected in enumerate(matrices):
                weights = snapshot.layer_weights(layer, kind)
                rows = expected[0, :, :n_queries, :n_keys]
                assert allowed.difference(weights, rows) <= allowed.of_weights(rows, model)


@pytest.mark.parametrize(
    "family", [family for family in GENERATING if family.name in ("gpt2", "llama-grouped", "mistral-sliding")]
)
def test_snapshots_share_what_they_keep(family):
    snapshots, _ = generated(family, 5, 20)
    model = installed(family)[0]
    key_heads = getattr(model.config, "num_key_value_heads", 4)
    exact = 3 * (4 + key_heads) * 25 * 16 * 4  # layers · (query and key heads) · tokens · d_head · bytes
    assert exact <= snapshots[-1].nbytes <= 3 * exact
    assert snapshots[-1].nbytes == snapshots[-2].nbytes  # the same buffers, not a copy a step


# ---------------------------------------------------------------- models without maps, and stopping
@pytest.mark.parametrize("build", [mamba, funnel])
def test_models_without_token_by_token_maps_are_refused_in_words(build):
    with pytest.raises(HeadscopeError) as refused:
        install(build())
    assert refused.value.code == "no_attention"


@pytest.mark.parametrize("name", ["bert", "gemma2-softcap", "gptj"])
def test_a_cancelled_job_stops_inside_the_pass(name):
    family = next(family for family in FAMILIES if family.name == name)
    model, backend = installed(family)
    cancel = Cancel()
    seen = []

    def report(progress):
        seen.append(progress.fraction)
        cancel.set()

    recorder = recorder_for(model, backend, job=Job(report, cancel), n_layers_hint=3)
    if backend == "fallback":
        cancel.set()
    with torch.inference_mode(), recorder.recording(), pytest.raises(Cancelled):
        model(**inputs_of(family, 5))
    assert seen == ([] if backend == "fallback" else [pytest.approx(1 / 3)])
