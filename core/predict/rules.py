"""Rules of generation at work: what each does at one place of a text, asked of transformers' own logits processors.

A processor is shown a row of equal scores, and what it made of them is the rule's effect there (`RuleEffect`), which can then
be applied to any scores: to a step's logits, to a beam's log-probabilities, and again in the window under a moved slider.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import torch

from headscope.core.errors import HeadscopeError, reason_of
from headscope.core.options import CUTS, ORDER, Rule
from headscope.core.predict.rule_effects import RuleEffect, penalty

if TYPE_CHECKING:
    from headscope.core.forward.base import BaseModel
    from headscope.core.options import Languages
    from headscope.core.text.tokenizer import Encoded

_NONE: Final = np.empty(0, np.int64)
_SHOWN: Final = -1.0
"""The score of every token that a processor is shown; negative, since a rule may be about a score's size."""


@dataclass(frozen=True, slots=True)
class Place:
    """What rules need to know of a generation.

    Attributes
    ----------
    source : tuple of int
        Ids of what the model reads: the prompt, or an encoder-decoder's source.
    n_prompt : int
        Tokens that stand before the first new one on the side that is written.
    max_length : int
        The most tokens on that side.
    end_ids : frozenset of int
    processor : callable
        See `BaseModel.rule_processor`.
    """

    source: tuple[int, ...]
    n_prompt: int
    max_length: int
    end_ids: frozenset[int]
    processor: Callable[[str], Any]


class RulesAtWork:
    """The rules of one generation.

    Parameters
    ----------
    rules : sequence of Rule
        In any order.
    place : Place

    Raises
    ------
    HeadscopeError
        ``bad_option`` for a value that a rule cannot have; `effects` too, where only the vocabulary's size shows it.
    """

    def __init__(self, rules: Sequence[Rule], place: Place) -> None:
        self._place = place
        self._rules = sorted(rules, key=lambda rule: ORDER.index(rule.name))
        names = {rule.name for rule in rules}
        self._begin = place.n_prompt + int(place.n_prompt == 1 and "forced_bos_token_id" in names)
        self._processors = {rule.name: self._made(rule) for rule in self._rules if rule.name in _MAKERS}
        self._kept: dict[str, RuleEffect | None] = {}  # of rules that do the same everywhere

    def effects(self, written: Sequence[int], n_vocabulary: int) -> tuple[RuleEffect, ...]:
        """What each rule does to the token after `written`; those that do nothing there are left out."""
        found = [self._effect(rule, written, n_vocabulary) for rule in self._rules]
        return tuple(effect for effect in found if effect is not None)

    def _made(self, rule: Rule) -> Any:
        needs_end = rule.name in ("min_length", "min_new_tokens", "exponential_decay_length_penalty")
        if needs_end and not self._place.end_ids:  # nothing ends a text: as transformers, which makes none either
            return None
        return _understood(rule, lambda: _MAKERS[rule.name](rule.value, self._place, self._begin))

    def _effect(self, rule: Rule, written: Sequence[int], n_vocabulary: int) -> RuleEffect | None:
        name: Any = rule.name
        if name == "encoder_repetition_penalty":
            factor = _understood(rule, lambda: 1 / float(rule.value))
            return penalty(name, self._place.source, factor, n_vocabulary)
        if name == "remove_invalid_values":
            return RuleEffect(name, "finite", _NONE, np.asarray(0.0)) if rule.value is True else None
        if name == "renormalize_logits":
            return RuleEffect(name, "normalise", _NONE, np.asarray(0.0)) if rule.value is True else None
        if name in CUTS:
            return RuleEffect(name, "cut", _NONE, np.asarray(_share(rule)))
        if name in self._kept:
            return self._kept[name]
        processor = self._processors[name]
        if processor is None:
            return None
        ids = torch.tensor([written], dtype=torch.long)
        scores = torch.full((1, n_vocabulary), _SHOWN, dtype=torch.float64)
        after = _understood(rule, lambda: processor(ids, scores))[0].numpy()
        effect = _read(name, after)
        if name == "suppress_tokens":
            self._kept[name] = effect
        return effect


def _read(name: Any, after: np.ndarray[Any, Any]) -> RuleEffect | None:
    """The effect that a processor had on a row of equal scores."""
    changed = np.flatnonzero(after != _SHOWN)
    if not len(changed):
        return None
    if name in ("forced_bos_token_id", "forced_eos_token_id"):
        return RuleEffect(name, "only", np.flatnonzero(after == 0), np.asarray(0.0))
    if name == "sequence_bias":
        return RuleEffect(name, "add", changed, after[changed] - _SHOWN)
    if name == "exponential_decay_length_penalty":
        return RuleEffect(name, "lengthen", changed, after[changed] - _SHOWN)
    return RuleEffect(name, "strike", changed, np.asarray(0.0))


