"""Tokenizers inside GGUF files give the ids of the tokenizers that they were written from: sentencepiece's, transformers', llama.cpp's rules."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sentencepiece
import transformers as hf
from gguf import GGUFWriter
from sentencepiece import sentencepiece_model_pb2
from tokenizers import normalizers, pre_tokenizers

from headscope.core.errors import HeadscopeError
from headscope.core.models.gguf.charsmap import is_whole
from headscope.core.models.gguf.header import Header, read_header
from headscope.core.models.gguf.keys import Keys
from headscope.core.models.gguf.tokenizer import Read, read_tokenizer
from headscope.core.models.hub.splits import SPLITTINGS
from tests.gguf_files import add_value, finish

TEXTS = [
    "the cat sat on the mat",
    "  two blanks before",
    " one",
    "   ",
    "a  b   c    d",
    "tail  ",
    "line\nline\n\n\ttab\r\n",
    "don't DON'T we'll I'M it's",
    "12345 3.14 7 1,000,000 v2.0",
    "naïve café cafe\u0301 Ωμέγα Привет",
    "人工智能 こんにちは 안녕 नमस्ते",
    "😀👩‍👩‍👧 \u200d \ufeff",
    "CamelCase snake_case HTTPServer /path/to?x=1&y=2#z",
    "(a) [b] {c} <d> --- ... !!! $5 #tag @you ~`^|\\",
    "the<s>cat</s> <user> the",
    "▁already▁there",
    "x" * 300,
]  # fmt: skip
CORPUS = [*TEXTS[:14], "the cat and the dog sat on a mat; the dog slept", "we will walk in the rain tomorrow morning"] * 5


def written(path: Path, architecture: str = "llama", **keys: Any) -> Header:
    """A file with nothing but a tokenizer (__ stands for a full stop)."""
    writer = GGUFWriter(path, architecture)
    for name, value in keys.items():
        add_value(writer, f"tokenizer.{name.replace('__', '.')}", value, architecture)
    return read_header(finish(writer, path))


def read(path: Path, architecture: str = "llama", **keys: Any) -> Read:
    header = written(path, architecture, **keys)
    found = Keys(header, architecture)
    tokenizer = read_tokenizer(header, found)
    found.refuse_unasked()
    return tokenizer


def ids(tokenizer: Read, text: str) -> list[int]:
    return tokenizer.tokenizer.encode(text)


# ---------------------------------------------------------------- SentencePiece
def trained(kind: str, **options: Any) -> tuple[Any, dict[str, Any]]:
    """A small SentencePiece model of its own trainer, and the keys that the conversion writes of it."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS), model_writer=model, model_type=kind, byte_fallback=True, minloglevel=3,
        hard_vocab_limit=False, user_defined_symbols=["<user>"], character_coverage=1.0, **options,
    )  # fmt: skip
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    proto = sentencepiece_model_pb2.ModelProto.FromString(model.getvalue())
    spec = proto.normalizer_spec
    keys = {
        "ggml__model": "llama" if kind == "bpe" else "t5",
        "ggml__pre": "default",
        "ggml__tokens": [piece.piece for piece in proto.pieces],
        "ggml__scores": [piece.score for piece in proto.pieces],
        "ggml__token_type": [int(piece.type) for piece in proto.pieces],
        "ggml__unknown_token_id": processor.unk_id(),
        "ggml__bos_token_id": processor.bos_id(),
        "ggml__eos_token_id": processor.eos_id(),
        "ggml__add_space_prefix": spec.add_dummy_prefix,
        "ggml__remove_extra_whitespaces": spec.remove_extra_whitespaces,
        "ggml__add_bos_token": False,
        "ggml__add_eos_token": False,
    }
    if spec.precompiled_charsmap:
        keys["ggml__precompiled_charsmap"] = spec.precompiled_charsmap
    return processor, keys


