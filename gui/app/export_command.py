"""``headscope export``: one head as a picture or as numbers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headscope.core.cli.capture import add_keep, captured, print_path
from headscope.core.cli.options import add_command, add_model_and_text, check_suffix, count, opened
from headscope.core.cli.terminal import progress_line
from headscope.core.errors import HeadscopeError
from headscope.core.vocabulary import Head, Kind

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.gui.paint.figure import Figure


PICTURES = (".png", ".svg", ".pdf")
DATA = (".csv", ".npz")


def add(commands: Any) -> None:
    """The command and its options."""
    what = "Write one head as a picture (png, svg, pdf) or as numbers (csv, npz)."
    example = 'headscope export --model toy:tales --text "once upon a time" --view links --layer 1 --head 0 --out head.svg'
    parser = add_command(commands, "export", _run, what, example)
    add_model_and_text(parser)
    parser.add_argument(
        "--view", choices=("heatmap", "links", "arcs"), default="heatmap", help="which picture (default: heatmap)"
    )
    parser.add_argument("--layer", required=True, type=int, help="from 0")
    parser.add_argument("--head", required=True, type=int, help="from 0")
    parser.add_argument("--kind", help="encoder, decoder or cross; default: the model's first")
    parser.add_argument("--dpi", type=count(1), default=300, help="dots per inch of a PNG (default: 300)")
    add_keep(parser)
    parser.add_argument("--dark", action="store_true", help="use the dark theme")
    parser.add_argument("--out", required=True, type=Path, help="FILE.png, .svg, .pdf, .csv or .npz")


def _run(arguments: argparse.Namespace) -> int:
    path, head = arguments.out, (arguments.layer, arguments.head)
    check_suffix(path, PICTURES + DATA)
    with progress_line() as job:
        model = opened(arguments, job)
        record = captured(model, arguments, job)
    kind = arguments.kind or record.kinds[0]
    if path.suffix.lower() in PICTURES:
        _draw(record, kind, head, arguments)
    else:
        _write(record, kind, head, path, model.info.name)
    print_path(arguments)
    return 0


def _draw(record: AttentionRecord, kind: Kind, head: Head, arguments: argparse.Namespace) -> None:
    """A head as a picture; ``no_arcs_between_texts``, and errors as `write_figure`."""
    from PySide6.QtGui import QGuiApplication

    from headscope.gui.paint.fonts import load_fonts
    from headscope.gui.paint.formats import write_figure
    from headscope.gui.paint.theme import theme_of
    from headscope.gui.views.heatmap.paint.picture import HeatmapPicture
    from headscope.gui.views.links.paint.arcs import ArcsPicture
    from headscope.gui.views.links.paint.links import LinksPicture

    # Fonts belong to the application object; without a window it needs no display.
    application = QGuiApplication.instance() or QGuiApplication(["headscope", "-platform", "offscreen"])
    load_fonts()
    weights, (queries, keys) = record.attention_weights(*head, kind), record.axis(kind)
    figure: Figure = HeatmapPicture(weights, queries, keys)
    if arguments.view == "links":
        figure = LinksPicture({head: weights}, queries, keys)
    elif arguments.view == "arcs":
        if kind == "cross":
            raise HeadscopeError("no_arcs_between_texts")
        figure = ArcsPicture({head: weights}, queries, keys, one_sided=kind == "decoder")
    write_figure(figure, arguments.out, theme_of(arguments.dark), dpi=arguments.dpi)
    del application


def _write(record: AttentionRecord, kind: Kind, head: Head, path: Path, model: str) -> None:
    """A head as numbers; errors as `write_head_csv`."""
    from headscope.core.files.numbers import write_head_csv, write_head_npz

    axis, weights = record.axis(kind), record.attention_weights(*head, kind)
    if path.suffix.lower() == ".csv":
        write_head_csv(path, weights, axis.queries, axis.keys)
    else:
        write_head_npz(path, weights, axis.queries, axis.keys, kind=kind, head=head, model=model)
