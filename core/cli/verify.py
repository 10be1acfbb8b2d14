"""``headscope verify``: Headscope compared with plain transformers."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from headscope.core.cli.options import add_command, add_json, add_model_and_text, opened
from headscope.core.cli.terminal import print_json, progress_line


def add(commands: Any) -> None:
    """The command and its options."""
    what = "Compare ids, weights, attention, predictions and text with plain transformers; exit code 1 if they differ."
    parser = add_command(commands, "verify", _run, what, 'headscope verify --model gpt2 --text "The capital of France is"')
    add_model_and_text(parser)
    parser.add_argument(
        "--quick", action="store_true", help="only compare every captured head with the model's own eager attention"
    )
    add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    texts = arguments.text, arguments.pair, arguments.target
    with progress_line() as job:
        if arguments.quick:
            from headscope.core.forward.verify import verify

            report: Any = verify(opened(arguments, job), *texts)
        else:
            from headscope.core.models.verify_outside import verify_outside

            options = {name: getattr(arguments, name) for name in ("revision", "device", "dtype")}
            report = verify_outside(arguments.model, *texts, **options, job=job)
    if arguments.json:
        print_json({"model": arguments.model, "passed": report.passed} | asdict(report))
    else:
        print(report)
    return 0 if report.passed else 1
