"""``headscope export``: any view as a picture, a head as numbers. There is an option for each field of the export dialog."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headscope.core.arguments import refuse
from headscope.core.attention.lens import LENSES
from headscope.core.cli.capture import add_keep, captured, print_path
from headscope.core.cli.generate import add_generation_options, continued_text, steps_of
from headscope.core.cli.options import add_command, add_model_and_text, check_suffix, count, opened, text
from headscope.core.cli.terminal import progress_line
from headscope.core.errors import HeadscopeError
from headscope.core.vocabulary import Head
from headscope.gui.app.figures import SPECIAL, VIEWS
from headscope.gui.paint.picked import NOTHING
from headscope.gui.paint.positions import pins_of, region_of

if TYPE_CHECKING:
    from headscope.core.job import Job
    from headscope.core.model import Model
    from headscope.gui.view_spec import FigureSpec


DRAWING: Final = "how a picture is drawn"
"""What the export dialog has a field for, each; what is drawn, the window shows (a test compares)."""
OF_ONE_HEAD: Final = ("heatmap", "links", "arcs")
"""Views whose numbers are those of a head."""
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
    what = "Write any view as a picture (png, svg, pdf), or a head as numbers (csv, npz)."
    example = (
        'headscope export --model toy:tales --text "once upon a time" --view links --head 1.0 --width-mm 84 --out head.svg'
    )
    parser = add_command(commands, "export", _run, what, example)
    add_model_and_text(parser)
    views = f"which picture: {', '.join(VIEWS)} (default: heatmap)"
    parser.add_argument("--view", type=_name, choices=VIEWS, default="heatmap", metavar="VIEW", help=views)
    parser.add_argument("--layer", type=int, help="layer, from 0, if --head is only a number")
    parser.add_argument(
        "--head",
        action="append",
        type=_head,
        metavar="L.H",
        help="layer and head, from 0; repeat for several (links, arcs, text)",
    )
    parser.add_argument("--kind", help="encoder, decoder or cross; default: the model's first")
    parser.add_argument("--cell", type=_cell, metavar="Q:K", help="query and key whose arithmetic is shown; positions from 0")
    token = "whose attention text and heads_by_token show; a position from 0"
    parser.add_argument("--token", type=count(0), metavar="N", help=token)
    show = (
        "attends_to, attended_by (text, heads_by_token), surprisal, attribution, rollout (text), in_order, largest_first "
        "(arithmetic), probability, entropy, token (logit_lens); default: the first"
    )
    parser.add_argument("--show", type=_name, metavar="WHAT", help=show)
    parser.add_argument("--candidates", type=count(1), default=10, metavar="N", help="candidates per prediction (default: 10)")
    add_keep(parser)
    _add_figure_options(parser)
    steps = add_generation_options(parser.add_argument_group("how steps are generated (generation, film_strip)"))
    parser.set_defaults(how_steps=steps)
    parser.add_argument("--out", required=True, type=Path, help="FILE.png, .svg, .pdf, .csv or .npz")


def _add_figure_options(parser: Any) -> None:
    group = parser.add_argument_group(DRAWING)
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
    group.add_argument("--title", type=text, default="", help="title above the picture")
    for name, words in _LEFT_OUT.items():
        group.add_argument(f"--no-{name.replace('_', '-')}", dest=name, action="store_false", help=f"leave out {words}")
    group.add_argument("--color-map", choices=COLOR_MAPS, help="colours of a heatmap (default: plain)")
    group.add_argument("--scale", choices=SCALES, help="scale of a heatmap (default: linear)")
    group.add_argument(
        "--units",
        choices=("tokens", "words", "sentences", "segments"),
        default="tokens",
        help="units of the rows and columns (default: tokens)",
    )
    group.add_argument(
        "--special",
        type=_name,
        choices=SPECIAL,
        default="shown",
        help="special tokens, with first_… the first token as well (default: shown)",
    )
    group.add_argument("--lens", choices=tuple(LENSES), default="weights", help="numbers to show (default: weights)")
    pins = "what stands out: 5:2 a query with a key, 5: a query, :2 a key; positions from 0, several with commas"
    group.add_argument("--pins", dest="picked", type=_read(pins_of), default=NOTHING, metavar="Q:K", help=pins)
    region = "the part that is drawn: FIRST-LAST of the queries, and of the keys, as in 0-9,0-9; positions from 0"
    group.add_argument("--region", type=_read(region_of), metavar="Q,K", help=region)
    ground = group.add_mutually_exclusive_group()
    ground.add_argument("--dark", dest="ground", action="store_const", const="dark", default="light", help="use the dark theme")
    ground.add_argument("--transparent", dest="ground", action="store_const", const="transparent", help="no background")
    group.add_argument("--outlines", action="store_true", help="text as outlines in an SVG")
    group.add_argument("--dpi", type=count(1), default=300, help="dots per inch of a PNG (default: 300)")


# ---------------------------------------------------------------- how arguments are read
def _head(argument: str) -> tuple[int | None, int]:
    """``L.H``, or a head alone."""
    layer, point, head = argument.rpartition(".")
    if not head.isdecimal() or (point and not layer.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be L.H, as in 1.2, not {argument!r}")
    return (int(layer) if point else None), int(head)


def _name(argument: str) -> str:
    """A name that may be written with hyphens."""
    return argument.replace("-", "_")


def _cell(argument: str) -> tuple[int, int]:
    query, _, key = argument.partition(":")
    if not (query.isdecimal() and key.isdecimal()):
        raise argparse.ArgumentTypeError(f"must be a query and a key as in 5:2, not {argument!r}")
    return int(query), int(key)


def _width(argument: str) -> float:
    try:
        return PRESETS.get(argument) or float(argument)
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a number, column or page, not {argument!r}") from None


def _read(read: Callable[[str], Any]) -> Callable[[str], Any]:
    """How argparse reads what `read` reads: it says itself which option it was."""

    def argument(text: str) -> Any:
        try:
            return read(text)
        except HeadscopeError as error:
            words = f"must be {error.parameters['expected']}, not {text!r}"
            raise argparse.ArgumentTypeError(words) from None

    return argument


def _heads(arguments: argparse.Namespace) -> tuple[Head, ...]:
    """The heads that are meant; ``bad_option``."""
    found = []
    for layer, head in arguments.head or ():
        if layer is None and arguments.layer is None:
            refuse("--head", head, "L.H, as in 1.2, or a number beside --layer")
        found.append((arguments.layer if layer is None else layer, head))
    return tuple(dict.fromkeys(found))


# ---------------------------------------------------------------- what is done
def _run(arguments: argparse.Namespace) -> int:
    from headscope.core.files.numbers import NUMBER_FORMATS
    from headscope.gui.paint.formats import PICTURE_FORMATS

    path = arguments.out
    check_suffix(path, (*PICTURE_FORMATS, *NUMBER_FORMATS))
    heads = _heads(arguments)
    if path.suffix.lower() in NUMBER_FORMATS:
        return _write(arguments, heads)
    spec = _checked_spec(arguments, heads)
    with progress_line() as job:
        model = opened(arguments, job)
        subject = _subject(model, spec.of, arguments, job)
    _draw(subject, model, heads, arguments)
    print_path(arguments)
    return 0


def _checked_spec(arguments: argparse.Namespace, heads: tuple[Head, ...]) -> FigureSpec:
    """What is asked for, before the model is loaded; ``bad_option`` where something is missing."""
    from headscope.gui.app.figures import figure_specs

    spec = figure_specs()[arguments.view]
    show = arguments.show or next(iter(spec.shows), "")
    if not heads and (spec.obeys & {"head", "heads"}) and show not in ("surprisal", "attribution", "rollout"):
        refuse("--head", None, "L.H, as in 1.2")
    if "cell" in spec.obeys and arguments.cell is None:
        refuse("--cell", None, f"Q:K, as in 5:2, for {spec.id}")
    if show in ("attends_to", "attended_by") and arguments.token is None:
        refuse("--token", None, f"a position, from 0, for {spec.id}")
    for name, default in arguments.how_steps.items() if spec.of != "steps" else ():
        if (value := getattr(arguments, name)) != default:
            refuse(f"--{name.replace('_', '-')}", value, f"left out for {spec.id}")
    return spec


def _subject(model: Model, of: str, arguments: argparse.Namespace, job: Job) -> Any:
    """What the model did with the text: a record, a run, or the steps of a generation or of a filling."""
    if of == "record":
        return captured(model, arguments, job)
    if of == "run":
        how = {"keep": arguments.keep, "top_k": arguments.candidates}
        return model.run(arguments.text, arguments.pair, arguments.target, job=job, **how)
    if "fill_mask" in model.info.abilities and "generate" not in model.info.abilities:
        from headscope.core.predict.fill_iteratively import fill_iteratively

        return tuple(fill_iteratively(model, arguments.text, arguments.pair, job=job))
    return tuple(steps_of(model, continued_text(model, arguments), arguments))


def _draw(subject: Any, model: Model, heads: tuple[Head, ...], arguments: argparse.Namespace) -> None:
    """A picture; errors as `save_figure`."""
    from headscope.gui.app.figures import save_figure

    same = (
        *("width_mm", "height_mm", "type_pt", "title", *_LEFT_OUT, "color_map", "scale", "region", "ground", "outlines", "dpi"),
        *("picked", "kind", "units", "special", "lens", "cell", "token", "show"),
    )
    options = {name: getattr(arguments, name) for name in same}
    save_figure(subject, arguments.out, arguments.view, heads or None, model=model, **options)


def _write(arguments: argparse.Namespace, heads: tuple[Head, ...]) -> int:
    """A head as numbers; errors as `write_head`."""
    from headscope.core.files.numbers import HeadNumbers, write_head
    from headscope.core.text.tokens import Units
    from headscope.gui.paint.formats import PICTURE_FORMATS

    path = arguments.out
    if arguments.view not in OF_ONE_HEAD:
        refuse("--out", path.suffix, f"{', '.join(PICTURE_FORMATS)} for {arguments.view}")
    if len(heads) != 1:
        refuse("--head", len(heads) or None, f"one head, as in 1.2, for {path.suffix}")
    with progress_line() as job:
        model = opened(arguments, job)
        record = captured(model, arguments, job)
    kind = arguments.kind or record.kinds[0]
    record = record.in_units(Units(arguments.units, arguments.special)).through(LENSES[arguments.lens])
    write_head(path, HeadNumbers.of(record, kind, heads[0], model.info.name))
    print_path(arguments)
    return 0
