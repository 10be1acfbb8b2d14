"""The language of toy:tales: generated stories whose names, objects and pronouns come back, so that attention has to look back.

A story is one template from each stage. The same templates, read as patterns, tell whether a sentence belongs to the language.
"""

from __future__ import annotations

import random
import re
from functools import cache

VERSION = 1

_MALE = ["king", "prince", "boy", "farmer", "wizard", "fox", "bear", "rabbit"]
_FEMALE = ["queen", "princess", "girl", "baker", "witch", "cat", "mouse", "owl"]
MALE_NAMES = ["Tom", "Jack", "Leo", "Ben", "Hugo", "Finn", "Oscar", "Max"]
FEMALE_NAMES = ["Mia", "Rosa", "Lily", "Ella", "Nora", "Ruby", "Anna", "Clara"]
_PRONOUNS = {"m": ("he", "him", "his"), "f": ("she", "her", "her")}
OBJECTS = ["ball", "crown", "ring", "lamp", "book", "hat", "key", "flower", "cup", "kite"]


def _a(noun: str) -> str:
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


# What may stand in a place of a template, for those that are drawn for the whole story.
_CHOICES: dict[str, list[str]] = {
    "trait": ["brave", "clever", "kind", "lazy", "tiny", "lonely", "cheerful", "curious"],
    "place": ["forest", "castle", "village", "cave", "garden", "valley", "tower", "meadow"],
    "colour": ["red", "golden", "blue", "green", "silver", "white", "black"],
    "object": OBJECTS,
    "day": ["one day", "one morning", "one night", "one evening", "one rainy day", "one winter day"],
    "hidden": [
        "under a bed", "behind a tree", "inside a box", "under a stone", "near the river", "at the top of a hill", "behind the door",
        "in a deep hole",
    ],
    "sad": ["sad", "worried", "very sad"],
    "glad": ["happy", "proud", "very happy"],
}  # fmt: skip
_CHOICES["other_trait"] = _CHOICES["trait"]

_BEGINNING = [
    "once upon a time there was a {trait} {kind} named {name} .",
    "once upon a time , in a {place} far away , there lived a {trait} {kind} called {name} .",
    "once upon a time a {trait} {kind} named {name} lived in a {place} .",
    "long ago there was {a_kind} named {name} , who was very {trait} .",
    "there once was a {trait} {kind} whose name was {name} .",
]
_TREASURE = [
    "{name} had a {colour} {object} that {she} loved more than anything .",
    "{she} had a {colour} {object} and took it everywhere .",
    "every day {name} played with {her} {colour} {object} .",
    "{her} favourite thing was a {colour} {object} .",
]
_LOST = [
    ["{day} {name} could not find the {object} .", "{day} the {colour} {object} was gone .",
     "{day} {name} lost the {colour} {object} in the {place} .", "but {day} a thief stole the {object} ."],
    ["{name} was {sad} and began to cry .", "{she} looked everywhere , but {she} could not find it .",
     '" where is my {object} ? " cried {name} .', '" oh no , my {colour} {object} ! " said {name} .'],
    ["then {name} met a {other_trait} {friend_kind} named {friend} .", "{a_friend_kind} named {friend} heard {him} and came to help .",
     "on the road {she} met {friend} the {friend_kind} ."],
    ['" i will help you find your {object} , " said {friend} .',
     '" why are you so sad ? " asked {friend} . " i lost my {object} , " said {name} .',
     '{friend} said , " do not cry , {name} . we will look together . "'],
    ["they looked in the {place} and found the {colour} {object} {hidden} .",
     "together they searched all day . at last {friend} found the {object} {hidden} .",
     "{friend} looked {hidden} , and there was the {colour} {object} !"],
    ["{name} was {glad} and thanked {friend} .", '" thank you , {friend} ! " said {name} .', "{name} hugged {friend} and gave {friend_him} a cake ."],
]  # fmt: skip
_SHARED = [
    ["{day} {name} met a {other_trait} {friend_kind} named {friend} in the {place} .", "{day} {a_friend_kind} named {friend} came to the {place} ."],
    ["{friend} was {other_trait} and had nothing to play with .", '" what a nice {object} ! " said {friend} .',
     '" may i see your {colour} {object} ? " asked {friend} .'],
    ["{name} gave the {object} to {friend} , and {friend} smiled .", '" you can play with my {object} , " said {name} .',
     "at first {name} said no , but then {she} felt sorry and shared the {object} ."],
    ["{friend} and {name} played with the {colour} {object} until the sun went down .", "the next day {friend} brought {name} a cake .",
     "{friend} was {glad} and so was {name} ."],
]  # fmt: skip
_LAST = ["from that day {name} and {friend} were best friends .", "{name} and {friend} went home together and had supper ."]
_LAST_LOST = [*_LAST, "{name} never lost the {object} again ."]
_LAST_SHARED = [*_LAST, "{name} learned that sharing is good ."]
_EVER_AFTER = "and they lived happily ever after ."
_THE_END = "the end ."
_MOST_MARKS = 7
"""Full stops, question, exclamation and quotation marks in the template that has most of them."""


