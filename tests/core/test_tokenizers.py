"""Tokenizers of every kind: what a token is called, which text it stands for, and the way back from tokens to text."""

from collections.abc import Callable

import pytest

from headscope.core.models.hub.tokenizer import HubTokenizer
from headscope.core.text.editing import masked, with_candidate
from headscope.core.text.tokenizer import TextTokenizer, shares
from headscope.core.text.tokens import visible
from tests.tiny_tokenizers import byte_fallback, byte_level, unigram, word_piece

Build = Callable[[], HubTokenizer]


def labels(tokenizer: TextTokenizer, text: str) -> list[str]:
    return [token.text for token in tokenizer.encode(text).axis.tokens if not token.special]


def ids(tokenizer: TextTokenizer, text: str) -> list[int]:
    return [token.id for token in tokenizer.encode(text).axis.tokens if not token.special]


# ---------------------------------------------------------------- how tokens are shown
@pytest.mark.parametrize(
    ("build", "text", "expected"),
    [
        (word_piece, "The playing cat .", ["The", "play", "·ing", "cat", "."]),
        (word_piece, "人工the", ["人", "工", "the"]),
        (byte_level, "the cat", ["the", "cat"]),
        (byte_level, "cat", ["cat"]),
        (byte_level, "the tea", ["the", "␣", "t", "·e", "·a"]),
        (byte_level, "👩", ["👩₁", "👩₂", "👩₃", "👩₄"]),
        (byte_level, "é 人", ["é", "␣", "人₁", "人₂", "人₃"]),
        (byte_level, "a\n\n\tb", ["a", "⏎", "⏎", "⇥", "b"]),
        (byte_fallback, "the cat", ["the", "␣", "c", "·a", "·t"]),
        (byte_fallback, "人the", ["␣", "人₁", "人₂", "人₃", "t", "·h", "·e"]),
        (unigram, "the cat sat", ["the", "cat", "␣", "s", "·a", "·t"]),
        (unigram, "人工 the", ["␣", "人工", "the"]),
    ],
)
def test_a_token_is_called_as_it_is_written(build: Build, text: str, expected: list[str]) -> None:
    assert labels(build(), text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("a b", "a b"),
        ("   ", "␣␣␣"),
        ("a\r\n\tb", "a⏎⏎⇥b"),
        ("\0\x1b\x7f\x85", "␀␛␡·"),
        ("\u2028\u00a0\u3000", "⏎␣␣"),
        ("\u202eab\u2066\ufeff\u00ad", "·ab···"),
        ("\ud83d", "\ufffd"),
        ("\uffff\U000aabcd", "\ufffd\ufffd"),
        ("\u0301", "◌\u0301"),
        ("e\u0301", "e\u0301"),
        ("👩\u200d👧", "👩\u200d👧"),
        ("\u200d", "·"),
    ],
    ids=ascii,
)
def test_what_cannot_be_seen_is_made_visible(text: str, expected: str) -> None:
    assert visible(text) == expected


def test_a_piece_of_the_unknown_is_marked_and_numbered() -> None:
    tokens = [token for token in unigram().encode("the 👩 cat").axis.tokens if token.unknown]
    assert [(token.text, token.start, token.end) for token in tokens] == [("👩", 4, 5)]


# ---------------------------------------------------------------- the way back
@pytest.mark.parametrize("build", [byte_level, byte_fallback])
@pytest.mark.parametrize(
    "text",
    [
        "the cat sat",
        "人工智能 the",
        "a 👩 人 é the",
        "🇫🇷👩\u200d👩\u200d👧👦👧👦👧👦",
        "the.\n\nThe cat",
        "人" * 30 + "the",
        "the  cat",
        "x" * 40,
    ],
    ids=ascii,
)
def test_text_written_token_by_token_is_the_text(build: Build, text: str) -> None:
    tokenizer = build()
    written = tuple(token.id for token in tokenizer.encode("").axis.tokens[:1])
    whole, seen = "", 0
    for new_id in ids(tokenizer, text):
        token, longer = tokenizer.continuation(written, new_id, whole)
        assert longer.startswith(whole)
        assert token.generated
        assert seen <= token.start <= token.end == len(longer)
        assert "\ufffd" not in longer
        whole, seen, written = longer, token.end, (*written, new_id)
    assert whole == text


