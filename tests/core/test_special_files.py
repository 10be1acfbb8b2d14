"""What is no file, cannot be read or has a name of the worst sort is refused in a sentence, and nothing waits for it."""

import os
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from headscope.core import load_model
from headscope.core.errors import HeadscopeError
from headscope.core.files.inspect import open_file, read_json
from headscope.core.files.text_file import read_text_file

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files of POSIX")


def pipe(path: Path) -> None:
    os.mkfifo(path)


def unix_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


def link_to(target: str) -> Callable[[Path], None]:
    return lambda path: path.symlink_to(path.name if target == "itself" else target)


def unreadable(path: Path) -> None:
    path.write_bytes(b"GGUF" * 100)
    path.chmod(0)


SPECIAL = {
    "a pipe": pipe,
    "a socket": unix_socket,
    "a device": link_to("/dev/zero"),
    "random numbers": link_to("/dev/urandom"),
    "itself": link_to("itself"),
    "nothing": link_to("/no/such/file"),
    "a folder": Path.mkdir,
}
if os.geteuid() != 0:  # who may read everything
    SPECIAL["what nobody may read"] = unreadable


@pytest.mark.parametrize("kind", SPECIAL)
def test_no_text_is_read_from_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.chdir(tmp_path)
    SPECIAL[kind](tmp_path / "a.txt")
    for read in (read_text_file, read_json, open_file):
        with pytest.raises(HeadscopeError) as captured:
            read(tmp_path / "a.txt")
        assert captured.value.code == "cannot_read"
        assert "a.txt cannot be read. " in captured.value.message


@pytest.mark.parametrize(
    "name", ["config.json", "model.safetensors", "pytorch_model.bin", "model.safetensors.index.json", "vocab.txt"]
)
@pytest.mark.parametrize("kind", SPECIAL)
def test_a_model_with_such_a_file_is_refused(bert: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    monkeypatch.chdir(bert)
    replaced = ("tokenizer.json", "vocab.txt") if name == "vocab.txt" else (name,)
    for each in {"model.safetensors", *replaced} if name.endswith((".bin", "index.json")) else replaced:
        (bert / each).unlink(missing_ok=True)
    SPECIAL[kind](bert / name)
    with pytest.raises(HeadscopeError) as captured:
        load_model(str(bert))
    assert captured.value.code in {
        "cannot_read",
        "folder_without_model",
        "config_invalid",
        "no_tokenizer",
        "checkpoint_damaged",
    }


@pytest.mark.parametrize("kind", SPECIAL)
@pytest.mark.parametrize("name", ["x.gguf", "x"])
def test_no_model_is_read_from_what_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, name: str) -> None:
    monkeypatch.chdir(tmp_path)
    SPECIAL[kind](tmp_path / name)
    with pytest.raises(HeadscopeError) as captured:
        load_model(str(tmp_path / name))
    assert captured.value.code != "unexpected"


@pytest.mark.parametrize("path", ["/proc/self/mem", "/proc/self/maps", "/dev/null", "/sys/kernel/notes", "/proc/kmsg"])
def test_files_of_the_system_are_no_texts_and_block_nothing(path: str) -> None:
    if Path(path).exists():
        try:
            read_text_file(path)
        except HeadscopeError as error:
            assert error.code in {"cannot_read", "not_a_text_file", "text_file_too_large"}


NAMES = [
    "new\nline",
    "esc\x1b[31m",
    "x" * 200_000,
    "\udcff",
    "a\0b",
    "~nobody-is-called-so/x",
    "$(reboot).gguf",
    "toy:" + "y" * 10**5,
]


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
def test_no_name_makes_an_error_long_or_leaves_one_line(tmp_path: Path, name: str) -> None:
    for source in (name, str(tmp_path / name), f"./{name}", f"{name}.gguf"):
        with pytest.raises(HeadscopeError) as captured:
            load_model(source)
        assert len(captured.value.message) <= 300
        assert captured.value.message.isprintable()
        with pytest.raises(HeadscopeError):
            read_text_file(source)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[" * 10**6, "nested"),
        ('{"a": ' + "9" * 10_000 + "}", "not valid JSON"),
        ("{" * 3, "not valid JSON"),
        ("\xff", ""),
        ('"' + "x" * (17 * 2**20) + '"', "16 MB"),
    ],
    ids=["deep", "a long number", "cut short", "another encoding", "large"],
)
def test_a_configuration_that_is_none_is_refused(tmp_path: Path, content: str, reason: str) -> None:
    (tmp_path / "config.json").write_text(content, encoding="latin-1")
    with pytest.raises(HeadscopeError) as captured:
        read_json(tmp_path / "config.json")
    assert captured.value.code == "cannot_read"
    assert reason in captured.value.message
    with pytest.raises(HeadscopeError) as captured:
        load_model(str(tmp_path))
    assert captured.value.code == "config_invalid"
    assert reason in captured.value.message
