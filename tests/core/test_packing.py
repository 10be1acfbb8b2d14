"""Weights of 8 and 4 bits: with a library that packs them what is captured is the packed model's own; without, one sentence.

The tests that pack run where bitsandbytes, torchao or optimum-quanto is installed.
"""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoTokenizer

from headscope.core import load_model, wrap_model
from headscope.core.engine.engine import Engine
from headscope.core.models.hub.checkpoint import look
from headscope.core.models.hub.placement.packing import bytes_of, packings
from tests import allowed
from tests.spoiled import WEIGHTS, edit_config, refused
from tests.tiny_models import write_decoder

FORMATS = [
    pytest.param(name, marks=pytest.mark.skipif(name not in packings(), reason="no library packs it"))
    for name in ("int8", "int4")
]


@pytest.fixture(scope="module")
def folders(originals: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    llama = write_decoder(tmp_path_factory.mktemp("packing") / "llama", "llama-grouped")
    return {"llama": llama, "gpt2": originals / "gpt2", "bert": originals / "bert", "t5": originals / "t5"}


# ---------------------------------------------------------------- with a library
@pytest.mark.parametrize("dtype", FORMATS)
@pytest.mark.parametrize("name", ["llama", "gpt2", "bert", "t5"])
def test_what_is_captured_of_a_packed_model_is_its_own_eager_attention(folders: dict[str, Path], name: str, dtype: str) -> None:
    whole, packed = (load_model(folders[name], device="cpu", dtype=each) for each in ("float32", dtype))
    if name == "gpt2" and packed.info.checkpoint == "safetensors":  # torchao and quanto leave its layers as they are
        assert (packed.info.dtype, packed.info.memory_bytes) == ("float32", whole.info.memory_bytes)
        return
    assert packed.info.dtype == dtype
    assert packed.info.checkpoint in {f"safetensors, {library}" for library in ("bitsandbytes", "torchao", "quanto")}
    assert packed.info.n_parameters == whole.info.n_parameters
    assert not packed.is_movable
    encoded = packed.encode("the cat sat")
    record, output = packed.observe(*encoded)
    eager = packed.eager_attentions(packed.inputs(*encoded))
    for kind in record.kinds:
        for layer, weights in enumerate(eager[kind]):
            assert allowed.difference(record.layer_weights(layer, kind), weights[0].float()) <= allowed.of_weights(weights[0])
    plain = whole.forward(whole.inputs(*encoded)).logits
    assert 0 < (output.logits - plain).abs().mean() < plain.std()  # other weights, but not any
    if "generate" in packed.info.abilities:
        assert len(list(packed.generate("the cat", max_new_tokens=3))) > 0


@pytest.mark.parametrize("dtype", FORMATS)
def test_packed_weights_are_smaller_as_was_reckoned(folders: dict[str, Path], dtype: str) -> None:
    reckoned = bytes_of(look(folders["llama"]).shapes, dtype, torch.float32)
    info = load_model(folders["llama"], device="cpu", dtype=dtype).info
    assert info.memory_bytes == pytest.approx(reckoned, rel=0.15)
    assert info.memory_bytes < load_model(folders["llama"], device="cpu", dtype="float32").info.memory_bytes / 2


@pytest.mark.parametrize("dtype", FORMATS)
def test_a_packed_model_that_is_in_memory_says_so(folders: dict[str, Path], dtype: str) -> None:
    packed = load_model(folders["llama"], device="cpu", dtype=dtype)
    with wrap_model(packed.module, AutoTokenizer.from_pretrained(folders["llama"])) as wrapped:
        assert wrapped.info.dtype == dtype


@pytest.mark.skipif("int4" not in packings(), reason="needs bitsandbytes")
def test_a_checkpoint_that_was_saved_packed_opens_as_it_is(folders: dict[str, Path], tmp_path: Path) -> None:
    packed = load_model(folders["llama"], device="cpu", dtype="int4")
    packed.module.save_pretrained(tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        (tmp_path / name).write_bytes((folders["llama"] / name).read_bytes())
    again = load_model(tmp_path, device="cpu")
    assert (again.info.dtype, again.info.checkpoint) == ("int4", "safetensors, bitsandbytes")
    weights = [model.capture("the cat").attention_weights(2, 1) for model in (packed, again)]
    assert allowed.difference(*weights) <= allowed.of_weights(weights[1])


# ---------------------------------------------------------------- without
@pytest.mark.parametrize("dtype", ["int8", "int4"])
@pytest.mark.parametrize("source", ["toy:grammar", "llama"])
def test_a_format_that_nothing_here_packs_is_said_with_the_library(
    engine: Engine, folders: dict[str, Path], source: str, dtype: str
) -> None:
    if dtype in packings():
        pytest.skip("a library packs it")
    error = refused(engine, folders.get(source, source), dtype=dtype)
    assert error.code == "needs_library"
    assert "bitsandbytes" in error.message


@pytest.mark.parametrize(
    ("settings", "library"),
    [
        ({"quant_method": "gptq", "bits": 4}, "gptqmodel"),
        ({"quant_method": "awq", "bits": 4}, "gptqmodel"),
        ({"quant_method": "hqq"}, "hqq"),
        ({"quant_method": "compressed-tensors"}, "compressed_tensors"),
    ],
    ids=str,
)
def test_a_packed_checkpoint_that_nothing_here_unpacks_is_said_with_the_library(
    engine: Engine, bert: Path, settings: dict[str, object], library: str
) -> None:
    error = refused(engine, edit_config(bert, quantization_config=settings))
    assert error.code == "needs_library"
    assert library in error.message


@pytest.mark.parametrize("method", ["of-tomorrow", "../x", ["gptq"], None], ids=str)
def test_a_checkpoint_that_is_packed_in_an_unknown_way_is_said_so(engine: Engine, bert: Path, method: object) -> None:
    error = refused(engine, edit_config(bert, quantization_config={"quant_method": method}))
    assert error.code == "config_invalid"
    assert str(method) in error.message


# ---------------------------------------------------------------- unpacked by transformers itself
def test_a_checkpoint_in_fp8_is_unpacked_as_it_is_read(folders: dict[str, Path], tmp_path: Path) -> None:
    """As DeepSeek's and Qwen's: a scale for each block of a matrix."""
    folder = tmp_path / "fp8"
    folder.mkdir()
    for path in folders["llama"].iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights, unpacked = load_file(folder / WEIGHTS), {}
    for name in [name for name in weights if "proj" in name]:
        scale = weights[name].abs().max() / torch.finfo(torch.float8_e4m3fn).max
        weights[f"{name}_scale_inv"] = scale.reshape(1, 1)
        weights[name] = (weights[name] / scale).to(torch.float8_e4m3fn)
        unpacked[name] = weights[name].float() * scale
    save_file(weights, folder / WEIGHTS, metadata={"format": "pt"})
    edit_config(folder, quantization_config={"quant_method": "fp8", "weight_block_size": [128, 128]})
    model = load_model(folder, device="cpu", dtype="float32")
    assert (model.info.dtype, model.info.checkpoint) == ("float32", "safetensors, fp8")
    for name, expected in unpacked.items():
        torch.testing.assert_close(
            model.module.get_parameter(name).data, expected, rtol=allowed.of_sums(1), atol=allowed.of_sums(1)
        )
    assert model.capture("the cat").dtype == "float32"
