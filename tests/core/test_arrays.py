"""Attention from elsewhere becomes a record: arrays of any of the usual shapes, and what transformers returns."""

from typing import Any

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.attention.from_arrays import record_of
from headscope.core.errors import HeadscopeError
from headscope.core.numerics import half_digits
from headscope.core.text.tokens import Units
from tests import allowed
from tests.tiny_models import write_masked

TOKENS = ["[CLS]", "the", "cat", "##s", "[SEP]"]


def softmax(*shape: int) -> np.ndarray:
    scores = np.exp(np.random.default_rng(0).normal(size=shape))
    return scores / scores.sum(-1, keepdims=True)


@pytest.mark.parametrize("n_axes", [2, 3, 4])
def test_arrays_with_and_without_layers_and_heads(n_axes: int) -> None:
    whole = softmax(3, 2, 5, 5)
    given = {4: whole, 3: whole[0], 2: whole[0, 0]}[n_axes]
    record = record_of(given, TOKENS)
    assert record.kinds == ("encoder",)
    assert record.backend == "given"
    assert (record.n_layers("encoder"), record.n_heads("encoder")) == {4: (3, 2), 3: (1, 2), 2: (1, 1)}[n_axes]
    last = record.n_layers("encoder") - 1, record.n_heads("encoder") - 1
    np.testing.assert_allclose(record.attention_weights(*last), whole[last], rtol=allowed.of_sums(1))
    assert record.axis("encoder").queries.labels == ("[CLS]", "the", "cat", "·s", "[SEP]")


def test_what_a_transformers_model_returns() -> None:
    config = hf.GPT2Config(vocab_size=20, n_positions=16, n_embd=8, n_layer=2, n_head=2, attn_implementation="eager")
    model = hf.GPT2Model(config).eval()
    with torch.inference_mode():
        attentions = model(torch.arange(10).reshape(2, 5), output_attentions=True).attentions
    record = record_of(attentions, ["a", "b", "c", "d", "e"])
    assert record.kinds == ("decoder",)
    for layer, expected in enumerate(attentions):
        np.testing.assert_array_equal(record.layer_weights(layer, "decoder"), expected[0].numpy())


def test_keys_of_their_own_are_cross_attention() -> None:
    record = record_of(softmax(1, 2, 5, 3), TOKENS, ["a", "b", "c"])
    assert record.kinds == ("cross",)
    assert record.axis("cross").keys.labels == ("a", "b", "c")
    assert record.attention_weights(0, 1).shape == (5, 3)


@pytest.mark.parametrize(
    ("attentions", "says"),
    [
        (softmax(1, 2, 4, 4), "4 × 4 weights do not fit 5 queries and 5 keys"),
        (softmax(5, 5) * 3, "between 0 and 1"),
        (np.full((5, 5), np.nan), "NaN"),
        (np.zeros(5), "1 axes"),
        ([softmax(1, 2, 5, 5), softmax(1, 3, 5, 5)], "same number of heads"),
        ("words", "could not convert"),
    ],
)
def test_what_is_no_attention_is_said_so(attentions: object, says: str) -> None:
    with pytest.raises(HeadscopeError) as captured:
        record_of(attentions, TOKENS)
    assert captured.value.code == "not_attention"
    assert says in str(captured.value)


# ---------------------------------------------------------------- what transformers' models return
SIZES = {"n_embd": 16, "n_layer": 3, "n_head": 2, "vocab_size": 30, "n_positions": 32}
SOURCE, PROMPT = torch.tensor([[4, 5, 6, 7, 2]]), torch.tensor([[4, 9, 3, 8, 11, 6]])


def gpt2(attention: str = "eager", kind: type = hf.GPT2LMHeadModel) -> hf.PreTrainedModel:
    torch.manual_seed(0)
    return kind(hf.GPT2Config(**SIZES, attn_implementation=attention, eos_token_id=None, bos_token_id=None)).eval()


