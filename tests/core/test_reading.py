"""Words, sentences and segments: the axes, and their numbers against sums and means over the tokens' weights."""

from pathlib import Path

import numpy as np
import pytest

from headscope.core import load_model
from headscope.core.attention.from_arrays import record_of
from headscope.core.files.numbers import write_capture_npz
from headscope.core.text.tokens import TOKENS, Token, TokenAxis, Units
from headscope.core.text.units import axis_in_units
from tests import allowed
from tests.tiny_models import write_decoder, write_masked

WORDS, SENTENCES, SEGMENTS = (Units(units) for units in ("words", "sentences", "segments"))


@pytest.fixture(scope="module")
def masked(tmp_path_factory: pytest.TempPathFactory):
    return load_model(str(write_masked(tmp_path_factory.mktemp("bert"))))


@pytest.fixture(scope="module")
def decoder(tmp_path_factory: pytest.TempPathFactory):
    return load_model(str(write_decoder(tmp_path_factory.mktemp("gpt2"))))


def brute(weights: np.ndarray, rows: tuple[range, ...], columns: tuple[range, ...], *, renormalise: bool = False) -> np.ndarray:
    to = np.stack([weights[:, pieces.start : pieces.stop].sum(1) for pieces in columns], 1)
    if renormalise:
        left = to.sum(1, keepdims=True)
        to = np.divide(to, left, out=np.zeros_like(to), where=left > 0)
    return np.stack([to[pieces.start : pieces.stop].mean(0) for pieces in rows])


def labelled(text: str, *pieces: str) -> TokenAxis:
    """Tokens as a tokenizer of pieces cuts them: offsets and dots where a word goes on."""
    tokens, at = [], 0
    for number, piece in enumerate(pieces):
        start = text.index(piece, at)
        at = start + len(piece)
        goes_on = start > 0 and text[start - 1].isalnum() and piece[0].isalnum() and piece[0].isascii()
        tokens.append(Token(f"·{piece}" if goes_on else piece, number, start, at))
    return TokenAxis(tuple(tokens), text)


def test_pieces_of_a_word_become_one_and_special_tokens_stay(masked) -> None:
    axis = masked.capture("the cat walked playing a mat").axis("encoder").queries
    assert axis.labels == ("[CLS]", "the", "cat", "walk", "·ed", "play", "·ing", "a", "mat", "[SEP]")
    read = axis_in_units(axis, WORDS)
    assert read.labels == ("[CLS]", "the", "cat", "walked", "playing", "a", "mat", "[SEP]")
    assert read.pieces[3:5] == (range(3, 5), range(5, 7))
    assert [read.place_of(piece) for piece in range(10)] == [0, 1, 2, 3, 3, 4, 4, 5, 6, 7]
    assert read.tokens[3].id != read.tokens[4].id
    assert (read.tokens[3].start, read.tokens[3].end) == (8, 14)


def test_the_same_word_has_the_same_number(masked) -> None:
    read = axis_in_units(masked.capture("walked the walked").axis("encoder").queries, WORDS)
    assert read.tokens[1].id == read.tokens[3].id < 0


def test_special_tokens_can_be_hidden_unless_there_is_nothing_else(masked) -> None:
    axis = masked.capture("the cat").axis("encoder").queries
    read = axis_in_units(axis, Units(special="hidden"))
    assert read.labels == ("the", "cat")
    assert (read.place_of(0), read.place_of(1), read.place_of(3)) == (None, 0, None)
    alone = TokenAxis((axis.tokens[0],))
    assert axis_in_units(alone, Units(special="hidden")).labels == ("[CLS]",)


def test_sentences_end_where_people_see_them_end() -> None:
    text = 'He said: "3.14 is it." Then he went! 他来了。我走了。'
    axis = labelled(
        text, "He", "said", ":", '"', "3", ".", "14", "is", "it", ".", '"', "Then", "he", "went", "!", *"他来了。我走了。"
    )
    assert axis_in_units(axis, SENTENCES).labels == ('He said: "3.14 is it."', "Then he went!", "他来了。", "我走了。")


def test_a_long_sentence_has_a_short_name() -> None:
    text = " ".join(["word"] * 30) + "."
    axis = labelled(text, *["word"] * 30, ".")
    (label,) = axis_in_units(axis, SENTENCES).labels
    assert label.endswith("…")
    assert len(label) == 41


def test_segments_are_the_sentences_of_a_pair(masked) -> None:
    axis = masked.capture("the cat sat", "a mat").axis("encoder").queries
    read = axis_in_units(axis, SEGMENTS)
    assert read.labels == ("[CLS]", "the cat sat", "[SEP]", "a mat", "[SEP]")


