"""``headscope sweep``: changes one thing at a time, and lists what harms a prediction most."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from headscope.core.cli.options import add_command, add_json, add_model_and_text, count, opened, text
from headscope.core.cli.terminal import print_json, print_table, progress_line
from headscope.core.errors import HeadscopeError
from headscope.core.job import Job
from headscope.core.requests.predictions import SweepRequest
from headscope.core.vocabulary import Kind

if TYPE_CHECKING:
    from headscope.core.analyse.causal.sweeps import Sweep
    from headscope.core.model import Model

_NEEDED = {"edges": ("layer", "head"), "patches": ("other",)}
_OF_ONE = {"mean_of": "heads", "layer": "edges", "head": "edges", "other": "patches", "by": "patches"}
"""Options that mean something for one of the sweeps only."""


def add(commands: Any) -> None:
    """The command and its options."""
    what = "Change one thing at a time and list what harms the prediction most."
    example = 'headscope sweep --model toy:grammar --text "the keys of the cabinet [MASK] rusty ." --top 5'
    parser = add_command(commands, "sweep", _run, what, example)
    add_model_and_text(parser)
    option = parser.add_argument
    changed = "ablate each head, cut each edge of one head, hide each token, or patch in --other's run (default: heads)"
    option("--what", choices=("heads", "edges", "keys", "patches"), default="heads", help=changed)
    option("--kind", help="encoder, decoder or cross; default: the model's first")
    option("--layer", type=int, help="layer of the head whose edges are cut, from 0")
    option("--head", type=int, help="the head whose edges are cut, from 0")
    option(
        "--token",
        type=text,
        help="token whose probability is measured, with its leading space if it has one; default: the most probable",
    )
    option(
        "--label", type=text, help="class or tag whose probability is measured, by name or number; default: the most probable"
    )
    option("--span", choices=("start", "end"), help="which end of an answer is measured (default: start)")
    option("--at", type=text, help="which mask, which token's tag, or where the answer starts or ends: a position or a token")
    option("--mean-of", type=text, help="replace heads by their mean over this text instead of by 0")
    option(
        "--other",
        type=text,
        help="text with as many tokens, whose head outputs are patched in; --pair and --target stay the same",
    )
    option("--by", choices=("layer", "head", "position"), help="what is patched at a time (default: head)")
    option("--top", type=count(1), default=10, help="rows to print, most harmful first (default: 10)")
    add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    _check(arguments)
    with progress_line() as job:
        model = opened(arguments, job)
        found = _swept(model, arguments, job)
    (_print_data if arguments.json else _print)(model, found, arguments)
    return 0


def _check(arguments: argparse.Namespace) -> None:
    """Raise ``bad_option`` before a model is loaded for nothing."""
    for name, what in _OF_ONE.items():
        value, option = getattr(arguments, name), f"--{name.replace('_', '-')}"
        if value is None and name in _NEEDED.get(arguments.what, ()):
            raise HeadscopeError("bad_option", option=option, value="left out", expected=f"given for --what {what}")
        if value is not None and what != arguments.what:
            raise HeadscopeError("bad_option", option=option, value=value, expected=f"left out without --what {what}")


def _swept(model: Model, arguments: argparse.Namespace, job: Job) -> Sweep:
    """The whole sweep; errors as `headscope.core.analyse.causal.sweeps`."""
    from headscope.core.engine.predictions import sweep

    request = SweepRequest(
        arguments.text,
        arguments.pair,
        arguments.target,
        token=arguments.token,
        what=arguments.what,
        kind=arguments.kind,
        layer=arguments.layer or 0,
        head=arguments.head or 0,
        mean_of=arguments.mean_of,
        other=arguments.other or "",
        other_pair=arguments.pair,
        other_target=arguments.target,
        by=arguments.by or "head",
        label=arguments.label,
        span=arguments.span,
        position=None if arguments.at is None else _position(model, arguments),
    )
    *_, last = sweep(model, request, job)
    return last


def _print(model: Model, found: Sweep, arguments: argparse.Namespace) -> None:
    """The most harmful things first: change of log-probability, probability before and after, divergence."""
    where = "" if found.position is None else f" at token {found.position}"
    end = "" if found.target.span is None else f"the answer's {found.target.span} "
    print(f"{end}{found.label}: {_unit(model)} {_readable(found.probability)}{where}")
    names, labels = _axes(model, arguments)
    rows = [(*names, "change" if _is_number(model) else "log p, nats", "before", "after", "KL, nats")]
    order = np.argsort(found.log_probability_change, axis=None, kind="stable")
    for at in zip(*np.unravel_index(order[: arguments.top], found.divergence.shape), strict=True):
        what = (str(index) if words is None else f"{index} {words[index]}" for index, words in zip(at, labels, strict=True))
        change, after, divergence = found.log_probability_change[at], found.probabilities[at], found.divergence[at]
        apart = "–" if np.isnan(divergence) else _readable(divergence)  # a number has no distribution
        rows.append((*what, _readable(change, "+"), _readable(found.probability), _readable(after), apart))
    print_table(rows)


def _readable(number: float, sign: str = "") -> str:
    """Three decimals, and of what they would make 0 three digits."""
    return f"{number:{sign}.3f}" if abs(number) >= 5e-4 or number == 0 or not np.isfinite(number) else f"{number:{sign}.2e}"


def _print_data(model: Model, found: Sweep, arguments: argparse.Namespace) -> None:
    """The arrays as JSON; null stands for what is no number, such as the change of a token that cannot come at all."""
    names, labels = _axes(model, arguments)
    head = {"layer": arguments.layer, "head": arguments.head} if arguments.what == "edges" else {}
    said = {
        "model": arguments.model,
        "what": arguments.what,
        "kind": _kind(model, arguments),
        **head,
        "position": found.position,
        **_watched_data(found),
        _unit(model): found.probability,
        "axes": names,
        **{f"{name}_tokens": words for name, words in zip(names, labels, strict=True) if words is not None},
    }
    arrays = ("log_probability_change", "probabilities", "divergence")
    print_json(said | {name: _listed(getattr(found, name)) for name in arrays})


def _is_number(model: Model) -> bool:
    return "classify" in model.info.abilities and model.info.link == "identity"


def _unit(model: Model) -> str:
    return "number" if _is_number(model) else "probability"


def _watched_data(found: Sweep) -> dict[str, Any]:
    target = found.target
    if target.span is not None:
        return {"span": target.span, "token": found.label}
    if target.label is not None:
        return {"label": found.label, "label_id": target.label}
    return {"token": found.label, "token_id": target.token}


def _position(model: Model, arguments: argparse.Namespace) -> int:
    """What --at says: a position, or a token that stands in the text once."""
    asked = arguments.at.strip()
    if asked.isdecimal():
        return int(asked)
    labels = model.encode(arguments.text, arguments.pair, arguments.target)[0].axis.labels
    found = [at for at, label in enumerate(labels) if asked in (label, label.removeprefix("·"))]
    if len(found) != 1:
        raise HeadscopeError(
            "bad_option", option="--at", value=asked, expected="a position, or a token that occurs once in the text"
        )
    return found[0]


def _kind(model: Model, arguments: argparse.Namespace) -> Kind:
    kind: Kind = arguments.kind or next(iter(model.info.layers))
    return kind


def _axes(model: Model, arguments: argparse.Namespace) -> tuple[list[str], list[tuple[str, ...] | None]]:
    """What the arrays' dimensions count, and the tokens of those that count tokens."""
    source, target = model.encode(arguments.text, arguments.pair, arguments.target)
    queries, keys = (axis.labels for axis in model.axes(source.axis, target.axis if target else None)[_kind(model, arguments)])
    if arguments.what == "edges":
        return ["query", "key"], [queries, keys]
    if arguments.what == "keys":
        return ["key"], [keys]
    if arguments.by == "layer":
        return ["layer"], [None]
    return (["layer", "query"], [None, queries]) if arguments.by == "position" else (["layer", "head"], [None, None])


def _listed(numbers: npt.NDArray[np.float64]) -> Any:
    listed = numbers.astype(object)
    listed[~np.isfinite(numbers)] = None  # JSON has no infinity
    return listed.tolist()
