"""GGUF files: unpacked once, kept whole or not at all, and refused in a sentence when they are broken or of another kind."""

import errno
import os
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from headscope.core.engine import Engine
from headscope.core.files import check_disk, unwritable
from headscope.core.jobs import Cancel, Cancelled, Job, Progress
from headscope.core.models.gguf_file import cache_folder, copy_folder
from headscope.core.models.load import load_model
from tests.spoiled import refused
from tests.tiny_models import write_gguf

pytestmark = pytest.mark.usefixtures("alone")


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
    assert not cache_folder().exists()


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
    assert [path for path in tiny_disk.rglob("*") if path.is_file()] == []


def test_libraries_in_rust_say_it_in_their_own_way() -> None:
    text = "Error while serializing: I/O error: No space left on device (os error {})"
    assert unwritable(RuntimeError(text.format(errno.ENOSPC)), Path("x")).code == "no_disk_space"
    assert unwritable(RuntimeError(text.format(errno.EACCES)), Path("x")).code == "cannot_write"
