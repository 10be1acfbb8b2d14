"""How much ``headscope capture`` and ``export`` keep of a pass, and how a head is drawn or written."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.keep import KEEP_ALL, Keep
from headscope.core.vocabulary import Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.core.model import Model

APPROXIMATE = "weights are accurate to about 3 digits: queries and keys were kept in half precision"


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
        print(APPROXIMATE)
    print(arguments.out)


def draw(record: AttentionRecord, kind: Kind, head: Head, arguments: argparse.Namespace) -> None:
    """A head as a picture; ``no_arcs_between_texts``, and errors as `write_picture`."""
    from PySide6.QtGui import QGuiApplication

    from headscope.gui.paint.arcs import ArcsPicture
    from headscope.gui.paint.export import Picture, write_picture
    from headscope.gui.paint.fonts import load_fonts
    from headscope.gui.paint.heatmap import HeatmapPicture
    from headscope.gui.paint.links import LinksPicture
    from headscope.gui.paint.theme import theme_of

    # Fonts belong to the application object; without a window it needs no display.
    application = QGuiApplication.instance() or QGuiApplication(["headscope", "-platform", "offscreen"])
    load_fonts()
    weights, (queries, keys) = record.attention_weights(*head, kind), record.axis(kind)
    figure: Picture = HeatmapPicture(weights, queries, keys)
    if arguments.view == "links":
        figure = LinksPicture({head: weights}, queries, keys)
    elif arguments.view == "arcs":
        if kind == "cross":
            raise HeadscopeError("no_arcs_between_texts")
        figure = ArcsPicture({head: weights}, queries, keys, one_sided=kind == "decoder")
    write_picture(figure, arguments.out, theme_of(arguments.dark), dpi=arguments.dpi)
    del application


def write(record: AttentionRecord, kind: Kind, head: Head, path: Path, model: str) -> None:
    """A head as numbers; errors as `write_head_csv`."""
    from headscope.core.files.numbers import write_head_csv, write_head_npz

    axis, weights = record.axis(kind), record.attention_weights(*head, kind)
    if path.suffix.lower() == ".csv":
        write_head_csv(path, weights, axis.queries, axis.keys)
    else:
        write_head_npz(path, weights, axis.queries, axis.keys, kind=kind, head=head, model=model)
