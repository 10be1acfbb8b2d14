"""A function in a child process: its value or its error comes back, and nothing it does outlives its limits."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from headscope.core.errors import HeadscopeError
from headscope.core.files import passed
from headscope.core.files.guarded import CHILD_ARGUMENT, _interpreter, guarded
from headscope.core.job import Cancelled, Job
from headscope.core.sentences import sentence


def refusal(function: str, *arguments: object, **limits: object) -> HeadscopeError:
    with pytest.raises(HeadscopeError) as captured:
        guarded(function, *arguments, subject="a.file", **limits)
    return captured.value


def test_plain_data_goes_there_and_comes_back(tmp_path: Path) -> None:
    assert guarded("headscope.core.errors.readable_bytes", 2**20, subject="x") == "1 MB"
    assert guarded("json.loads", '{"a": [1, 2.5, null, "\\ud800é"]}', subject="x") == {"a": [1, 2.5, None, "\ud800é"]}
    assert guarded("os.fspath", tmp_path, subject="x") == str(tmp_path)


def test_an_error_of_ours_keeps_its_code_and_parameters() -> None:
    error = refusal("headscope.core.files.text_file.read_text_file", "/no/such/file")
    assert error.code == "cannot_read"
    assert error.parameters == {"path": "/no/such/file", "reason": sentence("cause", words="No such file or directory")}


@pytest.mark.parametrize(
    ("function", "arguments", "reason"),
    [
        ("json.loads", ("{",), "Expecting property name"),
        ("sys.exit", (3,), "3"),
        ("os.abort", (), "memory"),
        ("os._exit", (0,), "crashed"),
        ("builtins.print", ("{}",), "value"),
        ("json.loads", ("[" * 100_000,), "nested too deeply"),
        ("builtins.complex", (1,), "JSON"),
    ],
)
def test_whatever_else_ends_it_is_one_sentence(function: str, arguments: tuple[object, ...], reason: str) -> None:
    if function == "builtins.print":  # what a library prints is not the answer
        assert guarded(function, *arguments, subject="a.file") is None
        return
    error = refusal(function, *arguments)
    assert error.code == "cannot_read"
    assert "a.file" in error.message
    assert reason in error.message


def test_a_loop_without_end_is_ended() -> None:
    error = refusal("re.fullmatch", "(a*)*b", "a" * 64, seconds=0.5)  # holds the interpreter, looks at nothing
    assert "more than 0.5 seconds" in error.message


def test_one_that_waits_for_something_is_ended() -> None:
    error = refusal("time.sleep", 100, seconds=0.2)
    assert "more than 0.2 seconds" in error.message


def test_memory_has_a_limit() -> None:
    before = psutil.Process().memory_info().rss
    error = refusal("builtins.bytearray", 6 * 2**30)
    assert "more than 900 MB of memory" in error.message
    assert psutil.Process().memory_info().rss - before < 100 * 2**20


def test_a_job_that_is_cancelled_kills_it() -> None:
    job = Job()
    threading.Timer(0.2, job.cancel.set).start()
    with pytest.raises(Cancelled):
        guarded("time.sleep", 60, subject="x", job=job)
    assert not [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]


def test_torch_is_not_there_unless_it_is_asked_for() -> None:
    assert guarded("importlib.util.find_spec", "torch", subject="x") is None
    assert refusal("importlib.import_module", "torch").code == "cannot_read"


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_it_does_not_outlive_a_parent_that_is_killed() -> None:
    code = "from headscope.core.files.guarded import guarded; guarded('time.sleep', 600, subject='x', seconds=600)"
    parent = subprocess.Popen([sys.executable, "-c", code])
    deadline = time.monotonic() + 20
    while not (children := psutil.Process(parent.pid).children()) and time.monotonic() < deadline:
        pass
    parent.send_signal(signal.SIGKILL)
    parent.wait()
    assert children
    assert not psutil.wait_procs(children, timeout=20)[1]


def test_a_frozen_program_is_its_own_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    assert _interpreter() == [sys.executable, CHILD_ARGUMENT]
    entry = [sys.executable, "-c", "from headscope.gui.app.command_line import main; main()", CHILD_ARGUMENT]
    asked = {"function": "math.sqrt", "arguments": [9], "seconds": 5, "wall": 15, "memory": 2**29, "torch": False}
    process = subprocess.Popen(entry, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(json.dumps(asked).encode() + b"\n")
    process.stdin.flush()
    assert json.loads(process.stdout.read()) == {"value": 3.0}
    process.stdin.close()
    process.stdout.close()
    process.wait()


def test_inside_another_program_the_interpreter_beside_it_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/usr/bin/blender")
    monkeypatch.setattr("multiprocessing.spawn._python_exe", b"/usr/bin/blender")
    assert guarded("math.sqrt", 9, subject="x") == 3


@pytest.mark.parametrize("entry", ["", "no_such_folder_but_a_hook.__path_hook__"])
def test_the_child_finds_what_its_parent_finds(monkeypatch: pytest.MonkeyPatch, entry: str) -> None:
    """An editable install is found through an entry of sys.path that is no path; the empty entry is today's folder."""
    monkeypatch.setattr(sys, "path", [entry, *sys.path])
    assert guarded("math.sqrt", 9, subject="x") == 3
    command = _interpreter()
    assert command is not None
    assert json.loads(command[-1])[0] == (entry or str(Path.cwd()))


# ---------------------------------------------------------------- what passed
def test_what_passed_is_not_looked_at_again_until_its_content_changes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "cache_base", lambda: tmp_path / "cache")
    file = tmp_path / "tokenizer.json"
    file.write_text("one")
    looks: list[str] = []

    def look() -> str:
        looks.append(file.read_text())
        return looks[-1]

    assert [passed.checked_once("check", [file], look) for _ in range(3)] == ["one"] * 3
    file.write_text("two")
    assert passed.checked_once("check", [file], look) == "two"
    assert passed.checked_once("another check", [file], look) == "two"
    assert looks == ["one", "two", "two"]


def test_a_refusal_is_not_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "cache_base", lambda: tmp_path / "cache")

    def refuse() -> None:
        raise HeadscopeError("no_tokenizer", path="x")

    for _ in range(2):
        with pytest.raises(HeadscopeError):
            passed.checked_once("check", [], refuse)
    assert passed.checked_once("check", [], lambda: 1) == 1


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"a": 1, "b": [1, "x"]}', b"\xff" * 9, b"[" * 10**6])
def test_a_memory_that_is_damaged_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr(passed, "cache_base", lambda: tmp_path)
    (tmp_path / "passed.json").write_bytes(content)
    assert passed.checked_once("check", [], lambda: 1) == 1
    assert passed.checked_once("check", [], lambda: 2) == 1


def test_the_memory_stays_small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passed, "cache_base", lambda: tmp_path)
    monkeypatch.setattr(passed, "_MOST", 3)
    for number in range(6):
        passed.checked_once(f"check {number}", [], lambda: 1)
    assert len(json.loads((tmp_path / "passed.json").read_text())) == 3
    assert passed.checked_once("check 5", [], lambda: 2) == 1
    assert passed.checked_once("check 0", [], lambda: 2) == 2


def test_a_place_that_cannot_be_written_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(passed, "cache_base", lambda: tmp_path / "file" / "cache")
    assert [passed.checked_once("check", [], lambda each=each: each) for each in (1, 2)] == [1, 2]
