"""What the commands share: their parsers, their model and their text."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headscope.core.errors import HeadscopeError
from headscope.core.job import Job

if TYPE_CHECKING:
    from headscope.core.model import Model


def opened(arguments: argparse.Namespace, job: Job) -> Model:
    """The model that the options name; errors as `load_model`."""
    from headscope.core.models.load import load_model

    return load_model(arguments.model, revision=arguments.revision, device=arguments.device, dtype=arguments.dtype, job=job)


def check_suffix(path: Path, known: tuple[str, ...]) -> None:
    """Before the model is loaded: nobody should wait for that to learn of a wrong name."""
    if path.suffix.lower() not in known:
        raise HeadscopeError("unknown_file_type", path=path, known=", ".join(known))


def text(argument: str) -> str:
    """Bytes of the command line that are no text become "�", which every tokenizer can read."""
    try:
        return os.fsencode(argument).decode("utf-8", errors="replace")
    except UnicodeEncodeError:  # halves of characters that no bytes stand for, from a caller in Python
        return argument.encode("utf-8", errors="replace").decode("utf-8")


def count(least: int) -> Callable[[str], int]:
    """How argparse reads a whole number that is `least` or more."""

    def number(argument: str) -> int:
        if int(argument) < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more, not {argument}")
        return int(argument)

    number.__name__ = "number"  # argparse says "invalid number value"
    return number


Commands = Any  # argparse keeps the type of its subparsers to itself


def add_command(commands: Commands, name: str, run: Callable[[argparse.Namespace], int], what: str, example: str) -> Any:
    """The parser of a command that does `what`; `run` answers its exit code."""
    parser = commands.add_parser(
        name,
        help=what,
        description=what,
        epilog=f"Example: {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,  # an example that is wrapped cannot be copied
        allow_abbrev=False,
    )
    parser.set_defaults(command=run)
    return parser


def add_model_and_text(parser: Any, *, pair: bool = True, target: bool = True) -> None:
    """The options that name a model and what it reads."""
    parser.add_argument("--model", required=True, help="a toy, a folder, a .gguf file or a Hugging Face name")
    parser.add_argument("--text", required=True, type=text)
    if pair:
        parser.add_argument("--pair", type=text, help="second text, for models that take pairs")
    if target:
        parser.add_argument("--target", type=text, help="decoder text of an encoder-decoder model")
    parser.add_argument("--revision", help="branch, tag or commit of a Hugging Face model; same as NAME@REVISION")
    parser.add_argument(
        "--device", default="auto", help="cpu, cuda, mps, … or all (layers spread over several); default: the best available"
    )
    parser.add_argument("--dtype", default="auto", help="float32, bfloat16, float16, int8 or int4; default: what fits")


def add_json(parser: Any) -> None:
    """The option to print data and no text."""
    parser.add_argument("--json", action="store_true", help="print JSON")
