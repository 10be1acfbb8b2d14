"""The other side of `headscope.core.files.guarded`: what runs in the child process.

Three things end it if nothing else does: the system's limits on processor time and memory where there are such, a watchdog in
C that needs no cooperation from a library that holds the interpreter, and the end of the pipe that its parent holds.
"""

from __future__ import annotations

import faulthandler
import importlib
import json
import os
import sys
import threading
import warnings
from contextlib import suppress
from typing import Any

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.files.guarded import too_large
from headscope.core.sentences import Sentence, sentence


def main() -> None:
    """Read one question from stdin, answer it on stdout, and end the process."""
    answers = os.dup(1)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)  # a library that prints does not spoil the answer
    with os.fdopen(os.dup(0), "rb", buffering=2**16) as questions:
        asked = json.loads(questions.readline())
        threading.Thread(target=_end_with, args=(questions.fileno(),), daemon=True).start()
        _limit(asked)
        told = json.dumps(_answer(asked)).encode()
        with suppress(OSError), os.fdopen(answers, "wb") as file:
            file.write(told)
        os._exit(0)  # without a library's farewell, which may take as long as it likes


def _end_with(pipe: int) -> None:
    """The parent writes nothing more: what can be read is the end of the pipe, which is the parent's own."""
    with suppress(OSError):
        os.read(pipe, 1)
    os._exit(1)


def _limit(asked: dict[str, Any]) -> None:
    warnings.simplefilter("ignore")
    faulthandler.dump_traceback_later(asked["wall"] + 1, exit=True, file=2)
    if not asked["torch"]:
        sys.modules["torch"] = None  # type: ignore[assignment]  # to transformers it is not installed then
    if sys.platform == "win32":
        return  # there the parent watches
    import resource

    seconds, memory = int(asked["seconds"]) + 1, asked["memory"]
    limits = (resource.RLIMIT_CPU, seconds, seconds + 1), (resource.RLIMIT_DATA, memory, memory), (resource.RLIMIT_CORE, 0, 0)
    for kind, soft, hard in limits:
        with suppress(OSError, ValueError):  # a stricter one may be in force
            resource.setrlimit(kind, (soft, hard))


def _answer(asked: dict[str, Any]) -> dict[str, Any]:
    """The function's value, its `HeadscopeError`, or the reason why there is neither."""
    try:
        value = _function(asked["function"])(*asked["arguments"])
        json.dumps(value)
    except HeadscopeError as error:
        parameters = {key: _plain(each) for key, each in error.parameters.items()}
        return {"code": error.code, "parameters": parameters, "details": error.details}
    except MemoryError:
        return {"reason": too_large(asked["memory"]).plain()}
    except RecursionError:
        return {"reason": sentence("nested_too_deeply").plain()}
    except BaseException as error:  # a Rust panic is no Exception; whatever it is, it ends here
        return {"reason": reason_of(error)}
    return {"value": value}


def _function(name: str) -> Any:
    module, _, function = name.rpartition(".")
    return getattr(importlib.import_module(module), function)


def _plain(value: object) -> object:
    if isinstance(value, Sentence):
        return value.plain()
    return value if isinstance(value, int | float | str | None) else str(value)