def bart(attention: str = "eager") -> hf.BartForConditionalGeneration:
    torch.manual_seed(0)
    config = hf.BartConfig(
        **{"vocab_size": 30, "d_model": 16, "encoder_layers": 2, "decoder_layers": 3, "encoder_attention_heads": 2},
        **{"decoder_attention_heads": 2, "encoder_ffn_dim": 16, "decoder_ffn_dim": 16, "max_position_embeddings": 32},
        **{"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1, "forced_eos_token_id": None},
        attn_implementation=attention,
    )
    return hf.BartForConditionalGeneration(config).eval()


def whole_pass(model: hf.PreTrainedModel, **inputs: torch.Tensor) -> object:
    with torch.inference_mode():
        return model(**inputs, output_attentions=True, use_cache=False)


def same(record, kind: str, layers) -> None:
    assert record.n_layers(kind) == len(layers)
    for index, expected in enumerate(layers):
        assert allowed.difference(record.layer_weights(index, kind), expected[0].detach().float()) <= allowed.of_sums()


@pytest.mark.parametrize("form", ["output", "attentions", "list", "stacked", "numpy", "mapping"])
def test_every_form_of_a_pass(form: str) -> None:
    output = gpt2()(PROMPT, output_attentions=True)  # with gradients
    given = {
        "output": output,
        "attentions": output.attentions,
        "list": list(output.attentions),
        "stacked": torch.stack(output.attentions),
        "numpy": [layer.detach().numpy() for layer in output.attentions],
        "mapping": {"decoder": output.attentions},
    }[form]
    record = record_of(given, PROMPT)
    assert record.kinds == ("decoder",)
    same(record, "decoder", output.attentions)
    assert record.axis("decoder").queries.labels == tuple(map(str, PROMPT[0].tolist()))
    assert record_of(record) is record


@pytest.mark.parametrize("given", [None, (), [], (None, None), hf.modeling_outputs.BaseModelOutput(), {}], ids=str)
def test_a_model_that_was_not_asked_for_its_weights(given: object) -> None:
    with pytest.raises(HeadscopeError) as refusal:
        record_of(given, TOKENS)
    assert refusal.value.code == "attentions_missing"
    assert 'attn_implementation="eager"' in refusal.value.remedy


def test_weights_that_fused_attention_does_not_compute() -> None:
    output = whole_pass(gpt2("sdpa"), input_ids=PROMPT)
    with pytest.raises(HeadscopeError) as refusal:
        record_of(output, PROMPT)
    assert refusal.value.code == "attentions_missing"


def test_weights_that_dropout_changed() -> None:
    output = gpt2().train()(PROMPT, output_attentions=True)
    for given in (output, output.attentions):
        with pytest.raises(HeadscopeError) as refusal:
            record_of(given, PROMPT)
        assert "model.eval()" in refusal.value.remedy


def test_layers_of_a_hybrid_without_weights_keep_their_places() -> None:
    one, two, three = (torch.from_numpy(softmax(1, 2, 5, 5)) for _ in range(3))
    record = record_of((None, one, None, two, three), TOKENS)
    assert record.n_layers("encoder") == 5
    assert record.kept_layers("encoder") == (1, 3, 4)
    np.testing.assert_allclose(record.attention_weights(3, 1), two[0, 1].numpy(), rtol=allowed.of_sums(1))
    with pytest.raises(HeadscopeError, match=r"1, 3, 4"):
        record.attention_weights(2, 0)


@pytest.mark.parametrize("options", [{}, {"use_cache": False}, {"cache_implementation": "static"}], ids=str)
def test_a_generation_is_one_map_of_all_that_was_read(options: dict[str, object]) -> None:
    model = gpt2()
    asked = {
        "max_new_tokens": 5,
        "do_sample": False,
        "pad_token_id": 0,
        "output_attentions": True,
        "return_dict_in_generate": True,
    }
    found = model.generate(PROMPT, **asked, **options)
    read = found.sequences[:, :-1]
    expected = whole_pass(model, input_ids=read).attentions
    for given, tokens in (
        (found, found.sequences),
        (found.attentions, found.sequences[0]),
        (found.attentions, read[0].tolist()),
    ):
        record = record_of(given, tokens)
        assert len(record.axis("decoder").queries) == read.shape[1]
        same(record, "decoder", expected)


def test_the_beams_that_led_to_the_text() -> None:
    model = gpt2()
    asked = {"max_new_tokens": 6, "num_beams": 4, "do_sample": False, "pad_token_id": 0}
    found = model.generate(PROMPT, **asked, output_attentions=True, return_dict_in_generate=True, output_scores=True)
    same(record_of(found, found.sequences), "decoder", whole_pass(model, input_ids=found.sequences[:, :-1]).attentions)


@pytest.mark.parametrize("n_beams", [1, 3])
def test_a_generation_of_an_encoder_decoder(n_beams: int) -> None:
    model = bart()
    asked = {"max_new_tokens": 5, "min_new_tokens": 5, "num_beams": n_beams, "do_sample": False, "output_scores": True}
    found = model.generate(SOURCE, **asked, output_attentions=True, return_dict_in_generate=True)
    expected = whole_pass(model, input_ids=SOURCE, decoder_input_ids=found.sequences[:, :-1])
    record = record_of(found, found.sequences, SOURCE)
    assert set(record.kinds) == {"encoder", "decoder", "cross"}
    same(record, "encoder", expected.encoder_attentions)
    same(record, "decoder", expected.decoder_attentions)
    same(record, "cross", expected.cross_attentions)


def test_all_maps_of_an_encoder_decoder_together() -> None:
    output = whole_pass(bart(), input_ids=SOURCE, decoder_input_ids=PROMPT)
    maps = {"encoder": output.encoder_attentions, "decoder": output.decoder_attentions, "cross": output.cross_attentions}
    for given in (output, maps):
        record = record_of(given, PROMPT, SOURCE)
        for kind, layers in maps.items():
            same(record, kind, layers)
        assert record.axis("cross").keys.labels == tuple(map(str, SOURCE[0].tolist()))
        assert len(record.axis("decoder").keys) == PROMPT.shape[1]


# ---------------------------------------------------------------- tokens
BYTES = ["<s>", "The", "Ġcaf", "Ã©", "Ġof", "Ġä½", "ł", "å¥½", "Ċ", "</s>"]
PIECES = {
    "byte-level": (BYTES, ("<s>", "The", "caf", "·é", "of", "你₁", "你₂", "好", "⏎", "</s>"), "The café of 你好\n"),
    "SentencePiece": (["▁The", "▁caf", "é", "▁", "<0xE4>", "<0xBD>", "<0xA0>", "</s>"], None, "The café 你"),
    "WordPiece": (["[CLS]", "play", "##ing", ",", "[MASK]", "[SEP]"], ("[CLS]", "play", "·ing", ",", "[MASK]", "[SEP]"), None),
    "ends of words": (["play", "ing</w>", "now</w>"], ("play", "·ing", "now"), "playing now "),
    "continued": (["play@@", "ing", "now"], ("play", "·ing", "now"), "playing now "),
    "words": (["the", "cat", "sat"], ("the", "cat", "sat"), "the cat sat"),
}


@pytest.mark.parametrize(("pieces", "labels", "text"), PIECES.values(), ids=PIECES)
def test_pieces_of_any_vocabulary_are_readable(pieces: list[str], labels: tuple[str, ...] | None, text: str | None) -> None:
    record = record_of(softmax(len(pieces), len(pieces)), pieces)
    axis = record.axis("encoder").queries
    assert labels is None or axis.labels == labels
    assert text is None or axis.text == text
    for token in axis.tokens:
        assert token.special or 0 <= token.start <= token.end <= len(axis.text)


def test_pieces_can_be_read_as_words() -> None:
    record = record_of(softmax(len(BYTES), len(BYTES)), BYTES)
    words = record.in_units(Units("words")).axis("encoder").queries
    assert [axis for axis in words.labels if axis in {"café", "The", "of"}] == ["The", "café", "of"]


def test_ids_with_their_tokenizer(tmp_path) -> None:
    folder = write_masked(tmp_path / "model")
    tokenizer = hf.AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer("the cat playing .", return_tensors="pt")
    expected = ("[CLS]", "the", "cat", "play", "·ing", ".", "[SEP]")
    for tokens in (inputs, inputs["input_ids"], inputs["input_ids"][0], inputs["input_ids"].tolist(), [list(inputs.tokens())]):
        axis = record_of(softmax(7, 7), tokens, tokenizer=tokenizer).axis("encoder").queries
        assert axis.labels == expected
        assert [token.special for token in axis.tokens] == [True, *[False] * 5, True]


@pytest.mark.parametrize("tokens", ["a text", 5, [1.5, 2.5], [object()]], ids=["text", "number", "fractions", "objects"])
def test_what_is_no_tokens_is_said_so(tokens: object) -> None:
    with pytest.raises(HeadscopeError) as refusal:
        record_of(softmax(2, 2), tokens)
    assert refusal.value.code == "not_tokens"


def test_rows_without_tokens_are_numbered() -> None:
    assert record_of(softmax(2, 4, 4)).axis("encoder").queries.labels == ("0", "1", "2", "3")


# ---------------------------------------------------------------- whose tokens they are
def bart_that_wrote() -> tuple[Any, Any, Any]:
    """(what it read, what it wrote of its own, a pass over another text), with sharp weights."""
    torch.manual_seed(0)
    model = bart()
    model.generation_config.eos_token_id = model.generation_config.forced_eos_token_id = None
    inputs = {"input_ids": torch.tensor([[5, 6, 7, 8, 9, 10]])}
    asked = {"output_attentions": True, "return_dict_in_generate": True}
    written = model.generate(**inputs, max_new_tokens=3, do_sample=False, num_beams=1, **asked)
    return inputs, written, model(**inputs, decoder_input_ids=torch.tensor([[3, 11, 12]]), output_attentions=True)


def test_what_a_tokenizer_returned_is_what_the_encoder_read() -> None:
    inputs, written, passed = bart_that_wrote()
    read, own = (*map(str, inputs["input_ids"][0].tolist()),), (*map(str, written.sequences[0, :-1].tolist()),)
    record = record_of(written, inputs)
    assert record.axis("encoder").queries.labels == record.axis("cross").keys.labels == read
    assert record.axis("decoder").queries.labels == record.axis("cross").queries.labels == own
    record = record_of(passed, {**inputs, "decoder_input_ids": torch.tensor([[3, 11, 12]])})
    assert (record.axis("cross").keys.labels, record.axis("decoder").keys.labels) == (read, ("3", "11", "12"))
    assert record_of(passed, inputs).axis("decoder").queries.labels == ("0", "1", "2")  # nobody said what it read


def test_a_generation_says_its_tokens_itself() -> None:
    _, written, _ = bart_that_wrote()
    own = (*map(str, written.sequences[0, :-1].tolist()),)
    assert record_of(written).axis("decoder").queries.labels == own


def test_cross_attention_alone_is_never_taken_for_a_decoders_own() -> None:
    inputs, written, _ = bart_that_wrote()
    with pytest.raises(HeadscopeError, match="key_tokens"):
        record_of(written.cross_attentions, written.sequences)
    record = record_of(written.cross_attentions, written.sequences, inputs)
    np.testing.assert_allclose(record.attention_weights(0, 1, "cross").sum(-1), 1, atol=half_digits(torch.float32))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (np.zeros((0, 4, 3, 3)), "They are empty"),
        (np.zeros((2, 0, 3, 3)), "They are empty"),
        (torch.nn.Linear(2, 2), "open_model"),
    ],
    ids=["no layers", "no heads", "a model"],
)
def test_nothing_and_models_are_said_so(given: object, says: str) -> None:
    with pytest.raises(HeadscopeError, match=says):
        record_of(given, ["a", "b", "c"])
