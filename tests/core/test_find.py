"""Finding words in the tokens of a text: over their ends, in either case, in any script and units."""

import pytest

from headscope.core import load_model
from headscope.core.text.find import find_in
from headscope.core.text.tokens import Token, TokenAxis, Units
from headscope.core.text.units import axis_in_units


def cut(text: str, *pieces: str, second: str = "", second_pieces: tuple[str, ...] = ()) -> TokenAxis:
    """An axis with these pieces of its texts between [CLS] and [SEP]s, as BERT has them."""
    tokens = [Token("[CLS]", 1, special=True)]
    for segment, (whole, parts) in enumerate(((text, pieces), (second, second_pieces))):
        at = 0
        for piece in parts:
            start = whole.index(piece, at)
            at = start + len(piece)
            tokens.append(Token(piece, 10, start, at, segment))
        if parts:
            tokens.append(Token("[SEP]", 2, special=True, segment=segment))
    return TokenAxis(tuple(tokens), text, text_pair=second)


GOALS = cut(
    "the goal of a Goalkeeper is no goal\nof mine", "the", "goal", "of", "a", "Goal", "keeper", "is", "no", "goal", "of", "mine"
)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("goal", [[2], [5], [9]]),
        ("Goal", [[5]]),  # a capital: as it is written
        ("goal of", [[2, 3], [9, 10]]),  # a line end is a blank
        ("goal   of ", [[2, 3], [9, 10]]),
        ("oal o", [[2, 3], [9, 10]]),  # every token that it touches
        ("goalkeeper", [[5, 6]]),
        ("lk", [[5, 6]]),
        ("[sep]", [[12]]),
        ("a.b", []),  # no pattern
        (" ", []),
        ("", []),
    ],
)
def test_all_places(query: str, found: list[list[int]]) -> None:
    assert [list(places) for places in find_in(GOALS, query)] == found


def test_chinese_has_no_blanks_and_tokens_of_several_characters() -> None:
    axis = cut("我喜欢学习机器学习。", "我", "喜欢", "学", "习", "机器", "学习", "。")
    assert [list(places) for places in find_in(axis, "学习")] == [[3, 4], [6]]
    assert [list(places) for places in find_in(axis, "器学")] == [[5, 6]]


def test_both_texts_of_a_pair_and_nothing_across_them() -> None:
    axis = cut("who purrs", "who", "purrs", second="who sleeps", second_pieces=("who", "sleeps"))
    assert [list(places) for places in find_in(axis, "who")] == [[1], [4]]
    assert find_in(axis, "purrs who") == ()


def test_bytes_of_one_character_are_found_together() -> None:
    text = "a 🐈 b"
    tokens = (Token("a", 0, 0, 1), Token("<0xF0>", 1, 2, 3), Token("·", 2, 2, 3), Token("·", 3, 2, 3), Token("b", 4, 4, 5))
    assert [list(places) for places in find_in(TokenAxis(tokens, text), "🐈")] == [[1, 2, 3]]
    assert [list(places) for places in find_in(TokenAxis(tokens, text), "b")] == [[4]]


def test_tokens_without_a_text_are_found_by_their_labels() -> None:
    """Ids that somebody gave, and what a model has written."""
    axis = TokenAxis((Token("the", 0), Token("goal", 1), Token("·keeper", 2), Token("of", 3)))
    assert [list(places) for places in find_in(axis, "goalkeeper of")] == [[1, 2, 3]]


def test_units_are_found_whole() -> None:
    axis = load_model("toy:grammar").capture("the cat purrs . the dog barks .").axis("encoder").queries
    words, sentences = (axis_in_units(axis, Units(units)) for units in ("words", "sentences"))
    assert [words.labels[at] for places in find_in(words, "cat purrs") for at in places] == ["cat", "purrs"]
    assert [list(places) for places in find_in(sentences, "dog")] == [[2]]
    assert [list(places) for places in find_in(sentences, "the")] == [[1], [2]]


def test_a_written_text_is_found_beside_its_prompt() -> None:
    steps = list(load_model("toy:tales").generate("once upon a time", max_new_tokens=12))
    axis = steps[-1].record.axis("decoder").queries
    written = axis.tokens[5:8]
    assert all(token.generated for token in written)
    query = " ".join(token.text.removeprefix("·") for token in written)
    assert any(set(range(5, 8)) <= set(places) for places in find_in(axis, query))
