"""How good a toy is, on sentences it was not trained on: what it predicts, and whether a head looks where the answer is.

Everything goes through the door that the window uses: text in, predictions and a record of attention out.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headscope.core.errors import HeadscopeError
from headscope.core.jobs import FloatArray, Kind, Sampling
from headscope.core.models.toy_model import ToyModel
from headscope.core.predict.generate import generate
from headscope.core.toy import tales
from headscope.core.toy.grammar import Grammar, Sentence, verb_number
from headscope.core.toy.tasks import TASKS
from headscope.core.toy.tokenizer import END, MASK

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_BEGINNING = "once upon a time"
_STORY_TEMPERATURE = 0.7
_NOUNS = frozenset(tales.OBJECTS)
_NAMES = frozenset(tales.MALE_NAMES + tales.FEMALE_NAMES)


@dataclass(frozen=True, slots=True)
class GrammarReport:
    """Scores of toy:grammar, 0 to 1, on held-out sentences.

    Attributes
    ----------
    sentences : int
        Of each task.
    verb_number_across_distractor : float
        How often the most probable word is a verb of the subject's number, with a noun of the other number between them.
    verb, pronoun, name : float
        How often the most probable word is the right one.
    next_sentence : float
    cue_head : str
        Of the heads, the one in which the mask looks most at the word that decides it, over all tasks.
    cue_head_weight : float
        The mean weight of that look.
    subject_head, subject_head_weight
        The same for the subject across a distractor alone.
    """

    toy: str
    sentences: int
    verb_number_across_distractor: float
    verb: float
    pronoun: float
    name: float
    next_sentence: float
    cue_head: str
    cue_head_weight: float
    subject_head: str
    subject_head_weight: float


@dataclass(frozen=True, slots=True)
class TalesReport:
    """Scores of toy:tales.

    Attributes
    ----------
    stories : int
        Drawn anew for perplexity and heads, and written by the toy.
    grammatical_sentences : float
        Share among the sentences of the written stories: one greedy, the others drawn at temperature 0.7.
    finished_stories : float
        Share of written stories that end of themselves.
    perplexity : float
        Of the words of the stories drawn anew; 1 would be a certain guess each time.
    object_head, name_head : str
        The head that looks most, from the word before a repeated object (name), at where it was before.
    object_head_weight, name_head_weight : float
        The mean weight of that look.
    sample : str
        The greedy story.
    """

    toy: str
    stories: int
    grammatical_sentences: float
    finished_stories: float
    perplexity: float
    object_head: str
    object_head_weight: float
    name_head: str
    name_head_weight: float
    sample: str


def evaluate(name: str, folder: Path | None = None, *, n: int | None = None, seed: int = 0) -> GrammarReport | TalesReport:
    """Measure a toy.

    Parameters
    ----------
    name : str
        "grammar" or "tales", with or without ``toy:``.
    folder : Path or None
        Where `train` wrote it; None: the shipped weights.
    n : int or None
        Sentences of each task, or stories; None: 500 and 50.
    seed : int
        Which ones.

    Raises
    ------
    HeadscopeError
        ``unknown_toy``.
    """
    name = name.removeprefix("toy:")
    if name not in TASKS:
        raise HeadscopeError("unknown_toy", name=name, known=", ".join(TASKS))
    model = ToyModel(name, folder=folder, device="cpu", dtype="float32")
    return _grammar_report(model, n or 500, seed) if name == "grammar" else _tales_report(model, n or 50, seed)


# ---------------------------------------------------------------- grammar
def _grammar_report(model: ToyModel, n: int, seed: int) -> GrammarReport:
    grammar = Grammar(seed, held_out=True)
    right: dict[str, float] = {}
    looks: dict[str, FloatArray] = {}
    for task in ("distractor", "agreement", "pronoun", "name"):
        sentences = [grammar.sentence(task) for _ in range(n)]
        answers = [_answer(model, sentence) for sentence in sentences]
        right[task] = _share(word == sentence.words[sentence.target] for (word, _), sentence in zip(answers, sentences, strict=True))
        looks[task] = np.mean([look for _, look in answers], axis=0)
        if task == "distractor":
            right["number"] = _share(
                verb_number(word) == verb_number(sentence.words[sentence.target])
                for (word, _), sentence in zip(answers, sentences, strict=True)
            )
    pairs = [grammar.pair() for _ in range(n)]
    follows = _share((model.next_sentence(" ".join(pair.first), " ".join(pair.second)) > 0.5) == pair.follows for pair in pairs)
    cue_head, cue_weight = _best_head(np.mean(list(looks.values()), axis=0))
    subject_head, subject_weight = _best_head(looks["distractor"])
    return GrammarReport(
        model.info.source, n, right["number"], (right["distractor"] + right["agreement"]) / 2, right["pronoun"], right["name"],
        follows, cue_head, cue_weight, subject_head, subject_weight,
    )  # fmt: skip
