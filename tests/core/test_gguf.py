"""GGUF files: opened bit for bit and without a trace on the disk; refused in one sentence when they are broken or of another kind."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter
from gguf.quants import dequantize

from headscope.core.engine.engine import Engine
from headscope.core.job import Cancel, Cancelled, Job, Progress
from headscope.core.models.load import load_model
from headscope.gui.app.command_line import main
from tests.gguf_files import add_value, copy_keys, finish
from tests.spoiled import refused
from tests.tiny_models import write_gguf

pytestmark = pytest.mark.usefixtures("alone")
PACKINGS = [None, "BF16", "F16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q4_K", "Q6_K", "IQ4_NL", "MXFP4", "TQ2_0"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_it_opens_and_opens_again_with_the_same_numbers(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first, second = (load_model(file, device="cpu") for _ in range(2))
    assert (first.info.name, first.info.checkpoint) == ("tiny", "GGUF F32")
    assert first.info == second.info
    weights = [model.capture("the cat").attention_weights(1, 2, "decoder") for model in (first, second)]
    np.testing.assert_array_equal(*weights)
    assert capfd.readouterr().err == ""  # no bars in the terminal


def test_nothing_is_written(file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("HOME", "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.setenv(variable, str(tmp_path))
    load_model(file, device="cpu")
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert [path.name for path in file.parent.iterdir()] == ["tiny.gguf"]


@pytest.mark.parametrize("packing", PACKINGS)
def test_the_weights_are_bit_for_bit_what_the_file_unpacks_to(tmp_path: Path, packing: str | None) -> None:
    path = tmp_path / "tiny.gguf"
    write_random_blocks(path, GGMLQuantizationType[packing or "F32"])
    model = load_model(path, device="cpu", dtype="float32")
    loaded = model.module.state_dict()
    unpacked = {tensor.name: dequantize(tensor.data, tensor.tensor_type) for tensor in GGUFReader(path).tensors}
    assert len(loaded) == len(unpacked)
    for name, weights in unpacked.items():
        expected = in_transformers_order(name, np.asarray(weights, np.float32))
        np.testing.assert_array_equal(loaded[transformers_name(name)].numpy().view(np.uint32), expected.view(np.uint32))


def write_random_blocks(path: Path, packing: GGMLQuantizationType) -> Path:
    """A file whose matrices are random numbers in that packing, made from those of another file of the same shape."""
    from gguf.quants import quantize

    width = 256 if packing.name.endswith(("_K", "TQ2_0")) else 32
    plain = write_gguf(path.with_name("plain.gguf"), width=width)
    writer = GGUFWriter(path, "llama")
    copy_keys(GGUFReader(plain), writer)
    chance = np.random.default_rng(1)
    for tensor in GGUFReader(plain).tensors:
        if len(tensor.shape) == 1 or packing.name == "F32":
            writer.add_tensor(tensor.name, tensor.data)
            continue
        try:
            writer.add_tensor(tensor.name, quantize(tensor.data, packing), raw_dtype=packing)
        except (
            NotImplementedError
        ):  # what cannot be packed here is packed already somewhere: any bytes with sane scales are such
            rows = chance.integers(0, 60, (tensor.data.shape[0], packed_bytes(packing, tensor.data.shape[1])), np.uint8)
            writer.add_tensor(tensor.name, rows, raw_dtype=packing)
    return finish(writer, path)


def packed_bytes(packing: GGMLQuantizationType, n_numbers: int) -> int:
    from gguf.constants import GGML_QUANT_SIZES

    per_block, n_bytes = GGML_QUANT_SIZES[packing]
    return n_numbers // per_block * n_bytes


PARTS = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
ENDS = {"token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head"}


def transformers_name(name: str) -> str:
    stem = name.removesuffix(".weight")
    if stem in ENDS:
        return f"{ENDS[stem]}.weight"
    _, layer, part = stem.split(".")
    return f"model.layers.{layer}.{PARTS[part]}.weight"


def in_transformers_order(name: str, weights: np.ndarray) -> np.ndarray:
    """llama.cpp keeps the two halves of a rotary pair of a Llama's queries and keys side by side, transformers apart."""
    if "attn_q" not in name and "attn_k" not in name:
        return weights
    return weights.reshape(4, -1, 2, weights.shape[-1]).swapaxes(1, 2).reshape(weights.shape)


