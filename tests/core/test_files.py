"""A file is written whole or not at all."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from headscope.core.errors import HeadscopeError
from headscope.core.files import atomic
from headscope.core.files.atomic import atomic_write


def test_the_file_appears_under_its_name_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "data.csv"
    path.write_text("older")
    with pytest.raises(ZeroDivisionError), atomic_write(path) as temporary:
        temporary.write_text("half")
        raise ZeroDivisionError
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(HeadscopeError) as captured, atomic_write(tmp_path / "data.npz"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert captured.value.code == "no_disk_space"
    assert "data.npz" in captured.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(HeadscopeError) as captured, atomic_write(tmp_path / "nowhere" / "data.csv"):
        pytest.fail("there is no place to write to")
    assert captured.value.code == "cannot_write"
    assert "No such file" in captured.value.message


def test_a_folder_in_the_place_of_the_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "out.png").mkdir()
    with pytest.raises(HeadscopeError) as captured, atomic_write(tmp_path / "out.png") as temporary:
        temporary.write_bytes(b"x")
    assert captured.value.code == "cannot_write"
    assert list(tmp_path.iterdir()) == [tmp_path / "out.png"]


def test_an_error_of_ours_inside_the_block_keeps_its_code(tmp_path: Path) -> None:
    with pytest.raises(HeadscopeError) as captured, atomic_write(tmp_path / "data.npz"):
        raise HeadscopeError("empty_text")
    assert captured.value.code == "empty_text"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_new_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with atomic_write(tmp_path / "ours") as temporary:
        temporary.write_text("x")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)


# ---------------------------------------------------------------- whole or not at all, whatever happens
@pytest.fixture(params=["without a name", "with a temporary name"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways to write, as file systems have them."""
    if request.param == "with a temporary name":
        monkeypatch.setattr(atomic, "_nameless", lambda _folder: None)
    return request.param


WRITES = """
import sys, time
from pathlib import Path
from headscope.core.files import atomic
if sys.argv[2] == "with a temporary name":
    atomic._nameless = lambda folder: None
with atomic.atomic_write(sys.argv[1]) as temporary, temporary.open("wb") as file:
    file.write(b"half" * 10_000)
    file.flush()
    print("half", flush=True)
    time.sleep(600)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_process_that_is_killed_leaves_the_older_file_and_nothing_for_long(tmp_path: Path, way: str) -> None:
    path = tmp_path / "figure.svg"
    path.write_text("older")
    with subprocess.Popen([sys.executable, "-c", WRITES, str(path), way], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
        process.kill()
    assert path.read_text() == "older"
    if way == "without a name" and hasattr(os, "O_TMPFILE"):
        assert list(tmp_path.iterdir()) == [path]
    with atomic_write(tmp_path / "next.svg") as temporary:
        temporary.write_text("next")
    assert sorted(each.name for each in tmp_path.iterdir()) == ["figure.svg", "next.svg"]


def test_what_another_process_is_writing_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / f"{atomic._own_mark()}0"
    other.touch()
    with atomic_write(tmp_path / "a") as temporary:
        temporary.write_text("a")
    assert other.exists()


def test_two_at_a_time_leave_one_whole_file(tmp_path: Path, way: str) -> None:
    path = tmp_path / "a.csv"
    with atomic_write(path) as first, atomic_write(path) as second:
        first.write_text("first" * 1000)
        second.write_text("second" * 1000)
    assert path.read_text() in {"first" * 1000, "second" * 1000}
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(os.name == "nt", reason="limits of POSIX")
def test_a_file_that_grows_past_what_there_is_leaves_the_older_one(tmp_path: Path, way: str) -> None:
    path = tmp_path / "a.npz"
    path.write_text("older")
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000));"
        "from headscope.core.files import atomic; from headscope.core.errors import HeadscopeError\n"
        f"if {way!r} == 'with a temporary name': atomic._nameless = lambda folder: None\n"
        "try:\n"
        "    with atomic.atomic_write(sys.argv[1]) as temporary: temporary.write_bytes(b'x' * 10_000)\n"
        "except HeadscopeError as error: print(error.code)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "cannot_write"
    assert path.read_text() == "older"
    assert list(tmp_path.iterdir()) == [path]
