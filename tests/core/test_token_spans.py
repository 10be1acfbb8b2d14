"""Which characters a token stands for, against transformers' own ids and offsets, for each kind of tokenizer that there is."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
import regex

from headscope.core.models.hub.tokenizer import HubTokenizer
from headscope.core.text.editing import masked, with_candidate
from tests.make_tokenizer import make_tokenizer
from tests.word_level import word_level

GOAL = "The goal of life is happiness ."
TEXTS = (
    GOAL,
    "  the   cat \n\n\tthe  ",
    "the",
    " ",
    "(the) cat's goal, isn't it?",
    "cafés Ünïcode cafe\u0301s ﬁne ß İ",
    "人工智能 the 猫 한국어를 नमस्ते ไทย",
    "👩\u200d👧 the 🇫🇷 e\u0301\u0323",
    "a\u00a0b\u3000c\u2003d",
    "\u200bthe\ufeff \x00\x07",
    "the <s> cat </s> [SEP] the",
    "x" * 30 + " the",
)
"""Blanks of all kinds, marks, characters that become several, scripts without blanks, special tokens that are typed."""


def _class(name: str, **options: Any) -> Callable[[], Any]:
    return lambda: make_tokenizer(name, whole=True, **options)


KINDS: dict[str, Callable[[], Any]] = {
    "word level": word_level,
    "bert": _class("bert"),
    "bert cased": _class("bert", do_lower_case=False, tokenize_chinese_chars=False),
    "bert accents": _class("bert", strip_accents=False),
    "mpnet": _class("mpnet"),
    "funnel": _class("funnel"),
    "roberta": _class("roberta"),
    "roberta untrimmed": _class("roberta", trim_offsets=False),
    "roberta prefix": _class("roberta", add_prefix_space=True),
    "roberta untrimmed prefix": _class("roberta", trim_offsets=False, add_prefix_space=True),
    "bart": _class("bart"),
    "led": _class("led"),
    "longformer": _class("longformer"),
    "deberta": _class("deberta"),
    "blenderbot": _class("blenderbot"),
    "markuplm": _class("markuplm"),
    "luke": _class("luke"),
    "gpt2": _class("gpt2"),
    "gpt2 prefix": _class("gpt2", add_prefix_space=True),
    "neox": _class("gpt_neox"),
    "llama 3": _class("olmo3"),
    "qwen2": _class("qwen2"),
    "whisper": _class("whisper"),
    "clip": _class("clip"),
    "openai-gpt": _class("openai-gpt"),
    "herbert": _class("herbert"),
    "llama": lambda: _spm_bpe("LlamaTokenizer"),
    "llama legacy": lambda: _spm_bpe("LlamaTokenizer", legacy=True),
    "llama without prefix": lambda: _spm_bpe("LlamaTokenizer", add_prefix_space=False),
    "gemma": lambda: _spm_bpe("GemmaTokenizer"),
    "nllb": _class("nllb-moe"),
    "seamless": _class("seamless_m4t"),
    "albert": _class("albert"),
    "albert accents": _class("albert", keep_accents=True, do_lower_case=False),
    "t5": _class("t5"),
    "pegasus": _class("pegasus"),
    "xlnet": _class("xlnet"),
    "mbart": _class("mbart"),
    "mbart50": _class("mbart50"),
    "xlm-roberta": _class("xlm-roberta"),
    "camembert": _class("camembert"),
    "deberta-v2": _class("deberta-v2"),
    "deberta-v2 split": _class("deberta-v2", split_by_punct=True, do_lower_case=True),
    "rembert": _class("rembert"),
    "big_bird": _class("big_bird"),
    "esmc": _class("esmc"),
}


def _spm_bpe(name: str, **options: Any) -> Any:
    import transformers

    return make_tokenizer(getattr(transformers, name), whole=True, **options)


@cache
def built(kind: str) -> tuple[Any, HubTokenizer]:
    """transformers' tokenizer, and ours over another of the same."""
    return KINDS[kind](), HubTokenizer(KINDS[kind]())


def bare(text: str, start: int, end: int, raw: str) -> str:
    """What offsets stand for without the blanks around it; a piece that is nothing but a blank keeps it."""
    blank = [unicodedata.category(each) == "Zs" for each in text[start:end]]
    if all(blank):
        return text[start:end]
    inner = [at for at, is_blank in enumerate(blank) if not is_blank]
    piece = text[start:end][inner[0] : inner[-1] + 1]
    return piece.lstrip() if raw.startswith("▁") and piece.strip() else piece


