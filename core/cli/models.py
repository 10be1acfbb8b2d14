"""``headscope models``: the models on this computer."""

from __future__ import annotations

import argparse
from dataclasses import asdict
from typing import Any

from headscope.core.cli.options import add_command, add_json
from headscope.core.cli.terminal import print_json, print_table
from headscope.core.errors import readable_bytes


def add(commands: Any) -> None:
    """The command and its options."""
    parser = add_command(commands, "models", _run, "List the models on this computer.", "headscope models --json")
    add_json(parser)


def _run(arguments: argparse.Namespace) -> int:
    from headscope.core.models.catalogue import catalogue

    entries = catalogue()
    if arguments.json:
        print_json({"models": [asdict(entry) for entry in entries]})
        return 0
    print_table([(entry.source, readable_bytes(entry.size), entry.description) for entry in entries])
    return 0