def test_word_pieces_are_joined_as_they_are_written() -> None:
    tokenizer = word_piece()
    whole, written = "", ()
    for new_id in ids(tokenizer, "the cat playing"):
        _, whole = tokenizer.continuation(written, new_id, whole)
        written = (*written, new_id)
    assert whole == "the cat playing"


@pytest.mark.parametrize(
    ("build", "label"), [(byte_level, "<0xF0>"), (byte_fallback, "<0xF0>")], ids=["byte level", "byte fallback"]
)
def test_a_part_of_a_character_is_shown_as_its_byte(build: Build, label: str) -> None:
    tokenizer = build()
    first = next(id_ for id_ in ids(tokenizer, "👩") if tokenizer.candidate(id_)[1].startswith("<0x"))
    assert tokenizer.candidate(first)[1] == label
    token, whole = tokenizer.continuation((), first, "the")
    assert (token.text, whole) == (label, "the")


def test_a_blank_that_adds_nothing_is_shown_as_one() -> None:
    tokenizer = byte_fallback()
    blank = ids(tokenizer, "人")[0]
    token, whole = tokenizer.continuation((), blank, "")
    assert (token.text, whole) == ("␣", "")


def test_an_end_token_adds_no_text() -> None:
    tokenizer = byte_level()
    (end,) = tokenizer.end_ids
    token, whole = tokenizer.continuation(tuple(ids(tokenizer, "the")), end, "the")
    assert (token.text, token.special, whole) == ("</s>", True, "the")


# ---------------------------------------------------------------- candidates
@pytest.mark.parametrize(
    ("build", "text", "expected"),
    [
        (word_piece, "the", [(" the", "the")]),
        (word_piece, "playing", [(" play", "play"), ("ing", "·ing")]),
        (word_piece, "人.", [("人", "人"), (".", ".")]),
        (byte_level, "the cat", [("the", "·the"), (" cat", "cat")]),
        (byte_fallback, " the", [(" ", "␣"), (" the", "the")]),
        (unigram, "cat", [(" cat", "cat")]),
    ],
)
def test_a_candidate_is_text_that_can_be_put_in(build: Build, text: str, expected: list[tuple[str, str]]) -> None:
    tokenizer = build()
    assert [tokenizer.candidate(id_) for id_ in ids(tokenizer, text)] == expected


@pytest.mark.parametrize("build", [word_piece, byte_level, byte_fallback, unigram])
def test_every_id_and_more_is_a_candidate_that_can_be_drawn(build: Build) -> None:
    tokenizer = build()
    for id_ in range(400):
        _, label = tokenizer.candidate(id_)
        assert label
        assert label.isprintable()


@pytest.mark.parametrize(
    ("build", "text"),
    [
        (word_piece, "the cat playing."),
        (word_piece, "(the cat)"),
        (word_piece, "人工"),
        (lambda: byte_level("<mask>"), "the cat the"),
    ],
    ids=["words", "brackets", "Chinese", "bytes"],
)
def test_a_token_that_is_masked_and_filled_with_itself_gives_the_text_again(build: Build, text: str) -> None:
    tokenizer = build()
    axis = tokenizer.encode(text).axis
    for position, token in enumerate(axis.tokens):
        if token.special or token.text.startswith("·"):
            continue
        hidden = masked(axis, position, tokenizer.mask_token, text)
        again = tokenizer.encode(hidden).axis
        (at,) = again.masks
        filled = with_candidate(again, at, tokenizer.candidate(token.id)[0], hidden)
        assert filled == text


