"""Every class once more by plain transformers: a tiny folder with its own tokenizer class, opened here and there.

``python -m tests.golden.outside BertForMaskedLM …`` prints what was compared, of the classes named or of all.
"""

from __future__ import annotations

import sys
import tempfile
import traceback
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

import torch
from transformers.utils import logging as hf_logging

from headscope.core import load_model
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.models.verify_outside import Ours, OutsideReport, compared, ours_of
from tests.golden.every_family import every_family
from tests.golden.families import Family, built
from tests.make_tokenizer import make_tokenizer

TEXT, MASKED = "the goal of life is the cat", "the goal of [MASK] is the cat"
TARGET = "life is the goal"
"""What the decoder of an encoder-decoder reads."""
SAME, IN_PART, REFUSED = "the same", "in part", "refused"
"""How the words for the table begin where nothing is wrong."""
_AT_A_TIME, _WORKERS = 20, 2


@dataclass(frozen=True)
class Outside:
    """What came of a class: a report, or why there is none.

    Attributes
    ----------
    refused : str
        The sentence in which Headscope refuses to open it.
    broken : str
        An error that is not one of Headscope's sentences, with where it was raised: a fault.
    """

    name: str
    report: OutsideReport | None = None
    refused: str = ""
    broken: str = ""

    @property
    def cell(self) -> str:
        """For the table: "the same", "in part, without …", why it is refused, or what is wrong, in capitals."""
        if self.report is None:
            why = self.refused.removeprefix(f"{self.name} has no attention weights to show. ")
            return f"BROKEN: {self.broken}" if self.broken else REFUSED if why != self.refused else f"{REFUSED}: {why}"
        wrong = ", ".join(each.what for each in self.report.comparisons if not each.passed)
        if wrong:
            return f"DIFFERENT: {wrong}"
        left = ", ".join(each.partition(": ")[0] for each in self.report.not_compared)
        return f"{IN_PART}, without {left}" if left else SAME

    @property
    def is_fault(self) -> bool:
        return not self.cell.startswith((SAME, IN_PART, REFUSED))

    def __str__(self) -> str:
        return f"{self.name}: {self.cell}" + (f"\n{self.report}" if self.report is not None else "")


def write_folder(family: Family, folder: Path) -> Path:
    """The family's tiny model with its weights, and a tokenizer of its class.

    (Checkpoints say what a decoder begins with, and which token is their tokenizer's mask; default configurations may not.)
    """
    hf_logging.disable_progress_bar()
    model = built(family)
    config, tokenizer = model.config, make_tokenizer(model.config)
    if config.is_encoder_decoder and getattr(config, "decoder_start_token_id", None) is None:
        config.pad_token_id = 0
        config.decoder_start_token_id = model.generation_config.decoder_start_token_id = 0
    if getattr(config, "mask_token_id", None) is not None and tokenizer.mask_token_id is not None:
        config.mask_token_id = tokenizer.mask_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def beside_transformers(families: Iterable[Family]) -> Iterator[Outside]:
    """What came of each; some in one process of the outsider's at a time."""
    waiting = iter(families)
    while some := list(islice(waiting, _AT_A_TIME)):
        with tempfile.TemporaryDirectory() as kept:
            opened = {family.name: _opened(family, Path(kept) / family.name) for family in some}
            ours = {name: each for name, each in opened.items() if isinstance(each, Ours)}
            reports = dict(zip(ours, _reports(list(ours.values())), strict=True))
            for name, each in opened.items():
                yield each if isinstance(each, Outside) else _found(name, reports[name])


def in_processes(names: Sequence[str]) -> Iterator[Outside]:
    """Of the classes of these names, in their order, as they come; two processes share them."""
    parts = [names[first : first + _AT_A_TIME] for first in range(0, len(names), _AT_A_TIME)]
    with ProcessPoolExecutor(_WORKERS, mp_context=get_context("spawn")) as pool:
        for part in pool.map(_of_names, parts):
            yield from part


def _of_names(names: Sequence[str]) -> list[Outside]:
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    families = {family.name: family for family in every_family()}
    return list(beside_transformers(families[name] for name in names))


def _opened(family: Family, folder: Path) -> Ours | Outside:
    try:
        where = str(write_folder(family, folder))
        model = load_model(where, device="cpu")
        text = TEXT if model.info.mask_token is None else MASKED
        return ours_of(model, where, text, target=TARGET if model.info.family == "encoder-decoder" else None)
    except HeadscopeError as error:
        return Outside(family.name, refused=error.message.replace(str(folder), family.name))
    except ImportError as error:  # a tokenizer of a library that is not here
        return Outside(family.name, refused=" ".join(str(error).split("\n")).strip())
    except Exception as error:  # whatever it is, the others are still compared
        place = traceback.extract_tb(error.__traceback__)[-1]
        return Outside(family.name, broken=f"{type(error).__name__}: {error} ({Path(place.filename).name}:{place.lineno})")


def _reports(ours: list[Ours]) -> list[OutsideReport | str]:
    """Of each; where a process with several of them ends, one at a time, so that one does not take the others with it."""
    if not ours:
        return []
    try:
        return [*compared(ours, Job())]
    except HeadscopeError as error:
        return [error.message] if len(ours) == 1 else [report for each in ours for report in _reports([each])]


def _found(name: str, report: OutsideReport | str) -> Outside:
    return Outside(name, report) if isinstance(report, OutsideReport) else Outside(name, broken=report)


def main() -> None:
    """Print what came of the classes named on the command line, or of all; end with 1 if something is wrong."""
    faults = 0
    for each in in_processes(sys.argv[1:] or [family.name for family in every_family()]):
        print(each, flush=True)
        faults += each.is_fault
    sys.exit(faults > 0)


if __name__ == "__main__":
    main()
