"""What torch writes for tensors is read at once; what could hang or fill the memory is read in a child process first."""

import io
import pickle
import pickletools
import resource
import zipfile
from collections import OrderedDict
from pathlib import Path

import pytest
import torch

from headscope.core import load_model
from headscope.core.errors import HeadscopeError
from headscope.core.files import guarded
from headscope.core.models.hub.torch_file import is_plain
from tests.installed_models import albert
from tests.tiny_models import write_masked

STATE = OrderedDict(weight=torch.zeros(3, 4), half=torch.zeros(2).half(), count=torch.tensor(3))


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("wrapped", [False, True])
def test_what_torch_writes_is_plain_and_any_of_its_beginnings_ends(tmp_path: Path, legacy: bool, wrapped: bool) -> None:
    module = torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.LayerNorm(3))
    state = {name: torch.nn.Parameter(value) for name, value in module.state_dict().items()} if wrapped else module.state_dict()
    path = tmp_path / "pytorch_model.bin"
    torch.save({**state, **STATE} if not wrapped else state, path, _use_new_zipfile_serialization=not legacy)
    assert is_plain(path)
    torch.save(module.state_dict(), path, _use_new_zipfile_serialization=not legacy)  # with the metadata of an OrderedDict
    assert is_plain(path)


def test_a_published_file_is_plain() -> None:
    assert is_plain(albert() / "pytorch_model.bin")


def archive(path: Path, pickled: bytes, compression: int = zipfile.ZIP_STORED, extra: bytes = b"") -> Path:
    """A file of torch's with another pickle in it."""
    whole = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, whole)
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(path, "w", compression) as new:
        for member in old.infolist():
            content = pickled if member.filename.endswith("data.pkl") else old.read(member)
            new.writestr(member.filename, content + (extra if "/data/" in member.filename else b""))
    return path


def pair(depth: int) -> bytes:
    """A tuple of two of a tuple of two …, as a key: its hash takes 2^depth steps."""
    steps = b"".join(b"h" + bytes([n]) + b"h" + bytes([n]) + b"\x86q" + bytes([n + 1]) for n in range(depth))
    return b"\x80\x02}X\x01\0\0\0aq\0" + steps + b"K\x01s."


def called(name: str, size: int) -> bytes:
    return (
        b"\x80\x02}X\x01\0\0\0ac" + name.replace(" ", "\n").encode() + b"\n\x8a\x05" + size.to_bytes(5, "little") + b"\x85Rs."
    )


HOSTILE = {
    "six gigabytes of bytes": called("builtins bytearray", 6 * 2**30),
    "a storage of a size": called("torch FloatStorage", 6 * 2**30),
    "a hash without end": pair(60),
    "many copies": b"\x80\x02](" + b"K\x01" * 200_000 + b"eq\0" + b"(ccollections\nCounter\nh\0\x85R" * 3000 + b"t.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_pickle_is_refused_within_the_limits(
    bert: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str
) -> None:
    monkeypatch.setattr(guarded, "SECONDS", 4)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (bert / "model.safetensors").unlink()
    path = archive(bert / "pytorch_model.bin", HOSTILE[name])
    assert not is_plain(path)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(HeadscopeError) as captured:
        load_model(str(bert))
    assert captured.value.code in {"cannot_read", "checkpoint_damaged", "checkpoint_unsafe"}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 * 2**10


def test_what_is_packed_is_not_plain(tmp_path: Path) -> None:
    good = io.BytesIO()
    torch.save({"weight": torch.zeros(2)}, good)
    with zipfile.ZipFile(good) as old:
        pickled = next(old.read(name) for name in old.namelist() if name.endswith("data.pkl"))
    assert is_plain(archive(tmp_path / "a.bin", pickled))
    assert not is_plain(archive(tmp_path / "b.bin", pickled, zipfile.ZIP_DEFLATED, b"\0" * 10**7))
    larger = pickled.replace(b"K\x02t", b"J\xff\xff\xff\x7ft", 1)  # a storage of two numbers says it has two thousand million
    assert larger != pickled
    assert not is_plain(archive(tmp_path / "c.bin", larger))


class Calls:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("executed",)


def test_a_call_of_something_else_is_refused_without_a_child(bert: Path, monkeypatch: pytest.MonkeyPatch, capfd) -> None:
    monkeypatch.setattr(guarded, "_interpreter", lambda: pytest.fail("there was a child"))
    (bert / "model.safetensors").unlink()
    pickled = pickletools.optimize(pickle.dumps({"weight": Calls()}, protocol=2)).replace(
        b"c__builtin__\nprint", b"cposix\nsystem"
    )
    archive(bert / "pytorch_model.bin", pickled)
    with pytest.raises(HeadscopeError) as captured:
        load_model(str(bert))
    assert captured.value.code == "checkpoint_unsafe"
    assert "posix.system" in captured.value.message
    assert "executed" not in capfd.readouterr().out


def torch_file(folder: Path, change) -> Path:
    """A model's folder with the records of a file of torch's, each as `change` makes it of its name and content."""
    state, whole = load_model(str(folder)).module.state_dict(), io.BytesIO()
    torch.save(state, whole)
    (folder / "model.safetensors").unlink()
    with zipfile.ZipFile(whole) as old, zipfile.ZipFile(folder / "pytorch_model.bin", "w") as new:
        for member in old.infolist():
            content, compression = change(member.filename, old.read(member))
            new.writestr(member.filename, content, compression)
    return folder


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda name, content: (content, zipfile.ZIP_STORED), None),
        (lambda name, content: (content, zipfile.ZIP_DEFLATED), "It is compressed"),
        (
            lambda name, content: (content, zipfile.ZIP_DEFLATED if name.endswith("/data/3") else zipfile.ZIP_STORED),
            "compressed",
        ),
        (lambda name, content: (content[:-8] if name.endswith("/data/3") else content, zipfile.ZIP_STORED), "longer than"),
    ],
    ids=["as it was", "all compressed", "one compressed", "one short"],
)
def test_no_other_bytes_are_taken_for_numbers(tmp_path: Path, change, reason: str | None) -> None:
    """torch.load reads a compressed file right; mapped into memory, as transformers reads it, all its numbers are others."""
    folder = write_masked(tmp_path / "model")
    expected = load_model(str(folder)).module.state_dict()
    folder = torch_file(folder, change)
    if reason is not None:
        with pytest.raises(HeadscopeError, match=reason) as captured:
            load_model(str(folder))
        assert captured.value.code == "checkpoint_damaged"
        return
    found = load_model(str(folder)).module.state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in expected.items())


def test_tensors_without_names_are_refused(tmp_path: Path) -> None:
    folder = write_masked(tmp_path / "model")
    torch.save({1: torch.zeros(2), **load_model(str(folder)).module.state_dict()}, folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    with pytest.raises(HeadscopeError, match="tensors have no names") as captured:
        load_model(str(folder))
    assert captured.value.code == "weights_unsupported"
