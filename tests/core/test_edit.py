"""Texts changed by their tokens."""

import pytest

from headscope.core.predict.results import Candidate
from headscope.core.text.editing import masked, with_candidate
from headscope.core.text.tokens import Token, TokenAxis


def axis_of(text: str, *words: str, segment: int = 0) -> TokenAxis:
    """[CLS], then the words where they stand in the text."""
    tokens = [Token("[CLS]", 0, special=True)]
    at = 0
    for word in words:
        at = text.index(word, at)
        tokens.append(Token(word, 1, at, at + len(word), segment, masked=word == "[MASK]"))
        at += len(word)
    return TokenAxis(tuple(tokens), text)


def candidate(text: str) -> Candidate:
    return Candidate(text, text.strip(), 7, 0.5)


@pytest.mark.parametrize(
    ("text", "words", "position", "expected"),
    [
        ("the cat  sat", ("the", "cat", "sat"), 2, "the [MASK]  sat"),
        ("playing", ("play", "ing"), 2, "play[MASK]"),
        ("人工智能", ("人", "工", "智", "能"), 2, "人[MASK]智能"),
        ("the cat", ("the", "cat"), 0, "the cat"),
    ],
)
def test_a_mask_stands_where_the_token_stood(text: str, words: tuple[str, ...], position: int, expected: str) -> None:
    assert masked(axis_of(text, *words), position, "[MASK]", text) == expected


@pytest.mark.parametrize(
    ("text", "words", "filled"),
    [
        ("the [MASK] sat", " cat", "the cat sat"),
        ("the  [MASK]  sat", " cat", "the  cat  sat"),
        ("the[MASK] sat", " cat", "the cat sat"),
        ("[MASK] sat", " cat", "cat sat"),
        ("a (so-[MASK]) cat", " called", "a (so-called) cat"),
        ("play [MASK] .", "ing", "playing ."),
        ("人工[MASK]能", "智", "人工智能"),
        ("the end [MASK]", "。", "the end。"),
        ("CC(=O)[MASK]CC", "O", "CC(=O)OCC"),
        ("[MASK]", "ing", "ing"),
    ],
)
def test_a_candidate_takes_the_place_of_the_mask(text: str, words: str, filled: str) -> None:
    assert with_candidate(axis_of(text, "[MASK]"), 1, words, text) == filled


@pytest.mark.parametrize(
    ("text", "word", "expected"),
    [("once upon", " a", "once upon a"), ("once ", " upon", "once upon"), ("", " Once", "Once"), ("walk", "ing", "walking")],
)
def test_one_past_the_end_the_text_goes_on(text: str, word: str, expected: str) -> None:
    axis = axis_of(text, *text.split())
    assert with_candidate(axis, len(axis), word, text) == expected


def test_what_stands_for_no_text_is_not_replaced() -> None:
    assert with_candidate(axis_of("the cat", "the", "cat"), 0, " a", "the cat") == "the cat"


def test_a_token_of_the_pair_points_into_the_pair() -> None:
    pair = "it [MASK] rusty"
    axis = axis_of(pair, "it", "[MASK]", "rusty", segment=1)
    assert with_candidate(axis, 2, " was", pair) == "it was rusty"