def test_a_mask_can_be_typed_in_both_ways_and_offsets_are_of_what_was_typed() -> None:
    tokenizer = byte_level("<mask>")
    text = "the [MASK] cat <mask> [MASK] the"
    axis = tokenizer.encode(text).axis
    assert [text[axis.tokens[at].start : axis.tokens[at].end] for at in axis.masks] == ["[MASK]", "<mask>", "[MASK]"]
    assert [axis.tokens[at].text for at in axis.masks] == ["<mask>"] * 3
    assert text[axis.tokens[-2].start : axis.tokens[-2].end] == "the"


# ---------------------------------------------------------------- pairs and length
def test_each_token_of_a_pair_points_into_its_own_text() -> None:
    for build in (word_piece, byte_level, byte_fallback, unigram):
        texts = ("the cat", "cat the")
        tokens = [token for token in build().encode(*texts).axis.tokens if token.start >= 0]
        assert {token.segment for token in tokens} == {0, 1}
        for token in tokens:
            if token.text.isalpha():
                assert texts[token.segment][token.start : token.end] == token.text


@pytest.mark.parametrize(
    ("n_first", "n_second", "room", "expected"),
    [
        (3, 4, 10, (3, 4)),
        (3, 40, 10, (3, 7)),
        (40, 3, 10, (7, 3)),
        (40, 40, 10, (5, 5)),
        (40, 40, 11, (5, 6)),
        (9, 0, 4, (4, 0)),
        (5, 5, 0, (0, 0)),
    ],
)
def test_the_longer_text_is_cut_first(n_first: int, n_second: int, room: int, expected: tuple[int, int]) -> None:
    assert shares(n_first, n_second, room) == expected


@pytest.mark.parametrize("build", [word_piece, byte_level, byte_fallback, unigram])
def test_what_is_kept_is_the_beginning_and_what_is_dropped_is_counted(build: Build) -> None:
    tokenizer = build()
    text = "the cat " * 20
    whole = tokenizer.encode(text)
    cut = tokenizer.encode(text, max_tokens=12)
    assert len(cut.ids) == 12
    assert cut.axis.dropped == len(whole.ids) - 12
    kept = [token for token in cut.axis.tokens if not token.special]
    assert kept == [token for token in whole.axis.tokens if not token.special][: len(kept)]
    assert cut.axis.dropped_from == kept[-1].end
    assert whole.axis.dropped_from == len(text)
    pair = tokenizer.encode("the cat", text, max_tokens=16)
    assert len(pair.ids) == 16
    assert pair.axis.dropped == len(tokenizer.encode("the cat", text).ids) - 16
    assert pair.axis.dropped_from == len("the cat")


def test_the_decoders_side_is_cut_in_the_same_way() -> None:
    tokenizer = unigram()
    whole = tokenizer.target("the cat sat", 0)
    cut = tokenizer.target("the cat sat", 0, max_tokens=3)
    assert [token.text for token in cut.axis.tokens] == ["<pad>", "the", "cat"]
    assert (cut.axis.dropped, cut.axis.dropped_from) == (len(whole.ids) - 3, len("the cat"))
    assert tokenizer.target("", 0).ids == tokenizer.target(None, 0).ids == (0,)


def test_a_limit_in_the_tokenizers_own_file_does_not_cut_in_silence() -> None:
    tokenizer = word_piece()
    inner = tokenizer._tokenizer
    inner.backend_tokenizer.enable_truncation(4)
    inner.backend_tokenizer.enable_padding(length=9)
    assert labels(HubTokenizer(inner), "the cat the cat the") == ["the", "cat", "the", "cat", "the"]


def test_a_pair_is_two_texts_for_people_and_for_the_model_if_its_tokenizer_says_so() -> None:
    for build, type_ids in ((word_piece, [0, 0, 0, 1, 1]), (byte_level, [0, 0, 0, 0, 0])):
        encoded = build().encode("the", "cat")
        assert [token.segment for token in encoded.axis.tokens] == [0, 0, 0, 1, 1]
        assert [token.type_id for token in encoded.axis.tokens] == type_ids
        assert encoded.segments == tuple(type_ids)
        assert encoded.ids == tuple(token.id for token in encoded.axis.tokens)
