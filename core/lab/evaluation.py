"""How good a toy is, on sentences it was not trained on: what it predicts, and whether a head looks where the answer is.

Everything goes through the door that the window uses: text in, predictions and a record of attention out.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from headscope.core.errors import HeadscopeError
from headscope.core.lab.languages import tales
from headscope.core.lab.languages.grammar import Grammar, Sentence, verb_number
from headscope.core.lab.tasks import TASKS
from headscope.core.models.toy_model import ToyModel
from headscope.core.options import Sampling
from headscope.core.predict.generate import generate
from headscope.core.toy.tokenizer import MASK
from headscope.core.vocabulary import FloatArray

if TYPE_CHECKING:
    from headscope.core.attention.record import AttentionRecord

_BEGINNING = "once upon a time"
_TEMPERATURE = 1.0
_OBJECTS = frozenset(tales.OBJECTS)
_NAMES = frozenset(tales.MALE_NAMES + tales.FEMALE_NAMES)


@dataclass(frozen=True, slots=True)
class GrammarReport:
    """Scores of toy:grammar on held-out sentences: shares and weights from 0 to 1.

    Attributes
    ----------
    sentences : int
        Of each task.
    number_across_distractor : float
        How often the most probable word is a verb of the subject's number, with a noun of the other number between them.
    verb, verb_across_distractor, pronoun, name : float
        How often the most probable word is the one that was hidden ("verb": without such a noun). Verbs that fit as well as
        the hidden one count as wrong.
    next_sentence : float
        How often it is told rightly whether the second sentence follows.
    subject_head : str
        The head in which the verb's mask looks most at the subject across a distractor.
    subject_weight : float
        The mean weight of that look.
    """

    toy: str
    sentences: int
    number_across_distractor: float
    verb: float
    verb_across_distractor: float
    pronoun: float
    name: float
    next_sentence: float
    subject_head: str
    subject_weight: float


@dataclass(frozen=True, slots=True)
class TalesReport:
    """Scores of toy:tales: shares and weights from 0 to 1.

    Attributes
    ----------
    stories : int
        Drawn anew, for perplexity and heads; as many are written by the toy.
    grammatical_sentences : float
        Share among the sentences of the written stories: one greedy, the others drawn at temperature 1.
    finished_stories : float
        Share of the written stories that came to their end.
    perplexity : float
        Of the words of the stories drawn anew; 1 would be certainty.
    object_head, name_head : str
        The head that looks most at where an object (a name) was before, from the word before it comes again.
    object_weight, name_weight : float
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
    object_weight: float
    name_head: str
    name_weight: float
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
        Sentences of each task (500 if None), or stories (50).
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
    model = ToyModel(name, folder=folder, dtype="float32")
    return _grammar_report(model, n or 500, seed) if name == "grammar" else _tales_report(model, n or 50, seed)


# ---------------------------------------------------------------- grammar
def _grammar_report(model: ToyModel, n: int, seed: int) -> GrammarReport:
    grammar = Grammar(seed, held_out=True)
    across = [grammar.sentence("distractor") for _ in range(n)]
    guessed, looks = _guessed(model, across)
    number = _share(verb_number(guess) == verb_number(_hidden(each)) for guess, each in zip(guessed, across, strict=True))
    head, weight = _best(looks)
    pairs = [grammar.pair() for _ in range(n)]
    follows = (model.next_sentence(" ".join(pair.first), " ".join(pair.second)) > 0.5 for pair in pairs)
    return GrammarReport(
        toy=model.info.source,
        sentences=n,
        number_across_distractor=number,
        verb=_accuracy(model, grammar, "agreement", n),
        verb_across_distractor=_share(guess == _hidden(each) for guess, each in zip(guessed, across, strict=True)),
        pronoun=_accuracy(model, grammar, "pronoun", n),
        name=_accuracy(model, grammar, "name", n),
        next_sentence=_share(said == pair.follows for said, pair in zip(follows, pairs, strict=True)),
        subject_head=head,
        subject_weight=weight,
    )