def test_a_smaller_number_format_holds_the_rounded_weights(file: Path) -> None:
    whole, half = (load_model(file, device="cpu", dtype=dtype).module for dtype in ("float32", "bfloat16"))
    for name, weights in whole.state_dict().items():
        assert torch.equal(half.state_dict()[name], weights.to(torch.bfloat16))


def test_reading_tells_how_far_it_is_and_stops_when_asked(file: Path) -> None:
    cancel, seen = Cancel(), []

    def report(progress: Progress) -> None:
        seen.append(progress.fraction)
        if progress.fraction is not None and progress.fraction > 0.5:
            cancel.set()

    with pytest.raises(Cancelled):
        load_model(file, device="cpu", job=Job(report, cancel))
    fractions = [fraction for fraction in seen if fraction is not None]
    assert fractions == sorted(fractions)
    assert 0.5 < fractions[-1] < 0.6


def test_a_decoder_that_guesses_no_masks_says_so_before_its_weights_are_read(file: Path, capsys) -> None:
    assert main(["predict", "--model", str(file), "--text", "the [MASK] sat"]) == 2
    printed = capsys.readouterr()
    assert "does not predict masked words" in printed.err
    assert "reading" not in printed.err


# ---------------------------------------------------------------- files that are not whole
def edited(source: Path, to: Path, *, drop: Callable[[str], bool] = lambda _: False, **keys: Any) -> Path:
    """A copy without some tensors and keys, with others set (__ stands for a full stop)."""
    writer = GGUFWriter(to, "llama")
    copy_keys(GGUFReader(source), writer, drop, {name.replace("__", ".") for name in keys})
    for name, value in keys.items():
        if value is not None:
            add_value(writer, name.replace("__", "."), value, "llama")
    for tensor in GGUFReader(source).tensors:
        if not drop(tensor.name):
            writer.add_tensor(tensor.name, tensor.data)
    return finish(writer, to)


@pytest.mark.parametrize("missing", ["blk.1.attn_q.weight", "blk.0.ffn_norm.weight", "token_embd.weight", "output_norm.weight"])
def test_a_missing_tensor_is_named(engine: Engine, file: Path, tmp_path: Path, missing: str) -> None:
    error = refused(engine, edited(file, tmp_path / "part.gguf", drop=lambda name: name == missing))
    assert error.code == "gguf_unsupported"
    assert missing in error.message


def test_without_an_output_matrix_the_embedding_is_it(file: Path, tmp_path: Path) -> None:
    module = load_model(edited(file, tmp_path / "tied.gguf", drop=lambda name: name == "output.weight"), device="cpu").module
    assert module.lm_head.weight is module.model.embed_tokens.weight


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("attention__clamp_kqv", 8.0, "attention.clamp_kqv"),
        ("some.new.thing", 1, "some.new.thing"),
        ("pooling_type", 2, "pooling_type"),
        ("attention__causal", False, "attention.causal"),
        ("rope__scaling__type", "dynamic", "dynamic"),
        ("rope__dimension_count", 4, "rotates 4 of the 8"),
        ("vocab_size", 17, "vocab_size"),
        ("attention__value_length", 16, "attention.value_length"),
        ("attention__head_count", 8, "rotates 8 of the 4"),
        ("attention__head_count", 0, "attention.head_count"),
        ("attention__head_count", "four", "attention.head_count"),
        ("attention__head_count_kv", [4, 2], "attention.head_count_kv"),
        ("feed_forward_length", 2**31 - 1, "feed_forward_length"),
        ("embedding_length", 2**31 - 1, "embedding_length"),
        ("block_count", 2**31 - 1, "block_count"),
        ("block_count", 3, "blk.2."),
        ("block_count", 1, "blk.1."),
        ("block_count", True, "block_count"),
        ("attention__layer_norm_rms_epsilon", None, "layer_norm_rms_epsilon"),
        ("attention__layer_norm_rms_epsilon", float("nan"), "layer_norm_rms_epsilon"),
        ("rope__freq_base", "fast", "rope.freq_base"),
        ("tokenizer__ggml__pre", "my-own", "my-own"),
        ("tokenizer__ggml__pre", "evil\x1b[31m\nname" + "x" * 1000, "evil"),
        ("tokenizer__ggml__model", "rwkv", "rwkv"),
        ("tokenizer__ggml__bos_token_id", 99999, "bos_token_id"),
        ("tokenizer__ggml__token_type", [1, 2], "token_type"),
        ("tokenizer__ggml__merges", ["th"], "merge"),
        ("tokenizer__ggml__merges", ["q", "unheard of"], "merge"),
        ("tokenizer__ggml__tokens", ["a", "a"], "twice"),
        ("tokenizer__ggml__something", 1, "tokenizer.ggml.something"),
        ("general__type", "adapter", "adapter"),
    ],
)  # fmt: skip
def test_what_a_file_says_and_would_be_ignored_or_cannot_be_is_named(
    engine: Engine, file: Path, tmp_path: Path, name: str, value: Any, said: str
) -> None:
    error = refused(engine, edited(file, tmp_path / "odd.gguf", **{name: value}))
    assert error.code == "gguf_unsupported"
    assert said in error.message
    assert len(error.message) <= 300


