"""``headscope generate``: continues a text, token by token."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from headscope.core.cli.options import add_command, add_json, add_model_and_text, count, opened, text
from headscope.core.cli.terminal import print_json, progress_line
from headscope.core.errors import HeadscopeError
from headscope.core.options import MOST_NEW_TOKENS

if TYPE_CHECKING:
    from headscope.core.model import Model
    from headscope.core.predict.results import GenerationStep

_OWN = "default: the model's own setting"


def add(commands: Any) -> None:
    """The command and its options."""
    what = "Continue a text, token by token."
    example = 'headscope generate --model toy:tales --text "once upon a time" --max-new-tokens 60'
    parser = add_command(commands, "generate", _run, what, example)
    add_model_and_text(parser, pair=False, target=False)
    add_generation_options(parser)
    add_json(parser)


def add_generation_options(parser: Any) -> dict[str, Any]:
    """How a text is continued; `steps_of` reads them. Answers what each is where it is not given."""
    defaults: dict[str, Any] = {}

    def option(*names: str, **how: Any) -> None:
        action = parser.add_argument(*names, **how)
        defaults[action.dest] = action.default

    option("--max-new-tokens", type=count(1), help=f"most tokens to generate ({_OWN}, or {MOST_NEW_TOKENS})")
    option("--temperature", type=float, help=f"0 always takes the most probable token ({_OWN}, or 0)")
    option("--top-k", type=int, help=f"sample from the k most probable tokens; 0: from all ({_OWN}, or 0)")
    option("--top-p", type=float, help=f"sample from the most probable tokens that make up p; 1: from all ({_OWN}, or 1)")
    option(
        "--min-p", type=float, help=f"sample from tokens at least p times as probable as the best; 0: from all ({_OWN}, or 0)"
    )
    option("--repetition-penalty", type=float, help=f"above 1: tokens already used become less likely ({_OWN}, or 1)")
    option("--seed", type=int, default=0, help="random seed (default: 0)")
    option("--beams", type=count(1), help=f"follow this many texts and take the most probable ({_OWN}, or 1)")
    option("--length-penalty", type=float, help=f"for beams: above 1 favours longer texts, below 1 shorter ones ({_OWN}, or 1)")
    option(
        "--no-rule",
        action="append",
        metavar="NAME",
        help="switch off one of the model's generation rules, such as no_repeat_ngram_size; may be repeated",
    )
    option("--no-rules", action="store_true", help="switch off all of them")
    option("--source-language", type=text, help="language that a multilingual model reads: its name (French) or code (fr_XX)")
    option("--target-language", type=text, help="language that it writes")
    option("--stop", action="append", type=text, help="stop after this text; may be repeated")
    option("--chat", action="store_true", help="wrap --text in the model's chat template")
    option("--system", type=text, default="", help="system prompt for --chat")
    return defaults


def _run(arguments: argparse.Namespace) -> int:
    with progress_line() as job:
        model = opened(arguments, job)
    show: Callable[[str], None] = _ignore if arguments.json else _print_at_once
    text = continued_text(model, arguments)
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


def _print_at_once(text: str) -> None:
    print(text.replace("\r\n", "\n").replace("\r", "␍"), end="", flush=True)


def _ignore(_: str) -> None:
    pass


def continued_text(model: Model, arguments: argparse.Namespace) -> str:
    """What is continued: the text, or the chat that it begins."""
    return model.chat(arguments.text, arguments.system) if arguments.chat else arguments.text


def steps_of(model: Model, text: str, arguments: argparse.Namespace) -> Iterable[GenerationStep]:
    """Of the generation, one by one as they come; of the winner, once a beam search has ended.

    Raises
    ------
    HeadscopeError
        As `Model.generate`, at once.
    """
    own = model.info.generation
    rules = () if arguments.no_rules else own.rules_without(frozenset(arguments.no_rule or ()))
    shared: dict[str, Any] = {
        "max_new_tokens": arguments.max_new_tokens,
        "stop": arguments.stop,
        "rules": rules,
        "repetition_penalty": arguments.repetition_penalty,
        "source_language": arguments.source_language,
        "target_language": arguments.target_language,
    }
    draws = bool(arguments.temperature)
    n_beams = arguments.beams or (1 if draws else own.beams.n_beams)
    if n_beams == 1:
        drawing = {name: getattr(arguments, name) for name in ("temperature", "top_k", "top_p", "min_p", "seed")}
        return model.generate(text, **shared, **drawing)
    if draws:
        raise HeadscopeError("bad_option", option="--beams", value=n_beams, expected="1 when tokens are sampled")
    *_, last = model.beam_search(text, n_beams=n_beams, length_penalty=arguments.length_penalty, **shared)
    return last.best.steps


def left_out(model: Model) -> str:
    """What of the model's own settings is not followed, in a line; "" if all is."""
    unsupported = model.info.generation.unsupported
    return f"unsupported generation settings of the model: {'; '.join(unsupported)}" if unsupported else ""
