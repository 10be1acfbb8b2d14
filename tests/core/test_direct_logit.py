"""A logit taken apart: the parts sum to it in every family, and are what the long way by the modules' names gives."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import accelerate
import numpy as np
import pytest
import torch

from headscope.core.analyse.attribution.direct_logit import DirectLogit, direct_logit_attribution
from headscope.core.analyse.attribution.frozen_head import frozen_norm
from headscope.core.errors import HeadscopeError
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.model import Model
from headscope.core.models.load import load_model
from tests import allowed
from tests.looked_into import opened

TEXT = "the cat sat"
SUMS = (
    "gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "gpt-oss-sinks", "t5", "bloom", "opt-projected",
    "neox-parallel", "granite-multipliers", "cohere-logit-scale", "phi-head-bias", "qwen3", "olmo2-norm-behind",
    "pegasus-logits-bias", "t5-gated",
)  # fmt: skip
POST_NORM = ("bert", "albert", "roberta", "bart", "opt-post-norm")


def target_of(model: Model) -> str | None:
    return "a mat" if model.info.family == "encoder-decoder" else None


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return opened("gpt2", tmp_path_factory.mktemp("gpt2"))


def sums(parts) -> dict[str, float]:
    totals: dict[str, float] = {}
    for part in parts:
        totals[part.kind] = totals.get(part.kind, 0.0) + part.contribution
    return totals


def summed(found: DirectLogit, model: Model | None = None) -> float:
    """What rounding explains of a logit's parts and their sum: they may be larger than it, and cancel each other."""
    return allowed.of_logits([part.contribution for part in found.parts], model)


