"""``headscope capture``: the weights of every head as numbers; and how much of a pass is kept."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headscope.core.cli.options import add_command, add_model_and_text, check_suffix, opened
from headscope.core.cli.terminal import progress_line
from headscope.core.job import Job
from headscope.core.keep import KEEP_ALL, Keep

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.model import Model


_APPROXIMATE = "weights are accurate to about 3 digits: queries and keys were kept in half precision"


def add(commands: Any) -> None:
    """The command and its options."""
    what = "Write the attention weights of every head to an NPZ file."
    example = 'headscope capture --model toy:tales --text "once upon a time" --out tale.npz'
    parser = add_command(commands, "capture", _run, what, example)
    add_model_and_text(parser)
    add_keep(parser)
    parser.add_argument("--out", required=True, type=Path, help="FILE.npz")


def _run(arguments: argparse.Namespace) -> int:
    from headscope.core.files.numbers import write_capture_npz

    check_suffix(arguments.out, (".npz",))
    with progress_line() as job:
        record = captured(opened(arguments, job), arguments, job)
        write_capture_npz(record, arguments.out, job=job)
    for kind in record.kinds:
        axis = record.axis(kind)
        shape = (len(record.kept_layers(kind)), record.n_heads(kind), len(axis.queries), len(axis.keys))
        print(f"{kind}_attention (layer, head, query, key): {' × '.join(map(str, shape))}")
    print_path(arguments)
    return 0


def add_keep(parser: Any) -> None:
    """The option that makes long texts fit."""
    what = (
        "half: in half precision, weights accurate to about 3 digits; host: in the computer's memory; "
        "layers=0,5,10: only these; "
    )
    parser.add_argument("--keep", type=_kept, default=KEEP_ALL, help=f"{what}join several with +, as in half+host")


def _kept(argument: str) -> Keep:
    changes: dict[str, Any] = {}
    for part in argument.split("+"):
        name, _, numbers = part.partition("=")
        if part == "half":
            changes["half"] = True
        elif part == "host":
            changes["place"] = "host"
        elif name == "layers" and all(number.isdecimal() for number in numbers.split(",")):
            changes["layers"] = tuple(sorted({int(number) for number in numbers.split(",")}))
        else:
            raise argparse.ArgumentTypeError(f"must be half, host or layers=0,5,10, not {part!r}")
    return Keep(**changes)


def captured(model: Model, arguments: argparse.Namespace, job: Job) -> AttentionRecord:
    """The pass that the options ask for; errors as `Model.capture`."""
    return model.capture(arguments.text, arguments.pair, arguments.target, keep=arguments.keep, job=job)


def print_path(arguments: argparse.Namespace) -> None:
    """Where the file is, after how exact it is."""
    if arguments.keep.half:
        print(_APPROXIMATE)
    print(arguments.out)
