"""Any text can be read: it gives attention, or the one sentence that there is no text; nothing vanishes in silence."""

import time
import unicodedata
from pathlib import Path

import pytest

from headscope.core.errors import HeadscopeError
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.text.tokens import TokenAxis
from tests import allowed

NAMES = ("toy:grammar", "toy:tales", "bert", "gpt2", "t5")
TEXTS = {
    "emoji": "👩\u200d👩\u200d👧 ok 🇫🇷",
    "Arabic": "مرحبا بالعالم the",
    "Hebrew": "שלום the",
    "Chinese": "人工智能 the cat。",
    "full width": "ＦＵＬＬ ﬁ ½ ㎏",
    "controls": "a\0b\x1b[31m\x7f\x85 the",
    "directions": "\u202ethe\u202c \u2066cat\u2069 \u200e\u200f",
    "half a character": "the \ud83d cat \udc00",
    "lines": "the\r\ncat\n\n\tsat\u2028on\u2029a",
    "blanks": "  the \u00a0 cat\u3000 ",
    "nothing wide": "the\u200bcat\ufeff\u00ad",
    "marks": "e\u0301 n\u0303 \u0301the",
    "replacement": "the \ufffd cat",
    "masks": "the [MASK] sat <mask> [mask]",
    "special words": "[CLS] the [SEP] <s> </s> <|endoftext|> [UNK] <unk> [PAD]",
    "unknown words": "the qwzx cat",
    "code": "if (a<b) { x+=1; } // é",
    "one letter": "a",
    "no letters": "?!…—",
}
EMPTY = {"nothing": "", "a blank": " ", "blanks": "   ", "lines": "\n\n", "odd blanks": "\t\u00a0\u3000\u2028"}


@pytest.fixture(scope="module")
def models(originals: Path) -> dict[str, Model]:
    return {name: load_model(name if name.startswith("toy:") else originals / name, device="cpu") for name in NAMES}


def check_axis(axis: TokenAxis, pair: str = "") -> None:
    """What holds for the tokens of any text."""
    texts, reached = (axis.text, pair), [0, 0]
    for token in axis.tokens:
        assert token.text
        for character in token.text:
            assert unicodedata.category(character) not in {"Cc", "Zl", "Zp", "Cs"}
            assert character == "\u200d" or unicodedata.category(character) != "Cf"
        if token.special:
            assert (token.start, token.end) == (-1, -1)
            continue
        text = texts[token.segment]
        assert reached[token.segment] <= token.end <= len(text)  # in the order of the text
        assert 0 <= token.start <= token.end
        reached[token.segment] = token.end
        if token.masked:
            assert text[token.start : token.end].lower() == "[mask]"
        else:
            written = text[token.start : token.end]
            shown = token.text.removeprefix("·").rstrip("₁₂₃₄")
            assert not shown.isascii() or not shown.isalnum() or shown == written


@pytest.mark.parametrize("kind", TEXTS)
@pytest.mark.parametrize("name", NAMES)
def test_any_text_gives_attention_and_tokens_that_point_into_it(models: dict[str, Model], name: str, kind: str) -> None:
    result = models[name].run(TEXTS[kind])
    for record_kind in result.record.kinds:
        axis = result.record.axis(record_kind)
        weights = result.record.attention_weights(0, 0, record_kind)
        assert weights.shape == (len(axis.queries), len(axis.keys))
        assert abs(weights.sum(axis=1) - 1).max() <= allowed.of_sums()
        check_axis(axis.keys)


@pytest.mark.parametrize("kind", EMPTY)
@pytest.mark.parametrize("name", NAMES)
def test_a_text_of_nothing_is_said_so(models: dict[str, Model], name: str, kind: str) -> None:
    for pair in (None, "the cat"):
        with pytest.raises(HeadscopeError) as captured:
            models[name].capture(EMPTY[kind], pair)
        assert captured.value.code == "empty_text"


def test_a_text_of_which_the_tokenizer_leaves_nothing_is_said_so(models: dict[str, Model]) -> None:
    for text in ("\0", "\ufffd", "\u0301", "\u200b"):
        with pytest.raises(HeadscopeError) as captured:
            models["bert"].capture(text)
        assert captured.value.code == "empty_text"


