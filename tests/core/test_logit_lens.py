"""The lens shows the model's own prediction at the last layer, and what norm and head make of the stream before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import transformers as hf

from headscope.core.engine.engine import Engine
from headscope.core.errors import HeadscopeError
from headscope.core.forward.residual_stream import ResidualStream
from headscope.core.job import Cancel, Cancelled, Job
from headscope.core.model import Model
from headscope.core.models.load import load_model
from headscope.core.predict import logit_lens as lens_file
from headscope.core.predict.logit_lens import labelled_lens, logit_lens
from headscope.core.predict.logit_lens_layer import LogitLensLayer
from headscope.core.predict.reader import inputs_of
from headscope.core.requests.predictions import LogitLensRequest
from headscope.core.requests.runs import CaptureRequest
from tests import allowed
from tests.looked_into import opened
from tests.tiny_models import write_masked

TEXT = "the cat sat on a mat"
NAMES = (
    "bert", "distilbert", "albert", "roberta", "gpt2", "llama-grouped", "mistral-sliding", "gemma2-softcap", "gpt-oss-sinks",
    "gptj", "bloom", "falcon", "t5", "bart", "opt-projected", "opt-post-norm", "neox-parallel", "granite-multipliers",
    "cohere-logit-scale", "phi-head-bias", "olmo2-norm-behind", "pegasus-logits-bias", "t5-gated",
)  # fmt: skip
"""Of probabilities: logits of these random models reach 90, and one block of rows is summed up in another order than another."""


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return opened("gpt2", tmp_path_factory.mktemp("gpt2"))


def own_logits(model: Model, text: str, target: str | None = None) -> torch.Tensor:
    with torch.inference_mode():
        return model.module(**model.inputs(*model.encode(text, None, target))).logits[0]


def own_probabilities(model: Model, text: str) -> torch.Tensor:
    return own_logits(model, text).softmax(-1)


def assert_last_is_the_prediction(model: Model, text: str, target: str | None = None) -> None:
    layers = list(logit_lens(model, text, target=target, top_k=4))
    logits = own_logits(model, text, target)
    own, rounding = logits.softmax(-1).topk(4), allowed.of_probabilities(logits)
    kind = "encoder" if model.info.family == "encoder" else "decoder"
    assert [layer.layer for layer in layers] == list(range(-1, model.info.layers[kind][0]))
    assert layers[-1].positions == tuple(range(len(own.values)))
    assert allowed.difference(layers[-1].probabilities, own.values) <= rounding
    assert (layers[-1].ids == own.indices.numpy()).all()
    assert np.abs(layers[-2].probabilities - own.values.numpy()).max() > 1e-3  # and the layer matters


# ---------------------------------------------------------------- exact at the last layer
@pytest.mark.parametrize("name", NAMES)
def test_the_last_layer_gives_the_models_own_prediction(name: str, tmp_path: Path) -> None:
    """Behind a projection, a bias, a scale or a cap of logits; of an encoder-decoder on the decoder's side; in each tier."""
    model = opened(name, tmp_path)
    assert_last_is_the_prediction(model, TEXT, "a dog ran" if model.info.family == "encoder-decoder" else None)


