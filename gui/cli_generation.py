"""What ``headscope generate`` can be told, and what it then writes."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from headscope.core.errors import HeadscopeError

if TYPE_CHECKING:
    from headscope.core.models.loaded import LoadedModel
    from headscope.core.results import GenerationStep


def add_options(parser: Any, count: Callable[[str], int], text: Callable[[str], str]) -> None:
    """The options of generation; `count` reads a number from 1 on, `text` a text."""
    add = parser.add_argument
    add("--max-new-tokens", type=count, default=40, help="where to stop at the latest (40)")
    add("--temperature", type=float, default=0.0, help="0 takes the most probable token each time (0)")
    add("--top-k", type=int, default=0, help="draw among the k most probable; 0: among all (0)")
    add("--top-p", type=float, default=1.0, help="draw among the most probable that make up p; 1: all (1)")
    add("--min-p", type=float, default=0.0, help="draw among those at least p times as probable as the best; 0: all (0)")
    add("--repetition-penalty", type=float, default=1.0, help="above 1: what was written comes less (1)")
    add("--seed", type=int, default=0, help="the same seed draws the same (0)")
    add("--beams", type=count, default=1, help="follow so many texts and take the most probable (1)")
    add("--stop", action="append", type=text, help="end where this text ends; may be given several times")
    add("--chat", action="store_true", help="say --text to the model in its chat template")
    add("--system", type=text, default="", help="with --chat: what it is told before")


def steps_of(model: LoadedModel, text: str, arguments: argparse.Namespace) -> Iterable[GenerationStep]:
    """Of the generation, one by one as they come; of the winner, once a beam search has ended.

    Raises
    ------
    HeadscopeError
        As `LoadedModel.generate`, at once.
    """
    max_new_tokens, stop = arguments.max_new_tokens, arguments.stop or ()
    if arguments.beams == 1:
        return model.generate(
            text,
            max_new_tokens=max_new_tokens,
            stop=stop,
            temperature=arguments.temperature,
            top_k=arguments.top_k,
            top_p=arguments.top_p,
            min_p=arguments.min_p,
            repetition_penalty=arguments.repetition_penalty,
            seed=arguments.seed,
        )
    if arguments.temperature:
        raise HeadscopeError("bad_option", option="--beams", value=arguments.beams, expected="1 where tokens are drawn")
    *_, last = model.beam_search(
        text,
        n_beams=arguments.beams,
        max_new_tokens=max_new_tokens,
        repetition_penalty=arguments.repetition_penalty,
        stop=stop,
    )
    return last.best.steps
