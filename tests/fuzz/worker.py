"""The process that opens cases: one a line of stdin, one verdict a line of stdout.

With "direct" it runs in itself what Headscope runs in a child process: ten times as fast, and whoever watches it opens the case
anew, in the way Headscope does, if it does not come through quickly.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from headscope.core.errors import LONGEST_SENTENCE, HeadscopeError
from headscope.core.files.guarded import MEMORY, guarded
from headscope.core.files.guarded_child import _answer
from tests.fuzz.corpus import KINDS, open_model, place
from tests.fuzz.run import Case


def main() -> None:
    corpus, folder = Path(sys.argv[1]), Path(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.environ["XDG_CACHE_HOME"] = str(folder / "cache")
    warnings.simplefilter("ignore")
    for name in ("torch", "headscope.core.models.hub.files", "headscope.core.models.gguf.load"):
        __import__(name)
    if sys.argv[3] == "direct":
        guard_in_place()
    answers.write("ready\n")
    for line in sys.stdin:
        asked = json.loads(line)
        use = partial(open_model, Path(asked[0])) if len(asked) == 1 else partial(open_case, Case(*asked), corpus, folder)
        answers.write(json.dumps(verdict_of(use)) + "\n")


def guard_in_place() -> None:
    """Let `guarded` call its function here."""

    def direct(function: str, *arguments: Any, subject: Any, **_: Any) -> Any:
        asked = {"memory": MEMORY, "function": function, "arguments": json.loads(json.dumps(arguments, default=os.fspath))}
        told = _answer(asked)
        if "value" in told:
            return told["value"]
        if "code" in told:
            raise HeadscopeError(told["code"], details=told["details"], **told["parameters"])
        raise HeadscopeError("cannot_read", path=subject, reason=told["reason"])

    original = guarded
    for module in list(sys.modules.values()):
        if getattr(module, "guarded", None) is original:
            module.guarded = direct


def open_case(case: Case, corpus: Path, folder: Path) -> None:
    """In a folder of its own."""
    kind = KINDS[case.kind]
    target = folder / f"case-{case.number}"
    try:
        kind.use(place(kind, case.content(corpus), corpus, target))
    finally:
        shutil.rmtree(target, ignore_errors=True)


def verdict_of(use: Callable[[], object]) -> dict[str, Any]:
    """What comes of opening a file."""
    try:
        use()
    except HeadscopeError as error:
        for sentence in (error.message, error.remedy):
            if len(sentence) > LONGEST_SENTENCE or not sentence.isprintable():
                return {"verdict": "finding", "why": f"a sentence of {len(sentence)} characters: {sentence[:200]!r}"}
        if error.code == "unexpected":
            return {"verdict": "finding", "why": str(error)}
        return {"verdict": "refused", "code": error.code}
    except BaseException as error:
        return {"verdict": "finding", "why": f"{type(error).__name__}: {error!s:.200}", "trace": _where(error)}
    return {"verdict": "opened"}


def _where(error: BaseException) -> str:
    """The last lines of ours that it passed."""
    import traceback

    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "headscope" in frame.filename]
    return " ← ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(ours[-4:]))


if __name__ == "__main__":
    main()
