"""The language of toy:grammar: generated English in which each hidden word is decided by one other word that can be pointed at.

Three tasks for masked words and one for pairs of sentences:

* agreement: "the keys of the cabinet [MASK] rusty ." The verb agrees with the subject, not with the noun beside it.
* pronoun: "Lucy lost a kite because [MASK] was tired ." The pronoun follows the subject (four classes, so none is a silent default).
* name: "Tom and Lucy went to the park . Tom gave the kite to [MASK] ." The receiver is the other one (Wang et al. 2022 call this
  indirect object identification).
* next sentence: "Tom lost the red kite ." is followed by a sentence about the kite, or about something else.

Some verbs belong to one noun (dogs bark, cats purr): with nothing but number to tell apart, heads learn to speak for one class and
to stay silent for the other.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass

VERSION = 1

_ANIMATE = {
    "boy": "boys", "girl": "girls", "cat": "cats", "dog": "dogs", "bird": "birds", "teacher": "teachers", "doctor": "doctors",
    "farmer": "farmers", "king": "kings", "queen": "queens", "child": "children", "horse": "horses", "rabbit": "rabbits", "fox": "foxes",
}  # fmt: skip
_OWN_VERB = {
    "boy": ("plays", "play"), "girl": ("sings", "sing"), "cat": ("purrs", "purr"), "dog": ("barks", "bark"), "bird": ("flies", "fly"),
    "teacher": ("teaches", "teach"), "doctor": ("heals", "heal"), "farmer": ("plants", "plant"), "king": ("rules", "rule"),
    "queen": ("commands", "command"), "child": ("cries", "cry"), "horse": ("gallops", "gallop"), "rabbit": ("hops", "hop"),
    "fox": ("hunts", "hunt"),
}  # fmt: skip
_THING = {
    "key": "keys", "cabinet": "cabinets", "door": "doors", "window": "windows", "lamp": "lamps", "chair": "chairs", "table": "tables",
}  # fmt: skip
_TRANSITIVE = [("sees", "see"), ("likes", "like"), ("helps", "help"), ("follows", "follow")]
_ANIMATE_STATES = ["happy", "tired", "hungry", "late"]
_THING_STATES = ["rusty", "old", "broken", "clean"]
_NEAR = ["near", "behind", "beside"]
_PLACES = ["garden", "park", "house", "school", "kitchen", "forest", "river", "market"]
_COLOURS = ["red", "blue", "green", "black", "white", "yellow"]
_OBJECTS = ["car", "ball", "hat", "book", "box", "cup", "kite", "boat"]
MEN = ["Tom", "John", "Peter", "David", "Sam", "Ben", "Max", "Leo"]
WOMEN = ["Mary", "Anna", "Lucy", "Emma", "Sara", "Kate", "Lily", "Rose"]
_SUBJECT_PRONOUNS = ["he", "she", "it", "they"]
_POSSESSIVES = ["his", "her", "its", "their"]
_FUNCTION_WORDS = [
    "the",
    "a",
    "and",
    "is",
    "are",
    "was",
    "were",
    "that",
    "in",
    "of",
    "to",
    "went",
    "gave",
    "lost",
    "bought",
    "saw",
    "because",
    "so",
    "took",
    "opened",
    "found",
    "liked",
    "looked",
    "for",
    "put",
    "showed",
    "friend",
    "wanted",
    "new",
    ".",
]


@dataclass(frozen=True, slots=True)
class Sentence:
    """Words, the index of the one that can be hidden, the index of the one that decides it, and the task."""

    words: tuple[str, ...]
    target: int
    cue: int
    task: str


@dataclass(frozen=True, slots=True)
class SentencePair:
    """Two sentences, whether the second follows the first, and the index of the object in each."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    follows: bool
    objects: tuple[int, int]


def words() -> list[str]:
    """Every word of the language, sorted."""
    pairs = [*_OWN_VERB.values(), *_TRANSITIVE]
    found = {*_ANIMATE, *_ANIMATE.values(), *_THING, *_THING.values(), *(form for pair in pairs for form in pair)}
    found.update(_ANIMATE_STATES, _THING_STATES, _NEAR, _PLACES, _COLOURS, _OBJECTS, MEN, WOMEN)
    return sorted(found.union(_SUBJECT_PRONOUNS, _POSSESSIVES, _FUNCTION_WORDS))


def verb_number(word: str) -> str | None:
    """ "singular" or "plural" for a verb of the language, else None."""
    for singular, plural in [("is", "are"), *_OWN_VERB.values(), *_TRANSITIVE]:
        if word in (singular, plural):
            return "singular" if word == singular else "plural"
    return None


def is_held_out(sentence: tuple[str, ...]) -> bool:
    """One sentence in eight is never trained on; which ones depends on the words alone, so no test sentence can leak."""
    return zlib.crc32(" ".join(sentence).encode()) % 8 == 0