# ---------------------------------------------------------------- everywhere
@pytest.mark.parametrize("name", SUMS)
def test_the_parts_sum_to_the_models_own_logit(name: str, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    with torch.inference_mode():
        source, written = model.encode(TEXT, None, target_of(model))
        own = model.module(**model.inputs(source, written)).logits[0]
    for position in (1, len(own) - 1):
        for token in (None, 7):
            found = direct_logit_attribution(model, TEXT, target=target_of(model), position=position, token=token)
            expected = int(own[position].argmax()) if token is None else token
            assert (found.target.position, found.target.token) == (position, expected)
            assert found.logit == pytest.approx(float(own[position, expected]), abs=allowed.of_logits(own))
            assert abs(found.remainder) <= summed(found)
    if model.info.backend == "fallback":
        assert [part.kind for part in found.parts].count("layer") == 3
        return
    kinds = {kind for kind in ("decoder", "cross") if kind in model.info.layers}
    assert {part.attention for part in found.parts if part.kind == "head"} == kinds
    for kind in kinds:
        heads = found.heads(kind)
        assert heads.shape == (3, 4)
        assert np.abs(heads).min() > 0
        assert heads.sum() == pytest.approx(
            sum(part.contribution for part in found.parts if part.kind == "head" and part.attention == kind), abs=summed(found)
        )
    assert len({part.name for part in found.parts}) == len(found.parts)


def test_each_kind_of_bias_is_found_where_there_is_one(tmp_path: Path) -> None:
    biased = sums(direct_logit_attribution(opened("phi-head-bias", tmp_path / "phi"), TEXT, token=7).parts)
    assert min(abs(biased[kind]) for kind in ("attention_bias", "norm_bias", "output_bias")) > 1e-3
    plain = sums(direct_logit_attribution(opened("llama-grouped", tmp_path / "llama"), TEXT, token=7).parts)
    assert max(abs(plain[kind]) for kind in ("attention_bias", "norm_bias", "output_bias")) <= allowed.of_sums()


@pytest.mark.parametrize("name", POST_NORM)
def test_models_that_normalise_behind_the_sum_are_refused_in_words(name: str, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    with pytest.raises(HeadscopeError) as captured:
        direct_logit_attribution(model, "the cat [MASK]" if model.info.family == "encoder" else TEXT, target=target_of(model))
    assert captured.value.code == "analysis_undefined"
    assert model.info.architecture in str(captured.value)


# ---------------------------------------------------------------- the long way
def modules_results(model: Model, names: tuple[str, ...]) -> dict[str, tuple[torch.Tensor, torch.Tensor]]:
    """(given, result) of some modules in one pass, each (n_tokens, width), in float64."""
    found: dict[str, tuple[torch.Tensor, torch.Tensor]] = {}

    def keep(name: str):
        def hook(_module: torch.nn.Module, args: tuple, output: torch.Tensor) -> None:
            found[name] = args[0][0].double(), output[0].double()

        return hook

    hooks = [model.module.get_submodule(name).register_forward_hook(keep(name)) for name in names]
    with torch.inference_mode():
        model.module(**model.inputs(model.encode(TEXT)[0]))
    for hook in hooks:
        hook.remove()
    return found


def test_gpt2_by_hand(gpt2: Model) -> None:
    """Layer norm takes the mean away, divides by the standard deviation and multiplies with its weight."""
    position, token, d_head = 4, 11, 16
    blocks = [f"transformer.h.{layer}.{part}" for layer in range(3) for part in ("attn.c_proj", "mlp")]
    seen = modules_results(gpt2, ("transformer.ln_f", *blocks))
    transformer, unembedding = gpt2.module.transformer, gpt2.module.lm_head.weight[token].detach().double()
    x = seen["transformer.ln_f"][0][position]
    deviation = ((x - x.mean()) ** 2).mean().add(transformer.ln_f.eps).sqrt()
    weight, bias = (each.detach().double() for each in (transformer.ln_f.weight, transformer.ln_f.bias))

    def added(part: torch.Tensor) -> float:
        return float(((part - part.mean()) / deviation * weight) @ unembedding)

    found = direct_logit_attribution(gpt2, TEXT, position=position, token=token)
    by_name = {part.name: part.contribution for part in found.parts}
    for layer in range(3):
        projection = transformer.h[layer].attn.c_proj
        merged, rows = seen[f"transformer.h.{layer}.attn.c_proj"][0][position], projection.weight.detach().double()
        for head in range(4):
            of_head = slice(head * d_head, (head + 1) * d_head)
            assert by_name[f"layer {layer} decoder head {head}"] == pytest.approx(
                added(merged[of_head] @ rows[of_head]), abs=summed(found)
            )
        assert by_name[f"layer {layer} decoder attention bias"] == pytest.approx(
            added(projection.bias.detach().double()), abs=summed(found)
        )
        assert by_name[f"layer {layer} feed forward"] == pytest.approx(
            added(seen[f"transformer.h.{layer}.mlp"][1][position]), abs=summed(found)
        )
    ids = gpt2.encode(TEXT)[0].ids
    start = (transformer.wte.weight[ids[position]] + transformer.wpe.weight[position]).detach().double()
    assert by_name["embedding"] == pytest.approx(added(start), abs=summed(found))
    assert by_name["norm bias"] == pytest.approx(float(bias @ unembedding), abs=summed(found))
    assert by_name["output bias"] == 0


def test_gemma2_by_hand(tmp_path: Path) -> None:
    """Attention goes through a norm of its own before it joins the stream, and the logit through a cap."""
    model = opened("gemma2-softcap", tmp_path)
    position, d_head, cap = 4, 16, model.module.config.final_logit_softcapping
    found = direct_logit_attribution(model, TEXT, position=position)
    by_name, token = {part.name: part for part in found.parts}, found.target.token
    behind = [f"model.layers.{layer}.{part}" for layer in range(3) for part in ("self_attn.o_proj", "post_attention_layernorm")]
    last = [f"model.layers.{layer}.post_feedforward_layernorm" for layer in range(3)]
    seen = modules_results(model, ("model.norm", *behind, *last))

    def scale(norm: torch.nn.Module, x: torch.Tensor) -> torch.Tensor:
        return (1 + norm.weight.detach().double()) / (x**2).mean().add(norm.eps).sqrt()

    layers, final = model.module.model.layers, model.module.model.norm
    x = seen["model.norm"][0][position]
    direction = scale(final, x) * model.module.lm_head.weight[token].detach().double()
    uncapped = float(direction @ x)
    direction = direction * float(cap * np.tanh(uncapped / cap)) / uncapped
    for layer in range(3):
        merged, whole = (each[position] for each in seen[f"model.layers.{layer}.self_attn.o_proj"])
        gain = scale(layers[layer].post_attention_layernorm, whole)
        rows = layers[layer].self_attn.o_proj.weight.detach().double().T
        for head in range(4):
            of_head = slice(head * d_head, (head + 1) * d_head)
            expected = float(direction @ (gain * (merged[of_head] @ rows[of_head])))
            assert by_name[f"layer {layer} decoder head {head}"].contribution == pytest.approx(expected, abs=summed(found))
        fed = float(direction @ seen[f"model.layers.{layer}.post_feedforward_layernorm"][1][position])
        assert by_name[f"layer {layer} feed forward"].contribution == pytest.approx(fed, abs=summed(found))
    assert uncapped - found.logit > 1  # the cap is felt


@pytest.mark.parametrize("centred", [True, False])
def test_a_norm_is_read_by_what_it_does(centred: bool) -> None:
    norm = torch.nn.LayerNorm(8) if centred else torch.nn.RMSNorm(8)
    generator = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for parameter in norm.parameters():
            parameter.normal_(generator=generator)
    x = torch.randn(1, 1, 8, generator=generator) + 1
    frozen = frozen_norm(norm, x, torch.float32)
    assert frozen.centred == centred
    assert allowed.difference(frozen.scaled(x) + frozen.bias, norm(x).detach()) <= allowed.of_logits(norm(x))
    length = x.var(correction=0) if centred else (x**2).mean()
    deviation = (length + (norm.eps or torch.finfo(torch.float32).eps)).sqrt()
    gain = (norm.weight / deviation).detach()
    assert allowed.difference(frozen.gain, gain) <= allowed.of_logits(gain)
    assert frozen_norm(torch.nn.Sequential(norm, torch.nn.GELU()), x, torch.float32) is None


# ---------------------------------------------------------------- the toys
@cache
def toy(name: str) -> Model:
    return load_model(name, device="cpu", dtype="float32")


def test_the_head_that_looks_at_the_subject_tells_plural_from_singular() -> None:
    """Layer 1, head 3 looks from the mask at "keys": most of what speaks for "are" against "is" is its doing."""
    model, text = toy("toy:grammar"), "the keys of the cabinet [MASK] rusty ."
    ids = {
        word: next(c.id for c in model.fill_mask(text, top_k=200)[0].candidates if c.label == word) for word in ("are", "is")
    }
    plural, singular = (direct_logit_attribution(model, text, token=ids[word]) for word in ("are", "is"))
    assert plural.target.position == model.encode(text)[0].axis.masks[0]
    assert abs(plural.remainder) <= summed(plural)
    difference = plural.heads("encoder") - singular.heads("encoder")
    assert np.unravel_index(difference.argmax(), difference.shape) == (1, 3)
    assert difference[1, 3] > 0.5 * difference.clip(min=0).sum()


# ---------------------------------------------------------------- other formats and places
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize(
    "name", ["gpt2", "llama-grouped", "gemma2-softcap", "olmo2-norm-behind", "t5", "t5-gated", "pegasus-logits-bias"]
)
def test_a_half_precision_model_sums_up_within_its_own_rounding(name: str, dtype: str, tmp_path: Path) -> None:
    """transformers keeps a part of T5 in float32: what counts is the coarsest format."""
    opened(name, tmp_path)
    model = load_model(str(tmp_path), device="cpu", dtype=dtype)
    found = direct_logit_attribution(model, TEXT, target=target_of(model))
    assert abs(found.remainder) <= summed(found, model)
    assert {"head", "feed_forward"} <= {part.kind for part in found.parts}


def test_a_model_whose_weights_come_when_they_are_needed_is_taken_apart_the_same(tmp_path: Path) -> None:
    """accelerate keeps them elsewhere between the passes, and puts a forward of its own on every module."""
    model = opened("llama-grouped", tmp_path)
    before = direct_logit_attribution(model, TEXT)
    accelerate.cpu_offload(model.module, execution_device=torch.device("cpu"))
    assert all(weights.is_meta for weights in model.module.parameters())
    forwards = [vars(part).get("forward") for part in model.module.modules()]
    after = direct_logit_attribution(model, TEXT)
    assert [part.name for part in after.parts] == [part.name for part in before.parts]
    assert [part.contribution for part in after.parts] == pytest.approx(
        [part.contribution for part in before.parts], abs=summed(before)
    )
    assert [vars(part).get("forward") for part in model.module.modules()] == forwards


def test_what_is_asked_for_must_be_there(gpt2: Model) -> None:
    for model, text, options, code in (
        (gpt2, TEXT, {"position": 99}, "no_such_position"),
        (gpt2, TEXT, {"token": 99}, "bad_option"),
        (toy("toy:grammar"), "the keys are rusty .", {}, "no_mask"),
    ):
        with pytest.raises(HeadscopeError) as captured:
            direct_logit_attribution(model, text, **options)
        assert captured.value.code == code
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        direct_logit_attribution(gpt2, TEXT, job=Job(cancel=cancel))
