"""``headscope export``: heads as a picture or as numbers. There is an option for each field of the export dialog."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headscope.core.arguments import refuse
from headscope.core.cli.capture import add_keep, captured, print_path
from headscope.core.cli.options import add_command, add_model_and_text, check_suffix, count, opened, text
from headscope.core.cli.terminal import progress_line
from headscope.core.vocabulary import Head, Kind
from headscope.gui.app.figures import VIEWS

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord
    from headscope.gui.paint.picked import Picked


PICTURES = (".png", ".svg", ".pdf")
DATA = (".csv", ".npz")
PRESETS: Final = {"column": 84.0, "page": 174.0}
"""Millimetres; `WIDTHS_MM` without Qt."""
COLOR_MAPS: Final = ("plain", "viridis", "cividis", "grey")
SCALES: Final = ("linear", "log", "row", "rank")
_LEFT_OUT: Final = {
    "axis_titles": "axis titles",
    "color_bar": "the colour bar",
    "edge_bars": "the bars at the edges",
    "legend": "the legend",
}


def add(commands: Any) -> None:
    """The command and its options."""
    what = "Write heads as a picture (png, svg, pdf) or one as numbers (csv, npz)."
    example = (
        'headscope export --model toy:tales --text "once upon a time" --view links --head 1.0 --width-mm 84 --out head.svg'
    )
    parser = add_command(commands, "export", _run, what, example)
    add_model_and_text(parser)
    parser.add_argument("--view", choices=VIEWS, default="heatmap", help="which picture (default: heatmap)")
    parser.add_argument("--layer", type=int, help="from 0, where --head is a number alone")
    parser.add_argument(
        "--head", action="append", type=_head, help="L.H, from 0; repeat it for several (links, arcs); all for heads"
    )
    parser.add_argument("--kind", help="encoder, decoder or cross; default: the model's first")
    add_keep(parser)
    _add_figure_options(parser)
    parser.add_argument("--out", required=True, type=Path, help="FILE.png, .svg, .pdf, .csv or .npz")


def _add_figure_options(parser: Any) -> None:
    group = parser.add_argument_group("how a picture is drawn")
    group.add_argument(
        "--width-mm",
        type=_width,
        metavar="MM",
        help="width in millimetres; column is 84, page is 174 (default: what labels need)",
    )
    group.add_argument("--height-mm", type=float, metavar="MM", help="height in millimetres (default: what the picture needs)")
    group.add_argument(
        "--type-pt", type=float, default=7.0, metavar="PT", help="size of tokens and numbers in points (default: 7)"
    )
    group.add_argument("--title", type=text, default="", help="above the picture")
    for name, words in _LEFT_OUT.items():
        group.add_argument(f"--no-{name.replace('_', '-')}", dest=name, action="store_false", help=f"leave out {words}")
    group.add_argument("--color-map", choices=COLOR_MAPS, help="of a heatmap (default: plain)")
    group.add_argument("--scale", choices=SCALES, help="of a heatmap (default: linear)")
    group.add_argument(
        "--units", choices=("tokens", "words", "sentences", "segments"), default="tokens", help="what rows and columns are"
    )
    group.add_argument(
        "--special", choices=("shown", "hidden", "renormalised"), default="shown", help="special tokens (default: shown)"
    )
    pins = "what stands out: 5:2 a query with a key, 5: a query, :2 a key; positions from 0, several with commas"
    group.add_argument("--pins", type=_pins, metavar="Q:K", help=pins)
    region = "the part that is drawn: FIRST-LAST of the queries, and of the keys, as in 0-9,0-9; positions from 0"
    group.add_argument("--region", type=_region, metavar="Q,K", help=region)
    ground = group.add_mutually_exclusive_group()
    ground.add_argument("--dark", dest="ground", action="store_const", const="dark", default="light", help="use the dark theme")
    ground.add_argument("--transparent", dest="ground", action="store_const", const="transparent", help="no background")
    group.add_argument("--outlines", action="store_true", help="text as shapes in an SVG")
    group.add_argument("--dpi", type=count(1), default=300, help="dots per inch of a PNG (default: 300)")


# ---------------------------------------------------------------- how arguments are read
def _head(argument: str) -> tuple[int | None, int]:
    """``L.H``, or a head alone."""
    layer, point, head = argument.rpartition(".")
    if not head.isdecimal() or (point and not layer.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be L.H, as in 1.2, not {argument!r}")
    return (int(layer) if point else None), int(head)


def _width(argument: str) -> float:
    try:
        return PRESETS.get(argument) or float(argument)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, column or page, not {argument!r}") from None


def _pins(argument: str) -> tuple[tuple[int | None, int | None], ...]:
    """(query, key) of each; one of them may be None."""
    found = []
    for pin in argument.split(","):
        query, colon, key = pin.strip().partition(":")
        if not colon or not (query or key) or not all(side.isdecimal() for side in (query, key) if side):
            raise argparse.ArgumentTypeError(f"must be positions as in 5:2, 5: or :2, not {pin!r}")
        found.append((int(query) if query else None, int(key) if key else None))
    return tuple(found)


def _region(argument: str) -> tuple[range, range]:
    sides = []
    for side in argument.split(","):
        first, _, last = side.strip().partition("-")
        if not (first.isdecimal() and last.isdecimal()):
            raise argparse.ArgumentTypeError(f"must be FIRST-LAST,FIRST-LAST, as in 0-9,0-9, not {argument!r}")
        sides.append(range(int(first), int(last) + 1))
    if len(sides) != 2:
        raise argparse.ArgumentTypeError(f"must be FIRST-LAST,FIRST-LAST, as in 0-9,0-9, not {argument!r}")
    return sides[0], sides[1]


def _heads(arguments: argparse.Namespace) -> tuple[Head, ...]:
    """The heads that are meant; ``bad_option``."""
    found = []
    if not arguments.head and arguments.view == "heads" and arguments.out.suffix.lower() in PICTURES:
        return ((0, 0),)  # all are shown
    if not arguments.head:
        refuse("--head", None, "L.H, as in 1.2")
    for layer, head in arguments.head:
        if layer is None and arguments.layer is None:
            refuse("--head", head, "L.H, as in 1.2, or a number beside --layer")
        found.append((arguments.layer if layer is None else layer, head))
    return tuple(dict.fromkeys(found))


# ---------------------------------------------------------------- what is done
def _run(arguments: argparse.Namespace) -> int:
    path, heads = arguments.out, _heads(arguments)
    check_suffix(path, PICTURES + DATA)
    if path.suffix.lower() in DATA and len(heads) > 1:
        refuse("--head", len(heads), f"one head for {path.suffix}")
    with progress_line() as job:
        model = opened(arguments, job)
        record = captured(model, arguments, job)
    kind = arguments.kind or record.kinds[0]
    if path.suffix.lower() in PICTURES:
        _draw(record, kind, heads, arguments)
    else:
        _write(record, kind, heads[0], arguments, model.info.name)
    print_path(arguments)
    return 0


def _draw(record: AttentionRecord, kind: Kind, heads: tuple[Head, ...], arguments: argparse.Namespace) -> None:
    """Heads as a picture; errors as `save_figure`."""
    from headscope.gui.app.figures import save_figure

    same = (
        "width_mm",
        "height_mm",
        "type_pt",
        "title",
        *_LEFT_OUT,
        "color_map",
        "scale",
        "region",
        "ground",
        "outlines",
        "dpi",
    )
    options = {name: getattr(arguments, name) for name in same}
    units = {"units": arguments.units, "special": arguments.special}
    save_figure(record, arguments.out, arguments.view, heads, kind=kind, picked=_picked(arguments.pins), **units, **options)


def _picked(pins: tuple[tuple[int | None, int | None], ...] | None) -> Picked:
    """One pin is a cell, or a token alone; several are rows and columns that were picked out."""
    from headscope.gui.paint.picked import NOTHING, Picked

    if not pins:
        return NOTHING
    if len(pins) == 1:
        return Picked(pins[0][0], pins[0][1])
    queries = tuple(dict.fromkeys(query for query, _ in pins if query is not None))
    return Picked(queries=queries, keys=tuple(dict.fromkeys(key for _, key in pins if key is not None)))


def _write(record: AttentionRecord, kind: Kind, head: Head, arguments: argparse.Namespace, model: str) -> None:
    """A head as numbers; errors as `write_head_csv`."""
    from headscope.core.files.numbers import write_head_csv, write_head_npz
    from headscope.core.text.tokens import Reading

    path, record = arguments.out, record.read_as(Reading(arguments.units, arguments.special))
    axis, weights = record.axis(kind), record.attention_weights(*head, kind)
    if path.suffix.lower() == ".csv":
        write_head_csv(path, weights, axis.queries, axis.keys)
    else:
        write_head_npz(path, weights, axis.queries, axis.keys, kind=kind, head=head, model=model)
