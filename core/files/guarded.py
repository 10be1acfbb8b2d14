"""A look under limits: a function of ours runs in a child process, for what a library parses from a file.

A library in C or Rust cannot be interrupted, and may take the process with it; a child can be killed. It is a bare interpreter
that imports only the function's module (without torch unless it is asked for), so it starts in a tenth of a second. It gets
and gives plain data as JSON, never a pickle. What passed once is remembered by `headscope.core.files.passed`.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from multiprocessing import spawn
from pathlib import Path
from typing import Any, Final

import psutil

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.job import Job, current_job
from headscope.core.messages import MESSAGES
from headscope.core.sentences import Sentence, sentence

CHILD_ARGUMENT: Final = "--guarded-child"
"""What a frozen program, which has no interpreter beside it, is started with to be such a child."""
SECONDS: Final = 10.0
"""Of the processor, by default. Wall time counts only beyond `_WALL` times as much: a busy machine refuses nothing that an idle one opens."""
MEMORY: Final = 900 * 2**20
"""Bytes in all, the interpreter's own included, by default."""
_WALL: Final = 3
_POLL_SECONDS: Final = 0.02
_LAST_SECONDS: Final = 2.0
"""Between the end of an answer and the end of the process."""
_LONGEST_ANSWER: Final = 32 * 2**20
_PYTHON: Final = re.compile(r"(python|pypy)[\d.]*w?(\.exe)?", re.IGNORECASE)
_CHILD: Final = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from headscope.core.files.guarded_child import main; main()"
)
_QUIET: Final = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "RAYON_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def guarded(
    function: str,
    *arguments: Any,
    subject: str | os.PathLike[str],
    job: Job | None = None,
    seconds: float | None = None,
    memory: int | None = None,
    torch: bool = False,
) -> Any:
    """What ``function(*arguments)`` returns, computed in a child process under limits.

    Parameters
    ----------
    function : str
        Its dotted name: ``headscope.….module.function``.
    arguments : plain data
        Anything that JSON can hold, and paths, which arrive as str. Tuples arrive as lists.
    subject : path or str
        The file or the model that is looked at, for the sentence of a refusal.
    job : Job, optional
        Cancelling it kills the child; `current_job` if not given.
    seconds : float, optional
        Of the processor.
    memory : int, optional
        Bytes.
    torch : bool
        Whether the child may import torch, which takes a second or more; without it, transformers' configurations and tokenizers
        work all the same.

    Returns
    -------
    plain data

    Raises
    ------
    HeadscopeError
        That of the function; ``cannot_read`` if it goes past a limit, ends its process, or raises anything else.
    Cancelled
    """
    job = job or current_job()
    seconds = SECONDS if seconds is None else seconds
    limits = {"seconds": seconds, "wall": seconds * _WALL, "memory": MEMORY if memory is None else memory, "torch": torch}
    asked = json.dumps({"function": function, "arguments": arguments, **limits}, default=os.fspath)
    with _started(subject) as (process, answer):
        _send(process, asked)
        reason = _watched(process, answer, job, limits)
    if reason is None:
        with suppress(ValueError):
            told = json.loads(answer.text())
            if "value" in told:
                return told["value"]
            if told.get("code") in MESSAGES:
                raise HeadscopeError(told["code"], details=told["details"], **told["parameters"])
            reason = told["reason"]
    raise HeadscopeError("cannot_read", path=subject, reason=reason or sentence("reader_crashed"))


def _interpreter() -> list[str] | None:
    """How a Python is started that is like this one; None if there is none (this one is inside another program)."""
    if getattr(sys, "frozen", False):
        return [sys.executable, CHILD_ARGUMENT]
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    folders = (Path(sys.exec_prefix), Path(sys.base_exec_prefix))
    beside = [folder / name for folder in folders for name in (f"bin/{version}", "bin/python3", "python.exe")]
    known = [
        os.fsdecode(spawn.get_executable() or ""),
        sys.executable or "",
        *map(str, beside),
    ]  # the first can be set by a user
    for each in known:
        if _PYTHON.fullmatch(Path(each).name) and Path(each).is_file():
            return [each, "-P", "-c", _CHILD, json.dumps([_absolute(entry) for entry in sys.path])]
    return None


def _absolute(entry: str) -> str:
    """An entry of `sys.path` that means the same from any folder. Names of import hooks (as of an editable install) are no paths."""
    return str(Path(entry).absolute()) if Path(entry).exists() else entry


@contextmanager
def _started(subject: str | os.PathLike[str]) -> Iterator[tuple[subprocess.Popen[bytes], _Answer]]:
    """A child that waits for its question; gone when the block ends, however it ends."""
    command = _interpreter()
    if command is None:
        raise HeadscopeError("cannot_read", path=subject, reason=sentence("no_python"))
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # Rust writes its panics there
            env={**os.environ, **_QUIET},
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise HeadscopeError("cannot_read", path=subject, reason=sentence("no_process", words=reason_of(error))) from None
    answer = _Answer(process)
    try:
        yield process, answer
    finally:
        process.kill()
        process.wait()
        answer.join()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):
                    pipe.close()


class _Answer:
    """Reads what the child writes, so that it never waits for us."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdout is not None
        self._pipe = process.stdout
        self._raw = b""
        self._thread = threading.Thread(target=self._read, name="guarded answer", daemon=True)
        self._thread.start()

    def _read(self) -> None:
        with suppress(OSError, ValueError):
            self._raw = self._pipe.read(_LONGEST_ANSWER)

    def join(self, timeout: float | None = None) -> bool:
        """Whether all has been read."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def text(self) -> str:
        return self._raw.decode()


def _send(process: subprocess.Popen[bytes], asked: str) -> None:
    """The pipe stays open: the child ends with it, so it does not outlive us."""
    assert process.stdin is not None
    with suppress(OSError):  # it has ended already, which `_watched` finds out
        process.stdin.write(asked.encode() + b"\n")
        process.stdin.flush()


def _watched(process: subprocess.Popen[bytes], answer: _Answer, job: Job, limits: dict[str, Any]) -> Sentence | None:
    """Wait for the answer; None, or the limit that was passed."""
    started = time.monotonic()
    child = psutil.Process(process.pid)
    while not answer.join(_POLL_SECONDS):
        job.cancel.check()
        try:
            used, memory = child.cpu_times(), child.memory_info().rss
        except psutil.Error:  # it has ended
            continue
        if used.user + used.system > limits["seconds"] or time.monotonic() - started > limits["wall"]:
            return _too_slow(limits["seconds"])
        if memory > limits["memory"]:
            return too_large(limits["memory"])
    with suppress(subprocess.TimeoutExpired):
        if process.wait(_LAST_SECONDS) == -getattr(signal, "SIGXCPU", 0):  # the system's own limit was faster than our look
            return _too_slow(limits["seconds"])
        if process.returncode == -signal.SIGABRT:  # what Rust and C++ do where memory is refused
            return too_large(limits["memory"])
    return None


def _too_slow(seconds: float) -> Sentence:
    return sentence("too_slow", seconds=f"{seconds:g}")


def too_large(memory: int) -> Sentence:
    """The reason of a refusal."""
    return sentence("too_much_memory", most=memory >> 20)
