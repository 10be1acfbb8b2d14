"""``headscope train``: toy models trained and evaluated."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from pathlib import Path
from typing import Any

from headscope.core.cli.options import add_command, add_json, count
from headscope.core.cli.terminal import print_json, print_table, progress_line


def add(commands: Any) -> None:
    """The command and its options."""
    what = "Train a toy model, or evaluate the trained one."
    parser = add_command(commands, "train", _run, what, "headscope train grammar --evaluate")
    parser.add_argument("name", help="grammar or tales")
    parser.add_argument("--evaluate", action="store_true", help="evaluate only, on held-out sentences")
    parser.add_argument("--seed", type=int, help="random seed (default: the recipe's own)")
    parser.add_argument("--steps", type=count(1), help="training steps (default: the recipe's own)")
    parser.add_argument("--out", type=Path, help="folder for the weights (default: NAME in the current folder)")
    add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    with progress_line() as job:
        if arguments.evaluate:
            from headscope.core.lab.evaluation import evaluate

            report: Any = evaluate(arguments.name)
        else:
            from headscope.core.lab.training import train

            report = train(arguments.name, seed=arguments.seed, steps=arguments.steps, out=arguments.out, job=job)
    if arguments.json:
        print_json(asdict(report))
    else:
        print_table([(name.replace("_", " "), str(value)) for name, value in asdict(report).items()])
    return 0