def _accuracy(model: ToyModel, grammar: Grammar, task: str, n: int) -> float:
    sentences = [grammar.sentence(task) for _ in range(n)]
    guessed, _ = _guessed(model, sentences)
    return _share(guess == _hidden(sentence) for guess, sentence in zip(guessed, sentences, strict=True))


def _guessed(model: ToyModel, sentences: Sequence[Sentence]) -> tuple[list[str], list[FloatArray]]:
    """The most probable word where each sentence's target is hidden, and how much it looks at the cue in each head."""
    guessed, looks = [], []
    for sentence in sentences:
        words = [*sentence.words[: sentence.target], MASK, *sentence.words[sentence.target + 1 :]]
        result = model.run(" ".join(words), top_k=1)
        guessed.append(result.predictions[0].candidates[0].label)
        looks.append(_weights(result.record)[:, :, sentence.target + 1, sentence.cue + 1])  # behind [CLS]
    return guessed, looks


def _hidden(sentence: Sentence) -> str:
    return sentence.words[sentence.target]


# ---------------------------------------------------------------- tales
def _tales_report(model: ToyModel, n: int, seed: int) -> TalesReport:
    draw = random.Random(f"evaluation {seed}")  # a text, so that no training, which has a number, has read these stories
    losses: list[float] = []
    objects: list[FloatArray] = []
    names: list[FloatArray] = []
    for _ in range(n):
        encoded, _ = model.encode(tales.story(draw))
        record, output = model.observe(encoded)
        following = output.logits[0].log_softmax(-1)  # (n_tokens, vocabulary)
        (end,) = model.tokenizer.end_ids
        losses += [-float(row[next_id]) for row, next_id in zip(following, (*encoded.ids[1:], end), strict=True)]
        weights, words = _weights(record), encoded.axis.labels
        objects += _looks_back(weights, words, _OBJECTS)
        names += _looks_back(weights, words, _NAMES)
    written = [
        _written(model, Sampling(temperature=_TEMPERATURE if number else 0.0, seed=seed + number)) for number in range(n)
    ]
    sentences = [sentence for story, _ in written for sentence in tales.sentences_of(story)]
    object_head, object_weight = _best(objects)
    name_head, name_weight = _best(names)
    return TalesReport(
        toy=model.info.source,
        stories=n,
        grammatical_sentences=_share(map(tales.is_grammatical, sentences)),
        finished_stories=_share(finished for _, finished in written),
        perplexity=round(math.exp(sum(losses) / len(losses)), 4),
        object_head=object_head,
        object_weight=object_weight,
        name_head=name_head,
        name_weight=name_weight,
        sample=written[0][0],
    )


def _looks_back(weights: FloatArray, words: Sequence[str], wanted: frozenset[str]) -> list[FloatArray]:
    """Where a wanted word comes again: the weight, in each head, of the look from the word before it to where it was before."""
    looks = []
    for place, word in enumerate(words):
        earlier = [at for at in range(place) if words[at] == word]
        if word in wanted and earlier:
            looks.append(weights[:, :, place - 1, earlier].sum(-1))
    return looks


def _written(model: ToyModel, sampling: Sampling) -> tuple[str, bool]:
    """A story of the toy, and whether it ended of itself and not for want of positions."""
    *_, last = generate(model, _BEGINNING, max_new_tokens=model.module.config.max_tokens, sampling=sampling, top_k=1)
    return last.text, last.token.id in model.tokenizer.end_ids


# ---------------------------------------------------------------- what both share
def _weights(record: AttentionRecord) -> FloatArray:
    """Every head: float32 (n_layers, n_heads, n_queries, n_keys)."""
    (kind,) = record.kinds
    return np.stack([record.layer_weights(layer, kind) for layer in range(record.n_layers(kind))])


def _best(looks: Sequence[FloatArray]) -> tuple[str, float]:
    """The head with the largest mean of (n_layers, n_heads) arrays, and that mean."""
    mean = np.mean(looks, axis=0)
    layer, head = map(int, np.unravel_index(mean.argmax(), mean.shape))
    return f"layer {layer}, head {head}", round(float(mean[layer, head]), 4)


def _share(outcomes: Iterable[bool]) -> float:
    found = list(outcomes)
    return round(sum(found) / len(found), 4)