def _understood(rule: Rule, make: Callable[[], Any]) -> Any:
    """What `make` makes; what transformers says about a value that a rule cannot have, as a sentence of ours."""
    try:
        return make()
    except (ValueError, TypeError, IndexError, KeyError, AttributeError, ArithmeticError, RuntimeError) as error:
        shown = str(rule.value)[:40]
        raise HeadscopeError("bad_option", option=rule.name, value=shown, expected=f"valid ({reason_of(error)})") from None


def _share(rule: Rule) -> float:
    if isinstance(rule.value, bool) or not isinstance(rule.value, int | float) or not 0 < rule.value <= 1:
        raise HeadscopeError("bad_option", option=rule.name, value=str(rule.value)[:40], expected="above 0 and at most 1")
    return float(rule.value)


# ---------------------------------------------------------------- transformers' processors, by what they are made from
_Maker = Callable[[Any, Place, int], Any]


def _ends(place: Place) -> list[int]:
    return sorted(place.end_ids)


def _ids(value: Any) -> Any:
    """An id, or a list of ids."""
    return list(value) if isinstance(value, tuple) else value


_MAKERS: Final[dict[str, _Maker]] = {
    "sequence_bias": lambda value, place, __: place.processor("sequence_bias")(
        [[list(sequence), float(bias)] for sequence, bias in value]
    ),
    "no_repeat_ngram_size": lambda value, place, __: place.processor("no_repeat_ngram_size")(value),
    "encoder_no_repeat_ngram_size": lambda value, place, _: place.processor("encoder_no_repeat_ngram_size")(
        value, torch.tensor([place.source], dtype=torch.long)
    ),
    "bad_words_ids": lambda value, place, _: place.processor("bad_words_ids")(
        [list(word) for word in value], _ends(place) or None
    ),
    "min_length": lambda value, place, _: place.processor("min_length")(value, _ends(place)),
    "min_new_tokens": lambda value, place, _: place.processor("min_new_tokens")(place.n_prompt, value, _ends(place)),
    "forced_bos_token_id": lambda value, place, __: place.processor("forced_bos_token_id")(_ids(value)),
    "forced_eos_token_id": lambda value, place, _: place.processor("forced_eos_token_id")(place.max_length, _ids(value)),
    "exponential_decay_length_penalty": lambda value, place, _: place.processor("exponential_decay_length_penalty")(
        value, _ends(place), place.n_prompt
    ),
    "suppress_tokens": lambda value, place, __: place.processor("suppress_tokens")(value),
    "begin_suppress_tokens": lambda value, place, begin: place.processor("begin_suppress_tokens")(value, begin),
}


# ---------------------------------------------------------------- of a model
def rules_of(model: BaseModel, rules: Sequence[Rule] | None, languages: Languages | None) -> tuple[Rule, ...]:
    """The rules of a generation: those of the model's own settings if none are given; a target language is a first token.

    Raises
    ------
    HeadscopeError
        ``no_languages``, ``unknown_language``.
    """
    chosen = model.info.generation.rules if rules is None else tuple(rules)
    if languages is None or languages.target is None:
        return chosen
    first = model.first_token_of(languages.target)
    if first is None:
        return chosen
    others = tuple(rule for rule in chosen if rule.name != "forced_bos_token_id")
    word = model.tokenizer.candidate(first)[1]
    return tuple(sorted((*others, Rule("forced_bos_token_id", first, (word,))), key=lambda rule: ORDER.index(rule.name)))


def effects_of_own(
    model: BaseModel, source: Encoded, target: Encoded | None, n_vocabulary: int, languages: Languages | None
) -> tuple[RuleEffect, ...]:
    """What the model's own rules would do to the next token of a text that it has read, if it went on from there."""
    rules = rules_of(model, None, languages)
    if not rules:
        return ()
    written = source if target is None else target
    n_prompt = len(written.ids) if target is None else 1
    most = n_prompt + model.info.generation.new_tokens(n_prompt)
    place = Place(source.ids, n_prompt, max(most, len(written.ids) + 1), model.tokenizer.end_ids, model.rule_processor)
    return RulesAtWork(rules, place).effects(written.ids, n_vocabulary)