class Grammar:
    """Draws sentences.

    Parameters
    ----------
    seed : int
    held_out : bool
        Draw only from the held-out sentences, or only from the others.
    """

    def __init__(self, seed: int, *, held_out: bool = False) -> None:
        self._random = random.Random(seed)
        self._held_out = held_out

    def sentence(self, task: str | None = None) -> Sentence:
        """A sentence of `task` ("agreement", "distractor", "pronoun", "name"; a distractor is an agreement across a noun of the other
        number), or of any."""
        makers = [self._agreement, self._agreement, self._pronoun, self._name]
        if task is not None:
            makers = [
                {"agreement": self._agreement, "distractor": self._agreement, "pronoun": self._pronoun, "name": self._name}[
                    task
                ]
            ]
        while True:
            drawn = self._random.choice(makers)()
            if is_held_out(drawn.words) == self._held_out and task in (None, drawn.task):
                return drawn

    def pair(self) -> SentencePair:
        """Two sentences; half the time the second is about another object."""
        while True:
            drawn = self._pair()
            if is_held_out((*drawn.first, *drawn.second)) == self._held_out:
                return drawn

    # ---------------------------------------------------------------- masked words
    def _agreement(self) -> Sentence:
        draw = self._random
        plural, other_plural = draw.random() < 0.5, draw.random() < 0.5
        nouns = _THING if draw.random() < 0.35 else _ANIMATE
        noun, other = draw.sample(list(nouns), 2)
        subject = ["the", nouns[noun] if plural else noun]
        distractor = ["the", nouns[other] if other_plural else other]
        shape = draw.random()
        if nouns is _THING:
            between = [draw.choice(["of", "of", *_NEAR]), *distractor] if shape < 0.75 else []
        elif shape < 0.3:
            between = [draw.choice(_NEAR), *distractor]
        elif shape < 0.55:
            between = ["that", draw.choice(_TRANSITIVE)[plural], *distractor]
        elif shape < 0.75:
            between = ["that", *distractor, draw.choice(_TRANSITIVE)[other_plural]]
        else:
            between = []
        start = [*subject, *between]
        if nouns is _ANIMATE and draw.random() < 0.8:
            end = [_OWN_VERB[noun][plural]]
        else:
            end = [("is", "are")[plural], draw.choice(_THING_STATES if nouns is _THING else _ANIMATE_STATES)]
        place = ["in", "the", draw.choice(_PLACES)] if draw.random() < 0.4 else []
        task = "distractor" if between and other_plural != plural else "agreement"
        return Sentence((*start, *end, *place, "."), len(start), 1, task)

    def _pronoun(self) -> Sentence:
        draw = self._random
        which = draw.randrange(4)
        animals = ["dog", "cat", "bird", "horse", "rabbit", "fox"]
        subject = [
            [draw.choice(MEN)],
            [draw.choice(WOMEN)],
            ["the", draw.choice(animals)],
            ["the", draw.choice(list(_ANIMATE.values()))],
        ][which]
        event = draw.choice([
            ["lost", "a", draw.choice(_OBJECTS)],
            ["went", "to", "the", draw.choice(_PLACES)],
            ["found", "a", draw.choice(_COLOURS), draw.choice(_OBJECTS)],
            ["saw", "the", draw.choice(list(_ANIMATE))],
        ])  # fmt: skip
        start = [*subject, *event]
        if draw.random() < 0.5:
            start.append(draw.choice(["because", "and", "so"]))
            was = "were" if which == 3 else "was"
            end = draw.choice([[was, "happy"], [was, "tired"], ["liked", "the", draw.choice(_OBJECTS)]])
            hidden = _SUBJECT_PRONOUNS[which]
        else:
            start += ["and", draw.choice(["took", "opened", "found"])]
            end = [draw.choice(_OBJECTS)]
            hidden = _POSSESSIVES[which]
        return Sentence((*start, hidden, *end, "."), len(start), len(subject) - 1, "pronoun")

    def _name(self) -> Sentence:
        draw = self._random
        one, two = draw.sample(MEN + WOMEN, 2)
        start = [one, "and", two, "went", "to", "the", draw.choice(_PLACES), "."]
        first_gives = draw.random() < 0.5
        giver, receiver = (one, two) if first_gives else (two, one)
        start += [giver, "gave", "the", draw.choice(_OBJECTS), "to"]
        return Sentence((*start, receiver, "."), len(start), 2 if first_gives else 0, "name")

    # ---------------------------------------------------------------- next sentence
    def _pair(self) -> SentencePair:
        draw = self._random
        who, thing = draw.choice(MEN + WOMEN), draw.choice(_OBJECTS)
        follows = draw.random() < 0.5
        # The pronoun always fits, so that nothing but the object can give the answer away.
        later = thing if follows else draw.choice([other for other in _OBJECTS if other != thing])
        pronoun = "he" if who in MEN else "she"
        colour, place = draw.choice(_COLOURS), draw.choice(_PLACES)
        first = [who, *draw.choice([["lost", "the"], ["bought", "a"], ["wanted", "a"]]), colour, thing, "."]
        second = draw.choice([
            [pronoun, "looked", "for", "the", later, "in", "the", place, "."],
            ["the", later, "was", "clean", "and", "new", "."],
            [pronoun, "put", "the", later, "in", "the", place, "."],
            [pronoun, "showed", "the", later, "to", "a", "friend", "."],
        ])  # fmt: skip
        return SentencePair(tuple(first), tuple(second), follows, (first.index(thing), second.index(later)))