PLAIN = {"normalization_rule_name": "identity", "remove_extra_whitespaces": False}


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("bpe", {"vocab_size": 420, **PLAIN}),
        ("bpe", {"vocab_size": 420, **PLAIN, "add_dummy_prefix": False}),
        ("unigram", {"vocab_size": 420, **PLAIN}),
        ("unigram", {"vocab_size": 420, "normalization_rule_name": "nmt_nfkc", "remove_extra_whitespaces": True}),
    ],
    ids=["Llama's", "Gemma's", "unigram", "T5's"],
)
def test_ids_are_those_of_sentencepiece_itself(tmp_path: Path, kind: str, options: dict[str, Any]) -> None:
    processor, keys = trained(kind, **options)
    tokenizer = read(tmp_path / "words.gguf", **keys)
    for text in TEXTS:
        if "<s>" in text:  # sentencepiece never reads control tokens
            continue
        assert ids(tokenizer, text) == processor.encode(text), text


def test_control_tokens_in_a_text_are_tokens(tmp_path: Path) -> None:
    _, keys = trained("bpe", vocab_size=420, **PLAIN)
    found = ids(read(tmp_path / "words.gguf", **keys), "the<s>cat</s>")
    assert [found.count(id_) for id_ in (keys["ggml__bos_token_id"], keys["ggml__eos_token_id"])] == [1, 1]


@pytest.mark.parametrize(("kind", "begins", "ends"), [("bpe", True, False), ("unigram", False, True)])
def test_what_a_file_without_flags_puts_around_a_text(tmp_path: Path, kind: str, begins: bool, ends: bool) -> None:
    processor, keys = trained(kind, vocab_size=420, **PLAIN)
    keys = {name: value for name, value in keys.items() if not name.endswith(("add_bos_token", "add_eos_token"))}
    expected = [*[processor.bos_id()] * begins, *processor.encode("the cat"), *[processor.eos_id()] * ends]
    assert ids(read(tmp_path / "words.gguf", **keys), "the cat") == expected


def test_t5s_places_to_be_filled_in_have_their_names(tmp_path: Path) -> None:
    _, keys = trained("unigram", vocab_size=420, **PLAIN)
    n_words = len(keys["ggml__tokens"])
    keys["ggml__tokens"] += [f"[PAD{n_words + number}]" for number in range(128)]
    keys["ggml__scores"] += [-10000.0] * 128
    keys["ggml__token_type"] += [5] * 128
    tokenizer = read(tmp_path / "words.gguf", "t5", **keys).tokenizer
    assert tokenizer.convert_tokens_to_ids(["<extra_id_0>", "<extra_id_99>"]) == [n_words + 99, n_words]
    assert n_words + 99 in tokenizer.encode("the <extra_id_0> sat")