@pytest.mark.parametrize("kind", [*TEXTS, *EMPTY])
@pytest.mark.parametrize("name", NAMES)
def test_any_text_can_be_the_second_of_a_pair(models: dict[str, Model], name: str, kind: str) -> None:
    pair = {**TEXTS, **EMPTY}[kind]
    axis = models[name].encode("the cat", pair)[0].axis
    check_axis(axis, pair)
    assert (
        "".join(token.text for token in axis.tokens if token.segment == 0 and not token.special)
        .replace("·", "")
        .startswith("the")
    )


@pytest.mark.parametrize("kind", [*TEXTS, *EMPTY])
def test_any_text_can_be_what_the_decoder_reads(models: dict[str, Model], kind: str) -> None:
    text = {**TEXTS, **EMPTY}[kind]
    record = models["t5"].capture("the cat", target=text)
    check_axis(record.axis("decoder").queries)
    assert len(record.axis("cross").keys) == len(record.axis("encoder").keys)


@pytest.mark.parametrize("name", ["toy:grammar", "toy:tales", "bert"])
def test_unknown_words_are_marked_and_shown_as_written(models: dict[str, Model], name: str) -> None:
    tokens = models[name].encode("the qwzx 👩 cat")[0].axis.tokens
    assert [token.text for token in tokens if token.unknown] == ["qwzx", "👩"]


@pytest.mark.parametrize("name", ["toy:grammar", "bert"])
def test_a_mask_is_one_where_the_model_has_one(models: dict[str, Model], name: str) -> None:
    axis = models[name].encode("the [MASK] [MASK]")[0].axis
    assert [axis.text[axis.tokens[at].start : axis.tokens[at].end] for at in axis.masks] == ["[MASK]", "[MASK]"]


@pytest.mark.parametrize("name", ["toy:tales", "gpt2", "t5"])
def test_a_mask_is_only_text_where_the_model_has_none(models: dict[str, Model], name: str) -> None:
    axis = models[name].encode("the [MASK] cat")[0].axis
    assert axis.masks == ()
    shown = "".join(token.text for token in axis.tokens if 4 <= token.start < 10)
    assert shown.replace("·", "") == "[MASK]"


# ---------------------------------------------------------------- length
@pytest.mark.parametrize("name", ["toy:grammar", "toy:tales", "bert", "gpt2"])
def test_what_does_not_fit_is_counted_and_the_rest_is_the_beginning(models: dict[str, Model], name: str) -> None:
    model = models[name]
    text = "the cat " * 100
    record = model.capture(text)
    axis = record.axis(record.kinds[0]).keys
    assert len(axis) == model.info.max_tokens
    whole = model.tokenizer.encode(text)
    assert axis.dropped == len(whole.ids) - len(axis)
    kept = [token for token in axis.tokens if not token.special]
    assert axis.dropped_from == kept[-1].end
    assert [token for token in model.tokenizer.encode(text[: axis.dropped_from]).axis.tokens if not token.special] == kept


@pytest.mark.parametrize("name", ["toy:grammar", "bert"])
def test_of_a_pair_the_longer_text_is_cut(models: dict[str, Model], name: str) -> None:
    model = models[name]
    long = "the cat " * 100
    for texts, n_short in ((("the cat", long), 0), ((long, "the cat"), 1)):
        axis = model.encode(*texts)[0].axis
        assert len(axis) == model.info.max_tokens
        assert axis.dropped == len(model.tokenizer.encode(*texts).ids) - len(axis)
        assert sum(token.segment == n_short and not token.special for token in axis.tokens) == 2
        assert axis.dropped_from == max(token.end for token in axis.tokens if token.segment == 0)


@pytest.mark.parametrize(
    "text", ["the cat " * 125_000, "a" * 1_000_000, "\n" * 999_997 + "the", "[MASK]" * 166_667], ids=lambda it: ascii(it[:8])
)
@pytest.mark.parametrize("name", NAMES)
def test_a_million_characters_are_read_in_seconds(models: dict[str, Model], name: str, text: str) -> None:
    began = time.process_time()
    axis = models[name].tokenizer.encode(text, max_tokens=64).axis
    assert time.process_time() - began < 30  # about two are needed
    assert len(axis) <= 64
    if axis.dropped:
        assert 0 < axis.dropped_from < len(text)
        assert axis.dropped > 100_000
