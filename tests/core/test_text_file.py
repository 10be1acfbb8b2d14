"""Text files are read in whatever encoding they are, or refused."""

from pathlib import Path

import pytest

from headscope.core.errors import HeadscopeError
from headscope.core.files.text_file import LARGEST_TEXT_FILE, read_text_file

WORDS = "naïve café\n“quoted” – 注意力"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
def test_marked_and_utf_8_files_come_back_whole(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.txt"
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""
    path.write_bytes(mark + WORDS.encode(encoding))
    assert read_text_file(path) == WORDS


@pytest.mark.parametrize(
    ("raw", "text"), [(b"caf\xe9 \x93x\x94", "café “x”"), (b"\x81\xe9", "\x81é"), (b"a\r\nb\rc\n", "a\nb\nc\n"), (b"", "")]
)
def test_other_files_are_windows_1252_or_latin_1(tmp_path: Path, raw: bytes, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(raw)
    assert read_text_file(path) == text


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"\x7fELF\0\1\2", "not_a_text_file"),
        (b"\xff\xfea", "not_a_text_file"),
        (b"a" * (LARGEST_TEXT_FILE + 1), "text_file_too_large"),
    ],
)
def test_what_is_no_text_or_too_long_is_refused(tmp_path: Path, raw: bytes, code: str) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(raw)
    with pytest.raises(HeadscopeError) as captured:
        read_text_file(path)
    assert captured.value.code == code
    assert str(path) in captured.value.message


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(HeadscopeError, match=r"cannot be read\. Cause: No such file") as captured:
        read_text_file(tmp_path / "none.txt")
    assert captured.value.code == "cannot_read"


def test_a_file_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_bytes(b"a" * LARGEST_TEXT_FILE)
    assert len(read_text_file(path)) == LARGEST_TEXT_FILE
