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

_OWN = "as the model's own settings say"


def add_options(parser: Any, count: Callable[[str], int], text: Callable[[str], str]) -> None:
    """The options of generation; `count` reads a number from 1 on, `text` a text."""
    add = parser.add_argument
    add("--max-new-tokens", type=count, help=f"where to stop at the latest ({_OWN}, or {MOST_NEW_TOKENS})")
    add("--temperature", type=float, help=f"0 takes the most probable token each time ({_OWN}, or 0)")
    add("--top-k", type=int, help=f"draw among the k most probable; 0: among all ({_OWN}, or 0)")
    add("--top-p", type=float, help=f"draw among the most probable that make up p; 1: all ({_OWN}, or 1)")
    add("--min-p", type=float, help=f"draw among those at least p times as probable as the best; 0: all ({_OWN}, or 0)")
    add("--repetition-penalty", type=float, help=f"above 1: what was written comes less ({_OWN}, or 1)")
    add("--seed", type=int, default=0, help="the same seed draws the same (0)")
    add("--beams", type=count, help=f"follow so many texts and take the most probable ({_OWN}, or 1)")
    add("--length-penalty", type=float, help=f"of beams: above 1 prefers longer texts, below 1 shorter ones ({_OWN}, or 1)")
    add("--no-rule", action="append", metavar="NAME", help="leave out a rule of the model's own, such as no_repeat_ngram_size")
    add("--no-rules", action="store_true", help="leave out all of them")
    add("--source-language", type=text, help="what a multilingual model reads: a name, French, or its code, fr_XX")
    add("--target-language", type=text, help="what it is to write")
    add("--stop", action="append", type=text, help="end where this text ends; may be given several times")
    add("--chat", action="store_true", help="say --text to the model in its chat template")
    add("--system", type=text, default="", help="with --chat: what it is told before")


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
        raise HeadscopeError("bad_option", option="--beams", value=n_beams, expected="1 where tokens are drawn")
    *_, last = model.beam_search(text, n_beams=n_beams, length_penalty=arguments.length_penalty, **shared)
    return last.best.steps


def left_out(model: Model) -> str:
    """What of the model's own settings is not followed, in a line; "" if all is."""
    unsupported = model.info.generation.unsupported
    return f"not followed of the model's generation settings: {'; '.join(unsupported)}" if unsupported else ""