@pytest.mark.parametrize("special", ["shown", "hidden", "renormalised"])
@pytest.mark.parametrize("units", ["tokens", "words", "sentences", "segments"])
def test_attention_to_a_unit_is_a_sum_and_from_it_a_mean(masked, units: str, special: str) -> None:
    record = masked.capture("the cat walked . playing a mat .", "the walked cat")
    read = record.in_units(Units(units, special))
    axes = read.axis("encoder")
    pieces = axes.queries.pieces or tuple(range(at, at + 1) for at in range(len(axes.queries)))
    for layer in range(record.n_layers("encoder")):
        for head in range(record.n_heads("encoder")):
            tokens = record.attention_weights(layer, head)
            wanted = brute(tokens, pieces, pieces, renormalise=special == "renormalised")
            np.testing.assert_allclose(read.attention_weights(layer, head), wanted, atol=allowed.of_sums())
    if special != "hidden":
        np.testing.assert_allclose(read.layer_weights(0, "encoder").sum(-1), 1, atol=allowed.of_sums())
    else:
        assert (read.layer_weights(0, "encoder").sum(-1) < 1).all()


def test_all_that_is_asked_of_a_record_can_be_asked_of_one_in_words(masked) -> None:
    record = masked.capture("the walked cat played on a mat").in_units(WORDS)
    whole = record.attention_weights(1, 2)
    assert record.cell(1, 2, 3, 2) == pytest.approx(whole[3, 2], abs=allowed.of_sums())
    np.testing.assert_allclose(record.attention_weights(1, 2, rows=slice(2, 5)), whole[2:5], atol=allowed.of_sums())
    (_, pictures), *_ = record.thumbnails("encoder", 4, layers=[1])
    high, wide = pictures.shape[1:]
    ends = [len(whole) * at // high for at in range(high + 1)]
    wanted = [[whole[ends[r] : ends[r + 1], ends[c] : ends[c + 1]].max() for c in range(wide)] for r in range(high)]
    np.testing.assert_allclose(pictures[2], wanted, atol=allowed.of_sums())
    *_, overview = record.overview(1, 2, "encoder")
    np.testing.assert_allclose(overview.received, whole.mean(0), atol=allowed.of_sums())


def test_a_causal_model_is_read_in_words_too(decoder) -> None:
    record = decoder.capture("abc de f")
    read = record.in_units(Units(special="renormalised"))
    tokens = record.attention_weights(0, 1)
    queries = read.axis("decoder").queries.pieces
    np.testing.assert_allclose(
        read.attention_weights(0, 1), brute(tokens, queries, queries, renormalise=True), atol=allowed.of_sums()
    )
    assert (np.triu(read.attention_weights(0, 1), 1) == 0).all()


@pytest.mark.parametrize("units", ["tokens", "words"])
@pytest.mark.parametrize("special", ["first_hidden", "first_renormalised"])
def test_the_attention_sink_is_left_out_with_its_row_and_its_column(decoder, units: str, special: str) -> None:
    record = decoder.capture("abc de f")
    read = record.in_units(Units(units, special))
    tokens, axis = record.attention_weights(0, 1), record.axis("decoder").queries
    queries = read.axis("decoder").queries
    if units == "tokens":
        assert queries.labels == axis.labels[1:], "a text begins with a special token, and has no other"
        left = tokens[1:, 1:]
        if special == "first_renormalised":
            left = left / left.sum(1, keepdims=True)
        np.testing.assert_allclose(read.attention_weights(0, 1), left, atol=allowed.of_sums())
    expected = brute(tokens, queries.pieces, queries.pieces, renormalise=special == "first_renormalised")
    np.testing.assert_allclose(read.attention_weights(0, 1), expected, atol=allowed.of_sums())
    assert 0 not in [piece for pieces in queries.pieces for piece in pieces]
    assert queries.place_of(0) is None


def test_of_a_text_of_its_first_token_alone_that_stays() -> None:
    read = record_of(np.ones((1, 1, 1, 1), np.float32), ["a"]).in_units(Units(special="first_hidden"))
    assert read.axis(read.kinds[0]).queries.labels == ("a",)


def test_one_axis_stays_one_and_tokens_are_the_record_itself(masked) -> None:
    record = masked.capture("the cat walked")
    assert record.in_units(TOKENS) is record
    axes = record.in_units(WORDS).axis("encoder")
    assert axes.queries is axes.keys


def test_given_weights_can_be_read_without_their_special_tokens() -> None:
    weights = np.full((1, 2, 3, 3), 1 / 3, np.float32)
    record = record_of(weights, ["a", "b", "c"]).in_units(WORDS)
    np.testing.assert_allclose(record.attention_weights(0, 1), weights[0, 1], atol=allowed.of_sums())


def test_a_file_of_a_record_in_words_has_words(tmp_path: Path, masked) -> None:
    record = masked.capture("the cat walked").in_units(WORDS)
    write_capture_npz(record, tmp_path / "all.npz")
    with np.load(tmp_path / "all.npz") as file:
        assert file["encoder_query_tokens"].tolist() == ["[CLS]", "the", "cat", "walked", "[SEP]"]
        np.testing.assert_allclose(file["encoder_attention"][1, 0], record.attention_weights(1, 0), atol=allowed.of_sums())
