"""Models that are larger than one device: here in memory and on the disk, as on any machine; the numbers are the same."""

import tempfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import psutil
import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from headscope.core import load_model, wrap_model
from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.requests.models import LoadRequest
from headscope.core.requests.runs import CaptureRequest
from tests import allowed
from tests.core.test_load import hollow
from tests.spoiled import refused
from tests.tiny_models import write_decoder

Memory = namedtuple("Memory", ["total", "available"])


@pytest.fixture(scope="module")
def folders(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each tier, and of each form."""
    folder = tmp_path_factory.mktemp("spread")
    more = {name: write_decoder(folder / name, name) for name in ("llama-grouped", "gpt-oss-sinks", "gptj")}
    return {name: originals / name for name in ("bert", "gpt2", "t5")} | more


def with_memory_for(monkeypatch: pytest.MonkeyPatch, share: float, n_bytes: int) -> None:
    """Let the computer have room for a part of a model's weights only (a fifth is left to passes)."""
    available = int(share * n_bytes / 0.8)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory(2**36, available))


@pytest.mark.parametrize("name", ["bert", "gpt2", "t5", "llama-grouped", "gpt-oss-sinks", "gptj"])
def test_half_of_the_weights_on_the_disk_gives_the_same_attention_and_the_same_words(
    folders: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    whole = load_model(folders[name], device="cpu", dtype="float32")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with monkeypatch.context() as small:
        with_memory_for(small, 0.5, whole.info.memory_bytes)
        spread = load_model(folders[name], device="all", dtype="float32")
    assert spread.info.device == "cpu, disk"
    assert spread.info.memory_bytes == whole.info.memory_bytes
    assert not spread.is_movable
    encoded = whole.encode("the cat sat")
    (record, output), (other, expected) = (model.observe(*encoded) for model in (spread, whole))
    assert allowed.difference(output.logits, expected.logits) <= allowed.of_logits(expected.logits, whole)
    assert (record.kinds, record.backend, record.device) == (other.kinds, other.backend, "cpu")
    for kind in record.kinds:
        for layer in range(record.n_layers(kind)):
            weights = other.layer_weights(layer, kind)
            assert allowed.difference(record.layer_weights(layer, kind), weights) <= allowed.of_weights(weights, whole)
    if "generate" in whole.info.abilities:
        written = [[step.token.text for step in model.generate("the cat", max_new_tokens=5)] for model in (spread, whole)]
        assert written[0] == written[1]
    spread.release()
    del spread, record, output
    assert list(tmp_path.iterdir()) == []  # nothing of it stays on the disk


def test_a_dispatched_model_that_is_in_memory_is_wrapped_as_it_is(folders: dict[str, Path], tmp_path: Path) -> None:
    folder = folders["gpt2"]
    where = {"transformer.wte": "cpu", "transformer.wpe": "cpu", "transformer.drop": "cpu", "lm_head": "cpu"}
    where |= {f"transformer.h.{layer}": "disk" if layer == 1 else "cpu" for layer in range(3)} | {"transformer.ln_f": "cpu"}
    module = AutoModelForCausalLM.from_pretrained(folder, device_map=where, offload_folder=tmp_path)
    with wrap_model(module, AutoTokenizer.from_pretrained(folder)) as wrapped:
        assert wrapped.info.device == "cpu, disk"
        weights = wrapped.capture("the cat").attention_weights(1, 2)
    expected = load_model(folder, device="cpu").capture("the cat").attention_weights(1, 2)
    assert allowed.difference(weights, expected) <= allowed.of_weights(expected)


def test_all_devices_are_the_one_there_is_if_the_model_fits_it(folders: dict[str, Path]) -> None:
    if torch.cuda.is_available() or torch.xpu.is_available():
        pytest.skip("there is more than one device")
    assert load_model(folders["gpt2"], device="all").info.device == "cpu"


def test_memory_that_is_too_small_is_said_with_the_way_out(engine: Engine, bert: Path) -> None:
    error = refused(engine, hollow(bert, psutil.virtual_memory().total, "F16", 2), dtype="float32")
    assert error.code == "model_too_large"
    assert "device all" in error.remedy


def test_a_model_on_several_devices_is_not_moved_out_of_the_way(
    folders: dict[str, Path], bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    with monkeypatch.context() as small:
        with_memory_for(small, 0.5, load_model(folders["gpt2"], device="cpu").info.memory_bytes)
        info = engine.handle(LoadRequest(str(folders["gpt2"]), "all", "float32"), Job(), lambda _: None)
    assert info.device == "cpu, disk"
    with pytest.raises(HeadscopeError) as captured:
        engine.handle(LoadRequest(str(hollow(bert, 10**11, "F16", 2)), "cpu", "float32"), Job(), lambda _: None)
    assert captured.value.code == "model_too_large"
    answer = engine.handle(CaptureRequest("the cat"), Job(), lambda _: None)
    assert answer.record.device == "cpu"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs CUDA")
def test_a_gpu_that_is_too_small_shares_with_memory(folders: dict[str, Path]) -> None:
    folder = folders["gpt2"]
    module = AutoModelForCausalLM.from_pretrained(folder, device_map="auto", max_memory={0: 200_000, "cpu": 10**9})
    with wrap_model(module, AutoTokenizer.from_pretrained(folder)) as wrapped:
        assert wrapped.info.device == "cuda:0, cpu"
        weights = wrapped.capture("the cat").attention_weights(1, 2)
    expected = load_model(folder, device="cuda", dtype="float32").capture("the cat").attention_weights(1, 2)
    np.testing.assert_allclose(weights, expected, atol=allowed.of_sums())
