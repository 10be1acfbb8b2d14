"""Tokenizers without a fast version: ids as transformers' own call gives them, and characters that are really those of a token."""

from __future__ import annotations

import unicodedata
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import transformers as hf

from headscope.core import load_model, wrap_model
from headscope.core.errors import HeadscopeError
from headscope.core.models.hub.piece_alignment import align
from headscope.core.models.hub.tokenizer import HubTokenizer, read_tokenizer
from tests.core.test_token_spans import FILLS, TEXTS
from tests.golden.every_family import every_family
from tests.golden.families import built
from tests.make_tokenizer import make_tokenizer

KINDS = [
    "bert-generation",
    "bertweet",
    "biogpt",
    "blenderbot-small",
    "byt5",
    "canine",
    "cpmant",
    "ctrl",
    "esm",
    "flaubert",
    "fsmt",
    "gpt-sw3",
    "gpt_neox_japanese",
    "m2m_100",
    "marian",
    "perceiver",
    "phobert",
    "plbart",
    "prophetnet",
    "roc_bert",
    "xlm",
]
FAMILIES = {family.name: family for family in every_family()}


@cache
def both(kind: str) -> tuple[Any, HubTokenizer]:
    return make_tokenizer(kind), HubTokenizer(make_tokenizer(kind))


def plain(text: str) -> str:
    """Without case, marks, blanks, and whatever differs between ways to write the same."""
    parts = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    return "".join(each for each in parts if unicodedata.category(each)[0] in "LNPS" and not unicodedata.combining(each))


@pytest.mark.parametrize("kind", KINDS)
def test_ids_are_transformers_own_and_characters_are_a_tokens(kind: str) -> None:
    theirs, ours = both(kind)
    assert not theirs.is_fast
    for text, pair in [*((text, None) for text in TEXTS), (TEXTS[0], TEXTS[4])]:
        wanted = theirs(text, pair, return_token_type_ids=True)
        found = ours.encode(text, pair)
        assert list(found.ids) == wanted["input_ids"], (text, pair)
        assert list(found.segments) == wanted["token_type_ids"]
        before = {0: 0, 1: 0}
        for token in found.axis.tokens:
            if token.special:
                continue
            source = pair if token.segment else text
            assert 0 <= token.start <= token.end <= len(source)
            assert token.start >= before[token.segment]  # they follow each other
            before[token.segment] = token.start
        raws = theirs.convert_ids_to_tokens(wanted["input_ids"])
        known = [
            (source[token.start : token.end], ours._notation.bare(raw).replace("▁", ""))
            for token, raw in zip(found.axis.tokens, raws, strict=True)
            if not token.special
            and not token.unknown
            and not any("&" in each for each in theirs.tokenize(text + (pair or "")))
            and (source := pair if token.segment else text)
        ]
        same = [
            plain(written) == plain(bare) for written, bare in known if bare.isascii() and written.isascii() and bare.isalnum()
        ]
        assert all(same), [pair for pair in known if plain(pair[0]) != plain(pair[1])][:5]


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_a_plain_text_is_some_tokens(kind: str) -> None:
    """Every letter of it, once and in its order: nothing is lost, nothing is shown twice."""
    text = "the cat is in life"
    tokens = [token for token in both(kind)[1].encode(text).axis.tokens if not token.special and token.end > token.start]
    written = "".join(text[token.start : token.end] for token in tokens)
    assert written.replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    "kind", [kind for kind in KINDS if both(kind)[1].mask_token is not None and kind not in ("esm", "canine")]
)
@pytest.mark.parametrize(("text", "words", "expected"), FILLS[:2])
def test_masks_can_be_filled(kind: str, text: str, words: tuple[str, ...], expected: str) -> None:
    from headscope.core.text.editing import with_candidate

    _, ours = both(kind)
    assert ours.mask_token is not None
    shown = text.format(*[ours.mask_token] * len(words))
    axis = ours.encode(shown).axis
    assert len(axis.masks) == len(words)
    for position, word in reversed(list(zip(axis.masks, words, strict=True))):
        shown = with_candidate(axis, position, f" {word}", shown)
    assert shown == expected


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in ("esm", "cpmant", "canine", "gpt_neox_japanese")])
def test_text_that_is_written_token_by_token_is_the_text(kind: str) -> None:
    theirs, ours = both(kind)
    text = "the cat is, the cat"
    ids = theirs(text, add_special_tokens=False)["input_ids"]
    whole, read = "", ()
    for new_id in ids:
        token, longer = ours.continuation(read, new_id, whole)
        assert longer.startswith(whole)
        assert token.end == len(longer)
        whole, read = longer, (*read, new_id)
    assert whole.replace(" ,", ",") == text


@pytest.mark.parametrize("kind", [*KINDS, "bert", "gpt2", "llama", "t5"])
def test_a_row_of_the_model_without_a_word_is_called_by_its_number(kind: str) -> None:
    theirs, ours = both(kind)
    read = tuple(theirs("the cat", add_special_tokens=False)["input_ids"])
    for id_ in (5_000 if kind == "m2m_100" else len(theirs), 3_000_000):  # M2M100's languages are not counted
        assert ours.candidate(id_) == ("", f"⟨{id_}⟩")
        token, text = ours.continuation(read, id_, "the cat")
        assert (token.text, text) == (f"⟨{id_}⟩", "the cat")
        assert ours.continuation((*read, id_), read[0], "")[1].strip() == ours.continuation(read, read[0], "")[1].strip()
        assert ours.target(None, id_).axis.tokens[0].text == str(id_)
        with pytest.raises(HeadscopeError) as raised:
            ours.pieces_of([id_])
        assert raised.value.code == "no_such_id"


