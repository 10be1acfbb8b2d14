"""``headscope …``: opens the window; its commands work without one, and import only what they need."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from headscope.core.errors import HeadscopeError, readable_bytes, unexpected
from headscope.core.files.guarded import CHILD_ARGUMENT
from headscope.core.job import Job
from headscope.core.process import own
from headscope.gui import cli_generation, cli_sweep
from headscope.gui.cli_export import add_keep, captured, draw, print_path, write
from headscope.gui.cli_generation import left_out, steps_of
from headscope.gui.cli_predict import predicted, print_prediction_data, print_predictions
from headscope.gui.cli_sweep import check, print_sweep, print_sweep_data, swept
from headscope.gui.display import require_display
from headscope.gui.terminal import plain_output, print_json, print_table, progress_line

if TYPE_CHECKING:
    from headscope.core.model import Model

PICTURES = (".png", ".svg", ".pdf")
DATA = (".csv", ".npz")
INTERRUPTED, BROKEN_PIPE = 130, 141  # as shells count: 128 + SIGINT, 128 + SIGPIPE


def main(argv: Sequence[str] | None = None) -> int:
    """Run ``headscope`` with these arguments (the process's own if None: then all of the process is ours).

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
        arguments = _parser().parse_args(argv)
        try:
            code: int = arguments.command(arguments)
            sys.stdout.flush()
        except KeyboardInterrupt:
            return INTERRUPTED
        except BrokenPipeError:  # the reader has seen enough, as `head` does; Python flushes once more at exit
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return BROKEN_PIPE
        except BaseException as caught:  # whatever a library raises (a panic in Rust, SystemExit, …) is no traceback here
            error = caught if isinstance(caught, HeadscopeError) else unexpected(caught)
            if sys.flags.dev_mode:  # python -X dev
                traceback.print_exception(caught)
            remedy = (
                "See headscope --help." if error.code == "bad_option" else error.remedy
            )  # Python has no options to read about
            print(f"headscope: {error.message}\n{remedy}", file=sys.stderr)
            return 2
        return code


# ---------------------------------------------------------------- commands
def _window(arguments: argparse.Namespace) -> int:
    require_display()
    from headscope.gui.app import run_app

    return run_app(arguments.model, arguments.text)


def _predict(arguments: argparse.Namespace) -> int:
    if Path(arguments.model).suffix.lower() == ".gguf" and Path(arguments.model).is_file():
        from headscope.core.models.gguf.load import refuse_masks

        refuse_masks(Path(arguments.model))
    with progress_line() as job:
        model = _opened(arguments, job)
    (print_prediction_data if arguments.json else print_predictions)(predicted(model, arguments), arguments)
    return 0


def _generate(arguments: argparse.Namespace) -> int:
    with progress_line() as job:
        model = _opened(arguments, job)
    show: Callable[[str], None] = _ignore if arguments.json else _print_at_once
    text = model.chat(arguments.text, arguments.system) if arguments.chat else arguments.text
    if line := left_out(model):
        print(f"headscope: {line}", file=sys.stderr)
    written = steps_of(model, text, arguments)
    if model.info.family == "encoder-decoder":  # which writes a text of its own
        text = ""
    elif not arguments.chat:
        show(text)
    steps: list[dict[str, Any]] = []
    for step in written:
        added = step.text.removeprefix(text)
        show(added)
        text = step.text
        steps.append({"token": added or step.token.text, "probability": step.probability})
    if arguments.json:
        print_json({"model": arguments.model, "text": text, "steps": steps})
    else:
        print()
    return 0


def _capture(arguments: argparse.Namespace) -> int:
    from headscope.core.files.numbers import write_capture_npz

    _check_suffix(arguments.out, (".npz",))
    with progress_line() as job:
        record = captured(_opened(arguments, job), arguments, job)
        write_capture_npz(record, arguments.out, job=job)
    for kind in record.kinds:
        axis = record.axis(kind)
        shape = (len(record.kept_layers(kind)), record.n_heads(kind), len(axis.queries), len(axis.keys))
        print(f"{kind}_attention (layer, head, query, key): {' × '.join(map(str, shape))}")
    print_path(arguments)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    path, head = arguments.out, (arguments.layer, arguments.head)
    _check_suffix(path, PICTURES + DATA)
    with progress_line() as job:
        model = _opened(arguments, job)
        record = captured(model, arguments, job)
    kind = arguments.kind or record.kinds[0]
    if path.suffix.lower() in PICTURES:
        draw(record, kind, head, arguments)
    else:
        write(record, kind, head, path, model.info.name)
    print_path(arguments)
    return 0


def _sweep(arguments: argparse.Namespace) -> int:
    check(arguments)
    with progress_line() as job:
        model = _opened(arguments, job)
        found = swept(model, arguments, job)
    (print_sweep_data if arguments.json else print_sweep)(model, found, arguments)
    return 0


def _models(arguments: argparse.Namespace) -> int:
    from headscope.core.models.catalogue import catalogue

    entries = catalogue()
    if arguments.json:
        print_json({"models": [asdict(entry) for entry in entries]})
        return 0
    print_table([(entry.source, readable_bytes(entry.size), entry.description) for entry in entries])
    return 0


def _verify(arguments: argparse.Namespace) -> int:
    texts = arguments.text, arguments.pair, arguments.target
    with progress_line() as job:
        if arguments.quick:
            from headscope.core.forward.verify import verify

            report: Any = verify(_opened(arguments, job), *texts)
        else:
            from headscope.core.models.verify_outside import verify_outside

            options = {name: getattr(arguments, name) for name in ("revision", "device", "dtype")}
            report = verify_outside(arguments.model, *texts, **options, job=job)
    if arguments.json:
        print_json({"model": arguments.model, "passed": report.passed} | asdict(report))
    else:
        print(report)
    return 0 if report.passed else 1


def _train(arguments: argparse.Namespace) -> int:
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


# ---------------------------------------------------------------- what commands share
def _opened(arguments: argparse.Namespace, job: Job) -> Model:
    from headscope.core.models.load import load_model

    return load_model(arguments.model, revision=arguments.revision, device=arguments.device, dtype=arguments.dtype, job=job)


def _check_suffix(path: Path, known: tuple[str, ...]) -> None:
    """Before the model is loaded: nobody should wait for that to learn of a wrong name."""
    if path.suffix.lower() not in known:
        raise HeadscopeError("unknown_file_type", path=path, known=", ".join(known))


def _print_at_once(text: str) -> None:
    print(text.replace("\r\n", "\n").replace("\r", "␍"), end="", flush=True)


def _ignore(_: str) -> None:
    pass


# ---------------------------------------------------------------- arguments
class _Version(argparse.Action):
    """``--version``, looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version

        print(f"headscope {version('headscope')}")
        parser.exit()


def _text(argument: str) -> str:
    """Bytes of the command line that are no text become "�", which every tokenizer can read."""
    try:
        return os.fsencode(argument).decode("utf-8", errors="replace")
    except UnicodeEncodeError:  # halves of characters that no bytes stand for, from a caller in Python
        return argument.encode("utf-8", errors="replace").decode("utf-8")


def _count(least: int) -> Callable[[str], int]:
    def number(argument: str) -> int:
        if int(argument) < least:
            raise argparse.ArgumentTypeError(f"must be {least} or more, not {argument}")
        return int(argument)

    number.__name__ = "number"  # argparse says "invalid number value"
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="headscope",
        description="Look into the attention of transformers. Without a command, opens the window.",
        epilog="Models: toy:grammar, toy:tales, a folder, a .gguf file, or a Hugging Face name such as bert-base-uncased.\n"
        'Example: headscope --model toy:tales --text "once upon a time"',
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", nargs=0, action=_Version, help="print the version and exit")
    parser.add_argument("--model", help="model to open at start (default: toy:grammar)")
    parser.add_argument("--text", type=_text, help="text to run at start")
    parser.set_defaults(command=_window)
    commands = parser.add_subparsers(title="commands that need no window", metavar="COMMAND")
    _add_predict(commands)
    _add_generate(commands)
    _add_capture(commands)
    _add_export(commands)
    _add_sweep(commands)
    _add_others(commands)
    return parser


Commands = Any  # argparse keeps the type of its subparsers to itself


def _add_command(commands: Commands, name: str, run: Callable[[argparse.Namespace], int], what: str, example: str) -> Any:
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


def _add_model_and_text(parser: Any, *, pair: bool = True, target: bool = True) -> None:
    parser.add_argument("--model", required=True, help="a toy, a folder, a .gguf file or a Hugging Face name")
    parser.add_argument("--text", required=True, type=_text)
    if pair:
        parser.add_argument("--pair", type=_text, help="second text, for models that take pairs")
    if target:
        parser.add_argument("--target", type=_text, help="decoder text of an encoder-decoder model")
    parser.add_argument("--revision", help="branch, tag or commit of a Hugging Face model; same as NAME@REVISION")
    parser.add_argument(
        "--device", default="auto", help="cpu, cuda, mps, … or all (layers spread over several); default: the best available"
    )
    parser.add_argument("--dtype", default="auto", help="float32, bfloat16, float16, int8 or int4; default: what fits")


def _add_json(parser: Any) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON")


def _add_predict(commands: Commands) -> None:
    what = (
        "Predict masked words and whether --pair follows --text, the class of a text or pair, the tag of "
        "each token, or the answer to --text (the question) in --pair (the context)."
    )
    example = 'headscope predict --model toy:grammar --text "the keys of the cabinet [MASK] rusty ."'
    parser = _add_command(commands, "predict", _predict, what, example)
    _add_model_and_text(parser, target=False)
    parser.add_argument("--top-k", type=_count(1), default=5, help="candidates per prediction (default: 5)")
    _add_json(parser)


def _add_generate(commands: Commands) -> None:
    what = "Continue a text, token by token."
    example = 'headscope generate --model toy:tales --text "once upon a time" --max-new-tokens 60'
    parser = _add_command(commands, "generate", _generate, what, example)
    _add_model_and_text(parser, pair=False, target=False)
    cli_generation.add_options(parser, _count(1), _text)
    _add_json(parser)


def _add_capture(commands: Commands) -> None:
    what = "Write the attention weights of every head to an NPZ file."
    example = 'headscope capture --model toy:tales --text "once upon a time" --out tale.npz'
    parser = _add_command(commands, "capture", _capture, what, example)
    _add_model_and_text(parser)
    add_keep(parser)
    parser.add_argument("--out", required=True, type=Path, help="FILE.npz")


def _add_export(commands: Commands) -> None:
    what = "Write one head as a picture (png, svg, pdf) or as numbers (csv, npz)."
    example = 'headscope export --model toy:tales --text "once upon a time" --view links --layer 1 --head 0 --out head.svg'
    parser = _add_command(commands, "export", _export, what, example)
    _add_model_and_text(parser)
    parser.add_argument(
        "--view", choices=("heatmap", "links", "arcs"), default="heatmap", help="which picture (default: heatmap)"
    )
    parser.add_argument("--layer", required=True, type=int, help="from 0")
    parser.add_argument("--head", required=True, type=int, help="from 0")
    parser.add_argument("--kind", help="encoder, decoder or cross; default: the model's first")
    parser.add_argument("--dpi", type=_count(1), default=300, help="dots per inch of a PNG (default: 300)")
    add_keep(parser)
    parser.add_argument("--dark", action="store_true", help="use the dark theme")
    parser.add_argument("--out", required=True, type=Path, help="FILE.png, .svg, .pdf, .csv or .npz")


def _add_sweep(commands: Commands) -> None:
    what = "Change one thing at a time and list what harms the prediction most."
    example = 'headscope sweep --model toy:grammar --text "the keys of the cabinet [MASK] rusty ." --top 5'
    parser = _add_command(commands, "sweep", _sweep, what, example)
    _add_model_and_text(parser)
    cli_sweep.add_options(parser, _count(1), _text)
    _add_json(parser)


def _add_others(commands: Commands) -> None:
    parser = _add_command(commands, "models", _models, "List the models on this computer.", "headscope models --json")
    _add_json(parser)

    what = "Compare ids, weights, attention, predictions and text with plain transformers; exit code 1 if they differ."
    parser = _add_command(commands, "verify", _verify, what, 'headscope verify --model gpt2 --text "The capital of France is"')
    _add_model_and_text(parser)
    parser.add_argument(
        "--quick", action="store_true", help="only compare every captured head with the model's own eager attention"
    )
    _add_json(parser)

    what = "Train a toy model, or evaluate the trained one."
    parser = _add_command(commands, "train", _train, what, "headscope train grammar --evaluate")
    parser.add_argument("name", help="grammar or tales")
    parser.add_argument("--evaluate", action="store_true", help="evaluate only, on held-out sentences")
    parser.add_argument("--seed", type=int, help="random seed (default: the recipe's own)")
    parser.add_argument("--steps", type=_count(1), help="training steps (default: the recipe's own)")
    parser.add_argument("--out", type=Path, help="folder for the weights (default: NAME in the current folder)")
    _add_json(parser)
