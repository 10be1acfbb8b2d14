"""Every class once more by plain transformers: a tiny folder with its own tokenizer class, opened here and there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from transformers.utils import logging as hf_logging

from headscope.core import load_model
from headscope.core.errors import HeadscopeError
from headscope.core.jobs import Job
from headscope.core.verify_outside import Ours, OutsideReport, compared, ours_of
from tests.golden.families import Family, built
from tests.make_tokenizer import write_tokenizer

TEXT = "the goal of life is the cat"


def write_folder(family: Family, folder: Path) -> Path:
    """The family's tiny model with its weights, and a tokenizer of its class."""
    hf_logging.disable_progress_bar()
    model = built(family)
    model.save_pretrained(folder)
    write_tokenizer(model.config, folder)
    return folder


def beside_transformers(families: Iterable[Family]) -> Iterator[tuple[Family, OutsideReport | str]]:
    """Each family's report, or why Headscope does not open it; some in one process of the outsider's at a time."""
    waiting = iter(families)
    while some := list(islice(waiting, 40)):
        with tempfile.TemporaryDirectory() as kept:
            opened: dict[str, Ours] = {}
            refused: dict[str, str] = {}
            for family in some:
                try:
                    folder = str(write_folder(family, Path(kept) / family.name))
                    opened[family.name] = ours_of(load_model(folder), folder, TEXT)
                except HeadscopeError as error:
                    refused[family.name] = error.message
                except ImportError as error:  # a tokenizer of a library that is not here
                    refused[family.name] = str(error).split("\n")[0]
            reports = dict(zip(opened, compared(list(opened.values()), Job()), strict=True)) if opened else {}
            for family in some:
                yield family, reports[family.name] if family.name in reports else refused[family.name]
