"""A process of its own that does all that Headscope does for a user of Python, and prints what of the process is not as it was.

Argument: a folder to write to. Prints JSON: of each step, what changed by it.
"""

from __future__ import annotations

import json
import logging
import pkgutil
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import huggingface_hub
import torch
import transformers
from transformers import AutoModelForMaskedLM, AutoTokenizer, BertForMaskedLM  # noqa: F401 - the last brings its file

from tests.fingerprint import differences, process
from tests.tiny_models import write_decoder, write_gguf, write_masked


def settle() -> None:
    """As a user may have set it."""
    torch.set_num_threads(2)
    torch.manual_seed(5)
    random.seed(5)
    warnings.filterwarnings("always", "something of the user's own")
    transformers.logging.set_verbosity_info()
    transformers.logging.enable_progress_bar()
    huggingface_hub.utils.disable_progress_bars("of the user's own")
    logging.getLogger("huggingface_hub").setLevel(logging.INFO)
    logging.getLogger("accelerate").setLevel(logging.DEBUG)
    logging.getLogger("transformers").addFilter(lambda _: False)


def steps(folder: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is done, one after another."""
    yield "import", _import_all
    from headscope.core import load_model, wrap_model
    from headscope.core.job import Cancel, Cancelled, Job
    from headscope.core.lab.evaluation import evaluate
    from headscope.core.lab.training import train
    from headscope.core.models.catalogue import catalogue
    from headscope.core.models.verify_outside import verify_outside

    bert = folder / "bert"
    toy = load_model("toy:tales")
    yield "toy", lambda: load_model("toy:grammar").capture("the keys of the cabinet [MASK] rusty .")
    yield "generate", lambda: list(toy.generate("once upon a time", max_new_tokens=3))
    yield "train", lambda: train("grammar", steps=2, out=folder / "trained")
    yield "evaluate", lambda: evaluate("grammar", folder=folder / "trained", n=2)
    yield "load", lambda: load_model(bert).run("the [MASK] sat")
    yield "gguf", lambda: list(load_model(folder / "letters.gguf").generate("the cat", max_new_tokens=2))
    yield "decoder", lambda: list(load_model(folder / "gpt2").generate("the cat", max_new_tokens=2))
    module, tokenizer = AutoModelForMaskedLM.from_pretrained(bert), AutoTokenizer.from_pretrained(bert)
    yield "wrap", lambda: wrap_model(module.train(), tokenizer).capture("the cat")
    yield "catalogue", catalogue
    yield "verify", lambda: verify_outside(str(bert), "the cat sat")
    refused = (
        "toy:nothing",
        "someone/nothing",
        str(folder / "nothing"),
        str(folder / "broken"),
        str(folder / "broken.gguf"),
        "",
    )
    for source in refused:
        yield f"refused {Path(source).name}", lambda source=source: _refused(lambda: load_model(source))
    cancelled = Job(cancel=Cancel())
    cancelled.cancel.set()

    def cancel() -> None:
        with suppress(Cancelled):
            load_model(bert, job=cancelled)
            raise AssertionError("it was not cancelled")

    yield "cancelled", cancel

    def at_once() -> None:
        with ThreadPoolExecutor(4) as threads:
            records = list(threads.map(lambda _: load_model(bert).capture("the cat"), range(8)))
        assert {record.n_heads("encoder") for record in records} == {4}

    yield "at once", at_once


def _import_all() -> None:
    import headscope.core

    for module in pkgutil.walk_packages(headscope.core.__path__, "headscope.core."):
        if not module.name.endswith("guarded_child"):  # what a child process runs
            with suppress(ImportError):  # it needs an optional library
                import_module(module.name)


def _refused(action: Callable[[], object]) -> None:
    from headscope.core.errors import HeadscopeError

    with suppress(HeadscopeError):
        action()
        raise AssertionError("it was not refused")


def main(folder: Path) -> None:
    write_masked(folder / "bert")
    write_decoder(folder / "gpt2")
    write_gguf(folder / "letters.gguf")
    write_masked(folder / "broken")
    (folder / "broken" / "model.safetensors").write_bytes(b"no weights")
    (folder / "broken.gguf").write_bytes(b"no weights")
    settle()
    before, changed = process(), {}
    for name, do in steps(folder):
        do()
        changed[name] = {what: repr(values) for what, values in differences(before, process()).items()}
        before = process()
    print(json.dumps(changed))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
