"""A file is written whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from headscope.core.errors import HeadscopeError
from headscope.core.files.atomic import atomic_write


def test_the_file_appears_under_its_name_when_the_block_ends(tmp_path: Path) -> None:
    path = tmp_path / "figure.svg"
    with atomic_write(path) as temporary:
        temporary.write_text("whole")
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".svg"
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
    with pytest.raises(HeadscopeError) as caught, atomic_write(tmp_path / "data.npz"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert caught.value.code == "no_disk_space"
    assert "data.npz" in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_does_not_exist_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(HeadscopeError) as caught, atomic_write(tmp_path / "nowhere" / "data.csv"):
        pytest.fail("there is no place to write to")
    assert caught.value.code == "cannot_write"
    assert "No such file" in caught.value.message


def test_a_folder_in_the_place_of_the_file_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "out.png").mkdir()
    with pytest.raises(HeadscopeError) as caught, atomic_write(tmp_path / "out.png") as temporary:
        temporary.write_bytes(b"x")
    assert caught.value.code == "cannot_write"
    assert list(tmp_path.iterdir()) == [tmp_path / "out.png"]


def test_an_error_of_ours_inside_the_block_keeps_its_code(tmp_path: Path) -> None:
    with pytest.raises(HeadscopeError) as caught, atomic_write(tmp_path / "data.npz"):
        raise HeadscopeError("empty_text")
    assert caught.value.code == "empty_text"


@pytest.mark.skipif(os.name == "nt", reason="permissions of POSIX")
def test_a_new_file_is_as_readable_as_any_other(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    with atomic_write(tmp_path / "ours") as temporary:
        temporary.write_text("x")
    assert stat.S_IMODE((tmp_path / "ours").stat().st_mode) == stat.S_IMODE((tmp_path / "usual").stat().st_mode)