@pytest.mark.parametrize("kind", KINDS)
def test_ids_types_and_characters_are_transformers_own(kind: str) -> None:
    theirs, ours = built(kind)
    for text, pair in [*((text, None) for text in TEXTS), (GOAL, TEXTS[4]), (TEXTS[6], GOAL)]:
        wanted = theirs(text, pair, return_offsets_mapping=True, return_token_type_ids=True, return_special_tokens_mask=True)
        found = ours.encode(text, pair)
        assert list(found.ids) == wanted["input_ids"], (text, pair)
        assert list(found.segments) == wanted["token_type_ids"]
        raws = theirs.convert_ids_to_tokens(wanted["input_ids"])
        rows = zip(found.axis.tokens, wanted["offset_mapping"], wanted["special_tokens_mask"], raws, strict=True)
        for token, (start, end), special, raw in rows:
            if special:
                assert (token.special, token.start, token.end) == (True, -1, -1)
                continue
            source = pair if token.segment else text
            assert 0 <= token.start <= token.end <= len(source)
            written = source[token.start : token.end]
            if kind == "markuplm":  # its own offsets count from the beginning of each word
                assert written.strip() in (written, "")
                continue
            if raw.strip("▁Ġ") == "":  # a blank: itself, or nothing where there is none
                assert written.strip(" ") == "" or written.isspace()
            else:
                assert written == bare(source, start, end, raw), (text, raw)


# ---------------------------------------------------------------- what a click does
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("text", TEXTS, ids=ascii)
def test_a_click_masks_the_characters_of_its_token_and_nothing_else(kind: str, text: str) -> None:
    _, ours = built(kind)
    axis = ours.encode(text).axis
    for position, token in enumerate(axis.tokens):
        after = masked(axis, position, "<M>", text)
        if token.start < 0 or token.start == token.end:
            assert after == text
            continue
        before, _, behind = after.partition("<M>") if "<M>" not in text else (text[: token.start], "", "")
        assert text.startswith(before)
        assert text.endswith(behind)
        gone = text[len(before) : len(text) - len(behind)]
        marks = gone[token.end - token.start :]
        assert gone.startswith(text[token.start : token.end])
        assert regex.findall(r"\X", gone)[-1].endswith(marks)  # the rest of its last character, which is no token's
        assert not any(other.segment == 0 and token.end <= other.start < token.end + len(marks) for other in axis.tokens)
        left = len(text) - len(behind)
        covered = any(other.start <= left < other.end for other in axis.tokens)
        assert covered or not behind or not unicodedata.category(behind[0]).startswith("M")


FILLS = [
    ("The goal of {} is {} .", ("life", "happiness"), "The goal of life is happiness ."),
    ("{} goal", ("the",), "the goal"),
    ("the {}", ("cat",), "the cat"),
    ("the {}.", ("cat",), "the cat."),
    ("({})", ("cat",), "(cat)"),
    ("the {}, the", ("cat",), "the cat, the"),
]


@pytest.mark.parametrize("kind", [kind for kind in KINDS if built(kind)[0].mask_token is not None])
@pytest.mark.parametrize(("text", "words", "expected"), FILLS)
def test_a_filled_mask_gives_the_text_with_its_word(kind: str, text: str, words: tuple[str, ...], expected: str) -> None:
    """From the last mask to the first, so that the offsets of the others hold."""
    theirs, ours = built(kind)
    mask = ours.mask_token
    assert mask is not None
    shown = text.format(*[mask] * len(words))
    axis = ours.encode(shown).axis
    assert len(axis.masks) == len(words)
    assert [shown[axis.tokens[at].start : axis.tokens[at].end] for at in axis.masks] == [mask] * len(words)
    for position, word in reversed(list(zip(axis.masks, words, strict=True))):
        begins = [id_ for raw, id_ in theirs.get_vocab().items() if raw in (word, f"▁{word}", f"Ġ{word}", f"{word}</w>")]
        blank = f" {word}"
        candidate, _ = next((ours.candidate(id_) for id_ in begins if ours.candidate(id_)[0] == blank), (blank, ""))
        assert any(ours.candidate(id_)[0] == blank for id_ in begins) or not begins or kind == "esmc"
        shown = with_candidate(axis, position, candidate, shown)
    assert shown == expected
