"""Words of every script, whatever pieces a tokenizer cuts them into; and the sums and means over them, by hand."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import transformers as hf

from headscope.core import wrap_model
from headscope.core.models.hub.tokenizer import HubTokenizer
from headscope.core.text.editing import masked
from headscope.core.text.tokens import Units, visible
from headscope.core.text.units import axis_in_units, word_boundaries
from tests import allowed
from tests.make_tokenizer import make_tokenizer
from tests.tiny_tokenizers import byte_fallback

WORDS = Units("words", "hidden")
TOKENIZERS: dict[str, Callable[[], HubTokenizer]] = {
    "bytes, one each": lambda: HubTokenizer(make_tokenizer("gpt2", whole=True)),
    "bytes, trimmed": lambda: HubTokenizer(make_tokenizer("roberta", whole=True)),
    "bytes of unknown letters": byte_fallback,
    "bytes without a fast version": lambda: HubTokenizer(make_tokenizer("byt5")),
}


@cache
def built(name: str) -> HubTokenizer:
    return TOKENIZERS[name]()


TEXTS = {
    "नमस्ते दुनिया": ["नमस्ते", "दुनिया"],
    "한국어를 배우다": ["한국어를", "배우다"],
    "ㅎㅏㄴ \u1112\u1161\u11ab": ["ㅎㅏㄴ", "\u1112\u1161\u11ab"],
    "cafe\u0301s au lait": ["cafe\u0301s", "au", "lait"],
    "Z\u0351\u036f\u0300a\u0334lgo": ["Z\u0351\u036f\u0300a\u0334lgo"],
    "it's can’t l'eau": ["it's", "can’t", "l'eau"],
    "well-known": ["well", "-", "known"],
    "3,141.59 and 1.000": ["3,141.59", "and", "1.000"],
    "snake_case": ["snake_case"],
    "👩\u200d👩\u200d👧 👍🏽 🇫🇷🇩🇪": ["👩\u200d👩\u200d👧", "👍🏽", "🇫🇷", "🇩🇪"],
    "שָׁלוֹם עולם": ["שָׁלוֹם", "עולם"],
    "مـرحبا بِكَ": ["مـرحبا", "بِكَ"],
    "人工智能": ["人", "工", "智", "能"],
    "カタカナ と": ["カタカナ", "と"],
    "สวัสดีครับ ไทย": ["สวัสดีครับ", "ไทย"],
    "ພາສາລາວ ດີ": ["ພາສາລາວ", "ດີ"],
    "ភាសាខ្មែរ ល្អ": ["ភាសាខ្មែរ", "ល្អ"],
    "မြန်မာဘာသာ ကောင်း": ["မြန်မာဘာသာ", "ကောင်း"],
    "(the) cat.": ["(", "the", ")", "cat", "."],
    "Straße ﬁne İstanbul": ["Straße", "ﬁne", "İstanbul"],
    "a\u00a0b\tc": ["a", "b", "c"],
    "a\u202fb a\u3000b a\u2028b": ["a", "b"] * 3,  # the first is no blank to the annex
    "தமிழ் மொழி": ["தமிழ்", "மொழி"],
    "ซื้อiPhone": ["ซื้อ", "iPhone"],
    "ක්\u200dරීඩාව හොඳයි": ["ක්\u200dරීඩාව", "හොඳයි"],
    "می\u200cخواهم بروم": ["می\u200cخواهم", "بروم"],
}


def shown(labels: tuple[str, ...]) -> list[str]:
    """Without the blanks that are tokens of their own."""
    return [label for label in labels if label.strip("␣⇥⏎ ")]


@pytest.mark.parametrize("name", TOKENIZERS)
@pytest.mark.parametrize(("text", "expected"), TEXTS.items(), ids=map(ascii, TEXTS))
def test_a_word_is_a_word_in_whatever_pieces_it_comes(name: str, text: str, expected: list[str]) -> None:
    axis = built(name).encode(text).axis
    read = axis_in_units(axis, WORDS)
    assert read.pieces is not None
    found = [label for label, pieces in zip(read.labels, read.pieces, strict=True) if not _is_blank(axis, pieces, text)]
    assert found == expected


def _is_blank(axis: Any, pieces: range, text: str) -> bool:
    return not text[axis.tokens[pieces.start].start : axis.tokens[pieces.stop - 1].end].strip()


MARKED = {
    "தமிழ் மொழி ஆய்வு": ["தமிழ்", "மொழி", "ஆய்வு"],
    "العَرَبِيَّةُ لُغَةٌ": ["العَرَبِيَّةُ", "لُغَةٌ"],
    "the cafe\u0301, the": ["the", "cafe\u0301", ",", "the"],
    "か\u3099 \u1112\u1161\u11ab\u1100\u1173\u11af \u1102\u1169\u11af": [
        "か\u3099",
        "\u1112\u1161\u11ab\u1100\u1173\u11af",
        "\u1102\u1169\u11af",
    ],
    "❤\ufe0f\u200d🔥 ok": ["❤\ufe0f\u200d🔥", "ok"],
}


@pytest.mark.parametrize("kind", ["bert", "deberta-v2", "xlm-roberta"])
@pytest.mark.parametrize(("text", "words"), MARKED.items(), ids=map(ascii, MARKED))
def test_a_mark_that_the_tokenizer_strips_or_composes_stays_on_its_word(kind: str, text: str, words: list[str]) -> None:
    """Offsets end in front of it: the last token of each is then still called, and masked, as it is written."""
    tokenizer = HubTokenizer(make_tokenizer(kind))
    axis = tokenizer.encode(text).axis
    assert "".join(shown(axis_in_units(axis, WORDS).labels)) == visible("".join(words))
    tokens = [at for at, token in enumerate(axis.tokens) if not token.special and token.start < token.end]
    assert masked(axis, tokens[-1], "", text).strip() == text[: axis.tokens[tokens[-1]].start].strip()
    assert visible(words[-1]).endswith(axis.tokens[tokens[-1]].text.removeprefix("·"))


def test_a_mark_of_the_second_text_is_not_looked_for_in_the_first() -> None:
    axis = HubTokenizer(make_tokenizer("openai-gpt")).encode("Ω", "  the cafe\u0301 \ud55c\uae00\u0300  ").axis
    words = axis_in_units(axis, WORDS)
    assert sum(map(len, words.pieces or ())) == len(axis)
    assert "cafe\u0301" in words.labels


def test_a_boundary_inside_a_token_splits_nothing() -> None:
    """A vocabulary may have `cat-` or a pair of words as one token."""
    from tests.core.test_reading import labelled

    axis = labelled("wellknown-cat life", "well", "known-cat", "life")
    assert axis_in_units(axis, WORDS).labels == ("wellknown-cat", "life")


@pytest.mark.parametrize("pair", [None, "कैफ़े दुनिया cafe\u0301s"])
def test_the_second_text_of_a_pair_has_words_too(pair: str | None) -> None:
    tokenizer = HubTokenizer(make_tokenizer("roberta", whole=True))
    axis = tokenizer.encode("नमस्ते दुनिया", pair).axis
    labels = shown(axis_in_units(axis, WORDS).labels)
    assert labels == ["नमस्ते", "दुनिया", *(pair.split() if pair else [])]


def test_bytes_that_a_model_writes_one_by_one_join_their_word() -> None:
    tokenizer = byte_fallback()
    axis = tokenizer.encode("the").axis
    ids, text = tuple(token.id for token in axis.tokens), axis.text
    for new_id in [token.id for token in tokenizer.encode("the caf人").axis.tokens][len(ids) :]:
        token, text = tokenizer.continuation(ids, new_id, text)
        ids = (*ids, new_id)
        axis = type(axis)((*axis.tokens, token), text)
    assert text == "the caf人"
    assert any(token.text.startswith("<0x") for token in axis.tokens)
    assert shown(axis_in_units(axis, WORDS).labels) == ["the", "caf", "人"]


def test_sums_and_means_over_words_are_those_by_hand() -> None:
    tokenizer = make_tokenizer("gpt2", whole=True)
    config = hf.GPT2Config(vocab_size=len(tokenizer), n_positions=128, n_embd=32, n_layer=2, n_head=2)
    text = "नमस्ते दुनिया cafe\u0301s 人工"
    with wrap_model(hf.GPT2LMHeadModel(config).eval(), tokenizer) as model:
        record = model.capture(text)
        read = record.in_units(Units("words"))
        weights, words = record.attention_weights(1, 1), read.attention_weights(1, 1)
    axis = record.axis("decoder").queries
    ends = [0, *sorted(at for at in word_boundaries(text) if at > 0)]
    spans = list(pairwise(ends))
    of_word = [[at for at, token in enumerate(axis.tokens) if start <= token.start < end] for start, end in spans]
    by_hand = np.array([[weights[np.ix_(rows, columns)].sum(1).mean() for columns in of_word] for rows in of_word])
    assert words.shape == by_hand.shape
    np.testing.assert_allclose(words, by_hand, atol=allowed.of_sums())
    np.testing.assert_allclose(words.sum(1), 1, atol=allowed.of_sums())