@pytest.mark.parametrize("name", ["albert", "gemma2-softcap", "t5", "opt-projected"])
def test_logits_of_the_last_stream_are_the_models_own(name: str, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    encoded = model.encode(TEXT, None, "a dog ran" if model.info.family == "encoder-decoder" else None)
    stream = ResidualStream(model, *encoded)
    with torch.inference_mode():
        own = model.module(**model.inputs(*encoded)).logits[0]
    assert allowed.difference(stream.read([3], range(stream.n_tokens))[0], own) <= allowed.of_logits(own)
    assert allowed.difference(stream.read([2], range(stream.n_tokens))[0], own) > 10 * allowed.of_logits(own)


@pytest.mark.parametrize(
    ("source", "text"), [("toy:grammar", "the keys of the cabinet [MASK] rusty ."), ("toy:tales", "once upon a time")]
)
def test_the_toys_end_in_their_prediction(source: str, text: str) -> None:
    assert_last_is_the_prediction(load_model(source, device="cpu", dtype="float32"), text)


# ---------------------------------------------------------------- before it
def test_each_layer_is_the_final_norm_and_the_head_of_its_hidden_state(gpt2: Model) -> None:
    """As the lens was published: ln_f, then the output embeddings."""
    module = gpt2.module
    with torch.inference_mode():
        hidden = module(**gpt2.inputs(gpt2.encode(TEXT)[0]), output_hidden_states=True).hidden_states[:-1]
        expected = [module.lm_head(module.transformer.ln_f(state[0])) for state in hidden]
    for layer, logits in zip(logit_lens(gpt2, TEXT, top_k=99), expected, strict=False):
        ours = np.zeros(logits.shape, np.float32)
        np.put_along_axis(ours, layer.ids, layer.probabilities, axis=-1)
        assert allowed.difference(ours, logits.softmax(-1)) <= allowed.of_probabilities(logits)
        assert (np.diff(layer.probabilities, axis=-1) <= 0).all()


def test_the_masked_models_own_transform_is_part_of_its_head(tmp_path: Path) -> None:
    model = load_model(str(write_masked(tmp_path)), device="cpu", dtype="float32")
    with torch.inference_mode():
        hidden = model.module(**model.inputs(model.encode(TEXT)[0]), output_hidden_states=True).hidden_states
        logits = model.module.cls(hidden[1][0])
    expected = logits.softmax(-1).topk(3)
    _, first, *_ = logit_lens(model, TEXT, top_k=3)
    assert first.layer == 0
    assert (first.ids == expected.indices.numpy()).all()
    assert allowed.difference(first.probabilities, expected.values) <= allowed.of_probabilities(logits)


def test_blocks_and_chosen_positions_change_nothing(gpt2: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, rounding = list(logit_lens(gpt2, TEXT)), allowed.of_probabilities(own_logits(gpt2, TEXT))
    monkeypatch.setattr(lens_file, "_LOGIT_BYTES", 4 * 99 * 3)  # three positions at a time, and no layers side by side
    for one, other in zip(whole, logit_lens(gpt2, TEXT), strict=True):
        assert allowed.difference(one.probabilities, other.probabilities) <= rounding
        assert (one.ids == other.ids).all()
    for one, other in zip(whole, logit_lens(gpt2, TEXT, positions=[7, 2]), strict=True):
        assert other.positions == (7, 2)
        assert allowed.difference(one.probabilities[[7, 2]], other.probabilities) <= rounding


def test_the_toy_knows_the_verb_only_after_its_last_layer() -> None:
    model = load_model("toy:grammar", device="cpu", dtype="float32")
    text = "the keys of the cabinet [MASK] rusty ."
    (mask,) = model.encode(text)[0].axis.masks
    best = list(logit_lens(model, text, positions=[mask], top_k=1))
    assert model.tokenizer.candidate(int(best[-1].ids[0, 0]))[0] == " are"
    assert best[-1].probabilities[0, 0] > 0.9 > best[0].probabilities[0, 0]


# ---------------------------------------------------------------- one token, and how undecided a layer is
def test_a_token_is_followed_with_its_probability_and_rank(gpt2: Model) -> None:
    module = gpt2.module
    with torch.inference_mode():
        hidden = module(**gpt2.inputs(gpt2.encode(TEXT)[0]), output_hidden_states=True).hidden_states[:-1]
        logits = [module.lm_head(module.transformer.ln_f(state[0])) for state in hidden]
    own, rounding = own_probabilities(gpt2, TEXT), allowed.of_probabilities(own_logits(gpt2, TEXT))
    for follow in (None, 7):
        layers = list(logit_lens(gpt2, TEXT, follow=follow))
        expected = own.argmax(-1) if follow is None else torch.full((len(own),), follow)
        assert all(np.array_equal(layer.followed, expected.numpy()) for layer in layers)
        for layer, scores in zip(layers, logits, strict=False):
            probabilities = scores.softmax(-1)
            chosen = probabilities.gather(-1, expected[:, None])[:, 0]
            assert np.abs(layer.followed_probabilities - chosen.numpy()).max() <= rounding
            better = (scores > scores.gather(-1, expected[:, None])).sum(-1)
            assert np.abs(layer.followed_ranks - 1 - better.numpy()).max() <= 1  # equals but for rounding
            entropies = torch.distributions.Categorical(probs=probabilities).entropy() / np.log(2)
            assert allowed.difference(layer.entropies, entropies) <= allowed.of_logits(scores)
        assert (layers[-1].n_layers, layers[-1].n_vocabulary) == (3, own.shape[-1])
    assert (list(logit_lens(gpt2, TEXT))[-1].followed_ranks == 1).all()


def test_the_engine_streams_each_layer_with_what_the_screen_shows(engine: Engine) -> None:
    streamed: list[LogitLensLayer] = []
    text = "the keys of the cabinet [MASK] rusty ."
    request = LogitLensRequest(engine.handle(CaptureRequest(text), Job(), lambda part: None).record, positions=(6,), top_k=3)
    answer = engine.handle(request, Job(), streamed.append)
    assert [layer.layer for layer in streamed] == [-1, 0, 1]
    assert answer is streamed[-1]
    assert answer.labels[0][0] == "are"
    (prediction,) = load_model("toy:grammar", device="cpu", dtype="float32").fill_mask(text, top_k=3)
    assert answer.labels == (tuple(candidate.label for candidate in prediction.candidates),)


@pytest.mark.parametrize("name", NAMES)
def test_a_record_tells_to_the_last_id_what_was_read(name: str, tmp_path: Path) -> None:
    model = opened(name, tmp_path)
    texts = [(TEXT, None, "on a mat" if model.start_id is not None else None)]
    if model.info.family == "encoder":
        texts.append((TEXT, "and the dog too", None))
    for text in texts:
        assert inputs_of(model.capture(*text)) == model.encode(*text)


def test_what_a_model_wrote_is_read_token_by_token(gpt2: Model) -> None:
    """Also where its text would be cut into other tokens."""
    first = next(gpt2.generate(TEXT))
    *_, last = first.fork(gpt2.tokenizer.encode(TEXT).ids[0], max_new_tokens=4)  # what a text begins with is in none
    ids = inputs_of(last.record)[0].ids
    assert gpt2.encode(last.record.axis("decoder").queries.text)[0].ids != ids
    *_, layer = labelled_lens(gpt2, last.record)
    with torch.inference_mode():
        logits = gpt2.module(input_ids=torch.tensor([ids])).logits[0]
    expected = logits.softmax(-1).topk(5)
    assert (layer.ids == expected.indices.numpy()).all()
    assert allowed.difference(layer.probabilities, expected.values) <= allowed.of_probabilities(logits)


# ---------------------------------------------------------------- the model afterwards, and errors
def test_the_model_is_as_it_was_before(gpt2: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lens_file, "_LOGIT_BYTES", 4 * 99 * 3)  # a block at a time, to be stopped between two
    before = own_probabilities(gpt2, TEXT)
    cancel = Cancel()
    layers = logit_lens(gpt2, TEXT, job=Job(cancel=cancel))
    next(layers)
    cancel.set()
    with pytest.raises(Cancelled):
        next(layers)
    assert allowed.difference(own_probabilities(gpt2, TEXT), before) <= allowed.of_sums()
    assert [layer.layer for layer in logit_lens(gpt2, TEXT)] == [-1, 0, 1, 2]
    assert not any("forward" in vars(part) for part in gpt2.module.modules())


def test_a_pass_that_is_cancelled_stops_after_a_layer(gpt2: Model) -> None:
    cancel = Cancel()
    cancel.set()
    with pytest.raises(Cancelled):
        logit_lens(gpt2, TEXT, job=Job(cancel=cancel))


def test_what_cannot_be_read_is_said(gpt2: Model, tmp_path: Path) -> None:
    write_masked(tmp_path)
    hf.BertModel.from_pretrained(tmp_path).save_pretrained(tmp_path)
    headless = load_model(str(tmp_path), device="cpu", dtype="float32")
    for model, options, code in (
        (headless, {}, "cannot_predict"),
        (opened("xlnet", tmp_path / "xlnet"), {}, "writes_in_its_own_way"),  # it has a language head
        (gpt2, {"positions": [99]}, "no_such_position"),
        (gpt2, {"positions": [-1]}, "no_such_position"),
        (gpt2, {"top_k": 0}, "bad_option"),
        (gpt2, {"follow": -1}, "bad_option"),
        (gpt2, {"follow": 99}, "bad_option"),
    ):
        with pytest.raises(HeadscopeError) as captured:
            logit_lens(model, TEXT, **options)
        assert captured.value.code == code
