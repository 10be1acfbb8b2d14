"""The parser of ``headscope``, its exit codes, and the commands that need no window; each imports only what it needs."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from headscope.core.cli import capture, generate, models, predict, sweep, train, verify
from headscope.core.cli.terminal import plain_output
from headscope.core.errors import HeadscopeError, unexpected
from headscope.core.files.guarded import CHILD_ARGUMENT
from headscope.core.process import own

COMMANDS = (predict, generate, capture, sweep, models, verify, train)
INTERRUPTED, BROKEN_PIPE = 130, 141  # as shells count: 128 + SIGINT, 128 + SIGPIPE


def create_parser() -> tuple[argparse.ArgumentParser, Any]:
    """The parser, without commands, and where they are added."""
    parser = argparse.ArgumentParser(
        prog="headscope",
        description="Look into the attention of transformers.",
        epilog="Models: toy:grammar, toy:tales, a folder, a .gguf file, or a Hugging Face name such as bert-base-uncased.\n"
        'Example: headscope --model toy:tales --text "once upon a time"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", nargs=0, action=_Version, help="print the version and exit")
    return parser, parser.add_subparsers(title="commands that need no window", metavar="COMMAND")


def run(parser: argparse.ArgumentParser, argv: Sequence[str] | None) -> int:
    """Run the command that these arguments name (the process's own if None: then all of the process is ours).

    Returns
    -------
    int
        The exit code: 0; 1 if `verify` finds a difference; 2 after an error, in two sentences on stderr; 130 after Ctrl+C.
    """
    if argv is None and sys.argv[1:2] == [CHILD_ARGUMENT]:  # a frozen program has no other interpreter
        from headscope.core.files.guarded_child import main as guarded_child

        guarded_child()
    if argv is None:
        own()
    with plain_output():
        arguments = parser.parse_args(argv)
        try:
            code: int = arguments.command(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:  # the reader has seen enough, as `head` does; Python flushes once more at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
        except BaseException as captured:  # whatever a library raises (a panic in Rust, SystemExit, …) is no traceback here
            error = captured if isinstance(captured, HeadscopeError) else unexpected(captured)
            if sys.flags.dev_mode:  # python -X dev
                traceback.print_exception(captured)
            # Python has no options to read about.
            remedy = "See headscope --help." if error.code == "bad_option" else error.remedy
            print(f"headscope: {error.message}\n{remedy}", file=sys.stderr)
            return 2
        return code


class _Version(argparse.Action):
    """``--version``, looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"headscope {version('headscope')}")
        parser.exit()