def test_a_tensor_that_nobody_knows_is_named(engine: Engine, file: Path, tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "more.gguf", "llama")
    copy_keys(GGUFReader(file), writer)
    for tensor in GGUFReader(file).tensors:
        writer.add_tensor(tensor.name, tensor.data)
    writer.add_tensor("blk.0.attn_sinks.weight", np.zeros(4, np.float32))
    assert "blk.0.attn_sinks.weight" in refused(engine, finish(writer, tmp_path / "more.gguf")).message


def test_what_says_nothing_about_the_model_is_no_reason_to_refuse(file: Path, tmp_path: Path) -> None:
    names = {
        "general__name": "A name",
        "general__license__link": "x",
        "general__base_model__0__name": "x",
        "general__tags": ["x"],
    }
    names |= {"general__sampling__temp": 0.7, "quantize__imatrix__file": "x", "split__count": 0}
    assert load_model(edited(file, tmp_path / "named.gguf", **names), device="cpu").info.checkpoint == "GGUF F32"


# ---------------------------------------------------------------- files in parts
def write_parts(folder: Path, source: Path, n_parts: int = 2, **changed: int) -> list[Path]:
    tensors = GGUFReader(source).tensors
    size = -(-len(tensors) // n_parts)
    paths = []
    for number in range(n_parts):
        path = folder / f"model-{number + 1:05}-of-{n_parts:05}.gguf"
        writer = GGUFWriter(path, "llama")
        if number == 0:
            copy_keys(GGUFReader(source), writer)
        about = {"no": number, "count": n_parts, "tensors.count": len(tensors), **changed}
        writer.add_key_value("split.no", about["no"], 2)  # type: ignore[arg-type]
        for key in ("count", "tensors.count"):
            writer.add_uint32(f"split.{key}", about[key])
        for tensor in tensors[number * size : (number + 1) * size]:
            writer.add_tensor(tensor.name, tensor.data)
        paths.append(finish(writer, path))
    return paths


@pytest.mark.parametrize("opened", [0, 1, 2])
def test_a_file_in_parts_opens_from_any_of_them(file: Path, tmp_path: Path, opened: int) -> None:
    parts = write_parts(tmp_path, file, 3)
    whole, found = (load_model(path, device="cpu").module.state_dict() for path in (file, parts[opened]))
    assert all(torch.equal(found[name], weights) for name, weights in whole.items())


def test_parts_that_are_missing_or_of_another_file_are_named(engine: Engine, file: Path, tmp_path: Path) -> None:
    parts = write_parts(tmp_path, file, 3)
    parts[2].rename(tmp_path / "away.gguf")
    assert "model-00003-of-00003.gguf" in refused(engine, parts[0]).message
    (tmp_path / "model-00003-of-00003.gguf").write_bytes(parts[1].read_bytes())
    assert "part of another file" in refused(engine, parts[0]).message
    parts[0].rename(tmp_path / "first.gguf")
    assert "-00001-of-00003.gguf" in refused(engine, tmp_path / "first.gguf").message
    (tmp_path / "counts").mkdir()
    counts = write_parts(tmp_path / "counts", file, 2, **{"tensors.count": 7})
    assert "its header says 7" in refused(engine, counts[0]).message