# ---------------------------------------------------------------- byte-level
def byte_level_words() -> tuple[list[str], list[str]]:
    """Words and merges of a GPT-2-like vocabulary, learned from the corpus."""
    from tokenizers import Tokenizer, models, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(
        CORPUS, trainers.BpeTrainer(vocab_size=500, initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    )
    import json

    model = json.loads(tokenizer.to_str())["model"]
    merges = [merge if isinstance(merge, str) else " ".join(merge) for merge in model["merges"]]
    return sorted(model["vocab"], key=model["vocab"].get), merges


WORDS, MERGES = byte_level_words()
SPECIAL = ["<s>", "</s>", "<user>", "<｜begin▁of▁sentence｜>"]


def byte_level_keys(pre: str | None, **more: Any) -> dict[str, Any]:
    keys = {
        "ggml__model": "gpt2",
        "ggml__tokens": [*SPECIAL, *WORDS],
        "ggml__token_type": [3, 3, 4, 3] + [1] * len(WORDS),
        "ggml__merges": MERGES,
        "ggml__bos_token_id": 0,
        "ggml__eos_token_id": 1,
        **more,
    }
    return keys if pre is None else {**keys, "ggml__pre": pre}


@pytest.mark.parametrize(
    ("pre", "reference"),
    [
        ("gpt-2", hf.GPT2Tokenizer),
        ("qwen2", hf.Qwen2Tokenizer),
        ("command-r", hf.CohereTokenizer),
        ("olmo", hf.GPTNeoXTokenizer),
    ],
)
def test_ids_are_those_of_transformers_own_tokenizer(tmp_path: Path, pre: str, reference: type) -> None:
    words = [*SPECIAL, *WORDS]
    merges = [tuple(merge.split(" ")) for merge in MERGES]
    ends = {"bos_token": "<s>", "eos_token": "</s>", "unk_token": "</s>", "pad_token": "</s>"}
    theirs = reference(vocab={word: index for index, word in enumerate(words)}, merges=merges, **ends)
    theirs.add_tokens([token for token in SPECIAL if token != "</s>"], special_tokens=True)
    ours = read(tmp_path / "words.gguf", **byte_level_keys(pre))
    for text in TEXTS:
        assert ids(ours, text) == theirs.encode(text, add_special_tokens=False), text
        assert ours.tokenizer.decode(ids(ours, text)) == theirs.decode(theirs.encode(text, add_special_tokens=False))


MIXED = "I'LL don't 12345 人工ab 3.14\n\n  x, HTTPServer!?"
PIECES = {
    "gpt-2": ["I", "'", "LL", " don", "'t", " 12345", " 人工ab", " 3", ".", "14", "\n\n ", " x", ",", " HTTPServer", "!?"],
    "llama-bpe": ["I", "'LL", " don", "'t", " ", "123", "45", " 人工ab", " ", "3", ".", "14", "\n\n", " ", " x", ",", " HTTPServer", "!?"],
    "qwen2": ["I", "'LL", " don", "'t", " ", *"12345", " 人工ab", " ", "3", ".", "1", "4", "\n\n", " ", " x", ",", " HTTPServer", "!?"],
    "tekken": ["I", "'LL", " don", "'t", " ", *"12345", " 人工ab", " ", "3", ".", "1", "4", "\n\n", " ", " x", ",", " HTTPServer", "!?"],
    "gpt-4o": ["I'LL", " don't", " ", "123", "45", " 人工ab", " ", "3", ".", "14", "\n\n", " ", " x", ",", " HTTPServer", "!?"],
    "smollm": ["I", "'", "LL", " don", "'t", " ", *"12345", " 人工ab", " ", "3", ".", "1", "4", "\n\n ", " x", ",", " HTTPServer", "!?"],
    "falcon": ["I", "'", "LL", " don", "'", "t", " ", "123", "45", " 人工ab", " 3", ".", "14", "\n\n ", " x", ",", " HTTPServer", "!?"],
    "deepseek-v3": ["I", "'LL", " don", "'t", " ", "123", "45", " ", "人工", "ab", " ", "3", ".", "14", "\n\n", " ", " x", ",", " HTTPServer", "!?"],
    "deepseek-coder": ["I", "'", "LL", " don", "'", "t", " ", *"12345", " ", "人工", "ab", " ", "3", ".", "1", "4", "\n", "\n", " ", " x", ",", " HTTPServer", "!?"],
    "bloom": ["I'LL", " don't", " 12345", " 人工ab", " 3", ".", "14", "\n\n ", " x", ",", " HTTPServer", "!?"],
    "default": ["I", "'", "LL", " don", "'", "t", " ", "123", "45", " 人工ab", " ", "3", ".", "14", "\n\n ", " x", ",", " HTTPServer", "!?"],
}  # fmt: skip


@pytest.mark.parametrize(("pre", "pieces"), PIECES.items())
def test_texts_are_cut_as_the_named_tokenizer_cuts_them(pre: str, pieces: list[str]) -> None:
    found = SPLITTINGS[pre].pre_tokenizer().pre_tokenize_str(MIXED)
    assert [MIXED[begin:end] for _, (begin, end) in found] == pieces


@pytest.mark.parametrize("pre", SPLITTINGS)
def test_every_splitting_keeps_every_letter(tmp_path: Path, pre: str) -> None:
    tokenizer = read(tmp_path / "words.gguf", **byte_level_keys(pre))
    for text in TEXTS[:14]:
        found = tokenizer.tokenizer.decode(tokenizer.tokenizer.encode(text, add_special_tokens=False))
        assert found in (text, text.replace("e\u0301", "é"))


def test_a_word_that_is_a_token_needs_no_merges_in_llama_3(tmp_path: Path) -> None:
    words = {"ggml__tokens": [*SPECIAL, *WORDS, "zzyx"], "ggml__token_type": [3, 3, 4, 3] + [1] * (len(WORDS) + 1)}
    whole = len(SPECIAL) + len(WORDS)
    assert ids(read(tmp_path / "a.gguf", **byte_level_keys("llama-bpe", **words)), "zzyx") == [0, whole]
    assert whole not in ids(read(tmp_path / "b.gguf", **byte_level_keys("gpt-2", **words)), "zzyx")


@pytest.mark.parametrize(
    ("pre", "begins"), [("llama-bpe", True), ("tekken", True), ("gpt-2", False), ("qwen2", False), (None, False)]
)
@pytest.mark.parametrize("flag", [None, True, False])
def test_texts_begin_as_the_file_says_or_as_llama_cpp_has_it(
    tmp_path: Path, pre: str | None, begins: bool, flag: bool | None
) -> None:
    flags = {} if flag is None else {"ggml__add_bos_token": flag}
    assert (ids(read(tmp_path / "a.gguf", **byte_level_keys(pre, **flags)), "the")[0] == 0) is (
        begins if flag is None else flag
    )


def test_special_tokens_keep_their_spelling(tmp_path: Path) -> None:
    tokenizer = read(tmp_path / "a.gguf", **byte_level_keys("deepseek-r1-qwen", ggml__bos_token_id=3, ggml__add_bos_token=True))
    assert tokenizer.tokenizer.bos_token == "<｜begin▁of▁sentence｜>"
    assert ids(tokenizer, "the")[0] == 3
    assert ids(tokenizer, "the<｜begin▁of▁sentence｜>")[-1] == 3
    assert tokenizer.tokenizer.convert_ids_to_tokens(2) == "<user>"
    assert 2 not in tokenizer.tokenizer.all_special_ids
    assert ids(tokenizer, "a<user>b")[2] == 2


def test_what_ends_a_text_and_what_is_never_written_is_known(tmp_path: Path) -> None:
    more = {
        "ggml__eot_token_id": 3,
        "ggml__fim_pre_token_id": 2,
        "ggml__suppress_tokens": np.array([2, 5, 10**6], np.int32).tolist(),
    }
    tokenizer = read(tmp_path / "a.gguf", **byte_level_keys("qwen2", **more))
    assert (tokenizer.end_ids, tokenizer.suppressed) == ((1, 3), (2, 5))


def test_chat_templates_are_kept(tmp_path: Path) -> None:
    one = read(tmp_path / "a.gguf", **byte_level_keys("qwen2", chat_template="{{ messages[0].content }}!")).tokenizer
    assert one.apply_chat_template([{"role": "user", "content": "hi"}], tokenize=False) == "hi!"
    named = {"chat_template": "default", "chat_templates": ["tools"], "chat_template__tools": "with tools"}
    several = read(tmp_path / "b.gguf", **byte_level_keys("qwen2", **named)).tokenizer
    said = [{"role": "user", "content": "hi"}]
    assert several.apply_chat_template(said, tokenize=False) == "default"
    assert several.apply_chat_template(said, chat_template="tools", tokenize=False) == "with tools"


@pytest.mark.parametrize("charsmap", [bytes(3), b"\xff" * 64, b"\0\4\0\0" + b"\7" * 3000, bytes(5000), b"\4\0\0\0" + bytes(9)])
def test_a_broken_table_of_letters_is_said_so(tmp_path: Path, charsmap: bytes) -> None:
    _, keys = trained("unigram", vocab_size=420, **PLAIN)
    with pytest.raises(HeadscopeError) as captured:
        tokenizer = read(tmp_path / "words.gguf", **keys | {"ggml__precompiled_charsmap": charsmap})
        for text in TEXTS:
            ids(tokenizer, text)
    assert captured.value.code == "gguf_unsupported"


def test_a_table_of_letters_that_is_said_to_be_whole_never_panics(tmp_path: Path) -> None:
    """Damaged at random: what passes the check is used on every text, what does not pass is refused."""
    _, keys = trained("unigram", vocab_size=420, normalization_rule_name="nmt_nfkc")
    whole, chance, passed = keys["ggml__precompiled_charsmap"], np.random.default_rng(0), 0
    assert is_whole(whole)
    for _ in range(40):
        damaged = bytearray(whole)
        for place in chance.integers(0, 4 + int.from_bytes(whole[:4], "little") if chance.random() < 0.7 else len(whole), 3):
            damaged[place] ^= 1 << chance.integers(8)
        if is_whole(bytes(damaged)):
            passed += 1
            normalizer = normalizers.Precompiled(bytes(damaged))
            for text in TEXTS:
                normalizer.normalize_str(text)
    assert 0 < passed < 40
