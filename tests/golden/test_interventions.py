"""An intervention does to a pass what its words say: against the same edits in an attention function of a few lines."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import numpy as np
import pytest
import torch
import transformers as hf
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.masking_utils import sdpa_mask

from headscope.core.attention.capture.fallback import recorder_for
from headscope.core.attention.intervention import Cut, Intervention, Paste, Replace, Scale, Uniform
from headscope.core.models.hub.attention import install
from tests import allowed
from tests.golden.families import CACHE, FAMILIES, axis, built, inputs_of

LAYER, HEAD, N_TOKENS = 1, 2, 21
plan = SimpleNamespace(calls=0, scores=None, weights=None, output=None)


def textbook_attention(module, query, key, value, mask, scaling=None, dropout=0.0, **kwargs):
    """Everything written out, and the plan's edits at the second call: (output, None)."""
    groups = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(groups, 1), value.repeat_interleave(groups, 1)
    scores = query @ key.transpose(2, 3) * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if kwargs.get("softcap") is not None:
        scores = kwargs["softcap"] * (scores / kwargs["softcap"]).tanh()
    if mask is not None:
        scores = scores.masked_fill(~mask, -torch.inf)
    elif getattr(module, "is_causal", True):
        scores = scores.masked_fill(torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1), -torch.inf)
    if kwargs.get("position_bias") is not None:
        scores = scores + kwargs["position_bias"]
    here = plan.calls == LAYER
    plan.calls += 1
    if here and plan.scores:
        plan.scores(scores)
    sinks = kwargs.get("s_aux")
    if sinks is not None:
        shared = sinks.view(1, -1, 1, 1).expand(*scores.shape[:3], 1)
        weights = torch.cat([scores, shared], -1).softmax(-1)[..., :-1]
    else:
        weights = scores.softmax(-1).nan_to_num(0)
    if here and plan.weights:
        plan.weights(weights, scores)
    output = (weights @ value).transpose(1, 2).contiguous()
    if here and plan.output:
        plan.output(output)
    return output, None


AttentionInterface.register("textbook", textbook_attention)
AttentionMaskInterface.register("textbook", sdpa_mask)


@cache
def model_of(name: str):
    (family,) = (each for each in FAMILIES if each.name == name)
    model = built(family)
    return family, model, install(model)


def edited(name: str, *edits, n_padding: int = 0):
    """Logits of an edited pass over two texts, and the recorder."""
    family, model, backend = model_of(name)
    recorder = recorder_for(model, backend, intervention=Intervention(edits), keep_outputs=True)
    with torch.inference_mode(), recorder.recording():
        output = model(**inputs_of(family, N_TOKENS, n_padding))
    return output.logits, recorder


def expected(name: str, n_padding: int = 0, **edits: Callable):
    """The same from the textbook."""
    family, model, _ = model_of(name)
    before = model.config._attn_implementation
    model.set_attn_implementation("textbook")
    plan.__dict__.update({"calls": 0, "scores": None, "weights": None, "output": None, **edits})
    try:
        with torch.inference_mode():
            return model(**inputs_of(family, N_TOKENS, n_padding)).logits
    finally:
        model.set_attn_implementation(before)


def close(ours, theirs) -> bool:
    return allowed.difference(ours, theirs) <= allowed.of_logits(theirs)


GENERATOR = np.random.default_rng(0)
VECTOR = GENERATOR.standard_normal(16).astype(np.float32)
PATTERN = GENERATOR.dirichlet(np.ones(N_TOKENS), N_TOKENS).astype(np.float32)
RUNS = GENERATOR.standard_normal((N_TOKENS, 16)).astype(np.float32)


def scaled(output):
    output[:, :, HEAD] *= 0.25


def scaled_late(output):
    output[1, [3, 7], HEAD] = 0


def replaced(output):
    output[:, :, HEAD] = torch.from_numpy(VECTOR)


def patched(output):
    output[:, :, HEAD] = torch.from_numpy(RUNS)


def cut(scores):
    scores[:, HEAD, 15, 9] = -torch.inf
    scores[:, HEAD, 15:18, 10:12] = -torch.inf


def forbidden(scores):
    scores[..., 2] = -torch.inf


def uniform(weights, scores):
    seen = (scores[:, HEAD] > -torch.inf).float()
    weights[:, HEAD, 5:9] = (seen / seen.sum(-1, keepdim=True).clamp(min=1))[:, 5:9]


def pasted(weights, _):
    weights[:, HEAD] = torch.from_numpy(PATTERN)


