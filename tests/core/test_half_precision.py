"""Every analysis of a model in half precision, also of one that keeps a part of itself in float32 (T5): none is refused for its rounding."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from headscope.core.analyse.attribution.gradient_attention import gradient_attention
from headscope.core.analyse.attribution.integrated_gradients import integrated_gradients
from headscope.core.analyse.attribution.value_weighted import value_weighted_attention
from headscope.core.analyse.causal import variants
from headscope.core.analyse.causal.sweeps import Question, ablate_heads, cut_edges, forbid_keys
from headscope.core.analyse.records.arithmetic import arithmetic
from headscope.core.attention.capture.edit_trial import reaches
from headscope.core.forward.verify import verify
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.numerics import difference_tolerance
from headscope.core.predict.logit_lens import logit_lens
from headscope.core.predict.surprisal import surprisal
from tests.looked_into import opened

NAMES = ("t5", "gpt2", "llama-grouped", "gemma2-softcap", "gpt-oss-sinks", "bert")


@pytest.fixture(scope="module")
def model_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], Model]:
    folders: dict[str, Path] = {}

    def one(name: str, dtype: str) -> Model:
        if name not in folders:
            folders[name] = tmp_path_factory.mktemp(name)
            opened(name, folders[name])
        return load_model(str(folders[name]), device="cpu", dtype=dtype)

    return one


def texts_of(model: Model) -> dict[str, str | None]:
    text = "the [MASK] sat" if model.info.family == "encoder" else "the cat sat"
    return {"text": text, "target": "a mat" if model.info.family == "encoder-decoder" else None}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_refused_for_its_rounding(model_of: Callable[[str, str], Model], name: str, dtype: str) -> None:
    model = model_of(name, dtype)
    texts = texts_of(model)
    assert verify(model, **texts).passed
    assert reaches(model.module, model.info.backend, model.place)
    *_, sweep = ablate_heads(model, Question(**texts, token=7))
    assert np.isfinite(sweep.log_probability_change).all()
    assert variants._layout_to_branch(model, model.inputs(*model.encode(texts["text"], None, texts["target"]))) is not None
    for sweeps in (cut_edges(model, Question(**texts), 1, 2), forbid_keys(model, Question(**texts))):
        *_, last = sweeps
        assert np.isfinite(last.divergence).all()
    record = model.capture(**texts)
    for kind in record.kinds:
        assert arithmetic(record, kind, 1, 2, 3, 0).working.is_rounding
        assert np.isfinite(value_weighted_attention(model, **texts).norms(1, 2, kind)).all()
        assert np.isfinite(gradient_attention(model, **texts, token=7).attributions[kind]).all()
    *_, last = logit_lens(model, **texts)
    assert np.isfinite(last.entropies).all()
    assert np.isfinite(surprisal(model, **texts).bits).any()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("name", ["gpt2", "bert"])
def test_no_pass_is_spent_on_digits_that_half_precision_does_not_have(
    model_of: Callable[[str, str], Model], name: str, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With float32's limit of 0.01 each layer took 190 steps and more, and came no nearer."""
    model = model_of(name, dtype)
    n_steps, gradients = [], type(model).forward

    def counted(self: Model, inputs: dict[str, torch.Tensor], **options: bool) -> object:
        n_steps.append(len(inputs["input_ids"]) if options.get("gradients") else 0)
        return gradients(self, inputs, **options)

    monkeypatch.setattr(type(model), "forward", counted)
    for found in integrated_gradients(model, **texts_of(model), token=7):
        assert abs(found.incompleteness) <= 4 * difference_tolerance(abs(found.value) + 30, getattr(torch, dtype))
    assert sum(n_steps) < 3 * 190 / 2