def story(draw: random.Random) -> str:
    """One story, words and marks separated by blanks."""
    values = {place: draw.choice(choices) for place, choices in _CHOICES.items()}
    values["other_trait"] = draw.choice([trait for trait in _CHOICES["trait"] if trait != values["trait"]])
    hero, friend = draw.choice("mf"), draw.choice("mf")
    kind, name = draw.choice(_MALE if hero == "m" else _FEMALE), draw.choice(MALE_NAMES if hero == "m" else FEMALE_NAMES)
    friend_kind = draw.choice([other for other in (_MALE if friend == "m" else _FEMALE) if other != kind])
    friend_name = draw.choice([other for other in (MALE_NAMES if friend == "m" else FEMALE_NAMES) if other != name])
    values |= {"kind": kind, "a_kind": _a(kind), "name": name, "friend": friend_name, "friend_kind": friend_kind}
    values["a_friend_kind"] = _a(friend_kind)
    values["she"], values["him"], values["her"] = _PRONOUNS[hero]
    values["friend_him"] = _PRONOUNS[friend][1]
    is_lost = draw.random() < 0.6
    stages = [_BEGINNING, _TREASURE, *(_LOST if is_lost else _SHARED), _LAST_LOST if is_lost else _LAST_SHARED]
    sentences = [draw.choice(stage) for stage in stages]
    if draw.random() < 0.25:
        sentences[-1] = _EVER_AFTER
    elif draw.random() < 0.4:
        sentences.append(_THE_END)
    return " ".join(sentences).format(**values)


def words() -> list[str]:
    """Every word of the language, sorted."""
    templates = " ".join(template for template in _templates())
    slots = [value for place in re.findall(r"\{(\w+)\}", templates) for value in _fillers(place)]
    return sorted(set(" ".join([re.sub(r"\{\w+\}", " ", templates), *slots]).split()))


def is_grammatical(sentence: str) -> bool:
    """Whether a sentence (words and marks separated by blanks) is one that a story can hold."""
    return _pattern().fullmatch(sentence) is not None


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, grammatical or not.

    Each is the longest that the templates know; where they know none, what goes up to the next full stop. What is left at
    the end, unfinished, is not one.
    """
    ends = [mark.end() for mark in re.finditer(r"[.!?\"](?= |$)", text)]
    found, at = [], 0
    while later := [end for end in ends if end > at]:
        known = [end for end in later[:_MOST_MARKS] if is_grammatical(text[at:end])]
        stop = next((end for end in later if text[end - 1] != '"'), later[-1])
        end = max(known, default=stop)
        found.append(text[at:end].strip())
        at = end + 1
    return found


def _templates() -> list[str]:
    stages = [_BEGINNING, _TREASURE, *_LOST, *_SHARED, _LAST_LOST, _LAST_SHARED, [_EVER_AFTER, _THE_END]]
    return list(dict.fromkeys(template for stage in stages for template in stage))


def _fillers(place: str) -> list[str]:
    kinds, names = _MALE + _FEMALE, MALE_NAMES + FEMALE_NAMES
    drawn = {"kind": kinds, "friend_kind": kinds, "name": names, "friend": names}
    drawn |= {"a_kind": [_a(kind) for kind in kinds], "a_friend_kind": [_a(kind) for kind in kinds]}
    drawn |= {"she": ["he", "she"], "him": ["him", "her"], "her": ["his", "her"], "friend_him": ["him", "her"]}
    return {**_CHOICES, **drawn}[place]


@cache
def _pattern() -> re.Pattern[str]:
    """Any template, with any filler in each of its places."""
    alternatives = []
    for template in _templates():
        parts = re.split(r"\{(\w+)\}", template)
        pattern = "".join(
            "(?:" + "|".join(map(re.escape, _fillers(part))) + ")" if index % 2 else re.escape(part)
            for index, part in enumerate(parts)
        )
        alternatives.append(pattern)
    return re.compile("|".join(alternatives))