PLACE = {"layer": LAYER, "head": HEAD}
CUT = (
    Cut(**PLACE, queries=(15,), keys=(9,)),
    Cut(**PLACE, queries=(15, 16, 17), keys=(10, 11)),
)
EDITS = {
    "nothing": ((), {}),
    "scale a head": ((Scale(**PLACE, factor=0.25),), {"output": scaled}),
    "ablate at chosen queries of one text": ((Scale(**PLACE, queries=(3, 7), batch=1),), {"output": scaled_late}),
    "replace by a mean": ((Replace(**PLACE, output=VECTOR),), {"output": replaced}),
    "patch from another run": ((Replace(**PLACE, output=RUNS),), {"output": patched}),
    "cut edges and a block": (CUT, {"scores": cut}),
    "forbid a key for all heads": ((Cut(layer=LAYER, keys=(2,)),), {"scores": forbidden}),
    "uniform at chosen queries": ((Uniform(**PLACE, queries=(5, 6, 7, 8)),), {"weights": uniform}),
    "paste a pattern": ((Paste(**PLACE, pattern=PATTERN),), {"weights": pasted}),
    "together": (
        (Scale(**PLACE, factor=0.25), *CUT, Uniform(**PLACE, queries=(5, 6, 7, 8))),
        {"scores": cut, "weights": uniform, "output": scaled},
    ),
}