# ---------------------------------------------------------------- models
MODELS = ["MarianMTModel", "M2M100ForConditionalGeneration", "EsmForMaskedLM", "XLMWithLMHeadModel", "FlaubertWithLMHeadModel"]
MODELS += ["ProphetNetForConditionalGeneration", "BioGptForCausalLM", "FSMTForConditionalGeneration", "CTRLLMHeadModel"]
MODELS += [
    "RoCBertForMaskedLM",
    "BlenderbotSmallForConditionalGeneration",
    "PLBartForConditionalGeneration",
    "CpmAntForCausalLM",
]


@pytest.mark.parametrize("name", MODELS)
def test_a_model_in_memory_is_read_with_its_own_tokenizer(name: str) -> None:
    module = built(FAMILIES[name])
    with wrap_model(module, make_tokenizer(module.config)) as model:
        text = "the cat is life"
        record = model.capture(text, target="the cat" if model.info.family == "encoder-decoder" else None)
        queries = record.axis(record.kinds[0]).queries
        assert [token.id for token in queries.tokens] == make_tokenizer(module.config)(text)["input_ids"]
        assert record.attention_weights(0, 0).shape[0] == len(queries)


@pytest.mark.parametrize(
    "name", ["MarianMTModel", "XLMWithLMHeadModel", "EsmForMaskedLM", "ProphetNetForConditionalGeneration"]
)
def test_a_model_opens_from_its_folder(name: str, tmp_path: Path) -> None:
    module = built(FAMILIES[name])
    module.save_pretrained(tmp_path)
    make_tokenizer(module.config).save_pretrained(tmp_path)
    model = load_model(tmp_path, device="cpu", dtype="float32")
    assert list(model.encode("the cat")[0].ids) == make_tokenizer(module.config)("the cat")["input_ids"]


def test_a_tokenizer_that_needs_a_library_says_which(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    module = built(FAMILIES["BioGptForCausalLM"])
    module.save_pretrained(tmp_path)
    make_tokenizer("biogpt").save_pretrained(tmp_path)
    monkeypatch.setitem(sys.modules, "sacremoses", None)  # as if it were not installed
    with pytest.raises(HeadscopeError, match="sacremoses") as raised:
        read_tokenizer(tmp_path, "biogpt")
    assert raised.value.code == "needs_library"


def test_a_word_that_would_take_minutes_is_refused() -> None:
    with pytest.raises(HeadscopeError) as raised:
        both("xlm")[1].encode("x" * 100_000)
    assert raised.value.code == "text_too_long"
    assert len(both("marian")[1].encode("x" * 100_000, max_tokens=50).ids) == 50


# ---------------------------------------------------------------- the alignment
@pytest.mark.parametrize(
    ("text", "pieces", "expected"),
    [
        ("The cat", ["the", "cat"], ["The", "cat"]),
        ("it’s “fine”", ["it", "'s", '"', "fine", '"'], ["it", "’s", "“", "fine", "”"]),
        ("see http://a.b/c now", ["see", "HTTPURL", "now"], ["see", "http://a.b/c", "now"]),
        ("a 人 b", ["a", None, "b"], ["a", "人", "b"]),
        ("a 人工 猫 b", ["a", None, None, "b"], ["a", "人工", "猫", "b"]),
        ("ﬁne", ["f", "ine"], ["ﬁ", "ﬁne"]),
        ("é", [b"\xc3", b"\xa9"], ["é", "é"]),
        ("a b", ["a", " ", "b"], ["a", " ", "b"]),
        ("ab", ["a", "ghost", "b"], ["a", None, "b"]),
        ("çà", ["c", "a"], ["ç", "à"]),
    ],
)
def test_pieces_are_laid_on_their_text(text: str, pieces: list[Any], expected: list[str | None]) -> None:
    found = [None if span is None else text[slice(*span)] for span in align(text, pieces)]
    trimmed = [each if each is None else unicodedata.normalize("NFC", each) for each in found]
    assert trimmed == expected


def test_escaped_signs_are_one_sign() -> None:
    text = "cat's & dogs"
    found = align(text, ["cat", "&a", "pos;", "s", "&amp;", "dogs"], escaped=True)
    assert [None if span is None else text[slice(*span)] for span in found] == ["cat", "'", "'", "s", "&", "dogs"]


@pytest.mark.filterwarnings("ignore:This sequence already has")
@pytest.mark.parametrize("text", ["\t</s>", "the cat</s>", "</s>"])
def test_an_end_that_is_written_out_is_the_end(text: str) -> None:
    """ByT5 adds none then, and counts a type for it all the same."""
    theirs, ours = both("byt5")
    assert list(ours.encode(text).ids) == theirs(text)["input_ids"]


def test_a_letter_that_is_in_no_vocabulary_is_said_so() -> None:
    """A fast tokenizer without a token for unknown words raises the library's plain Exception."""
    tokenizer = hf.BertTokenizer(vocab={"[PAD]": 0, "[CLS]": 1, "[SEP]": 2, "the": 3}, unk_token=None)
    with pytest.raises(HeadscopeError, match="UNK") as raised:
        HubTokenizer(tokenizer).encode("the cat")
    assert raised.value.code == "text_not_split"
