"""Broken GGUF headers: each is refused at once, in one sentence, and takes no memory."""

import os
import struct
import time
from pathlib import Path

import numpy as np
import psutil
import pytest
from gguf import GGUFWriter

from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.models.gguf.header import read_header
from headscope.core.models.load import load_model
from tests.gguf_files import add_tensor, add_tokenizer, add_value, finish
from tests.spoiled import refused
from tests.tiny_models import write_gguf

pytestmark = pytest.mark.usefixtures("alone")


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


@pytest.mark.parametrize("length", [0, 3, 4, 8, 20, 24, 1000, -50_000, -1])
def test_a_file_that_was_cut_short_is_said_so(engine: Engine, file: Path, tmp_path: Path, length: int) -> None:
    (tmp_path / "cut.gguf").write_bytes(file.read_bytes()[:length])
    assert refused(engine, tmp_path / "cut.gguf").code == "gguf_unsupported"


def text(value: bytes) -> bytes:
    return struct.pack("<Q", len(value)) + value


def head(n_tensors: int, n_keys: int, version: int = 3) -> bytes:
    return b"GGUF" + struct.pack("<IQQ", version, n_tensors, n_keys)


def key(name: bytes, kind: int, value: bytes) -> bytes:
    return text(name) + struct.pack("<I", kind) + value


def tensor(name: bytes, dims: tuple[int, ...], packing: int = 0, offset: int = 0) -> bytes:
    return text(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, packing, offset)