@pytest.mark.parametrize("n_padding", [0, 6], ids=["full", "padded"])
@pytest.mark.parametrize("words", EDITS)
@pytest.mark.parametrize(
    "name", ["bert", "albert", "gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "gpt-oss-sinks"]
)
def test_an_edit_is_that_of_the_textbook(name, words, n_padding):
    if n_padding and model_of(name)[2] == "own" and words == "paste a pattern":
        pytest.skip("it looks at padding, which these models and the textbook fill with different numbers")
    edits, textbook = EDITS[words]
    theirs = expected(name, n_padding, **textbook)
    real = inputs_of(model_of(name)[0], N_TOKENS, n_padding)["attention_mask"].bool()
    ours, _ = edited(name, *edits, n_padding=n_padding)
    assert close(ours[real], theirs[real])
    if edits:
        assert not close(theirs[real], expected(name, n_padding)[real])


# ---------------------------------------------------------------- every family, against what needs no attention function
ALL = [family.name for family in FAMILIES]
PROJECTIONS = {"gptj": "attn.out_proj", "bloom": "self_attention.dense", "falcon": "self_attention.dense"}


def projection_of(name: str, kind: str, layer: int):
    """The linear layer behind a layer's heads: where no capture finds it, by its name."""
    family, model, backend = model_of(name)
    if name in PROJECTIONS:
        named = [part for path, part in model.named_modules() if path.endswith(PROJECTIONS[name])]
        return named[layer]
    recorder = recorder_for(model, backend, keep_values=True)
    with torch.inference_mode(), recorder.recording():
        model(**inputs_of(family, N_TOKENS))
    return recorder.layers[kind][layer].projection


def without_head(projection, head: int):
    """The projection's weights with those of one head 0."""
    weights = projection.weight.detach().clone()
    columns = weights if isinstance(projection, torch.nn.Linear) else weights.T  # (d_model, n_heads · d_head)
    width = columns.shape[1] // 4
    columns[:, head * width : (head + 1) * width] = 0
    return weights


@pytest.mark.parametrize("name", [name for name in ALL if name != "albert"])  # it has one projection for all its layers
def test_ablating_a_head_is_taking_its_part_of_the_projection_out(name):
    kinds = {"encoder": ("encoder",), "decoder": ("decoder",), "encoder-decoder": ("encoder", "decoder", "cross")}
    for kind in kinds[model_of(name)[0].form]:
        projection = projection_of(name, kind, LAYER)
        kept = projection.weight.detach().clone()
        plain, _ = edited(name)
        ours, recorder = edited(name, Scale(layer=LAYER, head=HEAD, kind=kind))
        with torch.no_grad():
            projection.weight.copy_(without_head(projection, HEAD))
            theirs, _ = edited(name)
            projection.weight.copy_(kept)
        assert close(ours, theirs), kind
        assert not close(ours, plain), kind
        assert not recorder.outputs[kind][LAYER][:, :, HEAD].any()


@pytest.mark.parametrize("name", [family.name for family in FAMILIES if family.form != "encoder-decoder"])
def test_forbidding_a_key_everywhere_is_masking_it(name):
    family, model, _ = model_of(name)
    ours, recorder = edited(name, Cut(keys=(2,)))
    inputs = inputs_of(family, N_TOKENS)
    inputs["attention_mask"][:, 2] = 0
    positions = torch.arange(N_TOKENS).expand(2, -1)  # masked tokens would not be counted
    with torch.inference_mode():
        takes_positions = name in ("gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "gpt-oss-sinks", "gptj")
        theirs = model(**inputs, **({"position_ids": positions} if takes_positions else {})).logits
    others = [position for position in range(N_TOKENS) if position != 2]
    if name != "bloom":  # its slopes count unmasked tokens
        assert close(ours[:, others], theirs[:, others])
    for kind, layers in recorder.layers.items():
        axes = {kind: (axis(N_TOKENS), axis(N_TOKENS))}
        record = recorder.record(axes, backend=model_of(name)[2])
        for layer in range(len(layers)):
            weights = record.layer_weights(layer, kind)
            assert not weights[..., 2].any()
            rows = weights[:, [row for row in others if row > 2 or family.form == "encoder"]]
            assert rows.sum(-1) == pytest.approx(1, abs=allowed.of_sums()) or "sinks" in name


@pytest.mark.parametrize("name", ALL)
def test_pasting_a_models_own_weights_changes_nothing_and_others_show_in_the_record(name):
    plain, recorder = edited(name)
    edits = []
    for kind, layers in recorder.layers.items():
        for layer, found in enumerate(layers):
            shape = found.shape
            for batch in (0, 1):
                weights = found.weights(range(shape[1]), batch=batch, head=None).numpy()
                pasted_here = [np.pad(rows, [(0, 0), (0, shape[2] - rows.shape[-1])]) for rows in weights]
                edits += [
                    Paste(layer=layer, head=head, kind=kind, batch=batch, pattern=rows) for head, rows in enumerate(pasted_here)
                ]
    again, _ = edited(name, *edits)
    assert close(again, plain)

    kind = next(iter(recorder.layers))
    other, recorder = edited(name, Paste(layer=LAYER, head=HEAD, kind=kind, pattern=PATTERN))
    assert not close(other, plain)
    shown = recorder.layers[kind][LAYER].weights(range(N_TOKENS), batch=0, head=HEAD)[0].numpy()
    assert allowed.difference(shown, PATTERN) <= allowed.of_sums(1)


@pytest.mark.parametrize("name", ALL)
def test_patching_every_head_with_what_it_gave_changes_nothing(name):
    plain, recorder = edited(name)
    edits = [
        Replace(layer=layer, kind=kind, batch=batch, output=output[batch].transpose(0, 1).numpy())
        for kind, layers in recorder.outputs.items()
        for layer, output in enumerate(layers)
        for batch in (0, 1)
    ]
    assert len(edits) >= 4
    again, _ = edited(name, *edits)
    assert close(again, plain)


# ---------------------------------------------------------------- generation
def fed(name: str, intervention: Intervention, splits: list[int]):
    """Logits of all positions, reading tokens in pieces with a cache; and the record."""
    family, model, backend = model_of(name)
    recorder = recorder_for(model, backend, append=True, intervention=intervention)
    generator = torch.Generator().manual_seed(5)
    tokens = torch.randint(5, 90, (1, N_TOKENS), generator=generator)
    fed_by, inputs = "input_ids", {}
    cache = hf.DynamicCache(config=model.config)
    if family.form == "encoder-decoder":
        fed_by, inputs = "decoder_input_ids", {"input_ids": tokens.flip(1)[:, :11]}
        cache = hf.EncoderDecoderCache(hf.DynamicCache(), hf.DynamicCache())
    logits = []
    with torch.inference_mode():
        for start, stop in pairwise([0, *splits, N_TOKENS]):
            with recorder.recording():
                output = model(**inputs, **{fed_by: tokens[:, start:stop], CACHE: cache}, use_cache=True)
            if inputs:
                inputs = {"encoder_outputs": (output.encoder_last_hidden_state,)}
            logits.append(output.logits)
    axes = {"decoder": (axis(N_TOKENS), axis(N_TOKENS)), "cross": (axis(N_TOKENS), axis(11)), "encoder": (axis(11), axis(11))}
    return torch.cat(logits, 1), recorder.record(axes, backend=backend)


@pytest.mark.parametrize("name", [family.name for family in FAMILIES if family.form != "encoder"])
def test_edits_of_positions_mean_the_same_in_generation_as_in_one_pass(name):
    band = np.triu(np.tril(PATTERN), -7)  # a sliding cache holds no more
    intervention = Intervention(
        (
            Scale(layer=0, head=1, queries=(4, 9, 15), kind="decoder"),
            Cut(layer=1, head=2, queries=(8, 16, 18), keys=(3, 15, 16), kind="decoder"),
            Cut(layer=1, head=0, keys=(14,), kind="decoder"),
            Paste(layer=2, head=3, queries=(10, 17), pattern=band, kind="decoder"),
            Replace(layer=2, head=0, queries=(11, 19), output=RUNS, kind="decoder"),
        )
    )
    whole, record = fed(name, intervention, [])
    steps, stepwise = fed(name, intervention, list(range(7, N_TOKENS)))
    plain, _ = fed(name, Intervention(), [])
    assert close(steps, whole)
    assert not close(whole, plain)
    for layer in range(record.n_layers("decoder")):
        ours, theirs = (each.layer_weights(layer, "decoder") for each in (record, stepwise))
        assert allowed.difference(ours, theirs) <= allowed.of_weights(theirs)
