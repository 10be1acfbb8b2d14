"""GGUF files: unpacked once, kept whole or not at all, and refused in a sentence when they are broken or of another kind."""

import errno
import os
import shutil
import struct
import subprocess
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from gguf import GGMLQuantizationType, GGUFReader
from gguf.quants import dequantize
from safetensors.numpy import load_file

from headscope.core.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.files.atomic import check_disk, one_at_a_time, unwritable
from headscope.core.jobs import Cancel, Cancelled, Job, Progress
from headscope.core.models.gguf_copies import cache_folder, copy_folder, delete_copies, kept_copies, lock_of, part_of
from headscope.core.models.load import load_model
from headscope.core.requests import DeleteCopiesRequest
from headscope.core.results import KeptCopy
from tests.spoiled import refused
from tests.tiny_models import write_gguf

pytestmark = pytest.mark.usefixtures("alone")


def files_below(folder: Path) -> list[Path]:
    """Without the empty files that are locked while a copy is written."""
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".lock"]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_gguf(tmp_path_factory.mktemp("gguf") / "tiny.gguf")


def test_it_opens_and_opens_again_from_the_copy_with_the_same_numbers(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    first = load_model(file, device="cpu")
    kept = copy_folder(file)
    written = (kept / "model.safetensors").stat().st_mtime_ns
    second = load_model(file, device="cpu")
    assert (kept / "model.safetensors").stat().st_mtime_ns == written
    assert (first.info.name, first.info.checkpoint) == ("tiny", "GGUF F32")
    assert first.info == second.info
    weights = [model.capture("the cat").attention_weights(1, 2, "decoder") for model in (first, second)]
    np.testing.assert_array_equal(*weights)
    assert capfd.readouterr().err == ""  # no bars in the terminal


@pytest.mark.parametrize("packed", [None, GGMLQuantizationType.Q8_0, GGMLQuantizationType.Q4_1], ids=["F32", "Q8_0", "Q4_1"])
def test_the_copy_is_bit_for_bit_what_the_file_unpacks_to(tmp_path: Path, packed: GGMLQuantizationType | None) -> None:
    path = write_gguf(tmp_path / "tiny.gguf", packed=packed)
    model = load_model(path, device="cpu")
    assert model.info.checkpoint == f"GGUF {packed.name if packed else 'F32'}"
    kept = load_file(copy_folder(path) / "model.safetensors")
    unpacked = {tensor.name: dequantize(tensor.data, tensor.tensor_type) for tensor in GGUFReader(path).tensors}
    assert len(kept) == len(unpacked)
    for name, weights in unpacked.items():
        np.testing.assert_array_equal(kept[transformers_name(name)], in_transformers_order(name, weights))
    loaded = model.module.state_dict()
    for name, weights in kept.items():
        np.testing.assert_array_equal(loaded[name], weights)


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


def test_copies_are_counted_and_deleted_one_by_one_or_all_together(engine: Engine, file: Path, tmp_path: Path) -> None:
    assert kept_copies() == ()
    delete_copies(kept_copies())
    model = load_model(file, device="cpu")
    before = model.capture("the cat").attention_weights(1, 2)
    load_model(write_gguf(tmp_path / "other-one.gguf"), device="cpu")
    copies = kept_copies()
    assert [(copy.name, Path(copy.path).parent) for copy in copies] == [
        ("other-one.gguf", cache_folder()),
        ("tiny.gguf", cache_folder()),
    ]
    assert [copy.size for copy in copies] == [
        sum(path.stat().st_size for path in files_below(Path(copy.path))) for copy in copies
    ]
    answer = engine.handle(DeleteCopiesRequest(copies[1:]), Job(), lambda _: None)
    assert (answer.copies, answer.copies_folder) == (copies[:1], str(cache_folder()))
    np.testing.assert_array_equal(model.capture("the cat").attention_weights(1, 2), before)  # it was open, and still is
    delete_copies(copies)  # one of them is gone already
    assert files_below(cache_folder()) == []
    assert load_model(file, device="cpu").info == model.info


def test_nothing_but_copies_is_ever_deleted(tmp_path: Path) -> None:
    for place in (tmp_path / "tiny-0123456789abcdef", cache_folder() / "notes", cache_folder() / "..", cache_folder()):
        with pytest.raises(ValueError, match="no copy"):
            delete_copies([KeptCopy("tiny.gguf", str(place), 0)])


def test_a_copy_that_the_system_does_not_let_go_of_is_said_so(file: Path) -> None:
    load_model(file, device="cpu")
    copies = kept_copies()
    if not immutable(cache_folder(), "+i"):
        pytest.skip("this file system cannot make a folder unchangeable")
    try:
        with pytest.raises(HeadscopeError) as caught:
            delete_copies(copies)
    finally:
        immutable(cache_folder(), "-i")
    assert caught.value.code == "copy_in_use"
    assert load_model(file, device="cpu").info.checkpoint == "GGUF F32"


def immutable(folder: Path, flag: str) -> bool:
    try:
        return subprocess.run(["chattr", flag, folder], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def test_two_that_want_the_same_file_unpack_it_once(file: Path, tmp_path: Path) -> None:
    """The second waits, as long as it takes, and takes what the first wrote."""
    kept, waits = copy_folder(file), threading.Event()
    load_model(file, device="cpu")
    unpacked_elsewhere = kept.replace(tmp_path / "elsewhere")

    def report(progress: Progress) -> None:
        if progress.stage == "reading":
            waits.set()

    with ThreadPoolExecutor(1) as other, one_at_a_time(lock_of(kept), Job()):
        second = other.submit(load_model, file, device="cpu", job=Job(report))
        assert waits.wait(60)
        shutil.copytree(unpacked_elsewhere, kept)
        written = (kept / "model.safetensors").stat().st_mtime_ns
        assert not second.done()
    assert second.result().info.checkpoint == "GGUF F32"
    assert (kept / "model.safetensors").stat().st_mtime_ns == written


def test_what_a_process_that_was_killed_left_behind_is_written_anew(file: Path) -> None:
    kept = copy_folder(file)
    part_of(kept).mkdir(parents=True)
    (part_of(kept) / "model.safetensors").write_bytes(b"a half")
    lock_of(kept).touch()
    assert load_model(file, device="cpu").info.checkpoint == "GGUF F32"
    assert not part_of(kept).exists()


def test_a_file_that_changed_is_unpacked_anew(file: Path, tmp_path: Path) -> None:
    before = copy_folder(write_gguf(tmp_path / "a.gguf"))
    os.utime(tmp_path / "a.gguf", (1, 1))
    assert copy_folder(tmp_path / "a.gguf") != before


def test_unpacking_tells_how_far_it_is_and_stops_when_asked(file: Path) -> None:
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
    assert files_below(cache_folder()) == []


@pytest.mark.parametrize("length", [0, 3, 4, 8, 20, 24, 1000, -50_000, -1])
def test_a_file_that_was_cut_short_is_said_so(engine: Engine, file: Path, tmp_path: Path, length: int) -> None:
    (tmp_path / "cut.gguf").write_bytes(file.read_bytes()[:length])
    assert refused(engine, tmp_path / "cut.gguf").code == "gguf_unsupported"


HEADER = b"GGUF" + struct.pack("<I", 3)


@pytest.mark.parametrize(
    "content",
    [
        b"hello, this is a text",
        HEADER + struct.pack("<QQ", 0, 0),
        HEADER + struct.pack("<QQ", 2**40, 2**40) + bytes(10_000),
        HEADER + struct.pack("<QQQ", 0, 1, 2**62) + b"a" * 1000,
        HEADER + bytes(range(256)) * 4,
    ],
    ids=["text", "nothing in it", "countless tensors", "an endless name", "any bytes"],
)
def test_a_file_of_something_else_is_said_so(engine: Engine, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "odd.gguf").write_bytes(content)
    assert refused(engine, tmp_path / "odd.gguf").code == "gguf_unsupported"


def test_a_folder_of_that_name_is_looked_at_as_a_folder(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "folder.gguf").mkdir()
    assert refused(engine, tmp_path / "folder.gguf").code == "folder_without_model"


def test_a_model_without_attention_is_refused_before_it_is_unpacked(engine: Engine, tmp_path: Path) -> None:
    path = write_gguf(tmp_path / "mamba.gguf", "mamba", attends=False)
    error = refused(engine, path)
    assert error.code == "no_attention"
    assert "mamba.gguf" in error.message
    assert not cache_folder().exists()


def test_a_kind_that_cannot_be_unpacked_is_named(engine: Engine, tmp_path: Path) -> None:
    error = refused(engine, write_gguf(tmp_path / "other.gguf", "rwkv7"))
    assert error.code == "gguf_unsupported"
    assert "rwkv7" in error.message


@pytest.mark.parametrize(("n_layers", "said"), [(0, 0), (2, 10**9)])
def test_layers_that_are_not_there_are_said_so(engine: Engine, tmp_path: Path, n_layers: int, said: int) -> None:
    path = write_gguf(tmp_path / "layers.gguf", n_layers=n_layers, said_layers=said)
    assert refused(engine, path).code in {"gguf_unsupported", "no_attention"}


# ---------------------------------------------------------------- no room for the copy
def test_room_on_the_disk_is_looked_at_before_unpacking(
    engine: Engine, file: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert refused(engine, file).code == "cannot_write"
    free = os.statvfs(tmp_path).f_bavail * os.statvfs(tmp_path).f_frsize
    check_disk(tmp_path / "not" / "there" / "yet", 0)
    with pytest.raises(Exception, match="The disk is full"):
        check_disk(tmp_path / "not" / "there" / "yet", 2 * free + 2**40)


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk with room for the weights and hardly more."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=104k", "tmpfs", folder], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this user cannot mount a disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_that_fills_up_is_said_so_and_nothing_is_left_on_it(
    engine: Engine, file: Path, tiny_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tiny_disk))
    assert refused(engine, file).code == "no_disk_space"
    assert files_below(tiny_disk) == []


def test_libraries_in_rust_say_it_in_their_own_way() -> None:
    text = "Error while serializing: I/O error: No space left on device (os error {})"
    assert unwritable(RuntimeError(text.format(errno.ENOSPC)), Path("x")).code == "no_disk_space"
    assert unwritable(RuntimeError(text.format(errno.EACCES)), Path("x")).code == "cannot_write"
