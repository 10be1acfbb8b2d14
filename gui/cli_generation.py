"""What ``headscope generate`` can be told, and what it then writes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from headscope.core.errors import HeadscopeError
from headscope.core.options import MOST_NEW_TOKENS

if TYPE_CHECKING:
    from headscope.core.model import Model
    from headscope.core.predict.results import GenerationStep

_OWN = "default: the model's own setting"


def add_options(parser: Any, count: Callable[[str], int], text: Callable[[str], str]) -> None:
    """The options of generation; `count` reads a number from 1 on, `text` a text."""
    add = parser.add_argument
    add("--max-new-tokens", type=count, help=f"most tokens to generate ({_OWN}, or {MOST_NEW_TOKENS})")
    add("--temperature", type=float, help=f"0 always takes the most probable token ({_OWN}, or 0)")
    add("--top-k", type=int, help=f"sample from the k most probable tokens; 0: from all ({_OWN}, or 0)")
    add("--top-p", type=float, help=f"sample from the most probable tokens that make up p; 1: from all ({_OWN}, or 1)")
    add("--min-p", type=float, help=f"sample from tokens at least p times as probable as the best; 0: from all ({_OWN}, or 0)")
    add("--repetition-penalty", type=float, help=f"above 1: tokens already used become less likely ({_OWN}, or 1)")
    add("--seed", type=int, default=0, help="random seed (default: 0)")
    add("--beams", type=count, help=f"follow this many texts and take the most probable ({_OWN}, or 1)")
    add("--length-penalty", type=float, help=f"for beams: above 1 favours longer texts, below 1 shorter ones ({_OWN}, or 1)")
    add(
        "--no-rule",
        action="append",
        metavar="NAME",
        help="switch off one of the model's generation rules, such as no_repeat_ngram_size; may be repeated",
    )
    add("--no-rules", action="store_true", help="switch off all of them")
    add("--source-language", type=text, help="language that a multilingual model reads: its name (French) or code (fr_XX)")
    add("--target-language", type=text, help="language that it writes")
    add("--stop", action="append", type=text, help="stop after this text; may be repeated")
    add("--chat", action="store_true", help="wrap --text in the model's chat template")
    add("--system", type=text, default="", help="system prompt for --chat")


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
