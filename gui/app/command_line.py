"""``headscope …``: opens the window, or runs one of the commands, which need none."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from headscope.core.cli import main as core
from headscope.core.cli.options import text
from headscope.gui.app import export_command
from headscope.gui.app.display import require_display


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``headscope`` with these arguments, the process's own if None; the exit code, as `headscope.core.cli.main.run`."""
    parser, commands = core.create_parser()
    parser.description = "Look into the attention of transformers. Without a command, opens the window."
    parser.add_argument("--model", help="model to open at start (default: the last one, or toy:grammar)")
    parser.add_argument("--text", type=text, help="text to run at start")
    parser.set_defaults(command=_window)
    for command in (*core.COMMANDS[:3], export_command, *core.COMMANDS[3:]):
        command.add(commands)
    return core.run(parser, argv)


def _window(arguments: argparse.Namespace) -> int:
    require_display()
    from headscope.gui.app.application import run_app

    return run_app(arguments.model, arguments.text)