ROOM = bytes(10_000)
LLAMA = key(b"general.architecture", 8, text(b"llama"))
BROKEN = {
    "a text": b"hello, this is a text",
    "51 bytes of endless numbers": head(0, 1) + key(b"abc", 9, struct.pack("<IQ", 4, 2**63 - 1)),
    "nothing in it": head(0, 0),
    "countless tensors": head(2**40, 2**40) + ROOM,
    "countless keys": head(0, 2**64 - 1) + ROOM,
    "more tensors than fit": head(300, 1) + LLAMA + ROOM[:3000],
    "an endless name": head(0, 1) + struct.pack("<Q", 2**62) + ROOM,
    "a name of 2^64-1 letters": head(0, 1) + struct.pack("<Q", 2**64 - 1) + ROOM,
    "an endless text": head(0, 1) + key(b"a", 8, struct.pack("<Q", 2**63)) + ROOM,
    "endless texts": head(0, 1) + key(b"a", 9, struct.pack("<IQ", 8, 2**60)) + ROOM,
    "arrays in arrays": head(0, 1) + key(b"a", 9, struct.pack("<IQ", 9, 2**61) + struct.pack("<IQ", 9, 2**61) * 100) + ROOM,
    "an unknown type": head(0, 1) + key(b"a", 77, ROOM),
    "an array of an unknown type": head(0, 1) + key(b"a", 9, struct.pack("<IQ", 13, 4)) + ROOM,
    "a name that is no UTF-8": head(0, 1) + key(b"\xff\xfe", 4, ROOM),
    "the same key twice": head(0, 2) + LLAMA + LLAMA + ROOM,
    "version 1": head(0, 0, 1) + ROOM,
    "version 4 billion": head(0, 0, 2**32 - 1) + ROOM,
    "big endian": b"GGUF" + struct.pack(">IQQ", 3, 0, 0) + ROOM,
    "alignment 0": head(1, 1) + key(b"general.alignment", 4, struct.pack("<I", 0)) + tensor(b"a", (1,)) + ROOM,
    "alignment 3": head(1, 1) + key(b"general.alignment", 4, struct.pack("<I", 3)) + tensor(b"a", (1,)) + ROOM,
    "alignment of minus one": head(1, 1) + key(b"general.alignment", 5, struct.pack("<i", -1)) + tensor(b"a", (1,)) + ROOM,
    "alignment as a text": head(1, 1) + key(b"general.alignment", 8, text(b"32")) + tensor(b"a", (1,)) + ROOM,
    "an alignment beyond the file": head(1, 1) + key(b"general.alignment", 10, struct.pack("<Q", 2**63)) + tensor(b"a", (1,)) + ROOM,
    "no dimensions": head(1, 1) + LLAMA + tensor(b"a", ()) + ROOM,
    "a million dimensions": head(1, 1) + LLAMA + text(b"a") + struct.pack("<I", 2**20) + ROOM,
    "a dimension of 0": head(1, 1) + LLAMA + tensor(b"a", (0, 4)) + ROOM,
    "dimensions whose product overflows": head(1, 1) + LLAMA + tensor(b"a", (2**32, 2**32)) + ROOM,
    "dimensions larger than the file": head(1, 1) + LLAMA + tensor(b"a", (2**20, 2**20)) + ROOM,
    "half a block": head(1, 1) + LLAMA + tensor(b"a", (33,), 2) + ROOM,
    "an unknown packing": head(1, 1) + LLAMA + tensor(b"a", (32,), 9999) + ROOM,
    "a beginning behind the end": head(1, 1) + LLAMA + tensor(b"a", (32,), 0, 2**63) + ROOM,
    "a beginning that is not aligned": head(1, 1) + LLAMA + tensor(b"a", (32,), 0, 7) + ROOM,
    "the same tensor twice": head(2, 1) + LLAMA + tensor(b"a", (8,)) + tensor(b"a", (8,), 0, 32) + ROOM,
    "tensors over each other": head(2, 1) + LLAMA + tensor(b"a", (32,)) + tensor(b"b", (32,), 0, 32) + ROOM,
    "no kind": head(1, 0) + tensor(b"blk.0.attn_q.weight", (8,)) + ROOM,
    "a number as kind": head(1, 1) + key(b"general.architecture", 4, struct.pack("<I", 3)) + tensor(b"blk.0.attn_q.weight", (8,)) + ROOM,
    "a kind of 200 kB": head(1, 1) + key(b"general.architecture", 8, text(b"a\x1b[31m\n" * 30_000)) + tensor(b"blk.0.attn_q.weight", (8,)) + ROOM,
    "any bytes": head(5, 5) + bytes(range(256)) * 40,
}  # fmt: skip


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_header_is_refused_at_once_and_takes_nothing(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.gguf"
    path.write_bytes(content)
    before, began = psutil.Process().memory_info().rss, time.process_time()
    with pytest.raises(HeadscopeError) as captured:
        load_model(path, device="cpu")
    assert time.process_time() - began < 1
    assert psutil.Process().memory_info().rss - before < 50e6
    error = captured.value
    assert error.code in {"gguf_unsupported", "no_attention"}
    assert len(error.message) <= 300
    assert error.message.isprintable()


def test_a_hole_of_40_gb_is_refused_at_once(tmp_path: Path) -> None:
    """The counts fit into the file's length, which is a hole."""
    path = tmp_path / "hole.gguf"
    for n_keys, begin in (
        (2**31, b""),
        (1, key(b"a", 9, struct.pack("<IQ", 8, 2**31))),
        (1, key(b"a", 9, struct.pack("<IQ", 0, 2**34))),
    ):
        path.write_bytes(head(0, n_keys) + begin)
        os.truncate(path, 40 * 2**30)
        began = time.process_time()
        with pytest.raises(HeadscopeError):
            read_header(path)
        assert time.process_time() - began < 1


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_is_not_waited_for(engine: Engine, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert "It is a pipe" in refused(engine, tmp_path / "pipe.gguf").message


def test_a_folder_of_that_name_is_looked_at_as_a_folder(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "folder.gguf").mkdir()
    assert refused(engine, tmp_path / "folder.gguf").code == "folder_without_model"


def test_a_model_without_attention_says_so(engine: Engine, tmp_path: Path) -> None:
    error = refused(engine, write_gguf(tmp_path / "mamba.gguf", "mamba", attends=False))
    assert error.code == "no_attention"
    assert "mamba.gguf" in error.message


@pytest.mark.parametrize("kind", ["rwkv7", "deci", "gemma4", "llama4"])
def test_a_kind_that_is_not_known_is_named(engine: Engine, tmp_path: Path, kind: str) -> None:
    error = refused(engine, write_gguf(tmp_path / "other.gguf", kind))
    assert error.code == "gguf_unsupported"
    assert kind in error.message


@pytest.mark.parametrize(("n_layers", "said"), [(0, 0), (2, 10**9)])
def test_layers_that_are_not_there_are_said_so(engine: Engine, tmp_path: Path, n_layers: int, said: int) -> None:
    path = write_gguf(tmp_path / "layers.gguf", n_layers=n_layers, said_layers=said)
    assert refused(engine, path).code in {"gguf_unsupported", "no_attention"}


def test_a_thousand_layers_of_crumbs_are_refused_before_they_are_built(tmp_path: Path) -> None:
    writer = GGUFWriter(tmp_path / "deep.gguf", "llama")
    keys = {
        "block_count": 100_000,
        "context_length": 8,
        "embedding_length": 1,
        "feed_forward_length": 1,
        "attention.head_count": 1,
    }
    for name, value in (keys | {"attention.layer_norm_rms_epsilon": 1e-5}).items():
        add_value(writer, name, value, "llama")
    add_tokenizer(writer, 5)
    add_tensor(writer, "token_embd.weight", np.zeros((5, 1), np.float32), None)
    for number in range(100_000):
        add_tensor(writer, f"blk.{number}.attn_q.weight", np.zeros((1, 1), np.float32), None)
    path = finish(writer, tmp_path / "deep.gguf")
    began = time.process_time()
    with pytest.raises(HeadscopeError, match="block_count"):
        load_model(path, device="cpu")
    assert time.process_time() - began < 10
